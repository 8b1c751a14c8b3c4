package slo

import (
	"slices"
	"time"

	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo/budgeting"
	"github.com/teiten/teiten/observe/slo/burn"
	"github.com/teiten/teiten/observe/slo/ledger"
	"github.com/teiten/teiten/observe/slo/policy"
	"github.com/teiten/teiten/observe/slo/window"
)

// track is one objective and its windows, as of one minute.
type track struct {
	name string
	def  *Definition
	win  windows
	end  policy.End // of the windows, that alerts read; "" and counted are what was counted
	state

	judges   []*burn.Judge // the rules, prepared for the terms judgedBy
	judgedBy burn.Terms
	sums     burn.Sums // alarming, for the rules
}

// windows answer what was counted in a window that ends at the present minute:
// those of the definition, its period, and where it is in memory any other of up
// to six hours.
type windows interface {
	Over(length time.Duration) ledger.Sum
}

// state is what an evaluation changes besides the windows. It is a value, so
// that it can be compared and put back.
type state struct {
	watermark int64     // the first minute that was not counted yet
	from      int64     // the first minute that was ever wanted; 0 before anything was
	missing   []minutes // before the watermark, ascending: still to be read
	backfill  backfill
	rules     map[string]ruleState
	alerts    map[burn.Severity]alert // those that are open
	exact     bool
	gone      text.Both // why the last minutes could not be read
	doubt     doubt     // of a member: before its first minute that is not final
}

// ruleState is what must be remembered of a rule from one minute to the next.
type ruleState = burn.Held

// recentGap is how many missing minutes are read on the way, without a word. A
// longer gap is a back-fill that is told of.
const recentGap = 6 * 60

// The reasons for a back-fill.
const (
	reasonNew    = "new"    // the objective or its queries are new
	reasonGap    = "gap"    // nothing was read for hours
	reasonLonger = "longer" // a window became longer
)

// backfill is the reading of the past and how far it is.
type backfill struct {
	Reason     string
	Done       int64 // minutes
	Total      int64 // minutes
	StartedAt  int64
	FinishedAt int64
}

func (b backfill) running() bool { return b.Total > 0 && b.FinishedAt == 0 }

func (b backfill) fraction() float64 {
	if b.Total == 0 {
		return 1
	}
	return float64(b.Done) / float64(b.Total)
}

// more returns the back-fill with more to do. One that was finished begins anew.
func (b backfill) more(n int64, reason string) backfill {
	if !b.running() {
		b = backfill{Reason: reason}
	}
	b.Total += n
	return b
}

// over is what was counted in a window that ends at the watermark.
func (t *track) over(length time.Duration) ledger.Sum { return t.win.Over(length) }

// alarming is what alerts read of a window: what was counted, or the end of what it
// may have been that the error-budget policy names.
func (t *track) alarming(length time.Duration) ledger.Sum {
	if t.end != policy.Low && t.end != policy.High {
		return t.over(length)
	}
	low, high, _ := t.interval(length)
	if t.end == policy.Low {
		return low
	}
	return high
}

// judgeBook keeps prepared rules. Objectives that were defined with the same
// rules on the same terms share them.
type judgeBook map[judgeKey][]*burn.Judge

type judgeKey struct {
	rules *burn.Rule // the first; see definitions.share
	terms burn.Terms
}

// prepare has the rules of a track ready to be read.
func (b judgeBook) prepare(t *track) {
	terms := t.terms()
	if len(t.def.Rules) == 0 || t.judges != nil && terms == t.judgedBy {
		return
	}
	key := judgeKey{&t.def.Rules[0], terms}
	if b[key] == nil {
		for _, r := range t.def.Rules {
			b[key] = append(b[key], r.Against(terms))
		}
	}
	t.judges, t.judgedBy, t.sums = b[key], terms, t.alarming
}

// terms are what the rules are judged against.
func (t *track) terms() burn.Terms {
	x := t.def.terms()
	x.Exact = t.exact || !t.def.Counter
	return x
}

// lacks reports whether minutes of the window that ends at the watermark are
// still to be read.
func (t *track) lacks(length time.Duration) bool {
	from := t.watermark - int64(length/time.Minute)
	return slices.ContainsFunc(t.missing, func(m minutes) bool { return m.To > from })
}

// unread reports whether alerts take minutes for bad that are unknown only because
// the past of a new objective is still being read.
func (t *track) unread() bool {
	return t.end == policy.Low && t.backfill.running() && t.backfill.Reason == reasonNew
}

// lose notes minutes at the watermark's end that could not be read. When they
// become many, that is a back-fill.
func (s *state) lose(span minutes) {
	s.missing = ledger.Join(append(slices.Clone(s.missing), span))
	last := s.missing[len(s.missing)-1]
	switch {
	case s.backfill.running():
		s.backfill.Total += span.Len()
	case last.Len() > recentGap:
		s.backfill = s.backfill.more(last.Len(), reasonGap)
	}
}

// found takes minutes out of those that are missing, and reports whether that
// ended a back-fill.
func (s *state) found(span minutes, now int64) (finished bool) {
	left, n := ledger.Without(s.missing, span)
	s.missing = left
	if !s.backfill.running() || n == 0 {
		return false
	}
	s.backfill.Done += n
	if len(left) == 0 {
		s.backfill.Done, s.backfill.FinishedAt = s.backfill.Total, now
		return true
	}
	return false
}

// member is a track that a shard moves from minute to minute.
type member struct {
	track
	d     *defined
	block *window.Block
	row   int

	// final is the first minute that may still turn out otherwise, and is read
	// again. raw and lumps are what was counted from the shard's first such minute
	// on, and slicer what is known of the slice under way there.
	final  int64
	raw    []ledger.Minute
	lumps  []ledger.Lump
	slicer budgeting.Slicer

	asks        []ask
	countable   bool      // a source that counts can be asked for it
	excluded    []minutes // of the span knownFor
	knownFor    minutes
	filling     filling
	complete    bool      // its row is summed up; otherwise the past has yet to be added
	gathering   bool      // its past is being read
	outdated    minutes   // of that, what was to be read again since it began
	pausedUntil time.Time // until then its past is left alone
	silent      int64     // the first minute of the silence under way; 0 where there is none
	rechecks    []recheck
	attended    bool // since the process began
}

// Over reads a window off the block.
func (m *member) Over(length time.Duration) ledger.Sum {
	n := int64(length / time.Minute)
	lengths := m.block.Lengths()
	if length == m.def.Period && lengths[len(lengths)-1] == 0 {
		n = 0
	}
	if i := slices.Index(lengths, n); i >= 0 {
		return m.block.Sum(m.row, i)
	}
	return m.block.Over(m.row, n)
}

// standing is where the objective stands now.
func (m *member) standing(made int64) *standing {
	s := &standing{
		slot: m.d.slot, end: m.watermark, made: made, windows: m.d.windows, complete: m.complete,
		sums: m.block.Sums(nil, m.row), state: m.state, slicer: m.slicer,
	}
	s.state.alerts = nil // they have a table of their own
	s.doubt, s.state.doubt = m.doubt, m.doubts(m.watermark-int64(len(m.raw)))
	return s
}

// view is what the budget counts over the minutes from the shard's first one that
// is not final: without what is excluded, and in slices where it counts those.
func (m *member) view(first int64) []ledger.Minute {
	view := make([]ledger.Minute, len(m.raw))
	s := m.slicer
	for i, raw := range m.raw {
		view[i], s = m.next(s, first+int64(i), raw)
	}
	return view
}

// next is budgeting.Counting.Next for a minute that may be excluded: such a one
// counts nothing, and is no gap once the objective has begun.
func (m *member) next(s budgeting.Slicer, minute int64, raw ledger.Minute) (ledger.Minute, budgeting.Slicer) {
	excluded := m.excludes(minute)
	if excluded {
		raw = ledger.Minute{}
	}
	v, s := m.def.Counting.Next(s, minute, raw)
	if excluded && minute >= m.doubt.begun {
		v.Known = true
	}
	return v, s
}

func (m *member) excludes(minute int64) bool {
	return slices.ContainsFunc(m.excluded, func(x minutes) bool { return minute >= x.From && minute < x.To })
}

// lengths are the windows that are slid for the objective, in minutes: a
// calendar period, whose length varies, is the last and 0.
func (d *Definition) lengths() []int64 {
	var all []int64
	for _, w := range d.windows() {
		if n := int64(w / time.Minute); w != d.Period || d.window().Calendar == nil || slices.Contains(shownWindows, w) {
			all = append(all, n)
		}
	}
	if d.window().Calendar != nil {
		all = append(all, 0)
	}
	return all
}

// reach is how far back from minute end the objective looks.
func (d *Definition) reach(end int64) int64 {
	from := end - int64(d.longest()/time.Minute)
	if d.window().Calendar != nil {
		from = min(from, d.window().Start(end))
	}
	return max(from, 0)
}

func nonNil[T any](items []T) []T {
	if items == nil {
		return []T{}
	}
	return items
}
