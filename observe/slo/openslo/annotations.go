package openslo

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/text"
)

// The annotations of an SLO that Teiten understands. Each is optional.
const (
	// MinimumEvents is how many events the long window of an alert needs before
	// the alert may fire.
	MinimumEvents = "teiten.dev/minimum-events"
	// Absent says what a minute without data is: unknown (the default) or bad.
	Absent = "teiten.dev/absent"
	// Settle is how long after its end a minute is read, for example 45s.
	Settle = "teiten.dev/settle"
	// ScrapeInterval is how often the counters are scraped. It is needed where
	// the data source only estimates increases.
	ScrapeInterval = "teiten.dev/scrape-interval"
	// Composite says how objectives with indicators of their own become one:
	// weighted (the default), and, or, journey; separate keeps them apart.
	Composite = "teiten.dev/composite"
	// CompositeTarget is the target of a composite; the weighted mean of its
	// objectives' targets when absent.
	CompositeTarget = "teiten.dev/composite-target"
	// Alerts says which of the alerts that every SLO has it wants: all (the
	// default), page, ticket, or none.
	Alerts = "teiten.dev/alerts"
	// Agreement says whether a changed objective or window waits for its
	// stakeholders: required or optional.
	Agreement = "teiten.dev/agreement"
	// Stakeholders lists whose word an agreement takes, with commas between:
	// team:payments, user:ada@example.com, role:admin.
	Stakeholders = "teiten.dev/stakeholders"
)

// Separate is the value of Composite that makes each objective one of its own.
const Separate = "separate"

const longestSettle = time.Hour

var (
	known = []string{MinimumEvents, Absent, Settle, ScrapeInterval, Composite, CompositeTarget, Alerts, Agreement, Stakeholders}
	joins = []string{"weighted", "and", "or", "journey", Separate}
	wants = []string{"all", "page", "ticket", "none"}
)

// annotations accepts those that Teiten understands and those of others.
func (c *checker) annotations(all map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if remedy := annotation(name, all[name]); !remedy.IsZero() {
			c.fail("annotation", text.Say("%q is no value of %s", "%q は %s の値として使えません", all[name], name), remedy, "metadata", "annotations", name)
		}
		if strings.HasPrefix(name, "teiten.dev/") && !slices.Contains(known, name) {
			c.fail("annotation_unknown", text.Say("an SLO has no annotation %s", "SLO に %s という注釈はありません", name),
				ascode.OneOf(name, known...), "metadata", "annotations", name)
		}
	}
}

// annotation is the remedy for a value that cannot be, and nothing for others.
func annotation(name, v string) text.Both {
	switch name {
	case MinimumEvents:
		if n, err := strconv.ParseFloat(v, 64); err != nil || !(n >= 0 && n <= 1e15) {
			return text.Say("write a number of events, for example \"100\"", "\"100\" のようにイベント数を書いてください")
		}
	case Absent:
		if v != "unknown" && v != "bad" {
			return ascode.OneOf(v, "unknown", "bad")
		}
	case Settle:
		if p, err := time.ParseDuration(v); err != nil || p < 0 || p > longestSettle {
			return text.Say("write a time up to 1h, for example \"45s\"", "\"45s\" のように1時間以内で書いてください")
		}
	case ScrapeInterval:
		if p, err := time.ParseDuration(v); err != nil || p < time.Second || p > longestSettle {
			return text.Say("write a time from 1s to 1h, for example \"30s\"", "\"30s\" のように1秒から1時間の間で書いてください")
		}
	case Composite:
		if !slices.Contains(joins, v) {
			return ascode.OneOf(v, joins...)
		}
	case Alerts:
		if !slices.Contains(wants, v) {
			return ascode.OneOf(v, wants...)
		}
	case Agreement:
		if v != "required" && v != "optional" {
			return ascode.OneOf(v, "required", "optional")
		}
	case Stakeholders:
		for name := range strings.SplitSeq(v, ",") {
			kind, who, _ := strings.Cut(strings.TrimSpace(name), ":")
			if who == "" || !slices.Contains([]string{"team", "user", "role"}, kind) {
				return text.Say("write names such as team:payments, user:ada@example.com or role:admin, with commas between",
					"team:payments、user:ada@example.com、role:admin のような名前をカンマで区切って書いてください")
			}
		}
	case CompositeTarget:
		if t, err := strconv.ParseFloat(v, 64); err != nil || !(t >= 0 && t < 1) {
			return text.Say("write a share from 0 up to, but not including, 1, for example \"0.999\"", "\"0.999\" のように、0以上1未満の割合を書いてください")
		}
	}
	return text.Both{}
}
