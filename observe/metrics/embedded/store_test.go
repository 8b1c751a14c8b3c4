package embedded

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/observe/metrics"
)

// open opens a store in a folder of the test and closes it at its end.
func open(t testing.TB, o Options) *Store {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	if o.MinFree == 0 {
		o.MinFree = 1
	}
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// run scrapes until the test ends.
func run(t testing.TB, s *Store) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// eventually waits until the condition holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-ctx.Done():
			t.Fatalf("in 20 s it did not become true that %s", what)
		case <-tick.C:
		}
	}
}

// value is the one value of an expression now, and NaN where it has none.
func value(t testing.TB, s *Store, expr string) float64 {
	t.Helper()
	got, err := s.Instant(t.Context(), expr, time.Now())
	if err != nil {
		t.Fatalf("%s: %v", expr, err)
	}
	one, err := metrics.One(got)
	if err != nil {
		t.Fatalf("%s: %v", expr, err)
	}
	if len(one.Points) == 0 {
		return math.NaN()
	}
	return one.Points[0].V
}

func appendAll(t testing.TB, s *Store, rows ...metrics.Series) {
	t.Helper()
	if err := s.Append(t.Context(), rows); err != nil {
		t.Fatal(err)
	}
}

func counter(labels map[string]string, points ...metrics.Point) metrics.Series {
	ls := map[string]string{"__name__": "events_total"}
	for k, v := range labels {
		ls[k] = v
	}
	return metrics.Series{Labels: ls, Points: points}
}

func TestItScrapesATargetThatTheProgramNames(t *testing.T) {
	reg := prometheus.NewRegistry()
	served := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "served_total"}, []string{"code"})
	reg.MustRegister(served)
	target := httptest.NewServer(promhttp.HandlerFor(reg, promhttp.HandlerOpts{}))
	defer target.Close()

	s := open(t, Options{})
	run(t, s)
	if err := s.SetTargets([]Target{{Job: "shop", URL: target.URL + "/metrics", Interval: 100 * time.Millisecond, Labels: map[string]string{"team": "web"}}}); err != nil {
		t.Fatal(err)
	}
	served.WithLabelValues("200").Add(7)
	eventually(t, "the counter is stored", func() bool { return value(t, s, `served_total{code="200",team="web",job="shop"}`) == 7 })
	eventually(t, "the target is up", func() bool { return value(t, s, `up{job="shop"}`) == 1 })

	t.Run("the birth of a series counts from zero", func(t *testing.T) {
		served.WithLabelValues("500").Add(3)
		eventually(t, "the first errors are counted", func() bool {
			return value(t, s, `increase(served_total{code="500"}[1m] anchored)`) == 3
		})
	})
	t.Run("targets report how they do", func(t *testing.T) {
		got := s.Targets()
		if len(got) != 1 || got[0].Job != "shop" || !got[0].Up || got[0].LastError != "" || got[0].Labels["team"] != "web" {
			t.Errorf("%+v", got)
		}
	})
	t.Run("a target can go", func(t *testing.T) {
		if err := s.SetTargets(nil); err != nil {
			t.Fatal(err)
		}
		if got := s.Targets(); len(got) != 0 {
			t.Errorf("still scraped: %+v", got)
		}
	})
}

func TestATargetThatFailsSaysWhy(t *testing.T) {
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "no", http.StatusTeapot)
	}))
	defer target.Close()
	s := open(t, Options{Targets: []Target{{Job: "tea", URL: target.URL, Interval: 100 * time.Millisecond}}})
	run(t, s)
	eventually(t, "up is 0", func() bool { return value(t, s, `up{job="tea"}`) == 0 })
	if got := s.Targets(); len(got) != 1 || got[0].Up || !strings.Contains(got[0].LastError, "418") {
		t.Errorf("%+v", got)
	}
}

func TestAnEndlessTargetIsCutOff(t *testing.T) {
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		line := []byte(strings.Repeat("x", 1<<16) + "\n")
		for r.Context().Err() == nil {
			if _, err := w.Write(line); err != nil {
				return
			}
		}
	}))
	defer target.Close()
	s := open(t, Options{Targets: []Target{{Job: "endless", URL: target.URL, Interval: 500 * time.Millisecond}}})
	run(t, s)
	eventually(t, "the scrape fails", func() bool {
		got := s.Targets()
		return len(got) == 1 && got[0].LastError != ""
	})
}

// increases evaluates increase(events_total[1m] anchored) at every minute.
func increases(t *testing.T, s *Store, from, to time.Time) []metrics.Point {
	t.Helper()
	got, err := s.Range(t.Context(), "sum(increase(events_total[1m] anchored))", from, to, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	one, err := metrics.One(got)
	if err != nil {
		t.Fatal(err)
	}
	return one.Points
}

func TestAnchoredIncreasesAddUpExactly(t *testing.T) {
	start := time.Now().UTC().Truncate(time.Hour).Add(-30 * time.Minute)
	at := func(d time.Duration) int64 { return start.Add(d).UnixMilli() }

	// Scrapes once a minute, a little off the grid each time, with a restart of
	// the target (40 → 5) and two scrapes missing.
	s := open(t, Options{})
	appendAll(t, s, counter(nil,
		metrics.Point{T: at(-10 * time.Second), V: 100},
		metrics.Point{T: at(50 * time.Second), V: 110},
		metrics.Point{T: at(110100 * time.Millisecond), V: 117},
		metrics.Point{T: at(180 * time.Second), V: 140}, // exactly on the grid
		metrics.Point{T: at(230 * time.Second), V: 5},   // restarted
		// 290 s and 350 s are missing
		metrics.Point{T: at(410 * time.Second), V: 9},
		metrics.Point{T: at(470 * time.Second), V: 9},
	))
	got := increases(t, s, start.Add(time.Minute), start.Add(8*time.Minute))
	want := []metrics.Point{
		{T: at(60 * time.Second), V: 10},
		{T: at(120 * time.Second), V: 7},
		{T: at(180 * time.Second), V: 23},
		{T: at(240 * time.Second), V: 5},
		// no sample in (240, 300] and (300, 360]: unknown, not zero
		{T: at(420 * time.Second), V: 4},
		{T: at(480 * time.Second), V: 0},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestAnchoredIncreaseAtTheBirthOfASeries(t *testing.T) {
	start := time.Now().UTC().Truncate(time.Hour).Add(-30 * time.Minute)
	at := func(d time.Duration) int64 { return start.Add(d).UnixMilli() }
	s := open(t, Options{})
	appendAll(t, s, counter(nil, metrics.Point{T: at(30 * time.Second), V: 50}, metrics.Point{T: at(90 * time.Second), V: 53}))
	got := increases(t, s, start, start.Add(2*time.Minute))
	// What happened before the first scrape is not known and not invented.
	if d := cmp.Diff([]metrics.Point{{T: at(time.Minute), V: 0}, {T: at(2 * time.Minute), V: 3}}, got); d != "" {
		t.Error(d)
	}
}

func TestQueriesAreLimited(t *testing.T) {
	s := open(t, Options{MaxSamples: 50})
	now := time.Now().Truncate(time.Second)
	var rows []metrics.Series
	for i := range 100 {
		rows = append(rows, counter(map[string]string{"i": strconv.Itoa(i)}, metrics.Point{T: now.UnixMilli(), V: 1}))
	}
	appendAll(t, s, rows...)
	if _, err := s.Instant(t.Context(), "events_total", now); fault.KindOf(err) != fault.Invalid {
		t.Errorf("too many samples: %v", err)
	}
	if _, err := s.Range(t.Context(), "1", now, now.AddDate(10, 0, 0), time.Minute); fault.KindOf(err) != fault.Invalid {
		t.Errorf("too many steps: %v", err)
	}
	for _, c := range []struct {
		from, to time.Time
		step     time.Duration
	}{{now, now.Add(-1), time.Second}, {now, now, 0}} {
		if _, err := s.Range(t.Context(), "1", c.from, c.to, c.step); fault.KindOf(err) != fault.Invalid {
			t.Errorf("range %+v: %v", c, err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := s.Instant(ctx, "1", now); err == nil || fault.KindOf(err) != "" {
		t.Errorf("a cancelled query: %v", err)
	}
	slow := open(t, Options{QueryTimeout: time.Nanosecond})
	if _, err := slow.Instant(t.Context(), "1", now); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("a query beyond its time: %v", err)
	}
}

func TestWhatCannotBeEvaluatedIsAFault(t *testing.T) {
	s := open(t, Options{})
	now := time.Now().Truncate(time.Second)
	appendAll(t, s,
		counter(map[string]string{"a": "1"}, metrics.Point{T: now.UnixMilli(), V: 1}),
		counter(map[string]string{"a": "2"}, metrics.Point{T: now.UnixMilli(), V: 2}))
	for _, expr := range []string{"sum(", "events_total * on () events_total"} {
		if _, err := s.Instant(t.Context(), expr, now); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", expr, err)
		}
	}
	got, err := s.Instant(t.Context(), "events_total", now)
	if err != nil {
		t.Fatal(err)
	}
	_, err = metrics.One(got)
	if f, ok := fault.As(err); !ok || f.Code != "metrics.several_series" || !strings.Contains(f.What.EN, "differ in a") {
		t.Errorf("several series: %v", err)
	}
	if got, err := s.Instant(t.Context(), "1/0", now); err != nil || !math.IsInf(got[0].Points[0].V, 1) {
		t.Errorf("a scalar: %v, %v", got, err)
	}
}

func TestASampleOlderThanTheStoreIsRefused(t *testing.T) {
	s := open(t, Options{})
	now := time.Now()
	appendAll(t, s, counter(nil, metrics.Point{T: now.UnixMilli(), V: 1}))
	err := s.Append(t.Context(), []metrics.Series{counter(nil, metrics.Point{T: now.UnixMilli() - 1, V: 1})})
	if f, ok := fault.As(err); !ok || f.Code != "metrics.sample_order" {
		t.Error(err)
	}
}

func TestTheStoreReportsOnItself(t *testing.T) {
	reg := prometheus.NewRegistry()
	s := open(t, Options{Registerer: reg})
	appendAll(t, s, counter(nil, metrics.Point{T: time.Now().UnixMilli(), V: 1}))
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "prometheus_tsdb_head_series" && f.GetMetric()[0].GetGauge().GetValue() == 1 {
			return
		}
	}
	t.Error("the number of series is not reported")
}

func TestOneStorePerFolder(t *testing.T) {
	dir := t.TempDir()
	open(t, Options{Dir: dir})
	if _, err := Open(t.Context(), Options{Dir: dir}); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("a second store in the same folder: %v", err)
	}
}

// TestMain lets the test binary be the process that is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv("TEITEN_APPEND_TO"); dir != "" {
		appendUntilKilled(dir)
		return
	}
	os.Exit(m.Run())
}

// appendUntilKilled writes one sample after the other and says so on its output
// when each was accepted.
func appendUntilKilled(dir string) {
	s, err := Open(context.Background(), Options{Dir: dir, MinFree: 1})
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	at := time.Now().Add(-time.Hour).UnixMilli()
	for i := 0; ; i++ {
		row := counter(nil, metrics.Point{T: at + int64(i), V: float64(i)})
		if err := s.Append(context.Background(), []metrics.Series{row}); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		fmt.Println(i)
	}
}

func TestKillLosesNothingThatWasAccepted(t *testing.T) {
	dir := t.TempDir()
	for round := range 2 {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), "TEITEN_APPEND_TO="+dir+strconv.Itoa(round))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		last := -1
		lines := bufio.NewScanner(out)
		for last < 2000*(round+1) && lines.Scan() {
			if _, err := fmt.Sscan(lines.Text(), &last); err != nil {
				t.Fatal(lines.Text())
			}
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		rest, _ := io.ReadAll(out)
		for line := range strings.FieldsSeq(string(rest)) {
			var n int
			if _, err := fmt.Sscan(line, &n); err == nil {
				last = max(last, n)
			}
		}
		_ = cmd.Wait()

		s := open(t, Options{Dir: dir + strconv.Itoa(round)})
		got := value(t, s, "max_over_time(events_total[2h])")
		count := value(t, s, "count_over_time(events_total[2h])")
		if int(got) < last || count != got+1 {
			t.Errorf("accepted %d, found up to %v in %v samples", last, got, count)
		}
		appendAll(t, s, counter(nil, metrics.Point{T: time.Now().UnixMilli(), V: 1}))
	}
}

func TestAFullDiskIsSaidAndRecoveredFrom(t *testing.T) {
	s := open(t, Options{MinFree: 1000})
	var free atomic.Uint64
	s.disk.free = func(string) (uint64, error) { return free.Load(), nil }
	set := func(n uint64) {
		free.Store(n)
		s.disk.mu.Lock()
		s.disk.looked = time.Time{}
		s.disk.mu.Unlock()
	}
	now := time.Now().UnixMilli()
	row := func(i int64) []metrics.Series {
		return []metrics.Series{counter(nil, metrics.Point{T: now + i, V: float64(i)})}
	}
	set(5000)
	if err := s.Append(t.Context(), row(0)); err != nil || s.Check(t.Context()) != nil {
		t.Fatal(err)
	}
	set(999)
	err := s.Append(t.Context(), row(1))
	f, ok := fault.As(err)
	if !ok || f.Code != "metrics.disk_full" || f.RetryAfter == 0 {
		t.Fatalf("append to a full disk: %v", err)
	}
	if f, ok := fault.As(s.Check(t.Context())); !ok || f.Code != "metrics.disk_full" {
		t.Error("the store does not say that the disk is full")
	}
	if got, err := s.Range(t.Context(), "events_total", time.UnixMilli(now), time.UnixMilli(now), time.Second); err != nil || len(got) != 1 {
		t.Errorf("reading while the disk is full: %v, %v", got, err)
	}
	set(1100) // not yet enough more
	if s.Check(t.Context()) == nil {
		t.Error("the store flaps at the edge")
	}
	set(1300)
	if err := s.Append(t.Context(), row(2)); err != nil || s.Check(t.Context()) != nil {
		t.Errorf("after space was freed: %v", err)
	}
}

func TestSamplesFromTheFutureAreForgottenAtTheNextStart(t *testing.T) {
	dir := t.TempDir()
	now := time.Now()
	s := open(t, Options{Dir: dir})
	at := func(d time.Duration, v float64) metrics.Series {
		return counter(nil, metrics.Point{T: now.Add(d).UnixMilli(), V: v})
	}
	appendAll(t, s, at(-30*time.Minute, 1), at(-20*time.Minute, 2))
	if err := s.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	appendAll(t, s, at(24*time.Hour, 3))
	if f, ok := fault.As(s.Check(t.Context())); !ok || f.Code != metrics.CodeClock || f.Remedy.JA == "" {
		t.Errorf("%v", f)
	}
	if err := s.Append(t.Context(), []metrics.Series{at(-10*time.Minute, 3)}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("the present after the future: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, Options{Dir: dir})
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
	appendAll(t, s, at(time.Second, 4))
	got, err := s.Instant(t.Context(), "count_over_time(events_total[3d])", now.Add(48*time.Hour))
	if err != nil || got[0].Points[0].V != 3 {
		t.Errorf("samples: %v, %v", got, err)
	}
}
