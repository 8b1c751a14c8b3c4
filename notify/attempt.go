package notify

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/notify/db"
	"github.com/teiten/teiten/notify/notice"
)

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

// settle stores what became of a delivery, and journals an end.
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
		return nil // tried again when it is due
	}
	if err := s.settleCarried(ctx, tx, d); err != nil {
		return err
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

// feel is the channel's health after an attempt. It journals that the receiver
// went away or came back; when it came back, everything that waits is due at
// once.
func (s *Service) feel(ctx context.Context, tx *sql.Tx, channel string, h health, r result, why text.Both, now time.Time) (health, error) {
	since := h.failingSince
	h, went, back := h.after(r, why, now)
	draft := journal.Draft{Subject: journal.RefTo("channel", channel)}
	switch {
	case went:
		draft.Kind, draft.Data = "notify.channel_away", map[string]any{"since": h.failingSince, "reason": why}
	case back:
		draft.Kind, draft.Data = "notify.channel_back", map[string]any{"since": since, "seconds": now.Sub(since).Seconds()}
		if err := db.New(tx).HurryChannel(ctx, db.HurryChannelParams{Channel: channel, NextAt: database.Micros(now)}); err != nil {
			return h, fmt.Errorf("hurry %s: %w", channel, err)
		}
	}
	if draft.Kind == "" {
		return h, nil
	}
	_, err := s.journal.Append(ctx, tx, draft)
	return h, err
}
