package page

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/notify/notice"
	"github.com/teiten/teiten/respond/alert"
	"github.com/teiten/teiten/respond/page/db"
	"github.com/teiten/teiten/respond/page/run"
)

// Subscribe has the journal tell the room what happens to groups of alerts and to
// its messages.
func (s *Service) Subscribe(j *journal.Journal) {
	for kind, hear := range map[string]func(ctx context.Context, tx *sql.Tx, e journal.Entry, n alert.Notice) error{
		alert.EntryGroupOpened:       s.opened,
		alert.EntryGroupReminded:     s.reminded,
		alert.EntryGroupJoined:       s.joined,
		alert.EntryGroupAcknowledged: s.answered,
		alert.EntryGroupResolved:     s.resolved,
	} {
		j.Subscribe(kind, "page", func(ctx context.Context, tx *sql.Tx, e journal.Entry) error {
			var n alert.Notice
			if err := json.Unmarshal(e.Data, &n); err != nil {
				return fmt.Errorf("read %s: %w", e.Kind, err)
			}
			return hear(ctx, tx, e, n)
		})
	}
	j.Subscribe("notify.delivered", "page", s.carried)
	j.Subscribe("notify.failed", "page", s.carried)
}

// opened begins a page for a new group.
func (s *Service) opened(ctx context.Context, tx *sql.Tx, _ journal.Entry, n alert.Notice) error {
	return s.begin(ctx, tx, n)
}

// reminded begins anew for a group that is still open, unless somebody is still
// being looked for.
func (s *Service) reminded(ctx context.Context, tx *sql.Tx, _ journal.Entry, n alert.Notice) error {
	pages, err := pagesOf(ctx, tx, n.Group)
	if err != nil || slices.ContainsFunc(pages, Page.open) {
		return err
	}
	return s.begin(ctx, tx, n)
}

// joined keeps a page up to date, and begins anew where what could wait before
// cannot any more.
func (s *Service) joined(ctx context.Context, tx *sql.Tx, _ journal.Entry, n alert.Notice) error {
	pages, err := pagesOf(ctx, tx, n.Group)
	if err != nil {
		return err
	}
	urgent := false
	for _, p := range pages {
		urgent = urgent || p.open() || urgencyOf(p.Severity) == High
		if !p.open() {
			continue
		}
		p.Notice, p.Severity = n, string(n.Severity)
		if err := putPage(ctx, tx, p); err != nil {
			return err
		}
	}
	if n.Worse && !urgent && urgencyOf(string(n.Severity)) == High {
		return s.begin(ctx, tx, n)
	}
	return nil
}

// answered stops the pages of a group that somebody acknowledged.
func (s *Service) answered(ctx context.Context, tx *sql.Tx, e journal.Entry, n alert.Notice) error {
	pages, err := pagesOf(ctx, tx, n.Group)
	if err != nil {
		return err
	}
	ctx = journal.WithActor(ctx, e.Actor)
	for _, p := range pages {
		if p.State == Told {
			continue
		}
		if _, err := s.answer(ctx, tx, p); err != nil {
			return err
		}
	}
	return nil
}

// resolved ends the pages of a group that is over, and tells channels that were
// told of its beginning.
func (s *Service) resolved(ctx context.Context, tx *sql.Tx, e journal.Entry, n alert.Notice) error {
	pages, err := pagesOf(ctx, tx, n.Group)
	if err != nil {
		return err
	}
	for _, p := range pages {
		unanswered := p.State == Paging || p.State == Exhausted
		p.State, p.EndedAt = Resolved, s.now()
		if err := s.quiet(ctx, tx, p); err != nil {
			return err
		}
		if err := s.tellEnd(ctx, tx, p, n, e); err != nil {
			return err
		}
		if !unanswered {
			continue
		}
		if _, err := s.journal.Append(ctx, tx, journal.Draft{Kind: EntryEnded, Subject: Ref(p.ID), Also: p.about(), Data: map[string]any{
			"page": p.ID, "group": p.Group, "title": p.Notice.Title, "seconds": p.EndedAt.Sub(p.BeganAt).Seconds(),
		}}); err != nil {
			return err
		}
	}
	return nil
}

// tellEnd tells the end to channels that were told the beginning.
func (s *Service) tellEnd(ctx context.Context, tx *sql.Tx, p Page, n alert.Notice, e journal.Entry) error {
	messages, err := db.New(tx).MessagesOfPage(ctx, p.ID)
	if err != nil {
		return fmt.Errorf("read messages: %w", err)
	}
	told := map[string]bool{}
	for _, m := range messages {
		kind, name := Target(m.Person).parts()
		if kind != ToChannel || told[name] || m.HandedAt == 0 {
			continue
		}
		told[name] = true
		c, err := s.notify.Way(ctx, tx, name)
		if err != nil || c.Spec.SendResolved != nil && !*c.Spec.SendResolved {
			continue // a channel that was removed hears nothing more
		}
		if _, err := s.notify.Send(ctx, tx, c, s.over(p, n, e, m.ID)); err != nil {
			return err
		}
	}
	return nil
}

// begin stores a page with its first step, which is due at once. Channels that a
// receiver names hear of the group by themselves, and nobody has to answer there.
func (s *Service) begin(ctx context.Context, tx *sql.Tx, n alert.Notice) error {
	if !n.Receiver.Owner && n.Receiver.Policy == "" {
		return nil
	}
	policy, err := s.policyFor(ctx, tx, n)
	if err != nil {
		return err
	}
	id, err := newID()
	if err != nil {
		return err
	}
	p := Page{ID: id, Group: n.Group, Team: cmp.Or(n.Team, policy.Spec.Team), Severity: string(n.Severity), State: Paging, Notice: n,
		Policy: policy, BeganAt: s.now()}
	if err := addPage(ctx, tx, p); err != nil {
		return err
	}
	database.AfterCommit(ctx, s.wake)
	return s.addStep(ctx, tx, p.ID, run.Next(p.BeganAt, p.Policy.Spec.plan(), p.facts()))
}

// policyFor is the policy that a notice is paged by. Where it names one that is
// not there, it is the owner's; where there is none, it has no steps, and the
// fallback is paged at once.
func (s *Service) policyFor(ctx context.Context, tx *sql.Tx, n alert.Notice) (Policy, error) {
	if n.Receiver.Policy != "" {
		if p, ok, err := findPolicy(ctx, tx, n.Receiver.Policy); err != nil || ok {
			return p, err
		}
	}
	if p, ok, err := policyOf(ctx, tx, n.Team); err != nil || ok {
		return p, err
	}
	return Policy{Spec: PolicySpec{Team: n.Team}}, nil
}

// fallbackStep is the number of the step that is the fallback.
const fallbackStep = -1

// addStep stores when the next step is due.
func (s *Service) addStep(ctx context.Context, tx *sql.Tx, page string, next run.Intent) error {
	if next.Kind == run.End {
		return nil
	}
	id, err := newID()
	if err != nil {
		return err
	}
	step := next.Step
	if next.Kind == run.Fallback {
		step = fallbackStep
	}
	err = db.New(tx).AddStep(ctx, db.AddStepParams{
		ID: id, Page: page, Round: int64(next.Round), Step: int64(step), DueAt: database.Micros(next.At), SetAt: database.Micros(s.now()),
	})
	if err != nil {
		return fmt.Errorf("store step: %w", err)
	}
	return nil
}

// carried hears what became of a message. One that failed for good has the others
// follow at once.
func (s *Service) carried(ctx context.Context, tx *sql.Tx, e journal.Entry) error {
	if !slices.ContainsFunc(e.Also, func(r journal.Ref) bool { return r.Kind() == "page" }) {
		return nil
	}
	var data struct {
		Delivery string      `json:"delivery"`
		Reason   notice.Fact `json:"-"`
	}
	if err := json.Unmarshal(e.Data, &data); err != nil || data.Delivery == "" {
		return err
	}
	q := db.New(tx)
	m, err := q.MessageOfDelivery(ctx, data.Delivery)
	if errors.Is(err, sql.ErrNoRows) {
		return nil // the end that a channel was told of
	}
	if err != nil {
		return fmt.Errorf("find message: %w", err)
	}
	state := "delivered"
	if e.Kind == "notify.failed" {
		state = "failed"
	}
	if err := q.EndMessage(ctx, db.EndMessageParams{ID: m.ID, State: state, EndedAt: database.Micros(s.now())}); err != nil {
		return fmt.Errorf("end message: %w", err)
	}
	if state == "failed" {
		return s.another(ctx, tx, m)
	}
	return nil
}

// another has a person's other methods follow at once because one did not
// deliver, and the next step where nothing else of the page is on its way.
func (s *Service) another(ctx context.Context, tx *sql.Tx, m db.PageMessage) error {
	p, err := getPage(ctx, tx, m.Page)
	if err != nil || !p.open() {
		return err
	}
	q, now := db.New(tx), database.Micros(s.now())
	follow, err := q.HurryMessages(ctx, db.HurryMessagesParams{Page: m.Page, Person: m.Person, DueAt: now})
	if err != nil {
		return fmt.Errorf("hurry messages: %w", err)
	}
	left, err := q.CountReaching(ctx, m.Page)
	if err != nil {
		return fmt.Errorf("count messages: %w", err)
	}
	if left == 0 {
		if err := q.HurryStep(ctx, db.HurryStepParams{Page: m.Page, DueAt: now}); err != nil {
			return fmt.Errorf("hurry step: %w", err)
		}
	}
	database.AfterCommit(ctx, s.wake)
	_, err = s.journal.Append(ctx, tx, journal.Draft{Kind: EntryUndelivered, Subject: Ref(p.ID), Also: append(p.about(), personRef(m.Person)),
		Data: map[string]any{"page": p.ID, "group": p.Group, "person": m.Person, "method": m.Kind, "followed": follow, "escalated": left == 0}})
	return err
}

// personRef names a person, or the channel that stands for one.
func personRef(person string) journal.Ref {
	if kind, name := Target(person).parts(); kind == ToChannel {
		return journal.RefTo("channel", name)
	}
	return journal.RefTo("user", person)
}
