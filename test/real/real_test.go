// Package real_test runs the program against the software that it will meet:
// Debian's Prometheus and node_exporter as its sources, PostgreSQL as its
// database. It breaks something that is real, waits for the message, and then
// computes by hand what the ledger should hold.
package real_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/notify/sink"
	"github.com/teiten/teiten/test/program"
)

const scrape = time.Second

// documents are two promises on a Prometheus: that its API answers without an
// error, by its own counters; and that a machine is there, by what the scrapes
// say. The second has an alert of its own, which ends quickly, and a service of its
// own, so that its alerts are told apart from the first one's.
const documents = `apiVersion: openslo/v1
kind: DataSource
metadata: {name: prometheus, annotations: {teiten.dev/default: "true"}}
spec:
  type: Prometheus
  connectionDetails: {url: %[1]q, scrapeInterval: 1s}
---
apiVersion: openslo/v1
kind: Service
metadata: {name: monitoring}
spec: {description: What watches everything else.}
---
apiVersion: openslo/v1
kind: Service
metadata: {name: machines}
spec: {description: What everything runs on.}
---
apiVersion: teiten.dev/v1
kind: NotificationChannel
metadata: {name: hooks}
spec: {webhook: {url: %[2]q, secret: not-very-secret}}
---
apiVersion: openslo/v1
kind: SLO
metadata:
  name: prometheus-api
  annotations: {teiten.dev/settle: 3s, teiten.dev/scrape-interval: 1s, teiten.dev/minimum-events: "20"}
spec:
  service: monitoring
  indicator:
    metadata: {name: prometheus-api}
    spec:
      ratioMetric:
        counter: true
        bad:
          metricSource: {metricSourceRef: prometheus, type: Prometheus, spec: {query: 'sum(prometheus_http_requests_total{code=~"4..|5.."})'}}
        total:
          metricSource: {metricSourceRef: prometheus, type: Prometheus, spec: {query: sum(prometheus_http_requests_total)}}
  timeWindow: [{duration: 1d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.99}]
---
apiVersion: openslo/v1
kind: SLO
metadata:
  name: machine-is-there
  annotations: {teiten.dev/settle: 3s, teiten.dev/minimum-events: "20"}
spec:
  service: machines
  indicator:
    metadata: {name: machine-is-there}
    spec:
      ratioMetric:
        counter: false
        good:
          metricSource: {metricSourceRef: prometheus, type: Prometheus, spec: {query: 'sum(sum_over_time(up{job="node"}[1m]))'}}
        total:
          metricSource: {metricSourceRef: prometheus, type: Prometheus, spec: {query: 'sum(count_over_time(up{job="node"}[1m]))'}}
  timeWindow: [{duration: 1d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.999}]
  alertPolicies:
    - kind: AlertPolicy
      metadata: {name: quick}
      spec:
        alertWhenBreaching: true
        alertWhenResolved: true
        conditions:
          - kind: AlertCondition
            metadata: {name: quick}
            spec:
              severity: page
              condition: {kind: burnrate, op: gte, threshold: 20, lookbackWindow: 1m, alertAfter: 0m}
`

// prometheus is the real one.
type prometheus struct{ *program.Daemon }

// ask evaluates an expression that has one value, at one moment.
func (p prometheus) ask(ctx context.Context, expr string, at time.Time) (float64, error) {
	status, body, err := p.get(ctx, url.Values{"query": {expr}, "time": {strconv.FormatFloat(float64(at.UnixMilli())/1000, 'f', 3, 64)}})
	if err != nil || status != http.StatusOK {
		return 0, errors.Join(err, fmt.Errorf("%d: %s", status, body))
	}
	var answer struct {
		Data struct{ Result []struct{ Value [2]any } }
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return 0, err
	}
	if len(answer.Data.Result) != 1 {
		return 0, fmt.Errorf("%s has %d values", expr, len(answer.Data.Result))
	}
	text, _ := answer.Data.Result[0].Value[1].(string)
	return strconv.ParseFloat(text, 64)
}

var errFirstMinute = errors.New("the minute in which Prometheus began")

// grown is by how much counters that never began anew grew in the minute that
// ends at a moment; those that are born in it grew from nothing. It fails for the
// minute in which Prometheus itself began, whose first scrape is only a base.
func (p prometheus) grown(ctx context.Context, counters string, end time.Time) (float64, error) {
	after, err := p.ask(ctx, counters, end)
	if err != nil {
		return 0, err
	}
	if _, err := p.ask(ctx, "count(up)", end.Add(-time.Minute)); err != nil {
		return 0, errFirstMinute
	}
	before, err := p.ask(ctx, counters, end.Add(-time.Minute))
	if err != nil {
		before = 0
	}
	return after - before, nil
}

func (p prometheus) get(ctx context.Context, form url.Values) (int, []byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.URL+"/api/v1/query?"+form.Encode(), nil)
	if err != nil {
		return 0, nil, err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, body, err
}

func need(t *testing.T, programs ...string) {
	t.Helper()
	if testing.Short() {
		t.Skip("takes minutes")
	}
	for _, p := range programs {
		if _, err := os.Stat(p); err != nil {
			t.Skipf("%s is not installed: apt-get install prometheus prometheus-node-exporter", p)
		}
	}
}

// world is everything that runs.
type world struct {
	t          *testing.T
	prometheus prometheus
	node       *program.Daemon
	nodeAt     string
	sink       *sink.Sink
	server     *program.Server
}

func newWorld(t *testing.T) *world {
	need(t, program.PrometheusPath, program.NodeExporterPath)
	w := &world{t: t}
	var err error
	must := func() {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	w.nodeAt, err = program.FreeAddress(t.Context())
	must()
	w.startNode()
	daemon, err := program.StartPrometheus(t.Context(), t.TempDir(), fmt.Sprintf(
		"  - job_name: prometheus\n    static_configs: [{targets: [SELF]}]\n  - job_name: node\n    static_configs: [{targets: [%q]}]\n", w.nodeAt), scrape)
	must()
	w.prometheus = prometheus{daemon}
	t.Cleanup(func() { stop(t, daemon) })
	w.sink, err = sink.Start(context.WithoutCancel(t.Context()), slog.New(slog.DiscardHandler))
	must()
	t.Cleanup(func() {
		if err := w.sink.Close(); err != nil {
			t.Error(err)
		}
	})
	bin, err := program.Build(t.Context(), t.TempDir())
	must()
	w.server = program.New(program.Options{Binary: bin, Data: t.TempDir(), Env: []string{
		"TEITEN_DATABASE=" + dbtest.Postgres(t), "TEITEN_METRICS_EMBEDDED_ENABLED=false", "TEITEN_NOTIFY_ALLOW_NETWORKS=127.0.0.0/8",
	}})
	t.Cleanup(func() {
		if err := w.server.Kill(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("the server's log:\n%s", w.server.Log())
		}
	})
	err = w.server.Start(t.Context())
	must()
	return w
}

func stop(t *testing.T, d *program.Daemon) {
	if err := d.Stop(); err != nil {
		t.Error(err)
	}
}

func (w *world) startNode() {
	w.t.Helper()
	var err error
	if w.node, err = program.StartNodeExporter(w.t.Context(), w.t.TempDir(), w.nodeAt); err != nil {
		w.t.Fatal(err)
	}
	node := w.node
	w.t.Cleanup(func() { stop(w.t, node) })
}

func (w *world) until(limit time.Duration, what string, ok func() (bool, error)) {
	w.t.Helper()
	deadline := time.Now().Add(limit)
	for {
		done, err := ok()
		if done {
			return
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("not within %s: %s: %v", limit, what, err)
		}
		select {
		case <-w.t.Context().Done():
			w.t.Fatal(w.t.Context().Err())
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// told waits for a message of a kind about an objective.
func (w *world) told(limit time.Duration, kind, slo string) map[string]any {
	w.t.Helper()
	var found map[string]any
	w.until(limit, "the webhook hears of "+kind+" of "+slo, func() (bool, error) {
		for _, m := range w.sink.Messages() {
			var event struct {
				Type string
				Data map[string]any
			}
			if err := json.Unmarshal(m.Raw, &event); err != nil {
				return false, err
			}
			if event.Type == "dev.teiten."+kind && strings.Contains(string(m.Raw), `"`+slo+`"`) {
				if m.Key == "" || m.Header.Get("webhook-signature") == "" {
					return false, fmt.Errorf("the message has no key or signature: %v", m.Header)
				}
				found = event.Data
				return true, nil
			}
		}
		return false, nil
	})
	return found
}

// provoke asks Prometheus what it cannot parse, ten times a second, until the
// test ends. It counts the answers of 400.
func (w *world) provoke(bad *atomic.Int64) {
	tick := time.NewTicker(100 * time.Millisecond)
	w.t.Cleanup(tick.Stop)
	go func() {
		for {
			select {
			case <-w.t.Context().Done():
				return
			case <-tick.C:
				if status, _, err := w.prometheus.get(w.t.Context(), url.Values{"query": {"sum("}}); err == nil && status == http.StatusBadRequest {
					bad.Add(1)
				}
			}
		}
	}()
}

// slo is one objective as the API tells it.
type slo struct {
	Name, Status            string
	Good, Total, BudgetLeft float64
	BurnRates               map[string]float64
	Watermark               time.Time
	Exact                   bool
	Queries                 struct{ EvaluatedPart, EvaluatedTotal string }
	series                  series
}

// series is what the ledger holds, by the minute.
type series struct {
	StepSeconds float64
	Times       []int64 // ends of steps, in Unix milliseconds
	Good, Total []*float64
}

func (w *world) read(name string, from time.Time) slo {
	w.t.Helper()
	var s slo
	if err := w.server.Get(w.t.Context(), "/api/v1/slos/"+name, &s); err != nil {
		w.t.Fatal(err)
	}
	q := url.Values{"from": {from.UTC().Format(time.RFC3339)}, "to": {s.Watermark.UTC().Format(time.RFC3339)}, "points": {"1000"}}
	if err := w.server.Get(w.t.Context(), "/api/v1/slos/"+name+"/series?"+q.Encode(), &s.series); err != nil {
		w.t.Fatal(err)
	}
	return s
}

func TestRealPrometheusBurnsTheBudgetAndSomebodyHears(t *testing.T) {
	w := newWorld(t)
	began := time.Now()
	var bad atomic.Int64
	w.provoke(&bad)
	// A counter that is not there yet has no increase when it appears: Prometheus
	// must have seen an error before errors can be counted.
	w.until(30*time.Second, "Prometheus counts its own errors", func() (bool, error) {
		v, err := w.prometheus.ask(t.Context(), `sum(prometheus_http_requests_total{code="400"})`, time.Now())
		return v > 0, err
	})
	if _, err := w.server.Apply(t.Context(), "real", fmt.Sprintf(documents, w.prometheus.URL, w.sink.HTTPURL())); err != nil {
		t.Fatal(err)
	}
	if err := w.node.Stop(); err != nil {
		t.Fatal(err)
	}
	fired := w.told(2*time.Minute+30*time.Second, "slo.alert_fired", "machine-is-there")
	if fired == nil {
		t.Fatal("the message says nothing")
	}
	w.told(2*time.Minute+30*time.Second, "slo.alert_fired", "prometheus-api")
	w.startNode()
	w.told(3*time.Minute, "slo.alert_resolved", "machine-is-there")

	w.compare("prometheus-api", began)
	w.compare("machine-is-there", began)
	w.compareTally("prometheus-api", began, &bad)
	if err := w.server.Stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
}

// compare asks Prometheus for each minute what the ledger says it holds, and
// computes budget and burn rate from the answers.
func (w *world) compare(name string, began time.Time) {
	t := w.t
	t.Helper()
	s := w.read(name, began.Add(-5*time.Minute).Truncate(time.Minute))
	if s.series.StepSeconds != 60 || len(s.series.Times) == 0 {
		t.Fatalf("%s: want values by the minute, got %d of %g s", name, len(s.series.Times), s.series.StepSeconds)
	}
	var good, total float64
	minutes := 0
	for i, at := range s.series.Times {
		if s.series.Total[i] == nil {
			continue
		}
		minutes++
		end := time.UnixMilli(at)
		ask, totals, parts := w.prometheus.ask, s.Queries.EvaluatedTotal, s.Queries.EvaluatedPart
		if name == "prometheus-api" {
			ask, totals, parts = w.prometheus.grown, "sum(prometheus_http_requests_total)", `sum(prometheus_http_requests_total{code=~"4..|5.."})`
		}
		wantTotal, err := ask(t.Context(), totals, end)
		if errors.Is(err, errFirstMinute) {
			good, total = good+*s.series.Good[i], total+*s.series.Total[i]
			continue
		}
		if err != nil {
			t.Errorf("%s, minute to %s: the ledger knows %g events, Prometheus none: %v", name, end.UTC().Format(time.TimeOnly), *s.series.Total[i], err)
			continue
		}
		part, err := ask(t.Context(), parts, end)
		if err != nil {
			part = 0 // no such series in that minute
		}
		wantGood := part
		if name == "prometheus-api" {
			wantGood = wantTotal - part
		}
		if !near(*s.series.Total[i], wantTotal) || !near(*s.series.Good[i], wantGood) {
			t.Errorf("%s, minute to %s: %g of %g good, Prometheus says %g of %g", name, end.UTC().Format(time.TimeOnly),
				*s.series.Good[i], *s.series.Total[i], wantGood, wantTotal)
		}
		good, total = good+wantGood, total+wantTotal
	}
	objective := map[string]float64{"prometheus-api": 0.99, "machine-is-there": 0.999}[name]
	burn := (total - good) / total / (1 - objective)
	if !near(s.Total, total) || !near(s.Good, good) || !near(s.BudgetLeft, 1-burn) || !near(s.BurnRates["1h"], burn) {
		t.Errorf("%s: %g of %g good, %g of the budget left, burn rate %g; by hand %g of %g, %g, %g",
			name, s.Good, s.Total, s.BudgetLeft, s.BurnRates["1h"], good, total, 1-burn, burn)
	}
	if s.BudgetLeft >= 0 || minutes < 2 {
		t.Errorf("%s: %g of the budget is left after %d minutes: nothing burned", name, s.BudgetLeft, minutes)
	}
	if !s.Exact {
		t.Errorf("%s is called estimated, and its events are counted from raw samples or are values of their own", name)
	}
	t.Logf("%s: %d minutes, %.1f of %.1f events good, burn rate %.1f, %.1f of the budget left, after %s",
		name, minutes, s.Good, s.Total, s.BurnRates["1h"], s.BudgetLeft, time.Since(began).Round(time.Second))
}

// near allows the rounding of the ledger, which keeps fractions to 24 bits.
func near(a, b float64) bool {
	return math.Abs(a-b) <= 1e-6*math.Max(1, math.Max(math.Abs(a), math.Abs(b)))
}

// compareTally holds the ledger's errors against the test's own count of them. A
// source that extrapolates is off by some scrapes at the ends.
func (w *world) compareTally(name string, began time.Time, bad *atomic.Int64) {
	w.t.Helper()
	s := w.read(name, began.Add(-5*time.Minute).Truncate(time.Minute))
	perMinute := float64(bad.Load()) / time.Since(began).Minutes()
	checked := 0
	for i, at := range s.series.Times {
		if s.series.Total[i] == nil || time.UnixMilli(at).Add(-time.Minute).Before(began) {
			continue // it began before the errors did
		}
		checked++
		if got := *s.series.Total[i] - *s.series.Good[i]; math.Abs(got-perMinute) > 0.1*perMinute {
			w.t.Errorf("%s: %g bad in a minute, and the test provoked %g", name, got, perMinute)
		}
	}
	if checked == 0 {
		w.t.Errorf("%s: no whole minute to compare", name)
	}
}
