package slo

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/metrics/promexpr"
	"github.com/teiten/teiten/observe/slo/db"
	"github.com/teiten/teiten/observe/slo/ledger"
)

const (
	// lateQuiet is for how long nothing must have come late before minutes are read
	// again, and lateWait how long that waits at most: who sends what was held up
	// for hours sends it in many parts.
	lateQuiet = 3 * time.Second
	lateWait  = time.Minute
)

// latecomers hears of samples that came after their minute, from sources that are
// sent them, and has those minutes read again.
type latecomers struct {
	waiting map[string]*latecomer // by source
}

// latecomer is what one source told and was not passed on yet.
type latecomer struct {
	source      metrics.Latecomer
	changed     []metrics.Late
	mark        int64
	first, last time.Time
}

// quiet reports whether what was told can be passed on.
func (w *latecomer) quiet(now time.Time) bool {
	return now.Sub(w.last) >= lateQuiet || now.Sub(w.first) >= lateWait || now.Before(w.first)
}

// hear asks the sources, and notes for each objective what is to be read again
// once a source is quiet.
func (l *latecomers) hear(ctx context.Context, s *Service, defs *definitions, now time.Time) error {
	l.ask(s, defs, now)
	for name, w := range l.waiting {
		if !w.quiet(now) {
			continue
		}
		if err := s.rereadLate(ctx, name, w.changed, defs, now); err != nil {
			return err
		}
		if err := w.source.LateTaken(w.mark); err != nil {
			return fmt.Errorf("read %s again: %w", name, err)
		}
		delete(l.waiting, name)
	}
	return nil
}

// ask gathers what the sources of all objectives tell.
func (l *latecomers) ask(s *Service, defs *definitions, now time.Time) {
	asked := map[string]bool{}
	for _, d := range defs.all {
		for _, a := range d.def.asks() {
			if asked[a.Source] {
				continue
			}
			asked[a.Source] = true
			q, err := s.sources.Get(a.Source)
			source, ok := q.(metrics.Latecomer)
			if err != nil || !ok {
				continue
			}
			l.take(a.Source, source, now)
		}
	}
}

func (l *latecomers) take(name string, source metrics.Latecomer, now time.Time) {
	changed, mark := source.Late()
	if len(changed) == 0 {
		return
	}
	if l.waiting == nil {
		l.waiting = map[string]*latecomer{}
	}
	w := l.waiting[name]
	if w == nil {
		w = &latecomer{first: now}
		l.waiting[name] = w
	}
	w.source, w.mark, w.last = source, mark, now
	w.changed = append(w.changed, changed...)
}

// rereadLate has each objective read the minutes again in which a source knows
// more of it now. Those that are not final are read again in any case.
func (s *Service) rereadLate(ctx context.Context, source string, changed []metrics.Late, defs *definitions, now time.Time) error {
	x := lateSpans(changed)
	rows := []db.PutLateParams{}
	for _, d := range defs.all {
		span, ok := x.of(d.def, source)
		if !ok || span.From >= ledger.Done(now.Add(-s.settle(d.def))) {
			continue
		}
		id, err := uuid.NewV7()
		if err != nil {
			return fmt.Errorf("read %s again: %w", d.def.Name, err)
		}
		rows = append(rows, db.PutLateParams{ID: id.String(), Slo: d.def.Name, FromMinute: span.From, ToMinute: span.To})
	}
	for some := range slices.Chunk(rows, lateBatch) {
		err := s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
			for _, r := range some {
				if err := db.New(tx).PutLate(ctx, r); err != nil {
					return fmt.Errorf("read %s again: %w", r.Slo, err)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// lateBatch bounds how long one transaction takes.
const lateBatch = 500

// spans are what came late, by the expression that counts it.
type spans struct {
	by          map[string]minutes
	others, all minutes
}

func lateSpans(changed []metrics.Late) *spans {
	x := &spans{by: map[string]minutes{}}
	for _, c := range changed {
		switch span := ledger.Between(c.From, c.To); {
		case c.All:
			x.all = wider(x.all, span)
		case c.Selection.Expr == "":
			x.others = wider(x.others, span)
		default:
			x.by[c.Selection.Expr] = wider(x.by[c.Selection.Expr], span)
		}
	}
	return x
}

// of is what concerns an objective: of the sums of counters that it is made of, or
// anything where it is made of more.
func (x *spans) of(d *Definition, source string) (span minutes, ok bool) {
	span = x.all
	for _, a := range d.asks() {
		if a.Source != source {
			continue
		}
		ok = true
		if d.followed() {
			span = wider(span, x.by[a.Expr])
		} else {
			span = wider(span, x.others)
		}
	}
	return span, ok && span.Len() > 0
}

// followed reports whether all that the objective is made of can be counted as
// samples come. Parts of native histograms cannot.
func (d *Definition) followed() bool {
	return d.countable() && !slices.ContainsFunc(d.asks(), func(a ask) bool {
		sum, err := promexpr.Count(a.Expr)
		return err != nil || slices.ContainsFunc(sum.Terms, func(t promexpr.Term) bool { return t.Of.Bounded })
	})
}

// wider is the shortest span that holds both; an empty one adds nothing.
func wider(a, b minutes) minutes {
	switch {
	case a.Len() == 0:
		return b
	case b.Len() == 0:
		return a
	}
	return ledger.Between(min(a.From, b.From), max(a.To, b.To))
}
