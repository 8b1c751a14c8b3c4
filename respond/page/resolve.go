package page

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/teiten/teiten/catalog"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/notify"
	"github.com/teiten/teiten/respond/oncall"
	"github.com/teiten/teiten/respond/oncall/rota"
)

// Reason is one link of the chain that answers "why was I paged?", with where it
// is written.
type Reason struct {
	What text.Both      `json:"what"`
	At   fault.Position `json:"at,omitzero"`
}

// reached is who a step reaches, by which ways, and why.
type reached struct {
	person   string // or channel:name
	name     string
	ways     []chosen
	channel  *notify.Channel // of a target that is one
	reasons  []Reason
	prefer   Preferences
	problems []Reason // why it cannot be reached
}

// resolver finds out who is behind targets. It lives for one round of the
// dispatcher and asks everything once.
type resolver struct {
	s     *Service
	now   time.Time
	duty  map[string]oncall.Answer
	teams []catalog.Team
	known map[string]reached
}

func (s *Service) resolver(now time.Time) *resolver {
	return &resolver{s: s, now: now, duty: map[string]oncall.Answer{}, known: map[string]reached{}}
}

// resolve returns who targets reach at this moment, each once, and what kept
// anybody from being found.
func (r *resolver) resolve(ctx context.Context, targets []Target, u Urgency, at fault.Position) ([]reached, []Reason, error) {
	var all []reached
	var gaps []Reason
	for _, t := range targets {
		kind, name := t.parts()
		found, gap, err := r.target(ctx, kind, name, u)
		if err != nil {
			return nil, nil, err
		}
		for _, g := range gap {
			if g.At.IsZero() {
				g.At = at
			}
			gaps = append(gaps, g)
		}
		for _, f := range found {
			i := slices.IndexFunc(all, func(x reached) bool { return x.person == f.person })
			if i < 0 {
				all = append(all, f)
			}
		}
	}
	return all, gaps, nil
}

func gap(at fault.Position, en, ja string, args ...any) []Reason {
	return []Reason{{What: text.Say(en, ja, args...), At: at}}
}

func (r *resolver) target(ctx context.Context, kind, name string, u Urgency) ([]reached, []Reason, error) {
	switch kind {
	case ToSchedule:
		return r.onDuty(ctx, name, u)
	case ToUser:
		return r.people(ctx, []string{name}, u, Reason{What: text.Say("the step names %s", "この段階で %s を指定", name)})
	case ToTeam:
		return r.team(ctx, name, u)
	case ToChannel:
		c, err := r.s.notify.Way(ctx, r.s.db.Read(), name)
		if fault.KindOf(err) == fault.NotFound {
			return nil, gap(fault.Position{}, "there is no channel %s", "チャンネル %s がありません", name), nil
		}
		if err != nil {
			return nil, nil, err
		}
		why := Reason{What: text.Say("the step names the channel %s", "この段階でチャンネル %s を指定", name)}
		return []reached{{person: ToChannel + ":" + name, name: name, channel: &c, reasons: []Reason{why}}}, nil, nil
	}
	return nil, gap(fault.Position{}, "%s:%s names nobody", "%s:%s は相手として読めません", kind, name), nil
}

// onDuty finds who is on call by a schedule: its primary, or the role after a
// slash.
func (r *resolver) onDuty(ctx context.Context, name string, u Urgency) ([]reached, []Reason, error) {
	schedule, role, ok := strings.Cut(name, "/")
	if !ok {
		role = string(rota.Primary)
	}
	answer, known := r.duty[schedule]
	if !known {
		var err error
		answer, err = r.s.oncall.On(ctx, schedule, r.now)
		if fault.KindOf(err) == fault.NotFound {
			return nil, gap(fault.Position{}, "there is no schedule %s", "当番表 %s がありません", schedule), nil
		}
		if err != nil {
			return nil, nil, fmt.Errorf("who is on call by %s: %w", schedule, err)
		}
		r.duty[schedule] = answer
	}
	for _, d := range answer.Duties {
		if string(d.Role) != role {
			continue
		}
		at := fault.Position{File: d.Source.File, Line: d.Source.Line}
		var names []string
		for _, p := range answer.People(d.Role) {
			names = append(names, p.ID)
		}
		if len(names) == 0 {
			return nil, gap(at, "nobody is on call by the schedule %s (%s)", "当番表 %s(%s)に当番がいません", schedule, role), nil
		}
		why := Reason{What: text.Say("on call by the schedule %s, layer %s (%s), until %s", "当番表 %s のレイヤー %s(%s)の当番、%s まで",
			schedule, d.Source.Layer, role, d.To.UTC().Format("2006-01-02 15:04 MST")), At: at}
		if n := len(d.Source.Overrides); n > 0 {
			why.What = text.Say("%s, changed by %d override(s)", "%s、変更 %d 件を反映", why.What, n)
		}
		return r.people(ctx, names, u, why)
	}
	return nil, gap(fault.Position{}, "the schedule %s has nobody as %s", "当番表 %s に %s の当番がいません", schedule, role), nil
}

func (r *resolver) team(ctx context.Context, name string, u Urgency) ([]reached, []Reason, error) {
	if r.teams == nil {
		var err error
		if r.teams, _, err = r.s.catalog.Teams(ctx, catalog.Filter{}); err != nil {
			return nil, nil, err
		}
	}
	for _, t := range r.teams {
		if t.Short == name && len(t.Members) > 0 {
			return r.people(ctx, t.Members, u, Reason{What: text.Say("everybody in the team %s", "チーム %s の全員", name)})
		}
	}
	return nil, gap(fault.Position{}, "nobody is in the team %s", "チーム %s に誰もいません", name), nil
}

// people finds how persons are reached. One without a method that may be used is
// a gap.
func (r *resolver) people(ctx context.Context, names []string, u Urgency, why Reason) (all []reached, gaps []Reason, err error) {
	for _, name := range names {
		name = strings.ToLower(name)
		key := name + "\x00" + string(u)
		p, ok := r.known[key]
		if !ok {
			if p, err = r.person(ctx, name, u); err != nil {
				return nil, nil, err
			}
			r.known[key] = p
		}
		p.reasons = append([]Reason{why}, p.reasons...)
		if len(p.ways) == 0 {
			gaps = append(gaps, why)
			gaps = append(gaps, p.problems...)
			continue
		}
		all = append(all, p)
	}
	return all, gaps, nil
}

func (r *resolver) person(ctx context.Context, name string, u Urgency) (reached, error) {
	p := reached{person: name, name: name}
	if ref, err := catalog.ParseRef(name, catalog.KindUser, catalog.DefaultNamespace); err == nil {
		if e, err := r.s.catalog.Entity(ctx, ref); err == nil {
			p.name = e.DisplayName()
		} else if fault.KindOf(err) != fault.NotFound {
			return p, err
		}
	}
	methods, err := methodsOf(ctx, r.s.db.Read(), name)
	if err != nil {
		return p, err
	}
	if p.prefer, err = preferencesOf(ctx, r.s.db.Read(), name); err != nil {
		return p, err
	}
	var rule int
	p.ways, rule = p.prefer.choose(methods, u, r.now)
	switch {
	case len(p.ways) == 0:
		p.problems = gap(fault.Position{}, "%s has no contact method that is verified and enabled (%d in all)",
			"%s に確認済みで有効な連絡方法がありません(全%d件)", name, len(methods))
	case rule == 0:
		p.reasons = gap(fault.Position{}, "by every verified method: no rule of %s is for urgency %s at this hour",
			"%s の個人ルールに緊急度 %s・この時刻のものがないため、確認済みの連絡方法すべて", name, string(u))
	default:
		p.reasons = gap(fault.Position{}, "by rule %d of %s, for urgency %s", "%[2]s の個人ルール %[1]d(緊急度 %[3]s)", rule, name, string(u))
	}
	return p, nil
}
