package metrics

import (
	"context"
	"time"
)

// due claims the sources that are to be checked now.
func (s *Sources) due() []*source {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []*source
	for _, src := range s.sources {
		if src.claim(s.o.Now()) {
			out = append(out, src)
		}
	}
	return out
}

// claim reports whether the source is to be checked, and marks it as being so.
func (src *source) claim(now time.Time) bool {
	src.mu.Lock()
	defer src.mu.Unlock()
	every := checkEvery
	if src.state.Status != OK {
		every = recheckEvery
	}
	if src.checking || (!src.state.CheckedAt.IsZero() && now.Sub(src.state.CheckedAt) < every) {
		return false
	}
	src.checking = true
	return true
}

// Test asks a source how it is, now, with its secrets read anew, and returns its
// state.
func (s *Sources) Test(ctx context.Context, name string) (State, error) {
	s.mu.RLock()
	src, err := s.find(name)
	s.mu.RUnlock()
	if err != nil {
		return State{}, err
	}
	if src = s.reopen(src); src.inner != nil {
		src.check(ctx)
	}
	return s.State(name)
}

// check looks after one claimed source. One that is misconfigured is opened
// anew first: its secrets may have been put right.
func (s *Sources) check(ctx context.Context, src *source) {
	if src.current().Status == Misconfigured {
		src.done()
		src = s.reopen(src)
	}
	src.check(ctx)
	src.done()
}

func (src *source) done() {
	src.mu.Lock()
	defer src.mu.Unlock()
	src.checking = false
	src.state.CheckedAt = src.now()
}

// reopen replaces a declared source by a new one with the same settings, unless
// it was changed meanwhile. What is known of it stays.
func (s *Sources) reopen(src *source) *source {
	s.mu.Lock()
	defer s.mu.Unlock()
	if src.builtin || s.sources[src.name] != src {
		return src
	}
	fresh := s.open(src.declared)
	if fresh.inner != nil {
		was := src.current()
		was.URL = fresh.state.URL
		fresh.state = was
	}
	s.sources[src.name] = fresh
	src.close(s.o.Log)
	return fresh
}

// check asks the source how it is.
func (src *source) check(ctx context.Context) {
	if src.inner == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	started := src.now()
	var err error
	if c, ok := src.inner.(Checker); ok {
		err = c.Check(ctx)
	} else {
		_, err = src.inner.Instant(ctx, "vector(1)", started)
	}
	src.mu.Lock()
	defer src.mu.Unlock()
	src.state = src.state.afterCheck(err, src.now().Sub(started), src.now())
}

func (src *source) current() State {
	src.mu.Lock()
	defer src.mu.Unlock()
	state := src.state
	state.Exact = src.inner != nil && src.inner.Anchored()
	return state
}

func (src *source) note(err error, started time.Time) {
	src.mu.Lock()
	defer src.mu.Unlock()
	src.state = src.state.after(err, src.now().Sub(started), src.now())
}
