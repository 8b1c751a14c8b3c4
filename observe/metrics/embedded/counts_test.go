package embedded

import (
	"fmt"
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	promvalue "github.com/prometheus/prometheus/model/value"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/observe/metrics"
)

var gone = math.Float64frombits(promvalue.StaleNaN)

// began is the minute in which the samples of the tests begin.
var began = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).UnixMilli() / minute

// at is a second after that.
func at(second int64) int64 { return began*minute + second*1000 }

// put appends one sample of each series as a scrape of the target i does, and
// its up.
func put(t testing.TB, s *Store, instance string, second int64, ok bool, rows map[string]float64) {
	t.Helper()
	up := 0.0
	if ok {
		up = 1
	}
	scraped := []metrics.Series{{Labels: map[string]string{"__name__": "up", "job": "shop", "instance": instance}, Points: []metrics.Point{{T: at(second), V: up}}}}
	for code, v := range rows {
		scraped = append(scraped, counter(map[string]string{"job": "shop", "instance": instance, "code": code}, metrics.Point{T: at(second), V: v}))
	}
	appendAll(t, s, scraped...)
}

func counts(t testing.TB, s *Store, from, to int64, selections ...metrics.Selection) []metrics.Counts {
	t.Helper()
	got, err := s.Counts(t.Context(), selections, began+from, began+to)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func one(t testing.TB, s *Store, expr string, to int64) metrics.Counts {
	t.Helper()
	return counts(t, s, 0, to, metrics.Selection{Expr: expr})[0]
}

const (
	allEvents = `sum(events_total{job="shop"})`
	failures  = `sum(events_total{job="shop",code=~"5.."})`
)

func same(t testing.TB, what string, got, want metrics.Counts) {
	t.Helper()
	for i := range got.Lumps {
		got.Lumps[i].From -= began
		got.Lumps[i].To -= began
	}
	if d := cmp.Diff(want, got, cmpopts.EquateNaNs(), cmpopts.EquateErrors(), cmpopts.IgnoreFields(metrics.Counts{}, "Exact")); d != "" {
		t.Errorf("%s: %s", what, d)
	}
}

var unseen = math.NaN()

func TestAnErrorThatIsBornLateIsCounted(t *testing.T) {
	s := open(t, Options{})
	put(t, s, "a", 10, true, map[string]float64{"200": 100})
	put(t, s, "a", 40, true, map[string]float64{"200": 110})
	put(t, s, "a", 70, true, map[string]float64{"200": 115, "500": 3})
	put(t, s, "a", 100, true, map[string]float64{"200": 120, "500": 4})
	same(t, "all", one(t, s, allEvents, 2), metrics.Counts{Values: []float64{10, 14}})
	same(t, "failures", one(t, s, failures, 2), metrics.Counts{Values: []float64{unseen, 4}})
}

func TestATargetThatIsNewCountsFromZeroWhereItsJobWasScraped(t *testing.T) {
	s := open(t, Options{})
	for i := range int64(6) {
		put(t, s, "a", 5+30*i, true, map[string]float64{"200": 1000})
		if i == 0 {
			put(t, s, "b", 20, true, map[string]float64{"200": 5000}) // was there before
		} else {
			put(t, s, "b", 20+30*i, true, map[string]float64{"200": 5000})
		}
		if i >= 4 {
			put(t, s, "c", 28+30*i, true, map[string]float64{"200": 7}) // is new
		}
	}
	same(t, "all", one(t, s, allEvents, 3), metrics.Counts{Values: []float64{0, 0, 7}})
}

func TestATargetWhoseProcessIsOldHasOnlyMoved(t *testing.T) {
	for age, want := range map[int64]float64{3600: 0, 20: 7} {
		s := open(t, Options{})
		for i := range int64(6) {
			put(t, s, "a", 5+30*i, true, map[string]float64{"200": 1000})
		}
		appendAll(t, s, metrics.Series{Labels: map[string]string{"__name__": "process_start_time_seconds", "job": "shop", "instance": "b"},
			Points: []metrics.Point{{T: at(170), V: float64(at(170-age)) / 1000}}})
		put(t, s, "b", 170, true, map[string]float64{"200": 7})
		same(t, fmt.Sprintf("a process of %d s", age), one(t, s, allEvents, 3), metrics.Counts{Values: []float64{0, 0, want}})
	}
}

func TestASeriesThatWasGoneBeganAnewOnlyWhereItsTargetAnswered(t *testing.T) {
	for answered, want := range map[bool]float64{true: 12, false: 2} {
		s := open(t, Options{})
		put(t, s, "a", 10, true, map[string]float64{"500": 10, "200": 1})
		put(t, s, "a", 40, answered, map[string]float64{"500": gone, "200": 1})
		put(t, s, "a", 70, true, map[string]float64{"500": 12, "200": 1})
		same(t, fmt.Sprintf("answered %v", answered), one(t, s, failures, 2), metrics.Counts{Values: []float64{0, want}})
	}
}

// A process that begins anew shows no errors until its first. Stores that are
// given samples rather than scraping them have no mark that the series was away.
func TestASeriesThatAScrapeDidNotShowBeganAnew(t *testing.T) {
	s := open(t, Options{})
	s.Watch([]metrics.Selection{{Expr: failures}})
	for i, failed := range []float64{0, 2, 0, 2, 2, 5, 0, 0, 6, 6} {
		rows := map[string]float64{"200": []float64{100, 100, 50, 50, 50, 50, 20, 20, 20, 20}[i]}
		if failed > 0 {
			rows["500"] = failed
		}
		put(t, s, "a", int64(10+30*i), true, rows)
	}
	want := metrics.Counts{Values: []float64{2, 2, 3, unseen, 6, unseen}}
	same(t, "in pieces of a minute", one(t, s, failures, 6), want)
}

func TestAnOutageOfTheScraperIsALump(t *testing.T) {
	s := open(t, Options{})
	put(t, s, "a", 10, true, map[string]float64{"200": 10})
	put(t, s, "a", 40, true, map[string]float64{"200": 12})
	put(t, s, "a", 40+7200, true, map[string]float64{"200": 500})
	got := counts(t, s, 100, 122, metrics.Selection{Expr: allEvents})[0]
	if got.Values[20] != 488 || !cmp.Equal(got.Lumps, []metrics.Lump{{From: began, To: began + 120, Value: 488}}) {
		t.Errorf("%+v", got)
	}
}

func TestWhatIsNoCounterIsNamed(t *testing.T) {
	s := open(t, Options{})
	put(t, s, "a", 10, true, map[string]float64{"200": 10, "bad": -3, "inf": math.Inf(1), "nan": math.NaN()})
	for code, want := range map[string]string{"bad": "metrics.counter_negative", "inf": "metrics.counter_infinite", "nan": "metrics.counter_nan"} {
		got := one(t, s, `sum(events_total{code="`+code+`"})`, 2)
		if len(got.Refused) != 1 || got.Refused[0].Minute != began || !math.IsNaN(got.Values[0]) {
			t.Fatalf("%s: %+v", code, got)
		}
		f, ok := fault.As(got.Refused[0].Err)
		if !ok || f.Code != want || f.Remedy.JA == "" {
			t.Errorf("%s: %v", code, f)
		}
	}
	if f, ok := fault.As(one(t, s, "max(events_total)", 2).Err); !ok || f.Code != "metrics.not_countable" {
		t.Error(f)
	}
	same(t, "the others", one(t, s, `sum(events_total{code="200"})`, 1), metrics.Counts{Values: []float64{0}})
}

func TestASelectorForSeveralSeriesIsRefused(t *testing.T) {
	s := open(t, Options{})
	for i := range int64(6) {
		put(t, s, "a", 10+30*i, true, map[string]float64{"200": float64(i), "500": 0})
	}
	if f, ok := fault.As(one(t, s, "events_total", 3).Err); !ok || f.Code != "metrics.several_series" {
		t.Error(f)
	}
	if f, ok := fault.As(one(t, s, "sum by (code) (events_total)", 3).Err); !ok || f.Code != "metrics.several_series" {
		t.Error(f)
	}
	same(t, "one series", one(t, s, `events_total{code="200"}`, 3), metrics.Counts{Values: []float64{1, 2, 2}})
}

func TestSumsAreTakenApartByLabels(t *testing.T) {
	s := open(t, Options{})
	s.Watch([]metrics.Selection{{Expr: allEvents, By: []string{"code"}}})
	for i := range int64(6) {
		put(t, s, "a", 10+30*i, true, map[string]float64{"200": float64(2 * i), "500": float64(i)})
		put(t, s, "b", 15+30*i, true, map[string]float64{"200": float64(i)})
	}
	want := []metrics.Group{
		{Labels: map[string]string{"code": "200"}, Values: []float64{3, 6, 6}},
		{Labels: map[string]string{"code": "500"}, Values: []float64{1, 2, 2}},
	}
	if d := cmp.Diff(want, counts(t, s, 0, 3, metrics.Selection{Expr: allEvents, By: []string{"code"}})[0].Groups); d != "" {
		t.Error(d)
	}
}

func TestARolledBackScrapeCountsNothing(t *testing.T) {
	s := open(t, Options{})
	put(t, s, "a", 10, true, map[string]float64{"200": 10})
	s.Watch([]metrics.Selection{{Expr: allEvents}})
	bad := counter(map[string]string{"job": "shop", "instance": "a", "code": "200"}, metrics.Point{T: at(40), V: 99}, metrics.Point{T: at(1), V: 99})
	if err := s.Append(t.Context(), []metrics.Series{bad}); err == nil {
		t.Fatal("samples in the wrong order are accepted")
	}
	put(t, s, "a", 70, true, map[string]float64{"200": 15})
	put(t, s, "a", 100, true, map[string]float64{"200": 16})
	same(t, "all", counts(t, s, 1, 2, metrics.Selection{Expr: allEvents})[0], metrics.Counts{Values: []float64{6}})
}

// TestCountingAsSamplesArriveIsReadingThemAgain: pods that come and go, restart,
// are late, do not answer, tell when they began or not; selections that come and
// go meanwhile.
func TestCountingAsSamplesArriveIsReadingThemAgain(t *testing.T) {
	selections := []metrics.Selection{
		{Expr: allEvents}, {Expr: failures}, {Expr: allEvents + " - " + failures}, {Expr: `sum(events_total{code="200",instance="0"})`},
		{Expr: allEvents, By: []string{"instance"}}, {Expr: `sum({__name__=~"events_.*"})`},
	}
	compared := 0
	rapid.Check(t, func(r *rapid.T) {
		s := open(t, Options{Dir: t.TempDir()})
		defer s.Close()
		type pod struct{ values map[string]float64 }
		pods := map[int]*pod{}
		second := int64(5)
		interval := rapid.SampledFrom([]int64{15, 30, 70, 119}).Draw(r, "interval")
		for round := range rapid.IntRange(5, 60).Draw(r, "rounds") {
			if rapid.IntRange(0, 15).Draw(r, "watch?") == 0 || round == 2 {
				s.Watch(rapid.SliceOfN(rapid.SampledFrom(selections), 0, 4).Draw(r, "watched"))
			}
			for i := range 3 {
				p := pods[i]
				when := second + 5*int64(i) + rapid.Int64Range(0, 4).Draw(r, "jitter")
				switch rapid.IntRange(0, 20).Draw(r, "pod") {
				case 0:
					delete(pods, i)
					p = nil
				case 1, 2:
					p = &pod{map[string]float64{"200": float64(rapid.IntRange(0, 9).Draw(r, "new"))}}
					pods[i] = p
				case 3: // does not answer
					lost := map[string]float64{}
					if p != nil {
						for code := range p.values {
							lost[code] = gone
						}
					}
					put(t, s, strconv.Itoa(i), when, false, lost)
					continue
				case 4: // loses a series
					if p != nil && len(p.values) > 1 {
						delete(p.values, "500")
						put(t, s, strconv.Itoa(i), when, true, map[string]float64{"200": p.values["200"], "500": gone})
						continue
					}
				case 5:
					if p != nil {
						p.values["500"] += float64(rapid.IntRange(0, 3).Draw(r, "errors"))
					}
				}
				if p == nil {
					continue
				}
				p.values["200"] += float64(rapid.IntRange(0, 5).Draw(r, "requests"))
				put(t, s, strconv.Itoa(i), when, true, p.values)
			}
			second += interval
			if rapid.IntRange(0, 25).Draw(r, "gap?") == 0 {
				second += rapid.Int64Range(60, 4000).Draw(r, "gap")
			}
			to := metrics.MinuteOf(at(second)) + 1
			from := to - rapid.Int64Range(1, 8).Draw(r, "span")
			for _, selection := range selections {
				live := s.watch.recent(selection, from, to)
				if live == nil {
					continue
				}
				compared++
				watch := s.watch
				s.watch = newWatch(s)
				again, err := s.Counts(t.Context(), []metrics.Selection{selection}, from, to)
				s.watch = watch
				if err != nil {
					r.Fatal(err)
				}
				if d := cmp.Diff(dropSilent(again[0]), dropSilent(live.Counts()), cmpopts.EquateNaNs(), cmpopts.EquateEmpty()); d != "" {
					r.Fatalf("%s of %v, minutes %d to %d, second %d: read again − counted:\n%s", selection.Expr, selection.By, from-began, to-began, second, d)
				}
			}
		}
	})
	if compared < 100 {
		t.Errorf("only %d comparisons", compared)
	}
}

// dropSilent leaves out groups of which nothing was seen: that a label value
// existed once is no count.
func dropSilent(c metrics.Counts) metrics.Counts {
	var groups []metrics.Group
	for _, g := range c.Groups {
		for _, v := range g.Values {
			if !math.IsNaN(v) {
				groups = append(groups, g)
				break
			}
		}
	}
	c.Groups = groups
	return c
}
