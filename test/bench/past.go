package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/teiten/teiten/observe/metrics/embedded"
	"github.com/teiten/teiten/test/program"
)

const pastDays = 30

// past gives the embedded store thirty days of ten series for each objective, and
// then has objectives defined over them.
func (b *bench) past(ctx context.Context) error {
	c := newCrowd(b.pasts)
	services := c.serve()
	defer services.Close()
	s, err := b.server(c, services, "past")
	if err != nil {
		return err
	}
	data := filepath.Join(b.dir, "past")
	began := time.Now()
	if err := c.history(ctx, filepath.Join(data, "metrics"), strings.TrimPrefix(services.URL, "http://")); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "  history of %d services written in %s\n", b.pasts, ms(time.Since(began)))
	if err := s.Start(ctx); err != nil {
		return err
	}
	defer s.Kill()
	if err := rest(ctx, 2*scrapeEvery); err != nil {
		return err
	}
	before, err := databaseSize(ctx, s, data)
	if err != nil {
		return err
	}
	if err := b.newObjectives(ctx, s, 0, 1); err != nil {
		return err
	}
	if err := b.newObjectives(ctx, s, 1, b.pasts); err != nil {
		return err
	}
	if err := b.corrected(ctx, s); err != nil {
		return err
	}
	after, err := databaseSize(ctx, s, data)
	if err != nil {
		return err
	}
	perMinute := float64(after-before) / float64(b.pasts*pastDays*24*60)
	b.add("ledger on disk for each SLO-minute", fmt.Sprintf("%.2f bytes", perMinute), "≤ 4 bytes")
	for _, n := range []int{1_000, 10_000, 100_000} {
		b.add(fmt.Sprintf("ledger, growth a day for %d SLOs", n), megabytes(int64(perMinute*24*60*float64(n))), "")
	}
	b.how(fmt.Sprintf("past: the embedded store holds %d days of ten series for each of %d services, a sample every %s with counts that vary; objectives over 30 days are applied, and their list is asked until it has read the past. Ledger: growth of the database file by that, indexes and all, divided by the minutes.", pastDays, b.pasts, scrapeEvery))
	return nil
}

// history writes the whole past of the counters.
func (c crowd) history(ctx context.Context, dir, instance string) error {
	store, err := embedded.Open(ctx, embedded.Options{Dir: dir})
	if err != nil {
		return err
	}
	const atOnce = 100 // services
	now := time.Now().Truncate(scrapeEvery)
	for first := 0; first < c.services && err == nil; first += atOnce {
		var series []map[string]string
		var rows []row
		for r := range c.rows(first, first+atOnce) {
			l := r.labels("bench_requests_total")
			l["instance"] = instance
			series, rows = append(series, l), append(rows, r)
		}
		err = store.Import(ctx, series, func(yield func(embedded.Sample) bool) {
			for t := now.AddDate(0, 0, -pastDays).Add(-time.Hour); t.Before(now); t = t.Add(scrapeEvery) {
				for i, r := range rows {
					if !yield(embedded.Sample{Series: i, T: t.UnixMilli(), V: float64(c.at(r, t))}) {
						return
					}
				}
			}
		}, nil)
	}
	return errors.Join(err, store.Close())
}

// newObjectives applies objectives and waits until their past was read.
func (b *bench) newObjectives(ctx context.Context, s *program.Server, first, last int) error {
	if err := b.applyCrowd(ctx, s, first, last); err != nil {
		return err
	}
	began := time.Now()
	cpu, err := cpuTime(s.PID())
	if err != nil {
		return err
	}
	pause := 5 * time.Millisecond // to ask for the list is work, too
	if last-first > 1 {
		pause = time.Second
	}
	for {
		left, err := unread(ctx, s)
		if err != nil {
			return err
		}
		if left == 0 {
			break
		}
		if err := rest(ctx, pause); err != nil {
			return err
		}
	}
	took := time.Since(began)
	later, err := cpuTime(s.PID())
	if err != nil {
		return err
	}
	n := last - first
	goal := ""
	switch n {
	case 1:
		goal = "≤ 100 ms"
	case 999:
		goal = "≤ 60 s"
	}
	b.add(fmt.Sprintf("new SLOs over 30 days of ten series, from the answer of apply until they are read: %d", n), fmt.Sprintf("%s (%s of the processor)", ms(took), ms(later-cpu)), goal)
	return nil
}

// standing is what pages show of an objective.
type standing struct{ BudgetLeft, SLI, Total float64 }

// corrected excludes an hour of last week and waits until the list and the page
// of the objective say so, and replays thirty days.
func (b *bench) corrected(ctx context.Context, s *program.Server) error {
	const name, path = "s0000-availability", "/api/v1/slos/s0000-availability"
	var was standing
	if err := s.Get(ctx, path, &was); err != nil {
		return err
	}
	from := time.Now().UTC().AddDate(0, 0, -7).Truncate(time.Hour)
	began := time.Now()
	err := s.Post(ctx, "/api/v1/exclusions", map[string]any{"slo": name, "from": from, "to": from.Add(time.Hour), "reason": "it was planned"}, nil)
	if err != nil {
		return err
	}
	for listed, shown := was, was; listed.Total > was.Total-1000 || shown.Total > was.Total-1000; {
		if err := s.Get(ctx, path, &shown); err != nil {
			return err
		}
		var list program.Page[standing]
		if err := s.Get(ctx, "/api/v1/slos?q="+name, &list); err != nil {
			return err
		}
		if len(list.Items) != 1 {
			return fmt.Errorf("%d objectives are called %s", len(list.Items), name)
		}
		listed = list.Items[0]
		if time.Since(began) > time.Minute {
			return errors.New("an exclusion changes nothing")
		}
	}
	b.add("an hour of last week is excluded: until list and page say so", ms(time.Since(began)), "≤ 1 s")
	began = time.Now()
	const replays = 5
	for range replays {
		if err := s.Post(ctx, path+"/replay", map[string]any{"objective": 0.9995}, nil); err != nil {
			return err
		}
	}
	b.add("replay of 30 days, one SLO with its alert policy", ms(time.Since(began)/replays), "≤ 50 ms")
	return nil
}

// databaseSize ends the server, which writes everything into the file, and starts
// it again.
func databaseSize(ctx context.Context, s *program.Server, data string) (int64, error) {
	if err := s.Stop(); err != nil {
		return 0, err
	}
	info, err := os.Stat(filepath.Join(data, "teiten.db"))
	if err != nil {
		return 0, err
	}
	return info.Size(), s.Start(ctx)
}
