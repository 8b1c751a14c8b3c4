package burn

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/teiten/teiten/kit/text"
)

// Reason says in one sentence why the rule fires.
func (x Reading) Reason(t Terms) text.Both {
	switch x.Rule.Kind {
	case Outage:
		return x.outageReason()
	case Budget:
		return text.Say("%[1]s%% of the %[2]s error budget is left; the limit is %[3]s%%",
			"%[2]sのエラーバジェットの残りは%[1]s%%です(しきい値は%[3]s%%)", percent(x.Left), adjective(t.Period), Number(x.Rule.Left*100))
	case Forecast:
		return x.forecastReason(t)
	case NoData:
		return text.Say("there is no data since %s or more", "%s以上データがありません", Spoken(x.Rule.Long))
	}
	switch {
	case x.Rule.Below:
		return text.Say("the error budget burns at %[1]s times the allowed rate over %[2]s, which is under the limit of %[3]s times",
			"エラーバジェットの消費速度が直近%[2]sで許容の%[1]s倍にとどまり、しきい値の%[3]s倍を下回っています",
			Number(x.LongBurn), Spoken(x.Rule.Long), Number(x.Rule.Factor))
	case x.Rule.Short == 0:
		return text.Say(
			"the error budget burns at %[1]s times the allowed rate over %[2]s; the limit is %[3]s times (%[4]s of %[5]s events were bad)",
			"エラーバジェットの消費速度が直近%[2]sで許容の%[1]s倍です。しきい値は%[3]s倍です(%[5]s件中%[4]s件が不良)",
			Number(x.LongBurn), Spoken(x.Rule.Long), Number(x.Rule.Factor), Number(x.Long.Bad), Number(x.Long.Total))
	}
	return text.Say(
		"the error budget burns at %[1]s times the allowed rate over %[2]s and %[3]s times over %[4]s; the limit is %[5]s times, which spends %[6]s%% of the %[7]s budget in %[2]s (%[8]s of %[9]s events were bad)",
		"エラーバジェットの消費速度が直近%[2]sで許容の%[1]s倍、直近%[4]sで%[3]s倍です。しきい値の%[5]s倍は、%[7]sのバジェットの%[6]s%%を%[2]sで使う速さです(直近%[2]sの%[9]s件中%[8]s件が不良)",
		Number(x.LongBurn), Spoken(x.Rule.Long), Number(x.ShortBurn), Spoken(x.Rule.Short),
		Number(x.Rule.Factor), Number(x.Rule.Share*100), adjective(t.Period), Number(x.Long.Bad), Number(x.Long.Total))
}

func (x Reading) outageReason() text.Both {
	if x.Long.Total == 0 { // the minutes are not at hand
		return text.Say("everything fails", "すべて失敗しています")
	}
	if !good(x.Long) {
		return text.Say("everything fails: all of the last %s events were bad", "すべて失敗しています(直近の%s件がすべて不良)", Number(x.Long.Bad))
	}
	return text.Say("most events fail: %[1]s of the last %[2]s were bad", "大半が失敗しています(直近の%[2]s件中%[1]s件が不良)",
		Number(x.Long.Bad), Number(x.Long.Total))
}

func (x Reading) forecastReason(t Terms) text.Both {
	in, _ := ExhaustsIn(x.Left, min(x.LongBurn, x.ShortBurn), t.Period)
	if in <= 0 {
		return text.Say("the error budget is spent", "エラーバジェットを使い切りました")
	}
	return text.Say("the error budget is spent in %[1]s if it goes on as in the last %[2]s; the limit is %[3]s",
		"直近%[2]sの速さが続くと、あと%[1]sでエラーバジェットが尽きます(しきい値は%[3]s)",
		roughly(in), Spoken(x.Rule.Long), Spoken(x.Rule.Within))
}

// State says in one sentence what the rule sees, whether it fires or not.
func (x Reading) State(t Terms, firing bool) text.Both {
	switch {
	case firing:
		return x.Reason(t)
	case x.Guarded && t.Minimum != nil:
		return text.Say("over the limit, but %[1]s events in %[2]s are fewer than the %[3]s that it takes to alert",
			"しきい値を超えていますが、直近%[2]sのイベントは%[1]s件で、通知に必要な%[3]s件に達していません",
			Number(x.Long.Total), Spoken(x.Rule.Long), Number(x.Minimum))
	case x.Guarded:
		return text.Say("over the limit, but %[1]s bad of %[2]s events may be chance: a service that keeps its objective shows it up to %[3]s times in 30 days",
			"しきい値を超えていますが、%[2]s件中%[1]s件の不良は偶然でも起こりえます(目標を守っているサービスでも30日間に最大%[3]s回程度)",
			Number(x.Long.Bad), Number(x.Long.Total), Number(x.Chance))
	}
	switch x.Rule.Kind {
	case Outage:
		return text.Say("there is no outage", "全面的な障害はありません")
	case NoData:
		return text.Say("there is data", "データがあります")
	case Budget:
		return text.Say("%[1]s%% of the error budget is left; the limit is %[2]s%%", "エラーバジェットの残りは%[1]s%%です(しきい値は%[2]s%%)",
			percent(x.Left), Number(x.Rule.Left*100))
	case Forecast:
		return text.Say("if it goes on as in the last %[1]s, the error budget lasts longer than %[2]s",
			"直近%[1]sの速さが続いても、エラーバジェットは%[2]sより長くもちます", Spoken(x.Rule.Long), Spoken(x.Rule.Within))
	}
	return x.burnState()
}

func (x Reading) burnState() text.Both {
	switch {
	case x.Long.Known == 0:
		return text.Say("there is no data in the last %s", "直近%sのデータがありません", Spoken(x.Rule.Long))
	case x.Rule.Short > 0 && x.Short.Known == 0:
		return text.Say("there is no data in the last %s", "直近%sのデータがありません", Spoken(x.Rule.Short))
	case x.Rule.Below:
		return text.Say("at or over the limit of %[1]s times the allowed rate: %[2]s times over %[3]s",
			"許容の%[1]s倍というしきい値以上です(直近%[3]sは%[2]s倍)", Number(x.Rule.Factor), Number(x.LongBurn), Spoken(x.Rule.Long))
	}
	burn, over := x.LongBurn, x.Rule.Long
	if x.Rule.Short > 0 && x.ShortBurn < burn && burn >= x.Rule.Factor {
		burn, over = x.ShortBurn, x.Rule.Short
	}
	return text.Say("under the limit of %[1]s times the allowed rate: %[2]s times over %[3]s",
		"許容の%[1]s倍というしきい値を下回っています(直近%[3]sは%[2]s倍)",
		Number(x.Rule.Factor), Number(burn), Spoken(over))
}

// percent writes a part in per cent with one decimal, never more than there is.
func percent(v float64) string { return strconv.FormatFloat(math.Floor(v*1000)/10, 'f', 1, 64) }

// roughly says a duration in its largest unit.
func roughly(d time.Duration) text.Both {
	switch {
	case d >= 48*time.Hour:
		return Spoken(d.Truncate(24 * time.Hour))
	case d >= 2*time.Hour:
		return Spoken(d.Truncate(time.Hour))
	}
	return Spoken(d)
}

// Label writes a duration as operators do: 5m, 6h, 30d.
func Label(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= day && d%day == 0:
		return strconv.Itoa(int(d/day)) + "d"
	case d >= time.Hour && d%time.Hour == 0:
		return strconv.Itoa(int(d/time.Hour)) + "h"
	default:
		return strconv.Itoa(int(d/time.Minute)) + "m"
	}
}

// Spoken writes a duration as a sentence says it: 5 minutes, 1 hour, 30 days.
func Spoken(d time.Duration) text.Both {
	const day = 24 * time.Hour
	n, unit, ja := int(d/time.Minute), "minute", "分間"
	switch {
	case d >= day && d%day == 0:
		n, unit, ja = int(d/day), "day", "日間"
	case d >= time.Hour && d%time.Hour == 0:
		n, unit, ja = int(d/time.Hour), "hour", "時間"
	}
	if n != 1 {
		unit += "s"
	}
	return text.Both{EN: strconv.Itoa(n) + " " + unit, JA: strconv.Itoa(n) + ja}
}

// adjective is a duration before a noun: the 30-day budget.
func adjective(d time.Duration) text.Both {
	s := Spoken(d)
	return text.Both{EN: strings.TrimSuffix(strings.ReplaceAll(s.EN, " ", "-"), "s"), JA: s.JA}
}

// Number writes a figure with three significant digits, and counts in full with
// their thousands apart.
func Number(v float64) string {
	if v != math.Trunc(v) && math.Abs(v) < 1000 {
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
	s := strconv.FormatFloat(v, 'f', 0, 64)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
