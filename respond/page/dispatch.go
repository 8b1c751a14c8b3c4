package page

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/notify"
	"github.com/teiten/teiten/notify/notice"
	"github.com/teiten/teiten/respond/alert"
	"github.com/teiten/teiten/respond/page/db"
	"github.com/teiten/teiten/respond/page/run"
)

const (
	// sweepEvery is how often the database is asked for what is due. What is new
	// does not wait for it.
	sweepEvery = time.Second
	// stepsAtATime and messagesAtATime bound one transaction.
	stepsAtATime, messagesAtATime = 200, 500
	// lateAfter is how long a message may be on its way before the person's other
	// methods follow.
	lateAfter = time.Minute
	// clockSlack is how far the clocks of replicas may lie apart.
	clockSlack   = time.Minute
	afterTrouble = 200 * time.Millisecond
)

func (s *Service) wake() {
	select {
	case s.knock <- struct{}{}:
	default: // a round is due already
	}
}

// Run takes steps and hands over messages when they are due, until ctx ends. Any
// number of replicas may do so: a step is taken in the transaction that stores
// what follows from it.
func (s *Service) Run(ctx context.Context) error {
	go s.beat(ctx)
	sweep := time.NewTicker(sweepEvery)
	defer sweep.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-sweep.C:
			s.complain(ctx, s.watch(ctx))
		case <-s.knock:
		}
		for more := true; more && ctx.Err() == nil; {
			var err error
			if more, err = s.round(ctx); err != nil {
				s.complain(ctx, err)
				rest(ctx, afterTrouble)
			}
		}
	}
}

func (s *Service) complain(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		s.log.ErrorContext(ctx, "pages wait", "error", err)
	}
}

func rest(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// due is a step that has to be taken, and whom it reaches.
type due struct {
	row     db.PageStep
	reached []reached
	gaps    []Reason // what kept anybody from being found, where nobody was
	told    bool     // nobody, but channels hear of such alerts by themselves
}

// round takes what is due, once, and reports whether more is.
func (s *Service) round(ctx context.Context) (more bool, err error) {
	q, now := db.New(s.db.Read()), s.now()
	steps, err := q.DueSteps(ctx, db.DueStepsParams{DueAt: database.Micros(now), Limit: stepsAtATime})
	if err != nil {
		return false, fmt.Errorf("look for due steps: %w", database.Fault(err))
	}
	messages, err := q.DueMessages(ctx, db.DueMessagesParams{DueAt: database.Micros(now), Limit: messagesAtATime})
	if err != nil {
		return false, fmt.Errorf("look for due messages: %w", database.Fault(err))
	}
	if len(steps) == 0 && len(messages) == 0 {
		return false, nil
	}
	// People are looked up before the transaction, which is kept short.
	r := s.resolver(now)
	var ready []due
	for _, row := range steps {
		d, err := s.prepare(ctx, r, row)
		if err != nil {
			return false, err
		}
		ready = append(ready, d)
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for _, d := range ready {
			if err := s.take(ctx, tx, d, now); err != nil {
				return err
			}
		}
		for _, m := range messages {
			if err := s.handWaiting(ctx, tx, m); err != nil {
				return err
			}
		}
		return nil
	})
	return err == nil && (len(steps) == stepsAtATime || len(messages) == messagesAtATime), err
}

// prepare finds out whom a step reaches, and where that is nobody, the fallback:
// nobody is never an outcome. Where no policy applies and nobody is there to be
// asked, channels that hear of such alerts are the ones who know.
func (s *Service) prepare(ctx context.Context, r *resolver, row db.PageStep) (due, error) {
	d := due{row: row}
	p, err := getPage(ctx, s.db.Read(), row.Page)
	if err != nil {
		return d, err
	}
	if !p.open() {
		return d, nil // nothing comes of it any more
	}
	targets := p.fallback()
	at := p.Policy.at(int(row.Step))
	if row.Step >= 0 && int(row.Step) < len(p.Policy.Spec.Steps) {
		targets = p.Policy.Spec.Steps[row.Step].Targets
	}
	urgency := urgencyOf(p.Severity)
	if d.reached, d.gaps, err = r.resolve(ctx, targets, urgency, at); err != nil || len(d.reached) > 0 {
		return d, err
	}
	var more []Reason
	if row.Step >= 0 {
		if d.reached, more, err = r.resolve(ctx, p.fallback(), High, p.Policy.Source); err != nil {
			return d, err
		}
		d.gaps = append(d.gaps, more...)
	}
	if len(d.reached) > 0 || p.Policy.Name != "" {
		return d, nil
	}
	hearing, err := s.notify.Hearing(ctx, s.db.Read(), notify.Audience{
		Alert: true, Kind: alert.EntryGroupOpened, Phase: notice.Fired, Severity: severityOf(p.Severity), Teams: some(p.Team), Services: some(p.Notice.Service),
	})
	d.told = len(hearing) > 0
	return d, err
}

func some(name string) []string {
	if name == "" {
		return nil
	}
	return []string{name}
}

// fallback are who is asked when nobody answered: those that the policy names,
// or everybody in the team.
func (p Page) fallback() []Target {
	if len(p.Policy.Spec.Fallback) > 0 || p.Team == "" {
		return p.Policy.Spec.Fallback
	}
	return []Target{Target(ToTeam + ":" + p.Team)}
}

// take takes a step: it is done in this transaction, or by another replica in
// another.
func (s *Service) take(ctx context.Context, tx *sql.Tx, d due, now time.Time) error {
	trace, err := json.Marshal(stepTrace(d))
	if err != nil {
		return fmt.Errorf("store trace: %w", err)
	}
	n, err := db.New(tx).TakeStep(ctx, db.TakeStepParams{ID: d.row.ID, DoneAt: database.Micros(now), Trace: string(trace)})
	if err != nil {
		return fmt.Errorf("take step: %w", err)
	}
	if n == 0 {
		return nil
	}
	p, err := getPage(ctx, tx, d.row.Page)
	if err != nil || !p.open() {
		return err
	}
	if d.told {
		p.State, p.EndedAt = Told, now
		return putPage(ctx, tx, p)
	}
	round, step := int(d.row.Round), int(d.row.Step)
	if err := s.announce(ctx, tx, p, d); err != nil {
		return err
	}
	for _, r := range d.reached {
		if err := s.reach(ctx, tx, p, r, round, step, now); err != nil {
			return err
		}
	}
	if step == fallbackStep {
		p.State = Exhausted
		return putPage(ctx, tx, p)
	}
	p.Taken, p.Round, p.Step, p.StepAt = true, round, step, now
	if err := putPage(ctx, tx, p); err != nil {
		return err
	}
	return s.addStep(ctx, tx, p.ID, run.Next(now, p.Policy.Spec.plan(), p.facts()))
}

// announce journals that a page climbs, and what is wrong where it finds nobody.
func (s *Service) announce(ctx context.Context, tx *sql.Tx, p Page, d due) error {
	data := map[string]any{"page": p.ID, "group": p.Group, "title": p.Notice.Title, "policy": p.Policy.Name, "round": d.row.Round, "step": d.row.Step}
	add := func(kind string, more any) error {
		data["reasons"] = more
		_, err := s.journal.Append(ctx, tx, journal.Draft{Kind: kind, Subject: Ref(p.ID), Also: p.about(), Data: data})
		return err
	}
	if len(d.gaps) > 0 {
		data["nobody"] = len(d.reached) == 0
		if err := add(EntryGap, d.gaps); err != nil {
			return err
		}
		if len(d.reached) == 0 {
			s.log.ErrorContext(ctx, "nobody can be paged", "page", p.ID, "team", p.Team)
		}
	}
	switch {
	case d.row.Step == fallbackStep:
		return add(EntryExhausted, d.gaps)
	case d.row.Step > 0 || d.row.Round > 0:
		return add(EntryEscalated, d.gaps)
	}
	return nil
}

// reach stores the messages to one person and hands over those that are due.
func (s *Service) reach(ctx context.Context, tx *sql.Tx, p Page, r reached, round, step int, now time.Time) error {
	q := db.New(tx)
	sent, err := q.CountMessages(ctx, db.CountMessagesParams{Page: p.ID, Person: r.person})
	if err != nil {
		return fmt.Errorf("count messages: %w", err)
	}
	left := p.Policy.Spec.mostPerUser() - int(sent)
	also := append(p.about(), personRef(r.person))
	if left <= 0 {
		_, err := s.journal.Append(ctx, tx, journal.Draft{Kind: EntryCapped, Subject: Ref(p.ID), Also: also,
			Data: map[string]any{"page": p.ID, "group": p.Group, "person": r.person, "messages": sent}})
		return err
	}
	var used []string
	for _, w := range r.channels(s)[:min(left, len(r.channels(s)))] {
		key := notify.HashKey(p.ID, strconv.Itoa(step), strconv.Itoa(round), w.channel.Name, r.person)
		at := now.Add(w.after)
		n, err := q.AddMessage(ctx, db.AddMessageParams{
			ID: key, Page: p.ID, Person: r.person, Round: int64(round), Step: int64(step), Way: w.channel.Name,
			Kind: string(w.channel.Spec.Type), DueAt: database.Micros(at), SetAt: database.Micros(now),
		})
		if err != nil {
			return fmt.Errorf("store message: %w", err)
		}
		used = append(used, string(w.channel.Spec.Type))
		if n == 1 && w.after == 0 {
			if err := s.hand(ctx, tx, p, w.channel, s.message(p, r.person, key, round, step, r.reasons)); err != nil {
				return err
			}
		}
	}
	_, err = s.journal.Append(ctx, tx, journal.Draft{Kind: EntrySent, Subject: Ref(p.ID), Also: also, Data: map[string]any{
		"page": p.ID, "group": p.Group, "title": p.Notice.Title, "service": p.Notice.Service, "severity": p.Severity,
		"person": r.person, "name": r.name, "methods": used, "round": round, "step": step,
	}})
	return err
}

// timed is a channel and how long after the step it is used.
type timed struct {
	channel notify.Channel
	after   time.Duration
}

// channels are the ways to a person, or the channel itself.
func (r reached) channels(s *Service) []timed {
	if r.channel != nil {
		return []timed{{*r.channel, 0}}
	}
	all := make([]timed, len(r.ways))
	for i, w := range r.ways {
		all[i] = timed{s.channel(w.method, r.prefer), w.after}
	}
	return all
}

// hand gives a message to notify, in the transaction that says so.
func (s *Service) hand(ctx context.Context, tx *sql.Tx, p Page, c notify.Channel, m notice.Message) error {
	delivery, err := s.notify.Send(ctx, tx, c, m)
	if err != nil {
		return err
	}
	_, err = db.New(tx).HandMessage(ctx, db.HandMessageParams{ID: m.Key, HandedAt: database.Micros(s.now()), Delivery: delivery})
	if err != nil {
		return fmt.Errorf("hand over message of %s: %w", p.ID, err)
	}
	return nil
}

// handWaiting hands over a message whose time has come, unless somebody answered
// or the method is gone.
func (s *Service) handWaiting(ctx context.Context, tx *sql.Tx, row db.PageMessage) error {
	p, err := getPage(ctx, tx, row.Page)
	if err != nil {
		return err
	}
	q := db.New(tx)
	end := func(state string) error {
		return q.EndMessage(ctx, db.EndMessageParams{ID: row.ID, State: state, EndedAt: database.Micros(s.now())})
	}
	if p.State == Acknowledged || p.State == Resolved {
		return end("stopped")
	}
	_, id := Target(row.Way).parts()
	m, err := getMethod(ctx, tx, id)
	if fault.KindOf(err) == fault.NotFound || err == nil && !m.usable() {
		if err := end("failed"); err != nil {
			return err
		}
		return s.another(ctx, tx, row)
	}
	if err != nil {
		return err
	}
	prefer, err := preferencesOf(ctx, tx, m.Person)
	if err != nil {
		return err
	}
	return s.hand(ctx, tx, p, s.channel(m, prefer), s.message(p, row.Person, row.ID, int(row.Round), int(row.Step), nil))
}

// watch looks for what should have happened: messages that are long on their way,
// and times that a clock which was put back has left far ahead.
func (s *Service) watch(ctx context.Context) error {
	now := s.now()
	q := db.New(s.db.Read())
	ahead, err := q.CountAhead(ctx, database.Micros(now.Add(clockSlack)))
	if err != nil {
		return fmt.Errorf("look for late messages: %w", database.Fault(err))
	}
	late, err := q.LateMessages(ctx, db.LateMessagesParams{HandedAt: database.Micros(now.Add(-lateAfter)), Limit: stepsAtATime})
	if err != nil {
		return fmt.Errorf("look for late messages: %w", database.Fault(err))
	}
	if ahead == 0 && len(late) == 0 {
		return nil
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		q := db.New(tx)
		if ahead > 0 {
			if err := q.MoveSteps(ctx, db.MoveStepsParams{SetAt: database.Micros(now), SetAt_2: database.Micros(now.Add(clockSlack))}); err != nil {
				return fmt.Errorf("move steps: %w", err)
			}
			if err := q.MoveMessages(ctx, db.MoveMessagesParams{SetAt: database.Micros(now), SetAt_2: database.Micros(now.Add(clockSlack))}); err != nil {
				return fmt.Errorf("move messages: %w", err)
			}
		}
		for _, m := range late {
			n, err := q.MarkLate(ctx, m.ID)
			if err != nil {
				return fmt.Errorf("mark message: %w", err)
			}
			if n == 1 {
				if err := s.another(ctx, tx, m); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// stepTrace is whom a step reached, by what and why, as it is stored.
type tracedPerson struct {
	Person  string   `json:"person"`
	Name    string   `json:"name"`
	Methods []string `json:"methods"`
	Reasons []Reason `json:"reasons"`
}

type traced struct {
	People []tracedPerson `json:"people"`
	Gaps   []Reason       `json:"gaps,omitempty"`
}

func stepTrace(d due) traced {
	t := traced{People: []tracedPerson{}, Gaps: d.gaps}
	for _, r := range d.reached {
		p := tracedPerson{Person: r.person, Name: r.name, Reasons: r.reasons, Methods: []string{}}
		for _, w := range r.ways {
			p.Methods = append(p.Methods, string(w.method.Spec.Type))
		}
		if r.channel != nil {
			p.Methods = append(p.Methods, string(r.channel.Spec.Type))
		}
		t.People = append(t.People, p)
	}
	return t
}
