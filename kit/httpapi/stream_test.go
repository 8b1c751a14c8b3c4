package httpapi

import (
	"bufio"
	"context"
	"iter"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// events yields what comes through the channel until it closes or ctx ends.
func events(ctx context.Context, from <-chan Event) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for {
			select {
			case e, ok := <-from:
				if !ok || !yield(e, nil) {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}
}

// listening starts a stream and returns its recorder, its source and what tells
// that it ended.
func listening(w *world, headers ...string) (*httptest.ResponseRecorder, chan Event, <-chan struct{}) {
	source := make(chan Event)
	Stream(w.API, Op{ID: "live", Method: "GET", Path: "/api/live", Scope: "s"},
		func(ctx context.Context, _ *http.Request, last string) (iter.Seq2[Event, error], error) {
			return func(yield func(Event, error) bool) {
				if last != "" && !yield(Event{ID: last + "+1", Name: "entry", Data: "caught up"}, nil) {
					return
				}
				events(ctx, source)(yield)
			}, nil
		})
	r := httptest.NewRequest("GET", "/api/live", nil)
	for _, h := range append(headers, "X-Who: a", "X-Scopes: s") {
		k, v, _ := strings.Cut(h, ": ")
		r.Header.Set(k, v)
	}
	rec, ended := httptest.NewRecorder(), make(chan struct{})
	go func() {
		defer close(ended)
		w.Handler().ServeHTTP(rec, r)
	}()
	return rec, source, ended
}

func TestStreamSendsEventsAndHeartbeatsAndEndsAtShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		rec, source, ended := listening(w, "Last-Event-ID: 41")
		source <- Event{ID: "two\nlines", Name: "entry", Data: map[string]string{"text": "a\nb"}}
		time.Sleep(heartbeatEvery + time.Second)
		synctest.Wait()
		w.Close()
		<-ended
		want := "retry: 3000\n\nid: 41+1\nevent: entry\ndata: \"caught up\"\n\n" +
			"id: two lines\nevent: entry\ndata: {\"text\":\"a\\nb\"}\n\n: still here\n\n"
		if got := rec.Body.String(); got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
		if rec.Header().Get("Content-Type") != "text/event-stream" {
			t.Error(rec.Header())
		}
		if after := w.do("GET", "/api/live", "", "X-Who: a", "X-Scopes: s"); after.Code != 503 {
			t.Errorf("a stream was opened after Close: %d", after.Code)
		}
	})
}

func TestStreamOfARevokedSessionHearsNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var revoked atomic.Bool
		w := newWorld(t)
		inner := w.options.Authorizer
		w.options.Authorizer = AuthorizerFunc(func(r *http.Request, scope Scope) (context.Context, error) {
			if revoked.Load() {
				return nil, Unauthenticated()
			}
			return inner.Authorize(r, scope)
		})
		rec, source, ended := listening(w)
		source <- Event{ID: "1", Data: 1}
		revoked.Store(true)
		time.Sleep(recheckEvery)
		source <- Event{ID: "2", Data: "secret"}
		<-ended
		if strings.Contains(rec.Body.String(), "secret") {
			t.Errorf("heard after being revoked: %q", rec.Body)
		}
	})
}

func TestStreamOfARevokedSessionEndsWithoutEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var revoked atomic.Bool
		w := newWorld(t)
		inner := w.options.Authorizer
		w.options.Authorizer = AuthorizerFunc(func(r *http.Request, scope Scope) (context.Context, error) {
			if revoked.Load() {
				return nil, Unauthenticated()
			}
			return inner.Authorize(r, scope)
		})
		_, _, ended := listening(w)
		synctest.Wait()
		revoked.Store(true)
		started := time.Now()
		<-ended
		if d := time.Since(started); d > heartbeatEvery {
			t.Errorf("ended after %s", d)
		}
	})
}

func TestOneCallerCannotOpenStreamsWithoutEnd(t *testing.T) {
	s := newStreams(2)
	leave, err := s.enter("a", func() {})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.enter("a", func() {}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.enter("a", func() {}); err == nil {
		t.Error("a third stream was opened")
	}
	if _, err := s.enter("b", func() {}); err != nil {
		t.Errorf("another caller was refused: %v", err)
	}
	leave()
	if _, err := s.enter("a", func() {}); err != nil {
		t.Errorf("refused after one was closed: %v", err)
	}
}

func TestStreamReachesARealBrowserThroughEveryLayer(t *testing.T) {
	w := newWorld(t)
	source := make(chan Event, 1)
	Stream(w.API, Op{ID: "live", Method: "GET", Path: "/api/live", Scope: Public},
		func(ctx context.Context, _ *http.Request, _ string) (iter.Seq2[Event, error], error) {
			return events(ctx, source), nil
		})
	server := httptest.NewServer(w.Handler())
	defer server.Close()
	defer w.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/api/live", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept-Encoding", "gzip")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	source <- Event{ID: "7", Name: "entry", Data: "now"}
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() {
		if lines.Text() == `data: "now"` {
			return
		}
	}
	t.Errorf("the event did not arrive: %v", lines.Err())
}
