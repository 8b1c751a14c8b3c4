package slo

import (
	"slices"
	"time"

	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo/burn"
)

// Queries are the expressions of an objective, and what is sent to the source.
type Queries struct {
	Good           string `json:"good,omitempty"`
	Bad            string `json:"bad,omitempty"`
	Total          string `json:"total"`
	Counter        bool   `json:"counter"`
	EvaluatedPart  string `json:"evaluatedPart,omitempty" doc:"Good, bad, the value or the ratio as it is asked each minute."`
	EvaluatedTotal string `json:"evaluatedTotal,omitempty" doc:"Total as it is asked each minute."`

	Value   string     `json:"value,omitempty" doc:"The value of a thresholdMetric."`
	Op      string     `json:"op,omitempty" enum:"lt,lte,gt,gte" doc:"How a good value compares to the limit."`
	Limit   *float64   `json:"limit,omitempty" doc:"What the value is compared with."`
	Ratio   string     `json:"ratio,omitempty" doc:"A ratio that the source computes."`
	RawType string     `json:"rawType,omitempty" enum:"success,failure"`
	Join    string     `json:"join,omitempty" enum:"weighted,and,or,journey" doc:"How the parts of a composite become one."`
	Parts   []PartView `json:"parts,omitempty"`
}

// PartView is one indicator of a composite.
type PartView struct {
	Title     string  `json:"title,omitempty"`
	Weight    float64 `json:"weight"`
	Objective float64 `json:"objective"`
	Queries   Queries `json:"queries"`
}

// queriesOf shows the expressions of an objective, and those of a composite's
// parts.
func (s *Service) queriesOf(d *Definition) Queries {
	v := Queries{Good: d.Good, Bad: d.Bad, Total: d.Total, Counter: d.Counter}
	if d.Threshold != nil {
		v.Value, v.Op, v.Limit = d.Threshold.Expr, d.Threshold.Op, &d.Threshold.Value
	}
	if d.Raw != nil {
		v.Ratio, v.RawType = d.Raw.Expr, "success"
		if d.Raw.Failure {
			v.RawType = "failure"
		}
	}
	if asked, err := s.questions(d); err == nil && d.Composite == nil {
		v.EvaluatedPart, v.EvaluatedTotal = asked.sent("good", "bad", "value", "ratio"), asked.sent("total")
	}
	if d.Composite == nil {
		return v
	}
	v.Join = string(d.Composite.Join)
	for _, p := range d.Composite.Parts {
		v.Parts = append(v.Parts, PartView{Title: p.Title, Weight: p.Weight, Objective: float64(p.Objective),
			Queries: s.queriesOf(&Definition{Indicator: p.Indicator, Scrape: d.Scrape})})
	}
	return v
}

// countedFrom is what the events of an objective are counted from.
type countedFrom string

const (
	fromSamples   countedFrom = "samples"
	fromIncreases countedFrom = "increases"
	fromValues    countedFrom = "values"
)

// countedFrom tells what the events of d are counted from, as its sources are now.
func (s *Service) countedFrom(d *Definition) countedFrom {
	asks := d.asks()
	switch {
	case d.countable() && s.countThemselves(asks):
		return fromSamples
	case slices.ContainsFunc(asks, func(a ask) bool { return a.Counter }):
		return fromIncreases
	}
	return fromValues
}

func exactNote(from countedFrom, exact bool, over time.Duration) text.Both {
	switch {
	case from == fromValues:
		return text.Say("the values of the expressions are taken as they are, once a minute", "式の値を1分ごとにそのまま使います")
	case from == fromSamples:
		return text.Say("counted from raw samples: every increase of the counters between two scrapes is counted once, without extrapolation",
			"生の標本から数えています。スクレイプ間のカウンターの増分を、外挿せずに1回ずつ数えます")
	case exact:
		return text.Say("evaluated as PromQL each minute: every increase of the counters between two scrapes is counted once, without extrapolation",
			"PromQLを毎分評価しています。スクレイプ間のカウンターの増分を、外挿せずに1回ずつ数えます")
	}
	return text.Say("evaluated as PromQL each minute: the data source estimates increases over %[1]s from the samples within; each event is counted once in total, spread over that time",
		"PromQLを毎分評価しています。データソースが%[1]sの標本から増分を推定します。イベントは合計では1回ずつですが、その時間に均されます", burn.Spoken(over))
}
