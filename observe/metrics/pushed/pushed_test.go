package pushed_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/metrics/pushed"
)

// start is on the minute.
var start = time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)

func minute(t time.Time) int64 { return t.Unix() / 60 }

// world is a service with a clock of its own.
type world struct {
	*pushed.Service
	t    *testing.T
	db   *database.DB
	j    *journal.Journal
	now  time.Time
	told []journal.Entry
}

func each(t *testing.T, f func(t *testing.T, w *world)) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		w := &world{t: t, db: db, now: start}
		clock := func() time.Time { return w.now }
		w.j = journal.New(db, clock)
		w.j.Subscribe("*", "test", func(_ context.Context, _ *sql.Tx, e journal.Entry) error {
			w.told = append(w.told, e)
			return nil
		})
		w.Service = pushed.New(pushed.Deps{DB: db, Journal: w.j, Now: clock})
		f(t, w)
	}, dbtest.Room{Name: "journal", Files: journal.Migrations}, dbtest.Room{Name: "pushed", Files: pushed.Migrations})
}

func (w *world) push(events ...pushed.Event) pushed.Taken {
	w.t.Helper()
	taken, err := w.Push(w.t.Context(), events)
	if err != nil {
		w.t.Fatal(err)
	}
	return taken
}

func event(key string, at time.Time, good, total float64) pushed.Event {
	return pushed.Event{Stream: "billing", Key: key, At: at, Good: good, Total: total}
}

const total, good = `sum(events_total{stream="billing"})`, `sum(events_total{stream="billing",result="good"})`

// counts reads the source as an objective does.
func (w *world) counts(expr string, from, to time.Time) []float64 {
	w.t.Helper()
	got, err := w.Counts(w.t.Context(), []metrics.Selection{{Expr: expr}}, minute(from), minute(to))
	if err != nil || got[0].Err != nil {
		w.t.Fatal(err, got[0].Err)
	}
	if !got[0].Exact {
		w.t.Error("the counts are not said to be exact")
	}
	return got[0].Values
}

var sameNaN = cmpopts.EquateNaNs()

func TestAnEventThatIsToldTwiceCountsOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		e := event("run-1", start.Add(-30*time.Second), 90, 100)
		if got := w.push(e, e); got != (pushed.Taken{Accepted: 1, Duplicates: 1}) {
			t.Errorf("%+v", got)
		}
		if got := w.push(e); got != (pushed.Taken{Duplicates: 1}) {
			t.Errorf("%+v", got)
		}
		if d := cmp.Diff([]float64{100}, w.counts(total, start.Add(-time.Minute), start)); d != "" {
			t.Error(d)
		}
		e.Good = 80
		if _, err := w.Push(t.Context(), []pushed.Event{e}); fault.KindOf(err) != fault.Conflict {
			t.Errorf("the key was used for another event: %v", err)
		}
	})
}

func TestALateEventCountsInItsOwnMinuteAndIsTold(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.push(event("a", start.Add(-30*time.Second), 1, 1))
		if len(w.told) != 0 {
			t.Errorf("told of what was in time: %v", w.told)
		}
		w.push(event("b", start.Add(-10*time.Minute), 0, 5))
		want := append([]float64{5}, make([]float64, 9)...)
		want[len(want)-1] = 0
		if d := cmp.Diff(append(want[:9], 0, 1), w.counts(total, start.Add(-11*time.Minute), start), sameNaN); d != "" {
			t.Error(d)
		}
		if len(w.told) != 1 || w.told[0].Kind != pushed.EntryLate || w.told[0].Subject != "stream:billing" {
			t.Fatalf("%v", w.told)
		}
		var said struct {
			Source   string
			From, To int64
		}
		if err := json.Unmarshal(w.told[0].Data, &said); err != nil || said.Source != pushed.SourceName || said.To != said.From+1 || said.From != minute(start)-11 {
			t.Errorf("%+v %v", said, err)
		}
	})
}

func TestACorrectionIsANewEventAndTakesBackNoMoreThanThereIs(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		at := start.Add(-30 * time.Second)
		w.push(event("a", at, 5, 10))
		back := event("b", at, 3, -2)
		back.Correction = true
		w.push(back)
		if d := cmp.Diff([]float64{8}, w.counts(good, start.Add(-time.Minute), start)); d != "" {
			t.Error(d)
		}
		more := event("c", at, 1, 0)
		more.Correction = true
		if _, err := w.Push(t.Context(), []pushed.Event{more}); fault.KindOf(err) != fault.Conflict {
			t.Errorf("more good ones than all: %v", err)
		}
		// What was refused left nothing behind: neither counts nor its key.
		more.Good, more.Total = 0, 1
		if got := w.push(more); got.Accepted != 1 {
			t.Errorf("%+v", got)
		}
	})
}

func TestWhatCannotBeRightIsRefusedAsAWhole(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		fine := event("fine", start, 1, 1)
		with := func(f func(e *pushed.Event)) pushed.Event {
			e := event("x", start, 1, 1)
			f(&e)
			return e
		}
		for name, c := range map[string]struct {
			e     pushed.Event
			field string
		}{
			"stream":           {with(func(e *pushed.Event) { e.Stream = "No Name" }), "stream"},
			"that of probes":   {with(func(e *pushed.Event) { e.Stream = pushed.Probes }), "stream"},
			"good above total": {with(func(e *pushed.Event) { e.Good = 2 }), "good"},
			"negative":         {with(func(e *pushed.Event) { e.Good, e.Total = -1, 1 }), "good"},
			"not a number":     {with(func(e *pushed.Event) { e.Total = math.NaN() }), "total"},
			"infinite":         {with(func(e *pushed.Event) { e.Total = math.Inf(1) }), "total"},
			"no key":           {with(func(e *pushed.Event) { e.Key = "" }), "idempotencyKey"},
			"future":           {with(func(e *pushed.Event) { e.At = start.Add(time.Hour) }), "at"},
			"too late":         {with(func(e *pushed.Event) { e.At = start.Add(-8 * 24 * time.Hour) }), "at"},
			"two times":        {with(func(e *pushed.Event) { e.Minute = start }), "minute"},
			"reserved label":   {with(func(e *pushed.Event) { e.Labels = map[string]string{"result": "good"} }), "labels"},
			"empty label":      {with(func(e *pushed.Event) { e.Labels = map[string]string{"tenant": ""} }), "labels"},
		} {
			_, err := w.Push(t.Context(), []pushed.Event{fine, c.e})
			f, ok := fault.As(err)
			if !ok || f.Kind != fault.Invalid || f.Field != "events[1]."+c.field || f.Remedy.JA == "" {
				t.Errorf("%s: %v at %q", name, err, f.Field)
			}
		}
		if got := w.push(fine); got.Accepted != 1 {
			t.Error("a push that was refused left something behind")
		}
	})
}

func TestLabelsWithoutEndAreRefusedLoudly(t *testing.T) {
	if testing.Short() {
		t.Skip("it fills a stream to its limit")
	}
	each(t, func(t *testing.T, w *world) {
		for i := range 5 {
			var batch []pushed.Event
			for j := range pushed.MostEvents {
				e := event(fmt.Sprint(i, "-", j), start, 1, 1)
				e.Labels = map[string]string{"order": e.Key}
				batch = append(batch, e)
			}
			w.push(batch...)
		}
		e := event("last", start, 1, 1)
		e.Labels = map[string]string{"order": "last"}
		if _, err := w.Push(t.Context(), []pushed.Event{e}); fault.KindOf(err) != fault.Limited {
			t.Errorf("%v", err)
		}
	})
}

func TestSilenceMeansNothingHappenedUnlessSomethingIsExpected(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		put := func(name string, every time.Duration, minutes ...int64) {
			var counts []pushed.Count
			for _, m := range minutes {
				counts = append(counts, pushed.Count{Stream: name, Every: every, Minute: minute(start) + m, Good: 1, Total: 1})
			}
			err := w.db.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error { return w.Add(ctx, tx, counts) })
			if err != nil {
				t.Fatal(err)
			}
		}
		put("job", 0, 1)
		put("often", time.Minute, 0, 1, 4)
		put("seldom", 3*time.Minute, 0)
		w.now = start.Add(7 * time.Minute)
		nan := math.NaN()
		for name, want := range map[string][]float64{
			"job":    {nan, 1, 0, 0, 0, 0, 0, nan},
			"often":  {1, 1, nan, nan, 1, nan, nan, nan},
			"seldom": {1, 0, 0, 0, nan, nan, nan, nan},
		} {
			expr := `sum(events_total{stream="` + name + `"})`
			got := w.counts(expr, start, start.Add(8*time.Minute))
			if d := cmp.Diff(want, got, sameNaN); d != "" {
				t.Errorf("%s: %s", name, d)
			}
			if d := cmp.Diff(want, w.increases(expr, start, 8), sameNaN); d != "" {
				t.Errorf("%s with PromQL: %s", name, d)
			}
		}
	})
}

// increases asks the same with PromQL.
func (w *world) increases(expr string, from time.Time, n int) []float64 {
	w.t.Helper()
	selector := strings.TrimSuffix(strings.TrimPrefix(expr, "sum("), ")")
	answer, err := w.Range(w.t.Context(), "sum(increase("+selector+"[1m] anchored))", from.Add(time.Minute), from.Add(time.Duration(n)*time.Minute), time.Minute)
	if err != nil {
		w.t.Fatal(err)
	}
	out := make([]float64, n)
	for i := range out {
		out[i] = math.NaN()
	}
	s, err := metrics.One(answer)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, p := range s.Points {
		out[minute(p.Time())-1-minute(from)] = p.V
	}
	return out
}

// Whatever the order, the repetitions and the delays: each event counts once, in
// its minute, and PromQL agrees.
func TestCountsEqualTheEventsWhateverTheOrder(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		run := 0
		rapid.Check(t, func(t *rapid.T) {
			run++
			name := fmt.Sprint("run-", run)
			const n = 12
			wantTotal, wantGood := make([]float64, n), make([]float64, n)
			var events []pushed.Event
			for i := range rapid.IntRange(1, 30).Draw(t, "events") {
				m := rapid.IntRange(0, n-1).Draw(t, "minute")
				all := float64(rapid.IntRange(0, 50).Draw(t, "total"))
				ok := float64(rapid.IntRange(0, int(all)).Draw(t, "good"))
				e := pushed.Event{Stream: name, Key: fmt.Sprint(i), Minute: start.Add(time.Duration(m) * time.Minute), Good: ok, Total: all}
				if rapid.Bool().Draw(t, "labelled") {
					e.Labels = map[string]string{"tenant": rapid.SampledFrom([]string{"a", "b"}).Draw(t, "tenant")}
				}
				wantTotal[m], wantGood[m] = wantTotal[m]+all, wantGood[m]+ok
				events = append(events, e)
				if rapid.Bool().Draw(t, "again") {
					events = append(events, e)
				}
			}
			w.now = start.Add(n * time.Minute)
			for _, e := range rapid.Permutation(events).Draw(t, "order") {
				w.push(e)
			}
			for expr, want := range map[string][]float64{
				`sum(events_total{stream="` + name + `"})`:               wantTotal,
				`sum(events_total{stream="` + name + `",result="good"})`: wantGood,
			} {
				if d := cmp.Diff(want, zeroed(w.counts(expr, start, w.now))); d != "" {
					t.Fatalf("%s: %s", expr, d)
				}
				if d := cmp.Diff(want, zeroed(w.increases(expr, start, n))); d != "" {
					t.Fatalf("%s with PromQL: %s", expr, d)
				}
			}
		})
	})
}

// zeroed takes the minutes before the first event as empty.
func zeroed(v []float64) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		if !math.IsNaN(x) {
			out[i] = x
		}
	}
	return out
}

func TestCountsAreTakenApartByLabels(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for i, tenant := range []string{"a", "b", "a"} {
			e := event(fmt.Sprint(i), start.Add(-time.Second), 1, 2)
			e.Labels = map[string]string{"tenant": tenant}
			w.push(e)
		}
		got, err := w.Counts(t.Context(), []metrics.Selection{
			{Expr: total, By: []string{"tenant"}},
			{Expr: `events_total{stream="billing",result="good"}`},
			{Expr: `rate(events_total[5m])`},
			{Expr: `sum(events_total{stream="nobody"})`},
		}, minute(start)-1, minute(start))
		if err != nil {
			t.Fatal(err)
		}
		want := []metrics.Group{{Labels: map[string]string{"tenant": "a"}, Values: []float64{4}}, {Labels: map[string]string{"tenant": "b"}, Values: []float64{2}}}
		if d := cmp.Diff(want, got[0].Groups); d != "" {
			t.Error(d)
		}
		if fault.KindOf(got[1].Err) != fault.Invalid || fault.KindOf(got[2].Err) != fault.Invalid {
			t.Errorf("several series: %v, not countable: %v", got[1].Err, got[2].Err)
		}
		if len(got[3].Values) != 1 || !math.IsNaN(got[3].Values[0]) {
			t.Errorf("a stream of nobody: %v", got[3].Values)
		}
	})
}

func TestPruningForgetsKeysOnlyWhenTheyCannotBeUsed(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		e := event("a", start, 1, 1)
		w.push(e)
		w.now = start.Add(6*24*time.Hour + 23*time.Hour)
		if err := w.Prune(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := w.push(e); got.Duplicates != 1 {
			t.Errorf("it counted twice: %+v", got)
		}
		w.now = start.Add(9 * 24 * time.Hour)
		if err := w.Prune(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Push(t.Context(), []pushed.Event{e}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("it was taken again: %v", err)
		}
		if d := cmp.Diff([]float64{1}, w.counts(total, start.Add(-time.Minute), start)); d != "" {
			t.Error(d)
		}
	})
}
