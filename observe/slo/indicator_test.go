package slo

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/teiten/teiten/observe/slo/ledger"
)

var nothing = math.NaN()

// TestWhatCannotBeCountedIsNamed is the table of bad input: each answer makes
// the minute unknown and has a name, and each name has a remedy.
func TestWhatCannotBeCountedIsNamed(t *testing.T) {
	good := &Definition{Indicator: Indicator{Good: "g", Total: "t"}}
	bad := &Definition{Indicator: Indicator{Bad: "b", Total: "t"}}
	raw := &Definition{Indicator: Indicator{Raw: &Raw{Expr: "r"}}}
	limit := &Definition{Indicator: Indicator{Threshold: &Threshold{Expr: "v", Op: "lt", Value: 1}}}
	bucket := &Definition{Indicator: Indicator{Good: `b{le="0.3"}`, Total: "t", Bucket: "0.3"}}
	inf, nan := math.Inf(1), answered(math.NaN())
	for name, c := range map[string]struct {
		d      *Definition
		values []float64 // total and part, or the value
		want   trouble
	}{
		"a total that is NaN":                {good, []float64{nan, 1}, notANumber},
		"a part that is NaN":                 {bad, []float64{1, nan}, notANumber},
		"an infinite total":                  {good, []float64{inf, 1}, infinite},
		"a total beyond all counting":        {good, []float64{1e39, 1}, infinite},
		"an infinite part":                   {bad, []float64{1, inf}, infinite},
		"a negative total":                   {good, []float64{-1, 0}, negativeTotal},
		"a negative part":                    {good, []float64{10, -1}, negativePart},
		"good above total":                   {good, []float64{100, 200}, goodAbove},
		"bad above total":                    {bad, []float64{100, 200}, badAbove},
		"a ratio in per cent":                {raw, []float64{99.5}, ratioOutside},
		"a negative ratio":                   {raw, []float64{-0.1}, ratioOutside},
		"an infinite ratio":                  {raw, []float64{inf}, ratioOutside},
		"a ratio of nought and nought":       {raw, []float64{nan}, notANumber},
		"a value that is NaN":                {limit, []float64{nan}, notANumber},
		"a boundary that is none":            {bucket, []float64{100, nothing}, noBucket},
		"no answer at all":                   {good, []float64{nothing, nothing}, fine},
		"no value":                           {limit, []float64{nothing}, fine},
		"no ratio":                           {raw, []float64{nothing}, fine},
		"a composite of which a part is NaN": {&Definition{Composite: &Composite{Join: All, Parts: []Part{{Weight: 1, Indicator: good.Indicator}, {Weight: 1, Indicator: raw.Indicator}}}}, []float64{10, 10, nan}, notANumber},
	} {
		m, got := c.d.minute(c.values)
		if m != (ledger.Minute{}) || got != c.want {
			t.Errorf("%s: %v, %q; want an unknown minute and %q", name, m, got, c.want)
		}
		if said := got.Say(); got != fine && (said.EN == "" || said.JA == "") {
			t.Errorf("%q says nothing", got)
		}
	}
}

func TestMinutesOfEachIndicator(t *testing.T) {
	value := func(op string) *Definition {
		return &Definition{Indicator: Indicator{Threshold: &Threshold{Expr: "v", Op: op, Value: 0.5}}}
	}
	good, bad := &Definition{Indicator: Indicator{Good: "g", Total: "t"}}, &Definition{Indicator: Indicator{Bad: "b", Total: "t"}}
	for name, c := range map[string]struct {
		d      *Definition
		values []float64
		want   ledger.Minute
	}{
		"good of total":                    {good, []float64{100, 99}, ledger.Of(100, 1)},
		"bad of total":                     {bad, []float64{100, 99}, ledger.Of(100, 99)},
		"no good":                          {good, []float64{100, nothing}, ledger.Of(100, 100)},
		"no bad":                           {bad, []float64{100, nothing}, ledger.Of(100, 0)},
		"an answer later than its request": {good, []float64{100, 103}, ledger.Of(100, 0)},
		"under the limit":                  {value("lt"), []float64{0.4}, ledger.Of(1, 0)},
		"at the limit":                     {value("lt"), []float64{0.5}, ledger.Of(1, 1)},
		"at the limit, which is in":        {value("lte"), []float64{0.5}, ledger.Of(1, 0)},
		"above the limit":                  {value("gt"), []float64{0.6}, ledger.Of(1, 0)},
		"not above the limit":              {value("gt"), []float64{0.5}, ledger.Of(1, 1)},
		"at least the limit":               {value("gte"), []float64{0.5}, ledger.Of(1, 0)},
		"infinitely much":                  {value("lt"), []float64{math.Inf(1)}, ledger.Of(1, 1)},
		"a share of successes":             {&Definition{Indicator: Indicator{Raw: &Raw{}}}, []float64{0.75}, ledger.Of(1, 0.25)},
		"a share of failures":              {&Definition{Indicator: Indicator{Raw: &Raw{Failure: true}}}, []float64{0.75}, ledger.Of(1, 0.75)},
		"a share but for rounding":         {&Definition{Indicator: Indicator{Raw: &Raw{}}}, []float64{1 + 1e-12}, ledger.Of(1, 0)},
	} {
		if m, trouble := c.d.minute(c.values); m != c.want || trouble != fine {
			t.Errorf("%s: %v %s, want %v", name, m, trouble, c.want)
		}
	}
}

func TestPartsOfACompositeBecomeOne(t *testing.T) {
	shop := func(join Join) *Definition {
		return &Definition{Composite: &Composite{Join: join, Parts: []Part{
			{Weight: 1, Indicator: Indicator{Bad: "b", Total: "t"}},
			{Weight: 3, Indicator: Indicator{Threshold: &Threshold{Op: "lt", Value: 1}}},
		}}}
	}
	for name, c := range map[string]struct {
		join            Join
		total, bad, lag float64
		want            ledger.Minute
	}{
		"weighted":                            {Weighted, 10, 1, 5, ledger.Of(10+3, 1+3)},
		"weighted, one without data":          {Weighted, 10, 1, nothing, ledger.Of(10, 1)},
		"both must work":                      {All, 10, 2, 0, ledger.Of(1, 0.2)},
		"both must work, one is away":         {All, 10, 2, nothing, ledger.Minute{}},
		"both must work, the other is down":   {All, 10, 10, nothing, ledger.Of(1, 1)},
		"one must work":                       {Any, 10, 2, 5, ledger.Of(1, 0.2)},
		"one must work, and does":             {Any, nothing, nothing, 0, ledger.Of(1, 0)},
		"one must work, the known one is not": {Any, nothing, nothing, 5, ledger.Minute{}},
		"a journey":                           {Journey, 10, 2, 0, ledger.Of(1, 0.2)},
		"a journey that ends":                 {Journey, nothing, nothing, 5, ledger.Of(1, 1)},
		"a journey nobody took":               {Journey, 0, 0, 0, ledger.Of(1, 0)},
		"nothing is known":                    {All, nothing, nothing, nothing, ledger.Minute{}},
	} {
		m, _ := shop(c.join).minute([]float64{c.total, c.bad, c.lag})
		if math.Abs(m.Bad-c.want.Bad) > 1e-7 || m.Total != c.want.Total || m.Known != c.want.Known {
			t.Errorf("%s: %v, want %v", name, m, c.want)
		}
	}
}

// TestAQuorumFailsWhereSoManyPartsDo: shares of good events of three parts, of
// which a negative one is a part without data.
func TestAQuorumFailsWhereSoManyPartsDo(t *testing.T) {
	for _, c := range []struct {
		quorum int
		shares [3]float64
		want   ledger.Minute
	}{
		{1, [3]float64{1, 1, 0}, ledger.Of(1, 1)},
		{2, [3]float64{1, 1, 0}, ledger.Of(1, 0)},
		{2, [3]float64{0, 1, 0}, ledger.Of(1, 1)},
		{2, [3]float64{0.5, 1, 0.2}, ledger.Of(1, 0.5)},
		{3, [3]float64{0, 0.25, 0}, ledger.Of(1, 0.75)},
		{2, [3]float64{1, 1, -1}, ledger.Of(1, 0)}, // whatever the third saw
		{2, [3]float64{0, 0, -1}, ledger.Of(1, 1)},
		{2, [3]float64{0, 1, -1}, ledger.Minute{}},
		{1, [3]float64{-1, -1, -1}, ledger.Minute{}},
	} {
		parts := make([]ledger.Minute, 3)
		for i, share := range c.shares {
			if share >= 0 {
				parts[i] = ledger.Of(100, 100*(1-share))
			}
		}
		if got := (&Composite{Join: Quorum, Quorum: c.quorum}).join(parts); got != c.want {
			t.Errorf("%d of %v: %v, want %v", c.quorum, c.shares, got, c.want)
		}
	}
}

// TestNoAnswerMakesAnImpossibleMinute: whatever a source says, a minute has no
// more bad events than events, none below nought, and none where it is unknown.
func TestNoAnswerMakesAnImpossibleMinute(t *testing.T) {
	anything := rapid.OneOf(rapid.Float64(), rapid.Float64Range(-2, 200), rapid.SampledFrom([]float64{0, 1, nothing, answered(nothing), math.Inf(1), math.Inf(-1)}))
	rapid.Check(t, func(t *rapid.T) {
		parts := []Part{
			{Weight: rapid.Float64Range(1e-3, 1e3).Draw(t, "weight"), Indicator: Indicator{Good: "g", Total: "t", Bucket: rapid.SampledFrom([]string{"", "1"}).Draw(t, "bucket")}},
			{Weight: 1, Indicator: Indicator{Bad: "b", Total: "t"}},
			{Weight: 1, Indicator: Indicator{Raw: &Raw{Failure: rapid.Bool().Draw(t, "failure")}}},
			{Weight: 1, Indicator: Indicator{Threshold: &Threshold{Op: "gte", Value: 1}}},
		}
		d := &Definition{Composite: &Composite{Join: rapid.SampledFrom([]Join{Weighted, All, Any, Quorum, Journey}).Draw(t, "join"), Quorum: rapid.IntRange(1, 4).Draw(t, "quorum"), Parts: parts}}
		values := make([]float64, len(d.asks()))
		for i := range values {
			values[i] = anything.Draw(t, "value")
		}
		check := func(d *Definition, values []float64) {
			m, _ := d.minute(values)
			if !(m.Bad >= 0 && m.Bad <= m.Total) || !m.Known && m != (ledger.Minute{}) {
				t.Fatalf("%v of %v", m, values)
			}
		}
		check(d, values)
		check(&Definition{Indicator: parts[0].Indicator}, values[:2])
		check(&Definition{Indicator: parts[2].Indicator}, values[4:5])
	})
}

func TestFurtherObjectivesHaveNamesOfTheirOwn(t *testing.T) {
	taken := map[string]bool{}
	for i, c := range []struct{ title, want string }{
		{"SLA", "sla"}, {"Internal objective", "internal-objective"}, {"SLA", "3"}, {"", "4"}, {"社内目標", "5"}, {" 99.5 % ", "99.5"},
	} {
		if got := suffix(c.title, i+1, taken); got != c.want {
			t.Errorf("%q becomes %q, want %q", c.title, got, c.want)
		}
	}
}
