package cli

import (
	"context"
	"fmt"

	"github.com/teiten/teiten/app"
	"github.com/teiten/teiten/kit/text"
)

// serveCmd starts the server. Its flags win over the environment, which wins
// over the file.
type serveCmd struct {
	Config   string `help:"Configuration file." env:"TEITEN_CONFIG" placeholder:"FILE" type:"existingfile"`
	Listen   string `help:"Address to listen on." placeholder:"HOST:PORT"`
	Data     string `help:"Folder of everything that is stored." placeholder:"DIR"`
	Database string `help:"sqlite:FILE or postgres://…" placeholder:"URL"`
	BaseURL  string `help:"How people reach the server." name:"base-url" placeholder:"URL"`
	LogLevel string `help:"debug, info, warn or error." placeholder:"LEVEL"`
}

func (c *serveCmd) Run(ctx context.Context, s *streams) error {
	config, err := app.LoadConfig(c.Config, s.environ)
	if err != nil {
		return err
	}
	c.overlay(&config)
	a, err := app.New(ctx, config, app.Options{Log: app.NewLog(config.Log, s.err)})
	if err != nil {
		return err
	}
	link, err := a.Access.SetupLink(ctx)
	if err != nil {
		return err
	}
	if link != "" {
		s.say(text.Say("First start: open this link once to become the administrator.", "初回起動です。次のリンクを一度だけ開いて管理者を登録してください。"))
		fmt.Fprintln(s.out, "  "+link)
	}
	return a.Run(ctx)
}

func (c *serveCmd) overlay(config *app.Config) {
	for _, f := range []struct {
		flag string
		into *string
	}{
		{c.Listen, &config.Listen}, {c.Data, &config.Data}, {c.Database, &config.Database},
		{c.BaseURL, &config.BaseURL}, {c.LogLevel, &config.Log.Level},
	} {
		if f.flag != "" {
			*f.into = f.flag
		}
	}
}
