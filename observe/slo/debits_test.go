package slo_test

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/observe/slo"
	"github.com/teiten/teiten/observe/slo/ledger"
)

// counts writes the minutes of the hours before t0 for an objective: a hundred
// events in each, and as many bad ones as bad says.
func (w *world) counts(name string, hours int, bad func(minute int) float64) {
	w.t.Helper()
	err := w.db.Write(w.t.Context(), func(ctx context.Context, tx *sql.Tx) error {
		for n := range hours {
			r := ledger.Record{Number: t0.Unix()/3600 - int64(hours-n)}
			for i := range r.Hour {
				r.Hour[i] = ledger.Of(100, bad(n*60+i))
			}
			if err := slo.PutRecord(ctx, tx, t0, name, r); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.at(t0.Add(31 * time.Second))
	w.evaluate()
}

// tell writes a journal entry about a service at a time.
func (w *world) tell(at time.Time, d journal.Draft) (id string) {
	w.t.Helper()
	now := w.now()
	defer w.at(now)
	w.at(at)
	err := w.db.Write(w.t.Context(), func(ctx context.Context, tx *sql.Tx) error {
		e, err := w.journal.Append(ctx, tx, d)
		id = e.ID
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

func TestDebitsNameWhatTheBudgetWasSpentOn(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		w.apply(replaceOnce(t, shop, "spec: {type: service, lifecycle: production, owner: payments}",
			"spec: {type: service, lifecycle: production, owner: payments, dependsOn: [component:payment]}") + `
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: payment}
spec: {type: service, lifecycle: production, owner: payments}
---
` + replaceOnce(t, slOf("payment", "0.999", "30d"), "service: checkout", "service: payment"))
		between := func(m, from, to int) bool { return m >= from && m < to }
		w.counts("checkout", 10, func(m int) float64 {
			switch {
			case between(m, 60, 70):
				return 5 // after a deployment
			case between(m, 200, 260):
				return 10 // an incident
			case between(m, 400, 405):
				return 2 // payment was down, too
			case m == 500:
				return 3 // nobody knows
			}
			return 0
		})
		w.counts("payment", 10, func(m int) float64 {
			if between(m, 395, 410) {
				return 50
			}
			return 0
		})
		from := t0.Add(-10 * time.Hour)
		minute := func(m int) time.Time { return from.Add(time.Duration(m) * time.Minute) }
		checkout := journal.RefTo("service", "checkout")
		deployed := w.tell(minute(50), journal.Draft{Kind: "deploy.finished", Subject: checkout})
		w.tell(minute(10), journal.Draft{Kind: "deploy.finished", Subject: checkout})
		opened := w.tell(minute(210), journal.Draft{Kind: "incident.opened", Subject: journal.RefTo("incident", "INC-1"), Also: []journal.Ref{checkout}})
		w.tell(minute(255), journal.Draft{Kind: "incident.resolved", Subject: journal.RefTo("incident", "INC-1"), Also: []journal.Ref{checkout}})
		w.at(t0)

		var x slo.Debits
		w.ok("/api/v1/slos/checkout/debits?from="+from.Format(time.RFC3339), &x)
		type part struct {
			Kind, Ref, Entry string
			Bad              float64
		}
		var got []part
		var sum float64
		for _, p := range x.Parts {
			got = append(got, part{string(p.Kind), p.Ref, p.Entry, p.Bad})
			sum += p.Bad
		}
		if diff := cmp.Diff([]part{
			{"incident", "incident:INC-1", opened, 600}, {"deployment", "service:checkout", deployed, 50},
			{"dependency", "slo:payment", "", 10}, {"unattributed", "", "", 3},
		}, got); diff != "" {
			t.Errorf("the parts (-want +got):\n%s", diff)
		}
		if sum != x.Bad || x.Bad != 663 || x.Total != 60_000 {
			t.Errorf("the parts are %v, the whole %v of %v", sum, x.Bad, x.Total)
		}

		var then slo.Debits // before the incident was opened, and before the ledger was written
		w.ok("/api/v1/slos/checkout/debits?from="+from.Format(time.RFC3339)+"&asOf="+minute(205).Format(time.RFC3339), &then)
		for _, p := range then.Parts {
			if p.Ref == "incident:INC-1" {
				t.Errorf("the incident is known before it was opened: %+v", p)
			}
		}
	}, rooms...)
}

// TestBurnPutDownToIncidentsAndTheRestIsTheWholeBurn: invariant I5, however many
// incidents overlap.
func TestBurnPutDownToIncidentsAndTheRestIsTheWholeBurn(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, dbtest.SQLite(t), rooms...))
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 5)) //nolint:gosec // incidents to tell of
	const hours = 30
	from := t0.Add(-hours * time.Hour)
	bad := make([]float64, hours*60)
	for range 40 {
		at := r.IntN(len(bad))
		for i := at; i < min(len(bad), at+1+r.IntN(50)); i++ {
			bad[i] = float64(r.IntN(100))
		}
	}
	whole := 0.0
	for _, n := range bad {
		whole += n
	}
	w.counts("checkout", hours, func(m int) float64 { return bad[m] })
	checkout := journal.RefTo("service", "checkout")
	for i := range 25 {
		begun := from.Add(time.Duration(r.IntN(hours*60)) * time.Minute)
		x := slo.Impact{Services: []string{"checkout"}, ImpactStart: begun}
		ref := journal.RefTo("incident", fmt.Sprintf("INC-%d", i))
		w.tell(begun.Add(5*time.Minute), journal.Draft{Kind: "incident.declared", Subject: ref, Also: []journal.Ref{checkout}, Data: x})
		if r.IntN(5) > 0 {
			x.MitigatedAt = begun.Add(time.Duration(6+r.IntN(300)) * time.Minute)
			w.tell(x.MitigatedAt, journal.Draft{Kind: "incident.mitigated", Subject: ref, Also: []journal.Ref{checkout}, Data: x})
		}
	}
	w.at(t0)
	for _, most := range []int{1, 3, 100} {
		var x slo.Debits
		w.ok(fmt.Sprintf("/api/v1/slos/checkout/debits?most=%d&from=%s", most, from.Format(time.RFC3339)), &x)
		var sum float64
		for _, p := range x.Parts {
			sum += p.Bad
		}
		if sum != x.Bad || x.Bad != whole {
			t.Errorf("with %d causes the parts are %v, the whole %v; %v was bad", most, sum, x.Bad, whole)
		}
	}
}

func TestAnIncidentExplainsWhatTheNewestEntrySaysThatItHurt(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, dbtest.SQLite(t), rooms...))
	w.counts("checkout", 10, func(m int) float64 {
		switch m {
		case 100, 200, 300:
			return 1
		}
		return 0
	})
	from := t0.Add(-10 * time.Hour)
	minute := func(m int) time.Time { return from.Add(time.Duration(m) * time.Minute) }
	checkout := journal.RefTo("service", "checkout")
	tell := func(at int, kind, id string, x slo.Impact) {
		x.Services = []string{"checkout"}
		w.tell(minute(at), journal.Draft{Kind: kind, Subject: journal.RefTo("incident", id), Also: []journal.Ref{checkout}, Data: x})
	}
	parts := func(asOf string) map[string]float64 {
		t.Helper()
		w.at(t0.Add(3 * time.Hour))
		var x slo.Debits
		w.ok("/api/v1/slos/checkout/debits?from="+from.Format(time.RFC3339)+"&to="+t0.Format(time.RFC3339)+asOf, &x)
		all := map[string]float64{}
		for _, p := range x.Parts {
			all[p.Ref] = p.Bad
		}
		return all
	}
	want := func(when, asOf string, want map[string]float64) {
		t.Helper()
		if diff := cmp.Diff(want, parts(asOf)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", when, diff)
		}
	}
	tell(610, "incident.declared", "late", slo.Impact{ImpactStart: minute(90)}) // after all of it
	want("declared after the span, and not over", "", map[string]float64{"incident:late": 3})
	tell(620, "incident.mitigated", "late", slo.Impact{ImpactStart: minute(90), MitigatedAt: minute(250)})
	want("mitigated", "", map[string]float64{"incident:late": 2, "": 1})
	tell(630, "incident.impact_corrected", "late", slo.Impact{ImpactStart: minute(150), MitigatedAt: minute(250), ResolvedAt: minute(350)})
	want("corrected", "", map[string]float64{"incident:late": 1, "": 2})
	tell(640, "incident.declared", "other", slo.Impact{ImpactStart: minute(290), SLOs: []string{"payment"}})
	want("of another SLO", "", map[string]float64{"incident:late": 1, "": 2})
	tell(645, "incident.declared", "mine", slo.Impact{ImpactStart: minute(290), SLOs: []string{"checkout"}, ResolvedAt: minute(310)})
	want("of this SLO", "", map[string]float64{"incident:late": 1, "incident:mine": 1, "": 1})
	tell(650, "incident.declined", "mine", slo.Impact{ImpactStart: minute(290), SLOs: []string{"checkout"}})
	want("declined", "", map[string]float64{"incident:late": 1, "": 2})
	want("as it was known before it was corrected", "&asOf="+minute(625).Format(time.RFC3339), map[string]float64{"incident:late": 2, "": 1})
}

func TestEventsAreCountedByMinuteHourAndDay(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, dbtest.SQLite(t), rooms...))
	w.counts("checkout", 30, func(m int) float64 { return float64(m % 2) })
	w.at(t0)
	for step, n := range map[string]int{"minute": 30 * 60, "hour": 30, "day": 2} {
		var x slo.EventCounts
		w.ok("/api/v1/slos/checkout/events?step="+step+"&from="+t0.Add(-30*time.Hour).Format(time.RFC3339), &x)
		if len(x.Times) != n || sum(x.Total) != 30*60*100 || sum(x.Bad) != 30*30 {
			t.Errorf("by %s: %d steps, %v events, %v bad", step, len(x.Times), sum(x.Total), sum(x.Bad))
		}
	}
	if code := w.get("/api/v1/slos/checkout/events?step=minute&from="+t0.Add(-30*day).Format(time.RFC3339), nil); code != 422 {
		t.Errorf("a month of minutes is answered with %d", code)
	}
}
