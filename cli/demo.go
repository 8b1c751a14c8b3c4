package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/teiten/teiten/examples/shop/simulator"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// demoCmd is `teiten demo`: an example company on one's own machine, live, with
// a past, and with faults on command.
type demoCmd struct {
	Data string `default:"data/demo" type:"path" placeholder:"DIR" help:"The folder of the demo's data."`

	Start    demoStartCmd    `cmd:"" default:"withargs" help:"Start the example company (the default)."`
	Break    demoBreakCmd    `cmd:"" help:"Break a service of the running demo."`
	Heal     demoHealCmd     `cmd:"" help:"End the faults of the running demo."`
	Status   demoStatusCmd   `cmd:"" help:"Show what is broken in the running demo."`
	Simulate demoSimulateCmd `cmd:"" hidden:"" help:"Be the simulated shop."`
}

// defaultDemoData is the folder of a demo that names none.
const defaultDemoData = "data/demo"

// invocation is how to call this demo again: the program as it was started, and
// the folder where it is not the usual one.
func (c *demoCmd) invocation() string {
	called := os.Args[0] + " demo"
	if usual, err := filepath.Abs(defaultDemoData); err != nil || c.Data != usual {
		called += " --data " + c.Data
	}
	return called
}

// demoBreakCmd is `teiten demo break`.
type demoBreakCmd struct {
	Service string        `arg:"" help:"The service to break, such as checkout."`
	Errors  share         `placeholder:"SHARE" help:"How many of its requests fail; 30% where neither this nor a latency is given."`
	Latency time.Duration `placeholder:"TIME" help:"What is added to each request, such as 2s."`
	For     time.Duration `default:"15m" placeholder:"TIME" help:"How long it lasts."`
}

// demoHealCmd is `teiten demo heal`.
type demoHealCmd struct {
	Service string `arg:"" optional:"" help:"The service to heal; all of them without it."`
}

// demoStatusCmd is `teiten demo status`.
type demoStatusCmd struct{}

// share is a part of a whole, written as 30% or as 0.3.
type share float64

// UnmarshalText reads a share.
func (s *share) UnmarshalText(b []byte) error {
	number, percent := strings.CutSuffix(strings.TrimSpace(string(b)), "%")
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if percent {
		v /= 100
	}
	if err != nil || !(v >= 0 && v <= 1) {
		return fault.New(fault.Invalid, "cli.share", text.Say("%q is not a share", "%q は割合として読めません", string(b))).
			Fix(text.Say("write 30% or 0.3", "30% または 0.3 のように書いてください"))
	}
	*s = share(v)
	return nil
}

// Run breaks a service.
func (c *demoBreakCmd) Run(ctx context.Context, s *streams, demo *demoCmd) error {
	if c.Errors == 0 && c.Latency == 0 {
		c.Errors = 0.3
	}
	return demo.control(ctx, s, "break", simulator.BreakRequest{
		Service: c.Service, Errors: float64(c.Errors), Latency: c.Latency.String(), Duration: c.For.String(),
	})
}

// Run heals one service or all.
func (c *demoHealCmd) Run(ctx context.Context, s *streams, demo *demoCmd) error {
	return demo.control(ctx, s, "heal", simulator.HealRequest{Service: c.Service})
}

// Run shows the faults in force.
func (c *demoStatusCmd) Run(ctx context.Context, s *streams, demo *demoCmd) error {
	return demo.control(ctx, s, "status", nil)
}

// control asks the running simulator and prints what it says.
func (c *demoCmd) control(ctx context.Context, s *streams, what string, body any) error {
	running, err := c.running()
	if err != nil {
		return err
	}
	status, err := askShop(ctx, running.Control, what, body)
	if err != nil {
		return err
	}
	for _, f := range status.Changed {
		fmt.Fprintln(s.out, changeLine(f, status.Now).In(s.lang))
	}
	if what == "status" {
		fmt.Fprintln(s.out, text.Say("Teiten:  %s", "Teiten:  %s", running.URL).In(s.lang))
		for _, f := range status.Faults {
			fmt.Fprintln(s.out, faultLine(f).In(s.lang))
		}
	}
	if len(status.Faults) == 0 && len(status.Changed) == 0 {
		fmt.Fprintln(s.out, text.Say("Nothing is broken.", "障害は発生していません。").In(s.lang))
	}
	return nil
}

// changeLine says what a request did to a fault.
func changeLine(f simulator.Fault, now time.Time) text.Both {
	if f.Until.Sub(now) <= simulator.Tick {
		return text.Say("%s is healed from %s on.", "%s は %s に回復します。", f.Service, clock(f.Until))
	}
	return faultLine(f)
}

func faultLine(f simulator.Fault) text.Both {
	what := text.Say("%s of its requests fail", "リクエストの %s が失敗", percent(f.Errors))
	switch {
	case f.Errors == 0:
		what = text.Say("its requests take %s longer", "応答が %s 遅延", f.Latency)
	case f.Latency > 0:
		what = text.Say("%s of its requests fail, the rest take %s longer", "リクエストの %s が失敗、残りは応答が %s 遅延", percent(f.Errors), f.Latency)
	}
	return text.Say("%s: %s, from %s until %s.", "%s: %s(%s から %s まで)", f.Service, what, clock(f.From), clock(f.Until))
}

func percent(v float64) string { return strconv.FormatFloat(100*v, 'g', 4, 64) + "%" }

func clock(t time.Time) string { return t.Local().Format("15:04:05") }

// runningDemo is what a demo writes down for the commands that steer it.
type runningDemo struct {
	PID     int    `json:"pid"`
	URL     string `json:"url"`     // of the server
	Control string `json:"control"` // of the simulated shop
}

func (c *demoCmd) runningPath() string { return filepath.Join(c.Data, "running.json") }
func (c *demoCmd) shopPath() string    { return filepath.Join(c.Data, "shop.json") }

// running reads what the running demo wrote down.
func (c *demoCmd) running() (runningDemo, error) {
	var r runningDemo
	body, err := os.ReadFile(c.runningPath())
	if errors.Is(err, fs.ErrNotExist) {
		return r, noDemo(c.Data)
	}
	if err == nil {
		err = json.Unmarshal(body, &r)
	}
	if err != nil {
		return r, fmt.Errorf("find the running demo: %w", err)
	}
	return r, nil
}

func noDemo(data string) *fault.Error {
	return fault.New(fault.Unavailable, "demo.not_running",
		text.Say("no demo is running in %s", "%s で動いているデモはありません", data)).
		Fix(text.Say("start one with: teiten demo", "teiten demo で起動してください"))
}

// askShop sends a control request to the simulated shop. A body of nil asks for
// the status.
func askShop(ctx context.Context, control, what string, body any) (simulator.Status, error) {
	var status simulator.Status
	method, payload := http.MethodGet, io.Reader(http.NoBody)
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return status, fmt.Errorf("ask the demo: %w", err)
		}
		method, payload = http.MethodPost, bytes.NewReader(encoded)
	}
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, control+"/control/"+what, payload)
	if err != nil {
		return status, fmt.Errorf("ask the demo: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return status, fault.New(fault.Unavailable, "demo.gone", text.Say("the demo does not answer", "デモが応答しません")).
			Fix(text.Say("start it again with: teiten demo", "teiten demo で起動し直してください")).Wrap(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&status); err != nil {
		return status, fmt.Errorf("ask the demo: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		names := strings.Join(status.Services, ", ")
		return status, fault.New(fault.Invalid, "demo.refused", text.Say("the shop refuses: %s", "店舗シミュレーターが拒否しました: %s", status.Problem)).
			Fix(text.Say("the services are %s", "指定できるサービス: %s", names))
	}
	return status, nil
}
