package slo

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/observe/slo/burn"
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

	// Of def, found out once:
	lengths []int64 // of its windows
	slides  string  // the same for all whose windows can be slid together
	windows uint64  // see Definition.windowsID
}

// understand finds out what is asked of a definition each minute.
func (d *defined) understand() {
	d.lengths = d.def.lengths()
	d.slides = marshal([]any{d.lengths, d.def.window().Calendar})
	d.windows = d.def.windowsID()
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
	rules      map[string][]burn.Rule // by how they are written; only readDefinitions touches it

	instances map[string][]*defined    // by the objective they are of, each by name
	retired   map[string]int           // how many there are, likewise
	refusals  map[string]db.SloRefusal // of objectives with instances that were refused
	taken     int                      // how many instances there are in all
}

// of returns what is defined under a name, nil where nothing is.
func (d *definitions) of(name string) *defined {
	if d == nil {
		return nil
	}
	return d.byName[name]
}

// share returns rules that are the same as others before as those, so that
// thousands of objectives with the same rules hold them once.
func (d *definitions) share(rules []burn.Rule) []burn.Rule {
	if len(rules) == 0 {
		return nil
	}
	key := marshal(rules)
	if same, ok := d.rules[key]; ok {
		return same
	}
	d.rules[key] = rules
	return rules
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
	next := &definitions{byName: make(map[string]*defined, len(rows)), all: make([]*defined, 0, len(rows)), rules: map[string][]burn.Rule{}}
	if last != nil {
		next.rules = last.rules
	}
	for _, row := range rows {
		d := &defined{SloStatus: row.SloStatus, slot: row.SloDefinition.Slot, revision: row.SloDefinition.Revision, managedBy: row.SloDefinition.ManagedBy}
		if old := last.of(d.Name); old != nil && old.revision == d.revision {
			d.def, d.lengths, d.slides, d.windows = old.def, old.lengths, old.slides, old.windows
		} else if err := unmarshal(row.SloDefinition.Data, &d.def); err != nil {
			return nil, fmt.Errorf("%s: %w", d.Name, err)
		} else {
			d.def.Rules = next.share(d.def.Rules)
			d.understand()
		}
		d.end = policies.For(wholeOf(d.Name), d.Service, d.Tier).AlertEnd
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
