package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	promvalue "github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

// Receive is an appender for samples that others send. They may be older than
// what their series has, by up to Options.OutOfOrder; what is late is told to who
// counts, see Late. A new series beyond Options.MaxSeries is ErrTooManySeries.
// What Commit took survives an abrupt end of the process; Sync has it survive one
// of the machine.
func (s *Store) Receive(ctx context.Context) storage.AppenderV2 {
	if s.disk.full() {
		return refusing{s}
	}
	a := s.db.AppenderV2(ctx)
	known, _ := a.(storage.GetRef)
	return &limited{s.watch.appender(guarded{a, s}, true), known, s}
}

// ErrTooManySeries is why a series is refused that is not there yet.
var ErrTooManySeries = errors.New("the store holds as many series as it may")

// limited refuses new series where there are too many.
type limited struct {
	storage.AppenderV2
	known storage.GetRef
	s     *Store
}

// Append implements storage.AppenderV2.
func (l *limited) Append(ref storage.SeriesRef, ls labels.Labels, st, t int64, v float64, h *histogram.Histogram, fh *histogram.FloatHistogram, o storage.AOptions) (storage.SeriesRef, error) {
	if ref == 0 && l.known != nil {
		if ref, _ = l.known.GetRef(ls, ls.Hash()); ref == 0 && l.s.Series() >= l.s.o.MaxSeries {
			return 0, ErrTooManySeries
		}
	}
	return l.AppenderV2.Append(ref, ls, st, t, v, h, fh, o)
}

// Series is how many series are in memory: those that had a sample in the last
// hours.
func (s *Store) Series() int { return int(s.db.Head().NumSeries()) } //nolint:gosec // far fewer

// Standing is where a series stood last: a number or a native histogram. Times are
// in Unix milliseconds, and 0 where nothing is known.
type Standing struct {
	At, Changed int64 // the latest sample, and the latest that was not the same as before
	Value       float64
	Histogram   *histogram.FloatHistogram
}

// Last is where a series stood last, not longer ago than since.
func (s *Store) Last(ls labels.Labels, since int64) (x Standing, err error) {
	err = s.eachOf(ls, since, s.newest(), func(it chunkenc.Iterator, kind chunkenc.ValueType) {
		next := x
		next.Histogram = nil
		switch kind {
		case chunkenc.ValFloat:
			next.At, next.Value = it.At()
		case chunkenc.ValHistogram, chunkenc.ValFloatHistogram:
			next.At, next.Histogram = it.AtFloatHistogram(nil)
			next.Value = next.Histogram.Sum
		}
		if promvalue.IsStaleNaN(next.Value) {
			return
		}
		if x.At == 0 || next.Value != x.Value || next.Histogram != nil && !next.Histogram.Equals(x.Histogram) {
			next.Changed = next.At
		}
		if next.Histogram != nil {
			next.Value = next.Histogram.Sum
		}
		x = next
	})
	return x, err
}

// Has reports whether a series has a sample of exactly that time.
func (s *Store) Has(ls labels.Labels, at int64) (has bool, err error) {
	err = s.eachOf(ls, at, at, func(chunkenc.Iterator, chunkenc.ValueType) { has = true })
	return has, err
}

// syncer has what was written to the logs reach the disk, once for all who wait.
type syncer struct {
	asked atomic.Int64

	mu     sync.Mutex
	done   int64              // what was asked up to here is on the disk
	synced map[string]segment // by folder: the newest that was
}

// segment is a file of a log, as it was when it reached the disk.
type segment struct {
	number int
	size   int64
}

// Sync returns when all that was committed before is on the disk.
func (s *Store) Sync() error {
	y := &s.syncer
	mine := y.asked.Add(1)
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.done >= mine {
		return nil
	}
	all := y.asked.Load()
	for _, folder := range []string{"wal", "wbl"} {
		if err := y.folder(filepath.Join(s.o.Dir, folder)); err != nil {
			return s.importFault(fmt.Errorf("sync the metrics store: %w", err))
		}
	}
	y.done = all
	return nil
}

// folder syncs the segments of a log that were written to since.
func (y *syncer) folder(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	last, known := y.synced[dir]
	newest := last
	for _, e := range entries {
		n, err := strconv.Atoi(e.Name())
		if err != nil || known && n < last.number {
			continue
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) || err == nil && known && (segment{n, info.Size()}) == last {
			continue // one that was cut away meanwhile is in a block
		}
		if err == nil {
			err = syncFile(filepath.Join(dir, e.Name()))
		}
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if n >= newest.number {
			newest = segment{n, info.Size()}
		}
	}
	if !known || newest.number != last.number { // a file that is new is to be found again
		if err := syncFile(dir); err != nil {
			return err
		}
	}
	if y.synced == nil {
		y.synced = map[string]segment{}
	}
	y.synced[dir] = newest
	return nil
}

// syncFile has a file or folder on the disk.
func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
