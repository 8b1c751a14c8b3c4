package cli

import (
	"context"
	"encoding/json"
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

// child is the running simulator.
type child struct {
	address string
	done    chan struct{} // closed when it has ended for good
	stop    context.CancelFunc
}

// startSimulator starts the simulator and keeps it running until Stop: one that
// dies is started again on the same address.
func startSimulator(ctx context.Context, data string, log io.Writer, l *slog.Logger) (*child, error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	c := &child{done: make(chan struct{}), stop: cancel}
	process, input, err := c.spawn(ctx, data, "127.0.0.1:0", log)
	if err != nil {
		cancel()
		return nil, err
	}
	go func() {
		defer close(c.done)
		for {
			ended := make(chan error, 1)
			go func() { ended <- process.Wait() }()
			select {
			case <-ctx.Done():
				_ = input.Close()
				select {
				case <-ended:
				case <-time.After(5 * time.Second):
					_ = process.Process.Kill()
					<-ended
				}
				return
			case err := <-ended:
				l.ErrorContext(ctx, "the simulated shop ended; it is started again", "error", err)
			}
			for {
				if process, input, err = c.spawn(ctx, data, c.address, log); err == nil {
					break
				}
				l.ErrorContext(ctx, "the simulated shop cannot be started", "error", err)
				select {
				case <-ctx.Done():
					return
				case <-time.After(2 * time.Second):
				}
			}
		}
	}()
	return c, nil
}

// spawn starts one process and waits until it listens.
func (c *child) spawn(ctx context.Context, data, listen string, log io.Writer) (*exec.Cmd, io.Closer, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, nil, fmt.Errorf("find the own program: %w", err)
	}
	process := exec.CommandContext(context.WithoutCancel(ctx), self, "demo", "simulate", "--data", data, "--listen", listen)
	process.Stderr = log
	input, err := process.StdinPipe()
	if err != nil {
		return nil, nil, fmt.Errorf("start the shop: %w", err)
	}
	output, err := process.StdoutPipe()
	if err != nil {
		return nil, nil, fmt.Errorf("start the shop: %w", err)
	}
	if err := process.Start(); err != nil {
		return nil, nil, fmt.Errorf("start the shop: %w", err)
	}
	var says hello
	if err := json.NewDecoder(output).Decode(&says); err != nil {
		_ = input.Close()
		_ = process.Wait()
		return nil, nil, fmt.Errorf("the shop did not start: %w", err)
	}
	c.address = says.Address
	return process, input, nil
}

// url is where the shop answers.
func (c *child) url() string { return "http://" + c.address }

// Stop ends the simulator and waits for its end.
func (c *child) Stop() {
	c.stop()
	<-c.done
}
