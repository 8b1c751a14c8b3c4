package route

import (
	"encoding/json"
	"slices"

	"github.com/prometheus/alertmanager/timeinterval"

	"github.com/teiten/teiten/kit/text"
)

// receivers reads who can be told.
func (b *builder) receivers() {
	for i, s := range b.doc.Spec.Receivers {
		path := []any{"receivers", i}
		switch _, there := b.scope.receivers[s.Name]; {
		case blank(s.Name):
			b.fail("receiver_name", text.Say("a receiver has no name", "受信先に名前がありません"), text.Say("write one under name", "name に名前を書いてください"), path...)
		case there:
			b.fail("receiver_twice", text.Say("there is a receiver %q already", "受信先 %q はすでにあります", s.Name), text.Say("choose another name", "別の名前にしてください"), append(path, "name")...)
		}
		somebody := s.Owner || s.Policy != "" || len(s.Channels) > 0
		if s.Nobody == somebody {
			b.fail("receiver_whom", text.Say("receiver %q does not say whom it tells", "受信先 %q の知らせる先が定まりません", s.Name),
				text.Say("write policy, channels or owner: true; or nobody: true if nobody is to be told", "policy、channels、owner: true のいずれかを書いてください。誰にも知らせない場合は nobody: true だけを書きます"), path...)
		}
		r := &Receiver{Name: s.Name, Owner: s.Owner, Policy: s.Policy, Channels: s.Channels, Nobody: s.Nobody, At: b.doc.Places.Pos("spec", "receivers", i)}
		b.scope.receivers[s.Name] = r
		b.tree.receivers = append(b.tree.receivers, r)
	}
}

// inhibitions reads which alerts keep others from people.
func (b *builder) inhibitions() {
	for i, s := range b.doc.Spec.Inhibitions {
		path := []any{"inhibitions", i}
		in := &Inhibition{Name: s.Name, Equal: s.Equal, Team: b.doc.Spec.Team, At: b.doc.Places.Pos("spec", "inhibitions", i),
			Source: b.matchers(s.SourceMatchers, append(slices.Clone(path), "sourceMatchers")...),
			Target: b.matchers(s.TargetMatchers, append(slices.Clone(path), "targetMatchers")...)}
		b.tree.inhibitions = append(b.tree.inhibitions, in)
	}
}

// intervals reads the times that have names.
func (b *builder) intervals() {
	for i, s := range b.doc.Spec.TimeIntervals {
		path := []any{"timeIntervals", i}
		switch _, there := b.scope.intervals[s.Name]; {
		case blank(s.Name):
			b.fail("interval_name", text.Say("a time interval has no name", "時間帯に名前がありません"), text.Say("write one under name", "name に名前を書いてください"), path...)
		case there:
			b.fail("interval_twice", text.Say("there is a time interval %q already", "時間帯 %q はすでにあります", s.Name), text.Say("choose another name", "別の名前にしてください"), append(path, "name")...)
		}
		iv := &Interval{Name: s.Name, At: b.doc.Places.Pos("spec", "timeIntervals", i)}
		for j, p := range s.Parts {
			iv.Parts = append(iv.Parts, b.part(p, append(slices.Clone(path), "parts", j)))
		}
		b.scope.intervals[s.Name] = iv
	}
}

// part reads one part of an interval with the reader of Alertmanager, so that both
// understand the same.
func (b *builder) part(s PartSpec, path []any) timeinterval.TimeInterval {
	var t timeinterval.TimeInterval
	for i, x := range s.Times {
		span := struct {
			Start string `json:"start_time"`
			End   string `json:"end_time"`
		}{x.Start, x.End}
		t.Times = append(t.Times, timeinterval.TimeRange{})
		b.readRange(span, &t.Times[i], path, "times", i)
	}
	for i, x := range s.Weekdays {
		t.Weekdays = append(t.Weekdays, timeinterval.WeekdayRange{})
		b.readRange(x, &t.Weekdays[i], path, "weekdays", i)
	}
	for i, x := range s.DaysOfMonth {
		t.DaysOfMonth = append(t.DaysOfMonth, timeinterval.DayOfMonthRange{})
		b.readRange(x, &t.DaysOfMonth[i], path, "daysOfMonth", i)
	}
	for i, x := range s.Months {
		t.Months = append(t.Months, timeinterval.MonthRange{})
		b.readRange(x, &t.Months[i], path, "months", i)
	}
	for i, x := range s.Years {
		t.Years = append(t.Years, timeinterval.YearRange{})
		b.readRange(x, &t.Years[i], path, "years", i)
	}
	if s.TimeZone != "" {
		t.Location = &timeinterval.Location{}
		b.readRange(s.TimeZone, t.Location, path, "timeZone")
	}
	return t
}

// readRange has a range read itself.
func (b *builder) readRange(written any, into json.Unmarshaler, path []any, more ...any) {
	raw, err := json.Marshal(written)
	if err == nil {
		err = into.UnmarshalJSON(raw)
	}
	if err != nil {
		b.fail("interval", text.Say("the time interval cannot be read: %s", "時間帯を読み取れません: %s", err.Error()),
			text.Say("correct it: times 09:00–17:30, weekdays monday:friday, days of the month 1:7, months 1:3", "直してください。時刻は 09:00〜17:30、曜日は monday:friday、日は 1:7、月は 1:3 のように書きます"), append(slices.Clone(path), more...)...)
	}
}
