package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/teiten/teiten/test/program"
)

// exporter serves two counters for each of many services, as the services
// themselves would.
func exporter(services int) *httptest.Server {
	began := time.Now().Add(-time.Hour)
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		var body strings.Builder
		body.WriteString("# TYPE bench_requests_total counter\n")
		seconds := int64(time.Since(began).Seconds())
		for i := range services {
			fmt.Fprintf(&body, "bench_requests_total{service=\"s%04d\",code=\"200\"} %d\n", i, seconds*int64(10+i%50))
			fmt.Fprintf(&body, "bench_requests_total{service=\"s%04d\",code=\"500\"} %d\n", i, seconds*int64(i%3)/60)
		}
		_, _ = w.Write([]byte(body.String())) // the scraper may be gone
	}))
}

// objectives are the documents: one service and one objective for each, over 30
// days, with a query of its own.
func objectives(n int) string { return objectivesOf(0, n) }

// objectivesOf are the documents of the services from the first to before the last.
func objectivesOf(first, last int) string {
	var b strings.Builder
	for i := first; i < last; i++ {
		fmt.Fprintf(&b, `---
apiVersion: openslo/v1
kind: Service
metadata: {name: s%04[1]d}
spec: {description: Made for a measurement.}
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: s%04[1]d-availability, displayName: Availability of service %[1]d}
spec:
  service: s%04[1]d
  indicator:
    metadata: {name: s%04[1]d-availability}
    spec:
      ratioMetric:
        counter: true
        good:
          metricSource: {type: Prometheus, spec: {query: 'sum(bench_requests_total{service="s%04[1]d",code!~"5.."})'}}
        total:
          metricSource: {type: Prometheus, spec: {query: 'sum(bench_requests_total{service="s%04[1]d"})'}}
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.999}]
`, i)
	}
	return b.String()
}

const scrapeInterval = "15s"

func scrapeConfig(target string) string { return scrapeConfigEvery(target, 15*time.Second) }

func scrapeConfigEvery(target string, interval time.Duration) string {
	return fmt.Sprintf("  - job_name: bench\n    scrape_interval: %s\n    static_configs: [{targets: [%q]}]\n", interval, strings.TrimPrefix(target, "http://"))
}

// embedded has many objectives evaluated on the embedded store, and looks at
// their list in a browser.
func (b *bench) embedded(ctx context.Context) error {
	services := exporter(b.slos)
	defer services.Close()
	file := filepath.Join(b.dir, "scrape.yaml")
	if err := os.WriteFile(file, []byte("scrape_configs:\n"+scrapeConfig(services.URL)), 0o600); err != nil {
		return err
	}
	s := program.New(program.Options{Binary: b.teiten, Data: filepath.Join(b.dir, "embedded"), Env: []string{
		"TEITEN_METRICS_EMBEDDED_SCRAPE_CONFIG_FILE=" + file, "TEITEN_LOG_LEVEL=info"}})
	if err := s.Start(ctx); err != nil {
		return err
	}
	defer s.Kill()
	if err := b.apply(ctx, s, objectives(b.slos), true); err != nil {
		return err
	}
	if err := b.rounds(ctx, s, "embedded store", 0); err != nil {
		return err
	}
	return b.browser(ctx, s)
}

// remote does the same on a Prometheus server.
func (b *bench) remote(ctx context.Context) error {
	if !there(program.PrometheusPath) {
		b.how("Prometheus is not installed: nothing was measured against it.")
		return nil
	}
	services := exporter(b.slos)
	defer services.Close()
	dir := filepath.Join(b.dir, "prometheus")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	prometheus, err := program.StartPrometheus(ctx, dir, scrapeConfig(services.URL), 15*time.Second)
	if err != nil {
		return err
	}
	defer prometheus.Stop()
	s := program.New(program.Options{Binary: b.teiten, Data: filepath.Join(b.dir, "remote"), Env: []string{
		"TEITEN_METRICS_EMBEDDED_ENABLED=false", "TEITEN_LOG_LEVEL=info"}})
	if err := s.Start(ctx); err != nil {
		return err
	}
	defer s.Kill()
	source := fmt.Sprintf("apiVersion: openslo/v1\nkind: DataSource\nmetadata: {name: prometheus, annotations: {teiten.dev/default: \"true\"}}\nspec: {type: Prometheus, connectionDetails: {url: %q, scrapeInterval: %s}}\n",
		prometheus.URL, scrapeInterval)
	if err := b.apply(ctx, s, source+objectives(b.slos), false); err != nil {
		return err
	}
	return b.rounds(ctx, s, "Prometheus", prometheus.PID())
}

func there(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// apply applies everything, and once more without a change.
func (b *bench) apply(ctx context.Context, s *program.Server, documents string, show bool) error {
	for _, what := range []string{"new", "unchanged"} {
		began := time.Now()
		if _, err := s.Apply(ctx, "bench", documents); err != nil {
			return err
		}
		if show {
			goal := ""
			if what == "new" {
				goal = "< 5 s"
			}
			b.add(fmt.Sprintf("apply of %d SLOs, %s", b.slos, what), ms(time.Since(began)), goal)
		}
	}
	if show {
		b.how(fmt.Sprintf("apply: one POST of %d SLO and as many Service documents, until the answer.", b.slos))
	}
	return nil
}

// rounds waits until the past was read, and looks at whole minutes of
// evaluation.
func (b *bench) rounds(ctx context.Context, s *program.Server, on string, other int) error {
	began := time.Now()
	if err := b.caughtUp(ctx, s); err != nil {
		return err
	}
	b.add(fmt.Sprintf("back-fill of %d SLOs over 30 d, %s", b.slos, on), ms(time.Since(began)), "")
	pids := []int{s.PID()}
	if other != 0 {
		pids = append(pids, other)
	}
	if err := rest(ctx, 20*time.Second); err != nil {
		return err
	}
	before, err := metrics(ctx, s)
	if err != nil {
		return err
	}
	cpu, err := used(ctx, b.watch, pids...)
	if err != nil {
		return err
	}
	after, err := metrics(ctx, s)
	if err != nil {
		return err
	}
	minutes := b.watch.Minutes()
	round := (after["teiten_slo_round_duration_seconds_sum"] - before["teiten_slo_round_duration_seconds_sum"]) / minutes
	count := (after["teiten_slo_evaluations_total"] - before["teiten_slo_evaluations_total"]) / minutes
	b.add(fmt.Sprintf("round of %.0f SLOs, %s", count, on), ms(time.Duration(round*float64(time.Second))), "")
	b.add(fmt.Sprintf("CPU of Teiten per minute, %s", on), fmt.Sprintf("%s (%s)", ms(cpu[s.PID()]/time.Duration(minutes)), share(cpu[s.PID()], b.watch)), "")
	if other != 0 {
		b.add("CPU of Prometheus per minute", fmt.Sprintf("%s (%s)", ms(cpu[other]/time.Duration(minutes)), share(cpu[other], b.watch)), "")
	}
	all, own, err := memory(s.PID())
	if err != nil {
		return err
	}
	b.add(fmt.Sprintf("memory with %d SLOs, %s", b.slos, on), fmt.Sprintf("%s (%s its own)", megabytes(all), megabytes(own)), "")
	b.how(fmt.Sprintf("round on %s: %d objectives with two queries of their own each over %d counters scraped every %s; the program's own teiten_slo_round_duration_seconds, summed over one minute, and user+system time from /proc over %s, scraping and storing included. A remote source is asked over 20 s, so that the work of a minute is several short rounds. Back-fill reads 30 days that hold nothing but the last minutes.",
		on, b.slos, 2*b.slos, scrapeInterval, b.watch))
	return nil
}

// caughtUp waits until the past of every objective was read.
func (b *bench) caughtUp(ctx context.Context, s *program.Server) error {
	deadline := time.Now().Add(20 * time.Minute)
	for {
		left, err := unread(ctx, s)
		if err != nil || left == 0 {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the past of %d objectives is still unread", left)
		}
		if err := rest(ctx, time.Second); err != nil {
			return err
		}
	}
}

// unread is how many objectives have a past that was not read yet.
func unread(ctx context.Context, s *program.Server) (int, error) {
	var x struct{ Status []string }
	if err := s.Get(ctx, "/api/v1/slos/budgets", &x); err != nil {
		return 0, err
	}
	n := 0
	for _, status := range x.Status {
		if status == "backfilling" || status == "unknown" {
			n++
		}
	}
	return n, nil
}

// browser opens the list of objectives in Chromium.
func (b *bench) browser(ctx context.Context, s *program.Server) error {
	modules := filepath.Join(b.root, "test/browser")
	if !there(filepath.Join(modules, "node_modules/playwright-core")) {
		b.how("the browser tests' packages are not installed (make e2e does): the list was not opened.")
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", filepath.Join(b.root, "test/bench/load.mjs"), modules, s.URL, program.Login, program.Password, strconv.Itoa(b.slos))
	cmd.WaitDelay = 5 * time.Second // a browser that stays behind holds the pipe
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("open the list: %w: %s", err, out)
	}
	first, cached, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	b.add(fmt.Sprintf("SLO list with %d rows, nothing cached", b.slos), first+" ms", "")
	b.add(fmt.Sprintf("SLO list with %d rows, bundle cached", b.slos), cached+" ms", "< 1 s")
	b.how("SLO list: Debian's Chromium through playwright-core, from navigation until the list stands with its first rows and its count; cached is the median of five loads.")
	return nil
}
