package incident

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// Activate ends the triage, with somebody who leads it: the caller where nobody is
// named.
func (s *Service) Activate(ctx context.Context, name, commander string) (Incident, error) {
	return s.change(ctx, name, EntryActivated, func(ctx context.Context, tx *sql.Tx, i Incident) (Incident, Told, error) {
		who, err := s.person(ctx, tx, commander, "body.commander")
		if err == nil && who.ID == "" && i.Roles[Commander].ID == "" {
			who, err = s.caller(ctx, tx)
		}
		if err == nil && who.ID != "" {
			i, err = i.Assign(Commander, who)
		}
		if err != nil {
			return i, Told{}, err
		}
		now := s.now()
		if i, err = i.Activate(now); err != nil {
			return i, Told{}, err
		}
		lead := i.Roles[Commander]
		return i, Told{Role: Commander, Person: &lead}, s.startClocks(ctx, tx, &i, now)
	})
}

func (s *Service) startClocks(ctx context.Context, q Reader, i *Incident, now time.Time) error {
	p, err := s.policy(ctx, q, i.Team)
	if err == nil {
		i.startClocks(p, now)
	}
	return err
}

// since is a time that was given, and now where there is none.
func (s *Service) since(at *time.Time) time.Time {
	if at == nil {
		return s.now()
	}
	return *at
}

// Mitigate says that it no longer hurts, since at or now.
func (s *Service) Mitigate(ctx context.Context, name string, at *time.Time, what string) (Incident, error) {
	return s.change(ctx, name, EntryMitigated, func(_ context.Context, _ *sql.Tx, i Incident) (Incident, Told, error) {
		i, err := i.Mitigate(s.since(at), s.now())
		return i, Told{Text: what}, err
	})
}

// Resolve says that what was wrong is repaired, since at or now.
func (s *Service) Resolve(ctx context.Context, name string, at *time.Time, what string) (Incident, error) {
	return s.change(ctx, name, EntryResolved, func(_ context.Context, _ *sql.Tx, i Incident) (Incident, Told, error) {
		i, err := i.Resolve(s.since(at), s.now())
		return i, Told{Text: what}, err
	})
}

// Reopen says why it is not over.
func (s *Service) Reopen(ctx context.Context, name, why string) (Incident, error) {
	return s.change(ctx, name, EntryReopened, func(ctx context.Context, tx *sql.Tx, i Incident) (Incident, Told, error) {
		p, err := s.policy(ctx, tx, i.Team)
		if err == nil {
			i, err = i.Reopen(p, s.now())
		}
		return i, Told{Text: why}, err
	})
}

// Close ends it for good, once its postmortem is published or waived for a reason.
func (s *Service) Close(ctx context.Context, name, waive string) (Incident, error) {
	return s.change(ctx, name, EntryClosed, func(ctx context.Context, tx *sql.Tx, i Incident) (Incident, Told, error) {
		published, err := s.published(ctx, tx, i.Number)
		if err == nil {
			i, err = i.Close(published, &Waiver{Reason: strings.TrimSpace(waive), By: journal.ActorFrom(ctx), At: s.now()}, s.now())
		}
		return i, Told{Text: waive}, err
	})
}

// Decline says why it is none.
func (s *Service) Decline(ctx context.Context, name, why string) (Incident, error) {
	return s.change(ctx, name, EntryDeclined, func(_ context.Context, _ *sql.Tx, i Incident) (Incident, Told, error) {
		if err := reasoned(why); err != nil {
			return i, Told{}, err
		}
		i, err := i.Decline(s.now())
		return i, Told{Text: why}, err
	})
}

func reasoned(why string) error {
	if strings.TrimSpace(why) == "" {
		return fault.New(fault.Invalid, "incident.no_reason", text.Say("there is no reason", "理由がありません")).
			Fix(text.Say("say why, for whoever reads this later", "あとで読む人のために理由を書いてください")).On("body.reason")
	}
	return nil
}

// Merge lets the incident into stand for another one. Both are taken in the order
// of their numbers, so that two merges cannot wait for one another.
func (s *Service) Merge(ctx context.Context, name, into string) (Incident, error) {
	a, err := Number(name)
	if err != nil {
		return Incident{}, err
	}
	b, err := Number(into)
	if err != nil {
		return Incident{}, err
	}
	var target Incident
	err = s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		taken := map[int64]Incident{}
		for _, n := range []int64{min(a, b), max(a, b)} {
			if _, ok := taken[n]; ok {
				continue
			}
			i, err := take(ctx, tx, n)
			if err != nil {
				return err
			}
			taken[n] = i
		}
		from, to, err := taken[a].MergeInto(taken[b], s.now())
		if err != nil {
			return err
		}
		target = to
		before, other := taken[a], taken[b]
		if err := put(ctx, tx, &from); err != nil {
			return err
		}
		if err := put(ctx, tx, &to); err != nil {
			return err
		}
		if err := s.tell(ctx, tx, EntryMerged, &before, &from, Told{Other: to.ID()}); err != nil {
			return err
		}
		return s.tell(ctx, tx, EntryAbsorbed, &other, &to, Told{Other: from.ID()})
	})
	return target, err
}

// Assign gives a role to somebody, and takes it from them where person is "".
func (s *Service) Assign(ctx context.Context, name string, r Role, person string) (Incident, error) {
	return s.change(ctx, name, EntryAssigned, func(ctx context.Context, tx *sql.Tx, i Incident) (Incident, Told, error) {
		who, err := s.person(ctx, tx, person, "body.person")
		if err == nil {
			i, err = i.Assign(r, who)
		}
		return i, Told{Role: r, Person: &who}, err
	})
}

// Rank changes how bad it is, with the reason.
func (s *Service) Rank(ctx context.Context, name string, to Severity, why string) (Incident, error) {
	return s.change(ctx, name, EntryRanked, func(ctx context.Context, tx *sql.Tx, i Incident) (Incident, Told, error) {
		p, err := s.policy(ctx, tx, i.Team)
		if err == nil {
			i, err = i.Rank(to, p, s.now())
		}
		return i, Told{Text: why}, err
	})
}

// Amend corrects when things happened, with the reason.
func (s *Service) Amend(ctx context.Context, name string, to Stamps, why string) (Incident, error) {
	return s.change(ctx, name, EntryAmended, func(_ context.Context, _ *sql.Tx, i Incident) (Incident, Told, error) {
		if err := reasoned(why); err != nil {
			return i, Told{}, err
		}
		i, err := i.Amend(to, s.now())
		return i, Told{Text: why}, err
	})
}

// Edit is what can be changed of the description. What is nil stays.
type Edit struct {
	Title         *string   `json:"title,omitempty" minLength:"1" maxLength:"200"`
	Summary       *string   `json:"summary,omitempty" maxLength:"5000"`
	Services      *[]string `json:"services,omitempty" maxItems:"50"`
	SLOs          *[]string `json:"slos,omitempty" maxItems:"50"`
	UsersAffected *float64  `json:"usersAffected,omitempty" minimum:"0" maximum:"1" doc:"Share of the users who were hurt."`
}

// Edit changes the description of the version that was read, and no other.
func (s *Service) Edit(ctx context.Context, name string, e Edit, current func(version int64) error) (Incident, error) {
	return s.change(ctx, name, EntryChanged, func(ctx context.Context, tx *sql.Tx, i Incident) (Incident, Told, error) {
		if err := current(i.Version - 1); err != nil { // taking it made it one more
			return i, Told{}, err
		}
		i = i.clone()
		if e.Title != nil {
			i.Title = cmp.Or(strings.TrimSpace(*e.Title), i.Title)
		}
		if e.Summary != nil {
			i.Summary = *e.Summary
		}
		if e.Services != nil {
			short, team, err := s.services(ctx, tx, *e.Services)
			if err != nil {
				return i, Told{}, err
			}
			i.Services, i.Team = short, cmp.Or(team, i.Team)
		}
		if e.SLOs != nil {
			i.SLOs = *e.SLOs
		}
		if e.UsersAffected != nil {
			i.UsersAffected = e.UsersAffected
		}
		return i, Told{}, nil
	})
}

// LinkGroup puts a group of alerts to the incident.
func (s *Service) LinkGroup(ctx context.Context, name, group string) (Incident, error) {
	m, err := s.matter(ctx, group)
	if err != nil {
		return Incident{}, err
	}
	return s.change(ctx, name, EntryLinked, func(_ context.Context, _ *sql.Tx, i Incident) (Incident, Told, error) {
		if i.State == Merged || i.State == Declined {
			return i, Told{}, i.refuse("linked to alerts", "アラートを関連付けられません")
		}
		i = i.clone()
		i.Groups = union(i.Groups, []string{group})
		return i, Told{Group: group, Text: m.notice.Title}, nil
	})
}

// UnlinkGroup takes a group of alerts from the incident.
func (s *Service) UnlinkGroup(ctx context.Context, name, group string) (Incident, error) {
	return s.change(ctx, name, EntryUnlinked, func(_ context.Context, _ *sql.Tx, i Incident) (Incident, Told, error) {
		at := slices.Index(i.Groups, group)
		if at < 0 {
			return i, Told{}, fault.New(fault.NotFound, "incident.not_linked", text.Say("these alerts do not belong to %s", "このアラートは %s に含まれていません", i.ID()))
		}
		i = i.clone()
		i.Groups = slices.Delete(i.Groups, at, at+1)
		return i, Told{Group: group}, nil
	})
}

// AddLink adds a link to what is kept elsewhere.
func (s *Service) AddLink(ctx context.Context, name string, l Link) (Incident, error) {
	return s.change(ctx, name, EntryLinked, func(_ context.Context, _ *sql.Tx, i Incident) (Incident, Told, error) {
		if !strings.HasPrefix(l.URL, "https://") && !strings.HasPrefix(l.URL, "http://") {
			return i, Told{}, fault.New(fault.Invalid, "incident.link", text.Say("%q is not the address of a page", "%q はページのアドレスではありません", l.URL)).
				Fix(text.Say("write it with https://", "https:// から書いてください")).On("body.url")
		}
		i = i.clone()
		i.Links = append(slices.DeleteFunc(i.Links, func(x Link) bool { return x.URL == l.URL }), l)
		return i, Told{Link: &l}, nil
	})
}

// Check marks a task of the checklist as done, or as not done.
func (s *Service) Check(ctx context.Context, name string, task int, done bool) (Incident, error) {
	return s.change(ctx, name, EntryTask, func(ctx context.Context, _ *sql.Tx, i Incident) (Incident, Told, error) {
		if task < 0 || task >= len(i.Tasks) {
			return i, Told{}, fault.New(fault.NotFound, "incident.no_task", text.Say("%s has no task %d", "%s に作業 %d はありません", i.ID(), task+1))
		}
		i = i.clone()
		t := &i.Tasks[task]
		t.DoneAt, t.DoneBy = time.Time{}, ""
		if done {
			t.DoneAt, t.DoneBy = s.now(), journal.ActorFrom(ctx).Name
		}
		return i, Told{Task: t.Text, Done: done}, nil
	})
}

// OverrideBurn puts a figure in the place of the computed one, with the reason.
func (s *Service) OverrideBurn(ctx context.Context, name string, minutes float64, why string) (Incident, error) {
	return s.change(ctx, name, EntryBurnChanged, func(ctx context.Context, _ *sql.Tx, i Incident) (Incident, Told, error) {
		if err := reasoned(why); err != nil {
			return i, Told{}, err
		}
		i = i.clone()
		i.Burned = &Override{Minutes: minutes, Reason: why, By: journal.ActorFrom(ctx), At: s.now()}
		return i, Told{Text: why}, nil
	})
}
