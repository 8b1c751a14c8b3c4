package slo

import (
	"context"
	"time"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/observe/slo/db"
	"github.com/teiten/teiten/observe/slo/debit"
	"github.com/teiten/teiten/observe/slo/ledger"
)

const (
	// afterDeployment is how long after a deployment what goes wrong is put down
	// to it.
	afterDeployment = 30
	// mostEntries is how many journal entries of a kind are read for one service.
	mostEntries = 500
	// mostDependencies is how many objectives of dependencies are looked at.
	mostDependencies = 20
)

// Debits say what the error budget of an objective was spent on.
type Debits struct {
	From     time.Time  `json:"from"`
	To       time.Time  `json:"to"`
	AsOf     *time.Time `json:"asOf,omitempty" doc:"When this was known, if that was asked for."`
	Counts   string     `json:"counts" enum:"events,slices" doc:"What bad and total are: events, or time slices as the budgeting method says."`
	Total    float64    `json:"total"`
	Bad      float64    `json:"bad" doc:"The bad events of all parts, added up in their order; exactly."`
	Allowed  float64    `json:"allowed" doc:"The budget of the span: how many events may be bad."`
	Consumed float64    `json:"consumed" doc:"Part of that budget that is spent; more than 1 when it is overspent."`
	Known    float64    `json:"known" doc:"Share of the minutes with data."`
	Parts    []Debit    `json:"parts" doc:"What it was spent on, the largest first; then the smaller causes together, then what nothing explains."`
}

// Debit is what was spent for one reason.
type Debit struct {
	Kind     debit.Kind   `json:"kind" enum:"incident,deployment,dependency,rest,unattributed"`
	Ref      string       `json:"ref,omitempty" doc:"The cause, as the journal refers to it: service:checkout, slo:payment-availability."`
	Entry    string       `json:"entry,omitempty" doc:"The journal entry that tells of it."`
	Bad      float64      `json:"bad"`
	Share    float64      `json:"share" doc:"Part of all that was spent."`
	Consumed float64      `json:"consumed" doc:"Part of the budget of the span."`
	Episodes int          `json:"episodes" doc:"How many times of consecutive bad minutes."`
	Largest  DebitEpisode `json:"largest" doc:"The one that cost most."`
}

// DebitEpisode is a time in which the budget was spent.
type DebitEpisode struct {
	From  time.Time `json:"from"`
	To    time.Time `json:"to"`
	Bad   float64   `json:"bad"`
	Total float64   `json:"total"`
}

// Debits splits what was spent of an objective's budget by what it was spent on,
// in at most the given number of causes. A zero From is the beginning of the
// window that ends at To.
func (s *Service) Debits(ctx context.Context, q SeriesQuery, most int) (Debits, error) {
	d, mark, err := s.read(ctx, q.Name, q.AsOf)
	if err != nil {
		return Debits{}, err
	}
	whole := q.From.IsZero()
	span, err := s.spanOf(d, q.From, q.To, q.AsOf, mark)
	if err != nil {
		return Debits{}, err
	}
	if whole {
		span.From = d.window().Start(span.To)
	}
	c, err := s.account(ctx, s.db.Read(), d, span, mark, q.AsOf)
	if err != nil {
		return Debits{}, err
	}
	causes, err := s.causes(ctx, d, span, q.AsOf)
	if err != nil {
		return Debits{}, err
	}
	sum := c.over(span.From, span.To)
	parts, bad := debit.Attribute(debit.Episodes(span.From, c.seen[span.From-c.span.From:]), causes, most)
	x := Debits{From: ledger.Start(span.From), To: ledger.Start(span.To), Counts: "events", Total: sum.Total, Bad: bad,
		Allowed: d.Objective.Budget() * sum.Total, Known: float64(sum.Known) / float64(span.Len()), Parts: make([]Debit, len(parts))}
	if d.Counting.Sliced() {
		x.Counts = "slices"
	}
	if !q.AsOf.IsZero() {
		x.AsOf = &q.AsOf
	}
	x.Consumed = ratio(bad, x.Allowed)
	for i, p := range parts {
		x.Parts[i] = Debit{Kind: p.Kind, Ref: p.Ref, Entry: p.Entry, Bad: p.Bad, Share: ratio(p.Bad, bad),
			Consumed: ratio(p.Bad, x.Allowed), Episodes: p.Episodes, Largest: DebitEpisode{
				From: ledger.Start(p.Largest.From), To: ledger.Start(p.Largest.To), Bad: p.Largest.Bad, Total: p.Largest.Total}}
	}
	return x, nil
}

func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// causes are what went on with the service of an objective, and with what it
// depends on, in a span; as far as it was known at asOf.
func (s *Service) causes(ctx context.Context, d *Definition, span minutes, asOf time.Time) ([]debit.Cause, error) {
	services := []string{d.Service}
	if e, known, err := s.lookUp(ctx, s.db.Read(), d.Service); err != nil {
		return nil, err
	} else if known {
		page, err := s.catalog.Page(ctx, e)
		if err != nil {
			return nil, err
		}
		for _, n := range page.DependsOn {
			services = append(services, n.Name)
		}
	}
	all, err := s.incidents(ctx, d, services, span, asOf)
	if err != nil {
		return nil, err
	}
	for i, service := range services {
		deployed, err := s.deployments(ctx, service, span, asOf)
		if err != nil {
			return nil, err
		}
		all = append(all, deployed...)
		if i == 0 {
			continue
		}
		failing, err := s.failing(ctx, service, span, asOf)
		if err != nil {
			return nil, err
		}
		all = append(all, failing...)
	}
	return all, nil
}

// entries are what the journal says of a service, the newest first.
func (s *Service) entries(ctx context.Context, kind, service string, from, to, asOf time.Time) ([]journal.Entry, error) {
	if !asOf.IsZero() && asOf.Before(to) {
		to = asOf
	}
	found, _, err := s.journal.List(ctx, journal.Filter{
		Kinds: []string{kind}, Subject: journal.RefTo("service", service), From: from, To: to, Limit: mostEntries})
	return found, err
}

// deployments explain what went wrong soon after them.
func (s *Service) deployments(ctx context.Context, service string, span minutes, asOf time.Time) ([]debit.Cause, error) {
	found, err := s.entries(ctx, "deploy.finished", service, ledger.Start(span.From-afterDeployment), ledger.Start(span.To), asOf)
	if err != nil {
		return nil, err
	}
	causes := make([]debit.Cause, len(found))
	for i, e := range found {
		at := ledger.Done(e.Time)
		causes[i] = debit.Cause{Kind: debit.Deployment, Ref: string(journal.RefTo("service", service)), Entry: e.ID,
			From: at, To: at + afterDeployment + 1, Explains: func(x debit.Episode) bool { return x.From >= at && x.From <= at+afterDeployment }}
	}
	return causes, nil
}

// failing explains what went wrong while an objective of a dependency spent its
// budget faster than allowed.
func (s *Service) failing(ctx context.Context, service string, span minutes, asOf time.Time) ([]debit.Cause, error) {
	names, err := db.New(s.db.Read()).NamesOfService(ctx, service)
	if err != nil {
		return nil, database.Fault(err)
	}
	var causes []debit.Cause
	for _, name := range names[:min(len(names), mostDependencies)] {
		d, mark, err := s.read(ctx, name, asOf)
		if err != nil {
			return nil, err
		}
		c, err := s.account(ctx, s.db.Read(), d, span, mark, asOf)
		if err != nil {
			return nil, err
		}
		causes = append(causes, debit.Cause{Kind: debit.Dependency, Ref: string(journal.RefTo("slo", name)), From: span.From, To: span.To,
			Explains: func(e debit.Episode) bool { return d.Objective.BurnRate(c.over(e.From, e.To)) > 1 }})
	}
	return causes, nil
}
