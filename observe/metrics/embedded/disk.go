package embedded

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/metrics"
)

// diskGuard refuses samples while the disk has less room than a reserve, so that
// the store's log never ends in the middle of a record and what is there can
// still be read, compacted and deleted. It looks again by itself.
type diskGuard struct {
	dir     string
	reserve uint64
	free    func(dir string) (uint64, error)
	log     *slog.Logger

	mu      sync.Mutex
	looked  time.Time
	isFull  bool
	refused int // appends since the disk became full
}

// lookEvery bounds how often the disk is asked.
const lookEvery = time.Second

// full reports whether samples are refused now.
func (d *diskGuard) full() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if now := time.Now(); now.Sub(d.looked) >= lookEvery || now.Before(d.looked) {
		d.looked = now
		d.look()
	}
	return d.isFull
}

// look asks the disk. It comes back only with a quarter more than the reserve,
// so that a disk at the edge does not flap.
func (d *diskGuard) look() {
	free, err := d.free(d.dir)
	if err != nil {
		d.log.Error("free space of the metrics store is unknown", "error", err)
		return
	}
	switch {
	case !d.isFull && free < d.reserve:
		d.isFull, d.refused = true, 0
		d.log.Error("disk full: metrics are not stored until there is room",
			"free_bytes", free, "needed_bytes", d.reserve)
	case d.isFull && free >= d.reserve+d.reserve/4:
		d.isFull = false
		d.log.Info("disk has room again: metrics are stored", "free_bytes", free, "refused_appends", d.refused)
	}
}

// hit notes that a write failed for want of space.
func (d *diskGuard) hit() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.isFull {
		d.isFull, d.looked = true, time.Now()
		d.log.Error("disk full: a write of metrics failed")
	}
}

func (d *diskGuard) refuse() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.refused++
	return diskFull()
}

// isFull reports whether an error means that there is no room on the disk.
func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

func diskFull() *fault.Error {
	return fault.New(fault.Unavailable, metrics.CodeDiskFull, text.Say(
		"the disk is full: no new metrics are stored; older ones can still be read",
		"ディスクの空きがないため、新しいメトリクスを保存していません（保存済みのものは参照できます）")).
		Fix(text.Say(
			"free space on the disk of the data folder, or shorten metrics.embedded.retention; storing resumes by itself",
			"データフォルダーのあるディスクの空きを増やすか、metrics.embedded.retention を短くしてください。空きができれば自動的に再開します")).
		After(time.Minute)
}

// AppenderV2 is how the scraper writes; what it commits is counted. Samples are
// refused while the disk is full.
func (s *Store) AppenderV2(ctx context.Context) storage.AppenderV2 {
	if s.disk.full() {
		return refusing{s}
	}
	return s.watch.appender(guarded{s.db.AppenderV2(ctx), s}, false)
}

// guarded notices when a commit fails for want of space.
type guarded struct {
	storage.AppenderV2
	s *Store
}

func (g guarded) Commit() error {
	err := g.AppenderV2.Commit()
	if isFull(err) {
		g.s.disk.hit()
		return diskFull().Wrap(err)
	}
	return err
}

// refusing accepts nothing.
type refusing struct{ s *Store }

func (r refusing) Append(storage.SeriesRef, labels.Labels, int64, int64, float64, *histogram.Histogram, *histogram.FloatHistogram, storage.AOptions) (storage.SeriesRef, error) {
	return 0, diskFull()
}
func (r refusing) Commit() error   { return r.s.disk.refuse() }
func (r refusing) Rollback() error { return nil }
