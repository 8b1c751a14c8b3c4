package slo_test

import (
	"context"
	"database/sql"
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
