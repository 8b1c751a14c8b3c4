package slo

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/observe/slo/db"
	"github.com/teiten/teiten/observe/slo/exclusion"
	"github.com/teiten/teiten/observe/slo/policy"
)

// defined is an objective as it is defined now, and who it belongs to.
type defined struct {
	db.SloStatus
	slot      int64
	revision  string
	managedBy string // JSON
	def       *Definition
	end       policy.End // of its windows, that alerts read
}

func (d *defined) shard() int { return int(d.slot % shards) }

// definitions are all objectives as they were at one generation. They do not
// change: a later generation is another value.
type definitions struct {
	generation int64
	all        []*defined // by name
	byName     map[string]*defined
	byShard    [shards][]*defined
	exclusions *exclusion.Book

	instances map[string][]*defined    // by the objective they are of, each by name
	retired   map[string]int           // how many there are, likewise
	refusals  map[string]db.SloRefusal // of objectives with instances that were refused
	taken     int                      // how many instances there are in all
}

// book keeps the definitions in memory, and reads them when they changed.
type book struct {
	mu   sync.Mutex
	last *definitions
}

// read returns the definitions as they are now.
func (b *book) read(ctx context.Context, q db.DBTX) (*definitions, error) {
	now, err := db.New(q).Generation(ctx)
	if err != nil {
		return nil, database.Fault(fmt.Errorf("look for changed objectives: %w", err))
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.last != nil && b.last.generation == now {
		return b.last, nil
	}
	next, err := readDefinitions(ctx, q, b.last)
	if err != nil {
		return nil, database.Fault(fmt.Errorf("read objectives: %w", err))
	}
	next.generation = now // or a little later, and then it is read once more
	b.last = next
	return next, nil
}

// readDefinitions reads all objectives; those that did not change since last are
// not parsed again.
func readDefinitions(ctx context.Context, q db.DBTX, last *definitions) (*definitions, error) {
	rows, err := db.New(q).Defined(ctx)
	if err != nil {
		return nil, err
	}
	policies, err := policy.Load(ctx, q)
	if err != nil {
		return nil, err
	}
	next := &definitions{byName: make(map[string]*defined, len(rows)), all: make([]*defined, 0, len(rows))}
	for _, row := range rows {
		d := &defined{SloStatus: row.SloStatus, slot: row.SloDefinition.Slot, revision: row.SloDefinition.Revision, managedBy: row.SloDefinition.ManagedBy}
		if last != nil && last.byName[d.Name] != nil && last.byName[d.Name].revision == d.revision {
			d.def = last.byName[d.Name].def
		} else if err := unmarshal(row.SloDefinition.Data, &d.def); err != nil {
			return nil, fmt.Errorf("%s: %w", d.Name, err)
		}
		d.end = policies.For(d.Name, d.Service, d.Tier).AlertEnd
		next.all = append(next.all, d)
		next.byName[d.Name] = d
		next.byShard[d.shard()] = append(next.byShard[d.shard()], d)
	}
	if err := next.readInstances(ctx, q); err != nil {
		return nil, err
	}
	next.exclusions, err = exclusion.Load(ctx, q, time.Time{})
	return next, err
}
