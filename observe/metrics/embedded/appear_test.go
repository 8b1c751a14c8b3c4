package embedded

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"

	"github.com/teiten/teiten/observe/metrics"
)

// started appends when the process of a target says that it began.
func started(t *testing.T, s *Store, instance string, second, began int64) {
	t.Helper()
	appendAll(t, s, metrics.Series{
		Labels: map[string]string{"__name__": "process_start_time_seconds", "job": "shop", "instance": instance},
		Points: []metrics.Point{{T: at(second), V: float64(at(began)) / 1000}}})
}

// A series that is missing in one scrape and comes back higher went on where its
// process did, and began anew where that did.
func TestASeriesThatAScrapeDidNotShowGoesOnWithItsProcess(t *testing.T) {
	for name, c := range map[string]struct {
		before, after float64 // of the other series
		began         int64   // of the process; 0 where it does not say
		want          float64
	}{
		"the other series went on":      {100, 101, 0, 2},
		"the other series fell":         {100, 3, 0, 12},
		"the other series says nothing": {0, 0, 0, 12},
		"the process is old":            {100, 3, 5, 2},
		"the process is young":          {100, 101, 55, 12},
		"the process began before it":   {0, 0, 38, 2},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, Options{})
			put(t, s, "a", 10, true, map[string]float64{"500": 10, "200": c.before})
			put(t, s, "a", 40, true, map[string]float64{"500": 10, "200": c.before})
			put(t, s, "a", 70, true, map[string]float64{"200": c.after})
			put(t, s, "a", 100, true, map[string]float64{"500": 12, "200": c.after})
			if c.began != 0 {
				started(t, s, "a", 100, c.began)
			}
			same(t, name, one(t, s, failures, 2), metrics.Counts{Values: []float64{0, c.want}})
		})
	}
}

// A series with times of its own is not missing in a scrape of its target.
func TestASeriesWithTimesOfItsOwnIsNotMissing(t *testing.T) {
	s := open(t, Options{})
	for i := range int64(6) {
		appendAll(t, s, metrics.Series{Labels: map[string]string{"__name__": "up", "job": "shop", "instance": "a"}, Points: []metrics.Point{{T: at(10 + 30*i), V: 1}}})
		if i%3 == 0 {
			appendAll(t, s, counter(map[string]string{"job": "shop", "instance": "a", "code": "500"}, metrics.Point{T: at(8 + 30*i), V: float64(10 + i)}))
		}
	}
	same(t, "two samples", one(t, s, failures, 3), metrics.Counts{Values: []float64{0, 3, unseen}})
}

// What a pod counts that is born while nobody scrapes happened then, however long
// that was.
func TestAPodThatIsBornInAGapOfTheScraperIsCounted(t *testing.T) {
	const gap = 26 * 3600
	for name, began := range map[string]int64{"it does not say when it began": 0, "it says so": 7200} {
		s := open(t, Options{})
		for i := range int64(4) {
			put(t, s, "a", 10+30*i, true, map[string]float64{"200": 100})
		}
		if began != 0 {
			started(t, s, "b", gap, began)
		}
		put(t, s, "b", gap, true, map[string]float64{"200": 7000})
		got := counts(t, s, gap/60-1, gap/60+1, metrics.Selection{Expr: allEvents})[0]
		from := metrics.MinuteAfter(at(100))
		if began != 0 {
			from = metrics.MinuteAfter(at(began))
		}
		if want := []metrics.Lump{{From: from, To: metrics.MinuteOf(at(gap)), Value: 7000}}; !cmp.Equal(got.Lumps, want) {
			t.Errorf("%s: %v, want %v", name, got.Lumps, want)
		}
	}
}

// Where series do not say which target they are of, those that begin within the
// first round are not new.
func TestSeriesWithoutTargetsAreNewAfterSomeRounds(t *testing.T) {
	s := open(t, Options{})
	scrape := func(pod string, second int64, v float64) {
		t.Helper()
		appendAll(t, s, counter(map[string]string{"job": "shop", "pod": pod}, metrics.Point{T: at(second), V: v}))
	}
	for i := range int64(5) {
		scrape("a", 10+30*i, 1000)
		scrape("b", 25+30*i, 5000)
		if i >= 3 {
			scrape("c", 28+30*i, 7)
		}
	}
	same(t, "three pods", one(t, s, "sum(events_total)", 3), metrics.Counts{Values: []float64{0, 7, 0}})
}

// A counter that says when it began anew shortly after its last sample is counted
// from there.
func TestACounterThatSaysWhenItBeganIsCountedFromThere(t *testing.T) {
	s := open(t, Options{})
	s.Watch([]metrics.Selection{{Expr: failures}})
	ls := labels.FromStrings("__name__", "events_total", "job", "shop", "instance", "a", "code", "500")
	var ref storage.SeriesRef
	for i, v := range []float64{5, 6, 9, 10} {
		a := s.AppenderV2(t.Context())
		began := at(5)
		if i >= 2 {
			began = at(41)
		}
		var err error
		if ref, err = a.Append(ref, ls, began, at(int64(10+30*i)), v, nil, nil, storage.AOptions{}); err != nil {
			t.Fatal(err)
		}
		if err := a.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		same(t, "failures", one(t, s, failures, 2), metrics.Counts{Values: []float64{6, 10}})
		s.watch = newWatch(s)
	}
}

// A counter that is higher after a restart than before it does not show the
// restart; the others of its target do. One that alone begins anew says nothing
// of the others.
func TestARestartIsSeenOnTheOtherCountersOfATarget(t *testing.T) {
	for name, c := range map[string]struct {
		before, after map[string]float64
		began         int64
		want          float64
	}{
		"the errors are as many as before": {map[string]float64{"200": 900, "500": 2}, map[string]float64{"200": 7, "500": 2}, 0, 9},
		"the errors are more than before":  {map[string]float64{"200": 900, "500": 50}, map[string]float64{"200": 7, "500": 60}, 0, 67},
		"only one of many fell":            {map[string]float64{"200": 900, "404": 80, "500": 50}, map[string]float64{"200": 900, "404": 1, "500": 60}, 0, 11},
		"the process says that it is old":  {map[string]float64{"200": 900, "500": 2}, map[string]float64{"200": 7, "500": 2}, 5, 7},
		"the process says that it is new":  {map[string]float64{"200": 900, "404": 80, "500": 50}, map[string]float64{"200": 900, "404": 1, "500": 60}, 60, 961},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, Options{})
			s.Watch([]metrics.Selection{{Expr: allEvents}})
			put(t, s, "a", 10, true, c.before)
			put(t, s, "a", 40, true, c.before)
			if c.began != 0 {
				started(t, s, "a", 70, c.began)
			}
			put(t, s, "a", 70, true, c.after)
			for range 2 {
				same(t, name, one(t, s, allEvents, 2), metrics.Counts{Values: []float64{0, c.want}})
				s.watch = newWatch(s)
			}
		})
	}
}
