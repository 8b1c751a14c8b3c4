package main

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/teiten/teiten/observe/metrics/embedded"
	"github.com/teiten/teiten/test/program"
)

const (
	peerRaw  = 73 * time.Hour
	peerPast = 30 * 24 * time.Hour
)

// past writes blocks with three days of the counters, as the longest raw window
// of the rules reads, and thirty days of the recorded ratio that the rules of the
// whole period read.
func (c crowd) past(ctx context.Context, dir, instance string) error {
	store, err := embedded.Open(ctx, embedded.Options{Dir: dir, RetentionTime: 60 * 24 * time.Hour})
	if err != nil {
		return err
	}
	now := time.Now().Truncate(scrapeEvery)
	var series []map[string]string
	var rows []row
	for r := range c.rows(0, c.services) {
		l := r.labels("bench_requests_total")
		l["instance"] = instance
		series, rows = append(series, l), append(rows, r)
	}
	for s := range c.services {
		series = append(series, map[string]string{"__name__": ratioMetric("5m"), "slo_service": fmt.Sprintf("s%04d", s), "window": "5m"})
	}
	err = store.Import(ctx, series, func(yield func(embedded.Sample) bool) {
		for t := now.Add(-peerPast); t.Before(now); t = t.Add(scrapeEvery) {
			for i := range series {
				v := 0.0002
				if i < len(rows) {
					if now.Sub(t) > peerRaw {
						continue
					}
					v = float64(c.at(rows[i], t))
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

// contest is what runs side by side in the part peer.
type contest struct {
	plain, ruled   *program.Daemon // Prometheus over few services, without rules and with
	bare, teiten   *program.Server // Teiten over many, without objectives and with
	unasked, asked *program.Daemon // Prometheus over many, alone and asked by
	remote         *program.Server // Teiten
}

// peer runs at the same time Prometheus without rules and with rules for some
// objectives, Teiten with its own store without objectives and with many, and
// Prometheus alone and with a Teiten that asks it, and shows what one objective
// costs each of the three in each round beyond scraping.
func (b *bench) peer(ctx context.Context) (err error) {
	if !there(program.PrometheusPath) {
		b.how("Prometheus is not installed: nothing was compared with it.")
		return nil
	}
	few, many := newCrowd(b.peers), newCrowd(b.slos)
	fewServices, manyServices := few.serve(), many.serve()
	defer fewServices.Close()
	defer manyServices.Close()
	var x contest
	defer func() { err = errors.Join(err, x.stop()) }()
	if x.plain, err = b.peerPrometheus(ctx, few, fewServices, "peer-plain", ""); err != nil {
		return err
	}
	if x.ruled, err = b.peerPrometheus(ctx, few, fewServices, "peer-rules", rules(b.peers)); err != nil {
		return err
	}
	if x.unasked, err = b.startPrometheus(ctx, filepath.Join(b.dir, "peer-unasked"), many.scrapes(manyServices)); err != nil {
		return err
	}
	if x.asked, err = b.startPrometheus(ctx, filepath.Join(b.dir, "peer-asked"), many.scrapes(manyServices)); err != nil {
		return err
	}
	if x.bare, err = b.server(many, manyServices, "peer-bare"); err != nil {
		return err
	}
	if x.teiten, err = b.server(many, manyServices, "peer-teiten"); err != nil {
		return err
	}
	x.remote = program.New(program.Options{Binary: b.teiten, Data: filepath.Join(b.dir, "peer-remote"), Env: []string{"TEITEN_METRICS_EMBEDDED_ENABLED=false"}})
	for _, s := range []*program.Server{x.bare, x.teiten, x.remote} {
		if err := s.Start(ctx); err != nil {
			return err
		}
	}
	if err := b.applyCrowd(ctx, x.teiten, 0, b.slos); err != nil {
		return err
	}
	if _, err := x.remote.Apply(ctx, "source", sourceAt(x.asked.URL)); err != nil {
		return err
	}
	if err := b.applyCrowd(ctx, x.remote, 0, b.slos); err != nil {
		return err
	}
	for _, s := range []*program.Server{x.teiten, x.remote} {
		if err := b.caughtUp(ctx, s); err != nil {
			return err
		}
	}
	// Every group of rules was evaluated, and what is read of a young objective
	// more than once was.
	if err := rest(ctx, 5*time.Minute); err != nil {
		return err
	}
	return b.compare(ctx, &x)
}

func (x *contest) stop() (err error) {
	for _, d := range []*program.Daemon{x.plain, x.ruled, x.unasked, x.asked} {
		if d != nil {
			err = errors.Join(err, d.Stop())
		}
	}
	for _, s := range []*program.Server{x.bare, x.teiten, x.remote} {
		if s != nil {
			err = errors.Join(err, s.Kill())
		}
	}
	return err
}

// compare looks at all of them over the same minutes.
func (b *bench) compare(ctx context.Context, x *contest) error {
	pids := []int{x.plain.PID(), x.ruled.PID(), x.unasked.PID(), x.asked.PID(), x.bare.PID(), x.teiten.PID(), x.remote.PID()}
	cpu, err := used(ctx, b.watch, pids...)
	if err != nil {
		return err
	}
	ruled := each(cpu[x.ruled.PID()], cpu[x.plain.PID()], b.watch, b.peers)
	own := each(cpu[x.teiten.PID()], cpu[x.bare.PID()], b.watch, b.slos)
	asked := each(cpu[x.asked.PID()], cpu[x.unasked.PID()], b.watch, b.slos)
	remote := each(cpu[x.remote.PID()], 0, b.watch, b.slos)
	ratio := func(d time.Duration) string {
		return fmt.Sprintf("%.0f ×", ruled.Seconds()/max(d, time.Nanosecond).Seconds())
	}
	b.add(fmt.Sprintf("CPU for each SLO and round: Prometheus with rules (%d SLOs)", b.peers), us(ruled), "")
	b.add(fmt.Sprintf("CPU for each SLO and round: Teiten, embedded store (%d SLOs)", b.slos), us(own), "≤ 57 µs, stretch 5.7")
	b.add("Prometheus with rules / Teiten, embedded store", ratio(own), "≥ 1,000 ×")
	b.add("CPU for each SLO and round: Prometheus that is asked + Teiten", us(asked+remote)+" ("+us(asked)+" + "+us(remote)+")", "≤ 285 µs")
	b.add("Prometheus with rules / Prometheus that is asked + Teiten", ratio(asked+remote), "≥ 200 ×")
	b.add(fmt.Sprintf("scraping alone, %d series: Teiten / Prometheus", 10*b.slos), share(cpu[x.bare.PID()], b.watch)+" / "+share(cpu[x.unasked.PID()], b.watch), "")
	for _, m := range []struct {
		what string
		pid  int
		less int
	}{
		{fmt.Sprintf("memory, Prometheus with rules (%d SLOs)", b.peers), x.ruled.PID(), x.plain.PID()},
		{fmt.Sprintf("memory, Teiten, embedded store (%d SLOs)", b.slos), x.teiten.PID(), x.bare.PID()},
	} {
		all, _, err := memory(m.pid)
		if err != nil {
			return err
		}
		without, _, err := memory(m.less)
		if err != nil {
			return err
		}
		b.add(m.what+", of which without objectives", megabytes(all)+", "+megabytes(without), "")
	}
	b.how(fmt.Sprintf("CPU for each SLO and round: seven processes side by side over the same %s; user+system time from /proc, less that of the same program scraping the same counters without objectives, for each objective and %s; ten series for each objective, scraped every %[2]s. Prometheus holds three days of counters and thirty of the recorded ratio for %[3]d objectives, and evaluates seventeen rules for each every 30 s (its cost grows in proportion to their number). Teiten holds %d; ledger, windows and alerts are written durably each minute.", b.watch, scrapeEvery, b.peers, b.slos))
	return nil
}

// each is the cost of one objective in one round.
func each(with, without, over time.Duration, objectives int) time.Duration {
	rounds := float64(over) / float64(scrapeEvery)
	return time.Duration(float64(with-without) / rounds / float64(objectives))
}

func us(d time.Duration) string { return fmt.Sprintf("%.1f µs", float64(d)/1e3) }

// peerPrometheus starts Prometheus with a past, and with rules where there are any.
func (b *bench) peerPrometheus(ctx context.Context, c crowd, services *httptest.Server, name, rules string) (*program.Daemon, error) {
	dir := filepath.Join(b.dir, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	if err := c.past(ctx, filepath.Join(dir, "tsdb"), strings.TrimPrefix(services.URL, "http://")); err != nil {
		return nil, err
	}
	config := c.scrapes(services)
	if rules != "" {
		if err := os.WriteFile(filepath.Join(dir, "rules.yml"), []byte(rules), 0o600); err != nil {
			return nil, err
		}
		config += "rule_files: [rules.yml]\n"
	}
	return b.startPrometheus(ctx, dir, config)
}

func (b *bench) startPrometheus(ctx context.Context, dir, config string) (*program.Daemon, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	return program.StartPrometheus(ctx, dir, config, scrapeEvery)
}

// sourceAt is the document of a Prometheus server that is asked.
func sourceAt(url string) string {
	return fmt.Sprintf("apiVersion: openslo/v1\nkind: DataSource\nmetadata: {name: prometheus, annotations: {teiten.dev/default: \"true\"}}\nspec: {type: Prometheus, connectionDetails: {url: %q, scrapeInterval: %s}}\n", url, scrapeEvery)
}
