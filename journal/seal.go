package journal

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"time"

	"github.com/teiten/teiten/journal/db"
	"github.com/teiten/teiten/kit/database"
)

const (
	// settle is how long a minute stays open after it ended, for transactions
	// that were still running.
	settle       = time.Minute
	sealAtOnce   = 10_000 // entries under one seal at most
	sealsPerPage = 200
)

// Seal covers the entries that were committed before a point in time and by no
// seal before it: their number and a hash over them and the previous seal.
type Seal struct {
	Number   int64     `json:"number"`
	SealedAt time.Time `json:"sealedAt"`
	Upto     time.Time `json:"upto"`
	Entries  int64     `json:"entries"`
	Hash     string    `json:"hash"`     // hexadecimal SHA-256
	Previous string    `json:"previous"` // of the seal before; zeros for the first
}

// SealClosed seals the entries of every minute that has closed. It runs
// periodically on one replica; with nothing new it adds no seal.
func (j *Journal) SealClosed(ctx context.Context) error {
	for {
		n, err := j.sealOnce(ctx)
		if err != nil {
			return fmt.Errorf("seal journal: %w", err)
		}
		if n < sealAtOnce {
			return nil
		}
	}
}

func (j *Journal) sealOnce(ctx context.Context) (sealed int, err error) {
	now := j.now()
	upto := now.Add(-settle).Truncate(time.Minute)
	err = j.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		q := db.New(tx)
		rows, err := q.UnsealedBefore(ctx, db.UnsealedBeforeParams{Before: database.Micros(upto), Most: sealAtOnce})
		sealed = len(rows)
		if err != nil || len(rows) == 0 {
			return err
		}
		last, err := q.LastSeal(ctx)
		if errors.Is(err, sql.ErrNoRows) {
			last = db.JournalSeal{Hash: make([]byte, sha256.Size)}
		} else if err != nil {
			return err
		}
		number := last.Number + 1
		for _, r := range rows {
			if err := q.MarkSealed(ctx, db.MarkSealedParams{Number: number, ID: r.ID}); err != nil {
				return err
			}
		}
		return q.InsertSeal(ctx, db.InsertSealParams{
			Number: number, SealedAt: database.Micros(now), Upto: database.Micros(upto), Entries: int64(len(rows)),
			Hash: sum(number, database.Micros(upto), last.Hash, rows), Previous: last.Hash,
		})
	})
	return sealed, err
}

// sum is the SHA-256 of a seal: its number, its time, the seal before it, and
// each entry's fields with their lengths, so that no two records hash alike.
func sum(number, upto int64, previous []byte, rows []db.JournalEntry) []byte {
	h := sha256.New()
	putInt(h, number)
	putInt(h, upto)
	h.Write(previous)
	for _, r := range rows {
		putInt(h, r.At)
		for _, field := range []string{r.ID, r.ActorKind, r.ActorID, r.ActorName, r.Kind, r.Subject, r.Also, r.Data, r.Cause} {
			putInt(h, int64(len(field)))
			h.Write([]byte(field))
		}
	}
	return h.Sum(nil)
}

func putInt(h hash.Hash, n int64) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(n))
	h.Write(b[:])
}

// Verification is what Verify found. Broken names the first seal that does not
// hold, 0 where all do, and Problem says in which way.
type Verification struct {
	Seals    int64  `json:"seals"`
	Entries  int64  `json:"entries"`
	Unsealed int64  `json:"unsealed"`
	Last     string `json:"last"` // the hash of the last seal, to be kept elsewhere
	Broken   int64  `json:"broken,omitempty"`
	Problem  string `json:"problem,omitempty"`
}

// Verify computes every seal again from the entries and compares. Keep the last
// hash somewhere else from time to time: whoever can rewrite the whole database
// can rewrite all of its seals, but not your copy.
func (j *Journal) Verify(ctx context.Context) (Verification, error) {
	q := db.New(j.db.Read())
	v := Verification{Last: hex.EncodeToString(make([]byte, sha256.Size))}
	previous := make([]byte, sha256.Size)
	for {
		seals, err := q.SealsFrom(ctx, db.SealsFromParams{First: v.Seals + 1, Most: sealsPerPage})
		if err != nil {
			return v, database.Fault(fmt.Errorf("verify journal: %w", err))
		}
		for _, s := range seals {
			rows, err := q.EntriesOfSeal(ctx, s.Number)
			if err != nil {
				return v, database.Fault(fmt.Errorf("verify journal: %w", err))
			}
			if v.Problem = check(s, v.Seals+1, previous, rows); v.Problem != "" {
				v.Broken = s.Number
				return v, nil
			}
			v.Seals++
			v.Entries += s.Entries
			v.Last, previous = hex.EncodeToString(s.Hash), s.Hash
		}
		if len(seals) < sealsPerPage {
			break
		}
	}
	var err error
	v.Unsealed, err = q.CountUnsealed(ctx)
	return v, database.Fault(err)
}

// check returns what is wrong with a seal, or nothing.
func check(s db.JournalSeal, number int64, previous []byte, rows []db.JournalEntry) string {
	switch {
	case s.Number != number:
		return "a seal is missing before it"
	case !bytes.Equal(s.Previous, previous):
		return "it does not follow the seal before it"
	case s.Entries != int64(len(rows)):
		return fmt.Sprintf("it covers %d entries, and %d are there", s.Entries, len(rows))
	case !bytes.Equal(s.Hash, sum(s.Number, s.Upto, s.Previous, rows)):
		return "an entry was changed"
	}
	return ""
}

// Seals returns the newest seals before the given number (0 for the newest of
// all).
func (j *Journal) Seals(ctx context.Context, before int64, limit int) ([]Seal, error) {
	if before <= 0 {
		before = 1<<63 - 1
	}
	rows, err := db.New(j.db.Read()).SealsBefore(ctx, db.SealsBeforeParams{Before: before, Most: int32(limit)})
	if err != nil {
		return nil, database.Fault(fmt.Errorf("list seals: %w", err))
	}
	seals := make([]Seal, len(rows))
	for i, r := range rows {
		seals[i] = Seal{
			Number: r.Number, SealedAt: database.Time(r.SealedAt), Upto: database.Time(r.Upto), Entries: r.Entries,
			Hash: hex.EncodeToString(r.Hash), Previous: hex.EncodeToString(r.Previous),
		}
	}
	return seals, nil
}
