package page

import (
	"context"
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/respond/page/run"
)

// Planned step of a drill: who would be reached, when and how, and why.
type drillStep struct {
	At       time.Time     `json:"at"`
	After    float64       `json:"afterSeconds" doc:"Seconds after the alert."`
	Round    int           `json:"round" doc:"How often the steps were gone through before."`
	Step     int           `json:"step" doc:"Which step, from 1; 0 is the fallback."`
	Source   string        `json:"source,omitempty" doc:"Where the step is written."`
	People   []drillPerson `json:"people"`
	Gaps     []Reason      `json:"gaps,omitempty" doc:"What kept anybody from being found."`
	Fallback bool          `json:"fallback" doc:"The fallback is reached: nobody answered, or the step finds nobody."`
}

type drillPerson struct {
	Person  string        `json:"person"`
	Name    string        `json:"name"`
	Methods []drillMethod `json:"methods"`
	Reasons []Reason      `json:"reasons"`
}

type drillMethod struct {
	Type  string    `json:"type"`
	Title string    `json:"title,omitempty"`
	At    time.Time `json:"at"`
}

// Drill is who would be reached, in which order and when, if an alert began at a
// time and nobody answered. It sends nothing.
func (s *Service) Drill(ctx context.Context, policy, team, severity string, at time.Time) (Policy, []drillStep, error) {
	p, ok, err := findPolicy(ctx, s.db.Read(), policy)
	if policy == "" {
		p, ok, err = policyOf(ctx, s.db.Read(), team)
	}
	switch {
	case err != nil:
		return p, nil, err
	case !ok && policy != "":
		return p, nil, fault.New(fault.NotFound, "page.no_policy", text.Say("there is no escalation policy %q", "エスカレーションポリシー %q はありません", policy)).
			Fix(text.Say("see `teiten get policies`", "`teiten get policies` で確かめてください"))
	case !ok:
		p = Policy{Spec: PolicySpec{Team: team}}
	}
	page := Page{Team: team, Severity: severity, Policy: p, State: Paging, BeganAt: at}
	if page.Team == "" {
		page.Team = p.Spec.Team
	}
	var all []drillStep
	for _, i := range run.Ahead(at, p.Spec.plan(), severity) {
		step, err := s.drillStep(ctx, page, i)
		if err != nil {
			return p, nil, err
		}
		all = append(all, step)
	}
	return p, all, nil
}

func (s *Service) drillStep(ctx context.Context, p Page, i run.Intent) (drillStep, error) {
	d := drillStep{At: i.At, After: i.At.Sub(p.BeganAt).Seconds(), Round: i.Round, Step: i.Step + 1, People: []drillPerson{}}
	targets, at := p.fallback(), p.Policy.Source
	if i.Kind == run.Page {
		targets, at = p.Policy.Spec.Steps[i.Step].Targets, p.Policy.at(i.Step)
	} else {
		d.Step, d.Fallback = 0, true
	}
	d.Source = at.String()
	r := s.resolver(i.At)
	found, gaps, err := r.resolve(ctx, targets, urgencyOf(p.Severity), at)
	if err != nil {
		return d, err
	}
	d.Gaps = gaps
	if len(found) == 0 && !d.Fallback {
		d.Fallback = true
		if found, gaps, err = r.resolve(ctx, p.fallback(), High, p.Policy.Source); err != nil {
			return d, err
		}
		d.Gaps = append(d.Gaps, gaps...)
	}
	for _, f := range found {
		person := drillPerson{Person: f.person, Name: f.name, Reasons: f.reasons, Methods: []drillMethod{}}
		for _, c := range f.channels(s) {
			person.Methods = append(person.Methods, drillMethod{string(c.channel.Spec.Type), c.channel.Title, i.At.Add(c.after)})
		}
		d.People = append(d.People, person)
	}
	return d, nil
}
