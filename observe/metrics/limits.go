package metrics

import (
	"context"
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// Checker is what a source may implement to say by itself how it is. Check
// returns nil or the fault that keeps it from doing its work.
type Checker interface {
	Check(ctx context.Context) error
}

// TargetState is how something that is scraped did at its last scrape.
type TargetState struct {
	Job       string
	URL       string // without credentials
	Labels    map[string]string
	Up        bool
	LastError string    // empty where the last scrape worked
	LastAt    time.Time // zero before the first scrape
	Took      time.Duration
}

// TargetLister is what a source may implement that scrapes by itself.
type TargetLister interface {
	Targets() []TargetState
}

// CheckRange returns an Invalid fault where a range cannot be asked for: a step
// under a millisecond, an end before the start, and more than maxSteps moments.
func CheckRange(from, to time.Time, step time.Duration, maxSteps int64) error {
	switch {
	case step < time.Millisecond:
		return fault.New(fault.Invalid, "metrics.step", text.Say(
			"the step %s is shorter than a millisecond", "ステップ %s が1ミリ秒より短いです", step)).On("step")
	case to.Before(from):
		return fault.New(fault.Invalid, "metrics.range", text.Say(
			"the range ends before it starts", "期間の終わりが始まりより前です")).On("to")
	}
	if steps := int64(to.Sub(from)/step) + 1; steps > maxSteps {
		return fault.New(fault.Invalid, "metrics.too_many_points", text.Say(
			"the range has %d points; at most %d are answered", "期間の点数が%d個です（上限は%d個）", steps, maxSteps)).
			Fix(text.Say("ask for a shorter range or a longer step", "期間を短くするか、ステップを長くしてください"))
	}
	return nil
}

// HistogramFault says that an expression evaluates to native histograms.
func HistogramFault() *fault.Error {
	return fault.New(fault.Invalid, "metrics.histogram", text.Say(
		"the expression answers native histograms, not numbers", "式の結果が数値ではなくネイティブヒストグラムです")).
		Fix(text.Say("take a number from it with histogram_count(…), histogram_sum(…) or histogram_fraction(…)",
			"histogram_count(…)、histogram_sum(…)、histogram_fraction(…) などで数値を取り出してください"))
}
