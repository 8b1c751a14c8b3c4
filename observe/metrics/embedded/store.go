// Package embedded keeps time series in the data folder and scrapes targets by
// itself, so that the product works without any other server.
//
// It is Prometheus as a library: its store, its query engine, its scraper and
// its discovery of targets, with its configuration syntax. It also takes what
// others send (package receive). It has no rules and no alerting; who needs those
// runs Prometheus and points a data source at it.
package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/discovery"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/scrape"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/util/compression"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/metrics/promexpr"
)

// Sizes of the store. They are small because the product shares a small machine
// with what it watches: thousands of series, not millions.
const (
	headRange       = 2 * time.Hour // what is kept in memory before it becomes a block
	longestBlock    = 31 * 24 * time.Hour
	stripes         = 1 << 10 // of the series table; Prometheus' 16,384 cost 2 MB
	walSegmentBytes = 32 << 20
	headWriteBuffer = 256 << 10
	lookback        = 5 * time.Minute
)

// Defaults of Options.
const (
	DefaultRetention    = 45 * 24 * time.Hour // 30-day windows and the review after them
	DefaultQueryTimeout = 30 * time.Second
	DefaultMaxSamples   = 10_000_000 // 16 bytes each while a query runs
	DefaultConcurrency  = 8
	DefaultMinFree      = 64 << 20
	DefaultInterval     = 15 * time.Second

	// DefaultOutOfOrder is how old a sample may be that is sent: longer than the
	// usual senders keep what they could not send. A Prometheus server does so for
	// two to three hours, its agent for four, others for up to eight.
	DefaultOutOfOrder = 12 * time.Hour
	DefaultMaxSeries  = 500_000 // about 8 KB each
)

// Options says where the store lives and what it may use. Zero values stand for
// the defaults above.
type Options struct {
	Dir              string        // the store's own folder; it is made where it is missing
	ScrapeConfigFile string        // in Prometheus' syntax, see LoadScrapeConfig; may be empty
	Targets          []Target      // scraped besides those of the file
	RetentionTime    time.Duration // how long samples are kept
	RetentionSize    int64         // how many bytes blocks may take; 0 is no limit
	QueryTimeout     time.Duration
	MaxSamples       int              // a query may hold in memory
	MaxConcurrency   int              // queries at a time; others wait
	MinFree          int64            // bytes free on the disk below which no sample is accepted
	OutOfOrder       time.Duration    // how much older than the newest a sample may be that is sent
	MaxSeries        int              // in memory, beyond which none is taken that is sent and new
	Now              func() time.Time // by which samples are late that are sent; time.Now where nil
	Registerer       prometheus.Registerer
	Log              *slog.Logger
}

func (o *Options) setDefaults() {
	setDefault(&o.RetentionTime, DefaultRetention)
	setDefault(&o.QueryTimeout, DefaultQueryTimeout)
	setDefault(&o.MaxSamples, DefaultMaxSamples)
	setDefault(&o.MaxConcurrency, DefaultConcurrency)
	setDefault(&o.MinFree, DefaultMinFree)
	setDefault(&o.OutOfOrder, DefaultOutOfOrder)
	setDefault(&o.MaxSeries, DefaultMaxSeries)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Registerer == nil {
		o.Registerer = prometheus.NewRegistry()
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
}

func setDefault[T comparable](v *T, to T) {
	var zero T
	if *v == zero {
		*v = to
	}
}

// Store is an open store. It is safe for concurrent use.
type Store struct {
	o         Options
	log       *slog.Logger
	db        *tsdb.DB
	dbMetrics *prometheus.Registry
	engine    *promql.Engine
	slots     chan struct{} // one per running query
	disk      diskGuard
	watch     *watch
	syncer    syncer

	discovery *discovery.Manager
	scraper   *scrape.Manager
	stop      context.CancelFunc // ends discovery

	applying    sync.Mutex // guards what is scraped: targets, file
	targets     []Target
	file        scrapeFile
	configFault atomic.Pointer[fault.Error] // of the file as it is now; the last good one runs
	importing   sync.Mutex
	closing     sync.Once
}

var (
	_ metrics.Querier = (*Store)(nil)
	_ metrics.Checker = (*Store)(nil)

	_ metrics.TargetLister = (*Store)(nil)
)

// Open opens the store, makes it where it is missing, and repairs what an
// abrupt end left behind. It answers queries at once; it scrapes while Run runs.
// A scrape file that cannot be used is an Invalid fault.
func Open(_ context.Context, o Options) (*Store, error) {
	o.setDefaults()
	s := &Store{
		o: o, log: o.Log,
		slots:   make(chan struct{}, o.MaxConcurrency),
		targets: o.Targets,
	}
	s.watch = newWatch(s)
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the metrics folder: %w", err)
	}
	if err := errors.Join(removeSpools(o.Dir), s.watch.late.read(o.Dir)); err != nil {
		return nil, err
	}
	s.disk = diskGuard{dir: o.Dir, reserve: uint64(o.MinFree), free: freeBytes, log: s.log}
	file, err := readScrapeFile(o.ScrapeConfigFile, s.log)
	if err != nil {
		return nil, err
	}
	s.file = file
	if err := s.openDB(); err != nil {
		return nil, err
	}
	if err := s.forgetFuture(time.Now()); err != nil {
		return nil, err
	}
	if err := o.Registerer.Register(s.dbMetrics); err != nil {
		return nil, errors.Join(fmt.Errorf("register the metrics of the store: %w", err), s.db.Close())
	}
	s.engine = promql.NewEngine(promql.EngineOpts{
		Logger:               s.log,
		Reg:                  o.Registerer,
		MaxSamples:           o.MaxSamples,
		Timeout:              o.QueryTimeout,
		LookbackDelta:        lookback,
		EnableAtModifier:     true,
		EnableNegativeOffset: true,
		Parser:               parser.NewParser(promexpr.Options),
		NoStepSubqueryIntervalFn: func(int64) int64 {
			return time.Minute.Milliseconds()
		},
	})
	if err := s.openScraper(); err != nil {
		return nil, errors.Join(err, s.db.Close())
	}
	return s, nil
}

func (s *Store) openDB() error {
	longest := min(max(s.o.RetentionTime/10, headRange), longestBlock)
	o := tsdb.DefaultOptions()
	o.RetentionDuration = s.o.RetentionTime.Milliseconds()
	o.MaxBytes = s.o.RetentionSize
	o.MinBlockDuration = headRange.Milliseconds()
	o.MaxBlockDuration = longest.Milliseconds()
	o.WALSegmentSize = walSegmentBytes
	o.WALCompression = compression.Snappy
	o.StripeSize = stripes
	o.HeadChunksWriteBufferSize = headWriteBuffer
	o.EnableOverlappingCompaction = true
	o.OutOfOrderTimeWindow = s.o.OutOfOrder.Milliseconds()
	// A counter that says when it began gets a zero at that moment. Its first
	// increase counts then, and a restart between two scrapes is always seen.
	o.EnableSTAsZeroSample = true
	// A registry of its own, because the database may have to be opened twice.
	s.dbMetrics = prometheus.NewRegistry()
	db, err := tsdb.Open(s.o.Dir, s.log, s.dbMetrics, o, tsdb.NewDBStats())
	if err != nil {
		return openFault(s.o.Dir, err)
	}
	s.db = db
	return nil
}

// openFault says what a person can do where the store does not open.
func openFault(dir string, err error) error {
	f := fault.New(fault.Unavailable, "metrics.store_open", text.Say(
		"the metrics store in %s cannot be opened", "メトリクスの保存先 %s を開けません", filepath.Base(dir))).
		Fix(text.Say(
			"check that no other server uses this folder, that it can be written, and that the disk has room",
			"ほかのサーバーが同じフォルダーを使っていないか、書き込み権限とディスクの空きがあるかを確認してください"))
	if isFull(err) {
		f = diskFull()
	}
	return f.Wrap(fmt.Errorf("open tsdb in %s: %w", dir, err))
}

// Close ends scraping and closes the store. What was accepted is on disk.
func (s *Store) Close() error {
	var err error
	s.closing.Do(func() {
		s.stop()
		s.scraper.Stop()
		err = s.db.Close()
	})
	return err
}

// Check reports what keeps the store from doing its work: a full disk, samples
// from the future (both Unavailable) or a scrape file that cannot be used
// (Invalid). Queries are answered in both cases.
func (s *Store) Check(context.Context) error {
	if s.disk.full() {
		return diskFull()
	}
	if f := s.clockFault(time.Now()); f != nil {
		return f
	}
	if f := s.configFault.Load(); f != nil {
		return f
	}
	return nil
}

// Span is the time from the oldest to the newest sample, and false where the
// store is empty.
func (s *Store) Span() (from, to time.Time, ok bool) {
	lo, hi := int64(math.MaxInt64), int64(math.MinInt64)
	for _, b := range s.db.Blocks() {
		lo, hi = min(lo, b.MinTime()), max(hi, b.MaxTime()-1)
	}
	if h := s.db.Head(); h.NumSeries() > 0 {
		lo, hi = min(lo, begin(h)), max(hi, h.MaxTime())
	}
	if lo > hi {
		return time.Time{}, time.Time{}, false
	}
	return time.UnixMilli(lo).UTC(), time.UnixMilli(hi).UTC(), true
}

// begin is the time of the oldest sample in memory.
func begin(h *tsdb.Head) int64 { return min(h.MinTime(), h.MinOOOTime()) }

// Append writes samples as if they had just been scraped. All are durable when
// it returns nil; on an error none is. Points of a series must not be older than
// what it has already.
func (s *Store) Append(ctx context.Context, rows []metrics.Series) (err error) {
	a := s.AppenderV2(ctx)
	for _, row := range rows {
		ls := labels.FromMap(row.Labels)
		var ref storage.SeriesRef
		for _, p := range row.Points {
			ref, err = a.Append(ref, ls, 0, p.T, p.V, nil, nil, storage.AOptions{RejectOutOfOrder: true})
			if err != nil {
				return errors.Join(appendFault(row, p, err), a.Rollback())
			}
		}
	}
	if err := a.Commit(); err != nil {
		if f, ok := fault.As(err); ok {
			return f
		}
		return fmt.Errorf("append samples: %w", err)
	}
	return nil
}

// appendFault tells samples that cannot be right from a store that cannot take
// them now.
func appendFault(row metrics.Series, p metrics.Point, err error) error {
	if f, ok := fault.As(err); ok {
		return f
	}
	for _, refused := range []error{storage.ErrOutOfOrderSample, storage.ErrOutOfBounds, storage.ErrDuplicateSampleForTimestamp, storage.ErrTooOldSample} {
		if errors.Is(err, refused) {
			return fault.New(fault.Invalid, "metrics.sample_order", text.Say(
				"the sample of %s at %s is older than what the store holds already",
				"%[1]s の %[2]s のサンプルは、すでに保存されているものより古いため受け付けられません",
				row.Name(), p.Time().Format(time.RFC3339))).Wrap(err)
		}
	}
	return fmt.Errorf("append a sample of %s: %w", row.Name(), err)
}
