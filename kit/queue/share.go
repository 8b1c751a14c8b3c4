package queue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// Share is work in numbered pieces that the replicas divide evenly among
// themselves. Each piece is a lease; besides, each replica says that it is there,
// so that all of them know how many they are. It is not safe for use by several
// goroutines, except for Holds.
type Share struct {
	q      *Queue
	name   string
	pieces int
	ttl    time.Duration

	held    []int
	renewed time.Time
}

// Share returns the share that this process takes in work of the given name. A
// replica that does not renew for ttl loses what it holds.
func (q *Queue) Share(name string, pieces int, ttl time.Duration) *Share {
	return &Share{q: q, name: name, pieces: pieces, ttl: ttl}
}

// looks is how many times within its ttl a share is renewed and looked at for
// pieces that nobody holds any more.
const looks = 5

func (s *Share) piece(n int) string { return fmt.Sprintf("%s/%d", s.name, n) }

// Held renews what this process holds, takes what is due to it and nobody has,
// gives back what is more than due to it, and returns what it then holds. It asks
// the database only a few times within the ttl. The clocks of the replicas must
// agree to well within that.
func (s *Share) Held(ctx context.Context) ([]int, error) {
	now := s.q.now()
	if since := now.Sub(s.renewed); since >= 0 && since < s.ttl/looks {
		return s.held, nil
	}
	var held []int
	err := s.q.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
		held, err = s.renew(ctx, tx, now)
		return err
	})
	if err != nil {
		return nil, database.Fault(fmt.Errorf("share %s: %w", s.name, err))
	}
	s.held, s.renewed = held, now
	return held, nil
}

// lease is a row of the table.
type lease struct {
	holder string
	until  int64
}

func (s *Share) renew(ctx context.Context, tx *sql.Tx, now time.Time) ([]int, error) {
	// One statement says that this process is there, and locks its row.
	_, err := tx.ExecContext(ctx, `INSERT INTO queue_leases (name, holder, held_until) VALUES ($1, $2, $3)
		ON CONFLICT (name) DO UPDATE SET held_until = excluded.held_until`, s.name+"@"+s.q.self, s.q.self, now.Add(s.ttl).UnixMicro())
	if err != nil {
		return nil, err
	}
	_, err = tx.ExecContext(ctx, "UPDATE queue_leases SET held_until = $1 WHERE holder = $2 AND name LIKE $3 AND held_until > 0",
		now.Add(s.ttl).UnixMicro(), s.q.self, s.name+"/%")
	if err != nil {
		return nil, err
	}
	rows, replicas, err := s.look(ctx, tx, now)
	if err != nil {
		return nil, err
	}
	due := (s.pieces + replicas - 1) / replicas
	var held []int
	for n := range s.pieces {
		if l := rows[n]; l.holder == s.q.self && l.until > 0 {
			held = append(held, n)
		}
	}
	for len(held) > due {
		if err := s.giveBack(ctx, tx, held[len(held)-1]); err != nil {
			return nil, err
		}
		held = held[:len(held)-1]
	}
	for n := 0; n < s.pieces && len(held) < due; n++ {
		if l := rows[n]; l.until >= now.UnixMicro() || slices.Contains(held, n) {
			continue
		}
		mine, err := s.take(ctx, tx, n, now)
		if err != nil {
			return nil, err
		}
		if mine {
			held = append(held, n)
		}
	}
	slices.Sort(held)
	return held, nil
}

// look reads who holds which piece, and how many replicas are there. Rows of
// replicas that are long gone are cleared away.
func (s *Share) look(ctx context.Context, tx *sql.Tx, now time.Time) (rows map[int]lease, replicas int, err error) {
	_, err = tx.ExecContext(ctx, "DELETE FROM queue_leases WHERE name LIKE $1 AND held_until < $2", s.name+"@%", now.Add(-time.Hour).UnixMicro())
	if err != nil {
		return nil, 0, err
	}
	found, err := tx.QueryContext(ctx, "SELECT name, holder, held_until FROM queue_leases WHERE name LIKE $1 OR name LIKE $2", s.name+"/%", s.name+"@%")
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, found.Close()) }()
	rows = map[int]lease{}
	for found.Next() {
		var name string
		var l lease
		if err := found.Scan(&name, &l.holder, &l.until); err != nil {
			return nil, 0, err
		}
		if number, ok := strings.CutPrefix(name, s.name+"/"); ok {
			if n, err := strconv.Atoi(number); err == nil {
				rows[n] = l
			}
		} else if l.until >= now.UnixMicro() {
			replicas++
		}
	}
	return rows, max(replicas, 1), found.Err()
}

func (s *Share) giveBack(ctx context.Context, tx *sql.Tx, n int) error {
	_, err := tx.ExecContext(ctx, "UPDATE queue_leases SET held_until = 0 WHERE name = $1 AND holder = $2", s.piece(n), s.q.self)
	return err
}

func (s *Share) take(ctx context.Context, tx *sql.Tx, n int, now time.Time) (bool, error) {
	r, err := tx.ExecContext(ctx, `INSERT INTO queue_leases (name, holder, held_until) VALUES ($1, $2, $3)
		ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, held_until = excluded.held_until
		WHERE queue_leases.held_until < $4`, s.piece(n), s.q.self, now.Add(s.ttl).UnixMicro(), now.UnixMicro())
	if err != nil {
		return false, err
	}
	took, err := r.RowsAffected()
	return took == 1, err
}

// Holds returns a Conflict fault unless this process holds every one of the
// pieces, as tx sees it, and keeps others from taking them before tx ends.
func (s *Share) Holds(ctx context.Context, tx *sql.Tx, pieces ...int) error {
	if len(pieces) == 0 {
		return nil
	}
	pieces = slices.Sorted(slices.Values(pieces)) // in one order, so that two that wait never wait for one another
	args := []any{s.q.self, s.q.now().UnixMicro()}
	var names []string
	for _, n := range slices.Compact(pieces) {
		args = append(args, s.piece(n))
		names = append(names, "$"+strconv.Itoa(len(args)))
	}
	r, err := tx.ExecContext(ctx, "UPDATE queue_leases SET ran_at = ran_at WHERE holder = $1 AND held_until >= $2 AND name IN ("+strings.Join(names, ", ")+")", args...)
	if err != nil {
		return fmt.Errorf("share %s: %w", s.name, err)
	}
	n, err := r.RowsAffected()
	if err != nil {
		return fmt.Errorf("share %s: %w", s.name, err)
	}
	if int(n) < len(names) {
		return leaseLost(s.name)
	}
	return nil
}

// Lost has the next call of Held ask the database whatever the time: somebody
// else seems to hold what this process thought its own.
func (s *Share) Lost() { s.renewed = time.Time{} }

func leaseLost(name string) error {
	return fault.New(fault.Conflict, "queue.lease_lost",
		text.Say("another replica does this work now (%s)", "この処理(%s)は別のレプリカに移っています", name))
}
