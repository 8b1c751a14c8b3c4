package openslo

import (
	"maps"
	"math"
	"regexp"
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
	// weighted (the default), and, or, quorum, journey; separate keeps them apart.
	Composite = "teiten.dev/composite"
	// Dependencies joins an SLO with those of the services that its service depends
	// on: journey, where each takes its share, or and, as the worst of them.
	Dependencies = "teiten.dev/dependencies"
	// CompositeQuorum is how many parts of a composite that is a quorum must fail
	// for it to fail.
	CompositeQuorum = "teiten.dev/composite-quorum"
	// CompositeTarget is the target of a composite; the weighted mean of its
	// objectives' targets when absent.
	CompositeTarget = "teiten.dev/composite-target"
	// Interpolate has a threshold that is no boundary of a histogram's buckets
	// estimated: true, or false (the default), which refuses it.
	Interpolate = "teiten.dev/interpolate"
	// Alerts says which of the alerts that every SLO has it wants: all (the
	// default), page, ticket, or none.
	Alerts = "teiten.dev/alerts"
	// Agreement says whether a changed objective or window waits for its
	// stakeholders: required or optional.
	Agreement = "teiten.dev/agreement"
	// Stakeholders lists whose word an agreement takes, with commas between:
	// team:payments, user:ada@example.com, role:admin.
	Stakeholders = "teiten.dev/stakeholders"
	// By takes the SLO apart: each combination of values of these labels, with
	// commas between, has a budget of its own.
	By = "teiten.dev/by"
	// ByLimit is how many combinations there may be; DefaultByLimit when absent.
	ByLimit = "teiten.dev/by-limit"
	// ByRetire is how long a combination must be absent to leave the lists;
	// DefaultByRetire when absent.
	ByRetire = "teiten.dev/by-retire"
)

// Limits of what By takes apart.
const (
	DefaultByLimit  = 1_000
	MostByLimit     = 20_000
	DefaultByRetire = 7 * 24 * time.Hour
	mostByLabels    = 4
)

// Values of Composite that are more than a word: Separate makes each objective
// one of its own, Quorum needs CompositeQuorum.
const (
	Separate = "separate"
	Quorum   = "quorum"
)

const longestSettle = time.Hour

var known = []string{MinimumEvents, Absent, Settle, ScrapeInterval, Composite, CompositeQuorum, CompositeTarget, Dependencies, Interpolate, Alerts, Agreement, Stakeholders, By, ByLimit, ByRetire}

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
	if (all[Composite] == Quorum) != (all[CompositeQuorum] != "") {
		c.fail("annotation", text.Say("%s: %s and %s belong together", "%s の値 %s と %s は組で指定します", Composite, Quorum, CompositeQuorum),
			text.Say("write both, for example %s: \"2\", or neither", "%s: \"2\" のように両方を書くか、どちらも書かないでください", CompositeQuorum), "metadata", "annotations")
	}
	for _, name := range []string{ByLimit, ByRetire} {
		if _, there := all[name]; there && all[By] == "" {
			c.fail("annotation", text.Say("%s is about the instances of an SLO with %s, and this one has no such annotation", "%s は %s を付けた SLO のための注釈ですが、この SLO には付いていません", name, By),
				text.Say("add %s with the labels to take it apart by, or remove %s", "分けるラベルを %s で指定するか、%s を削除してください", By, name), "metadata", "annotations", name)
		}
	}
}

// words are the annotations that take one of a few words.
var words = map[string][]string{
	Absent:       {"unknown", "bad"},
	Composite:    {"weighted", "and", "or", Quorum, "journey", Separate},
	Interpolate:  {"true", "false"},
	Dependencies: {"journey", "and"},
	Alerts:       {"all", "page", "ticket", "none"},
	Agreement:    {"required", "optional"},
}

// wanted are the other annotations: what their values must be, and what to
// write.
var wanted = map[string]struct {
	is     func(v string) bool
	remedy text.Both
}{
	MinimumEvents: {func(v string) bool { return within(v, 0, 1e15) },
		text.Say("write a number of events, for example \"100\"", "\"100\" のようにイベント数を書いてください")},
	CompositeQuorum: {func(v string) bool { n, err := strconv.Atoi(v); return err == nil && n >= 1 && n <= MostObjectives },
		text.Say("write how many parts must fail, for example \"2\"", "\"2\" のように、いくつ失敗したら不良とするかを書いてください")},
	CompositeTarget: {func(v string) bool { return within(v, 0, math.Nextafter(1, 0)) },
		text.Say("write a share from 0 up to, but not including, 1, for example \"0.999\"", "\"0.999\" のように、0以上1未満の割合を書いてください")},
	Settle: {func(v string) bool { return lasts(v, 0) },
		text.Say("write a time up to 1h, for example \"45s\"", "\"45s\" のように1時間以内で書いてください")},
	ScrapeInterval: {func(v string) bool { return lasts(v, time.Second) },
		text.Say("write a time from 1s to 1h, for example \"30s\"", "\"30s\" のように1秒から1時間の間で書いてください")},
	Stakeholders: {areStakeholders,
		text.Say("write names such as team:payments, user:ada@example.com or role:admin, with commas between",
			"team:payments、user:ada@example.com、role:admin のような名前をカンマで区切って書いてください")},
	By: {func(v string) bool { return Labels(v) != nil },
		text.Say("write up to four names of labels with commas between, for example \"tenant,region\"; le and __name__ cannot be used",
			"\"tenant,region\" のように、ラベル名を4つまでカンマで区切って書いてください。le と __name__ は使えません")},
	ByLimit: {func(v string) bool { return whole(v, 1, MostByLimit) },
		text.Say("write a whole number from 1 to 20000, for example \"1000\"", "\"1000\" のように1から20000までの整数を書いてください")},
	ByRetire: {func(v string) bool {
		d, ok := ParseDuration(v)
		return ok && d >= time.Hour && d <= 366*24*time.Hour
	}, text.Say("write a time from 1h to 1Y, for example \"7d\"", "\"7d\" のように1時間から1年の間で書いてください")},
}

var labelName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

// Labels are the names that a value of By lists, in its order, and nil where it is
// no such list.
func Labels(v string) []string {
	var names []string
	for name := range strings.SplitSeq(v, ",") {
		name = strings.TrimSpace(name)
		if !labelName.MatchString(name) || name == "le" || name == "__name__" || slices.Contains(names, name) || len(names) == mostByLabels {
			return nil
		}
		names = append(names, name)
	}
	return names
}

// annotation is the remedy for a value that cannot be, and nothing for others.
func annotation(name, v string) text.Both {
	if allowed, ok := words[name]; ok && !slices.Contains(allowed, v) {
		return ascode.OneOf(v, allowed...)
	}
	if w, ok := wanted[name]; ok && !w.is(v) {
		return w.remedy
	}
	return text.Both{}
}

func whole(v string, least, most int) bool {
	n, err := strconv.Atoi(v)
	return err == nil && n >= least && n <= most
}

func within(v string, least, most float64) bool {
	n, err := strconv.ParseFloat(v, 64)
	return err == nil && n >= least && n <= most
}

func lasts(v string, least time.Duration) bool {
	d, err := time.ParseDuration(v)
	return err == nil && d >= least && d <= longestSettle
}

func areStakeholders(v string) bool {
	for name := range strings.SplitSeq(v, ",") {
		kind, who, _ := strings.Cut(strings.TrimSpace(name), ":")
		if who == "" || !slices.Contains([]string{"team", "user", "role"}, kind) {
			return false
		}
	}
	return true
}
