package embedded

import (
	"context"
	"iter"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/observe/metrics"
)

// history is n counters over the days before `until`, a sample each minute, by
// time first; the counter of series i rises by i+1 a minute.
func history(n, days int, until time.Time) ([]map[string]string, iter.Seq[Sample]) {
	var series []map[string]string
	for i := range n {
		series = append(series, map[string]string{"__name__": "events_total", "i": strconv.Itoa(i)})
	}
	minutes := days * 24 * 60
	return series, func(yield func(Sample) bool) {
		for m := range minutes {
			t := until.Add(-time.Duration(minutes-m) * time.Minute).UnixMilli()
			for i := range n {
				if !yield(Sample{Series: i, T: t, V: float64((i + 1) * m)}) {
					return
				}
			}
		}
	}
}

func TestImportedHistoryIsThereAtOnceAndStays(t *testing.T) {
	dir := t.TempDir()
	now := time.Now().UTC().Truncate(time.Minute)
	s := open(t, Options{Dir: dir})
	series, samples := history(3, 10, now)
	var progress []int
	if err := s.Import(t.Context(), series, samples, func(n int) { progress = append(progress, n) }); err != nil {
		t.Fatal(err)
	}
	if len(progress) == 0 || progress[len(progress)-1] != 3*10*24*60 {
		t.Errorf("progress: %v", progress)
	}

	check := func(t *testing.T, s *Store) {
		t.Helper()
		from := now.Add(-9 * 24 * time.Hour)
		got, err := s.Range(t.Context(), "sum(increase(events_total[1m] anchored))", from, now.Add(-time.Minute), time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		points := got[0].Points
		if len(points) != 9*24*60 {
			t.Fatalf("%d minutes of %d", len(points), 9*24*60)
		}
		for _, p := range points {
			if p.V != 6 {
				t.Fatalf("%s: %v, want 6", p.Time(), p.V)
			}
		}
	}
	check(t, s)

	// Scraping goes on after it, and both survive a restart.
	appendAll(t, s, counter(map[string]string{"i": "0"}, metrics.Point{T: now.Add(time.Second).UnixMilli(), V: 10 * 24 * 60}))
	check(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, Options{Dir: dir})
	check(t, s)
	got, err := s.Instant(t.Context(), `events_total{i="0"}`, now.Add(time.Second))
	if err != nil || len(got) != 1 || got[0].Points[0].V != 10*24*60 {
		t.Errorf("the sample after the history: %v, %v", got, err)
	}
	from, to, ok := s.Span()
	if want := now.Add(-10 * 24 * time.Hour); !ok || !from.Equal(want) || !to.Equal(now.Add(time.Second)) {
		t.Errorf("span %s – %s, want from %s", from, to, want)
	}
}

func TestImportWhileTheStoreScrapes(t *testing.T) {
	now := time.Now().UTC().Truncate(time.Minute)
	s := open(t, Options{})
	appendAll(t, s, counter(nil, metrics.Point{T: now.Add(-30 * time.Minute).UnixMilli(), V: 1}))

	series, samples := history(2, 2, now)
	if err := s.Import(t.Context(), series, samples, nil); fault.KindOf(err) != fault.Conflict {
		t.Errorf("history over scraped samples: %v", err)
	}
	series, samples = history(2, 2, now.Add(-31*time.Minute))
	if err := s.Import(t.Context(), series, samples, nil); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the same again changes nothing
		if err := s.Import(t.Context(), series, samples, nil); err != nil {
			t.Fatal(err)
		}
	}
	appendAll(t, s, counter(nil, metrics.Point{T: now.UnixMilli(), V: 5}))
	got, err := s.Instant(t.Context(), "sum(count_over_time(events_total[3d]))", now)
	if err != nil || got[0].Points[0].V != 2*2*24*60+2 {
		t.Errorf("samples: %v, %v", got, err)
	}
}

func TestImportBySeriesAndFaults(t *testing.T) {
	s := open(t, Options{})
	now := time.Now().UTC().Truncate(time.Minute)
	series := []map[string]string{{"__name__": "a"}, {"__name__": "b"}}
	bySeries := func(yield func(Sample) bool) {
		for i := range series {
			for m := range 5 * 24 * 60 {
				if !yield(Sample{Series: i, T: now.Add(time.Duration(m-5*24*60) * time.Minute).UnixMilli(), V: float64(m)}) {
					return
				}
			}
		}
	}
	if err := s.Import(t.Context(), series, bySeries, nil); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b"} {
		if v := value(t, s, "count_over_time("+name+"[6d])"); v != 5*24*60 {
			t.Errorf("%s has %v samples", name, v)
		}
	}

	one := func(x ...Sample) iter.Seq[Sample] {
		return func(yield func(Sample) bool) {
			for _, x := range x {
				if !yield(x) {
					return
				}
			}
		}
	}
	if err := s.Import(t.Context(), series, one(), nil); err != nil {
		t.Errorf("nothing to import: %v", err)
	}
	if err := s.Import(t.Context(), series, one(Sample{Series: 2, T: 1}), nil); err == nil {
		t.Error("a series that was not named is imported")
	}
	if err := s.Import(t.Context(), series, one(Sample{T: now.Add(-50 * 24 * time.Hour).UnixMilli()}, Sample{T: 1}), nil); err != nil {
		t.Errorf("two blocks: %v", err)
	}
	if err := s.Import(t.Context(), series, one(Sample{T: now.Add(time.Hour).UnixMilli()}), nil); fault.KindOf(err) != fault.Conflict {
		t.Errorf("history of the future: %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := s.Import(ctx, series, bySeries, nil); err == nil {
		t.Error("a cancelled import goes on")
	}
	left, err := filepath.Glob(filepath.Join(s.o.Dir, "import-*"))
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestRetentionBySizeAndTime(t *testing.T) {
	dir := t.TempDir()
	now := time.Now().UTC().Truncate(time.Minute)
	s := open(t, Options{Dir: dir})
	series, samples := history(20, 30, now)
	if err := s.Import(t.Context(), series, samples, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, Options{Dir: dir, RetentionTime: 10 * 24 * time.Hour})
	if from, _, ok := s.Span(); !ok || from.Before(now.Add(-13*24*time.Hour)) {
		t.Errorf("oldest sample %s is older than the retention and a block", from)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	var size int64
	for _, b := range s.db.Blocks() {
		size += b.Size()
	}
	s = open(t, Options{Dir: dir, RetentionTime: 10 * 24 * time.Hour, RetentionSize: size / 2})
	if from, _, ok := s.Span(); !ok || from.Before(now.Add(-8*24*time.Hour)) {
		t.Errorf("oldest sample %s although half the size is allowed", from)
	}
}
