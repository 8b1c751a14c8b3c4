package slo

import (
	"math"
	"testing"
)

func TestUnknownMinutesMakeTheBudgetAnInterval(t *testing.T) {
	x := Summary{Objective: 0.99, Window: Period{Days: 1}, Known: 0.75, Total: 1080 * 10, Good: 1080*10 - 54, BudgetLeft: 0.5}
	got := x.budget()
	// 360 minutes of ten events each are unknown: 3,600 of then 14,400 events.
	want := [3]float64{1 - (54+3600)/144., 0.5, 1 - 54/144.}
	for i, v := range []float64{got.Low, got.Left, got.High} {
		if math.Abs(v-want[i]) > 1e-9 {
			t.Errorf("figure %d is %v, want %v", i, v, want[i])
		}
	}
	x.Known, x.Total, x.Good = 1, 14400, 14400-72
	if got = x.budget(); got.Low != got.High || math.Abs(got.Low-0.5) > 1e-9 {
		t.Errorf("where everything is known: %+v", got)
	}
	if got = (&Summary{Objective: 0.99, Window: Period{Days: 1}, BudgetLeft: 1}).budget(); got.Counted {
		t.Errorf("where nothing was counted: %+v", got)
	}
}
