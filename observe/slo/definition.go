package slo

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo/budgeting"
	"github.com/teiten/teiten/observe/slo/burn"
)

// Definition is an objective as it is executed: what an OpenSLO document says,
// with every reference followed and every default filled in.
type Definition struct {
	Name        string         `json:"name"`
	Title       string         `json:"title,omitempty"`
	Description string         `json:"description,omitempty"`
	Service     string         `json:"service"`
	Objective   burn.Objective `json:"objective"`
	Period      time.Duration  `json:"period"` // of Window, nominal

	Counting budgeting.Counting `json:"counting,omitzero"` // what the budget counts; events by default
	Window   budgeting.Period   `json:"window,omitzero"`   // rolling or by the calendar

	Indicator
	Composite *Composite `json:"composite,omitempty"` // stands in for the indicator
	Way       bool       `json:"way,omitempty"`       // the composite is of what the service depends on, its own part first

	// Interpolate has thresholds between the boundaries of a histogram estimated.
	Interpolate bool `json:"interpolate,omitempty"`

	AbsentBad bool           `json:"absentBad,omitempty"` // a minute without data is bad
	Settle    *time.Duration `json:"settle,omitempty"`    // how long after its end a minute is read
	Scrape    time.Duration  `json:"scrape,omitempty"`    // interval, where increases are estimated
	Minimum   *float64       `json:"minimum,omitempty"`
	Exact     bool           `json:"exact,omitempty"` // the source knows exact increases
	Rules     []burn.Rule    `json:"rules"`

	Grouping *Grouping `json:"grouping,omitempty"` // it is taken apart by labels
	Instance *Instance `json:"instance,omitempty"` // it is such a part of another
}

// The windows that are read for every objective, shown and exported, besides
// its period and what its rules look at.
var shownWindows = []time.Duration{
	5 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour,
	6 * time.Hour, 24 * time.Hour, 72 * time.Hour,
}

// windows are the lengths that must be slid for the objective, ascending.
func (d *Definition) windows() []time.Duration {
	all := append(slices.Clone(shownWindows), d.Period)
	for _, r := range d.Rules {
		all = append(all, r.Windows()...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// longest is the longest of the windows: how far back the ledger is needed.
func (d *Definition) longest() time.Duration {
	most := max(d.Period, shownWindows[len(shownWindows)-1])
	for i := range d.Rules {
		for _, w := range d.Rules[i].Windows() {
			most = max(most, w)
		}
	}
	return most
}

// terms are what the rules of the objective are judged against.
func (d *Definition) terms() burn.Terms {
	return burn.Terms{
		Objective: d.Objective, Period: d.Period, Minimum: d.Minimum, Exact: d.Exact || !d.Counter,
		Measured: d.Raw != nil || d.Composite != nil && d.Composite.Join != Weighted || d.Counting.Method == budgeting.RatioTimeslices,
	}
}

// counted identifies what the ledger holds. While it stays the same the ledger
// stays valid, whatever else of the definition changes.
func (d *Definition) counted() string {
	parts := []string{d.Source, d.Good, d.Bad, d.Total, strconv.FormatBool(d.Counter), strconv.FormatBool(d.AbsentBad), d.Scrape.String()}
	if d.Threshold != nil || d.Raw != nil || d.Composite != nil || d.PartSource != nil {
		parts = append(parts, marshal([]any{d.Threshold, d.Raw, d.Composite, d.PartSource}))
	}
	if d.Interpolate {
		parts = append(parts, "interpolated")
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:8])
}

// window is the time over which the objective is promised.
func (d *Definition) window() budgeting.Period {
	if d.Window.Length == 0 {
		return budgeting.Period{Length: d.Period}
	}
	return d.Window
}

// label writes a duration as operators do: 5m, 6h, 30d.
func label(d time.Duration) string { return burn.Label(d) }

// labelled is label, and nothing for no duration.
func labelled(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return label(d)
}

// Status is the state of a promise in one word, the most urgent that applies.
type Status string

// The states, the most urgent first.
const (
	Burning     Status = "burning"     // a page is open
	Exhausted   Status = "exhausted"   // nothing is left of the budget
	Attention   Status = "attention"   // a ticket is open, or little is left
	Unknown     Status = "unknown"     // there is no recent data
	Backfilling Status = "backfilling" // the past is still being read
	Healthy     Status = "healthy"
)

// rank orders the states for lists, the most urgent first.
func (s Status) rank() int {
	return slices.Index([]Status{Burning, Exhausted, Attention, Unknown, Backfilling, Healthy}, s)
}

const littleLeft = 0.2

// condition is what the state of a promise follows from.
type condition struct {
	page, ticket bool
	left         float64
	events       bool // the period saw any
	recent       bool // the last hour has known minutes
	gone         text.Both
	crowded      text.Both // instances are refused
	backfilling  bool
	fraction     float64 // of the back-fill that is done
	unread       bool    // nothing was counted yet
}

// state is the state in one word.
func (c condition) state() Status {
	switch {
	case c.unread:
		return Unknown
	case c.page:
		return Burning
	case c.events && c.left <= 0:
		return Exhausted
	case !c.gone.IsZero():
		return Unknown
	case c.ticket, c.events && c.left < littleLeft, !c.crowded.IsZero():
		return Attention
	case !c.recent:
		return Unknown
	case c.backfilling:
		return Backfilling
	}
	return Healthy
}

// why is the sentence that explains the state.
func (c condition) why() text.Both {
	left := strconv.FormatFloat(math.Floor(c.left*1000)/10, 'f', 1, 64) // never more than there is
	switch s := c.state(); {
	case c.unread:
		return text.Say("not evaluated yet", "まだ評価していません")
	case s == Burning:
		return text.Say("the budget burns so fast that somebody must act now", "すぐに対応が必要な速さでエラーバジェットを消費しています")
	case s == Exhausted:
		return text.Say("the error budget is spent", "エラーバジェットを使い切りました")
	case s == Unknown && !c.gone.IsZero():
		return c.gone
	case s == Unknown:
		return text.Say("there was no data in the last hour", "直近1時間のデータがありません")
	case s == Attention && !c.ticket && !(c.events && c.left < littleLeft):
		return c.crowded
	case s == Attention && c.ticket:
		return text.Say("the budget burns too fast to last", "この速さが続くと、エラーバジェットが期間の途中で尽きます")
	case s == Backfilling:
		return text.Say("the past is being read: %d%%", "過去のデータを読み込み中です(%d%%)", int(c.fraction*100))
	case !c.events:
		return text.Say("there were no events in the period", "期間中にイベントはありませんでした")
	}
	return text.Say("%s%% of the error budget is left", "エラーバジェットの残りは%s%%です", left)
}
