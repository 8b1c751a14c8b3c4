package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"time"

	"github.com/teiten/teiten/examples/shop/simulator"
)

// demoSimulateCmd is the simulated shop as a process of its own. `teiten demo`
// starts it; it ends when its standard input does, that is, with its parent,
// however that ends.
type demoSimulateCmd struct {
	Listen string `default:"127.0.0.1:0" help:"The address of the shop."`
}

// hello is the one line that the simulator prints when it listens.
type hello struct {
	Address string `json:"address"`
}

// Run serves the shop of the demo's folder.
func (c *demoSimulateCmd) Run(ctx context.Context, s *streams, demo *demoCmd) error {
	// A Ctrl-C in the terminal reaches the whole group; the parent ends this
	// process when it has stopped scraping.
	signal.Ignore(os.Interrupt)
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		_, _ = io.Copy(io.Discard, s.in)
		cancel()
	}()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("open the shop: %w", err)
	}
	if err := json.NewEncoder(s.out).Encode(hello{Address: listener.Addr().String()}); err != nil {
		return fmt.Errorf("say where the shop is: %w", err)
	}
	return simulator.Run(ctx, demo.shopPath(), listener, slog.New(slog.NewTextHandler(s.err, nil)))
}

// child is the running simulator. One that dies is started again on the same
// address until Stop.
type child struct {
	data    string
	output  io.Writer // of the process, for people who look into the log
	log     *slog.Logger
	address string
	done    chan struct{} // closed when it has ended for good
	stop    context.CancelFunc
}

const (
	respawnAfter = 2 * time.Second
	killAfter    = 5 * time.Second
)

// startSimulator starts the simulator for the demo's folder.
func startSimulator(ctx context.Context, data string, output io.Writer, log *slog.Logger) (*child, error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	c := &child{data: data, output: output, log: log, address: "127.0.0.1:0", done: make(chan struct{}), stop: cancel}
	p, err := c.spawn(ctx)
	if err != nil {
		cancel()
		return nil, err
	}
	go c.keep(ctx, p)
	return c, nil
}

// keep watches over the process until ctx ends.
func (c *child) keep(ctx context.Context, p *process) {
	defer close(c.done)
	for {
		select {
		case <-ctx.Done():
			p.end()
			return
		case <-p.ended:
			c.log.ErrorContext(ctx, "the simulated shop ended; it is started again", "error", p.err)
		}
		for {
			var err error
			if p, err = c.spawn(ctx); err == nil {
				break
			}
			c.log.ErrorContext(ctx, "the simulated shop cannot be started", "error", err)
			select {
			case <-ctx.Done():
				return
			case <-time.After(respawnAfter):
			}
		}
	}
}

// process is one life of the simulator.
type process struct {
	cmd   *exec.Cmd
	input io.Closer     // its end is the process' sign to end
	ended chan struct{} // closed when it has
	err   error         // how; read after ended
}

// end asks the process to end, and makes it where it does not.
func (p *process) end() {
	_ = p.input.Close()
	select {
	case <-p.ended:
	case <-time.After(killAfter):
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
}

// spawn starts one process and waits until it listens.
func (c *child) spawn(ctx context.Context) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the own program: %w", err)
	}
	p := &process{ended: make(chan struct{})}
	p.cmd = exec.CommandContext(context.WithoutCancel(ctx), self, "demo", "simulate", "--data", c.data, "--listen", c.address)
	p.cmd.Stderr = c.output
	if p.input, err = p.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("start the shop: %w", err)
	}
	output, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start the shop: %w", err)
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the shop: %w", err)
	}
	var says hello
	heard := json.NewDecoder(output).Decode(&says)
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	if heard != nil {
		p.end()
		return nil, fmt.Errorf("the shop did not start: %w", errors.Join(heard, p.err))
	}
	c.address = says.Address
	return p, nil
}

// url is where the shop answers.
func (c *child) url() string { return "http://" + c.address }

// Stop ends the simulator and waits for its end.
func (c *child) Stop() {
	c.stop()
	<-c.done
}
