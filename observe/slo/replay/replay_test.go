package replay_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/teiten/teiten/observe/slo/budgeting"
	"github.com/teiten/teiten/observe/slo/burn"
	"github.com/teiten/teiten/observe/slo/ledger"
	"github.com/teiten/teiten/observe/slo/replay"
)

const day = 24 * time.Hour

func promise(target float64, window time.Duration) replay.Case {
	return replay.Case{
		Terms:  burn.Terms{Objective: burn.Objective(target), Period: window, Exact: true},
		Window: budgeting.Period{Length: window}, Rules: burn.Defaults(window),
	}
}

// service has a hundred events a minute for some days, bad in given minutes.
func service(days int, bad func(minute int) float64) replay.History {
	h := replay.History{First: 1000}
	for m := range days * 24 * 60 {
		h.Minutes = append(h.Minutes, ledger.Minute{Total: 100, Bad: bad(m), Known: true})
	}
	return h
}

func between(from, to int, bad float64) func(int) float64 {
	return func(m int) float64 {
		if m >= from && m < to {
			return bad
		}
		return 0
	}
}

func TestTheBudgetIsExhaustedInTheMinuteThatSpendsTheRest(t *testing.T) {
	// Seven days hold 1,008,000 events; a thousandth are 1,008, spent in the
	// eleventh minute.
	h := service(14, between(10*24*60, 10*24*60+20, 100))
	o := replay.Run(h, h.First+7*24*60, h.End(), promise(0.999, 7*day))
	if want := h.First + 10*24*60 + 11; o.ExhaustedAt != want {
		t.Errorf("exhausted after minute %d, want %d", o.ExhaustedAt, want)
	}
	if want := int64(4*24*60 - 10); o.ExhaustedMinutes != want {
		t.Errorf("nothing left in %d minutes, want %d", o.ExhaustedMinutes, want)
	}
	if got := o.Lowest; got < -0.985 || got > -0.984 {
		t.Errorf("at worst %v was left, want 1 − 2000/1008", got)
	}
	if len(o.Days) != 7 || o.Days[0].Total != 144_000 || o.Days[0].Known != 1 || o.Days[6].BudgetLeft != o.BudgetLeft {
		t.Errorf("days %+v", o.Days)
	}
}

func TestACalendarWindowBeginsWithAFullBudget(t *testing.T) {
	c := promise(0.999, 30*day)
	c.Window = budgeting.Period{Length: 30 * day, Calendar: &budgeting.Calendar{Origin: budgeting.Natural, Zone: "Asia/Tokyo", Every: 1, Unit: budgeting.Months}}
	begin := time.Date(2026, 4, 30, 15, 0, 0, 0, time.UTC).Unix() / 60 // 1 May in Tokyo
	h := replay.History{First: begin - 30*24*60}
	for m := range 60 * 24 * 60 {
		h.Minutes = append(h.Minutes, ledger.Minute{Total: 100, Bad: between(29*24*60, 30*24*60, 100)(m), Known: true})
	}
	last, next := replay.Run(h, h.First, begin, c), replay.Run(h, h.First, begin+1, c)
	if last.BudgetLeft >= 0 || next.BudgetLeft != 1 {
		t.Errorf("left %v at the end of April, %v in the first minute of May", last.BudgetLeft, next.BudgetLeft)
	}
}

func TestSuggestTakesTheHighestObjectiveThatEveryWindowKept(t *testing.T) {
	for _, c := range []struct {
		name      string
		outage    int // minutes
		want      burn.Objective
		keptUntil burn.Objective
	}{
		{"no outage", 0, 0.99999, 0.99999},
		{"5 minutes of 7 days are 0.0496 %", 5, 0.999, 0.9995},
		{"9 minutes are 0.089 %, which leaves too little of a thousandth", 9, 0.995, 0.999},
		{"always", 14 * 24 * 60, 0, 0},
	} {
		h := service(14, between(9*24*60, 9*24*60+c.outage, 100))
		if c.name == "always" {
			h = service(14, between(0, c.outage, 100))
		}
		s := replay.Suggest(h, h.First+7*24*60, h.End(), promise(0.9, 7*day))
		var kept burn.Objective
		for _, x := range s.Choices {
			if x.Kept {
				kept = x.Objective
			}
		}
		if s.Objective != c.want || kept != c.keptUntil || !s.Full {
			t.Errorf("%s: suggested %v, kept up to %v; want %v and %v", c.name, s.Objective, kept, c.want, c.keptUntil)
		}
	}
	short := service(2, between(0, 0, 0))
	if s := replay.Suggest(short, short.First, short.End(), promise(0.9, 7*day)); s.Full || s.Objective != 0.99999 {
		t.Errorf("of two days without a full window: %+v", s)
	}
	if s := replay.Suggest(replay.History{First: 5}, 5, 5, promise(0.9, 7*day)); s.Objective != 0 || s.Full {
		t.Errorf("of nothing: %+v", s)
	}
}

func TestAScoreComparesAlertsWithIncidents(t *testing.T) {
	o := replay.Outcome{Alerts: []replay.Alert{
		{Severity: burn.Page, From: 12, To: 30},   // of the first incident
		{Severity: burn.Page, From: 100, To: 110}, // of none
		{Severity: burn.Ticket, From: 205, To: 220},
		{Severity: burn.Page, From: 306, To: 0}, // of the third, still open
	}}
	incidents := []replay.Incident{{From: 10, To: 20}, {From: 200, To: 210}, {From: 300, To: 320}}
	s := o.Judge(burn.Page, incidents)
	precision, _ := s.Precision()
	recall, _ := s.Recall()
	detection, _ := s.Detection()
	reset, _ := s.Reset()
	type figures struct{ Precision, Recall, Detection, Reset float64 }
	if diff := cmp.Diff(figures{2.0 / 3, 2.0 / 3, 4, 10}, figures{precision, recall, detection, reset}); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if s.Incidents[1].Detected || s.Incidents[2].ResetAt != 0 {
		t.Errorf("found %+v", s.Incidents)
	}
	none := (&replay.Outcome{}).Judge(burn.Page, nil)
	if _, ok := none.Precision(); ok {
		t.Error("without alerts there is a precision")
	}
}

// BenchmarkReplay is thirty days of one objective whose every minute has errors.
func BenchmarkReplay(b *testing.B) {
	h := service(60, func(m int) float64 { return float64(m % 3 / 2) })
	c := promise(0.99, 30*day)
	for b.Loop() {
		replay.Run(h, h.First+30*24*60, h.End(), c)
	}
}
