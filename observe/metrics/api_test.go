package metrics_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/observe/metrics"
)

// endless answers nothing until it is let go.
type endless struct {
	asked int
	done  chan struct{}
}

func (q *endless) Instant(ctx context.Context, _ string, _ time.Time) ([]metrics.Series, error) {
	q.asked++
	select {
	case <-q.done:
	case <-ctx.Done():
	}
	return nil, ctx.Err()
}

func (q *endless) Range(ctx context.Context, expr string, from, _ time.Time, _ time.Duration) ([]metrics.Series, error) {
	return q.Instant(ctx, expr, from)
}

func (q *endless) Anchored() bool { return true }

// TestQuestionsOfPeopleLeaveRoomForTheObjectives: however many are asked at once,
// the source gets few of them, and the rest is told when to come back.
func TestQuestionsOfPeopleLeaveRoomForTheObjectives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sources := metrics.NewSources(metrics.Options{})
		q := &endless{done: make(chan struct{})}
		sources.AddBuiltin("slow", q)
		a := httpapi.New(httpapi.Options{Authorizer: httpapi.AuthorizerFunc(func(r *http.Request, _ httpapi.Scope) (context.Context, error) {
			return r.Context(), nil
		})})
		sources.Register(a)
		answers := make(chan *httptest.ResponseRecorder, 10)
		for _, path := range []string{
			"/api/v1/query?query=up", "/api/v1/query?query=up", "/api/v1/query?query=up",
			"/api/v1/query_range?query=up&from=2026-04-01T00:00:00Z&to=2026-04-01T01:00:00Z",
		} {
			go func() {
				rec := httptest.NewRecorder()
				a.Handler().ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
				answers <- rec
			}()
		}
		synctest.Wait()
		if q.asked != 2 {
			t.Errorf("the source is asked %d questions at once", q.asked)
		}
		for range 2 {
			if rec := <-answers; rec.Code != http.StatusTooManyRequests || rec.Header().Get("Retry-After") == "" {
				t.Errorf("%d %v %s", rec.Code, rec.Header(), rec.Body)
			}
		}
		close(q.done)
		for range 2 {
			if rec := <-answers; rec.Code != http.StatusOK {
				t.Errorf("%d %s", rec.Code, rec.Body)
			}
		}
	})
}
