package real_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/teiten/teiten/test/program"
)

// sold is an objective on what a Prometheus sends.
const sold = `apiVersion: openslo/v1
kind: Service
metadata: {name: shop}
spec: {description: A service that a Prometheus elsewhere scrapes.}
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: sold, annotations: {teiten.dev/settle: 5s}}
spec:
  service: shop
  indicator:
    metadata: {name: sold}
    spec:
      ratioMetric:
        counter: true
        bad:
          metricSource: {metricSourceRef: embedded, type: Prometheus, spec: {query: 'sum(shop_requests_total{code="500"})'}}
        total:
          metricSource: {metricSourceRef: embedded, type: Prometheus, spec: {query: sum(shop_requests_total)}}
  timeWindow: [{duration: 1d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.99}]
`

// shop counts what it does, as a program that is scraped.
type shop struct {
	mu        sync.Mutex
	good, bad int
}

func (s *shop) work(good, bad int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.good, s.bad = s.good+good, s.bad+bad
}

// ServeHTTP shows the counters.
func (s *shop) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	_, _ = fmt.Fprintf(w, "# TYPE shop_requests_total counter\nshop_requests_total{code=\"200\"} %d\nshop_requests_total{code=\"500\"} %d\n", s.good, s.bad)
}

// A Prometheus elsewhere scrapes a shop and sends it on. Whichever of the two is
// killed in between, what is counted is what the shop did.
func TestWhatRealPrometheusSendsIsCountedAcrossTheDeathOfEither(t *testing.T) {
	if _, err := os.Stat(program.PrometheusPath); err != nil || testing.Short() {
		t.Skip("needs Prometheus, and two minutes")
	}
	ctx := t.Context()
	s := &shop{}
	target := httptest.NewServer(s)
	defer target.Close()

	address, err := program.FreeAddress(ctx)
	if err != nil {
		t.Fatal(err)
	}
	bin, err := program.Build(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	server := program.New(program.Options{Binary: bin, Data: filepath.Join(t.TempDir(), "data"), Env: []string{"TEITEN_LISTEN=" + address}})
	if err := server.Start(ctx); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = server.Kill() }() // the test is over
	dir := t.TempDir()
	host, _ := url.Parse(target.URL)
	jobs := fmt.Sprintf("  - job_name: shop\n    static_configs: [{targets: [%q]}]\nremote_write:\n  - url: http://%s/api/v1/write\n    authorization: {credentials: %s}\n    queue_config: {batch_send_deadline: 1s, max_backoff: 1s}\n",
		host.Host, address, server.Token)
	prometheus, err := program.StartPrometheus(ctx, dir, jobs, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = prometheus.Stop() }() // the test is over

	stored := func() (total float64) {
		var answer struct {
			Series []struct{ Values []*float64 }
		}
		if err := server.Get(ctx, "/api/v1/query?query="+url.QueryEscape("sum(shop_requests_total)"), &answer); err != nil || len(answer.Series) == 0 || answer.Series[0].Values[0] == nil {
			return -1
		}
		return *answer.Series[0].Values[0]
	}
	await(t, time.Minute, "the shop is known", func() bool { return stored() == 0 })
	if _, err := server.Apply(ctx, "real", sold); err != nil {
		t.Fatal(err)
	}
	good, bad := 0, 0
	work := func(times int) {
		for range times {
			s.work(7, 1)
			good, bad = good+7, bad+1
			time.Sleep(200 * time.Millisecond)
		}
	}
	work(20)
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	work(20) // Prometheus keeps what it cannot send
	if err := server.Start(ctx); err != nil {
		t.Fatal(err)
	}
	work(20)
	if err := prometheus.Stop(); err != nil {
		t.Fatal(err)
	}
	work(10)
	if prometheus, err = program.StartPrometheus(ctx, dir, jobs, time.Second); err != nil {
		t.Fatal(err)
	}
	work(10)
	await(t, time.Minute, "all is sent", func() bool { return stored() == float64(good+bad) })

	var said string
	await(t, 3*time.Minute, "all is counted", func() bool {
		var counts struct{ Bad, Total []*float64 }
		if err := server.Get(ctx, "/api/v1/slos/sold/events?step=minute", &counts); err != nil {
			t.Fatal(err)
		}
		var total, failed float64
		for i := range counts.Total {
			if counts.Total[i] != nil {
				total, failed = total+*counts.Total[i], failed+*counts.Bad[i]
			}
		}
		said = fmt.Sprintf("%v bad of %v are counted, the shop did %d of %d", failed, total, bad, good+bad)
		return total == float64(good+bad) && failed == float64(bad)
	})
	t.Log(said)
}

// await looks until something is so.
func await(t *testing.T, most time.Duration, what string, so func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), most)
	defer cancel()
	for !so() {
		select {
		case <-ctx.Done():
			t.Fatalf("not within %s: %s", most, what)
		case <-time.After(300 * time.Millisecond):
		}
	}
}
