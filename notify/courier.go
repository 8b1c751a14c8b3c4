package notify

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/notify/db"
	"github.com/teiten/teiten/notify/notice"
)

const (
	// sweepEvery is how often the database is asked for what is due: the next
	// try of what failed, and what a replica left when it died. What is new
	// does not wait for it.
	sweepEvery = time.Second
	// mostFlying bounds the sends of this process at a time, over all channels.
	mostFlying = 512
	// drainTime is how long sends that are on their way when the server stops
	// may take to end by themselves: a send that is cut off may have arrived.
	drainTime = 9 * time.Second
	// afterTrouble is the pause when the database refused a round.
	afterTrouble = 200 * time.Millisecond
)

// courier is what this process carries: the channels that it has to look at, and
// the sends that are on their way or not yet on record. It goes in rounds, each
// of one transaction that records every send which ended and begins every one
// that may: while a round commits, the next one gathers, so that many messages
// share one commit and a single one waits for nobody.
type courier struct {
	knock chan struct{} // holds one when there is something to do

	mu       sync.Mutex
	running  bool
	channels map[string]bool
	done     []tried
	flying   int
	ctx      context.Context //nolint:containedctx // ends with Run: the sends outlive the calls that begin them
}

// bound is a delivery whose attempt is on record and that has to be sent.
type bound struct {
	delivery Delivery
	channel  Channel
}

// tried is a send that ended.
type tried struct {
	delivery Delivery
	answer   notice.Answer
	result   result
	err      error
}

func newCourier() *courier {
	return &courier{knock: make(chan struct{}, 1), channels: map[string]bool{}}
}

// call has the courier look at channels in its next round.
func (c *courier) call(channels ...string) {
	c.mu.Lock()
	for _, name := range channels {
		c.channels[name] = true
	}
	c.mu.Unlock()
	c.wake()
}

func (c *courier) wake() {
	select {
	case c.knock <- struct{}{}:
	default: // a round is due already, and will see what was added
	}
}

// take hands over what there is to do.
func (c *courier) take() (channels map[string]bool, done []tried) {
	c.mu.Lock()
	defer c.mu.Unlock()
	channels, done = c.channels, c.done
	c.channels, c.done = map[string]bool{}, nil
	return channels, done
}

// giveBack returns what a failed round did not do.
func (c *courier) giveBack(channels map[string]bool, done []tried) {
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.Copy(c.channels, channels)
	c.done = append(done, c.done...)
}

// runs reports whether this process carries messages, and has room for more.
func (c *courier) runs() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.running && c.flying < mostFlying
}

// room is how many more sends may begin.
func (c *courier) room() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return max(mostFlying-c.flying, 0)
}

// idle reports whether nothing is on its way and everything is on record.
func (c *courier) idle() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.flying == 0 && len(c.done) == 0
}

// Run carries messages until ctx ends. What is on its way then is given time to
// arrive and is put on record, so that a restart sends nothing twice.
func (s *Service) Run(ctx context.Context) error {
	c := s.courier
	sending, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	c.mu.Lock()
	c.running, c.ctx = true, sending
	c.mu.Unlock()
	sweep := time.NewTicker(sweepEvery)
	defer sweep.Stop()
	for first := true; ctx.Err() == nil; first = false {
		if !first {
			select {
			case <-ctx.Done():
				continue
			case <-sweep.C:
				s.complain(ctx, s.sweep(ctx))
			case <-c.knock:
			}
		} else if err := s.sweep(ctx); err != nil {
			s.complain(ctx, err)
		}
		if err := s.round(ctx); err != nil {
			s.complain(ctx, err)
			pause(ctx, afterTrouble)
		}
	}
	return s.drain(context.WithoutCancel(ctx), cut)
}

// drain waits for what is on its way, cuts off what takes too long, and records
// all of it.
func (s *Service) drain(ctx context.Context, cut context.CancelFunc) error {
	c := s.courier
	c.mu.Lock()
	c.running = false
	c.mu.Unlock()
	late := time.AfterFunc(drainTime, cut)
	defer late.Stop()
	for end := time.Now().Add(drainTime + recordTime); !c.idle() && time.Now().Before(end); {
		select {
		case <-c.knock:
		case <-time.After(afterTrouble):
		}
		_, done := c.take()
		if len(done) == 0 {
			continue
		}
		if _, err := s.turn(ctx, nil, done); err != nil {
			c.giveBack(nil, done)
			s.complain(ctx, err)
		}
	}
	return nil
}

func (s *Service) complain(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		s.log.ErrorContext(ctx, "messages wait", "error", err)
	}
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// sweep calls for every channel with a delivery that is due and that nobody
// holds.
func (s *Service) sweep(ctx context.Context) error {
	if err := s.recover(ctx); err != nil {
		return err
	}
	channels, err := db.New(s.db.Read()).ChannelsDue(ctx, database.Micros(s.now()))
	if err != nil {
		return fmt.Errorf("look for due deliveries: %w", database.Fault(err))
	}
	if len(channels) > 0 {
		s.courier.call(channels...)
	}
	return nil
}

// recover, once, lets go what a killed process held. Only one process serves a
// SQLite file, so that every claim from before this one's start is nobody's; on
// PostgreSQL another replica may hold it, and the claim's end decides.
func (s *Service) recover(ctx context.Context) error {
	if s.recovered || s.db.Dialect() != database.SQLite {
		return nil
	}
	err := s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		return db.New(tx).ReleaseClaims(ctx, database.Micros(s.started.Add(claimTime)))
	})
	if err != nil {
		return fmt.Errorf("take up deliveries of a killed process: %w", err)
	}
	s.recovered = true
	return nil
}

// round does what there is to do, once.
func (s *Service) round(ctx context.Context) error {
	channels, done := s.courier.take()
	if len(channels) == 0 && len(done) == 0 {
		return nil
	}
	begun, err := s.turn(ctx, channels, done)
	if err != nil {
		s.courier.giveBack(channels, done)
		s.courier.wake()
		return err
	}
	s.launch(begun)
	return nil
}

// turn records sends that ended and begins those that may on the given channels,
// in one transaction. Channels are taken in order, so that replicas do not wait
// for one another crosswise.
func (s *Service) turn(ctx context.Context, channels map[string]bool, done []tried) ([]bound, error) {
	ended := map[string][]tried{}
	for _, t := range done {
		ended[t.delivery.Channel] = append(ended[t.delivery.Channel], t)
	}
	names := slices.AppendSeq(slices.Collect(maps.Keys(channels)), maps.Keys(ended))
	slices.Sort(names)
	names = slices.Compact(names)
	var begun []bound
	err := s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		begun = nil
		room := s.courier.room() + len(done)
		for _, name := range names {
			h, err := lockHealth(ctx, tx, name)
			if err != nil {
				return err
			}
			for _, t := range ended[name] {
				if h, err = s.conclude(ctx, tx, h, t); err != nil {
					return err
				}
			}
			if len(ended[name]) > 0 {
				if err := putHealth(ctx, tx, name, h); err != nil {
					return err
				}
			}
			if channels == nil {
				continue // the server stops
			}
			more, err := s.beginDue(ctx, tx, name, h, room-len(begun))
			if err != nil {
				return err
			}
			begun = append(begun, more...)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return begun, nil
}

// launch sends what has begun. Each send calls for its channel again when it
// ends.
func (s *Service) launch(begun []bound) {
	c := s.courier
	c.mu.Lock()
	ctx := c.ctx
	c.flying += len(begun)
	c.mu.Unlock()
	for _, b := range begun {
		go func() {
			t := s.carry(ctx, b)
			c.mu.Lock()
			c.flying--
			c.done = append(c.done, t)
			c.channels[b.delivery.Channel] = true
			c.mu.Unlock()
			c.wake()
		}()
	}
}

// carry sends one delivery once.
func (s *Service) carry(ctx context.Context, b bound) tried {
	answer, r, err := s.send(ctx, b.channel, b.delivery)
	return tried{b.delivery, answer, r, err}
}

// beginDue claims the deliveries on a channel that are due and for which there is
// a place, and puts their attempts on record. The caller has locked the channel.
func (s *Service) beginDue(ctx context.Context, tx *sql.Tx, channel string, h health, room int) ([]bound, error) {
	q, now := db.New(tx), s.now()
	busy, err := q.CountInFlight(ctx, db.CountInFlightParams{Channel: channel, ClaimedUntil: database.Micros(now)})
	if err != nil {
		return nil, fmt.Errorf("count sends to %s: %w", channel, err)
	}
	free := min(h.slots()-int(busy), room)
	if free <= 0 {
		return nil, nil
	}
	due, err := q.DueOnChannel(ctx, db.DueOnChannelParams{Channel: channel, NextAt: database.Micros(now), Attempts: holdTries, Limit: int32(max(free, mostBundled))})
	if err != nil {
		return nil, fmt.Errorf("look for due deliveries on %s: %w", channel, err)
	}
	if len(due) == 0 {
		return nil, nil
	}
	c, err := s.way(ctx, tx, channel)
	gone := fault.KindOf(err) == fault.NotFound
	if err != nil && !gone {
		return nil, err
	}
	var ready []Delivery
	for _, id := range due {
		d, err := getDelivery(ctx, tx, id)
		if err == nil && gone {
			err = s.orphan(ctx, tx, d)
		}
		if err != nil {
			return nil, err
		}
		ready = append(ready, d)
	}
	if gone {
		return nil, nil
	}
	if c.Spec.AtMost != nil {
		if ready, err = s.pace(ctx, tx, c, h, ready, now); err != nil {
			return nil, err
		}
	}
	var begun []bound
	for _, d := range ready[:min(free, len(ready))] {
		if d, err = s.begin(ctx, tx, d, now); err != nil {
			return nil, err
		}
		begun = append(begun, bound{d, c})
	}
	return begun, nil
}

// begin puts the next attempt at a delivery on record and keeps others off it.
func (s *Service) begin(ctx context.Context, tx *sql.Tx, d Delivery, now time.Time) (Delivery, error) {
	d.Attempts++
	d.Claimed = now.Add(claimTime)
	return d, beginAttempt(ctx, tx, d, now, d.Claimed)
}

// conclude records what a send came to: the attempt, the delivery, the journal;
// and returns the channel's health after it.
func (s *Service) conclude(ctx context.Context, tx *sql.Tx, h health, t tried) (health, error) {
	why, d := reason(t.err), t.delivery
	if t.err != nil {
		s.log.WarnContext(ctx, "delivery attempt failed", "channel", d.Channel, "delivery", d.ID, "attempt", d.Attempts, "error", t.err)
	}
	stored, err := getDelivery(ctx, tx, d.ID)
	if err != nil {
		return h, err
	}
	now := s.now()
	next, outcome := d.after(t.result, now)
	next.LastError = why
	err = endAttempt(ctx, tx, d.ID, Attempt{
		Number: d.Attempts, FinishedAt: now, Outcome: outcome, Code: t.answer.Code, Answer: notice.Cut(t.answer.Text, 500), Error: why,
	})
	if err != nil {
		return h, err
	}
	overtaken := stored.State != Pending || stored.Attempts != d.Attempts // another attempt took over
	if !overtaken || t.result.taken && stored.State == Pending {
		if err := s.settle(ctx, tx, next, now, why); err != nil {
			return h, err
		}
	}
	return s.feel(ctx, tx, d.Channel, h, t.result, why, now)
}
