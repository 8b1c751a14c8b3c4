package slo

import (
	"slices"

	"github.com/teiten/teiten/observe/slo/ledger"
	"github.com/teiten/teiten/observe/slo/window"
)

// recheckAfter is how many minutes after a silence its minutes are read again.
// What is sent on late arrives all at once when the way is free again, or much
// later where it waits its turn.
var recheckAfter = []int64{0, 10, 60, 3 * 60, 6 * 60, 12 * 60, 24 * 60}

// recheck is a span of final minutes that is read again, since the source may
// know more of it by then. Nothing waits for it: it is no gap.
type recheck struct {
	span minutes
	due  int64 // when the shard's end is there
}

// attend follows a member through a minute that is final now. Where a silence
// ends, and where events were seen of which only the span is known, the source is
// asked again: had it not been silent, each would be in its own minute.
func (m *member) attend(at int64, raw ledger.Minute) {
	if !m.attended {
		m.attended = true
		m.recollect(at)
	}
	switch {
	case !raw.Known && m.silent == 0:
		m.silent = m.silentSince(at)
	case raw.Known && m.silent != 0:
		m.ask(ledger.Between(m.silent, at+1), at+1)
		m.silent = 0
	}
	for _, l := range m.lumps {
		if l.To == at {
			m.ask(ledger.Between(l.From, l.To+1), at+1)
		}
	}
}

// recollect asks for the silences of before the process began: which of them were
// to be read again is not stored.
func (m *member) recollect(end int64) {
	known, asked := false, ledger.Between(end, end) // what is before the first known minute is not there
	for at := m.block.End() - window.Recent; at < end-1; at++ {
		switch {
		case m.block.At(m.row, at).Known:
			known = true
		case known:
			asked = ledger.Between(min(asked.From, at), at+2)
		}
	}
	if asked.Len() > 0 {
		m.ask(asked, end)
	}
}

// silentSince is the first minute of the silence that a minute belongs to, as far
// as it is remembered.
func (m *member) silentSince(at int64) int64 {
	for oldest := m.block.End() - window.Recent; at > oldest && !m.block.At(m.row, at-1).Known; {
		at--
	}
	return at
}

// ask has a span read again, now and several times later. What is asked for at
// about the same time is asked together; objectives take different minutes.
func (m *member) ask(span minutes, now int64) {
	m.rechecks = slices.DeleteFunc(m.rechecks, func(r recheck) bool { return r.span.To <= m.def.reach(now) })
	for _, after := range recheckAfter {
		due := now
		if step := after / 4; step > 0 {
			due += after + step - (now+after+m.d.slot)%step
		}
		i := slices.IndexFunc(m.rechecks, func(r recheck) bool { return r.due == due })
		if i < 0 {
			m.rechecks = append(m.rechecks, recheck{span, due})
			continue
		}
		r := &m.rechecks[i].span
		*r = ledger.Between(min(r.From, span.From), max(r.To, span.To))
	}
}

// dueRecheck is the span that is to be read again now, as far as the windows
// reach.
func (m *member) dueRecheck() (minutes, bool) {
	for _, r := range m.rechecks {
		if r.due > m.watermark {
			continue
		}
		span := ledger.Between(max(r.span.From, m.def.reach(m.watermark), m.from), min(r.span.To, m.final))
		if span.Len() > 0 {
			return span, true
		}
	}
	return minutes{}, false
}

// checked forgets what was read again.
func (m *member) checked(span minutes) {
	m.rechecks = slices.DeleteFunc(m.rechecks, func(r recheck) bool {
		return r.due <= m.watermark && r.span.To <= span.To
	})
}

// tells reports whether what was read differs from what is held.
func (r *reading) tells(first int64, h History) bool {
	for i, c := range r.counted {
		if at := r.span.From + int64(i) - first; c.Known && at >= 0 && at < int64(len(h.Minutes)) && h.Minutes[at] != c {
			return true
		}
	}
	held := slices.DeleteFunc(slices.Clone(h.Lumps), func(l ledger.Lump) bool { return l.To < r.span.From || l.To >= r.span.To })
	return !slices.Equal(held, r.lumps)
}
