package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// Event is one server-sent event. ID is what the browser sends back as
// Last-Event-ID when it reconnects; Data is written as JSON.
type Event struct {
	ID   string
	Name string
	Data any
}

const (
	heartbeatEvery = 15 * time.Second // under the idle time-out of common proxies
	recheckEvery   = 5 * time.Second  // for how long a revoked session may still hear something
	writeTimeout   = 15 * time.Second
	retryAfterMS   = 3000
)

// Stream adds an operation that answers server-sent events until the caller
// leaves, the server stops or the caller may no longer read it. open checks the
// request and returns the events after lastEventID, "" for those from now on;
// the sequence must end when ctx does.
func Stream(a *API, op Op, open func(ctx context.Context, r *http.Request, lastEventID string) (iter.Seq2[Event, error], error)) {
	o := a.operation(op)
	o.Responses = map[string]*huma.Response{"200": {
		Description: "Server-sent events",
		Content:     map[string]*huma.MediaType{"text/event-stream": {Schema: &huma.Schema{Type: huma.TypeString}}},
	}}
	if !op.Hidden {
		a.huma.OpenAPI().AddOperation(&o)
	}
	limit := a.limitOf(op)
	a.mux.HandleFunc(op.Method+" "+op.Path, func(w http.ResponseWriter, r *http.Request) {
		ctx, err := a.admit(r, op.Scope, limit)
		if err != nil {
			a.WriteError(w, r, err)
			return
		}
		a.stream(w, r.WithContext(ctx), op.Scope, open)
	})
}

func (a *API) stream(w http.ResponseWriter, r *http.Request, scope Scope, open func(context.Context, *http.Request, string) (iter.Seq2[Event, error], error)) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	caller, ok := CallerFrom(ctx)
	key := caller.Kind + ":" + caller.ID
	if !ok {
		key = AddressKey(ClientIP(ctx))
	}
	leave, err := a.streams.enter(key, cancel)
	if err != nil {
		a.WriteError(w, r, err)
		return
	}
	defer leave()
	events, err := open(ctx, r, lastEventID(r))
	if err != nil {
		a.WriteError(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	out := &eventWriter{w: w, c: http.NewResponseController(w)}
	if out.send(fmt.Appendf(nil, "retry: %d\n\n", retryAfterMS)) != nil {
		return
	}
	a.pump(ctx, cancel, r, scope, events, out)
}

// pump writes events as they come and heartbeats between them. It asks the
// authorizer again and again, so that a revoked session hears no more.
// In the end it cancels ctx, which ends the sequence, and waits for that.
func (a *API) pump(ctx context.Context, cancel context.CancelFunc, r *http.Request, scope Scope, events iter.Seq2[Event, error], out *eventWriter) {
	next := make(chan Event)
	var done sync.WaitGroup
	done.Go(func() {
		defer close(next)
		for e, err := range events {
			if err != nil {
				if ctx.Err() == nil && !errors.Is(err, context.Canceled) {
					a.log.ErrorContext(ctx, "stream ended early", "request", RequestID(ctx), "error", err)
				}
				return
			}
			select {
			case next <- e:
			case <-ctx.Done():
				return
			}
		}
	})
	defer done.Wait()
	defer cancel()
	beat := time.NewTicker(heartbeatEvery)
	defer beat.Stop()
	checked := time.Now()
	for {
		var chunk []byte
		select {
		case <-ctx.Done():
			return
		case e, more := <-next:
			if !more {
				return
			}
			chunk = e.encode()
		case <-beat.C:
			chunk = []byte(": still here\n\n")
		}
		if time.Since(checked) >= recheckEvery {
			if _, err := a.options.Authorizer.Authorize(r, scope); err != nil {
				return
			}
			checked = time.Now()
		}
		if out.send(chunk) != nil {
			return
		}
	}
}

// encode writes the event as the event stream format has it (HTML standard,
// "Server-sent events"): no field but data may hold a line break.
func (e Event) encode() []byte {
	data, err := json.Marshal(e.Data)
	if err != nil {
		data = []byte("null")
	}
	var b bytes.Buffer
	if e.ID != "" {
		fmt.Fprintf(&b, "id: %s\n", oneLine(e.ID))
	}
	if e.Name != "" {
		fmt.Fprintf(&b, "event: %s\n", oneLine(e.Name))
	}
	fmt.Fprintf(&b, "data: %s\n\n", data)
	return b.Bytes()
}

func oneLine(s string) string {
	return strings.NewReplacer("\n", " ", "\r", " ", "\x00", "").Replace(s)
}

// lastEventID is where a reconnecting browser goes on. The query parameter is
// for the first connection, to which a browser cannot add a header.
func lastEventID(r *http.Request) string {
	if id := r.Header.Get("Last-Event-ID"); id != "" {
		return id
	}
	return r.URL.Query().Get("after")
}

// eventWriter writes with a deadline, so that a reader who stopped reading does
// not hold the stream.
type eventWriter struct {
	w http.ResponseWriter
	c *http.ResponseController
}

func (o *eventWriter) send(b []byte) error {
	if err := o.c.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := o.w.Write(b); err != nil {
		return err
	}
	return o.c.Flush()
}

// streams counts the live streams and can end them all.
type streams struct {
	each, all int

	mu     sync.Mutex
	next   int
	open   map[int]context.CancelFunc
	counts map[string]int
	closed bool
}

func newStreams(each int) *streams {
	if each <= 0 {
		each = 12
	}
	return &streams{each: each, all: 2000, open: map[int]context.CancelFunc{}, counts: map[string]int{}}
}

// enter admits one more stream of key and returns what ends its count.
func (s *streams) enter(key string, cancel context.CancelFunc) (leave func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, fault.New(fault.Unavailable, "http.stopping",
			text.Say("the server is stopping", "サーバーを停止しています")).After(5 * time.Second)
	}
	if s.counts[key] >= s.each || len(s.open) >= s.all {
		return nil, fault.New(fault.Limited, "http.streams",
			text.Say("too many live streams are open", "開いているライブ接続が多すぎます")).
			Fix(text.Say("close other tabs or programs that watch", "ほかのタブや監視プログラムを閉じてください")).
			After(30 * time.Second)
	}
	id := s.next
	s.next++
	s.open[id] = cancel
	s.counts[key]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.open, id)
		if s.counts[key]--; s.counts[key] <= 0 {
			delete(s.counts, key)
		}
	}, nil
}

func (s *streams) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, cancel := range s.open {
		cancel()
	}
}
