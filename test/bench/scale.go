package main

import (
	"context"
	"fmt"
	"time"

	"github.com/teiten/teiten/test/program"
)

// scale runs thousands of objectives over ten series each, from the embedded
// store.
func (b *bench) scale(ctx context.Context) error {
	for _, n := range b.sizes {
		if err := b.scaleTo(ctx, n); err != nil {
			return fmt.Errorf("%d objectives: %w", n, err)
		}
	}
	b.how(fmt.Sprintf("many SLOs: one process with its embedded store scrapes ten series for each objective every %s; user+system time from /proc over %s, first without objectives (ingest), then with them (all). The difference is what objectives cost: counting, windows, rules and durable writes. Restart: from exec until the list answers with every budget as it was before the process was ended.", scrapeEvery, b.watch))
	return nil
}

// confined is what the process is given where the goal names it.
var confined = map[int][]string{100_000: {"GOMAXPROCS=1", "GOMEMLIMIT=3500MiB"}}

func (b *bench) scaleTo(ctx context.Context, n int) error {
	c := newCrowd(n)
	services := c.serve()
	defer services.Close()
	s, err := b.server(c, services, fmt.Sprintf("scale-%d", n), confined[n]...)
	if err != nil {
		return err
	}
	if err := s.Start(ctx); err != nil {
		return err
	}
	defer s.Kill()
	if err := rest(ctx, 45*time.Second); err != nil { // everything was scraped once
		return err
	}
	ingest, err := used(ctx, b.watch, s.PID())
	if err != nil {
		return err
	}
	scraped, _, err := memory(s.PID())
	if err != nil {
		return err
	}
	began := time.Now()
	if err := b.applyCrowd(ctx, s, 0, n); err != nil {
		return err
	}
	b.add(fmt.Sprintf("apply of %d SLOs, a thousand at a time", n), ms(time.Since(began)), "")
	if err := b.caughtUp(ctx, s); err != nil {
		return err
	}
	if err := rest(ctx, time.Minute); err != nil {
		return err
	}
	all, err := used(ctx, b.watch, s.PID())
	if err != nil {
		return err
	}
	resident, _, err := memory(s.PID())
	if err != nil {
		return err
	}
	pid := s.PID()
	b.add(fmt.Sprintf("%d SLOs: ingest alone", n), share(ingest[pid], b.watch), "")
	b.add(fmt.Sprintf("%d SLOs: ingest and objectives", n), share(all[pid], b.watch), map[int]string{10_000: "≤ 50 % of a core", 100_000: "≤ 100 % of a core"}[n])
	b.add(fmt.Sprintf("%d SLOs: CPU for each SLO and round", n), us(each(all[pid], ingest[pid], b.watch, n)), "≤ 57 µs, stretch 5.7")
	b.add(fmt.Sprintf("%d SLOs: memory, of which for ingest", n), megabytes(resident)+", "+megabytes(scraped), map[int]string{100_000: "≤ 4096 MB"}[n])
	b.add(fmt.Sprintf("%d SLOs: memory for each SLO", n), fmt.Sprintf("%.1f KB", float64(resident-scraped)/1024/float64(n)), "≤ 20 KB")
	return b.restart(ctx, s, n)
}

// restart ends the process and starts it again.
func (b *bench) restart(ctx context.Context, s *program.Server, n int) error {
	was, err := budgets(ctx, s)
	if err != nil {
		return err
	}
	if err := s.Stop(); err != nil {
		return err
	}
	began := time.Now()
	if err := s.Start(ctx); err != nil {
		return err
	}
	now, err := budgets(ctx, s)
	if err != nil {
		return err
	}
	took := time.Since(began)
	differ := 0
	for name, left := range was {
		if now[name] != left {
			differ++
		}
	}
	b.add(fmt.Sprintf("%d SLOs: restart until every budget is shown", n), fmt.Sprintf("%s, %d of %d differ", ms(took), differ, len(was)), map[int]string{10_000: "≤ 5 s"}[n])
	return nil
}

// budgets are what is left of each budget, as the heat map is given it.
func budgets(ctx context.Context, s *program.Server) (map[string]float64, error) {
	var x struct {
		Names []string
		Left  []*float64
	}
	if err := s.Get(ctx, "/api/v1/slos/budgets", &x); err != nil {
		return nil, err
	}
	all := make(map[string]float64, len(x.Names))
	for i, name := range x.Names {
		if x.Left[i] != nil {
			all[name] = *x.Left[i]
		}
	}
	return all, nil
}
