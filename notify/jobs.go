package notify

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/queue"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/notify/db"
	"github.com/teiten/teiten/notify/notice"
)

// deliver is the job that looks after one delivery. It is a knock at the door
// and nothing more: whether the delivery is due, held or taken is decided from
// its row, so that a job too many does no harm.
type deliver struct {
	Delivery string `json:"delivery"`
}

// Kind names the job.
func (deliver) Kind() string { return "notify.deliver" }

const (
	jobWorkers  = 32
	sweepEvery  = 10 * time.Second
	forgetEvery = 6 * time.Hour
	recordTime  = 10 * time.Second
	jobsOnWake  = 16
	kindOfTest  = "notify.test"
)

// Jobs registers what runs later and repeatedly.
func (s *Service) Jobs(q *queue.Queue) {
	queue.Handle(q, queue.Handler[deliver]{
		Work:    func(ctx context.Context, j queue.Job[deliver]) error { return s.attempt(ctx, j.Args.Delivery) },
		Timeout: claimTime + recordTime,
		Queue:   "notify", Workers: jobWorkers,
	})
	queue.Handle(q, queue.Handler[release]{
		Work:    func(ctx context.Context, j queue.Job[release]) error { return s.release(ctx, j.Args) },
		Timeout: recordTime,
	})
	q.Every("notify.sweep", sweepEvery, s.sweep)
	q.Every("notify.forget", forgetEvery, s.Forget)
}

// sweep knocks for every delivery that is due and that nobody holds: after a
// crash, and whenever a place on a channel became free unnoticed.
func (s *Service) sweep(ctx context.Context) error {
	if err := s.recover(ctx); err != nil {
		return err
	}
	channels, err := db.New(s.db.Read()).ChannelsDue(ctx, database.Micros(s.now()))
	if err != nil {
		return fmt.Errorf("look for due deliveries: %w", database.Fault(err))
	}
	for _, c := range channels {
		err = errors.Join(err, s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
			h, err := lockHealth(ctx, tx, c)
			if err != nil {
				return err
			}
			return s.wake(ctx, tx, c, h)
		}))
	}
	return err
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

// wake inserts jobs for the next deliveries on a channel, as many as it has
// free places.
func (s *Service) wake(ctx context.Context, tx *sql.Tx, channel string, h health) error {
	q, now := db.New(tx), database.Micros(s.now())
	busy, err := q.CountInFlight(ctx, db.CountInFlightParams{Channel: channel, ClaimedUntil: now})
	if err != nil {
		return fmt.Errorf("count sends to %s: %w", channel, err)
	}
	free := h.slots() - int(busy)
	if free <= 0 {
		return nil
	}
	due, err := q.DueOnChannel(ctx, db.DueOnChannelParams{Channel: channel, NextAt: now, Attempts: holdTries, Limit: int32(min(free, jobsOnWake))})
	if err != nil {
		return fmt.Errorf("look for due deliveries on %s: %w", channel, err)
	}
	for _, id := range due {
		if err := s.queue.Insert(ctx, tx, deliver{Delivery: id}); err != nil {
			return err
		}
	}
	return nil
}

// attempt tries a delivery once, if it is its turn. The attempt is on record
// before the send and its result after; in between, a crash costs at most one
// more send of the same key.
func (s *Service) attempt(ctx context.Context, id string) error {
	d, channel, ok, err := s.begin(ctx, id)
	if err != nil || !ok {
		return err
	}
	return s.try(ctx, d, channel)
}

// try sends a delivery whose attempt has begun, and records the result even when
// the server is being stopped.
func (s *Service) try(ctx context.Context, d Delivery, channel Channel) error {
	answer, r, sendErr := s.send(ctx, channel, d)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	return s.finish(ctx, d, answer, r, sendErr)
}

// begin claims a delivery and puts the attempt on record. It is false when the
// delivery has ended, is not due, is held by another attempt or by an earlier
// message, or when its channel has no free place; whatever changes that knocks
// again.
func (s *Service) begin(ctx context.Context, id string) (d Delivery, c Channel, ok bool, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		ok = false
		if d, err = getDelivery(ctx, tx, id); err != nil {
			if fault.KindOf(err) == fault.NotFound {
				return nil
			}
			return err
		}
		h, err := lockHealth(ctx, tx, d.Channel)
		if err != nil {
			return err
		}
		if d, err = getDelivery(ctx, tx, id); err != nil { // as it is under the lock
			return err
		}
		now := s.now()
		if d.State != Pending || d.NextAt.After(now) || d.Claimed.After(now) {
			return nil
		}
		if c, err = getChannel(ctx, tx, d.Channel); fault.KindOf(err) == fault.NotFound {
			return s.orphan(ctx, tx, d)
		} else if err != nil {
			return err
		}
		if ok, err = s.mayGo(ctx, tx, d, h, now); err != nil || !ok {
			return err
		}
		d.Attempts++
		d.Claimed = now.Add(claimTime)
		return beginAttempt(ctx, tx, d, now, d.Claimed)
	})
	return d, c, ok && err == nil, err
}

// mayGo reports whether a due delivery may be sent now.
func (s *Service) mayGo(ctx context.Context, tx *sql.Tx, d Delivery, h health, now time.Time) (bool, error) {
	busy, err := db.New(tx).CountInFlight(ctx, db.CountInFlightParams{Channel: d.Channel, ClaimedUntil: database.Micros(now)})
	if err != nil {
		return false, fmt.Errorf("count sends to %s: %w", d.Channel, err)
	}
	if int(busy) >= h.slots() {
		return false, nil
	}
	waits, err := held(ctx, tx, d)
	return !waits, err
}

// orphan ends a delivery whose channel was removed.
func (s *Service) orphan(ctx context.Context, tx *sql.Tx, d Delivery) error {
	d.State, d.EndedAt, d.NextAt = Failed, s.now(), time.Time{}
	d.LastError = text.Say("the channel was removed", "チャンネルが削除されました")
	if err := endDelivery(ctx, tx, d); err != nil {
		return err
	}
	database.AfterCommit(ctx, func() { s.stats.ended(d.Channel, Failed, 0) })
	return s.record(ctx, tx, "notify.failed", d, map[string]any{"reason": d.LastError})
}

// send carries the message once. It never panics: a message that breaks its
// sender is a failure of that message.
func (s *Service) send(ctx context.Context, c Channel, d Delivery) (answer notice.Answer, r result, err error) {
	defer func() {
		if p := recover(); p != nil {
			s.log.ErrorContext(ctx, "sender panicked", "channel", c.Name, "delivery", d.ID, "panic", p, "stack", string(debug.Stack()))
			answer, r, err = notice.Answer{}, result{retryable: true}, fmt.Errorf("sender panicked: %v", p)
		}
	}()
	way, err := s.notifier(c)
	if err != nil {
		// What is misconfigured can be mended while it is tried; a test is tried once.
		return answer, result{retryable: d.Message.Kind != kindOfTest}, err
	}
	m := d.Message
	m.Lang, m.Zone, m.To, m.SentAt = c.Lang(), c.Zone(), d.Recipient, s.now()
	timed, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	answer, retryable, err := way.Notify(timed, m)
	r = result{taken: err == nil, retryable: retryable, retryAfter: answer.RetryAfter}
	r.stopped = err != nil && errors.Is(ctx.Err(), context.Canceled)
	if d.Message.Kind == kindOfTest {
		r.retryable, r.stopped = false, false // a test is tried once
	}
	return answer, r, err
}

// reason is what people may read of an error.
func reason(err error) text.Both {
	if err == nil {
		return text.Both{}
	}
	if f, ok := fault.As(err); ok {
		return f.What
	}
	return text.Say("an internal error, which is in the server's log", "内部エラーです。詳細はサーバーのログにあります")
}

// finish records what an attempt came to: the attempt, the delivery, the
// channel's health, the journal and the jobs that follow from it, together.
func (s *Service) finish(ctx context.Context, d Delivery, answer notice.Answer, r result, sendErr error) error {
	why := reason(sendErr)
	if sendErr != nil {
		s.log.WarnContext(ctx, "delivery attempt failed", "channel", d.Channel, "delivery", d.ID, "attempt", d.Attempts, "error", sendErr)
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		h, err := lockHealth(ctx, tx, d.Channel)
		if err != nil {
			return err
		}
		stored, err := getDelivery(ctx, tx, d.ID)
		if err != nil {
			return err
		}
		now := s.now()
		next, outcome := d.after(r, now)
		next.LastError = why
		err = endAttempt(ctx, tx, d.ID, Attempt{
			Number: d.Attempts, FinishedAt: now, Outcome: outcome, Code: answer.Code, Answer: notice.Cut(answer.Text, 500), Error: why,
		})
		if err != nil {
			return err
		}
		overtaken := stored.State != Pending || stored.Attempts != d.Attempts // another attempt took over
		if !overtaken || r.taken && stored.State == Pending {
			if err := s.settle(ctx, tx, next, now, why); err != nil {
				return err
			}
		}
		return s.feel(ctx, tx, d.Channel, h, r, why, now)
	})
}

// settle stores what became of a delivery, journals an end, and has another
// attempt come in its time.
func (s *Service) settle(ctx context.Context, tx *sql.Tx, d Delivery, now time.Time, why text.Both) error {
	if err := endDelivery(ctx, tx, d); err != nil {
		return err
	}
	took := now.Sub(d.Message.Time)
	more := map[string]any{"seconds": took.Seconds()}
	if d.Recipient != "" {
		more["recipient"] = d.Recipient
	}
	if d.State == Pending {
		return s.queue.Insert(ctx, tx, deliver{Delivery: d.ID}, queue.At(d.NextAt))
	}
	database.AfterCommit(ctx, func() { s.stats.ended(d.Channel, d.State, took) })
	if d.State == Failed {
		more["reason"] = why
	}
	if d.Message.Kind == kindOfTest {
		more["ok"] = d.State == Delivered
		return s.record(ctx, tx, "notify.channel_tested", d, more)
	}
	if d.State == Delivered {
		return s.record(ctx, tx, "notify.delivered", d, more)
	}
	return s.record(ctx, tx, "notify.failed", d, more)
}

// feel updates the channel's health, journals that its receiver went away or
// came back, and knocks for what waits. When it came back, everything that
// waits is due at once.
func (s *Service) feel(ctx context.Context, tx *sql.Tx, channel string, h health, r result, why text.Both, now time.Time) error {
	since := h.failingSince
	h, went, back := h.after(r, why, now)
	if err := putHealth(ctx, tx, channel, h); err != nil {
		return err
	}
	draft := journal.Draft{Subject: journal.RefTo("channel", channel)}
	switch {
	case went:
		draft.Kind, draft.Data = "notify.channel_away", map[string]any{"since": h.failingSince, "reason": why}
	case back:
		draft.Kind, draft.Data = "notify.channel_back", map[string]any{"since": since, "seconds": now.Sub(since).Seconds()}
		if err := db.New(tx).HurryChannel(ctx, db.HurryChannelParams{Channel: channel, NextAt: database.Micros(now)}); err != nil {
			return fmt.Errorf("hurry %s: %w", channel, err)
		}
	}
	if draft.Kind != "" {
		if _, err := s.journal.Append(ctx, tx, draft); err != nil {
			return err
		}
	}
	return s.wake(ctx, tx, channel, h)
}

// Tested is what a test of a channel came to, for one recipient.
type Tested struct {
	Delivery Delivery
	Attempt  Attempt
}

// Test sends a test message over a channel, once to each recipient, and waits
// for the outcome. The deliveries are on record like any other.
func (s *Service) Test(ctx context.Context, name string) ([]Tested, error) {
	c, err := getChannel(ctx, s.db.Read(), name)
	if err != nil {
		return nil, err
	}
	if err := s.mayUse(ctx, s.db.Read(), name); err != nil {
		return nil, err
	}
	recipients := c.Recipients()
	all, errs := make([]Tested, len(recipients)), make([]error, len(recipients))
	places := make(chan struct{}, slots)
	var wg sync.WaitGroup
	for i, r := range recipients {
		wg.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			all[i], errs[i] = s.testOne(ctx, c, r)
		})
	}
	wg.Wait()
	return all, errors.Join(errs...)
}

func (s *Service) testOne(ctx context.Context, c Channel, recipient string) (Tested, error) {
	d, err := s.newDelivery(c.Name, recipient, s.testMessage(ctx, c))
	if err != nil {
		return Tested{}, err
	}
	d.Message.Entry = d.ID // there is no entry behind it
	d.Message.Key = Key(d.ID, c.Name, recipient)
	d.Attempts, d.Claimed = 1, s.now().Add(claimTime)
	err = s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := addDelivery(ctx, tx, d); err != nil {
			return err
		}
		return beginAttempt(ctx, tx, d, s.now(), d.Claimed)
	})
	if err != nil {
		return Tested{}, err
	}
	if err := s.try(ctx, d, c); err != nil {
		return Tested{}, err
	}
	now, attempts, _, err := s.Delivery(context.WithoutCancel(ctx), d.ID)
	if err != nil || len(attempts) == 0 {
		return Tested{}, err
	}
	return Tested{Delivery: now, Attempt: attempts[len(attempts)-1]}, nil
}

func (s *Service) testMessage(ctx context.Context, c Channel) Message {
	ref := journal.RefTo("channel", c.Name)
	who := notice.OneLine(journal.ActorFrom(ctx).Name, 100)
	return Message{
		Kind: kindOfTest, Subject: string(ref), Thread: string(ref) + " test", Severity: notice.Info, Time: s.now(),
		Title: text.Say("[TEST] Channel %s works", "【テスト】チャンネル%sは正常に届いています", c.Name),
		Body: text.Say("This is a test message that %s asked for. Nothing has happened.",
			"%sさんの操作によるテスト送信です。障害などは起きていません。", who),
		Link: s.site.Page("settings", "channels"),
	}
}
