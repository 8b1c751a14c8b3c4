package slo_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/observe/slo"
)

// post sends a body to the room's API and reads the answer into out.
func (w *world) post(path, body string, out any) int {
	w.t.Helper()
	api := httpapi.New(httpapi.Options{Authorizer: httpapi.AuthorizerFunc(
		func(r *http.Request, _ httpapi.Scope) (context.Context, error) { return r.Context(), nil })})
	w.slo.Register(api)
	rec, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "http://127.0.0.1"+path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	api.Handler().ServeHTTP(rec, r)
	if err := json.Unmarshal(rec.Body.Bytes(), out); err != nil {
		w.t.Fatalf("%s: %v: %s", path, err, rec.Body)
	}
	return rec.Code
}

// happened is an alert, whether raised or replayed.
type happened struct{ Severity, From, To string }

// TestReplayGivesTheAlertsThatWereRaised lives through an outage, a slow burn
// and a gap, and then replays them.
func TestReplayGivesTheAlertsThatWereRaised(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		w.history(t0.Add(-3*day), t0, flat(60, 0))
		w.live(t0.Add(time.Minute), flat(60, 0))
		w.backfill()
		w.live(t0.Add(30*time.Minute), flat(60, 0))
		w.live(t0.Add(40*time.Minute), flat(60, 60))
		w.live(t0.Add(2*time.Hour), flat(60, 0))
		w.live(t0.Add(4*time.Hour), func(at time.Time) (float64, float64) { return 60, float64(at.Minute() % 3) })

		var raised page[slo.AlertView]
		w.ok("/api/v1/slos/checkout/alerts", &raised)
		var want []happened
		for _, a := range raised.Items {
			x := happened{Severity: string(a.Severity), From: a.Since.Truncate(time.Minute).UTC().Format(time.TimeOnly)}
			if a.ResolvedAt != nil {
				x.To = a.ResolvedAt.Truncate(time.Minute).UTC().Format(time.TimeOnly)
			}
			want = append([]happened{x}, want...)
		}
		var r slo.Replay
		if code := w.post("/api/v1/slos/checkout/replay", fmt.Sprintf(`{"from": %q}`, t0.Add(time.Minute).Format(time.RFC3339)), &r); code != http.StatusOK {
			t.Fatalf("answered %d", code)
		}
		var got []happened
		for _, a := range r.Alerts {
			x := happened{Severity: string(a.Severity), From: a.From.Format(time.TimeOnly)}
			if a.To != nil {
				x.To = a.To.Format(time.TimeOnly)
			}
			got = append(got, x)
		}
		if diff := cmp.Diff(want, got); diff != "" || len(want) < 3 {
			t.Errorf("raised %d (-raised +replayed):\n%s", len(want), diff)
		}
	}, rooms...)
}

func TestReplayTriesAnotherPromise(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, dbtest.SQLite(t), rooms...))
	outage := func(at time.Time) (float64, float64) {
		if at.Equal(t0.Add(-36*time.Hour)) || at.After(t0.Add(-36*time.Hour)) && at.Before(t0.Add(-36*time.Hour+30*time.Minute)) {
			return 60, 60
		}
		return 60, 0
	}
	w.history(t0.Add(-31*day), t0, outage)
	w.live(t0.Add(time.Minute), flat(60, 0))
	w.backfill()

	var r slo.Replay
	body := fmt.Sprintf(`{"objective": 0.9999, "incidents": [{"from": %q, "to": %q}, {"from": %q, "to": %q}]}`,
		t0.Add(-36*time.Hour).Format(time.RFC3339), t0.Add(-36*time.Hour+30*time.Minute).Format(time.RFC3339),
		t0.Add(-5*time.Hour).Format(time.RFC3339), t0.Add(-4*time.Hour).Format(time.RFC3339))
	if code := w.post("/api/v1/slos/checkout/replay", body, &r); code != http.StatusOK {
		t.Fatalf("answered %d", code)
	}
	// 30 minutes of 30 days are 69 % of the budget at 99.9 %, and 6.9 times that
	// of 99.99 %, which is gone in the fifth minute.
	if r.InForce.ExhaustedAt != nil || r.Tried.ExhaustedAt == nil || !r.Tried.ExhaustedAt.Equal(t0.Add(-36*time.Hour+5*time.Minute)) {
		t.Errorf("exhausted: in force %v, tried %v", r.InForce.ExhaustedAt, r.Tried.ExhaustedAt)
	}
	if len(r.Days) != 30 || r.Known < 0.999 || r.Tried.Pages != 1 || !strings.Contains(r.Said.EN, "2026-05-30") || r.Said.JA == "" {
		t.Errorf("%d days, known %v, %d pages, %v", len(r.Days), r.Known, r.Tried.Pages, r.Said)
	}
	s := r.Scores[0]
	if s.Right != 1 || *s.Precision != 1 || *s.Recall != 0.5 || *s.DetectionMinutes != 1 || s.ResetMinutes == nil || *s.ResetMinutes < 1 {
		t.Errorf("score %+v", s)
	}

	var tried slo.Replay
	w.post("/api/v1/slos/checkout/replay", `{"window": "7d", "rules": [{"severity": "ticket", "kind": "budget", "left": 0.5}]}`, &tried)
	if tried.Window.Duration != "7d" || tried.Tried.Pages != 0 || tried.Tried.Tickets != 1 || tried.Rules[0].Kind != "budget" {
		t.Errorf("a ticket at half the budget: %+v, %+v", tried.Tried, tried.Rules)
	}

	var suggested slo.ReplaySuggestion
	w.ok("/api/v1/slos/checkout/replay/suggest", &suggested)
	if suggested.Suggested == nil || *suggested.Suggested != 0.999 || !suggested.Full || len(suggested.Choices) != 9 {
		t.Errorf("suggested %+v", suggested)
	}
}

func TestAReplayThatCannotBeIsExplained(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, dbtest.SQLite(t), rooms...))
	for body, want := range map[string]string{
		`{"objective": 1}`: "body.objective",
		`{"window": "8"}`:  "body.window",
		`{"policy": "no"}`: "body.policy",
		`{"rules": [{"severity": "page", "long": "1h"}]}`:                   "body.rules[0].factor",
		`{"rules": [{"severity": "page", "factor": 2}]}`:                    "body.rules[0].long",
		`{"from": "2026-06-01T00:00:00Z", "to": "2026-05-01T00:00:00Z"}`:    "body.from",
		`{"policy": "a", "rules": [{"severity": "page", "kind":"outage"}]}`: "body.policy",
	} {
		var problem struct{ Field, Code string }
		code := w.post("/api/v1/slos/checkout/replay", body, &problem)
		if code < 400 || code >= 500 || problem.Field != want {
			t.Errorf("%s: %d %+v, want %s", body, code, problem, want)
		}
	}
}
