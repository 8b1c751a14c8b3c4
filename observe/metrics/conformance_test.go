package metrics_test

import (
	"context"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/metrics/embedded"
	"github.com/teiten/teiten/observe/metrics/promexpr"
	"github.com/teiten/teiten/observe/metrics/remote"
)

// history is a target whose samples carry their own times, so that everybody
// who scrapes it stores exactly the same: 40 minutes, one step at each scrape,
// separately for each path.
type history struct {
	start time.Time // of the first sample
	mu    sync.Mutex
	steps map[string]int
}

const (
	historySteps = 40
	historyStep  = time.Minute
	resetAt      = 25 // the target restarts before this step
)

func (h *history) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	i := h.steps[r.URL.Path]
	h.steps[r.URL.Path] = min(i+1, historySteps-1)
	at := h.start.Add(time.Duration(i) * historyStep).UnixMilli()
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	// The counters of requests stay far from zero: versions of Prometheus differ
	// in how far they extrapolate towards it.
	n, base := i, 1_000_000
	if i >= resetAt {
		n, base = i-resetAt, 100_000
	}
	for code, each := range map[string]int{"200": 95, "404": 3, "500": 2} {
		for _, pod := range []int{1, 2} {
			fmt.Fprintf(w, "requests_total{code=%q,pod=\"%d\"} %d %d\n", code, pod, pod*each*n+base+10*each+pod, at)
		}
	}
	for _, pod := range []int{1, 2} {
		fmt.Fprintf(w, "events_total{pod=\"%d\"} %d %d\n", pod, pod*100*n+100, at)
	}
	for bound, each := range map[string]int{"0.1": 50, "0.5": 90, "+Inf": 100} {
		fmt.Fprintf(w, "latency_seconds_bucket{le=%q} %d %d\n", bound, each*(n+base), at)
	}
	fmt.Fprintf(w, "temperature %g %d\n", 20+5*math.Sin(float64(i)), at)
}

func (h *history) config(address, path string) string {
	return "global: {scrape_interval: 50ms, scrape_timeout: 50ms}\n" +
		"scrape_configs:\n- job_name: shop\n  metrics_path: " + path + "\n  static_configs: [{targets: [" + address + "]}]\n"
}

// embeddedStore is an embedded store that scrapes.
func embeddedStore(t *testing.T, config string) metrics.Querier {
	t.Helper()
	file := filepath.Join(t.TempDir(), "scrape.yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := embedded.Open(t.Context(), embedded.Options{Dir: t.TempDir(), ScrapeConfigFile: file, MinFree: 1})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// realPrometheus starts the Prometheus that is installed on the machine.
func realPrometheus(t *testing.T, config string) metrics.Querier {
	t.Helper()
	binary, err := exec.LookPath("prometheus")
	if err != nil {
		t.Skip("the conformance suite compares with a real Prometheus, and none is installed (Debian: apt install prometheus)")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	cmd := exec.CommandContext(context.Background(), binary, "--config.file="+file, "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+address, "--log.level=warn")
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	c, err := remote.New(metrics.Connection{URL: "http://" + address})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	waitFor(t, "Prometheus answers", func() bool { return c.Check(t.Context()) == nil })
	return c
}

func waitFor(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-ctx.Done():
			t.Fatalf("in 30 s it did not become true that %s", what)
		case <-tick.C:
		}
	}
}

// TestEmbeddedAndRealPrometheusAgree scrapes one target with both and compares
// what they answer.
func TestEmbeddedAndRealPrometheusAgree(t *testing.T) {
	// Samples lie 7 s behind the minute and questions 30 s: the versions differ
	// only about samples that lie exactly on the edge of a range.
	first := time.Now().UTC().Truncate(time.Minute).Add(-historySteps * historyStep)
	h := &history{start: first.Add(7 * time.Second), steps: map[string]int{}}
	srv := httptest.NewServer(h)
	defer srv.Close()
	address := strings.TrimPrefix(srv.URL, "http://")
	theirs := realPrometheus(t, h.config(address, "/theirs"))
	ours := embeddedStore(t, h.config(address, "/ours"))
	last := first.Add((historySteps - 1) * historyStep).Add(30 * time.Second)
	for name, q := range map[string]metrics.Querier{"ours": ours, "theirs": theirs} {
		waitFor(t, name+" has scraped everything", func() bool {
			got, err := q.Instant(t.Context(), fmt.Sprintf("count_over_time(temperature[1h]) == %d", historySteps), last)
			return err == nil && len(got) == 1
		})
	}

	t.Run("counts", func(t *testing.T) {
		countsAgree(t, ours.(metrics.Counting), theirs.(metrics.Counting), first.Unix()/60-1, last.Unix()/60+1)
	})
	t.Run("names", func(t *testing.T) { namesAgree(t, ours.(metrics.Explorer), theirs.(metrics.Explorer), last) })

	for _, expr := range []string{
		"requests_total",
		"sum(requests_total)",
		`sum by (code) (requests_total{code!~"4.."})`,
		`sum(rate(requests_total{code!="500"}[5m])) / sum(rate(requests_total[5m]))`,
		"sum(increase(requests_total[4m]))",
		"sum without (pod) (irate(requests_total[5m]))",
		"resets(requests_total[30m])",
		"histogram_quantile(0.9, sum by (le) (rate(latency_seconds_bucket[5m])))",
		"requests_total offset 10m",
		fmt.Sprintf("requests_total @ %d", first.Add(20*time.Minute).Unix()),
		"temperature > 22",
		"temperature > bool 22",
		"topk(2, requests_total)",
		`label_replace(temperature, "zone", "$1", "job", "(.).*")`,
		"absent(nothing_here)",
		"max_over_time(temperature[10m])",
		"avg_over_time(sum(rate(requests_total[5m]))[10m:1m])",
		`requests_total{code="500"} / ignoring (code) requests_total{code="200"}`,
		`sum by (pod) (requests_total) * on (pod) group_left () count by (pod) (requests_total)`,
		"nothing_here",
		"scalar(sum(requests_total))",
		"1 / 0",
		"sum(requests_total) or vector(0)",
		"quantile(0.5, requests_total)",
		"deriv(temperature[10m])",
	} {
		t.Run(expr, func(t *testing.T) {
			a, errA := ours.Range(t.Context(), expr, first.Add(30*time.Second), last, time.Minute)
			b, errB := theirs.Range(t.Context(), expr, first.Add(30*time.Second), last, time.Minute)
			compare(t, a, b, errA, errB)
			at := last.Add(-3 * time.Minute)
			a, errA = ours.Instant(t.Context(), expr, at)
			b, errB = theirs.Instant(t.Context(), expr, at)
			compare(t, a, b, errA, errB)
		})
	}
	for _, expr := range []string{"sum(", "requests_total * on () requests_total", "requests_total[5m]"} {
		t.Run("refused: "+expr, func(t *testing.T) {
			for name, q := range map[string]metrics.Querier{"ours": ours, "theirs": theirs} {
				if _, err := q.Instant(t.Context(), expr, last); fault.KindOf(err) != fault.Invalid {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
	t.Run("increases", func(t *testing.T) { increasesAgreeWithTheTruth(t, ours, theirs, first, last) })
}

// increasesAgreeWithTheTruth adds up the increase of each minute: exactly with
// anchored windows, and nearly where Prometheus estimates.
func increasesAgreeWithTheTruth(t *testing.T, ours, theirs metrics.Querier, first, last time.Time) {
	if theirs.Anchored() {
		t.Error("Prometheus 2 does not know anchored ranges")
	}
	// Between steps 1 and 39: 100 events a minute on the first pod and 200 on the
	// second; at the restart the counters begin with 100 on each.
	const truth = 300*(historySteps-2) + 200
	for name, c := range map[string]struct {
		q         metrics.Querier
		window    time.Duration
		tolerance float64
	}{"ours": {ours, time.Minute, 0}, "theirs": {theirs, 4 * time.Minute, 0.15}} {
		expr, err := promexpr.IncreaseOver("sum(events_total)", c.window, c.q.Anchored(), time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.q.Range(t.Context(), expr, first.Add(30*time.Second), last, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		one, err := metrics.One(got)
		if err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for _, p := range one.Points {
			sum += p.V
		}
		if math.Abs(sum-truth) > c.tolerance*truth {
			t.Errorf("%s: %s adds up to %v over %d minutes, and %d happened", name, expr, sum, len(one.Points), truth)
		}
	}
}

// countsAgree has both count the same raw samples, with a restart among them.
func countsAgree(t *testing.T, ours, theirs metrics.Counting, from, to int64) {
	t.Helper()
	selections := []metrics.Selection{
		{Expr: "sum(requests_total)"}, {Expr: `sum(requests_total{code="500"})`}, {Expr: `sum(requests_total) - sum(requests_total{code=~"5.."})`},
		{Expr: `sum(events_total{pod="1"})`}, {Expr: `sum(events_total{pod="2"})`}, {Expr: "sum(nothing_here)"},
		{Expr: "sum(requests_total)", By: []string{"code"}},
	}
	a, err := ours.Counts(t.Context(), selections, from, to)
	if err != nil {
		t.Fatal(err)
	}
	b, err := theirs.Counts(t.Context(), selections, from, to)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(a, b, cmpopts.EquateNaNs(), cmpopts.EquateEmpty()); d != "" {
		t.Errorf("ours − theirs: %s", d)
	}
	// Each step is 95+3+2 events of two pods; the first after the restart shows
	// what the new processes have served.
	sum := 0.0
	for _, v := range a[0].Values {
		if !math.IsNaN(v) {
			sum += v
		}
	}
	afterRestart := 0.0
	for _, each := range []float64{95, 3, 2} {
		for _, pod := range []float64{1, 2} {
			afterRestart += 100_000 + 10*each + pod
		}
	}
	if want := 300*float64(historySteps-2) + afterRestart; sum != want {
		t.Errorf("counted %v events of %v", sum, want)
	}
}

// namesAgree asks both for what an editor proposes.
func namesAgree(t *testing.T, ours, theirs metrics.Explorer, at time.Time) {
	t.Helper()
	l := metrics.Lookup{From: at.Add(-time.Hour), To: at, Limit: 3, Match: `{job="shop"}`}
	type answer struct {
		Metrics []metrics.Metric
		Found   []string
		More    bool
	}
	for _, look := range []func(metrics.Explorer) (answer, error){
		func(e metrics.Explorer) (answer, error) {
			l := l
			l.Contains = "RequestS_t"
			found, more, err := e.Names(t.Context(), l)
			return answer{Metrics: found, More: more}, err
		},
		func(e metrics.Explorer) (answer, error) {
			found, more, err := e.LabelNames(t.Context(), l)
			return answer{Found: found, More: more}, err
		},
		func(e metrics.Explorer) (answer, error) {
			found, more, err := e.LabelValues(t.Context(), "code", l)
			return answer{Found: found, More: more}, err
		},
		func(e metrics.Explorer) (answer, error) {
			l := l
			l.Limit, l.Contains = 1, "0"
			found, more, err := e.LabelValues(t.Context(), "code", l)
			return answer{Found: found, More: more}, err
		},
	} {
		a, errA := look(ours)
		b, errB := look(theirs)
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		if d := cmp.Diff(a, b); d != "" || len(a.Found)+len(a.Metrics) == 0 {
			t.Errorf("%+v: %s", a, d)
		}
	}
	l.Match = "sum(x)"
	for _, e := range []metrics.Explorer{ours, theirs} {
		if _, _, err := e.LabelNames(t.Context(), l); fault.KindOf(err) != fault.Invalid {
			t.Errorf("what is no selector: %v", err)
		}
	}
}

// compare checks that both answers hold the same series with the same points.
func compare(t *testing.T, ours, theirs []metrics.Series, errOurs, errTheirs error) {
	t.Helper()
	if errOurs != nil || errTheirs != nil {
		t.Fatalf("ours: %v, theirs: %v", errOurs, errTheirs)
	}
	if len(ours) != len(theirs) {
		t.Fatalf("ours has %d series, theirs %d", len(ours), len(theirs))
	}
	byName := map[string]metrics.Series{}
	for _, s := range theirs {
		byName[strings.ReplaceAll(s.Name(), "/theirs", "")] = s
	}
	for _, a := range ours {
		b, ok := byName[a.Name()]
		if !ok {
			t.Errorf("theirs has no %s", a.Name())
			continue
		}
		if len(a.Points) != len(b.Points) {
			t.Errorf("%s: %d points here, %d there", a.Name(), len(a.Points), len(b.Points))
			continue
		}
		for i := range a.Points {
			x, y := a.Points[i], b.Points[i]
			same := x.V == y.V || (math.IsNaN(x.V) && math.IsNaN(y.V)) || math.Abs(x.V-y.V) <= 1e-9*math.Max(math.Abs(x.V), math.Abs(y.V))
			if x.T != y.T || !same {
				t.Errorf("%s at %s: %v here, %v there (%s)", a.Name(), x.Time(), x.V, y.V, y.Time())
				break
			}
		}
	}
}
