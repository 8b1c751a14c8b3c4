// Package holiday knows the public holidays of countries, by name and day.
//
// Only Japan's are built in: the days of the Act on National Holidays as it
// stood in each year, with the days in lieu and the days between two holidays
// that follow from it. The package is pure.
package holiday

import (
	"time"

	"github.com/teiten/teiten/kit/text"
)

// Day is a date without a place.
type Day struct {
	Year  int
	Month time.Month
	Day   int
}

// DayOf is the date of t in t's own zone.
func DayOf(t time.Time) Day {
	y, m, d := t.Date()
	return Day{y, m, d}
}

func (d Day) utc() time.Time { return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC) }

func (d Day) plus(days int) Day { return DayOf(d.utc().AddDate(0, 0, days)) }

func (d Day) sunday() bool { return d.utc().Weekday() == time.Sunday }

// The years for which Japan answers: the rules of the Act as of 2000 and later,
// and as far as the equinoxes can be computed.
const (
	FirstYear = 2000
	LastYear  = 2099
)

// lieuMoves is the year from which on a day in lieu moves past further holidays.
const lieuMoves = 2007

var (
	lieu    = text.Say("Day in lieu", "振替休日")
	between = text.Say("Day between holidays", "国民の休日")
)

// Japan returns the name of the public holiday that a date is in Japan, and
// false where it is none, or its year is not known.
func Japan(d Day) (name text.Both, ok bool) {
	if d.Year < FirstYear || d.Year > LastYear {
		return text.Both{}, false
	}
	if name, ok := named(d); ok {
		return name, true
	}
	if inLieu(d) {
		return lieu, true
	}
	if _, before := named(d.plus(-1)); before && !d.sunday() {
		if _, after := named(d.plus(1)); after {
			return between, true
		}
	}
	return text.Both{}, false
}

// inLieu reports whether a day that is no named holiday stands for one that fell
// on a Sunday.
func inLieu(d Day) bool {
	for at := d.plus(-1); ; at = at.plus(-1) {
		if _, ok := named(at); !ok {
			return false
		}
		if at.sunday() {
			return true
		}
		if d.Year < lieuMoves {
			return false
		}
	}
}

// named is the holiday that the Act itself puts on a date.
func named(d Day) (text.Both, bool) {
	for _, h := range act {
		if d.Year >= h.from && (h.to == 0 || d.Year <= h.to) && d.Month == h.month && d.Day == h.day(d.Year) {
			return h.name, true
		}
	}
	return text.Both{}, false
}

// rule is one line of the Act, with the years in which it held; to is 0 where it
// still does.
type rule struct {
	from, to int
	month    time.Month
	day      func(year int) int
	name     text.Both
}

func on(day int) func(int) int { return func(int) int { return day } }

// monday is the day of the n-th Monday of a month.
func monday(n int, month time.Month) func(int) int {
	return func(year int) int {
		first := time.Date(year, month, 1, 0, 0, 0, 0, time.UTC).Weekday()
		return 1 + (int(time.Monday)-int(first)+7)%7 + 7*(n-1)
	}
}

// equinox is the day of an equinox by the usual approximation for 1980 to 2099,
// which the Cabinet's announcements have followed; base is its value of 1980.
func equinox(base float64) func(int) int {
	return func(year int) int {
		n := year - 1980
		return int(base + 0.242194*float64(n) - float64(n/4))
	}
}

var (
	newYear    = text.Say("New Year's Day", "元日")
	coming     = text.Say("Coming of Age Day", "成人の日")
	foundation = text.Say("National Foundation Day", "建国記念の日")
	emperor    = text.Say("The Emperor's Birthday", "天皇誕生日")
	vernal     = text.Say("Vernal Equinox Day", "春分の日")
	showa      = text.Say("Showa Day", "昭和の日")
	greenery   = text.Say("Greenery Day", "みどりの日")
	memorial   = text.Say("Constitution Memorial Day", "憲法記念日")
	children   = text.Say("Children's Day", "こどもの日")
	marine     = text.Say("Marine Day", "海の日")
	mountain   = text.Say("Mountain Day", "山の日")
	aged       = text.Say("Respect for the Aged Day", "敬老の日")
	autumnal   = text.Say("Autumnal Equinox Day", "秋分の日")
	health     = text.Say("Health and Sports Day", "体育の日")
	sports     = text.Say("Sports Day", "スポーツの日")
	culture    = text.Say("Culture Day", "文化の日")
	labour     = text.Say("Labour Thanksgiving Day", "勤労感謝の日")
	accession  = text.Say("Day of the Emperor's accession", "天皇の即位の日")
	enthroned  = text.Say("Enthronement ceremony", "即位礼正殿の儀")
)

var act = []rule{
	{FirstYear, 0, time.January, on(1), newYear},
	{FirstYear, 0, time.January, monday(2, time.January), coming},
	{FirstYear, 0, time.February, on(11), foundation},
	{2020, 0, time.February, on(23), emperor},
	{FirstYear, 0, time.March, equinox(20.8431), vernal},
	{FirstYear, 2006, time.April, on(29), greenery},
	{2007, 0, time.April, on(29), showa},
	{2019, 2019, time.May, on(1), accession},
	{FirstYear, 0, time.May, on(3), memorial},
	{2007, 0, time.May, on(4), greenery},
	{FirstYear, 0, time.May, on(5), children},
	{FirstYear, 2002, time.July, on(20), marine},
	{2003, 2019, time.July, monday(3, time.July), marine},
	{2020, 2020, time.July, on(23), marine},
	{2020, 2020, time.July, on(24), sports},
	{2021, 2021, time.July, on(22), marine},
	{2021, 2021, time.July, on(23), sports},
	{2022, 0, time.July, monday(3, time.July), marine},
	{2016, 2019, time.August, on(11), mountain},
	{2020, 2020, time.August, on(10), mountain},
	{2021, 2021, time.August, on(8), mountain},
	{2022, 0, time.August, on(11), mountain},
	{FirstYear, 2002, time.September, on(15), aged},
	{2003, 0, time.September, monday(3, time.September), aged},
	{FirstYear, 0, time.September, equinox(23.2488), autumnal},
	{FirstYear, 2019, time.October, monday(2, time.October), health},
	{2019, 2019, time.October, on(22), enthroned},
	{2022, 0, time.October, monday(2, time.October), sports},
	{FirstYear, 0, time.November, on(3), culture},
	{FirstYear, 0, time.November, on(23), labour},
	{FirstYear, 2018, time.December, on(23), emperor},
}
