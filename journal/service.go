package journal

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/teiten/teiten/kit/database"
)

// Journal appends entries and reads them back.
type Journal struct {
	// Withhold, where set, returns the kinds that the caller of the API may not
	// read, such as "access.*": to them these entries are not there.
	Withhold func(ctx context.Context) []string

	db  *database.DB
	now func() time.Time

	mu          sync.RWMutex
	subscribers []subscriber

	live hub
}

// New returns the journal in db. Its tables are there after
// db.Migrate(ctx, "journal", journal.Migrations).
func New(db *database.DB, now func() time.Time) *Journal {
	return &Journal{db: db, now: now}
}

type subscriber struct {
	kind, name string
	hear       func(ctx context.Context, tx *sql.Tx, e Entry) error
}

// hears tells whether a subscription to pattern covers kind: the same kind, or
// any under a prefix that ends in ".*", or all for "*".
func hears(pattern, kind string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(kind, prefix)
	}
	return pattern == kind
}

// Subscribe has hear called for each entry of a kind, inside the transaction
// that appends it: what hear inserts commits with the entry or not at all, and
// an error from it undoes both. It must be quick: insert a job, and do the work
// there. The kind may end in ".*". Name says who listens, in errors.
func (j *Journal) Subscribe(kind, name string, hear func(ctx context.Context, tx *sql.Tx, e Entry) error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.subscribers = append(j.subscribers, subscriber{kind, name, hear})
}

// Append records that something happened, in the transaction of the change
// itself, by the actor and for the cause that ctx carries.
func (j *Journal) Append(ctx context.Context, tx *sql.Tx, d Draft) (Entry, error) {
	e, err := j.entry(ctx, d)
	if err != nil {
		return Entry{}, err
	}
	if err := insert(ctx, tx, e); err != nil {
		return Entry{}, fmt.Errorf("append %s: %w", d.Kind, err)
	}
	j.mu.RLock()
	defer j.mu.RUnlock()
	for _, s := range j.subscribers {
		if !hears(s.kind, e.Kind) {
			continue
		}
		if err := s.hear(ctx, tx, e); err != nil {
			return Entry{}, fmt.Errorf("%s heard of %s: %w", s.name, e.Kind, err)
		}
	}
	database.AfterCommit(ctx, func() { j.live.publish(e) })
	return e, nil
}

func (j *Journal) entry(ctx context.Context, d Draft) (Entry, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return Entry{}, fmt.Errorf("append %s: %w", d.Kind, err)
	}
	data := json.RawMessage("{}")
	if d.Data != nil {
		if data, err = json.Marshal(d.Data); err != nil {
			return Entry{}, fmt.Errorf("append %s: %w", d.Kind, err)
		}
	}
	return Entry{
		ID: id.String(),
		// As stored: an entry reads the same before and after the database.
		Time:  database.Time(database.Micros(j.now())),
		Actor: ActorFrom(ctx), Kind: d.Kind, Subject: d.Subject, Also: d.Also,
		Data: data, Cause: CauseFrom(ctx),
	}, nil
}
