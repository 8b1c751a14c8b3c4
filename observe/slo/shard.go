package slo

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/observe/slo/budgeting"
	"github.com/teiten/teiten/observe/slo/burn"
	"github.com/teiten/teiten/observe/slo/db"
	"github.com/teiten/teiten/observe/slo/exclusion"
	"github.com/teiten/teiten/observe/slo/ledger"
	"github.com/teiten/teiten/observe/slo/window"
)

// shard is a sixteenth of all objectives, which move from minute to minute
// together.
//
// The database is the truth: what each minute counted is appended to slo_minutes,
// where all objectives stand is one row of slo_shards, both in one transaction
// that the shard's lease fences. What is in memory only makes that cheap, and is
// dropped whenever it may be out of step.
type shard struct {
	s      *Service
	number int

	mu      sync.Mutex
	gone    atomic.Bool // dropped: whoever still has it leaves it alone
	end     int64       // the first minute that was not counted yet
	version int64       // as it was written last
	read    int64       // the version of which nothing of the past was left to read
	final   int64       // the first minute that may still turn out otherwise
	logged  int64       // the first minute of which the minute log may hold a row
	members []*member
	blocks  map[string]*window.Block
	defined *definitions // that the members are of
	judges  judgeBook
	waits   time.Duration // see wait
	waitOf  int64
}

// unseen is no version of a shard.
const unseen = -1

// loaders is how many objectives are loaded at a time.
const loaders = 4

// loadShard makes a shard of what the database holds. Where it holds nothing yet,
// the shard begins with the minute before target.
func (s *Service) loadShard(ctx context.Context, number int, defs *definitions, target int64, open openAlerts) (*shard, error) {
	sh := &shard{s: s, number: number, blocks: map[string]*window.Block{}}
	kept := map[int64]*standing{}
	row, err := db.New(s.db.Read()).GetShard(ctx, int64(number))
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, database.Fault(fmt.Errorf("load shard %d: %w", number, err))
	}
	sh.version = row.Version
	if err != nil || len(defs.byShard[number]) == 0 {
		sh.end, sh.final = target-1, target-1
	} else {
		final, all, err := unpackStandings(row.State)
		if err != nil {
			return nil, fmt.Errorf("load shard %d: %w", number, err)
		}
		sh.end, sh.final = row.Minute, min(final, row.Minute)
		for _, st := range all {
			kept[st.slot] = st
		}
	}
	return sh, sh.adopt(ctx, defs, kept, open)
}

// adopt brings the members in line with the definitions.
func (sh *shard) adopt(ctx context.Context, defs *definitions, kept map[int64]*standing, open openAlerts) error {
	sh.defined = defs
	sh.judges, sh.waits, sh.read = judgeBook{}, 0, unseen
	former := map[string]*member{}
	for _, m := range sh.members {
		former[m.name] = m
	}
	var next, fresh []*member
	for _, d := range defs.byShard[sh.number] {
		old := former[d.Name]
		if old != nil && old.d.revision == d.revision && old.d.slot == d.slot {
			old.d = d
			old.knownFor = minutes{} // an exclusion may be new
			next = append(next, old)
			delete(former, d.Name)
			continue
		}
		m := &member{d: d, track: track{name: d.Name, def: d.def}, asks: d.def.asks(), countable: d.def.countable()}
		if old != nil && old.d.slot == d.slot {
			kept[d.slot] = old.standing(0)
		}
		fresh = append(fresh, m)
	}
	for _, old := range former {
		old.block.Remove(old.row)
	}
	if err := sh.welcome(ctx, fresh, kept, open); err != nil {
		return err
	}
	sh.members = slices.Concat(next, fresh)
	slices.SortFunc(sh.members, func(a, b *member) int { return cmp.Compare(a.d.slot, b.d.slot) })
	return nil
}

// openAlerts reads the alerts that are open, by objective, once for all shards.
type openAlerts func() (map[string]map[burn.Severity]alert, error)

// welcome gives new members their rows.
func (sh *shard) welcome(ctx context.Context, fresh []*member, kept map[int64]*standing, open openAlerts) error {
	if len(fresh) == 0 && len(sh.members) > 0 {
		return nil
	}
	past, err := sh.readLog(ctx)
	if err != nil {
		return err
	}
	alerts, err := open()
	if err != nil {
		return err
	}
	for _, m := range fresh {
		m.alerts = alerts[m.name]
		sh.place(m)
	}
	return fillEach(fresh, func(m *member) error { return sh.prepare(ctx, m, kept[m.d.slot], past[m.d.slot]) })
}

// fillEach prepares the rows of members and takes them into their blocks, a few
// members at a time: the minutes that a row is made of take a megabyte.
func fillEach(all []*member, prepare func(*member) error) error {
	for some := range slices.Chunk(all, 4*loaders) {
		errs := make([]error, len(some))
		each(loaders, len(some), func(i int) { errs[i] = prepare(some[i]) })
		for i, m := range some {
			err := errs[i]
			if err == nil {
				err = m.put()
			}
			if err != nil {
				return fmt.Errorf("load %s: %w", m.name, err)
			}
		}
	}
	return nil
}

// place gives a member a row among those with the same windows.
func (sh *shard) place(m *member) {
	key := m.d.slides
	b := sh.blocks[key]
	if b == nil {
		b = window.NewBlock(sh.end, m.d.lengths...)
		if m.def.window().Calendar != nil {
			b.Begin(m.def.window().Start(sh.end))
		}
		sh.blocks[key] = b
	}
	m.block, m.row = b, b.Add()
	m.win = m
}

// logged is one minute of an objective in the minute log.
type logged struct {
	minute int64
	ledger.Cell
}

// readLog reads what was counted in hours that are not closed, by slot.
func (sh *shard) readLog(ctx context.Context) (map[int64][]logged, error) {
	rows, err := db.New(sh.s.db.Read()).MinuteLog(ctx, db.MinuteLogParams{Shard: int64(sh.number), Minute: 0, Minute_2: sh.end})
	if err != nil {
		return nil, database.Fault(fmt.Errorf("load shard %d: %w", sh.number, err))
	}
	sh.logged = sh.end
	past := map[int64][]logged{}
	for _, row := range rows {
		sh.logged = min(sh.logged, row.Minute)
		column, err := ledger.UnpackColumn(row.Data, row.Minute)
		if err != nil {
			return nil, fmt.Errorf("load shard %d, minute %d: %w", sh.number, row.Minute, err)
		}
		for _, c := range column {
			past[c.Slot] = append(past[c.Slot], logged{row.Minute, c})
		}
	}
	return past, nil
}

// filling is what a member's row is made of, once it was read.
type filling struct {
	sums  []window.Lasting // nil: all of it is summed up from the minutes
	from  int64
	seen  []ledger.Minute // as the budget counts them
	ready bool
}

// prepare reads what a member's row is made of. It changes nothing but the
// member, so that many are prepared at once.
func (sh *shard) prepare(ctx context.Context, m *member, kept *standing, log []logged) error {
	if kept != nil {
		alerts := m.alerts
		m.state, m.slicer = kept.state, kept.slicer
		m.doubt = kept.doubt
		m.alerts = alerts
	}
	m.watermark, m.final = sh.end, sh.final
	if kept != nil && kept.complete && kept.windows == m.d.windows && kept.end == sh.end && len(kept.sums) == len(m.d.lengths) {
		return sh.restore(ctx, m, kept, log)
	}
	if err := sh.summed(ctx, m); err != nil {
		return err
	}
	reach := m.def.reach(sh.end)
	switch {
	case kept == nil:
		m.want(ledger.Between(reach, sh.end), reasonNew)
	case reach < m.from:
		m.want(ledger.Between(reach, m.from), reasonLonger)
	}
	return nil
}

// want has the minutes of a span read that the ledger does not know.
func (m *member) want(span minutes, reason string) {
	m.from = span.From
	unknown := []minutes{}
	for at := span.From; at < span.To; at++ {
		if i := at - m.filling.from; i >= 0 && i < int64(len(m.filling.seen)) && m.filling.seen[i].Known {
			continue
		}
		if n := len(unknown); n > 0 && unknown[n-1].To == at {
			unknown[n-1].To++
		} else {
			unknown = append(unknown, ledger.Between(at, at+1))
		}
	}
	for _, u := range unknown {
		m.backfill = m.backfill.more(u.Len(), reason)
	}
	m.missing = ledger.Join(append(unknown, m.missing...))
}

// restore reads the recent minutes of a member whose sums were stored.
func (sh *shard) restore(ctx context.Context, m *member, kept *standing, log []logged) error {
	first := max(m.def.Counting.Start(sh.end-window.Recent), 0)
	raw := make([]ledger.Minute, sh.end-first)
	var lumps []ledger.Lump
	for _, l := range log {
		if i := l.minute - first; i >= 0 && i < int64(len(raw)) {
			raw[i] = ledger.Minute{Total: l.Total, Bad: l.Bad, Known: true}
			if l.Since != 0 {
				lumps = append(lumps, ledger.Lump{From: l.Since, To: l.minute, Total: l.LateTotal, Bad: l.LateBad})
			}
		}
	}
	err := records(ctx, sh.s.db.Read(), m.name, hourOf(first), hourOf(sh.end), func(r *ledger.Record) {
		for i, x := range r.Hour {
			if at := r.First() + int64(i) - first; x.Known && at >= 0 && at < int64(len(raw)) {
				raw[at] = x
			}
		}
	})
	if err != nil {
		return err
	}
	m.filling = filling{sums: kept.sums, from: first, seen: sh.seen(m, first, raw), ready: true}
	m.recall(sh, first, raw, lumps)
	m.complete = true
	return nil
}

// summed reads all minutes that a member's windows reach.
func (sh *shard) summed(ctx context.Context, m *member) error {
	first, err := sh.first(ctx, m, nil)
	if err != nil {
		return err
	}
	h, err := sh.s.history(ctx, sh.s.db.Read(), m.def, ledger.Between(first, sh.end), time.Time{})
	if err != nil {
		return err
	}
	m.sum(sh, first, h)
	return nil
}

// first is the minute from which on a member's past is looked at: where its
// windows begin, or later where nothing at all is known before. read is what was
// just read of it and is not in the ledger yet, or nil.
func (sh *shard) first(ctx context.Context, m *member, read *reading) (int64, error) {
	reach := max(m.def.Counting.Start(m.def.reach(sh.end)), 0)
	sh.exclude(m, ledger.Between(reach, sh.end))
	if m.def.Counting.Sliced() || len(m.excluded) > 0 || sh.end-reach > mostMinutesKept {
		return reach, nil
	}
	hour, err := db.New(sh.s.db.Read()).FirstHour(ctx, db.FirstHourParams{Slo: m.name, Hour: hourOf(reach)})
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, database.Fault(fmt.Errorf("read the ledger of %s: %w", m.name, err))
	}
	first := min(sh.final, sh.logged)
	if err == nil {
		first = min(first, hour*ledger.MinutesPerHour)
	}
	if read != nil {
		first = min(first, read.span.From)
	}
	return max(first, reach), nil
}

// mostMinutesKept is how far back minutes are surely kept; beyond, there may be
// sums only.
const mostMinutesKept = 90 * 24 * 60

// sum has a member's row made anew from its history.
func (m *member) sum(sh *shard, first int64, h History) {
	if begun := h.begun(first); m.doubt.begun == 0 || begun > 0 && begun < m.doubt.begun {
		m.doubt.begun = begun
	}
	seen := sh.seen(m, first, h.Minutes)
	for _, o := range h.Old { // of the distant past only sums are kept
		o.place(h.Minutes, first, o.Events)
		o.place(seen, first, o.Budget)
	}
	m.doubtPast(h, seen, first, sh.final)
	m.filling = filling{from: first, seen: seen, ready: true}
	m.recall(sh, first, h.Minutes, h.Lumps)
	m.complete = true
}

// recall keeps what of the past may still turn out otherwise.
func (m *member) recall(sh *shard, first int64, raw []ledger.Minute, lumps []ledger.Lump) {
	m.raw = slices.Clone(raw[max(sh.final-first, 0):])
	m.lumps = nil
	for _, l := range lumps {
		if l.To >= sh.final && l.To < sh.end {
			m.lumps = append(m.lumps, l)
		}
	}
	m.slicer = budgeting.Slicer{}
	for at := max(m.def.Counting.Start(sh.final), first); at < sh.final; at++ {
		_, m.slicer = m.next(m.slicer, at, raw[at-first])
	}
}

// seen is what the budget counts over minutes, of which the first begins a slice.
func (sh *shard) seen(m *member, first int64, raw []ledger.Minute) []ledger.Minute {
	sh.exclude(m, ledger.Between(first, first+int64(len(raw))))
	if !m.def.Counting.Sliced() && len(m.excluded) == 0 {
		return raw
	}
	view := make([]ledger.Minute, len(raw))
	var s budgeting.Slicer
	for i, x := range raw {
		view[i], s = m.next(s, first+int64(i), x)
	}
	return view
}

// put takes what was prepared into the block.
func (m *member) put() error {
	f := m.filling
	m.filling = filling{}
	switch {
	case !f.ready:
		return errors.New("nothing was read")
	case f.sums == nil:
		m.block.Fill(m.row, f.from, f.seen)
	default:
		m.block.Restore(m.row, f.sums, f.from, f.seen)
	}
	return nil
}

// exclude finds out which minutes of a span do not count for a member, and some
// more, so that it need not be asked each minute.
func (sh *shard) exclude(m *member, span minutes) {
	if span.From >= m.knownFor.From && span.To <= m.knownFor.To {
		return
	}
	m.knownFor = ledger.Between(span.From, span.To+2*ledger.MinutesPerHour)
	m.excluded = nil
	if book := sh.book(); !book.Empty() {
		m.excluded = book.Minutes(coverage(m.name, m.d.Service, m.d.System, m.d.Owner), m.knownFor)
	}
}

func (sh *shard) book() *exclusion.Book {
	if sh.defined == nil {
		return nil
	}
	return sh.defined.exclusions
}

// loadEdges reads the hours in which long windows end.
func (sh *shard) loadEdges(ctx context.Context, b *window.Block) error {
	edges := b.Edges()
	if len(edges) == 0 {
		return nil
	}
	var mine []*member
	for _, m := range sh.members {
		if m.block == b {
			mine = append(mine, m)
		}
	}
	errs := make([]error, len(mine))
	hours := make([]map[int64]*ledger.Hour, b.Rows())
	each(loaders, len(mine), func(i int) { hours[mine[i].row], errs[i] = sh.edges(ctx, mine[i], edges) })
	if err := errors.Join(errs...); err != nil {
		return err
	}
	for _, e := range edges {
		b.Load(e, func(row int) *ledger.Hour { return hours[row][e.Hour] })
	}
	return nil
}

// edges reads hours of one member as its budget counts them.
func (sh *shard) edges(ctx context.Context, m *member, wanted []window.Edge) (map[int64]*ledger.Hour, error) {
	hours := map[int64]*ledger.Hour{}
	for _, e := range wanted {
		if hours[e.Hour] != nil || e.Hour < 0 {
			continue
		}
		first := max(m.def.Counting.Start(e.Hour*ledger.MinutesPerHour), 0)
		h := History{Minutes: make([]ledger.Minute, (e.Hour+1)*ledger.MinutesPerHour-first)}
		if sh.end-first > mostMinutesKept {
			if err := h.addOld(ctx, sh.s.db.Read(), m.name, ledger.Between(first, first+int64(len(h.Minutes)))); err != nil {
				return nil, err
			}
		}
		err := records(ctx, sh.s.db.Read(), m.name, hourOf(first), e.Hour, func(r *ledger.Record) {
			if len(h.Old) > 0 && !h.replaced(r.First()) {
				return
			}
			for i, x := range r.Hour {
				if at := r.First() + int64(i) - first; at >= 0 {
					h.Minutes[at] = x
				}
			}
		})
		if err != nil {
			return nil, err
		}
		x := *m // its exclusions are of another time
		x.knownFor = minutes{}
		seen := sh.seen(&x, first, h.Minutes)
		for _, o := range h.Old {
			o.place(seen, first, o.Budget)
		}
		hours[e.Hour] = (*ledger.Hour)(seen[len(seen)-ledger.MinutesPerHour:])
	}
	return hours, nil
}

// openAlertsBySLO are the alerts that are open.
func (s *Service) openAlertsBySLO(ctx context.Context) (map[string]map[burn.Severity]alert, error) {
	rows, err := db.New(s.db.Read()).AllOpenAlerts(ctx)
	if err != nil {
		return nil, database.Fault(fmt.Errorf("read open alerts: %w", err))
	}
	open := map[string]map[burn.Severity]alert{}
	for _, r := range rows {
		a := alert{ID: r.ID}
		if err := unmarshal(r.Data, &a.Data); err != nil {
			return nil, fmt.Errorf("read the alerts of %s: %w", r.Slo, err)
		}
		if open[r.Slo] == nil {
			open[r.Slo] = map[burn.Severity]alert{}
		}
		open[r.Slo][burn.Severity(r.Severity)] = a
	}
	return open, nil
}

// wait is how long after its end a minute is counted for the first time. It is
// found out once a minute.
func (sh *shard) wait() time.Duration {
	if sh.waitOf == sh.end && sh.waits > 0 {
		return sh.waits
	}
	wait := early
	apart := map[string]bool{} // by source
	for _, m := range sh.members {
		wait = min(wait, sh.s.soon(m.def))
		if _, known := apart[m.def.Source]; !known {
			q, err := sh.s.sources.Get(m.def.Source)
			apart[m.def.Source] = err == nil && !q.Anchored()
		}
	}
	for _, is := range apart {
		if is { // so that questions to a remote source do not all arrive at once
			wait += spread * time.Duration(sh.number) / shards
			break
		}
	}
	sh.waits, sh.waitOf = wait, sh.end
	return wait
}

// member finds an objective by its name.
func (sh *shard) member(name string) *member {
	for _, m := range sh.members {
		if m.name == name {
			return m
		}
	}
	return nil
}
