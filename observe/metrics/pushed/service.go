package pushed

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/queue"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/metrics/promexpr"
	"github.com/teiten/teiten/observe/metrics/pushed/db"
)

// SourceName is the data source that the events are.
const SourceName = "events"

// EntryLate is the entry of the journal that tells of counts for minutes that
// had settled.
const EntryLate = "metrics.counts_late"

// Defaults of Deps.
const (
	DefaultLate = 7 * 24 * time.Hour
	DefaultKeep = 400 * 24 * time.Hour
)

const (
	settle       = time.Minute // after its end a minute is taken as complete
	keyMargin    = 24 * time.Hour
	queryTimeout = 30 * time.Second
	mostSamples  = 5_000_000
)

// Deps is what the package stands on.
type Deps struct {
	DB      *database.DB
	Journal *journal.Journal
	Now     func() time.Time
	Log     *slog.Logger
	Late    time.Duration // how old an event may be; DefaultLate where 0
	Keep    time.Duration // how long counts are kept; DefaultKeep where 0
}

// Service takes events and is the data source that answers for them.
type Service struct {
	Deps
	engine *promql.Engine
}

// New returns the service over a database that holds the tables of Migrations.
func New(d Deps) *Service {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Late == 0 {
		d.Late = DefaultLate
	}
	if d.Keep == 0 {
		d.Keep = DefaultKeep
	}
	return &Service{Deps: d, engine: promql.NewEngine(promql.EngineOpts{
		Logger: d.Log, MaxSamples: mostSamples, Timeout: queryTimeout, LookbackDelta: time.Minute,
		EnableAtModifier: true, EnableNegativeOffset: true, Parser: parser.NewParser(promexpr.Options),
		NoStepSubqueryIntervalFn: func(int64) int64 { return time.Minute.Milliseconds() },
	})}
}

// Taken is what became of a push.
type Taken struct {
	Accepted   int `json:"accepted" doc:"Events that count from now on."`
	Duplicates int `json:"duplicates" doc:"Events that had been told before."`
}

// Push takes events, all of them or none. An event whose key was taken before
// counts no second time; the same key with another content is a Conflict.
func (s *Service) Push(ctx context.Context, events []Event) (Taken, error) {
	now := s.Now().UTC()
	if n := len(events); n == 0 || n > MostEvents {
		return Taken{}, fault.New(fault.Invalid, "events.batch", text.Say("a push has between 1 and %d events; this has %d", "1回に送れるイベントは1〜%d件です(今回は%d件)", MostEvents, n)).
			Fix(text.Say("send them in several pushes", "分けて送ってください")).On("events")
	}
	var faults []*fault.Error
	for i := range events {
		if f := events[i].check(now, s.Late); f != nil {
			faults = append(faults, f.On(fmt.Sprintf("events[%d].%s", i, f.Field)))
		}
	}
	if err := fault.Join(faults); err != nil {
		return Taken{}, err
	}
	var taken Taken
	err := s.DB.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		taken = Taken{}
		fresh, err := s.fresh(ctx, tx, events, now)
		if err != nil {
			return err
		}
		taken = Taken{Accepted: len(fresh), Duplicates: len(events) - len(fresh)}
		return s.Add(ctx, tx, fresh)
	})
	return taken, err
}

// fresh is what was not told before, with its keys noted.
func (s *Service) fresh(ctx context.Context, tx *sql.Tx, events []Event, now time.Time) ([]Count, error) {
	q := db.New(tx)
	// In one order, so that two pushes of the same keys do not wait for each other.
	order := slices.Clone(events)
	slices.SortStableFunc(order, func(a, b Event) int { return strings.Compare(a.Stream+"\x00"+a.Key, b.Stream+"\x00"+b.Key) })
	var counts []Count
	for i := range order {
		e := &order[i]
		minute := e.minuteOf(now)
		digest := e.digest(minute)
		n, err := q.PutKey(ctx, db.PutKeyParams{Stream: e.Stream, Key: e.Key, Digest: digest, PushedAt: database.Micros(now)})
		if err != nil {
			return nil, fmt.Errorf("note the key of an event: %w", err)
		}
		if n > 0 {
			counts = append(counts, Count{Stream: e.Stream, Labels: e.Labels, Minute: minute, Good: e.Good, Total: e.Total})
			continue
		}
		was, err := q.GetKey(ctx, db.GetKeyParams{Stream: e.Stream, Key: e.Key})
		if err != nil {
			return nil, fmt.Errorf("read the key of an event: %w", err)
		}
		if was != digest {
			return nil, fault.New(fault.Conflict, "events.key_reused", text.Say(
				"the key %q of stream %s was used for another event", "キー %q はストリーム %s の別のイベントに使われています", clip(e.Key), e.Stream)).
				Fix(text.Say("a correction is a new event with a key of its own and correction: true", "訂正は、別のキーと correction: true を付けた新しいイベントとして送ってください")).On("idempotencyKey")
		}
	}
	return counts, nil
}

// Add adds counts within a transaction of the caller, who sees to it that none
// is added twice. What settled minutes gain is told in the journal, so that
// figures that were taken from them are taken anew.
func (s *Service) Add(ctx context.Context, tx *sql.Tx, counts []Count) error {
	now := s.Now().UTC()
	all := gathered(counts)
	settled := s.settledAt(now)
	late := map[string]*lateEntry{}
	for i := 0; i < len(all); {
		j := i
		for j < len(all) && all[j].id == all[i].id {
			j++
		}
		of := all[i:j]
		if err := s.admit(ctx, tx, of[0]); err != nil {
			return err
		}
		if err := putStream(ctx, tx, of[0].stream, of[0].id, of[0].minute, of[len(of)-1].minute, now); err != nil {
			return err
		}
		for _, a := range of {
			if err := add(ctx, tx, a); err != nil {
				return err
			}
			if a.minute < settled {
				late[a.stream.name] = late[a.stream.name].with(a)
			}
		}
		i = j
	}
	return s.tellLate(ctx, tx, late)
}

// admit refuses streams without end: a label that holds an id would make one for
// each event.
func (s *Service) admit(ctx context.Context, tx *sql.Tx, a addition) error {
	q := db.New(tx)
	known, err := q.StreamExists(ctx, a.id)
	if err != nil || known > 0 {
		return err
	}
	ofName, err1 := q.CountStreamsOf(ctx, a.stream.name)
	all, err2 := q.CountStreams(ctx)
	if err := errors.Join(err1, err2); err != nil {
		return fmt.Errorf("count streams: %w", err)
	}
	if ofName < mostStreamsOfName && all < mostStreams {
		return nil
	}
	return fault.New(fault.Limited, "events.too_many_streams", text.Say(
		"stream %s would have more than %d combinations of labels (or all streams more than %d)",
		"ストリーム %s のラベルの組み合わせが%d通り(全体では%d通り)を超えます", a.stream.name, mostStreamsOfName, mostStreams)).
		Fix(text.Say("leave out labels that are different for each event", "イベントごとに異なる値をラベルにしないでください")).On("labels")
}

func add(ctx context.Context, tx *sql.Tx, a addition) error {
	sum, err := db.New(tx).AddMinute(ctx, db.AddMinuteParams{Stream: a.id, Minute: a.minute, Good: a.good, Total: a.total})
	if err != nil {
		return fmt.Errorf("add to stream %s: %w", a.stream.name, err)
	}
	if sum.Good < 0 || sum.Total < 0 || sum.Good > sum.Total {
		return fault.New(fault.Conflict, "events.correction", text.Say(
			"after this correction the minute %s of stream %s would have %g good of %g", "この訂正を適用すると、ストリーム %[2]s の %[1]s の分が %[4]g 件中 %[3]g 件良好となり、矛盾します",
			time.Unix(a.minute*60, 0).UTC().Format(time.RFC3339), a.stream.name, sum.Good, sum.Total)).
			Fix(text.Say("take back no more than was told for this minute", "その分に記録されている範囲内で訂正してください"))
	}
	return nil
}

// lateEntry is what the journal tells of late counts.
type lateEntry struct {
	Source string  `json:"source"`
	Stream string  `json:"stream"`
	From   int64   `json:"from"` // minute
	To     int64   `json:"to"`   // the minute after the last
	Good   float64 `json:"good"`
	Total  float64 `json:"total"`
}

func (l *lateEntry) with(a addition) *lateEntry {
	if l == nil {
		l = &lateEntry{Source: SourceName, Stream: a.stream.name, From: a.minute, To: a.minute + 1}
	}
	l.From, l.To = min(l.From, a.minute), max(l.To, a.minute+1)
	l.Good, l.Total = l.Good+a.good, l.Total+a.total
	return l
}

func (s *Service) tellLate(ctx context.Context, tx *sql.Tx, late map[string]*lateEntry) error {
	for name, l := range late {
		_, err := s.Journal.Append(ctx, tx, journal.Draft{Kind: EntryLate, Subject: journal.RefTo("stream", name), Data: l})
		if err != nil {
			return err
		}
	}
	return nil
}

// Schedule has old counts and keys removed.
func (s *Service) Schedule(q *queue.Queue) { q.Every("events.prune", time.Hour, s.Prune) }

// Prune removes keys that can no longer be used, because an event of that age is
// refused, and counts that are kept no longer.
func (s *Service) Prune(ctx context.Context) error {
	now := s.Now()
	oldest := now.Add(-s.Keep).Unix() / 60
	return s.DB.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		q := db.New(tx)
		return errors.Join(q.DropKeys(ctx, database.Micros(now.Add(-s.Late-keyMargin))),
			q.DropMinutes(ctx, oldest), q.DropStreams(ctx, oldest))
	})
}

// settledAt is the first minute of which more may come in the ordinary way.
func (s *Service) settledAt(now time.Time) int64 {
	return metrics.MinuteAfter(now.Add(-settle).UnixMilli())
}
