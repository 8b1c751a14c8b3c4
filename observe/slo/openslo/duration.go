package openslo

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/teiten/teiten/observe/slo/budgeting"
)

const day = 24 * time.Hour

// units are the postfixes of a duration. The specification leaves the length of
// months, quarters and years to the implementation; in a rolling window they
// are 30, 90 and 365 days here.
var units = map[byte]time.Duration{
	'm': time.Minute, 'h': time.Hour, 'd': day, 'w': 7 * day, 'M': 30 * day, 'Q': 90 * day, 'Y': 365 * day,
}

// ParseDuration reads a duration in OpenSLO's short form: a whole number and one
// letter of m, h, d, w, M, Q, Y, as in 28d. It reports false for anything else.
func ParseDuration(s string) (time.Duration, bool) {
	if len(s) < 2 || len(s) > 8 {
		return 0, false
	}
	unit, ok := units[s[len(s)-1]]
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(s[:len(s)-1], 10, 32)
	if err != nil || n > uint64(100*365*day/unit) {
		return 0, false
	}
	return time.Duration(n) * unit, true
}

// calendarUnits are the postfixes in windows that follow the calendar, where a
// month is as long as it is.
var calendarUnits = map[byte]budgeting.Unit{
	'm': budgeting.Minutes, 'h': budgeting.Hours, 'd': budgeting.Days, 'w': budgeting.Weeks,
	'M': budgeting.Months, 'Q': budgeting.Quarters, 'Y': budgeting.Years,
}

// sliceMinutes reads the length of a time slice: a duration, or a number, which
// the specification takes for minutes.
func sliceMinutes(v any) (int64, bool) {
	var s string
	switch v := v.(type) {
	case string:
		if d, ok := ParseDuration(v); ok {
			return int64(d / time.Minute), true
		}
		s = v
	case json.Number:
		s = v.String()
	case float64:
		s = strconv.FormatFloat(v, 'f', -1, 64)
	case int64:
		s = strconv.FormatInt(v, 10)
	case int:
		s = strconv.Itoa(v)
	}
	n, err := strconv.ParseInt(s, 10, 32)
	return n, err == nil
}
