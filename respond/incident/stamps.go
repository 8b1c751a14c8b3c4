package incident

import (
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// Stamps are when the decisive things happened. A zero one is not known, or has
// not happened yet.
type Stamps struct {
	ImpactStart    time.Time `json:"impactStart,omitzero" doc:"Since when it hurt."`
	DetectedAt     time.Time `json:"detectedAt,omitzero" doc:"When it was noticed, by a monitor or by a person."`
	AcknowledgedAt time.Time `json:"acknowledgedAt,omitzero" doc:"When somebody took it on."`
	MitigatedAt    time.Time `json:"mitigatedAt,omitzero" doc:"Since when it does not hurt any more."`
	ResolvedAt     time.Time `json:"resolvedAt,omitzero" doc:"Since when what was wrong is repaired."`
}

// stamp is one of them with its name.
type stamp struct {
	field string
	name  text.Both
	at    *time.Time
}

func (s *Stamps) all() []stamp {
	return []stamp{
		{"impactStart", text.Say("the start of the impact", "影響の開始"), &s.ImpactStart},
		{"detectedAt", text.Say("the detection", "検知"), &s.DetectedAt},
		{"acknowledgedAt", text.Say("the acknowledgement", "確認"), &s.AcknowledgedAt},
		{"mitigatedAt", text.Say("the mitigation", "緩和"), &s.MitigatedAt},
		{"resolvedAt", text.Say("the resolution", "解決"), &s.ResolvedAt},
	}
}

// Check refuses stamps that are not in order (I1): impact start ≤ detected ≤
// acknowledged ≤ mitigated ≤ resolved, of those that are known.
func (s Stamps) Check() error {
	var last stamp
	for _, x := range s.all() {
		if x.at.IsZero() {
			continue
		}
		if last.at != nil && x.at.Before(*last.at) {
			return fault.New(fault.Invalid, "incident.stamps",
				text.Both{EN: x.name.EN + " is before " + last.name.EN, JA: x.name.JA + "が" + last.name.JA + "より前です"}).
				Fix(text.Say("correct the one that is wrong; both may be changed together", "誤っているほうを直してください。両方を一度に変更することもできます")).
				On("body." + x.field)
		}
		last = x
	}
	return nil
}

// amend takes over what is set in n. When it ended can be corrected only after it
// did; ending it is what does that.
func (s *Stamps) amend(n Stamps, in State, now time.Time) error {
	ended := map[string]bool{"mitigatedAt": in == Active || in == Triage, "resolvedAt": in != Resolved && in != Closed}
	for k, x := range n.all() {
		if x.at.IsZero() {
			continue
		}
		if x.at.After(now) {
			return inTheFuture("body." + x.field)
		}
		if ended[x.field] {
			return fault.New(fault.Conflict, "incident.not_yet",
				text.Both{EN: x.name.EN + " has not happened yet", JA: x.name.JA + "はまだ行われていません"}).
				Fix(text.Say("mitigate or resolve it; the time can be given there", "緩和または解決の操作で時刻を指定してください")).On("body." + x.field)
		}
		*s.all()[k].at = *x.at
	}
	return nil
}

func inTheFuture(field string) error {
	return fault.New(fault.Invalid, "incident.future", text.Say("that time is yet to come", "その時刻はまだ来ていません")).
		Fix(text.Say("give a time that has passed", "過去の時刻を指定してください")).On(field)
}

// earliest is the earlier of two times, of which a zero one is unknown.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// Times are how long things took, computed from stamps only (I3). Detecting counts
// from the start of the impact; acknowledging, mitigating and resolving from the
// detection, so that detecting and mitigating together are how long it hurt. A nil
// one is not known yet.
type Times struct {
	Detect      *float64 `json:"detectSeconds,omitempty" doc:"From the start of the impact to its detection."`
	Acknowledge *float64 `json:"acknowledgeSeconds,omitempty" doc:"From the detection until somebody took it on."`
	Mitigate    *float64 `json:"mitigateSeconds,omitempty" doc:"From the detection until it hurt nobody any more."`
	Resolve     *float64 `json:"resolveSeconds,omitempty" doc:"From the detection until it was repaired."`
}

// Times computes how long things took.
func (s Stamps) Times() Times {
	between := func(from, to time.Time) *float64 {
		if from.IsZero() || to.IsZero() {
			return nil
		}
		d := to.Sub(from).Seconds()
		return &d
	}
	return Times{
		Detect: between(s.ImpactStart, s.DetectedAt), Acknowledge: between(s.DetectedAt, s.AcknowledgedAt),
		Mitigate: between(s.DetectedAt, s.MitigatedAt), Resolve: between(s.DetectedAt, s.ResolvedAt),
	}
}
