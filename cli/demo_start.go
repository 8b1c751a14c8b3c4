package cli

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/teiten/teiten/access"
	"github.com/teiten/teiten/app"
	"github.com/teiten/teiten/examples/shop"
	"github.com/teiten/teiten/examples/shop/simulator"
	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/notify/sink"
)

// demoStartCmd is `teiten demo` itself.
type demoStartCmd struct {
	Fresh    bool   `help:"Forget what an earlier demo left and begin again."`
	Listen   string `placeholder:"HOST:PORT" help:"Address of the server; by default 127.0.0.1:9469, or a free port where that is taken."`
	Seed     uint64 `default:"9469" hidden:"" help:"Chooses the noise of the traffic."`
	LeaveGap bool   `help:"Leave the time since the last demo unknown. Otherwise it is filled in, as if the shop had gone on."`
}

// demoAdmin is who the sign-in link is for.
var demoAdmin = access.NewUser{Login: "head-of-operations@shop.example.jp", Name: "運用責任者 Head of operations", Role: access.Admin}

// demo is a running demo. Its parts are stopped in the reverse order.
type demo struct {
	*streams
	cmd      *demoCmd
	log      *slog.Logger
	shop     *simulator.Shop
	child    *child
	sink     *sink.Sink
	app      *app.App
	finished chan error // what the server ended with
}

// Run starts everything, shows what arrives, and stops everything when ctx ends.
func (c *demoStartCmd) Run(ctx context.Context, s *streams, cmd *demoCmd) (err error) {
	d := &demo{streams: s, cmd: cmd, finished: make(chan error, 1)}
	if err := c.folder(ctx, d); err != nil {
		return err
	}
	logFile, err := os.OpenFile(filepath.Join(cmd.Data, "demo.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open the demo's log: %w", err)
	}
	defer func() { err = errors.Join(err, logFile.Close()) }()
	d.log = app.NewLog(app.LogConfig{Level: "info", Format: "text"}, logFile)

	d.say(text.Say("Teiten demo: an online shop in Tokyo, with 35 days behind it", "Teiten デモ: 東京のオンラインショップと、その35日間"))
	if err := c.openShop(d); err != nil {
		return err
	}
	if d.child, err = startSimulator(ctx, cmd.Data, logFile, d.log); err != nil {
		return err
	}
	defer d.child.Stop()
	d.done(text.Say("shop traffic", "店舗の通信"), text.Say("simulated at %s/metrics", "シミュレーター %s/metrics", d.child.url()))

	if d.sink, err = sink.Start(context.WithoutCancel(ctx), d.log); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.sink.Close()) }()
	if err := c.openServer(ctx, d); err != nil {
		return err
	}
	return d.serve(ctx)
}

// folder makes the demo's folder, or empties it.
func (c *demoStartCmd) folder(ctx context.Context, d *demo) error {
	if running, err := d.cmd.running(); err == nil {
		if _, err := askShop(ctx, running.Control, "status", nil); err == nil {
			return fault.New(fault.Conflict, "demo.running", text.Say("a demo is running already at %s", "デモはすでに %s で動いています", running.URL)).
				Fix(text.Say("use that one, stop it, or choose another folder with --data", "それを使うか、止めるか、--data で別のフォルダーを指定してください"))
		}
	}
	if c.Fresh {
		if err := c.clear(d.cmd); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(d.cmd.Data, 0o700); err != nil {
		return fmt.Errorf("make the demo's folder: %w", err)
	}
	return nil
}

// clear removes the folder of an earlier demo, and nothing that is none.
func (c *demoStartCmd) clear(cmd *demoCmd) error {
	left, err := os.ReadDir(cmd.Data)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(left) == 0 {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look into the demo's folder: %w", err)
	}
	if _, err := os.Stat(cmd.shopPath()); err != nil {
		return fault.New(fault.Conflict, "demo.foreign_folder", text.Say("%s is not the folder of a demo: nothing was removed", "%s はデモのフォルダーではないため、何も削除しませんでした", cmd.Data)).
			Fix(text.Say("choose another folder with --data", "--data で別のフォルダーを指定してください"))
	}
	if err := os.RemoveAll(cmd.Data); err != nil {
		return fmt.Errorf("empty the demo's folder: %w", err)
	}
	return nil
}

// openShop reads the shop of the folder, or founds one.
func (c *demoStartCmd) openShop(d *demo) error {
	state, found, err := simulator.LoadState(d.cmd.shopPath())
	if err != nil {
		return err
	}
	if !found {
		state = simulator.State{Seed: c.Seed, Start: time.Now().UTC().Truncate(time.Minute)}
		if err := state.Save(d.cmd.shopPath()); err != nil {
			return err
		}
	}
	d.shop = simulator.New(state)
	return nil
}

// openServer opens the server over the demo's folder and writes the history
// that its metrics store lacks.
func (c *demoStartCmd) openServer(ctx context.Context, d *demo) error {
	scrape := filepath.Join(d.cmd.Data, "scrape.yaml")
	if err := os.WriteFile(scrape, scrapeConfig(d.child.address), 0o600); err != nil {
		return fmt.Errorf("write the scrape configuration: %w", err)
	}
	secret := "whsec_" + rand.Text() + rand.Text()
	for name, value := range map[string]string{
		"SHOP_WEBHOOK_URL":    d.sink.HTTPURL() + "/hook",
		"SHOP_WEBHOOK_SECRET": secret,
		"SHOP_CHAT_URL":       d.sink.HTTPURL() + "/slack",
		"SHOP_ADDRESS":        d.child.address,
	} {
		if err := os.Setenv(name, value); err != nil {
			return fmt.Errorf("name the sinks: %w", err)
		}
	}
	config := app.DefaultConfig()
	config.Data = d.cmd.Data
	config.PublicMetrics = true
	config.Metrics.Embedded.ScrapeConfigFile = scrape
	config.Notify.AllowNetworks = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	config.Probe.AllowNetworks = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	config.Notify.SMTP = app.SMTPConfig{Address: d.sink.SMTPAddr(), From: "Teiten <teiten@shop.example.jp>", TLS: "none"}
	if c.Listen != "" {
		config.Listen = c.Listen
	}
	opened := time.Now()
	var err error
	d.app, err = app.New(ctx, config, app.Options{Log: d.log})
	if f, ok := fault.As(err); ok && f.Code == "app.listen" && c.Listen == "" {
		config.Listen = "127.0.0.1:0"
		d.app, err = app.New(ctx, config, app.Options{Log: d.log})
	}
	if err != nil {
		return err
	}
	took := time.Since(opened)
	if err := d.fillIn(ctx, c.LeaveGap); err != nil {
		return errors.Join(err, d.abandon(ctx))
	}
	d.done(text.Say("server", "サーバー"), text.Say("opened in %s", "%s で準備完了", seconds(took)))
	return nil
}

// abandon closes a server that was opened and never ran: one that runs in a
// context that has ended stops at once.
func (d *demo) abandon(ctx context.Context) error {
	ended, cancel := context.WithCancel(context.WithoutCancel(ctx))
	cancel()
	return d.app.Run(ended)
}

// scrapeConfig names the simulated shop in Prometheus' own syntax.
func scrapeConfig(address string) []byte {
	return fmt.Appendf(nil, `# Written by teiten demo at each start.
scrape_configs:
  - job_name: shop
    scrape_interval: 15s
    static_configs:
      - targets: ["%s"]
        labels:
          instance: shop
`, address)
}

// serve runs the server, applies the example, says where everything is, and
// shows messages until ctx ends or the server does.
func (d *demo) serve(ctx context.Context) error {
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	go func() { d.finished <- d.app.Run(run) }()

	err := d.introduce(ctx)
	if err == nil {
		go d.showMessages(run)
		select {
		case <-ctx.Done():
			fmt.Fprintln(d.out)
			d.say(text.Say("Stopping.", "停止しています。"))
		case err = <-d.finished:
			d.finished <- nil
		}
	}
	stop()
	err = errors.Join(err, <-d.finished)
	if gone := os.Remove(d.cmd.runningPath()); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	return err
}

// introduce applies the example and prints the address and the sign-in link.
func (d *demo) introduce(ctx context.Context) error {
	ctx = access.AsSystem(ctx)
	plan, err := d.applyExample(ctx)
	if err != nil {
		return err
	}
	if _, err := d.app.Access.EnsureUser(ctx, demoAdmin); err != nil {
		return err
	}
	link, err := d.app.Access.SignInLink(ctx, demoAdmin.Login)
	if err != nil {
		return err
	}
	if err := d.remember(); err != nil {
		return err
	}
	d.done(text.Say("example", "設定例"), text.Say("%d documents applied, %d as they were", "%d 件を適用、%d 件は変更なし", plan.Added+plan.Changed, plan.Same))
	fmt.Fprintln(d.out)
	d.say(text.Say("Address          %s", "アドレス            %s", d.app.URL()))
	d.say(text.Say("Sign in (once)   %s", "サインイン(1回限り)  %s", link))
	fmt.Fprintln(d.out)
	command := d.cmd.invocation()
	d.say(text.Say("Break something:  %s break checkout --errors 30%% --for 15m", "壊してみる:  %s break checkout --errors 30%% --for 15m", command))
	d.say(text.Say("Mend it:          %s heal", "直す:        %s heal", command))
	d.say(text.Say("Stop:             Ctrl-C", "止める:      Ctrl-C"))
	fmt.Fprintln(d.out)
	d.say(text.Say("Messages that Teiten sends appear here.", "Teiten が送信したメッセージはここに表示されます。"))
	return nil
}

// applyExample applies the shop's documents as anybody's code would be. What a
// newer version of the example no longer holds is removed.
func (d *demo) applyExample(ctx context.Context) (ascode.Plan, error) {
	names, err := fs.Glob(shop.Files, "*.yaml")
	if err != nil {
		return ascode.Plan{}, fmt.Errorf("read the example: %w", err)
	}
	request := ascode.Request{Set: "shop", Prune: true, DryRun: true}
	for _, name := range names {
		body, err := fs.ReadFile(shop.Files, name)
		if err != nil {
			return ascode.Plan{}, fmt.Errorf("read the example: %w", err)
		}
		request.Files = append(request.Files, ascode.File{Name: path.Join("examples/shop", name), Data: string(body)})
	}
	plan, err := d.app.AsCode.Apply(ctx, request)
	if err != nil {
		return plan, err
	}
	request.DryRun, request.Confirm = false, plan.Digest
	return d.app.AsCode.Apply(ctx, request)
}

// remember writes down where the demo is, for break, heal and status.
func (d *demo) remember() error {
	body, err := json.MarshalIndent(runningDemo{PID: os.Getpid(), URL: d.app.URL(), Control: d.child.url()}, "", "  ")
	if err != nil {
		return fmt.Errorf("write down where the demo is: %w", err)
	}
	if err := os.WriteFile(d.cmd.runningPath(), append(body, '\n'), 0o600); err != nil {
		return fmt.Errorf("write down where the demo is: %w", err)
	}
	return nil
}

// showMessages prints one line for each message that the sinks receive.
func (d *demo) showMessages(ctx context.Context) {
	shown := 0
	for {
		if err := d.sink.Wait(ctx, func(m []sink.Message) bool { return len(m) > shown }); err != nil {
			return
		}
		for _, m := range d.sink.Messages()[shown:] {
			fmt.Fprintf(d.out, "%s  %-8s %s\n", clock(m.At), m.Via, m.Title)
			shown++
		}
	}
}

// done prints a step that is finished.
func (d *demo) done(what, detail text.Both) {
	fmt.Fprintf(d.out, "  ✓ %s  %s\n", padded(what.In(d.lang), 14), detail.In(d.lang))
}

// padded fills a text up to a width in columns; Japanese characters take two.
func padded(s string, width int) string {
	columns := 0
	for _, r := range s {
		columns++
		if r >= 0x1100 {
			columns++
		}
	}
	return s + strings.Repeat(" ", max(0, width-columns))
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }
