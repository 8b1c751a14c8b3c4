package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/teiten/teiten/observe/metrics/embedded"
	"github.com/teiten/teiten/test/program"
)

const (
	peerScrape = 30 * time.Second
	peerPods   = 5 // of each service; two series each
	peerRaw    = 73 * time.Hour
	peerPast   = 30 * 24 * time.Hour
)

// shopfront serves ten series for each service: a good and a bad counter of each
// of its pods. What a counter says follows from the time alone, so that a history
// made beforehand goes on in it.
type shopfront struct {
	services int
	base     time.Time
}

// row is one counter.
type row struct {
	service, pod int
	code         string
}

func (f shopfront) rows() iter.Seq[row] {
	return func(yield func(row) bool) {
		for s := range f.services {
			for p := range peerPods {
				if !yield(row{s, p, "200"}) || !yield(row{s, p, "500"}) {
					return
				}
			}
		}
	}
}

func (f shopfront) at(r row, t time.Time) float64 {
	seconds := int64(t.Sub(f.base) / time.Second)
	if r.code == "200" {
		return float64(seconds * int64(1+r.service%7))
	}
	return float64(seconds / int64(2000+100*r.pod))
}

func (r row) labels(name string) map[string]string {
	return map[string]string{"__name__": name, "job": "bench", "service": fmt.Sprintf("s%04d", r.service),
		"pod": fmt.Sprintf("p%d", r.pod), "code": r.code, "instance": "INSTANCE"}
}

func (f shopfront) serve() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		var body strings.Builder
		body.WriteString("# TYPE bench_requests_total counter\n")
		now := time.Now()
		for r := range f.rows() {
			fmt.Fprintf(&body, "bench_requests_total{service=\"s%04d\",pod=\"p%d\",code=%q} %.0f\n", r.service, r.pod, r.code, f.at(r, now))
		}
		_, _ = w.Write([]byte(body.String())) // the scraper may be gone
	}))
}

// past writes blocks with three days of the counters, as the longest raw window
// of the rules reads, and thirty days of the recorded ratio that the rules of the
// whole period read.
func (f shopfront) past(ctx context.Context, dir, instance string) error {
	store, err := embedded.Open(ctx, embedded.Options{Dir: dir, RetentionTime: 60 * 24 * time.Hour})
	if err != nil {
		return err
	}
	now := time.Now().Truncate(peerScrape)
	var series []map[string]string
	var rows []row
	for r := range f.rows() {
		l := r.labels("bench_requests_total")
		l["instance"] = instance
		series, rows = append(series, l), append(rows, r)
	}
	for s := range f.services {
		series = append(series, map[string]string{"__name__": ratioMetric("5m"), "slo_service": fmt.Sprintf("s%04d", s), "window": "5m"})
	}
	err = store.Import(ctx, series, func(yield func(embedded.Sample) bool) {
		for t := now.Add(-peerPast); t.Before(now); t = t.Add(peerScrape) {
			for i := range series {
				v := 0.0002
				if i < len(rows) {
					if now.Sub(t) > peerRaw {
						continue
					}
					v = f.at(rows[i], t)
				}
				if !yield(embedded.Sample{Series: i, T: t.UnixMilli(), V: v}) {
					return
				}
			}
		}
	}, nil)
	return errors.Join(err, store.Close())
}

func ratioMetric(window string) string { return "bench:sli_error:ratio_rate" + window }

// rules are recording and alerting rules in the manner that rule generators
// write for one objective each: the error ratio of eight windows, what follows
// from them, and two alerts; seventeen in all.
func rules(services int) string {
	var b strings.Builder
	b.WriteString("groups:\n")
	for s := range services {
		id := fmt.Sprintf("s%04d", s)
		fmt.Fprintf(&b, "- name: ratios-%s\n  interval: 30s\n  rules:\n", id)
		record := func(name, labels, expr string) {
			fmt.Fprintf(&b, "  - {record: %q, labels: {slo_service: %s%s}, expr: %q}\n", name, id, labels, expr)
		}
		for _, w := range []string{"5m", "30m", "1h", "2h", "6h", "1d", "3d"} {
			record(ratioMetric(w), ", window: "+w, fmt.Sprintf(
				`sum(rate(bench_requests_total{service="%[1]s",code=~"5.."}[%[2]s])) / sum(rate(bench_requests_total{service="%[1]s"}[%[2]s]))`, id, w))
		}
		record(ratioMetric("30d"), ", window: 30d", fmt.Sprintf(
			`sum_over_time(%[1]s{slo_service="%[2]s"}[30d]) / ignoring(window) count_over_time(%[1]s{slo_service="%[2]s"}[30d])`, ratioMetric("5m"), id))
		record("bench:objective:ratio", "", "vector(0.999)")
		record("bench:error_budget:ratio", "", "vector(1-0.999)")
		record("bench:period:days", "", "vector(30)")
		for name, window := range map[string]string{"bench:current_burn_rate:ratio": "5m", "bench:period_burn_rate:ratio": "30d"} {
			record(name, "", fmt.Sprintf(`%s{slo_service="%s"} / on(slo_service) group_left bench:error_budget:ratio{slo_service="%s"}`, ratioMetric(window), id, id))
		}
		record("bench:budget_remaining:ratio", "", fmt.Sprintf(`1 - bench:period_burn_rate:ratio{slo_service="%s"}`, id))
		record("bench:info", "", "vector(1)")
		pair := func(long, short, factor string) string {
			return fmt.Sprintf(`(max(%s{slo_service="%s"} > (%s * 0.001)) and max(%s{slo_service="%[2]s"} > (%[3]s * 0.001)))`,
				ratioMetric(long), id, factor, ratioMetric(short))
		}
		for name, expr := range map[string]string{
			"BenchPage":   pair("1h", "5m", "14.4") + " or " + pair("6h", "30m", "6"),
			"BenchTicket": pair("1d", "2h", "3") + " or " + pair("3d", "6h", "1"),
		} {
			fmt.Fprintf(&b, "  - {alert: %s, labels: {slo_service: %s}, expr: %q}\n", name, id, expr)
		}
	}
	return b.String()
}

// peer runs Prometheus without rules, with rules for some objectives, and Teiten
// with many, over the same counters, one after the other, and shows what one
// objective costs in each round beyond scraping.
func (b *bench) peer(ctx context.Context) error {
	if !there(program.PrometheusPath) {
		b.how("Prometheus is not installed: nothing was compared with it.")
		return nil
	}
	few, err := b.peerPrometheus(ctx)
	if err != nil {
		return err
	}
	many, err := b.peerTeiten(ctx)
	if err != nil {
		return err
	}
	b.add("CPU for each SLO and round: Prometheus with rules", us(few), "")
	b.add("CPU for each SLO and round: Teiten, embedded store", us(many), "≤ 57 µs")
	b.add("Prometheus with rules / Teiten", fmt.Sprintf("%.0f ×", few.Seconds()/max(many, time.Nanosecond).Seconds()), "≥ 1,000 ×")
	b.how(fmt.Sprintf("CPU for each SLO and round: user+system time from /proc over %s, less that of the same program scraping the same counters without objectives, for each objective and 30 s; ten series for each objective, scraped every 30 s. Prometheus holds three days of counters and thirty of the recorded ratio for %d objectives, and evaluates seventeen rules for each every 30 s (its cost grows in proportion). Teiten holds %d, with ledger, alerts and figures written durably each minute.", b.watch, b.peers, b.slos))
	return nil
}

// each is the cost of one objective in one round.
func each(with, without, over time.Duration, objectives int) time.Duration {
	rounds := float64(over) / float64(peerScrape)
	return time.Duration(float64(with-without) / rounds / float64(objectives))
}

func us(d time.Duration) string { return fmt.Sprintf("%.1f µs", float64(d)/1e3) }

func (b *bench) peerPrometheus(ctx context.Context) (time.Duration, error) {
	f := shopfront{services: b.peers, base: time.Now().AddDate(0, 0, -90)}
	services := f.serve()
	defer services.Close()
	var cost []time.Duration
	for i, with := range []bool{false, true} {
		dir := filepath.Join(b.dir, fmt.Sprintf("peer-%d", i))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return 0, err
		}
		if err := f.past(ctx, filepath.Join(dir, "tsdb"), strings.TrimPrefix(services.URL, "http://")); err != nil {
			return 0, err
		}
		config := scrapeConfigEvery(services.URL, peerScrape)
		if with {
			if err := os.WriteFile(filepath.Join(dir, "rules.yml"), []byte(rules(b.peers)), 0o600); err != nil {
				return 0, err
			}
			config += "rule_files: [rules.yml]\n"
		}
		cpu, err := b.watchPrometheus(ctx, dir, config)
		if err != nil {
			return 0, err
		}
		cost = append(cost, cpu)
	}
	return each(cost[1], cost[0], b.watch, b.peers), nil
}

func (b *bench) watchPrometheus(ctx context.Context, dir, config string) (time.Duration, error) {
	p, err := program.StartPrometheus(ctx, dir, config, peerScrape)
	if err != nil {
		return 0, err
	}
	defer p.Stop()
	if err := rest(ctx, time.Minute); err != nil { // every group was evaluated once
		return 0, err
	}
	cpu, err := used(ctx, b.watch, p.PID())
	return cpu[p.PID()], err
}

func (b *bench) peerTeiten(ctx context.Context) (time.Duration, error) {
	f := shopfront{services: b.slos, base: time.Now().AddDate(0, 0, -90)}
	services := f.serve()
	defer services.Close()
	file := filepath.Join(b.dir, "peer-scrape.yaml")
	if err := os.WriteFile(file, []byte("scrape_configs:\n"+scrapeConfigEvery(services.URL, peerScrape)), 0o600); err != nil {
		return 0, err
	}
	s := program.New(program.Options{Binary: b.teiten, Data: filepath.Join(b.dir, "peer-teiten"), Env: []string{
		"TEITEN_METRICS_EMBEDDED_SCRAPE_CONFIG_FILE=" + file}})
	if err := s.Start(ctx); err != nil {
		return 0, err
	}
	defer s.Kill()
	if err := rest(ctx, time.Minute); err != nil {
		return 0, err
	}
	without, err := used(ctx, b.watch, s.PID())
	if err != nil {
		return 0, err
	}
	if err := b.apply(ctx, s, objectives(b.slos), false); err != nil {
		return 0, err
	}
	if err := b.caughtUp(ctx, s); err != nil {
		return 0, err
	}
	if err := rest(ctx, time.Minute); err != nil {
		return 0, err
	}
	with, err := used(ctx, b.watch, s.PID())
	if err != nil {
		return 0, err
	}
	all, own, err := memory(s.PID())
	if err != nil {
		return 0, err
	}
	b.add(fmt.Sprintf("memory with %d SLOs of ten series, embedded store", b.slos), fmt.Sprintf("%s (%s its own)", megabytes(all), megabytes(own)), "")
	return each(with[s.PID()], without[s.PID()], b.watch, b.slos), nil
}
