package slo

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/observe/slo/db"
	"github.com/teiten/teiten/observe/slo/ledger"
)

// entryLate tells that a source learned of events in minutes that had settled.
const entryLate = "metrics.counts_late"

// late is what such an entry says; minutes, To not included.
type late struct {
	Source string `json:"source"`
	Stream string `json:"stream"`
	From   int64  `json:"from"`
	To     int64  `json:"to"`
}

// hearLate has the minutes read again by the objectives that count the stream.
func (s *Service) hearLate(ctx context.Context, tx *sql.Tx, e journal.Entry) error {
	var l late
	if err := json.Unmarshal(e.Data, &l); err != nil {
		return fmt.Errorf("read %s: %w", e.Kind, err)
	}
	defs, err := s.book.read(ctx, s.db.Read())
	if err != nil {
		return err
	}
	for _, d := range defs.all {
		if !l.concerns(d.def) {
			continue
		}
		s.engine.bell.ring()
		id, err := uuid.NewV7()
		if err == nil {
			err = db.New(tx).PutLate(ctx, db.PutLateParams{ID: id.String(), Slo: d.def.Name, FromMinute: l.From, ToMinute: l.To})
		}
		if err != nil {
			return fmt.Errorf("read %s again: %w", d.def.Name, err)
		}
	}
	return nil
}

// concerns reports whether an objective may count events of the stream: one that
// names its streams by a pattern may.
func (l *late) concerns(d *Definition) bool {
	for _, a := range d.asks() {
		if a.Source == l.Source && (strings.Contains(a.Expr, "stream="+strconv.Quote(l.Stream)) || !strings.Contains(a.Expr, "stream=\"")) {
			return true
		}
	}
	return false
}

// reread has minutes missing again of which something is known now that was not
// when they were read.
func (e *engine) reread(ctx context.Context, now time.Time) error {
	asked, err := db.New(e.asks).ListLate(ctx)
	if err != nil {
		return database.Fault(fmt.Errorf("look for what came late: %w", err))
	}
	if len(asked) == 0 {
		return nil
	}
	var errs []error
	for _, sh := range e.all() {
		errs = append(errs, e.rereadIn(ctx, sh, asked, now))
	}
	return errors.Join(errs...)
}

func (e *engine) rereadIn(ctx context.Context, sh *shard, asked []db.SloLate, now time.Time) error {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	x := &step{sh: sh, made: database.Micros(now)}
	for _, a := range asked {
		m := sh.member(a.Slo)
		if m == nil || sh.gone.Load() {
			continue
		}
		// What lies ahead is read in its time; what lies before the windows is in
		// none of them.
		span := ledger.Between(max(a.FromMinute, m.def.reach(sh.end), m.from), min(a.ToMinute, m.final))
		if span.Len() > 0 {
			m.lose(span)
			m.outdated = wider(m.outdated, span) // who reads it just now reads too early
		}
		x.reread = append(x.reread, a.ID)
	}
	if len(x.reread) == 0 {
		return nil
	}
	return e.finish(ctx, sh, x, now)
}
