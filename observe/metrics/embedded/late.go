package embedded

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/metrics/increase"
	"github.com/teiten/teiten/observe/metrics/promexpr"
)

var _ metrics.Latecomer = (*Store)(nil)

const (
	// keptAfter is how long after the end of their minute samples come for which
	// that is written down. Until then the minute is read again in any case.
	keptAfter = 30 * time.Second
	lateFile  = "late.json"
	lateHour  = 60
	// mostLateTargets bounds how many targets are told apart whose own samples came
	// late; of more of them, everything is counted again.
	mostLateTargets = 1000
)

// overAt is the first minute that is not over yet.
func overAt(now time.Time) int64 { return metrics.MinuteAfter(now.UnixMilli()) }

// late remembers of which minutes samples came after they were over.
//
// Which selections are concerned is in memory. That there is something to be
// counted again is also in a file, by the hour, before a sender is told that its
// samples are stored: after an abrupt end all of those hours are counted again.
type late struct {
	path string

	mu      sync.Mutex
	mark    int64         // counts what was noted
	any     increase.Span // of whatever series
	all     increase.Span // from before the process began
	targets map[lateTarget]increase.Span
	open    increase.Span // in hours; not taken yet
	kept    increase.Span // in hours; as the file has it
}

// lateTarget is what was scraped elsewhere. Its up and the time at which it began
// decide what appearances and restarts of all of its series count.
type lateTarget struct{ job, instance string }

// read takes over what an abrupt end left.
func (l *late) read(dir string) error {
	l.path = filepath.Join(dir, lateFile)
	b, err := os.ReadFile(l.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(b, &l.kept)
	}
	if err != nil {
		return fmt.Errorf("read which samples came late: %w", err)
	}
	l.open, l.mark = l.kept, 1
	l.all = increase.Span{From: l.kept.From * lateHour, To: l.kept.To * lateHour}
	return nil
}

// note takes samples that were stored just now. Where selections are not watched
// yet, they concern all of them.
func (l *late) note(samples []noted, now time.Time, watched bool) {
	over, kept := overAt(now), overAt(now.Add(-keptAfter))
	var span increase.Span
	for i := range samples {
		n := &samples[i]
		m := metrics.MinuteOf(n.t)
		if m >= over {
			continue
		}
		span = span.With(m, m+1)
		if name := n.ls.Get(model.MetricNameLabel); name == "up" || name == "process_start_time_seconds" {
			l.noteTarget(n.ls, m, over)
		}
	}
	if span.To == span.From {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mark++
	// Whatever comes after a sample in its series counts otherwise by it.
	l.any = l.any.With(span.From, over)
	if !watched {
		l.all = l.all.With(span.From, over)
	}
	if span.From < kept {
		l.open = l.open.With(hourOf(span.From), hourOf(over)+1)
	}
}

func hourOf(minute int64) int64 { return minute / lateHour }

func (l *late) noteTarget(ls labels.Labels, minute, over int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.targets == nil {
		l.targets = map[lateTarget]increase.Span{}
	}
	t := lateTarget{ls.Get("job"), ls.Get("instance")}
	if _, ok := l.targets[t]; !ok && len(l.targets) >= mostLateTargets {
		l.all = l.all.With(minute, over)
		return
	}
	l.targets[t] = l.targets[t].With(minute, over)
}

// keep writes down what is open, where the file does not say so yet.
func (l *late) keep() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	want := l.kept.With(l.open.From, l.open.To)
	if want == l.kept {
		return nil
	}
	b, err := json.Marshal(want)
	if err == nil {
		err = writeDurably(l.path, b)
	}
	if err != nil {
		return fmt.Errorf("write which samples came late: %w", err)
	}
	l.kept = want
	return nil
}

// taken forgets what was noted up to a mark.
func (l *late) taken(mark int64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if mark != l.mark || l.kept == (increase.Span{}) {
		return nil // more has come since: the file goes with that
	}
	if err := os.Remove(l.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forget which samples came late: %w", err)
	}
	l.open, l.kept = increase.Span{}, increase.Span{}
	return nil
}

// Late implements metrics.Latecomer.
func (s *Store) Late() ([]metrics.Late, int64) {
	w, l := s.watch, &s.watch.late
	w.mu.Lock()
	defer w.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.targets) > 0 {
		for _, sr := range w.series {
			if sr == nil {
				continue
			}
			// A series' next sample after it may tell otherwise what it counts.
			if span, ok := l.targets[lateTarget{sr.ls.Get("job"), sr.ls.Get("instance")}]; ok {
				sr.late(span.From, span.To+1)
			}
		}
	}
	changed := w.live.Late()
	if l.any.To > l.any.From {
		changed = append(changed, metrics.Late{From: l.any.From, To: l.any.To + 1})
	}
	if l.all.To > l.all.From {
		changed = append(changed, metrics.Late{All: true, From: l.all.From, To: l.all.To + 1})
	}
	l.any, l.all, l.targets = increase.Span{}, increase.Span{}, nil
	return changed, l.mark
}

// LateTaken implements metrics.Latecomer.
func (s *Store) LateTaken(mark int64) error { return s.watch.late.taken(mark) }

func (sr *series) late(from, to int64) {
	for _, p := range sr.parts {
		p.Late(from, to)
	}
}

// distrust has the minutes up to a moment read again of what a series is part of.
func (sr *series) distrust(t int64) {
	for _, p := range sr.parts {
		p.Distrust(metrics.MinuteOf(t))
	}
}

// outOfTurn deals with a sample that is not the newest of its series, and reports
// whether it is such a one. What was counted between it and the newest is read
// again, and the series is followed anew from its next sample on. It also notes
// what minutes a late sample concerns that is the newest.
func (w *watch) outOfTurn(sr *series, n *noted, over int64) bool {
	minute := metrics.MinuteOf(n.t)
	if sr.newest == 0 { // it is met first, and may have been there before
		sr.newest = w.s.newestOf(sr.ls, n)
	}
	if n.t > sr.newest {
		if minute < over {
			from := minute
			if sr.newest > 0 { // minutes between two samples are known by both
				from = min(metrics.MinuteOf(sr.newest)+1, minute)
			}
			sr.late(from, minute+1)
		}
		sr.newest = n.t
		return false
	}
	if n.t == sr.state.T && n.v == sr.state.V && n.st <= sr.state.T {
		return true // it was sent twice
	}
	newest := metrics.MinuteOf(sr.newest)
	sr.distrust(sr.newest)
	sr.late(minute, min(newest, over)+1)
	sr.state = increase.State{}
	return true
}

// newestOf is the time of the newest sample that is stored of a series besides the
// one that is being counted, where there is any after that.
func (s *Store) newestOf(ls labels.Labels, n *noted) (newest int64) {
	to := s.newest()
	if to <= n.t {
		return 0
	}
	err := s.samplesOf(ls, promexpr.Observed{Histogram: n.count}, n.t+1, to, func(t int64, _ float64) { newest = max(newest, t) })
	if err != nil {
		s.log.Error("the metrics store cannot be read", "error", err)
	}
	return newest
}

// writeDurably replaces a file, so that it is on the disk when it returns.
func writeDurably(path string, b []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+"-*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(b)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncFile(filepath.Dir(path))
}
