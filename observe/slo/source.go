package slo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo/db"
)

// goneAfter is how long a source must fail before that is told: a single
// time-out is no news.
const goneAfter = time.Minute

// failing notes during one round which sources answer. The first failure of a
// source spares it every further question of the round.
type failing struct {
	mu  sync.Mutex
	err map[string]error // nil: it answered
}

// away reports whether the error says that the source itself does not answer,
// rather than that it does not like the question.
func away(err error) bool {
	k := fault.KindOf(err)
	return err != nil && k != fault.Invalid && k != fault.Limited
}

func (f *failing) is(source string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err[source]
}

func (f *failing) note(source string, err error) {
	if errors.Is(err, context.Canceled) {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err = map[string]error{}
	}
	if away(err) {
		f.err[source] = err
	} else if _, ok := f.err[source]; !ok {
		f.err[source] = nil
	}
}

// sourceBook follows the coming and going of sources, so that each is told once.
type sourceBook struct {
	since map[string]time.Time // of the first failure without an answer after it
	told  map[string]bool      // as gone
}

// load reads which sources were told as gone before.
func (b *sourceBook) load(ctx context.Context, q db.DBTX) error {
	if b.told != nil {
		return nil
	}
	rows, err := db.New(q).GoneSources(ctx)
	if err != nil {
		return database.Fault(fmt.Errorf("read the sources that are gone: %w", err))
	}
	b.since, b.told = map[string]time.Time{}, map[string]bool{}
	for _, r := range rows {
		b.told[r.Name] = true
		b.since[r.Name] = database.Time(r.Since)
	}
	return nil
}

// follow tells of the sources that went away for good in this round, and of
// those that are back.
func (b *sourceBook) follow(ctx context.Context, s *Service, seen *failing, now time.Time) error {
	if err := b.load(ctx, s.db.Read()); err != nil {
		return err
	}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(seen.err)) {
		err := seen.err[name]
		began, failed := b.since[name]
		switch {
		case err != nil && !failed:
			b.since[name] = now
		case err != nil && !b.told[name] && now.Sub(began) >= goneAfter:
			if err := s.tellGone(ctx, name, began, err); err != nil {
				errs = append(errs, err)
				continue
			}
			b.told[name] = true
		case err == nil && failed:
			if b.told[name] {
				if err := s.tellBack(ctx, name, began, now); err != nil {
					errs = append(errs, err)
					continue
				}
			}
			delete(b.since, name)
			delete(b.told, name)
		}
	}
	return errors.Join(errs...)
}

// sourceEntry is what the journal says of a source.
type sourceEntry struct {
	Source  string    `json:"source"`
	Since   time.Time `json:"since"`
	Reason  text.Both `json:"reason,omitzero"`
	Minutes int       `json:"minutes,omitempty"` // that it was away
}

func sourceRef(name string) journal.Ref {
	if name == "" {
		name = "default"
	}
	return journal.RefTo("source", name)
}

func (s *Service) tellGone(ctx context.Context, name string, since time.Time, why error) error {
	e := sourceEntry{Source: name, Since: since, Reason: unreadReason(why)}
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		n, err := db.New(tx).SourceGone(ctx, db.SourceGoneParams{Name: name, Since: database.Micros(since), Error: marshal(e.Reason)})
		if err != nil || n == 0 {
			return err
		}
		_, err = s.journal.Append(ctx, tx, journal.Draft{Kind: EntrySourceGone, Subject: sourceRef(name), Data: e})
		return err
	})
}

func (s *Service) tellBack(ctx context.Context, name string, since, now time.Time) error {
	e := sourceEntry{Source: name, Since: since, Minutes: int(now.Sub(since) / time.Minute)}
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		n, err := db.New(tx).SourceBack(ctx, name)
		if err != nil || n == 0 {
			return err
		}
		_, err = s.journal.Append(ctx, tx, journal.Draft{Kind: EntrySourceBack, Subject: sourceRef(name), Data: e})
		return err
	})
}
