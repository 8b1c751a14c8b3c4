package agreement

import (
	"testing"

	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo/openslo"
)

func TestTermsAreSaidWithEveryDigitAndTheirWindow(t *testing.T) {
	rolling := true
	target := func(share float64) []openslo.Objective { return []openslo.Objective{{Target: &share}} }
	for want, terms := range map[text.Both]Terms{
		{EN: "99.95% over 30 days", JA: "30日間で99.95%"}: {Objectives: target(0.9995), TimeWindow: []openslo.TimeWindow{{Duration: "30d", IsRolling: &rolling}}},
		{EN: "99.999% over 7 days", JA: "7日間で99.999%"}: {Objectives: target(0.99999), TimeWindow: []openslo.TimeWindow{{Duration: "1w", IsRolling: &rolling}}},
		{EN: "99.5% in each window of the calendar: 1 month (Asia/Tokyo)", JA: "暦の期間(1か月、Asia/Tokyo)ごとに99.5%"}: {Objectives: target(0.995),
			TimeWindow: []openslo.TimeWindow{{Duration: "1M", Calendar: &openslo.Calendar{StartTime: "2026-01-01 00:00:00", TimeZone: "Asia/Tokyo"}}}},
	} {
		if got := terms.say(); got != want {
			t.Errorf("said %v, want %v", got, want)
		}
	}
}
