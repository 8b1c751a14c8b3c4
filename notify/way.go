package notify

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/notify/db"
)

// Reader is what a way is looked up in: the database, or a transaction.
type Reader = db.DBTX

// Finder returns the way that a later room knows under a name of its kind: of
// "contact:0198…" it is given what follows the colon. A way that is not there any
// more is a NotFound fault, and what waits for it fails.
type Finder func(ctx context.Context, from Reader, id string) (Channel, error)

// Ways makes a kind of way known that no NotificationChannel describes. Names of
// channels hold no colon, so that they are never mistaken for one another. Call
// it before Run.
func (s *Service) Ways(kind string, find Finder) { s.finders[kind] = find }

// way is the channel that a delivery goes over.
func (s *Service) way(ctx context.Context, from Reader, name string) (Channel, error) {
	kind, id, ok := strings.Cut(name, ":")
	find := s.finders[kind]
	if !ok || find == nil {
		return getChannel(ctx, from, name)
	}
	c, err := find(ctx, from, id)
	c.Name, c.Spec = name, c.Spec.typed()
	return c, err
}

// Way returns the NotificationChannel of a name, or a NotFound fault.
func (s *Service) Way(ctx context.Context, from Reader, name string) (Channel, error) {
	return getChannel(ctx, from, name)
}

// HashKey is the key of what is told once: the same parts always give the same.
func HashKey(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:16])
}

// Send puts a message on its way over a channel, or over a way of a kind that was
// made known. It is stored in tx, and its first attempt with it where nothing
// keeps it back, so that it leaves as soon as tx commits. Key, where it is set,
// is the caller's own and identifies what the receiver is told; the same key
// goes over a way once. It returns the id of the delivery, "" where the same
// message was sent before.
func (s *Service) Send(ctx context.Context, tx *sql.Tx, c Channel, m Message) (string, error) {
	first := ""
	for _, recipient := range c.Recipients() {
		id, err := s.sendTo(ctx, tx, c, recipient, m)
		if err != nil {
			return "", err
		}
		if first == "" {
			first = id
		}
	}
	return first, nil
}

func (s *Service) sendTo(ctx context.Context, tx *sql.Tx, c Channel, recipient string, m Message) (string, error) {
	d, err := s.newDelivery(c.Name, recipient, m)
	if err != nil {
		return "", err
	}
	if m.Key != "" {
		// Deliveries are told apart by their entry: two messages that one entry
		// causes are two. The entry itself is found from the message.
		d.Message.Key, d.Message.Entry = m.Key, m.Key
		if recipient != "" {
			d.Message.Key = HashKey(m.Key, recipient)
		}
	}
	fresh, err := addDelivery(ctx, tx, d)
	if err != nil || !fresh {
		return "", err
	}
	if !s.courier.runs() {
		database.AfterCommit(ctx, func() { s.courier.call(c.Name) })
		return d.ID, nil
	}
	return d.ID, s.beginAtOnce(ctx, tx, c, d)
}

// beginAtOnce begins the first attempt at a new delivery in the transaction that
// stores it, if it may go. What may not is found by the courier.
func (s *Service) beginAtOnce(ctx context.Context, tx *sql.Tx, c Channel, d Delivery) error {
	h, err := lockHealth(ctx, tx, c.Name)
	if err != nil {
		return err
	}
	now := s.now()
	busy, err := db.New(tx).CountInFlight(ctx, db.CountInFlightParams{Channel: c.Name, ClaimedUntil: database.Micros(now)})
	if err != nil {
		return err
	}
	waits, err := held(ctx, tx, d)
	if err != nil {
		return err
	}
	if waits || int(busy) >= h.slots() || c.Spec.AtMost != nil {
		database.AfterCommit(ctx, func() { s.courier.call(c.Name) })
		return nil
	}
	if d, err = s.begin(ctx, tx, d, now); err != nil {
		return err
	}
	database.AfterCommit(ctx, func() { s.launch([]bound{{d, c}}) })
	return nil
}

// Hearing are the channels that hear what concerns an audience.
func (s *Service) Hearing(ctx context.Context, from Reader, to Audience) ([]Channel, error) {
	all, err := listChannels(ctx, from)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(c Channel) bool { return !c.Hears(to) }), nil
}

// Withdraw ends deliveries that have become pointless and that nobody took over
// so far. An attempt that is on its way is not called back.
func (s *Service) Withdraw(ctx context.Context, tx *sql.Tx, ids ...string) error {
	for _, id := range ids {
		d, err := getDelivery(ctx, tx, id)
		if fault.KindOf(err) == fault.NotFound {
			continue
		}
		if err != nil {
			return err
		}
		carried, err := db.New(tx).ListCarried(ctx, id)
		if err != nil {
			return fmt.Errorf("withdraw %s: %w", id, err)
		}
		if d.State != Pending || d.Carrier != "" || len(carried) > 0 {
			continue // it is over, or goes with others that are not pointless
		}
		d.State, d.EndedAt, d.NextAt, d.Claimed = Withdrawn, s.now(), time.Time{}, time.Time{}
		if err := endDelivery(ctx, tx, d); err != nil {
			return err
		}
	}
	return nil
}
