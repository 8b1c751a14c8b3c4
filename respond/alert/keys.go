package alert

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/respond/alert/db"
)

// The entries about an integration's keys.
const (
	EntryKeyIssued  = "alert.key_issued"
	EntryKeyRevoked = "alert.key_revoked"
)

// keyBook remembers for a few seconds whose a key is. A key that is not known is
// looked up each time.
type keyBook struct {
	mu sync.Mutex
	of map[string]keyInfo // by hash
}

type keyInfo struct {
	integration string
	at          time.Time
}

const mostKeys = 10_000 // that are remembered

func (k *keyBook) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.of = nil
}

// whose is the integration of a key, and a Denied fault, the same for all, where
// there is none.
func (s *Service) whose(ctx context.Context, key string) (string, error) {
	if len(key) != keySize || key[:len(keyPrefix)] != keyPrefix {
		return "", wrongKey()
	}
	hash, now := digest(key), s.Now()
	s.keys.mu.Lock()
	info, ok := s.keys.of[hash]
	s.keys.mu.Unlock()
	if ok && now.Sub(info.at) < knownFor && !now.Before(info.at) {
		return info.integration, nil
	}
	r, err := db.New(s.DB.Read()).KeyByHash(ctx, hash)
	if errors.Is(err, sql.ErrNoRows) {
		return "", wrongKey()
	}
	if err != nil {
		return "", database.Fault(fmt.Errorf("read key: %w", err))
	}
	s.keys.mu.Lock()
	defer s.keys.mu.Unlock()
	if s.keys.of == nil || len(s.keys.of) > mostKeys {
		s.keys.of = map[string]keyInfo{}
	}
	s.keys.of[hash] = keyInfo{r.Integration, now}
	return r.Integration, nil
}

func wrongKey() error {
	return httpapi.Status(http.StatusUnauthorized, fault.New(fault.Denied, "alert.key", text.Say("not accepted", "受け付けられません")))
}

// IssueKey makes a key of an integration and returns it: the only time it can be
// read.
func (s *Service) IssueKey(ctx context.Context, name string) (key string, info Key, err error) {
	if err := s.mayEdit(ctx, name); err != nil {
		return "", info, err
	}
	key = newKey()
	info = Key{ID: newID(), Integration: name, Hint: key[:keyHintSize] + "…", CreatedAt: s.Now().UTC(), CreatedBy: journal.ActorFrom(ctx).Name}
	err = s.DB.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		err := db.New(tx).PutKey(ctx, db.PutKeyParams{ID: info.ID, Integration: name, Hash: digest(key), Hint: info.Hint, CreatedAt: database.Micros(info.CreatedAt), CreatedBy: info.CreatedBy})
		if err != nil {
			return fmt.Errorf("save key: %w", err)
		}
		_, err = s.Journal.Append(ctx, tx, journal.Draft{Kind: EntryKeyIssued, Subject: integrationRef(name), Data: map[string]any{"key": info.ID, "hint": info.Hint}})
		return err
	})
	return key, info, err
}

// RevokeKey ends a key: within seconds nobody accepts it any more.
func (s *Service) RevokeKey(ctx context.Context, name, id string) error {
	if err := s.mayEdit(ctx, name); err != nil {
		return err
	}
	return s.DB.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		n, err := db.New(tx).DropKey(ctx, db.DropKeyParams{ID: id, Integration: name})
		if err != nil {
			return fmt.Errorf("revoke key: %w", err)
		}
		if n == 0 {
			return fault.New(fault.NotFound, "alert.key_not_found", text.Say("integration %s has no key %q", "連携 %s にキー %q はありません", name, id))
		}
		database.AfterCommit(ctx, s.keys.forget)
		_, err = s.Journal.Append(ctx, tx, journal.Draft{Kind: EntryKeyRevoked, Subject: integrationRef(name), Data: map[string]any{"key": id}})
		return err
	})
}

// mayEdit refuses who may not change an integration, and names one that is not
// there.
func (s *Service) mayEdit(ctx context.Context, name string) error {
	r, err := db.New(s.DB.Read()).GetIntegration(ctx, name)
	if errors.Is(err, sql.ErrNoRows) {
		return fault.New(fault.NotFound, "alert.integration_not_found", text.Say("there is no integration %q", "連携 %q はありません", name)).
			Fix(text.Say("apply a document of kind Integration first", "先に種類 Integration の文書を適用してください"))
	}
	if err != nil {
		return database.Fault(fmt.Errorf("read integration: %w", err))
	}
	if s.Permit == nil {
		return nil
	}
	return s.Permit(ctx, r.Owner)
}

func integrationRef(name string) journal.Ref { return journal.RefTo("integration", name) }
