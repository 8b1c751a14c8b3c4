package simulator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Run serves the shop of a state file on a listener until ctx ends. The file
// must exist; faults that are ordered meanwhile are stored in it.
func Run(ctx context.Context, statePath string, listener net.Listener, log *slog.Logger) error {
	state, found, err := LoadState(statePath)
	if err != nil {
		return err
	}
	if !found {
		return fmt.Errorf("there is no shop in %s", statePath)
	}
	shop := New(state)
	save := func(faults []Fault) error {
		state.Faults = faults
		return state.Save(statePath)
	}
	server := &http.Server{
		Handler:           NewServer(shop, time.Now, save, log).Handler(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
	}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
		defer cancel()
		stopped <- server.Shutdown(grace)
	}()
	log.InfoContext(ctx, "shop is open", "address", listener.Addr().String(), "since", shop.Origin())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the shop: %w", err)
	}
	return <-stopped
}
