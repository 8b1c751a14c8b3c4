package page

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/recur"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/notify/notice"
	"github.com/teiten/teiten/respond/alert/format"
	"github.com/teiten/teiten/respond/page/run"
)

// PolicySpec is what an EscalationPolicy document says under spec.
type PolicySpec struct {
	Team        string     `json:"team,omitempty" doc:"The team whose policy this is: what it owns is paged by it." ja:"このポリシーを使うチーム。チームが所有するものの呼び出しに使われます。"`
	TimeZone    string     `json:"timeZone,omitempty" doc:"The IANA time zone of its hours; UTC when absent." ja:"時間帯のIANAタイムゾーン。省略時はUTC。"`
	Steps       []StepSpec `json:"steps" doc:"Who is asked, one after the other." ja:"順に呼び出す相手。"`
	Repeat      *Repeat    `json:"repeat,omitempty" doc:"Whether the steps are gone through again." ja:"全段階を繰り返すか。"`
	Fallback    []Target   `json:"fallback,omitempty" doc:"Who is asked when nobody answered or nobody is on call: schedule:…, user:…, team:… or channel:…. Absent: everybody in the team." ja:"誰も応答しない、または当番がいないときの相手(schedule:…、user:…、team:…、channel:…)。省略時はチーム全員。"`
	MostPerUser int        `json:"mostPerUser,omitempty" doc:"How many messages one event sends to one person at most; 20 when absent." ja:"1つの件で1人に送るメッセージの上限。省略時は20。"`
}

// Policy is an escalation policy with where it is written.
type Policy struct {
	Name   string         `json:"name"`
	Title  string         `json:"title,omitempty"`
	Spec   PolicySpec     `json:"spec"`
	Source fault.Position `json:"source,omitzero"`
	Lines  []int          `json:"lines,omitempty"` // of its steps
}

// at is where a step is written, and the policy itself for the fallback.
func (p Policy) at(step int) fault.Position {
	if step >= 0 && step < len(p.Lines) {
		return fault.Position{File: p.Source.File, Line: p.Lines[step]}
	}
	return p.Source
}

// StepSpec is one step of a policy.
type StepSpec struct {
	After      string   `json:"after,omitempty" doc:"How long to wait for an answer to the step before, such as 5m. The first step comes at once when absent." ja:"前の段階への応答を待つ時間(例: 5m)。最初の段階は省略するとすぐに呼び出します。"`
	Targets    []Target `json:"targets" doc:"Who: schedule:…, user:…, team:… or channel:…." ja:"相手(schedule:…、user:…、team:…、channel:…)。"`
	Severities []string `json:"severities,omitempty" doc:"Only for these: critical, error, warning, info. Absent: all." ja:"対象の重大度(critical、error、warning、info)。省略時はすべて。"`
	Hours      []string `json:"hours,omitempty" doc:"Only in these hours, such as Mon-Fri 09:00-18:00. Absent: always." ja:"対象の時間帯(例: Mon-Fri 09:00-18:00)。省略時は常に。"`
}

// Repeat says how often the steps are gone through again.
type Repeat struct {
	Times int    `json:"times" doc:"How often again, at most 20." ja:"繰り返す回数(最大20)。"`
	After string `json:"after,omitempty" doc:"How long after the last step; 10m when absent. As long is waited for the last answer before the fallback." ja:"最後の段階から待つ時間。省略時は10m。予備の相手を呼び出す前にも同じだけ待ちます。"`
}

const (
	defaultPause  = 10 * time.Minute
	defaultAfter  = 5 * time.Minute
	defaultMost   = 20
	mostSteps     = 20
	mostRepeats   = 20
	mostTargets   = 20
	longestAfter  = 24 * time.Hour
	shortestAfter = time.Second
)

var severities = []string{string(format.Critical), string(format.Error), string(format.Warning), string(format.Info)}

// pause is how long after the last step of a round the next one comes.
func (p PolicySpec) pause() time.Duration {
	if p.Repeat == nil {
		return defaultPause
	}
	return duration(p.Repeat.After, defaultPause)
}

// duration reads what was checked when the policy was applied.
func duration(s string, absent time.Duration) time.Duration {
	d, err := time.ParseDuration(s)
	if err != nil {
		return absent
	}
	return d
}

func (p PolicySpec) zone() *time.Location {
	z, err := time.LoadLocation(cmp.Or(p.TimeZone, "UTC"))
	if err != nil {
		return time.UTC // it was checked when the policy was applied
	}
	return z
}

// mostPerUser is how many messages one event sends to one person.
func (p PolicySpec) mostPerUser() int { return cmp.Or(p.MostPerUser, defaultMost) }

// plan is the policy as package run reads it.
func (p PolicySpec) plan() run.Plan {
	plan := run.Plan{Rounds: 1, Pause: p.pause()}
	if p.Repeat != nil {
		plan.Rounds += p.Repeat.Times
	}
	for i, s := range p.Steps {
		step := run.Step{Severities: s.Severities, After: defaultAfter}
		if i == 0 {
			step.After = 0
		}
		step.After = duration(s.After, step.After)
		if len(s.Hours) > 0 {
			if hours, _, err := recur.ParseHours(s.Hours); err == nil {
				step.Hours = &recur.Week{Hours: hours, Zone: p.zone()}
			}
		}
		plan.Steps = append(plan.Steps, step)
	}
	return plan
}

// problem is one thing wrong with a policy, and where under spec.
type problem struct {
	code         string
	what, remedy text.Both
	path         []any
}

// problems returns everything that is wrong with a policy by itself.
func (p PolicySpec) problems() []problem {
	var all []problem
	bad := func(code string, what, remedy text.Both, path ...any) {
		all = append(all, problem{"page." + code, what, remedy, append([]any{"spec"}, path...)})
	}
	if _, err := time.LoadLocation(p.TimeZone); err != nil || p.TimeZone == "Local" {
		bad("zone", text.Say("there is no time zone %q", "タイムゾーン%qはありません", notice.OneLine(p.TimeZone, 60)),
			text.Say("write a name such as Asia/Tokyo", "Asia/Tokyo のような名前を書いてください"), "timeZone")
	}
	if n := len(p.Steps); n == 0 || n > mostSteps {
		bad("steps", text.Say("the policy has %d steps", "段階が%d件あります", n),
			text.Say("give between 1 and %d", "1件から%d件の範囲で書いてください", mostSteps), "steps")
	}
	for i, s := range p.Steps {
		s.check(func(code string, what, remedy text.Both, path ...any) {
			bad(code, what, remedy, append([]any{"steps", i}, path...)...)
		})
	}
	if r := p.Repeat; r != nil {
		if r.Times < 0 || r.Times > mostRepeats {
			bad("repeat", text.Say("the steps are repeated %d times", "繰り返しが%d回です", r.Times),
				text.Say("repeat them 0 to %d times", "0回から%d回の範囲にしてください", mostRepeats), "repeat", "times")
		}
		checkAfter(r.After, bad, "repeat", "after")
	}
	checkTargets(p.Fallback, bad, "fallback")
	if p.MostPerUser < 0 || p.MostPerUser > 1000 {
		bad("most", text.Say("%d messages are no limit", "上限%d件は指定できません", p.MostPerUser),
			text.Say("give between 1 and 1000", "1から1000の範囲で指定してください"), "mostPerUser")
	}
	return all
}

type report func(code string, what, remedy text.Both, path ...any)

func (s StepSpec) check(bad report) {
	if len(s.Targets) == 0 {
		bad("targets", text.Say("the step reaches nobody", "この段階には相手がいません"),
			text.Say("name a schedule, a user, a team or a channel", "schedule、user、team、channel のいずれかを書いてください"), "targets")
	}
	checkAfter(s.After, bad, "after")
	checkTargets(s.Targets, bad, "targets")
	for i, v := range s.Severities {
		if !slices.Contains(severities, v) {
			bad("severity", text.Say("there is no severity %q", "重大度%qはありません", notice.OneLine(v, 60)),
				text.Say("write one of %s", "次のいずれかにしてください: %s", strings.Join(severities, ", ")), "severities", i)
		}
	}
	checkHours(s.Hours, bad, "hours")
}

// checkHours judges hours of the week.
func checkHours(lines []string, bad report, path ...any) {
	_, line, err := recur.ParseHours(lines)
	if err == nil {
		return
	}
	what, remedy := text.Say("these are no hours", "時間帯の形になっていません"), text.Say("write them as Mon-Fri 09:00-18:00", "Mon-Fri 09:00-18:00 のように書いてください")
	if e, ok := err.(*recur.Error); ok { //nolint:errorlint // ParseHours wraps nothing
		what, remedy = e.What, e.Remedy
	}
	bad("hours", what, remedy, append(path, line)...)
}

func checkAfter(s string, bad report, path ...any) {
	if s == "" {
		return
	}
	if d, err := time.ParseDuration(s); err != nil || d != 0 && d < shortestAfter || d > longestAfter {
		bad("after", text.Say("%q is no time to wait", "%qは待ち時間として使えません", notice.OneLine(s, 40)),
			text.Say("write one up to 24h, such as 5m", "24h までで、5m のように書いてください"), path...)
	}
}

var targetName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._/-]{0,126}[A-Za-z0-9])?$`)

func checkTargets(targets []Target, bad report, path ...any) {
	if len(targets) > mostTargets {
		bad("targets", text.Say("there are %d targets", "相手が%d件あります", len(targets)),
			text.Say("give at most %d", "%d件以内にしてください", mostTargets), path...)
	}
	for i, t := range targets {
		kind, name := t.parts()
		if !slices.Contains([]string{ToSchedule, ToUser, ToTeam, ToChannel}, kind) || !targetName.MatchString(name) {
			bad("target", text.Say("%q names nobody", "%qは相手として読めません", notice.OneLine(string(t), 80)),
				text.Say("write schedule:, user:, team: or channel: and a name", "schedule:、user:、team:、channel: のいずれかに名前を続けてください"), append(slices.Clone(path), i)...)
		}
	}
}
