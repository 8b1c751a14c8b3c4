// Package pushed keeps counts of events that were told to the product instead of
// being scraped: by batch jobs, mobile applications, probes, and whatever else
// has no Prometheus before it.
//
// A stream of events has a name and labels; its counts are kept by the minute in
// the database, so that every replica reads the same, an event that arrives late
// counts in the minute in which it happened, and one that is told twice counts
// once. To the rest of the product it is a data source: its counters can be read
// with PromQL and are counted exactly. What the events mean is not known here.
package pushed

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// Metric is the counter that events are read by. It has the labels stream and
// result (good or bad) besides those of the stream.
const Metric = "events_total"

// Probes is the stream that nobody else may push to.
const Probes = "probe"

// The labels that the counter itself has.
const (
	LabelStream = "stream"
	LabelResult = "result"
	Good        = "good"
	Bad         = "bad"
)

// Limits, beyond which a push is refused.
const (
	MostEvents        = 1000 // in one push
	mostLabels        = 10
	mostLabelBytes    = 200
	mostStreams       = 50_000 // names with their labels
	mostStreamsOfName = 5_000
	mostKeyBytes      = 200
	mostEarly         = 2 * time.Minute // ahead of our clock
)

// Event says how many things happened in a minute and how many of them were
// good. Key is the same each time the same event is told.
type Event struct {
	Stream     string            `json:"stream" doc:"The name of the stream." example:"nightly-billing"`
	Labels     map[string]string `json:"labels,omitempty" doc:"Labels by which the stream is told apart, such as tenant. At most 10."`
	At         time.Time         `json:"at,omitzero" doc:"When they happened; now when neither this nor minute is there."`
	Minute     time.Time         `json:"minute,omitzero" doc:"The beginning of the minute in which they happened, instead of at."`
	Good       float64           `json:"good" doc:"How many were good."`
	Total      float64           `json:"total" doc:"How many there were."`
	Key        string            `json:"idempotencyKey" minLength:"1" maxLength:"200" doc:"The same each time the same event is told; it then counts once."`
	Correction bool              `json:"correction,omitempty" doc:"Good and total may be negative: they take back what was told before."`
}

var (
	streamName = regexp.MustCompile(`^[a-z0-9]([a-z0-9._/-]{0,98}[a-z0-9])?$`)
	labelName  = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]{0,63}$`)
)

// MinuteOf is the minute in which the event happened.
func (e *Event) minuteOf(now time.Time) int64 {
	switch {
	case !e.Minute.IsZero():
		return floor(e.Minute.UnixMicro(), time.Minute.Microseconds())
	case !e.At.IsZero():
		return floor(e.At.UnixMicro()-1, time.Minute.Microseconds())
	}
	return floor(now.UnixMicro()-1, time.Minute.Microseconds())
}

func floor(a, b int64) int64 {
	if a%b < 0 {
		return a/b - 1
	}
	return a / b
}

// check returns what is wrong with an event by itself, at the field it is in.
func (e *Event) check(now time.Time, late time.Duration) *fault.Error {
	wrong := func(field, code string, what, remedy text.Both) *fault.Error {
		return fault.New(fault.Invalid, "events."+code, what).Fix(remedy).On(field)
	}
	if e.Stream == Probes {
		return wrong("stream", "stream", text.Say("the stream %q is counted from probes", "ストリーム %q はプローブが使います", e.Stream),
			text.Say("use another name", "別の名前を使ってください"))
	}
	if !streamName.MatchString(e.Stream) {
		return wrong("stream", "stream", text.Say("%q is not the name of a stream", "%q はストリーム名として使えません", clip(e.Stream)),
			text.Say("use at most 100 of a–z, 0–9, . _ / -", "a–z、0–9、「. _ / -」を使い、100文字以内にしてください"))
	}
	if f := checkLabels(e.Labels); f != nil {
		return f
	}
	if e.Key == "" || len(e.Key) > mostKeyBytes {
		return wrong("idempotencyKey", "key", text.Say("the event has no idempotencyKey, or one longer than %d bytes", "idempotencyKey がないか、%dバイトを超えています", mostKeyBytes),
			text.Say("send what names the event, such as a run's id", "実行IDなど、そのイベントを特定する値を送ってください"))
	}
	if !e.At.IsZero() && !e.Minute.IsZero() {
		return wrong("minute", "two_times", text.Say("at and minute exclude one another", "at と minute は同時に使えません"), text.Say("send one of them", "どちらか一方を送ってください"))
	}
	switch {
	case math.IsNaN(e.Good+e.Total) || math.IsInf(e.Good+e.Total, 0):
		return wrong("total", "not_finite", text.Say("good and total must be numbers", "good と total は数値でなければなりません"), text.Say("send finite numbers", "有限の数値を送ってください"))
	case !e.Correction && (e.Good < 0 || e.Total < 0):
		return wrong("good", "negative", text.Say("good and total must not be negative", "good と total は負にできません"), text.Say("to take something back, send it with correction: true", "取り消すには correction: true を付けて送ってください"))
	case !e.Correction && e.Good > e.Total:
		return wrong("good", "good_above_total", text.Say("good (%g) is more than total (%g)", "good(%g)が total(%g)を超えています", e.Good, e.Total), text.Say("total counts all events, the good ones among them", "total には良いイベントも含めてください"))
	}
	began := time.Unix(e.minuteOf(now)*60, 0)
	if began.After(now.Add(mostEarly)) {
		return wrong("at", "future", text.Say("the event is ahead of the server's clock (%s)", "イベントの時刻がサーバーの時計(%s)より先です", now.UTC().Format(time.RFC3339)), text.Say("set the clock of the sender, and send times with their zone", "送信側の時計を合わせ、タイムゾーン付きの時刻を送ってください"))
	}
	if now.Sub(began) > late {
		return wrong("at", "too_late", text.Say("the event is older than %d days, after which a minute is closed", "イベントが%d日より前のため、もう受け付けられません", int(late.Hours()/24)), text.Say("events.lateDays in the configuration says how late events may be", "どこまで遡れるかは設定の events.lateDays で決まります"))
	}
	return nil
}

func checkLabels(labels map[string]string) *fault.Error {
	wrong := func(what, remedy text.Both) *fault.Error {
		return fault.New(fault.Invalid, "events.labels", what).Fix(remedy).On("labels")
	}
	if len(labels) > mostLabels {
		return wrong(text.Say("there are %d labels; at most %d are taken", "ラベルが%d個あります(上限%d個)", len(labels), mostLabels), text.Say("send those by which you tell services apart", "区別に必要なものだけを送ってください"))
	}
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		if !labelName.MatchString(name) || strings.HasPrefix(name, "__") || name == LabelStream || name == LabelResult {
			return wrong(text.Say("%q cannot be the name of a label", "%q はラベル名として使えません", clip(name)), text.Say("use letters, digits and _, and neither stream nor result", "英数字と _ を使い、stream と result は避けてください"))
		}
		if v := labels[name]; v == "" || len(v) > mostLabelBytes {
			return wrong(text.Say("the value of the label %s is empty or longer than %d bytes", "ラベル %s の値が空か、%dバイトを超えています", name, mostLabelBytes), text.Say("send a short value", "短い値を送ってください"))
		}
	}
	return nil
}

func clip(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}

// digest is what the event says, so that a key used twice for different events
// is noticed.
func (e *Event) digest(minute int64) string {
	if e.At.IsZero() && e.Minute.IsZero() {
		minute = 0 // "now" is another minute when it is told again
	}
	return hash(fmt.Sprintf("%d %v %v %v", minute, e.Good, e.Total, e.Correction), canonical(e.Labels))
}

// stream names a set of labels of a stream.
type stream struct {
	name   string
	labels string // canonical JSON
	every  time.Duration
}

func (s stream) id() string { return hash(s.name, s.labels) }

// canonical writes labels with their names in order.
func canonical(labels map[string]string) string {
	if len(labels) == 0 {
		return "{}"
	}
	b, err := json.Marshal(labels) // sorts
	if err != nil {
		return "{}" // strings are always marshalled
	}
	return string(b)
}

func hash(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// Count is what happened in one minute of a stream.
type Count struct {
	Stream string
	Labels map[string]string
	// Every is how often something arrives while all is well; where it does not,
	// the minutes are unknown. 0: silence means that nothing happened.
	Every  time.Duration
	Minute int64
	Good   float64
	Total  float64
}

// gathered adds counts of the same minute up, in an order that every writer
// keeps, so that no two wait for each other.
func gathered(counts []Count) []addition {
	sum := map[addition]*addition{}
	for _, c := range counts {
		s := stream{c.Stream, canonical(c.Labels), c.Every}
		key := addition{stream: s, id: s.id(), minute: c.Minute}
		a := sum[key]
		if a == nil {
			a = new(key)
			sum[key] = a
		}
		a.good, a.total = a.good+c.Good, a.total+c.Total
	}
	all := make([]addition, 0, len(sum))
	for _, a := range sum {
		all = append(all, *a)
	}
	slices.SortFunc(all, func(a, b addition) int {
		return cmp.Or(strings.Compare(a.id, b.id), cmp.Compare(a.minute, b.minute))
	})
	return all
}

// addition is what is added to one minute of one stream.
type addition struct {
	stream      stream
	id          string
	minute      int64
	good, total float64
}
