package receive

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/metrics/embedded"
)

// taking is the samples of one request on their way into the store.
type taking struct {
	app     storage.AppenderV2
	now     time.Time
	latest  int64 // Unix milliseconds
	newest  int64 // of the samples that were taken
	fatal   error // why nothing of the request can be stored
	clashes *clashes

	tally
}

// tally is what became of the samples of a request.
type tally struct {
	outOfOrder time.Duration
	maxSeries  int

	samples, histograms int // that were taken
	refused             int
	reasons             []reason
}

// reason is why samples were left out.
type reason struct {
	why   text.Both // with the first of them in %s
	fix   text.Both
	first string
	n     int
}

// Append takes one sample, or notes why not. It is an error only where nothing of
// the request can be stored.
func (t *taking) Append(ref storage.SeriesRef, ls labels.Labels, st, at int64, v float64, h *histogram.Histogram, fh *histogram.FloatHistogram, o storage.AOptions) (storage.SeriesRef, error) {
	if t.fatal != nil {
		return 0, t.fatal
	}
	if at > t.latest {
		t.refuse(inFuture, 1, example(ls, at))
		return ref, nil
	}
	err := coarsen(h, fh)
	if err == nil {
		var known storage.SeriesRef
		known, err = t.app.Append(ref, ls, st, at, v, h, fh, o)
		if err == nil && ref == 0 {
			t.clashes.meet(known, ls)
		}
		ref = known
	}
	var partly *storage.AppendPartialError
	var malformed histogram.Error
	switch {
	case err == nil || errors.As(err, &partly):
		t.took(at, h != nil || fh != nil)
	case errors.Is(err, storage.ErrOutOfOrderSample), errors.Is(err, storage.ErrTooOldSample), errors.Is(err, storage.ErrOutOfBounds):
		t.refuse(tooOld(t.outOfOrder), 1, example(ls, at))
	case errors.Is(err, storage.ErrDuplicateSampleForTimestamp):
		t.refuse(otherValue, 1, example(ls, at))
	case errors.Is(err, embedded.ErrTooManySeries):
		t.refuse(tooManySeries(t.maxSeries), 1, ls.String())
	case errors.As(err, &malformed):
		t.refuse(badHistogram(err), 1, example(ls, at))
	default:
		t.fatal = err
		return 0, err
	}
	return ref, nil
}

// Commit and Rollback do nothing: the receiver ends what it has begun.
func (t *taking) Commit() error { return nil }

// Rollback does nothing, as Commit.
func (t *taking) Rollback() error { return nil }

func (t *taking) took(at int64, isHistogram bool) {
	t.newest = max(t.newest, at)
	if isHistogram {
		t.histograms++
	} else {
		t.samples++
	}
}

// coarsen brings a native histogram of more than the finest schema to that.
func coarsen(h *histogram.Histogram, fh *histogram.FloatHistogram) error {
	if h != nil && histogram.IsExponentialSchemaReserved(h.Schema) && h.Schema > histogram.ExponentialSchemaMax {
		return h.ReduceResolution(histogram.ExponentialSchemaMax)
	}
	if fh != nil && histogram.IsExponentialSchemaReserved(fh.Schema) && fh.Schema > histogram.ExponentialSchemaMax {
		return fh.ReduceResolution(histogram.ExponentialSchemaMax)
	}
	return nil
}

// checkLabels says what is wrong with the labels of a series, if anything is.
func checkLabels(ls labels.Labels) (why cause, ok bool) {
	if !ls.Has(model.MetricNameLabel) || !ls.IsValid(model.UTF8Validation) {
		return badLabels, false
	}
	if _, twice := ls.HasDuplicateLabelNames(); twice {
		return badLabels, false
	}
	return cause{}, true
}

// cause is why samples are left out, and what to do.
type cause struct{ why, fix text.Both }

var (
	inFuture = cause{
		text.Say("more than %d minutes in the future", "%d分以上未来の時刻", int(aheadOfTime.Minutes())),
		text.Say("check the clocks of the sender and of this server", "送信元とこのサーバーの時計を確認してください"),
	}
	otherValue = cause{
		text.Say("another value was stored for the same time already", "同じ時刻に別の値がすでに保存されている"),
		text.Say("two senders use the same labels: give each external_labels of its own", "2つの送信元が同じラベルを使っています。送信元ごとに external_labels を付けてください"),
	}
	badLabels = cause{
		text.Say("a label is wrong, occurs twice, or the metric has no name", "ラベルが正しくない、重複している、またはメトリクス名がない"),
		text.Say("send labels as the specification of remote write has them", "リモートライトの仕様に沿ったラベルを送ってください"),
	}
	noSamples = cause{
		text.Say("a series has no samples", "サンプルのない系列"),
		text.Say("send each series with a sample at least", "系列にはサンプルを1つ以上付けてください"),
	}
)

func tooOld(window time.Duration) cause {
	hours := model.Duration(window).String()
	return cause{
		text.Say("older than the newest metrics by more than %s", "最新のメトリクスより %s 以上古い", hours),
		text.Say("have the sender keep up, or raise metrics.embedded.receive.outOfOrder; older history is imported as blocks (promtool tsdb create-blocks-from)",
			"送信の遅れを解消するか、metrics.embedded.receive.outOfOrder を長くしてください。さらに古い履歴はブロックとして取り込めます（promtool tsdb create-blocks-from）"),
	}
}

func tooManySeries(most int) cause {
	return cause{
		text.Say("the store holds %d series already, and takes no new one", "すでに %d 系列を保持しているため、新しい系列は受け付けられない", most),
		text.Say("send fewer labels with many values (write_relabel_configs), or raise metrics.embedded.receive.maxSeries",
			"値の種類が多いラベルを送らないようにするか（write_relabel_configs）、metrics.embedded.receive.maxSeries を大きくしてください"),
	}
}

func badHistogram(err error) cause {
	return cause{
		text.Say("a native histogram that contradicts itself (%v)", "矛盾のあるネイティブヒストグラム（%v）", err),
		text.Say("send histograms whose buckets add up to their count", "バケットの合計が件数と一致するヒストグラムを送ってください"),
	}
}

// example names a sample.
func example(ls labels.Labels, at int64) string {
	return ls.String() + " @ " + time.UnixMilli(at).UTC().Format(time.RFC3339)
}

// refuse notes samples that are left out.
func (t *tally) refuse(c cause, n int, first string) {
	t.refused += n
	for i := range t.reasons {
		if t.reasons[i].why == c.why {
			t.reasons[i].n += n
			return
		}
	}
	t.reasons = append(t.reasons, reason{why: c.why, fix: c.fix, first: shorten(first), n: n})
}

const longestExample = 300

func shorten(s string) string {
	if len(s) > longestExample {
		return strings.ToValidUTF8(s[:longestExample], "") + "…"
	}
	return s
}

// codeRefused is the code of the fault that tells what was left out.
const codeRefused = "metrics.samples_refused"

// mostReasons bounds how many reasons one answer names.
const mostReasons = 5

// refusal says what was left out of a request and why; nil where nothing was. The
// rest was stored.
func (t *tally) refusal() *fault.Error {
	if t.refused == 0 {
		return nil
	}
	slices.SortStableFunc(t.reasons, func(a, b reason) int { return b.n - a.n })
	var en, ja []string
	for _, r := range t.reasons[:min(len(t.reasons), mostReasons)] {
		en = append(en, fmt.Sprintf("%d: %s, such as %s", r.n, r.why.EN, r.first))
		ja = append(ja, fmt.Sprintf("%d件: %s（例: %s）", r.n, r.why.JA, r.first))
	}
	taken := t.samples + t.histograms
	return fault.New(fault.Invalid, codeRefused, text.Both{
		EN: fmt.Sprintf("%d samples were stored and %d were not. %s", taken, t.refused, strings.Join(en, "; ")),
		JA: fmt.Sprintf("%d件のサンプルを保存し、%d件を受け付けませんでした。%s", taken, t.refused, strings.Join(ja, "、")),
	}).Fix(t.reasons[0].fix)
}

// isCount reports whether a value can be one of a counter.
func isCount(v float64) bool { return v >= 0 && !math.IsInf(v, 1) }
