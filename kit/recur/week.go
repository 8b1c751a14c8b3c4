package recur

import (
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/teiten/teiten/kit/text"
)

// Span is a time from one instant on and before another.
type Span struct{ From, To time.Time }

// Hours are hours of the days of a week, such as those in which a business is
// open, without a place.
type Hours [7][]hours // by time.Weekday

// hours are minutes of a day; those that end the next day end after 24:00.
type hours struct{ from, to int }

// ParseHours reads lines such as "Mon-Fri 09:00-18:00" and "Sat,Sun 22:00-02:00",
// which together are the hours of a week. An end that is not after its start is
// on the next day. Its error is an *Error about the line that it returns.
func ParseHours(lines []string) (h Hours, line int, err error) {
	for i, s := range lines {
		if err := h.add(s); err != nil {
			return Hours{}, i, err
		}
	}
	for d := range h {
		slices.SortFunc(h[d], func(a, b hours) int { return a.from - b.from })
	}
	return h, 0, nil
}

func (h *Hours) add(s string) error {
	names, times, ok := strings.Cut(strings.TrimSpace(s), " ")
	from, to, both := strings.Cut(strings.TrimSpace(times), "-")
	if !ok || !both {
		return wrong(0, text.Say("%q is not days and hours", "%q が曜日と時刻の形になっていません", shorten(s)),
			text.Say("write it as Mon-Fri 09:00-18:00", "Mon-Fri 09:00-18:00 のように書いてください"))
	}
	days, err := parseDays(names)
	if err != nil {
		return err
	}
	begin, err := clock(from, strings.Index(s, from))
	if err != nil {
		return err
	}
	end, err := clock(to, strings.LastIndex(s, to))
	if err != nil {
		return err
	}
	if begin == perDay {
		return wrong(strings.Index(s, from), text.Say("no hours begin at 24:00", "24:00 を開始時刻にはできません"),
			text.Say("write 00:00 of the next day", "翌日の 00:00 と書いてください"))
	}
	if end <= begin {
		end += perDay
	}
	for _, d := range days {
		h[d] = append(h[d], hours{begin, end})
	}
	return nil
}

// parseDays reads "Mon-Fri", "Sat" or "Mon,Wed-Fri".
func parseDays(s string) ([]time.Weekday, error) {
	var days []time.Weekday
	at := 0
	for word := range strings.SplitSeq(s, ",") {
		first, last, isRange := strings.Cut(word, "-")
		a, err := dayNamed(first, at)
		if err != nil {
			return nil, err
		}
		b := a
		if isRange {
			if b, err = dayNamed(last, at+len(first)+1); err != nil {
				return nil, err
			}
		}
		for d := a; ; d = (d + 1) % 7 {
			days = append(days, d)
			if d == b {
				break
			}
		}
		at += len(word) + 1
	}
	return days, nil
}

// dayNamed reads Mon, MO, monday and the like.
func dayNamed(s string, at int) (time.Weekday, error) {
	word := strings.ToLower(s)
	for d := range time.Saturday + 1 {
		if full := strings.ToLower(d.String()); len(word) >= 2 && strings.HasPrefix(full, word) {
			return d, nil
		}
	}
	return 0, wrong(at, text.Say("%q is not a day of the week", "%q は曜日ではありません", shorten(s)),
		text.Say("use Mon, Tue, Wed, Thu, Fri, Sat or Sun", "Mon、Tue、Wed、Thu、Fri、Sat、Sun のいずれかにしてください"))
}

// clock reads 09:00 as minutes of the day, up to 24:00.
func clock(s string, at int) (int, error) {
	s = strings.TrimSpace(s)
	if s == "24:00" {
		return perDay, nil
	}
	t, err := time.Parse("15:04", s)
	if err != nil {
		return 0, wrong(max(at, 0), text.Say("%q is not a time of day", "%q は時刻ではありません", shorten(s)),
			text.Say("write it as 09:00, up to 24:00", "09:00 のように、24:00 までで書いてください"))
	}
	return t.Hour()*perHour + t.Minute(), nil
}

// Week is the hours of a week at a place, and the days on which there are none.
type Week struct {
	Hours  Hours
	Zone   *time.Location
	Closed []Local // the first minute of each such day
}

// Between are the hours that lie between two instants, cut to them, ascending
// and apart from one another.
func (w Week) Between(from, to time.Time) iter.Seq[Span] {
	return func(yield func(Span) bool) {
		var open Span
		first, last := LocalOf(from, w.Zone).day()-2, LocalOf(to, w.Zone).day()
		for d := first; d <= last; d++ {
			if slices.Contains(w.Closed, Local(d*perDay)) {
				continue
			}
			for _, h := range w.Hours[weekdayOf(d)] {
				x := Span{Local(d*perDay + int64(h.from)).In(w.Zone), Local(d*perDay + int64(h.to)).In(w.Zone)}
				if x.From.Before(from) {
					x.From = from
				}
				if x.To.After(to) {
					x.To = to
				}
				switch {
				case !x.From.Before(x.To):
				case !open.To.IsZero() && !x.From.After(open.To):
					if x.To.After(open.To) {
						open.To = x.To
					}
				default:
					if !open.To.IsZero() && !yield(open) {
						return
					}
					open = x
				}
			}
		}
		if !open.To.IsZero() {
			yield(open)
		}
	}
}

// Outside is what Between leaves out.
func (w Week) Outside(from, to time.Time) iter.Seq[Span] {
	return func(yield func(Span) bool) {
		at := from
		for x := range w.Between(from, to) {
			if at.Before(x.From) && !yield(Span{at, x.From}) {
				return
			}
			at = x.To
		}
		if at.Before(to) {
			yield(Span{at, to})
		}
	}
}
