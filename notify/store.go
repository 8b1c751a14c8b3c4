package notify

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/notify/db"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the room's tables, for database.Migrate.
var Migrations = func() fs.FS {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the folder is embedded
	}
	return files
}()

func channelFrom(r db.NotifyChannel) (Channel, error) {
	c := Channel{
		Name: r.Name, Title: r.Title, Description: r.Description,
		CreatedAt: database.Time(r.CreatedAt), UpdatedAt: database.Time(r.UpdatedAt),
	}
	if err := json.Unmarshal([]byte(r.Spec), &c.Spec); err != nil {
		return Channel{}, fmt.Errorf("read channel %s: %w", r.Name, err)
	}
	return c, nil
}

func putChannel(ctx context.Context, tx *sql.Tx, c Channel, now time.Time) error {
	spec, err := json.Marshal(c.Spec)
	if err != nil {
		return fmt.Errorf("store channel %s: %w", c.Name, err)
	}
	err = db.New(tx).PutChannel(ctx, db.PutChannelParams{
		Name: c.Name, Title: c.Title, Description: c.Description, Spec: string(spec), CreatedAt: database.Micros(now),
	})
	if err != nil {
		return fmt.Errorf("store channel %s: %w", c.Name, err)
	}
	return nil
}

func dropChannel(ctx context.Context, tx *sql.Tx, name string) error {
	q := db.New(tx)
	if err := errors.Join(q.DropChannel(ctx, name), q.DropHealth(ctx, name)); err != nil {
		return fmt.Errorf("remove channel %s: %w", name, err)
	}
	return nil
}

func listChannels(ctx context.Context, from db.DBTX) ([]Channel, error) {
	rows, err := db.New(from).ListChannels(ctx)
	if err != nil {
		return nil, fmt.Errorf("list channels: %w", database.Fault(err))
	}
	all := make([]Channel, 0, len(rows))
	for _, r := range rows {
		c, err := channelFrom(r)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

func getChannel(ctx context.Context, from db.DBTX, name string) (Channel, error) {
	r, err := db.New(from).GetChannel(ctx, name)
	if errors.Is(err, sql.ErrNoRows) {
		return Channel{}, errNoChannel(name)
	}
	if err != nil {
		return Channel{}, fmt.Errorf("read channel %s: %w", name, database.Fault(err))
	}
	return channelFrom(r)
}

func healthFrom(r db.NotifyHealth) health {
	return health{
		lastAttempt: database.Time(r.LastAttemptAt), lastDelivered: database.Time(r.LastDeliveredAt),
		failingSince: database.Time(r.FailingSince), failures: int(r.Failures), away: r.Away,
		lastError: both(r.LastError), pacedFrom: database.Time(r.PacedFrom), paced: int(r.Paced),
	}
}

// lockHealth reads a channel's health and keeps others from beginning or
// recording an attempt on that channel until tx ends.
func lockHealth(ctx context.Context, tx *sql.Tx, channel string) (health, error) {
	r, err := db.New(tx).LockHealth(ctx, channel)
	if err != nil {
		return health{}, fmt.Errorf("lock channel %s: %w", channel, err)
	}
	return healthFrom(r), nil
}

func putHealth(ctx context.Context, tx *sql.Tx, channel string, h health) error {
	err := db.New(tx).PutHealth(ctx, db.PutHealthParams{
		Channel: channel, LastAttemptAt: database.Micros(h.lastAttempt), LastDeliveredAt: database.Micros(h.lastDelivered),
		FailingSince: database.Micros(h.failingSince), Failures: int64(h.failures), Away: h.away, LastError: marshalled(h.lastError),
		PacedFrom: database.Micros(h.pacedFrom), Paced: int64(h.paced),
	})
	if err != nil {
		return fmt.Errorf("store health of %s: %w", channel, err)
	}
	return nil
}

func deliveryFrom(r db.NotifyDelivery) (Delivery, error) {
	d := Delivery{
		ID: r.ID, Channel: r.Channel, Recipient: r.Recipient, State: State(r.State),
		CreatedAt: database.Time(r.CreatedAt), NextAt: database.Time(r.NextAt), Claimed: database.Time(r.ClaimedUntil),
		GiveUpAt: database.Time(r.GiveUpAt), EndedAt: database.Time(r.EndedAt), Attempts: int(r.Attempts),
		LastError: both(r.LastError), Carrier: r.Carrier,
	}
	if err := json.Unmarshal([]byte(r.Message), &d.Message); err != nil {
		return Delivery{}, fmt.Errorf("read delivery %s: %w", r.ID, err)
	}
	return d, nil
}

func getDelivery(ctx context.Context, from db.DBTX, id string) (Delivery, error) {
	r, err := db.New(from).GetDelivery(ctx, id)
	if errors.Is(err, sql.ErrNoRows) {
		return Delivery{}, fault.New(fault.NotFound, "notify.no_delivery",
			text.Say("there is no delivery of that id", "そのIDの配信はありません"))
	}
	if err != nil {
		return Delivery{}, fmt.Errorf("read delivery: %w", database.Fault(err))
	}
	return deliveryFrom(r)
}

// addDelivery stores a new delivery and reports whether it was not there: the
// same entry goes to the same recipient once.
func addDelivery(ctx context.Context, tx *sql.Tx, d Delivery) (bool, error) {
	message, err := json.Marshal(d.Message)
	if err != nil {
		return false, fmt.Errorf("store delivery: %w", err)
	}
	n, err := db.New(tx).AddDelivery(ctx, db.AddDeliveryParams{
		ID: d.ID, EntryID: d.Message.Entry, Kind: d.Message.Kind, Subject: d.Message.Subject, Thread: d.Message.Thread,
		Channel: d.Channel, Recipient: d.Recipient, State: string(d.State), Message: string(message),
		HappenedAt: database.Micros(d.Message.Time), CreatedAt: database.Micros(d.CreatedAt), NextAt: database.Micros(d.NextAt),
		ClaimedUntil: database.Micros(d.Claimed), GiveUpAt: database.Micros(d.GiveUpAt), EndedAt: database.Micros(d.EndedAt),
		Attempts: int64(d.Attempts), LastError: marshalled(d.LastError),
	})
	if err != nil {
		return false, fmt.Errorf("store delivery: %w", err)
	}
	return n == 1, nil
}

func endDelivery(ctx context.Context, tx *sql.Tx, d Delivery) error {
	err := db.New(tx).EndDelivery(ctx, db.EndDeliveryParams{
		ID: d.ID, State: string(d.State), NextAt: database.Micros(d.NextAt), ClaimedUntil: database.Micros(d.Claimed),
		GiveUpAt: database.Micros(d.GiveUpAt), EndedAt: database.Micros(d.EndedAt), LastError: marshalled(d.LastError),
	})
	if err != nil {
		return fmt.Errorf("store delivery %s: %w", d.ID, err)
	}
	return nil
}

// held reports whether an earlier message about the same subject has to go
// first.
func held(ctx context.Context, from db.DBTX, d Delivery) (bool, error) {
	n, err := db.New(from).CountEarlier(ctx, db.CountEarlierParams{
		Channel: d.Channel, Recipient: d.Recipient, Subject: d.Message.Subject, ID: d.ID, Thread: d.Message.Thread, Attempts: holdTries,
	})
	if err != nil {
		return false, fmt.Errorf("look for earlier deliveries: %w", database.Fault(err))
	}
	return n > 0, nil
}

// beginAttempt puts the next attempt on record and keeps others off until.
func beginAttempt(ctx context.Context, tx *sql.Tx, d Delivery, now, until time.Time) error {
	q := db.New(tx)
	err := errors.Join(
		q.LoseAttempts(ctx, db.LoseAttemptsParams{DeliveryID: d.ID, FinishedAt: database.Micros(now)}),
		q.AddAttempt(ctx, db.AddAttemptParams{DeliveryID: d.ID, Number: int64(d.Attempts), StartedAt: database.Micros(now)}),
		q.BeginAttempt(ctx, db.BeginAttemptParams{ID: d.ID, ClaimedUntil: database.Micros(until), Attempts: int64(d.Attempts)}))
	if err != nil {
		return fmt.Errorf("begin attempt on %s: %w", d.ID, err)
	}
	return nil
}

func endAttempt(ctx context.Context, tx *sql.Tx, delivery string, a Attempt) error {
	err := db.New(tx).EndAttempt(ctx, db.EndAttemptParams{
		DeliveryID: delivery, Number: int64(a.Number), FinishedAt: database.Micros(a.FinishedAt),
		Outcome: string(a.Outcome), Code: int64(a.Code), Answer: a.Answer, Error: marshalled(a.Error),
	})
	if err != nil {
		return fmt.Errorf("record attempt on %s: %w", delivery, err)
	}
	return nil
}

func listAttempts(ctx context.Context, from db.DBTX, delivery string) ([]Attempt, error) {
	rows, err := db.New(from).ListAttempts(ctx, delivery)
	if err != nil {
		return nil, fmt.Errorf("list attempts: %w", database.Fault(err))
	}
	all := make([]Attempt, 0, len(rows))
	for _, r := range rows {
		all = append(all, Attempt{
			Number: int(r.Number), StartedAt: database.Time(r.StartedAt), FinishedAt: database.Time(r.FinishedAt),
			Outcome: Outcome(r.Outcome), Code: int(r.Code), Answer: r.Answer, Error: both(r.Error),
		})
	}
	return all, nil
}

// Filter chooses deliveries. Before is the id of the last one already seen.
type Filter struct {
	Channel, Subject, Entry string
	States                  []string
	Before                  string
	Limit                   int
}

func listDeliveries(ctx context.Context, from db.DBTX, f Filter) ([]Delivery, error) {
	var w database.Where
	if f.Channel != "" {
		w.And("channel = ?", f.Channel)
	}
	if f.Subject != "" {
		w.And("subject = ?", f.Subject)
	}
	if f.Entry != "" {
		w.And("entry_id = ?", f.Entry)
	}
	if f.Before != "" {
		w.And("id < ?", f.Before)
	}
	w.AnyOf("state", f.States)
	rows, err := from.QueryContext(ctx, `SELECT id, channel, recipient, state, message, created_at, next_at, claimed_until,
		give_up_at, ended_at, attempts, last_error, carrier FROM notify_deliveries`+w.SQL()+` ORDER BY id DESC LIMIT `+w.Arg(f.Limit), w.Args()...)
	if err != nil {
		return nil, fmt.Errorf("list deliveries: %w", database.Fault(err))
	}
	defer rows.Close()
	var all []Delivery
	for rows.Next() {
		var r db.NotifyDelivery
		err := rows.Scan(&r.ID, &r.Channel, &r.Recipient, &r.State, &r.Message, &r.CreatedAt, &r.NextAt, &r.ClaimedUntil,
			&r.GiveUpAt, &r.EndedAt, &r.Attempts, &r.LastError, &r.Carrier)
		if err != nil {
			return nil, fmt.Errorf("list deliveries: %w", err)
		}
		d, err := deliveryFrom(r)
		if err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list deliveries: %w", database.Fault(err))
	}
	return all, nil
}

func marshalled(b text.Both) string {
	s, err := json.Marshal(b)
	if err != nil {
		return "{}" // two strings always marshal
	}
	return string(s)
}

func both(s string) (b text.Both) {
	if err := json.Unmarshal([]byte(s), &b); err != nil {
		return text.Both{}
	}
	return b
}
