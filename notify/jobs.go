package notify

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/queue"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/notify/notice"
)

const (
	forgetEvery = 6 * time.Hour
	recordTime  = 10 * time.Second
	kindOfTest  = "notify.test"
)

// Jobs registers what runs later and repeatedly; what carries the messages
// themselves is Run.
func (s *Service) Jobs(q *queue.Queue) {
	queue.Handle(q, queue.Handler[release]{
		Work:    func(ctx context.Context, j queue.Job[release]) error { return s.release(ctx, j.Args) },
		Timeout: recordTime,
	})
	q.Every("notify.forget", forgetEvery, s.Forget)
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
	result := s.carry(ctx, bound{d, c})
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	if _, err := s.turn(ctx, nil, []tried{result}); err != nil {
		return Tested{}, err
	}
	s.courier.call(c.Name) // a place is free again
	now, attempts, _, err := s.Delivery(ctx, d.ID)
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
