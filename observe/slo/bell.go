package slo

import (
	"context"
	"sync"
	"time"
)

const (
	// hurry is how often the loops look just after something was asked of them.
	hurry = 25 * time.Millisecond
	// hurried is for how long they do. The transaction that asks commits within.
	hurried = 2 * time.Second
)

// bell wakes the loops of the engine when there is something to do, so that a new
// objective or an exclusion need not wait for the second in which they look
// anyway. Other replicas do not hear it.
type bell struct {
	mu    sync.Mutex
	rung  chan struct{} // closed by the next ring
	until time.Time
}

func newBell() *bell { return &bell{rung: make(chan struct{})} }

// ring wakes who waits. What there is to do may show a little later, with the
// commit.
func (b *bell) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.rung)
	b.rung, b.until = make(chan struct{}), time.Now().Add(hurried)
}

// wait returns when ctx ends, when it is rung for, or after a while, which is
// shorter just after it was rung.
func (b *bell) wait(ctx context.Context, while time.Duration) {
	b.mu.Lock()
	rung := b.rung
	if time.Now().Before(b.until) {
		while, rung = min(while, hurry), nil
	}
	b.mu.Unlock()
	select {
	case <-ctx.Done():
	case <-rung:
	case <-time.After(while):
	}
}
