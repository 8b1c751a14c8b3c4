package slo

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/observe/slo/debit"
	"github.com/teiten/teiten/observe/slo/ledger"
)

// Impact is what a journal entry about an incident says of whom it hurt and when.
// It is the data, or a part of it, of entries of the kinds incident.* about
// incident:<id>, which name each of the services as service:<name> besides; so the
// debits of their SLOs find it. Each entry has all of it as it is known by then:
// the newest one counts.
type Impact struct {
	Services    []string  `json:"services"`
	SLOs        []string  `json:"slos,omitempty"` // only these of the services; all where there are none
	ImpactStart time.Time `json:"impactStart"`
	MitigatedAt time.Time `json:"mitigatedAt,omitzero"` // when it no longer hurt
	ResolvedAt  time.Time `json:"resolvedAt,omitzero"`
}

// end is when the impact was over; zero while it goes on.
func (x Impact) end() time.Time {
	if x.MitigatedAt.IsZero() {
		return x.ResolvedAt
	}
	return x.MitigatedAt
}

// The entries of an incident that say more than their data.
const (
	incidentResolved = "incident.resolved"
	incidentClosed   = "incident.closed"
	incidentDeclined = "incident.declined" // it was none
	incidentMerged   = "incident.merged"   // another one stands for it
)

const (
	// incidentReach is how long before the span an incident may have begun.
	incidentReach = 30 * 24 * time.Hour
	// mostIncidentEntries is how many entries of one service are looked through.
	mostIncidentEntries = 20 * mostEntries
)

// incidents explain what went wrong from the beginning of their impact to its end,
// or to the end of the span where it is not over; as far as it was known at asOf.
// They may have been declared after the span.
func (s *Service) incidents(ctx context.Context, d *Definition, services []string, span minutes, asOf time.Time) ([]debit.Cause, error) {
	var told incidentsTold
	for _, service := range services {
		f := journal.Filter{Kinds: []string{"incident.*"}, Subject: journal.RefTo("service", service),
			From: ledger.Start(span.From).Add(-incidentReach), To: asOf, Limit: mostEntries}
		for n := 0; n < mostIncidentEntries; n += mostEntries {
			found, next, err := s.journal.List(ctx, f)
			if err != nil {
				return nil, err
			}
			for i := range found {
				told.take(&found[i])
			}
			if next == "" {
				break
			}
			f.Cursor = next
		}
	}
	var causes []debit.Cause
	for _, x := range told.all {
		if c, ok := x.cause(d.Name, span); ok {
			causes = append(causes, c)
		}
	}
	return causes, nil
}

// incidentsTold are incidents as the journal tells of them.
type incidentsTold struct {
	all   []*incidentTold
	place map[journal.Ref]*incidentTold
}

// incidentTold is one of them.
type incidentTold struct {
	ref          journal.Ref
	first, last  time.Time
	entry        string // the first
	kind         string // of the last
	impact       Impact
	impactAt     time.Time // of the entry that says it
	declaredNone bool
}

// take adds an entry, in any order.
func (t *incidentsTold) take(e *journal.Entry) {
	ref := e.Subject
	for _, r := range e.Also {
		if ref.Kind() != "incident" {
			ref = r
		}
	}
	x := t.place[ref]
	if x == nil {
		x = &incidentTold{ref: ref, first: e.Time, entry: e.ID}
		if t.place == nil {
			t.place = map[journal.Ref]*incidentTold{}
		}
		t.place[ref] = x
		t.all = append(t.all, x)
	}
	if !e.Time.After(x.first) {
		x.first, x.entry = e.Time, e.ID
	}
	if e.Time.After(x.last) {
		x.last, x.kind = e.Time, e.Kind
	}
	x.declaredNone = x.declaredNone || e.Kind == incidentDeclined || e.Kind == incidentMerged
	var said Impact
	if json.Unmarshal(e.Data, &said) == nil && !said.ImpactStart.IsZero() && e.Time.After(x.impactAt) {
		x.impact, x.impactAt = said, e.Time
	}
}

// cause is what the incident explains of an objective in a span. One whose entries
// do not say when it hurt lasts from its first entry to the one that resolved it.
func (x *incidentTold) cause(slo string, span minutes) (debit.Cause, bool) {
	from, to := x.first, time.Time{}
	switch {
	case !x.impactAt.IsZero():
		from, to = x.impact.ImpactStart, x.impact.end()
	case x.kind == incidentResolved || x.kind == incidentClosed:
		to = x.last
	}
	c := debit.Cause{Kind: debit.Incident, Ref: string(x.ref), Entry: x.entry, From: ledger.Done(from), To: span.To}
	if !to.IsZero() {
		c.To = ledger.Done(to) + 1
	}
	named := len(x.impact.SLOs) == 0 || slices.Contains(x.impact.SLOs, slo) || slices.Contains(x.impact.SLOs, wholeOf(slo))
	return c, named && !x.declaredNone && c.From < span.To && c.To > span.From
}
