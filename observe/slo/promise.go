package slo

import (
	"cmp"
	"time"

	"github.com/teiten/teiten/observe/slo/budgeting"
	"github.com/teiten/teiten/observe/slo/ledger"
)

// Budgeting is what the budget of an objective counts.
type Budgeting struct {
	Method       budgeting.Method `json:"method" enum:"Occurrences,Timeslices,RatioTimeslices"`
	SliceMinutes int64            `json:"sliceMinutes,omitempty" doc:"Length of a time slice."`
	SliceTarget  float64          `json:"sliceTarget,omitempty" doc:"Share of good events that makes a slice good."`
}

// CalendarView is the window of an objective that follows the calendar, as of
// the minutes that were read.
type CalendarView struct {
	From  time.Time      `json:"from"`
	To    time.Time      `json:"to" doc:"When the budget begins anew."`
	Zone  string         `json:"zone"`
	Every int            `json:"every" doc:"How many of the unit one window is."`
	Unit  budgeting.Unit `json:"unit" enum:"minute,hour,day,week,month,quarter,year"`
}

func budgetingOf(d *Definition) Budgeting {
	return Budgeting{Method: cmp.Or(d.Counting.Method, budgeting.Occurrences), SliceMinutes: d.Counting.Slice, SliceTarget: d.Counting.Target}
}

// calendarOf is the window that ends before minute end, nil of one that rolls.
func calendarOf(d *Definition, end int64) *CalendarView {
	w := d.window()
	if w.Calendar == nil || end == 0 {
		return nil
	}
	return &CalendarView{From: ledger.Start(w.Start(end)), To: ledger.Start(w.End(end)),
		Zone: w.Calendar.Zone, Every: w.Calendar.Every, Unit: w.Calendar.Unit}
}
