package run

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/teiten/teiten/kit/recur"
)

var began = time.Date(2026, 11, 23, 1, 0, 0, 0, time.UTC)

func ladder() Plan {
	return Plan{Steps: []Step{{}, {After: 5 * time.Minute}, {After: 10 * time.Minute}}, Rounds: 2, Pause: 15 * time.Minute}
}

func TestLadderIsClimbedStepByStepAndThenHandedOn(t *testing.T) {
	var got []string
	for _, i := range Ahead(began, ladder(), "critical") {
		got = append(got, i.At.Sub(began).String()+" "+string(i.Kind))
	}
	want := []string{"0s page", "5m0s page", "15m0s page", "30m0s page", "35m0s page", "45m0s page", "1h0m0s fallback"}
	if len(got) != len(want) {
		t.Fatalf("%v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%d: %s, want %s", i, got[i], want[i])
		}
	}
}

// After a night asleep one step comes, and the next waits its time again.
func TestOverdueStepsDoNotComeTogether(t *testing.T) {
	now := began.Add(9 * time.Hour)
	f := Facts{Began: began, Taken: true, At: began}
	first := Next(now, ladder(), f)
	if first.Step != 1 || !first.At.Equal(now) {
		t.Fatalf("%+v", first)
	}
	f.Step, f.At = 1, now
	if second := Next(now, ladder(), f); second.Step != 2 || second.At.Sub(now) != 10*time.Minute {
		t.Errorf("%+v", second)
	}
}

func TestClockThatWasPutBackDelaysNothingBeyondTheStep(t *testing.T) {
	f := Facts{Began: began, Taken: true, At: began.Add(365 * 24 * time.Hour)}
	if next := Next(began, ladder(), f); next.At.Sub(began) != 5*time.Minute {
		t.Errorf("%+v", next)
	}
}

func TestStepThatIsNotForTheSeverityOrTheHourIsNotWaitedFor(t *testing.T) {
	hours, _, err := recur.ParseHours([]string{"Mon-Fri 09:00-18:00"})
	if err != nil {
		t.Fatal(err)
	}
	day := &recur.Week{Hours: hours, Zone: time.UTC}
	p := Plan{Pause: time.Minute, Steps: []Step{
		{Hours: day}, {After: 5 * time.Minute, Severities: []string{"critical"}}, {After: 7 * time.Minute},
	}}
	if next := Next(began, p, Facts{Began: began, Severity: "critical"}); next.Step != 1 || !next.At.Equal(began) {
		t.Errorf("at night: %+v", next)
	}
	noon := began.Add(11 * time.Hour) // a Monday
	if next := Next(noon, p, Facts{Began: noon, Severity: "warning"}); next.Step != 0 {
		t.Errorf("by day: %+v", next)
	}
	if next := Next(noon, p, Facts{Began: noon, Severity: "warning", Taken: true, At: noon}); next.Step != 2 || next.At.Sub(noon) != 7*time.Minute {
		t.Errorf("after the first: %+v", next)
	}
}

func TestNobodyToAskIsHandedOnAtOnce(t *testing.T) {
	p := Plan{Steps: []Step{{Severities: []string{"critical"}}}, Pause: time.Hour}
	if next := Next(began, p, Facts{Began: began, Severity: "info"}); next.Kind != Fallback || !next.At.Equal(began) {
		t.Errorf("%+v", next)
	}
}

func TestAnswerEndsIt(t *testing.T) {
	for _, f := range []Facts{{Stopped: true}, {Fallen: true}} {
		if next := Next(began, ladder(), f); next.Kind != End {
			t.Errorf("%+v: %+v", f, next)
		}
	}
}

// Whatever the clock does between the steps: it ends, no step comes before now,
// positions only grow, and exactly one intent comes at a time.
func TestAnyClockLeadsThroughTheLadderOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := Plan{Rounds: rapid.IntRange(0, 3).Draw(t, "rounds"), Pause: time.Duration(rapid.IntRange(0, 3600).Draw(t, "pause")) * time.Second}
		for range rapid.IntRange(0, 5).Draw(t, "steps") {
			p.Steps = append(p.Steps, Step{After: time.Duration(rapid.IntRange(0, 3600).Draw(t, "after")) * time.Second})
		}
		f, now, paged := Facts{Began: began}, began, 0
		for range 100 {
			now = now.Add(time.Duration(rapid.IntRange(-86400, 86400).Draw(t, "jump")) * time.Second)
			next := Next(now, p, f)
			if next.Kind == End {
				break
			}
			if next.At.Before(now) || next.At.Sub(now) > time.Hour {
				t.Fatalf("%+v at %s", next, now)
			}
			if next.At.After(now) {
				continue
			}
			if next.Kind == Fallback {
				f.Fallen = true
				break
			}
			if f.Taken && (next.Round < f.Round || next.Round == f.Round && next.Step <= f.Step) {
				t.Fatalf("%+v after %+v", next, f)
			}
			paged++
			f.Taken, f.Round, f.Step, f.At = true, next.Round, next.Step, now
		}
		if most := len(p.Steps) * max(p.Rounds, 1); paged > most {
			t.Fatalf("%d pages of %d", paged, most)
		}
	})
}
