package incident

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/teiten/teiten/kit/fault"
)

var noon = time.Date(2026, 11, 2, 3, 0, 0, 0, time.UTC)

// lead is whoever leads in these tests.
var lead = Person{ID: "lead", Name: "Payments lead"}

// begun is an active incident that began at noon.
func begun() Incident {
	i := Incident{Number: 1, State: Triage, Severity: "SEV3", Title: "checkout fails", Services: []string{"checkout"}, Roles: map[Role]Person{Commander: lead},
		Stamps: Stamps{ImpactStart: noon, DetectedAt: noon.Add(time.Minute)}, DeclaredAt: noon}
	i, err := i.Activate(noon.Add(2 * time.Minute))
	if err != nil {
		panic(err)
	}
	return i
}

// TestI1ToI4HoldAfterAnyTransitions draws transitions, wrong ones among them, and
// looks at what every incident must be after each.
func TestI1ToI4HoldAfterAnyTransitions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := noon.Add(3 * time.Minute)
		i, other := begun(), begun()
		other.Number = 2
		policy := DefaultPolicy()
		published := false
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 3600).Draw(t, "later")) * time.Second)
			at := now.Add(-time.Duration(rapid.IntRange(-60, 7200).Draw(t, "ago")) * time.Second)
			next, err := i, error(nil)
			switch rapid.SampledFrom([]string{"activate", "mitigate", "resolve", "reopen", "close", "waive", "decline", "merge", "assign", "unassign", "rank", "amend"}).Draw(t, "what") {
			case "activate":
				next, err = i.Activate(now)
			case "mitigate":
				next, err = i.Mitigate(at, now)
			case "resolve":
				next, err = i.Resolve(at, now)
			case "reopen":
				next, err = i.Reopen(policy, now)
			case "close":
				p := rapid.Bool().Draw(t, "published")
				if next, err = i.Close(p, nil, now); err == nil {
					published = p
				}
			case "waive":
				next, err = i.Close(false, &Waiver{Reason: rapid.SampledFrom([]string{"", " ", "no new lesson"}).Draw(t, "why")}, now)
				published = published && err != nil
			case "decline":
				next, err = i.Decline(now)
			case "merge":
				next, _, err = i.MergeInto(other, now)
			case "assign":
				next, err = i.Assign(rapid.SampledFrom(Roles).Draw(t, "role"), lead)
			case "unassign":
				next, err = i.Assign(rapid.SampledFrom(Roles).Draw(t, "role"), Person{})
			case "rank":
				next, err = i.Rank(rapid.SampledFrom(append(slices.Clone(Severities), "SEV0")).Draw(t, "severity"), policy, now)
			case "amend":
				next, err = i.Amend(Stamps{DetectedAt: at}, now)
			}
			if err != nil {
				if _, ok := fault.As(err); !ok {
					t.Fatalf("an error that is no fault: %v", err)
				}
				continue
			}
			i = next
			judge(t, i, published)
		}
	})
}

func judge(t *rapid.T, i Incident, published bool) {
	if err := i.Stamps.Check(); err != nil {
		t.Fatalf("I1: %v", err)
	}
	if _, led := i.Roles[Commander]; i.State.led() && !led {
		t.Fatalf("I2: %s without a commander", i.State)
	}
	if i.State == Closed && !published && (i.Waiver == nil || i.Waiver.Reason == "" || i.Waiver.Reason == " ") {
		t.Fatal("I4: closed with neither postmortem nor reason")
	}
	if ended := i.State == Closed || i.State == Declined || i.State == Merged; ended == i.EndedAt.IsZero() {
		t.Fatalf("%s ended at %v", i.State, i.EndedAt)
	}
	if s := i.Stamps; i.State == Resolved && (s.ResolvedAt.IsZero() || s.MitigatedAt.IsZero()) || i.State == Active && !s.MitigatedAt.IsZero() {
		t.Fatalf("%s with %+v", i.State, s)
	}
	if !i.State.led() && len(i.Updates) > 0 {
		t.Fatalf("updates are due although it is %s", i.State)
	}
	for _, name := range i.can() {
		if i.State == Closed && name != "reopen" {
			t.Fatalf("a closed incident can %s", name)
		}
	}
}

func TestI3TimesAreComputedFromStampsOnly(t *testing.T) {
	s := Stamps{ImpactStart: noon, DetectedAt: noon.Add(2 * time.Minute), AcknowledgedAt: noon.Add(5 * time.Minute), MitigatedAt: noon.Add(30 * time.Minute)}
	x := s.Times()
	if *x.Detect != 120 || *x.Acknowledge != 180 || *x.Mitigate != 1680 || x.Resolve != nil {
		t.Errorf("detect %v, acknowledge %v, mitigate %v, resolve %v", *x.Detect, *x.Acknowledge, *x.Mitigate, x.Resolve)
	}
}

func TestStampsOutOfOrderAreRefusedByName(t *testing.T) {
	_, err := begun().Amend(Stamps{DetectedAt: noon.Add(-time.Minute)}, noon.Add(time.Hour))
	f, ok := fault.As(err)
	if !ok || f.Code != "incident.stamps" || f.Field != "body.detectedAt" {
		t.Fatalf("%v", err)
	}
	if f.What.EN != "the detection is before the start of the impact" || f.What.JA != "検知が影響の開始より前です" {
		t.Errorf("%+v", f.What)
	}
}

func TestASeverityAsksForItsTasksAndUpdates(t *testing.T) {
	p := DefaultPolicy()
	p.level("SEV1").Checklist = []string{"tell support", "open the bridge"}
	p.level("SEV2").Checklist = []string{"tell support"}
	now := noon.Add(time.Hour)
	i, err := begun().Rank("SEV2", p, now)
	if err != nil {
		t.Fatal(err)
	}
	if i, err = i.Rank("SEV1", p, now.Add(50*time.Minute)); err != nil {
		t.Fatal(err)
	}
	if len(i.Tasks) != 2 || i.Tasks[0].Text != "tell support" {
		t.Errorf("tasks %+v", i.Tasks)
	}
	// Under SEV2 stakeholders were to be told after an hour; the new half hour
	// begins later than that ends, so the hour stays.
	if due := i.Updates[Stakeholders].Due; !due.Equal(now.Add(time.Hour)) {
		t.Errorf("due %v", due)
	}
}

func TestAnOverdueUpdateIsToldOnceAnInterval(t *testing.T) {
	i, err := begun().Rank("SEV1", DefaultPolicy(), noon)
	if err != nil {
		t.Fatal(err)
	}
	told := map[Audience]int{}
	for m := range 125 {
		for _, a := range i.Overdue(noon.Add(time.Duration(m) * time.Minute)) {
			told[a]++
			i.told(a, noon.Add(time.Duration(m)*time.Minute))
		}
	}
	if told[Stakeholders] != 4 || told[Public] != 2 {
		t.Errorf("told %v in 124 minutes: stakeholders each 30, the public each 60", told)
	}
	if i = i.Said(Stakeholders, noon.Add(125*time.Minute)); len(i.Overdue(noon.Add(126*time.Minute))) != 0 {
		t.Error("it was said just now")
	}
}

func TestMergingKeepsTheEarlierBeginningAndEveryAlert(t *testing.T) {
	a, b := begun(), begun()
	a.Stamps.ImpactStart, a.Groups, a.Services = noon.Add(-time.Hour), []string{"g1"}, []string{"cart"}
	b.Number, b.Groups = 2, []string{"g2"}
	from, into, err := a.MergeInto(b, noon.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if from.State != Merged || from.Into != 2 || len(from.Groups) != 0 {
		t.Errorf("from: %+v", from)
	}
	if !into.Stamps.ImpactStart.Equal(noon.Add(-time.Hour)) || !slices.Equal(into.Groups, []string{"g2", "g1"}) || !slices.Equal(into.Services, []string{"checkout", "cart"}) {
		t.Errorf("into: %+v", into)
	}
	if !slices.Equal(b.Groups, []string{"g2"}) {
		t.Error("the incident that was given changed")
	}
	if _, _, err := from.MergeInto(into, noon); err == nil {
		t.Error("merged twice")
	}
}
