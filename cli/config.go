package cli

import (
	"fmt"

	"github.com/teiten/teiten/app"
	"github.com/teiten/teiten/kit/text"
)

// configCmd is about the server's configuration.
type configCmd struct {
	Check configCheckCmd `cmd:"" help:"Judge a configuration file and show what is in force."`
}

type configCheckCmd struct {
	File string `arg:"" optional:"" help:"The file; without it the defaults and the environment." placeholder:"FILE"`
}

func (c *configCheckCmd) Run(s *streams) error {
	config, err := app.LoadConfig(c.File, s.environ)
	if err != nil {
		return err
	}
	shown, err := config.Redacted()
	if err != nil {
		return err
	}
	fmt.Fprintln(s.out, string(shown))
	fmt.Fprintln(s.err, text.Say("the configuration is good", "設定に問題はありません").In(s.lang))
	return nil
}
