package embedded

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// Sample is one value of history.
type Sample struct {
	Series int   // index into the labels given to Import
	T      int64 // Unix milliseconds
	V      float64
	H      *histogram.Histogram // instead of V, where not nil
}

const (
	importBlock  = 54 * 60 * 60 * 1000 // milliseconds; a range of the compactor, so that blocks stay as they are
	commitEvery  = 20_000              // samples per transaction of a block
	reportEvery  = 250_000
	ctxEvery     = 10_000
	blockStripes = 1 << 8
)

// Import writes history as finished blocks, past the log and the head: millions
// of samples in seconds. Samples may come in any order across series, and in
// day and within each series strictly. The store may be open and scraping: what is
// imported must be older than everything that was scraped, and otherwise all is
// refused with a Conflict fault. Each block appears whole or not at all; all are
// visible to queries when Import returns. progress, where not nil, is told the
// number of samples taken so far.
//
// Importing the same samples twice is harmless: they are kept once.
func (s *Store) Import(ctx context.Context, series []map[string]string, samples iter.Seq[Sample], progress func(done int)) error {
	s.importing.Lock()
	defer s.importing.Unlock()
	if s.disk.full() {
		return s.disk.refuse()
	}
	spool, err := os.MkdirTemp(s.o.Dir, "import-*.tmp")
	if err != nil {
		return fmt.Errorf("make a folder for the import: %w", err)
	}
	defer func() {
		if err := os.RemoveAll(spool); err != nil {
			s.log.WarnContext(ctx, "left behind by an import", "error", err)
		}
	}()

	im := &importer{
		limit: s.firstScraped(), spool: spool, blocks: map[int64]*importedBlock{},
		labels: make([]labels.Labels, len(series)), last: math.MinInt64, first: math.MaxInt64,
		report: progress,
	}
	for i, ls := range series {
		im.labels[i] = labels.FromMap(ls)
	}
	defer im.close()
	if err := im.take(ctx, samples); err != nil {
		return s.importFault(err)
	}
	if im.taken == 0 {
		return nil
	}
	if err := im.write(ctx, s.o.Dir, s); err != nil {
		return s.importFault(err)
	}
	if err := s.showBlocks(im.first, im.last); err != nil {
		return err
	}
	s.watch.distrust()
	return nil
}

// importFault notes a full disk.
func (s *Store) importFault(err error) error {
	if isFull(err) {
		s.disk.hit()
		return diskFull().Wrap(err)
	}
	return err
}

// firstScraped is the moment before which history may be written: now, or the
// oldest sample that is in memory. A block that reached beyond it would, at the next
// start, pass for the place where the log was cut.
func (s *Store) firstScraped() int64 {
	now := time.Now().UnixMilli()
	if h := s.db.Head(); h.NumSeries() > 0 {
		return min(begin(h), now)
	}
	return now
}

// removeSpools clears what imports that were cut short have left.
func removeSpools(dir string) error {
	left, err := filepath.Glob(filepath.Join(dir, "import-*.tmp"))
	if err != nil {
		return fmt.Errorf("look for cut imports: %w", err)
	}
	for _, d := range left {
		if err := os.RemoveAll(d); err != nil {
			return fmt.Errorf("remove a cut import: %w", err)
		}
	}
	return nil
}

// showBlocks makes the store look for new blocks now. Compacting an empty part
// of the head is the exported way to ask for that: nothing is written, and the
// head is only told that it starts after the blocks, as at a start.
func (s *Store) showBlocks(first, last int64) error {
	if err := s.db.CompactHead(tsdb.NewRangeHeadWithIsolationDisabled(s.db.Head(), first, last)); err != nil {
		return fmt.Errorf("load imported blocks: %w", err)
	}
	return nil
}

// importer spreads samples over blocks.
type importer struct {
	limit       int64
	spool       string
	labels      []labels.Labels
	blocks      map[int64]*importedBlock
	first, last int64
	taken       int
	report      func(int)
}

// importedBlock is a block being filled.
type importedBlock struct {
	head     *tsdb.Head
	app      storage.Appender
	pending  int
	refs     []storage.SeriesRef // by series; 0 until the series is known
	from, to int64
}

func (im *importer) take(ctx context.Context, samples iter.Seq[Sample]) error {
	var current *importedBlock
	for x := range samples {
		if im.taken%ctxEvery == 0 && ctx.Err() != nil {
			return fmt.Errorf("import: %w", ctx.Err())
		}
		if x.T >= im.limit {
			return fault.New(fault.Conflict, "metrics.import_overlap", text.Say(
				"history must be older than what was scraped already", "履歴は、すでに収集したメトリクスより古いものに限られます")).
				Fix(text.Say("import before scraping starts, or into an empty data folder",
					"収集を始める前に取り込むか、空のデータフォルダーを使ってください"))
		}
		if x.Series < 0 || x.Series >= len(im.labels) {
			return fmt.Errorf("import: sample of series %d of %d", x.Series, len(im.labels))
		}
		if current == nil || x.T < current.from || x.T >= current.to {
			b, err := im.block(x.T)
			if err != nil {
				return err
			}
			current = b
		}
		if err := current.add(ctx, im.labels[x.Series], x); err != nil {
			return err
		}
		im.first, im.last = min(im.first, x.T), max(im.last, x.T)
		if im.taken++; im.taken%reportEvery == 0 && im.report != nil {
			im.report(im.taken)
		}
	}
	if im.report != nil {
		im.report(im.taken)
	}
	return nil
}

// block is the one that holds t.
func (im *importer) block(t int64) (*importedBlock, error) {
	from := t - mod(t, importBlock)
	if b := im.blocks[from]; b != nil {
		return b, nil
	}
	dir, err := os.MkdirTemp(im.spool, "head")
	if err != nil {
		return nil, fmt.Errorf("make a folder for a block: %w", err)
	}
	o := tsdb.DefaultHeadOptions()
	o.ChunkRange = importBlock
	o.ChunkDirRoot = dir
	o.StripeSize = blockStripes
	o.ChunkWriteBufferSize = headWriteBuffer
	o.IsolationDisabled = true
	h, err := tsdb.NewHead(nil, nil, nil, nil, o, tsdb.NewHeadStats())
	if err != nil {
		return nil, fmt.Errorf("start a block: %w", err)
	}
	b := &importedBlock{head: h, refs: make([]storage.SeriesRef, len(im.labels)), from: from, to: from + importBlock}
	im.blocks[from] = b
	if err := h.Init(math.MinInt64); err != nil {
		return nil, fmt.Errorf("start a block: %w", err)
	}
	return b, nil
}

func mod(a, b int64) int64 { return ((a % b) + b) % b }

func (b *importedBlock) add(ctx context.Context, ls labels.Labels, x Sample) error {
	if b.app == nil {
		b.app = b.head.Appender(ctx)
	}
	var ref storage.SeriesRef
	var err error
	if x.H != nil {
		ref, err = b.app.AppendHistogram(b.refs[x.Series], ls, x.T, x.H, nil)
	} else {
		ref, err = b.app.Append(b.refs[x.Series], ls, x.T, x.V)
	}
	if err != nil {
		return fmt.Errorf("import %s at %d: %w", ls, x.T, err)
	}
	b.refs[x.Series] = ref
	if b.pending++; b.pending >= commitEvery {
		return b.commit()
	}
	return nil
}

func (b *importedBlock) commit() error {
	if b.app == nil {
		return nil
	}
	app := b.app
	b.app, b.pending = nil, 0
	if err := app.Commit(); err != nil {
		return fmt.Errorf("import: %w", err)
	}
	return nil
}

// write turns the blocks into folders of the store, oldest first.
func (im *importer) write(ctx context.Context, dest string, s *Store) error {
	compactor, err := tsdb.NewLeveledCompactor(ctx, nil, s.log, []int64{importBlock}, chunkenc.NewPool(), nil)
	if err != nil {
		return fmt.Errorf("import: %w", err)
	}
	var written []ulid.ULID
	undo := func(err error) error {
		for _, id := range written {
			err = errors.Join(err, os.RemoveAll(filepath.Join(dest, id.String())))
		}
		return err
	}
	starts := make([]int64, 0, len(im.blocks))
	for from := range im.blocks {
		starts = append(starts, from)
	}
	slices.Sort(starts)
	for _, from := range starts {
		b := im.blocks[from]
		if err := b.commit(); err != nil {
			return undo(err)
		}
		// Blocks end behind their last sample: [from, to).
		ids, err := compactor.Write(dest, b.head, b.head.MinTime(), b.head.MaxTime()+1, nil)
		if err != nil {
			return undo(fmt.Errorf("write a block of history: %w", err))
		}
		written = append(written, ids...)
		if err := b.head.Close(); err != nil {
			return undo(fmt.Errorf("close a block of history: %w", err))
		}
		delete(im.blocks, from)
	}
	return nil
}

// close releases what an import that failed has left open.
func (im *importer) close() {
	for _, b := range im.blocks {
		if b.app != nil {
			_ = b.app.Rollback()
		}
		_ = b.head.Close()
	}
}
