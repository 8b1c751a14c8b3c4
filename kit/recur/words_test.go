package recur_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/teiten/teiten/kit/recur"
	"github.com/teiten/teiten/kit/text"
)

func TestARuleInWords(t *testing.T) {
	tokyo := zone(t, "Asia/Tokyo")
	for _, c := range []struct{ start, rule, en, ja string }{
		{"2026-11-10T02:00", "FREQ=MONTHLY;BYDAY=2TU", "on the second Tuesday of every month from 02:00 for 2 hours", "毎月第2火曜日 2:00から2時間"},
		{"2026-11-10T02:00", "FREQ=WEEKLY", "every Tuesday from 02:00 for 2 hours", "毎週火曜日 2:00から2時間"},
		{"2026-11-10T02:00", "FREQ=WEEKLY;INTERVAL=2", "every second week on Tuesday from 02:00 for 2 hours, Asia/Tokyo, counted from 2026-11-10", "2週間ごとの火曜日 2:00から2時間(Asia/Tokyo)、起点は2026年11月10日"},
		{"2026-11-10T02:00", "FREQ=WEEKLY;BYDAY=FR,MO,SU", "every Monday, Friday and Sunday from", "毎週月・金・日曜日 2:00"},
		{"2026-11-10T02:00", "FREQ=WEEKLY;INTERVAL=3;BYDAY=TU,SU;WKST=SU", "every third week on Tuesday and Sunday from 02:00 for 2 hours, Asia/Tokyo, counted from 2026-11-10, in weeks that begin on Sunday", "3週間ごとの火・日曜日 2:00から2時間(Asia/Tokyo)、起点は2026年11月10日、週の始まりは日曜日"},
		{"2026-11-10T02:00", "FREQ=WEEKLY;BYMONTH=1,12", "every Tuesday in January and December from", "毎週火曜日(1月・12月のみ) 2:00"},
		{"2026-11-10T02:00", "FREQ=DAILY", "every day from 02:00 for 2 hours", "毎日 2:00から2時間"},
		{"2026-11-10T02:00", "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR", "every Monday, Tuesday, Wednesday, Thursday and Friday from", "毎週月・火・水・木・金曜日 2:00"},
		{"2026-11-10T02:00", "FREQ=DAILY;INTERVAL=10;BYDAY=MO", "every 10th day if it is a Monday from", "10日ごと(月曜日のみ) 2:00"},
		{"2026-11-10T02:00", "FREQ=DAILY;BYMONTH=1;BYMONTHDAY=-1", "every day if it is the last day in January from", "毎日(末日のみ)(1月のみ) 2:00"},
		{"2026-11-10T02:00", "FREQ=DAILY;BYHOUR=9,16;BYMINUTE=0,20", "every day from 09:00, 09:20, 16:00 and 16:20 for 2 hours each", "毎日 9:00・9:20・16:00・16:20からそれぞれ2時間"},
		{"2026-11-30T02:00", "FREQ=MONTHLY", "on the 30th of every month from", "毎月30日 2:00"},
		{"2026-11-30T02:00", "FREQ=MONTHLY;BYMONTHDAY=1,-1,-3", "on the 1st, the last day and the third to last day of every month from", "毎月1日・末日・最後から3日目 2:00"},
		{"2026-11-30T02:00", "FREQ=MONTHLY;INTERVAL=2;BYDAY=1SU,-1SU,-2MO", "on the first Sunday, the last Sunday and the second to last Monday of every second month from", "2か月ごとの第1日曜日・最終日曜日・最後から2番目の月曜日 2:00"},
		{"2026-11-30T02:00", "FREQ=MONTHLY;BYMONTHDAY=13;BYDAY=FR", "on the 13th of every month if it is a Friday from", "毎月13日(金曜日の場合のみ) 2:00"},
		{"2026-11-30T02:00", "FREQ=MONTHLY;BYMONTH=3,9;BYDAY=1MO", "on the first Monday of March and September from", "毎年3月・9月の第1月曜日 2:00"},
		{"2026-11-30T02:00", "FREQ=MONTHLY;BYDAY=FR", "on every Friday of every month from", "毎月すべての金曜日 2:00"},
		{"2026-09-02T02:00", "FREQ=YEARLY", "every year on 2 September from", "毎年9月2日 2:00"},
		{"2026-09-02T02:00", "FREQ=YEARLY;INTERVAL=2;BYMONTH=6,7", "on the 2nd of June and July every second year from", "2年ごとの6月・7月の2日 2:00"},
		{"2026-09-02T02:00", "FREQ=YEARLY;BYDAY=20MO", "on the 20th Monday of every year from", "毎年第20月曜日 2:00"},
		{"2026-09-02T02:00", "FREQ=YEARLY;BYMONTH=1;BYDAY=SU", "on every Sunday of January from", "毎年1月のすべての日曜日 2:00"},
		{"2026-09-02T02:00", "FREQ=YEARLY;BYMONTHDAY=1,3", "on the 1st and the 3rd of every month from", "毎月1日・3日 2:00"},
		{"2026-09-02T02:15", "FREQ=HOURLY;INTERVAL=3", "every third hour at minute 15 for 2 hours", "3時間ごと 15分から2時間"},
		{"2026-09-02T02:00", "FREQ=HOURLY;BYHOUR=9,17;BYDAY=WE;BYMINUTE=0,30", "every hour if it is a Wednesday in the hours 9 and 17 at minute 0 and 30 for", "1時間ごと(水曜日のみ)、9・17時台 0・30分から"},
		{"2026-09-02T02:00", "FREQ=DAILY;COUNT=6", "every day from 02:00 for 2 hours, Asia/Tokyo, counted from 2026-09-02, 6 times in all", "毎日 2:00から2時間(Asia/Tokyo)、起点は2026年9月2日、全6回"},
		{"2026-09-02T02:00", "FREQ=DAILY;UNTIL=20261231", "until 2026-12-31 23:59", "2026-12-31 23:59まで"},
		{"2026-09-02T02:00", "FREQ=DAILY;UNTIL=20261231T150000Z", "until 2026-12-31 15:00 UTC", "2026-12-31 15:00 UTCまで"},
	} {
		s := recur.Schedule{Rule: rule(t, c.rule), Start: local(t, c.start), Zone: tokyo}
		got := s.Spoken(2 * time.Hour)
		if !strings.Contains(got.EN, c.en) || !strings.Contains(got.JA, c.ja) {
			t.Errorf("%s:\n%s\n%s\nwant\n%s\n%s", c.rule, got.EN, got.JA, c.en, c.ja)
		}
	}
	s := recur.Schedule{Rule: rule(t, "FREQ=DAILY"), Start: local(t, "2026-09-02T02:00"), Zone: tokyo, Except: []recur.Except{{}, {}}}
	for each, want := range map[time.Duration]text.Both{
		0:                            {EN: "every day at 02:00, Asia/Tokyo, with 2 exceptions", JA: "毎日 2:00(Asia/Tokyo)、例外2件"},
		90 * time.Minute:             {EN: "every day from 02:00 for 1 hour 30 minutes, Asia/Tokyo, with 2 exceptions", JA: "毎日 2:00から1時間30分(Asia/Tokyo)、例外2件"},
		24*time.Hour + 2*time.Minute: {EN: "every day from 02:00 for 1 day 2 minutes, Asia/Tokyo, with 2 exceptions", JA: "毎日 2:00から1日2分(Asia/Tokyo)、例外2件"},
	} {
		if got := s.Spoken(each); got != want {
			t.Errorf("%v: %v, want %v", each, got, want)
		}
	}
}

// TestWhatRecursOtherwiseIsSaidOtherwise: a rule without one of its parts has the
// same words only where it has the same occurrences.
func TestWhatRecursOtherwiseIsSaidOtherwise(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := strings.Split(drawRule(t).String(), ";")
		start := recur.LocalAt(2026, 1, 1, 0, rapid.IntRange(0, 400*24*60).Draw(t, "start"))
		spoken := func(parts []string) (text.Both, []time.Time, bool) {
			r, err := recur.ParseRule(strings.Join(parts, ";"))
			if err != nil {
				return text.Both{}, nil, false
			}
			s := recur.Schedule{Rule: r, Start: start, Zone: time.UTC}
			var all []time.Time
			for at := range s.Between(start.In(time.UTC), start.In(time.UTC).AddDate(6, 0, 0)) {
				if all = append(all, at); len(all) == 200 {
					break
				}
			}
			return s.Spoken(time.Hour), all, true
		}
		said, occurs, ok := spoken(words)
		if !ok {
			t.Skip("no rule")
		}
		if said.EN == "" || said.JA == "" || strings.Contains(said.EN+said.JA, "%!") {
			t.Fatalf("%v: %v", words, said)
		}
		for i := range words {
			fewer := slices.Delete(slices.Clone(words), i, i+1)
			other, otherwise, ok := spoken(fewer)
			if ok && (other.EN == said.EN || other.JA == said.JA) && !slices.EqualFunc(occurs, otherwise, time.Time.Equal) {
				t.Fatalf("%v and %v are both %v, and occur at\n%v\n%v", words, fewer, said, occurs[:min(5, len(occurs))], otherwise[:min(5, len(otherwise))])
			}
		}
	})
}
