package slo

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/observe/slo/db"
	"github.com/teiten/teiten/observe/slo/ledger"
	"github.com/teiten/teiten/observe/slo/policy"
)

// step is what a shard writes when it moved: all of it or nothing.
type step struct {
	sh        *shard
	columns   []db.PutMinuteParams
	changes   []happening
	started   []*member // whose back-fill began
	finished  []*member // whose back-fill ended
	hours     []hourRow
	closed    int64 // the minute log before it goes
	cut       int64 // the minute log from it on goes; 0 where it does not
	rebuilt   []db.RebuildDoneParams
	reread    []string // what came late and is noted as missing
	standings []*standing
	made      int64
}

// happening is a change of an alert of one objective.
type happening struct {
	m *member
	change
}

// move counts the minutes up to target, of which read says what it found, and
// corrects those before that turned out otherwise.
func (sh *shard) move(ctx context.Context, target int64, read []reading, now time.Time) (*step, error) {
	x := &step{sh: sh, made: database.Micros(now)}
	if err := sh.close(ctx, x); err != nil {
		return nil, err
	}
	if target-sh.end > recentGap {
		if err := sh.leap(ctx, target-1); err != nil {
			return nil, err
		}
	}
	former := sh.end
	changed := map[int64]bool{}
	for i := range read {
		sh.take(x, &read[i], target, changed)
	}
	views := make([][]ledger.Minute, len(sh.members))
	for i, m := range sh.members {
		sh.exclude(m, ledger.Between(sh.final, target))
		views[i] = m.view(sh.final)
		for at := sh.final; at < former; at++ {
			if v := views[i][at-sh.final]; v != m.block.At(m.row, at) {
				m.block.Correct(m.row, at, v)
			}
		}
	}
	for at := former; at < target; at++ {
		if err := sh.append(ctx, at, views); err != nil {
			return nil, err
		}
		for _, m := range sh.members {
			m.watermark = at + 1
			sh.judge(x, m, now)
		}
		changed[at] = true
	}
	sh.end = target
	sh.pack(x, changed)
	sh.settle(now)
	sh.note(x, now)
	return x, nil
}

// leap skips hours in which nothing was counted: all of it is missing, and the
// windows are summed up anew.
func (sh *shard) leap(ctx context.Context, to int64) error {
	lost := ledger.Between(sh.end, to)
	sh.end, sh.final = to, to
	for _, m := range sh.members {
		m.block.Remove(m.row)
	}
	clear(sh.blocks)
	for _, m := range sh.members {
		m.lose(lost)
		m.watermark, m.final = to, to
		sh.place(m)
	}
	return fillEach(sh.members, func(m *member) error { return sh.summed(ctx, m) })
}

// take keeps what was read for a member, up to target, and notes which minutes
// before the shard's end turned out otherwise.
func (sh *shard) take(x *step, r *reading, target int64, changed map[int64]bool) {
	m := r.m
	m.raw = append(m.raw[:sh.end-sh.final], make([]ledger.Minute, target-sh.end)...)
	if r.err != nil {
		m.lose(ledger.Between(sh.end, target))
		if last := m.missing[len(m.missing)-1]; last.Len() > 1 || fault.KindOf(r.err) == fault.Invalid {
			m.gone = unreadReason(r.err)
		}
		return
	}
	m.gone, m.exact = r.why(), r.exact
	if m.def.AbsentBad {
		absentAsBad(r.counted[max(sh.end-r.span.From, 0):], m.Over(24*time.Hour))
	}
	for i, c := range r.counted {
		at := r.span.From + int64(i)
		// What was known once stays known: the source forgot it.
		if old := &m.raw[at-sh.final]; c.Known && *old != c {
			*old = c
			changed[at] = true
			if m.doubt.begun == 0 {
				m.doubt.begun = at
			}
		}
	}
	m.lumps = slices.DeleteFunc(m.lumps, func(l ledger.Lump) bool { return l.To >= r.span.From })
	m.lumps = append(m.lumps, r.lumps...)
	if m.found(r.span, x.made) {
		x.finished = append(x.finished, m)
	}
}

// append adds one minute to every block.
func (sh *shard) append(ctx context.Context, at int64, views [][]ledger.Minute) error {
	for _, b := range sh.blocks {
		if err := sh.loadEdges(ctx, b); err != nil {
			return err
		}
	}
	columns := map[any][]ledger.Minute{}
	for i, m := range sh.members {
		c := columns[m.block]
		if c == nil {
			c = make([]ledger.Minute, m.block.Rows())
			columns[m.block] = c
			if w := m.def.window(); w.Calendar != nil {
				m.block.Begin(w.Start(at + 1))
			}
		}
		c[m.row] = views[i][at-sh.final]
	}
	for _, b := range sh.blocks {
		if c := columns[b]; c != nil {
			b.Append(c)
		} else {
			b.Append(make([]ledger.Minute, b.Rows()))
		}
	}
	return nil
}

// rewind puts a shard back to an earlier minute: the clock was ahead. What the
// ledger holds of later minutes counts once their time has come; only what was
// read around the true time, and so in part, is forgotten.
func (sh *shard) rewind(ctx context.Context, to int64, now time.Time) (*step, error) {
	x := &step{sh: sh, made: database.Micros(now), cut: to}
	for _, m := range sh.members {
		doubtful := ledger.Between(to, to+mostProvisional)
		if m.def.AbsentBad { // what had not happened yet was taken for bad
			doubtful.To = sh.end
		}
		err := records(ctx, sh.s.db.Read(), m.name, hourOf(to), hourOf(doubtful.To), func(r *ledger.Record) {
			was := *r
			for i := range r.Hour {
				if at := r.First() + int64(i); at >= doubtful.From && at < doubtful.To {
					r.Hour[i] = ledger.Minute{}
				}
			}
			r.Lumps = slices.DeleteFunc(slices.Clone(r.Lumps), func(l ledger.Lump) bool { return l.To >= doubtful.From && l.To < doubtful.To })
			if !was.Equal(r) {
				x.hours = append(x.hours, hourRow{m.name, *r})
			}
		})
		if err != nil {
			return nil, err
		}
		m.missing = before(m.missing, to)
		m.watermark, m.complete, m.raw = to, false, nil
		x.standings = append(x.standings, m.standing(x.made))
	}
	sh.end, sh.final = to, to
	sh.version++
	return x, nil
}

// before cuts what is missing at a minute.
func before(missing []minutes, end int64) []minutes {
	var kept []minutes
	for _, m := range missing {
		if m.To = min(m.To, end); m.Len() > 0 {
			kept = append(kept, m)
		}
	}
	return kept
}

// judge reads the rules of a member off its windows.
func (sh *shard) judge(x *step, m *member, now time.Time) {
	sh.judges.prepare(&m.track)
	var changes []change
	certain := m.doubt
	if m.end = m.d.end; m.end != policy.Counted {
		m.doubt = m.doubts(sh.final)
	}
	m.state, changes = m.judge(now)
	m.doubt = certain
	for _, c := range changes {
		x.changes = append(x.changes, happening{m, c})
	}
}

// pack makes the rows of minutes that are new or turned out otherwise.
func (sh *shard) pack(x *step, changed map[int64]bool) {
	for at := sh.final; at < sh.end; at++ {
		if !changed[at] {
			continue
		}
		sh.logged = min(sh.logged, at)
		var c ledger.Column
		for _, m := range sh.members {
			raw := m.raw[at-sh.final]
			if !raw.Known {
				continue
			}
			cell := ledger.Cell{Slot: m.d.slot, Total: raw.Total, Bad: raw.Bad}
			for _, l := range m.lumps {
				if l.To == at {
					cell.Since = l.From
					if cell.LateTotal > 0 {
						cell.Since = min(l.From, cell.Since)
					}
					cell.LateTotal += l.Total
					cell.LateBad += l.Bad
				}
			}
			c = append(c, cell)
		}
		x.columns = append(x.columns, db.PutMinuteParams{Shard: int64(sh.number), Minute: at, Data: c.Pack(nil, at)})
	}
}

// settle lets go of minutes that are final now.
func (sh *shard) settle(now time.Time) {
	final := sh.end
	for _, m := range sh.members {
		done := ledger.Done(now.Add(-sh.s.settle(m.def)))
		m.final = min(max(m.final, done), sh.end)
		final = min(final, m.final)
	}
	final = max(final, sh.end-mostProvisional, sh.final)
	for _, m := range sh.members {
		for at := sh.final; at < final; at++ {
			raw := m.raw[at-sh.final]
			_, m.slicer = m.next(m.slicer, at, raw)
			m.fold(&m.doubt, at, raw)
			m.attend(at, raw)
		}
		m.doubt.forget(m.def.reach(final))
		m.raw = append(m.raw[:0:0], m.raw[final-sh.final:]...)
		m.lumps = slices.DeleteFunc(m.lumps, func(l ledger.Lump) bool { return l.To < final })
		m.final = max(m.final, final)
	}
	sh.final = final
}

// note makes what is stored of where the members stand.
func (sh *shard) note(x *step, now time.Time) {
	sh.version++
	for _, m := range sh.members {
		if m.backfill.running() && m.backfill.StartedAt == 0 {
			m.backfill.StartedAt = database.Micros(now)
			x.started = append(x.started, m)
		}
		x.standings = append(x.standings, m.standing(x.made))
	}
}

// close moves the minutes of hours that are over and final from the minute log
// to the ledger. The shards do so in different minutes.
func (sh *shard) close(ctx context.Context, x *step) error {
	until := hourOf(sh.final - int64(sh.number%closeSpread))
	from := hourOf(sh.logged)
	if until <= from {
		return nil
	}
	hours := map[int64]map[int64]*ledger.Record{} // by slot and hour
	rows, err := db.New(sh.s.db.Read()).MinuteLog(ctx, db.MinuteLogParams{
		Shard: int64(sh.number), Minute: sh.logged, Minute_2: until * ledger.MinutesPerHour})
	if err != nil {
		return database.Fault(fmt.Errorf("close hours of shard %d: %w", sh.number, err))
	}
	for _, row := range rows {
		column, err := ledger.UnpackColumn(row.Data, row.Minute)
		if err != nil {
			return fmt.Errorf("close hours of shard %d, minute %d: %w", sh.number, row.Minute, err)
		}
		for _, c := range column {
			addCell(hours, c, row.Minute)
		}
	}
	for _, m := range sh.members {
		for number := from; number < until; number++ {
			r := hours[m.d.slot][number]
			if r == nil {
				continue
			}
			if err := sh.overlay(ctx, m.name, r); err != nil {
				return err
			}
			x.hours = append(x.hours, hourRow{m.name, *r})
		}
	}
	x.closed = until * ledger.MinutesPerHour
	sh.logged = x.closed
	return nil
}

func addCell(hours map[int64]map[int64]*ledger.Record, c ledger.Cell, minute int64) {
	mine := hours[c.Slot]
	if mine == nil {
		mine = map[int64]*ledger.Record{}
		hours[c.Slot] = mine
	}
	r := mine[hourOf(minute)]
	if r == nil {
		r = &ledger.Record{Number: hourOf(minute)}
		mine[hourOf(minute)] = r
	}
	r.Hour[minute%ledger.MinutesPerHour] = ledger.Minute{Total: c.Total, Bad: c.Bad, Known: true}
	if c.Since != 0 {
		r.Lumps = append(r.Lumps, ledger.Lump{From: c.Since, To: minute, Total: c.LateTotal, Bad: c.LateBad})
	}
}

// overlay puts what the ledger knows of an hour already over what the minute log
// says of it: it was read later.
func (sh *shard) overlay(ctx context.Context, name string, r *ledger.Record) error {
	return records(ctx, sh.s.db.Read(), name, r.Number, r.Number, func(known *ledger.Record) {
		for i, m := range known.Hour {
			if m.Known {
				r.Hour[i] = m
			}
		}
		lumps := slices.Clone(known.Lumps)
		for _, l := range r.Lumps {
			if !known.Hour[l.To%ledger.MinutesPerHour].Known {
				lumps = append(lumps, l)
			}
		}
		slices.SortFunc(lumps, func(a, b ledger.Lump) int { return int(a.To - b.To) })
		r.Lumps = lumps
	})
}

const (
	// closeSpread is over how many minutes the shards close an hour.
	closeSpread = 6
	// mostProvisional bounds how many minutes are read again each minute.
	mostProvisional = ledger.MinutesPerHour
)
