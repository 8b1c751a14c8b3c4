package slo_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/slo"
	"github.com/teiten/teiten/observe/slo/ledger"
)

// rhythm is the traffic of a day: 1 event a minute at night and 100 at noon.
func rhythm(t time.Time) float64 {
	h := float64(t.Hour()) + float64(t.Minute())/60
	return math.Round(1 + 99*math.Pow(math.Sin(math.Pi*h/24), 4))
}

// truth is what happened between two times.
func truth(happens traffic, from, to time.Time) ledger.Sum {
	var s ledger.Sum
	for t := from; t.Before(to); t = t.Add(time.Minute) {
		total, bad := happens(t)
		s = s.Add(ledger.Of(total, bad))
	}
	return s
}

func TestEveryEventIsCountedOnceThroughRestarts(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		happens := func(t time.Time) (float64, float64) { return rhythm(t) + 2, float64(t.Minute() % 3) }
		w.history(t0.Add(-time.Hour), t0, happens)
		w.live(t0.Add(70*time.Minute), happens)
		w.restart() // in the middle of an hour
		w.live(t0.Add(100*time.Minute), happens)
		w.scrape(t0.Add(100*time.Minute), t0.Add(130*time.Minute), happens) // nobody evaluates
		w.at(t0.Add(130 * time.Minute))
		w.restart()
		w.live(t0.Add(140*time.Minute), happens)
		w.backfill()

		from, to := t0.Add(-time.Hour), t0.Add(140*time.Minute)
		if got, want := w.counted("checkout", from, to), truth(happens, from, to); got != want {
			t.Errorf("counted %+v, want %+v", got, want)
		}
		if got := w.detail("checkout").Total; got != truth(happens, from, to).Total {
			t.Errorf("the list shows %v events", got)
		}
	}, rooms...)
}

// TestBudgetsOfScenariosWithKnownTruth back-fills thirty days and compares the
// budget consumed with what really happened.
func TestBudgetsOfScenariosWithKnownTruth(t *testing.T) {
	during := func(from, to time.Duration, share float64, normal func(time.Time) float64) traffic {
		return func(at time.Time) (float64, float64) {
			total := normal(at)
			if since := at.Sub(t0); since >= from && since < to {
				return total, math.Round(total * share)
			}
			return total, 0
		}
	}
	steady := func(time.Time) float64 { return 600 }
	for name, happens := range map[string]traffic{
		"no error ever":                    during(0, 0, 0, steady),
		"flat, one per mille":              func(at time.Time) (float64, float64) { return 1000, 1 },
		"outage of an hour at night":       during(-5*day-22*time.Hour, -5*day-21*time.Hour, 1, rhythm),
		"half an outage of 20 min at noon": during(-4*day-12*time.Hour, -4*day-12*time.Hour+20*time.Minute, 0.5, rhythm),
		"36 events an hour, some bad": func(at time.Time) (float64, float64) {
			n := bit(at.Minute()%5 < 3)
			return n, n * bit(at.Unix()/60%1999 == 0)
		},
		"no traffic at night":               during(-3*day, -3*day+14*time.Hour, 0.1, func(at time.Time) float64 { return 50 * float64(at.Hour()/8) }),
		"two hours without a scrape":        gap(-2*day, -2*day+2*time.Hour, during(-2*day-time.Hour, -2*day, 0.3, steady)),
		"service that began ten days ago":   gap(-40*day, -10*day, during(-9*day, -9*day+time.Hour, 1, steady)),
		"more bad than budget, every night": func(at time.Time) (float64, float64) { return 10, 10 * bit(at.Hour() == 3) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, dbtest.Open(t, dbtest.SQLite(t), rooms...))
			w.history(t0.Add(-31*day), t0, happens)
			w.at(t0.Add(31 * time.Second))
			w.evaluate()
			w.backfill()

			want := truth(happens, t0.Add(-30*day), t0)
			if got := w.counted("checkout", t0.Add(-30*day), t0); got != want {
				t.Errorf("counted %+v, want %+v", got, want)
			}
			left := 1 - want.Bad/(0.001*want.Total)
			if v := *w.detail("checkout").BudgetLeft; math.Abs(v-left) > 1e-3 {
				t.Errorf("%.4f of the budget is left, want %.4f", v, left)
			}
			if v, share := w.detail("checkout").Known, float64(want.Known)/(30*24*60); math.Abs(v-share) > 2e-4 {
				t.Errorf("%.4f is known, want %.4f", v, share)
			}
		})
	}
}

func bit(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// gap is traffic without a scrape between two times.
func gap(from, to time.Duration, happens traffic) traffic {
	return func(at time.Time) (float64, float64) {
		if since := at.Sub(t0); since >= from && since < to {
			return math.NaN(), 0
		}
		return happens(at)
	}
}

// asking is the embedded store as a source that does not count by itself.
type asking struct{ metrics.Querier }

func TestABackfillGoesOnWhereItWasInterrupted(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		w.sources.q = asking{w.store}
		happens := flat(100, 1)
		w.history(t0.Add(-8*day), t0, happens)
		w.apply(slOf("checkout", "0.999", "7d"))
		w.at(t0.Add(31 * time.Second))
		w.evaluate()
		for range 3 {
			if did, err := w.slo.BackfillStep(t.Context()); err != nil || !did {
				t.Fatalf("step: %v %v", did, err)
			}
		}
		if got, want := w.counted("checkout", t0.Add(-8*day), t0), 3*24*60+1; got.Known < want-60 || got.Known > want+60 {
			t.Errorf("after three steps of a day %d minutes are known", got.Known)
		}
		w.restart()
		w.evaluate()
		w.backfill()
		if got, want := w.counted("checkout", t0.Add(-8*day), t0), (ledger.Sum{Total: 7 * 24 * 60 * 100, Bad: 7 * 24 * 60, Known: 7 * 24 * 60}); got.Known != want.Known+1 && got != want {
			t.Errorf("counted %+v, want %+v", got, want)
		}
		if started, finished := w.entries(slo.EntryBackfillStarted), w.entries(slo.EntryBackfillFinished); len(started) != 1 || len(finished) != 1 {
			t.Errorf("%d back-fills started and %d finished, want one each", len(started), len(finished))
		}
		// The windows are whole now, and the alerts that follow from them open at once.
		if s := w.status("checkout"); s != string(slo.Burning) {
			t.Errorf("ten times the budget is spent, and the status is %s", s)
		}
	}, rooms...)
}

func TestNothingIsLostWhileASourceIsGone(t *testing.T) {
	for _, away := range []time.Duration{40 * time.Minute, 26 * time.Hour} {
		t.Run(away.String(), func(t *testing.T) {
			w := newWorld(t, dbtest.Open(t, dbtest.SQLite(t), rooms...))
			happens := flat(60, 0)
			w.history(t0.Add(-time.Hour), t0, happens)
			w.live(t0.Add(10*time.Minute), happens)
			w.sources.gone.Store(true)
			w.live(t0.Add(10*time.Minute+away), happens)
			if s := w.status("checkout"); s != string(slo.Unknown) {
				t.Errorf("while the source is gone the status is %s", s)
			}
			w.sources.gone.Store(false)
			end := t0.Add(20*time.Minute + away)
			w.live(end, happens)
			w.backfill()
			if got, want := w.counted("checkout", t0.Add(-time.Hour), end), truth(happens, t0.Add(-time.Hour), end); got != want {
				t.Errorf("counted %+v, want %+v", got, want)
			}
			if s := w.status("checkout"); s != string(slo.Healthy) {
				t.Errorf("after it the status is %s", s)
			}
			if gone, back := w.entries(slo.EntrySourceGone), w.entries(slo.EntrySourceBack); len(gone) != 1 || len(back) != 1 {
				t.Errorf("%d times gone and %d times back, want once each", len(gone), len(back))
			}
		})
	}
}

func TestClockJumpsNeitherLoseNorDoubleAMinute(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, dbtest.SQLite(t), rooms...))
	happens := func(t time.Time) (float64, float64) { return float64(100 + t.Minute()), 0 }
	w.history(t0.Add(-time.Hour), t0, happens)
	w.live(t0.Add(30*time.Minute), happens)
	right := w.now()
	for _, jump := range []time.Duration{
		time.Minute, 90 * time.Minute, 3 * day, -2 * time.Minute, -90 * time.Minute, -20 * day, 100 * day,
	} {
		w.at(right.Add(jump)) // the clock is wrong for a round …
		w.evaluate()
		w.backfill()
		w.at(right) // … and right again
		w.evaluate()
		w.live(w.now().Truncate(time.Minute).Add(5*time.Minute), happens)
		w.backfill()
		right = w.now()
		from, to := t0.Add(-time.Hour), right.Truncate(time.Minute)
		want := truth(happens, from, to)
		if got := w.detail("checkout").Total; got != want.Total {
			t.Errorf("after a jump of %v the list shows %v events, want %v", jump, got, want.Total)
		}
		w.restart()
		w.at(right)
		if got := w.counted("checkout", from, to); got != want {
			t.Errorf("after a jump of %v the ledger holds %+v, want %+v", jump, got, want)
		}
	}
}

func TestMinutesWithoutDataAreBadOnlyWhereAskedFor(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, dbtest.SQLite(t), rooms...))
	strict := strings.Replace(slOf("strict", "0.999", "7d"), "metadata: {name: strict,", "metadata: {name: strict, annotations: {teiten.dev/absent: bad},", 1)
	w.apply(shop + "---" + strict)
	w.history(t0.Add(-2*time.Hour), t0, flat(60, 0))
	w.live(t0.Add(20*time.Minute), flat(60, 0))
	w.live(t0.Add(50*time.Minute), flat(math.NaN(), 0))
	w.backfill()
	lenient := w.counted("checkout", t0.Add(20*time.Minute), t0.Add(50*time.Minute))
	if lenient != (ledger.Sum{}) {
		t.Errorf("unknown minutes count %+v", lenient)
	}
	got := w.counted("strict", t0.Add(20*time.Minute), t0.Add(50*time.Minute))
	if want := (ledger.Sum{Total: 1800, Bad: 1800, Known: 30}); got != want {
		t.Errorf("absent minutes count %+v, want %+v", got, want)
	}
	if before := w.counted("strict", t0.Add(-7*day), t0.Add(-3*time.Hour)); before.Known != 0 {
		t.Errorf("the past before the service counts %+v", before)
	}
}

// alertData is what the test reads of an alert's entry.
type alertData struct {
	Alert, Severity string
	Rules           []string
	LongBurn        float64
	Reason          struct{ EN, JA string }
}

func (w *world) alerts(kind string) (all []alertData) {
	w.t.Helper()
	for _, e := range w.entries(kind) {
		var a alertData
		if err := json.Unmarshal(e.Data, &a); err != nil {
			w.t.Fatal(err)
		}
		if e.Subject != "slo:checkout" || fmt.Sprint(e.Also) != "[service:checkout team:payments]" {
			w.t.Errorf("%s is about %s, also %v", kind, e.Subject, e.Also)
		}
		all = append(all, a)
	}
	return all
}

func TestAnOutageIsOneMessageForEachSeverityAndEnds(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		w.history(t0.Add(-3*day), t0, flat(600, 0))
		w.live(t0.Add(5*time.Minute), flat(600, 0))
		w.backfill()
		w.live(t0.Add(45*time.Minute), flat(600, 180)) // 30 % errors for 40 minutes
		if s := w.status("checkout"); s != string(slo.Burning) {
			t.Errorf("during the outage the status is %s", s)
		}
		w.restart() // an open alert survives
		w.live(t0.Add(2*time.Hour), flat(600, 0))
		fired := w.alerts(slo.EntryAlertFired)
		if len(fired) != 2 || fired[0].Severity != "page" && fired[1].Severity != "page" {
			t.Fatalf("fired %+v, want one page and one ticket", fired)
		}
		for _, a := range fired {
			if a.Reason.EN == "" || a.Reason.JA == "" || len(a.Rules) == 0 {
				t.Errorf("the alert does not explain itself: %+v", a)
			}
		}
		resolved := w.alerts(slo.EntryAlertResolved)
		if len(resolved) != 1 || resolved[0].Severity != "page" {
			t.Fatalf("resolved %+v, want the page", resolved)
		}
		w.live(t0.Add(14*time.Hour), flat(600, 0))
		if got := w.alerts(slo.EntryAlertResolved); len(got) != 2 {
			t.Errorf("after 12 hours %d alerts are resolved, want both", len(got))
		}
		if n := len(w.alerts(slo.EntryAlertFired)); n != 2 {
			t.Errorf("%d alerts fired in all", n)
		}
	}, rooms...)
}

func TestOneBadEventAtNightPagesNobodyAndAnOutageOfAQuietServiceDoes(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, dbtest.SQLite(t), rooms...))
	quiet := func(at time.Time) (float64, float64) { return float64(at.Minute() % 2), 0 } // 30 an hour
	w.history(t0.Add(-7*day), t0, quiet)
	w.at(t0.Add(31 * time.Second))
	w.evaluate()
	w.backfill()
	w.live(t0.Add(2*time.Hour), func(at time.Time) (float64, float64) {
		n, _ := quiet(at)
		return n, n * bit(at.Equal(t0.Add(31*time.Minute)))
	})
	if fired := w.alerts(slo.EntryAlertFired); len(fired) != 0 {
		t.Errorf("one bad event of thirty fired %+v", fired)
	}
	w.live(t0.Add(4*time.Hour), func(at time.Time) (float64, float64) { n, _ := quiet(at); return n, n })
	if fired := w.alerts(slo.EntryAlertFired); len(fired) == 0 || fired[0].Severity != "page" {
		t.Errorf("two hours of nothing but errors fired %+v", fired)
	}
}

func TestNothingFiresBeforeItsWindowWasRead(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, dbtest.SQLite(t), rooms...))
	w.history(t0.Add(-31*day), t0, flat(600, 0))
	w.at(t0.Add(31 * time.Second))
	w.evaluate()
	w.live(t0.Add(2*time.Minute), flat(600, 6)) // 1 %, a ticket if it were all there is
	if fired := w.alerts(slo.EntryAlertFired); len(fired) != 0 {
		t.Errorf("two minutes of thirty days fired %+v", fired)
	}
	w.backfill()
	w.live(t0.Add(4*time.Minute), flat(600, 6))
	if fired := w.alerts(slo.EntryAlertFired); len(fired) != 0 {
		t.Errorf("four minutes of 1 %% errors after thirty clean days fired %+v", fired)
	}
}

func TestAChangedQueryReadsThePastAnewAndAChangedTargetDoesNot(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, dbtest.SQLite(t), rooms...))
	w.history(t0.Add(-8*day), t0, flat(100, 1))
	w.apply(slOf("checkout", "0.999", "7d"))
	w.at(t0.Add(31 * time.Second))
	w.evaluate()
	w.backfill()
	began := len(w.entries(slo.EntryBackfillStarted))

	w.apply(slOf("checkout", "0.9", "7d"))
	w.live(t0.Add(2*time.Minute), flat(100, 1))
	if n := len(w.entries(slo.EntryBackfillStarted)); n != began {
		t.Error("another target reads the past anew")
	}
	if left := *w.detail("checkout").BudgetLeft; math.Abs(left-0.9) > 1e-9 {
		t.Errorf("of a budget of 10 %% %v is left, want 0.9", left)
	}

	w.apply(strings.Replace(slOf("checkout", "0.9", "7d"), "sum(http_requests_total)", `sum(http_requests_total{job="checkout"})`, 1))
	w.live(t0.Add(4*time.Minute), flat(100, 1))
	if n := len(w.entries(slo.EntryBackfillStarted)); n != began+1 {
		t.Error("another query does not read the past anew")
	}
	if known := w.detail("checkout").Known; known > 0.01 {
		t.Errorf("of the new query %v is known at once", known)
	}
	w.backfill()

	w.apply(strings.Replace(slOf("checkout", "0.9", "8d"), "sum(http_requests_total)", `sum(http_requests_total{job="checkout"})`, 1))
	w.live(t0.Add(6*time.Minute), flat(100, 1))
	w.backfill()
	if known := w.detail("checkout").Known; known < 0.999 {
		t.Errorf("of a longer window %v is known", known)
	}
}

func TestAnExpressionWithSeveralSeriesIsExplainedAndCaughtUp(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, dbtest.SQLite(t), rooms...))
	doc := strings.Replace(slOf("several", "0.999", "7d"), "'sum(http_requests_total)'", "http_requests_total", 1)
	doc = strings.ReplaceAll(doc, "type: Prometheus,", "metricSourceRef: embedded,")
	w.apply(shop + "---" + doc)
	w.history(t0.Add(-2*time.Hour), t0, flat(60, 1))
	w.live(t0.Add(5*time.Minute), flat(60, 1))
	var d slo.Detail
	w.ok("/api/v1/slos/several", &d)
	if d.Status != slo.Unknown || !strings.Contains(d.StatusReason.EN, "code") || d.StatusReason.JA == "" {
		t.Errorf("%s: %v", d.Status, d.StatusReason)
	}
	if s := w.status("checkout"); s == string(slo.Unknown) {
		t.Error("its neighbour is not evaluated either")
	}
	w.apply(strings.Replace(doc, "query: http_requests_total", "query: sum(http_requests_total)", 1))
	w.live(t0.Add(7*time.Minute), flat(60, 1))
	w.backfill()
	w.ok("/api/v1/slos/several", &d)
	if d.Status != slo.Burning || d.Total != 127*60 {
		t.Errorf("corrected, it is %s with %v events", d.Status, d.Total)
	}
}

func TestARemovedObjectiveLeavesNothingOpen(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, dbtest.SQLite(t), rooms...))
	w.history(t0.Add(-time.Hour), t0, flat(600, 300))
	w.at(t0.Add(31 * time.Second))
	w.evaluate()
	w.backfill()
	w.live(t0.Add(5*time.Minute), flat(600, 300))
	if len(w.alerts(slo.EntryAlertFired)) == 0 {
		t.Fatal("half of all events are bad and nothing fires")
	}
	w.remove("SLO", "checkout")
	w.run(t0.Add(8 * time.Minute))
	if got, want := len(w.alerts(slo.EntryAlertResolved)), len(w.alerts(slo.EntryAlertFired)); got != want {
		t.Errorf("%d of %d alerts ended", got, want)
	}
	if got := w.counted("checkout", t0.Add(-day), t0.Add(day)); got != (ledger.Sum{}) {
		t.Errorf("its ledger still holds %+v", got)
	}
}
