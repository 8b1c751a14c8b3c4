// Package policy says what follows from the state of an error budget: whether it
// is healthy, needs attention or is exhausted, and what the rest of the product
// does then (Google SRE workbook, appendix B, "Example Error Budget Policy").
//
// A state follows from figures and a policy alone (policy.go). The figures come
// from package slo through Objectives; who agreed to what is known to package
// agreement.
package policy

import (
	"math"
	"strconv"

	"github.com/teiten/teiten/kit/text"
)

// State is what an error budget allows.
type State string

// The states, from best to worst.
const (
	Healthy   State = "healthy"
	Attention State = "attention"
	Exhausted State = "exhausted"
)

// Rank orders the states: 0 is healthy, 2 exhausted.
func (s State) Rank() int {
	switch s {
	case Exhausted:
		return 2
	case Attention:
		return 1
	}
	return 0
}

// End is what is judged where minutes are unknown.
type End string

// Low takes what is unknown for as bad as it may have been, and High for as good.
// Counted leaves it out.
const (
	Low     End = "low"
	High    End = "high"
	Counted End = "counted"
)

// Room is a part of the product that reads consequences.
type Room string

// The rooms that do.
const (
	Gate    Room = "gate"    // deployments
	Review  Room = "review"  // the regular review of services
	Backlog Room = "backlog" // what is worked on next
)

// Effects are what a room may be told to do.
var Effects = map[Room][]string{
	Gate:    {"warn", "block"},
	Review:  {"agenda"},
	Backlog: {"priority"},
}

// Consequence is what one room does while a budget is in a state.
type Consequence struct {
	Room   Room   `json:"room" enum:"gate,review,backlog"`
	Effect string `json:"effect" enum:"warn,block,agenda,priority"`
	Note   string `json:"note,omitempty" doc:"What people are told with it."`
}

// Policy is when a budget is in which state, and what follows.
type Policy struct {
	Name         string
	End          End     // of the interval in which the budget lies
	AlertEnd     End     // what alerts read of their windows
	Attention    float64 // less than this part left needs attention
	Calm         bool    // a page that fires does not need attention by itself
	Exhausted    float64 // this part left, or less, is exhausted
	Consequences map[State][]Consequence
}

// Default is the policy of an objective for which there is none. Nothing follows
// from it.
func Default() Policy { return Policy{End: Counted, AlertEnd: Counted, Attention: 0.25, Exhausted: 0} }

// Figures are what is known of a budget, as parts of the whole: what is left by
// what was counted, and the least and the most that may be left given what is not
// known.
type Figures struct {
	Left, Low, High float64
	Counted         bool // anything at all; nothing was spent otherwise
	Burning         bool // a page fires
}

// Left is the figure that the policy judges.
func (p Policy) Left(f Figures) float64 {
	switch p.End {
	case High:
		return f.High
	case Low:
		return f.Low
	}
	return f.Left
}

// State is the state of a budget, and the sentence that explains it.
func (p Policy) State(f Figures) (State, text.Both) {
	left := p.Left(f)
	percent := strconv.FormatFloat(math.Floor(left*1000)/10, 'f', -1, 64) // never more than there is
	switch {
	case !f.Counted:
		return Healthy, text.Say("nothing was counted yet", "まだ何も数えられていません")
	case left <= p.Exhausted:
		return Exhausted, text.Say("%s%% of the error budget is left", "エラーバジェットの残りは%s%%です", percent)
	case left < p.Attention:
		return Attention, text.Say("%s%% of the error budget is left", "エラーバジェットの残りは%s%%です", percent)
	case f.Burning && !p.Calm:
		return Attention, text.Say("the budget burns so fast that somebody was paged", "呼び出しが必要な速さでエラーバジェットを消費しています")
	}
	return Healthy, text.Say("%s%% of the error budget is left", "エラーバジェットの残りは%s%%です", percent)
}
