package slo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo/db"
	"github.com/teiten/teiten/observe/slo/ledger"
)

// board keeps where every objective stands in memory, so that lists need not ask
// the database for each: of the shards that this replica moves as they move, of
// the others as they were stored.
type board struct {
	mu     sync.Mutex
	shards [shards]placard
	shown  *listing // made of the shards, nil where they changed since
}

// placard is where the objectives of one shard stand.
type placard struct {
	version int64
	bySlot  map[int64]*standing
}

// listing is every objective as it stands. It does not change once it is made.
type listing struct {
	of     *definitions
	rows   []*row // by name
	byName map[string]*row
}

// row is one objective as lists show it.
type row struct {
	*defined
	standing *standing // nil before anything was counted
	*shown
	instances *InstancesView // nil of one that is not taken apart
}

// put takes the standings of a shard as it was written.
func (b *board) put(number int, version int64, all []*standing) {
	p := placard{version: version, bySlot: make(map[int64]*standing, len(all))}
	for _, s := range all {
		p.bySlot[s.slot] = s
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.shards[number], b.shown = p, nil
}

func (b *board) version(number int64) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.shards[number].version
}

// list makes the rows of what the board holds.
func (b *board) list(defs *definitions, why func(*Definition, db.SloRefusal) text.Both) *listing {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.shown != nil && b.shown.of == defs {
		return b.shown
	}
	l := &listing{of: defs, rows: make([]*row, len(defs.all)), byName: make(map[string]*row, len(defs.all))}
	for i, d := range defs.all {
		r := &row{defined: d, standing: b.shards[d.shard()].bySlot[d.slot]}
		if r.standing != nil {
			r.shown = r.standing.track(d).show(r.standing.made)
		} else {
			r.shown = unread(d.def)
		}
		l.rows[i], l.byName[d.Name] = r, r
	}
	for _, r := range l.rows {
		if r.def.Grouping != nil {
			l.sumUp(r, why)
		}
	}
	b.shown = l
	return l
}

// unread is shown of an objective of which nothing was read yet: it may be as
// good or as bad as can be.
func unread(d *Definition) *shown {
	return &shown{Status: Unknown, condition: condition{unread: true}, Sli: 1, SliHigh: 1,
		BudgetLeft: 1, BudgetLow: d.Objective.BudgetLeft(ledger.Sum{Total: 1, Bad: 1}), BudgetHigh: 1, Burn: make([]float64, len(shownWindows))}
}

// standings returns all objectives as they stand now.
func (s *Service) standings(ctx context.Context) (*listing, error) {
	defs, err := s.book.read(ctx, s.db.Read())
	if err != nil {
		return nil, err
	}
	if err := s.follow(ctx); err != nil {
		return nil, err
	}
	return s.board.list(defs, s.whyRefused), nil
}

// follow reads the shards that were written since the board had them from: by
// another replica, or before this one began.
func (s *Service) follow(ctx context.Context) error {
	q := db.New(s.db.Read())
	all, err := q.Shards(ctx)
	if err != nil {
		return database.Fault(fmt.Errorf("look where objectives stand: %w", err))
	}
	for _, n := range all {
		if s.board.version(n.Shard) >= n.Version {
			continue
		}
		stored, err := q.GetShard(ctx, n.Shard)
		if err != nil {
			return database.Fault(fmt.Errorf("read where objectives stand: %w", err))
		}
		_, standings, err := unpackStandings(stored.State)
		if err != nil {
			return fmt.Errorf("read shard %d: %w", n.Shard, err)
		}
		s.board.put(int(n.Shard), stored.Version, standings)
	}
	return nil
}

// one returns a single objective, or a NotFound fault.
func (s *Service) one(ctx context.Context, name string) (*row, error) {
	l, err := s.standings(ctx)
	if err != nil {
		return nil, err
	}
	if r := l.byName[name]; r != nil {
		return r, nil
	}
	return nil, notFound(name)
}

// watermark is the first minute of an objective that was not counted yet, 0
// before the first.
func (s *Service) watermark(ctx context.Context, name string) (int64, error) {
	r, err := s.one(ctx, name)
	if err != nil || r.standing == nil {
		return 0, err
	}
	return r.standing.end, nil
}

// Progress is how far an objective is counted, as the database has it.
type Progress struct {
	Watermark int64 // the first minute that was not counted yet; 0 before the first
	Missing   int64 // minutes before it that are still to be read
}

// ReadProgress reads how far every objective is counted, from a database that a
// server may be writing.
func ReadProgress(ctx context.Context, q db.DBTX) (map[string]Progress, error) {
	defs, err := readDefinitions(ctx, q, nil)
	if err != nil {
		return nil, database.Fault(err)
	}
	all := map[string]Progress{}
	bySlot := map[int64]string{}
	for _, d := range defs.all {
		all[d.Name], bySlot[d.slot] = Progress{}, d.Name
	}
	for n := range int64(shards) {
		stored, err := db.New(q).GetShard(ctx, n)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		_, standings, broken := unpackStandings(stored.State)
		if err := errors.Join(err, broken); err != nil {
			return nil, database.Fault(fmt.Errorf("read shard %d: %w", n, err))
		}
		for _, st := range standings {
			p := Progress{Watermark: st.end}
			for _, m := range st.state.missing {
				p.Missing += m.Len()
			}
			if name, ok := bySlot[st.slot]; ok {
				all[name] = p
			}
		}
	}
	return all, nil
}
