package oncall

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/respond/oncall/db"
	"github.com/teiten/teiten/respond/oncall/rota"
)

// The kinds of journal entries about what people change for a time.
const (
	EntryOverrideAdded = "oncall.override_added"
	EntryOverrideEnded = "oncall.override_ended"
)

// longestOverride is how long one override may last: what lasts longer is another
// schedule.
const longestOverride = 92 * 24 * time.Hour

// NewOverride is what somebody wants changed for a time.
type NewOverride struct {
	Role    rota.Role   `json:"role,omitempty" enum:"primary,secondary,shadow" default:"primary"`
	Change  rota.Change `json:"change,omitempty" enum:"add,remove,replace" default:"replace" doc:"Add somebody, remove somebody, or replace somebody or everybody."`
	Person  string      `json:"person" minLength:"1" maxLength:"200" doc:"Who comes, or goes where the change is remove; me is the caller."`
	Instead string      `json:"instead,omitempty" maxLength:"200" doc:"Who goes, for replace; everybody where it is absent."`
	From    time.Time   `json:"from" doc:"From when on; what is past stays as it was."`
	To      time.Time   `json:"to" doc:"Until when."`
	Reason  string      `json:"reason,omitempty" maxLength:"1000" doc:"Everybody can read it."`
}

// actor is who changes something, and what they may.
type actor struct {
	name string // among people, "" where they are nobody who could be on call
	owns bool   // the schedule
}

func (s *Service) actor(ctx context.Context, q Reader, owner string) (actor, error) {
	name, err := s.Caller(ctx, q)
	if err != nil {
		return actor{}, err
	}
	err = s.permit(ctx, owner)
	if err != nil && fault.KindOf(err) != fault.Denied {
		return actor{}, err
	}
	return actor{name: name, owns: err == nil}, nil
}

// me stands for the caller where a person is named.
const me = "me"

// resolve is the name under which somebody is kept, however the caller wrote it.
func (a actor) resolve(name string) (string, error) {
	if name != me {
		return personName(name), nil
	}
	if a.name == "" {
		return "", fault.New(fault.Invalid, "oncall.who_are_you", text.Say("nobody in the catalog has your address", "あなたのメールアドレスを持つ人がカタログにいません")).
			Fix(text.Say("name the person, or add your address to your person in the catalog", "人の名前を指定するか、カタログにメールアドレスを登録してください"))
	}
	return a.name, nil
}

// Override changes who is on call for a time. Owners of the schedule may do so
// for everybody, others may take duty upon themselves.
func (s *Service) Override(ctx context.Context, schedule string, n NewOverride) (o Override, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		row, err := scheduleRow(ctx, tx, schedule)
		if err != nil {
			return err
		}
		who, err := s.actor(ctx, tx, row.Owner)
		if err != nil {
			return err
		}
		if o, err = s.newOverride(ctx, tx, row.Name, who, n); err != nil {
			return err
		}
		if err := addOverride(ctx, tx, &o); err != nil {
			return err
		}
		return s.tell(ctx, tx, EntryOverrideAdded, row.Name, row.Owner, o)
	})
	return o, err
}

// newOverride is the override that somebody wants, or why it cannot be.
func (s *Service) newOverride(ctx context.Context, q Reader, schedule string, who actor, n NewOverride) (Override, error) {
	o := Override{Schedule: schedule, Role: n.Role, Change: n.Change, From: n.From, To: n.To, Reason: strings.TrimSpace(n.Reason)}
	if o.Role == "" {
		o.Role = rota.Primary
	}
	if o.Change == "" {
		o.Change = rota.Replace
	}
	var err error
	if o.Person, err = who.resolve(n.Person); err != nil {
		return o, err
	}
	if n.Instead != "" {
		if o.Instead, err = who.resolve(n.Instead); err != nil {
			return o, err
		}
	}
	if o.From, o.To, err = s.ahead(n.From, n.To); err != nil {
		return o, err
	}
	if err := s.comes(ctx, q, o); err != nil {
		return o, err
	}
	if !who.owns && (o.Change == rota.Remove || o.Person != who.name) {
		return o, fault.New(fault.Denied, "oncall.override_denied",
			text.Say("only owners of the schedule may put others on call or take them off", "ほかの人を当番に入れたり外したりできるのは、当番表の所有者だけです")).
			Fix(text.Say("ask for a swap: `teiten oncall swap`", "当番の交代を申し込んでください: `teiten oncall swap`"))
	}
	return s.stamped(ctx, o)
}

// stamped gives an override its identity.
func (s *Service) stamped(ctx context.Context, o Override) (Override, error) {
	var err error
	o.ID, err = newID()
	o.CreatedAt, o.CreatedBy = s.stamp(), journal.ActorFrom(ctx)
	return o, err
}

// stamp is now, as it is stored.
func (s *Service) stamp() time.Time { return database.Time(database.Micros(s.now())) }

// ahead is the part of a time that has not passed, where it can be overridden.
func (s *Service) ahead(from, to time.Time) (time.Time, time.Time, error) {
	now := s.stamp()
	from, to = from.UTC().Truncate(time.Microsecond), to.UTC().Truncate(time.Microsecond)
	if !from.Before(to) {
		return from, to, fault.New(fault.Invalid, "oncall.override_time", text.Say("it ends before it begins", "終了が開始より前です")).
			Fix(text.Say("correct from or to", "from か to を直してください")).On("to")
	}
	if !to.After(now) {
		return from, to, fault.New(fault.Invalid, "oncall.override_past", text.Say("that time is past: who was on call stays as it was", "その時間は過去です。過去の当番は変えられません")).
			Fix(text.Say("name a time that has not passed", "これからの時間を指定してください")).On("to")
	}
	if to.Sub(from) > longestOverride {
		return from, to, fault.New(fault.Invalid, "oncall.override_long", text.Say("it lasts longer than 92 days", "92日を超えています")).
			Fix(text.Say("change the schedule instead", "当番表そのものを変更してください")).On("to")
	}
	if from.Before(now) {
		from = now
	}
	return from, to, nil
}

// comes refuses an override whose person cannot come.
func (s *Service) comes(ctx context.Context, q Reader, o Override) error {
	if o.Change == rota.Remove {
		return nil // who is not there any more may be taken off all the same
	}
	found, err := s.People(ctx, q, []string{o.Person})
	if err != nil {
		return err
	}
	if found[o.Person].Left {
		return fault.New(fault.Invalid, "oncall.override_person", text.Say("%q is neither in the catalog nor has an account", "%q はカタログにもアカウントにもありません", o.Person)).
			Fix(text.Say("name a person of the catalog: `teiten get users`", "カタログの人の名前を指定してください: `teiten get users`")).On("person")
	}
	if o.Change == rota.Replace && o.Person == o.Instead {
		return fault.New(fault.Invalid, "oncall.override_same", text.Say("%q would replace themselves", "%q が自分自身と交代することになります", o.Person)).
			Fix(text.Say("name two persons", "別の人を指定してください")).On("instead")
	}
	return nil
}

// EndOverride takes an override back: from now on it changes nothing. Owners of
// the schedule may do so, and those whom it concerns.
func (s *Service) EndOverride(ctx context.Context, id string) (o Override, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		r, err := db.New(tx).GetOverride(ctx, id)
		if errors.Is(err, sql.ErrNoRows) {
			return fault.New(fault.NotFound, "oncall.no_override", text.Say("there is no such override", "該当する変更はありません")).
				Fix(text.Say("list them: `teiten oncall SCHEDULE`", "`teiten oncall 当番表` で確かめてください"))
		}
		if err != nil {
			return database.Fault(err)
		}
		if o, err = overrideOf(r); err != nil {
			return err
		}
		owner, err := s.ownerOf(ctx, tx, o.Schedule)
		if err != nil {
			return err
		}
		who, err := s.actor(ctx, tx, owner)
		if err != nil {
			return err
		}
		if !who.owns && (who.name == "" || !slices.Contains([]string{o.Person, o.Instead}, who.name)) {
			return concernsOthers()
		}
		now, by := s.stamp(), journal.ActorFrom(ctx)
		n, err := db.New(tx).EndOverride(ctx, db.EndOverrideParams{ID: id, EndedAt: database.Micros(now), EndedBy: database.JSON(by)})
		if err != nil {
			return database.Fault(err)
		}
		if n == 0 || !o.To.After(now) {
			return fault.New(fault.Conflict, "oncall.override_over", text.Say("it is over already", "すでに終わっています")).
				Fix(text.Say("read it again", "読み直してください"))
		}
		o.EndedAt, o.EndedBy = &now, &by
		return s.tell(ctx, tx, EntryOverrideEnded, o.Schedule, owner, o)
	})
	return o, err
}

// ownerOf is the team that owns a schedule, "" for one that was removed.
func (s *Service) ownerOf(ctx context.Context, q Reader, schedule string) (string, error) {
	row, err := scheduleRow(ctx, q, schedule)
	if fault.KindOf(err) == fault.NotFound {
		return "", nil
	}
	return row.Owner, err
}

func concernsOthers() error {
	return fault.New(fault.Denied, "oncall.concerns_others", text.Say("only the two whom it concerns and owners of the schedule may do that", "操作できるのは、当事者の2人と当番表の所有者だけです")).
		Fix(text.Say("ask one of them", "当事者か所有者に依頼してください"))
}
