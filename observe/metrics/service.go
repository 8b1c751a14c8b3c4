package metrics

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/secret"
	"github.com/teiten/teiten/kit/text"
)

// Options is what Sources needs.
type Options struct {
	DB      *database.DB
	Log     *slog.Logger
	Now     func() time.Time
	Open    func(Connection) (Querier, error) // remote.Open
	Secrets secret.Lookup                     // what references in documents may name

	// Guard, where set, is given to each connection as its DialGuard.
	Guard func(Connection) Connection
}

const (
	reloadEvery  = 5 * time.Second  // sources may have been changed on another replica
	checkEvery   = 30 * time.Second // a source that nobody asked meanwhile
	recheckEvery = 10 * time.Second // a source that is not well
	checkTimeout = 15 * time.Second
)

// Sources is the registry of named sources. It is safe for concurrent use.
type Sources struct {
	o Options

	reloading sync.Mutex
	mu        sync.RWMutex
	sources   map[string]*source
	changed   chan struct{} // wakes Run
	explorers chan struct{} // the questions of people under way
	stale     atomic.Bool   // what is stored is about to change
	receivers map[string]SenderLister
}

// NewSources returns a registry that is empty until a source is added with
// AddBuiltin or Reload has read what is stored.
func NewSources(o Options) *Sources {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Sources{o: o, sources: map[string]*source{}, changed: make(chan struct{}, 1), explorers: make(chan struct{}, explorerAtOnce)}
}

// source is one named source and what is known of it. It is the Querier that
// callers get: it notes how each question went.
type source struct {
	declared
	builtin bool
	inner   Querier      // nil where it could not be opened
	broken  *fault.Error // why
	now     func() time.Time

	mu       sync.Mutex
	state    State
	checking bool
}

var _ Querier = (*source)(nil)

// AddBuiltin adds the source that the program brings along, such as the embedded
// store. A declared source of the same name is not used.
func (s *Sources) AddBuiltin(name string, q Querier) { s.AddOwn(name, KindEmbedded, q) }

// AddOwn is AddBuiltin for a source of another kind. Only the embedded store is
// the default one by itself.
func (s *Sources) AddOwn(name, kind string, q Querier) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sources[name] = &source{
		declared: declared{name: name}, builtin: true, inner: q, now: s.o.Now,
		state: State{Name: name, Kind: kind, Status: Unknown},
	}
	s.wake()
}

func (s *Sources) wake() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// Get returns the source of a name, and the default one for "". Sources change
// while the program runs, so callers get them anew for each round of questions.
// An unknown name is a NotFound fault; a source that cannot be opened is an
// Unavailable one.
func (s *Sources) Get(name string) (Querier, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	src, err := s.find(name)
	if err != nil {
		return nil, err
	}
	if src.inner == nil {
		return nil, fault.New(fault.Unavailable, "metrics.source_broken", text.Say(
			"the data source %q cannot be used: %s", "データソース %q を使えません: %s", src.name, src.broken.What)).
			Fix(src.broken.Remedy).Wrap(src.broken)
	}
	if c, ok := src.inner.(Counting); ok {
		return counting{src, c}, nil
	}
	return src, nil
}

// Exists reports whether a source of this name is known; "" asks for a default.
func (s *Sources) Exists(name string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, err := s.find(name)
	return err == nil
}

// Builtin reports whether the program itself brings the source along.
func (s *Sources) Builtin(name string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	src := s.sources[name]
	return src != nil && src.builtin
}

// find needs mu held.
func (s *Sources) find(name string) (*source, error) {
	if name == "" {
		if src := s.standard(); src != nil {
			return src, nil
		}
		return nil, fault.New(fault.NotFound, "metrics.no_default_source", text.Say(
			"no data source is the default one", "既定のデータソースがありません")).
			Fix(text.Say("name the data source, or mark one with the annotation teiten.dev/default: \"true\"",
				"データソースを名前で指定するか、いずれかに注釈 teiten.dev/default: \"true\" を付けてください"))
	}
	if src := s.sources[name]; src != nil {
		return src, nil
	}
	names := make([]string, 0, len(s.sources))
	for n := range s.sources {
		names = append(names, n)
	}
	slices.Sort(names)
	return nil, fault.New(fault.NotFound, "metrics.source_unknown", text.Say(
		"there is no data source %q", "データソース %q はありません", name)).
		Fix(text.Say("apply a DataSource of that name, or use one of: %s", "その名前の DataSource を適用するか、次のいずれかを使ってください: %s", strings.Join(names, ", ")))
}

// standard is the source for the name "": the one that says so, else the
// program's own, else the only one.
func (s *Sources) standard() *source {
	var own, only *source
	declared := 0
	for _, src := range s.sources {
		switch {
		case src.isDefault:
			return src
		case src.builtin && src.state.Kind == KindEmbedded:
			own = src
		case !src.builtin:
			only = src
			declared++
		}
	}
	if own == nil && declared == 1 {
		return only
	}
	return own
}

// IncreaseWindow is the window over which increases of a source are to be taken:
// one minute where it knows exact ones, and otherwise a few scrape intervals.
func (s *Sources) IncreaseWindow(name string) (time.Duration, error) {
	if _, err := s.Get(name); err != nil {
		return 0, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	src, err := s.find(name)
	if err != nil || src.inner == nil || src.inner.Anchored() {
		return time.Minute, err
	}
	if w, ok := src.inner.(interface{ IncreaseWindow() time.Duration }); ok {
		return w.IncreaseWindow(), nil
	}
	return Connection{}.IncreaseWindow(), nil
}

// Keeps is how long a source keeps its samples, and 0 where it does not say.
func (s *Sources) Keeps(name string) time.Duration {
	s.mu.RLock()
	defer s.mu.RUnlock()
	src, err := s.find(name)
	if err != nil {
		return 0
	}
	if k, ok := src.inner.(interface{ Keeps() time.Duration }); ok {
		return k.Keeps()
	}
	return 0
}

// States reports on every source, by name.
func (s *Sources) States() []State {
	s.mu.RLock()
	defer s.mu.RUnlock()
	standard := s.standard()
	out := make([]State, 0, len(s.sources))
	for _, src := range s.sources {
		state := src.current()
		state.Default = src == standard
		out = append(out, state)
	}
	slices.SortFunc(out, func(a, b State) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// Targets reports on what a source scrapes by itself, by job and address; it is
// empty for a source that does not.
func (s *Sources) Targets(name string) ([]TargetState, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	src, err := s.find(name)
	if err != nil {
		return nil, err
	}
	if l, ok := src.inner.(TargetLister); ok {
		return l.Targets(), nil
	}
	return nil, nil
}

// State reports on one source.
func (s *Sources) State(name string) (State, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	src, err := s.find(name)
	if err != nil {
		return State{}, err
	}
	state := src.current()
	state.Default = src == s.standard()
	return state, nil
}

// Reload reads the declared sources again and opens, changes and closes what
// differs. Questions under way end with the source that they began with.
func (s *Sources) Reload(ctx context.Context) error {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	rows, err := listSources(ctx, s.o.DB.Read())
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	there := make(map[string]bool, len(rows))
	for _, row := range rows {
		there[row.name] = true
		was := s.sources[row.name]
		if was != nil && (was.builtin || was.declared == row) {
			continue
		}
		s.sources[row.name] = s.open(row)
		s.wake()
		was.close(s.o.Log)
		s.o.Log.InfoContext(ctx, "data source opened", "source", row.name)
	}
	for name, src := range s.sources {
		if !there[name] && !src.builtin {
			delete(s.sources, name)
			s.wake()
			src.close(s.o.Log)
			s.o.Log.InfoContext(ctx, "data source closed", "source", name)
		}
	}
	return nil
}

// open makes a source of what is stored. What cannot be opened is there all the
// same, and says why.
func (s *Sources) open(row declared) *source {
	src := &source{declared: row, now: s.o.Now, state: State{Name: row.name, Title: row.title, Kind: KindPrometheus, Status: Unknown}}
	inner, url, err := s.connect(row)
	src.inner, src.state.URL = inner, url
	if err != nil {
		f, ok := fault.As(err)
		if !ok {
			f = fault.New(fault.Unavailable, CodeGone, text.Say("an internal error; the server's log says more",
				"内部エラーが発生しました（詳細はサーバーのログを確認してください）"))
		}
		src.inner, src.broken = nil, f
		src.state = src.state.failed(f, s.o.Now())
		src.state.Status = Misconfigured
		s.o.Log.Warn("data source cannot be opened", "source", row.name, "error", err)
	}
	return src
}

func (s *Sources) connect(row declared) (Querier, string, error) {
	var settings Settings
	if err := json.Unmarshal([]byte(row.settings), &settings); err != nil {
		return nil, "", fmt.Errorf("read the settings of data source %s: %w", row.name, err)
	}
	c, err := settings.connection(s.o.Secrets)
	if err != nil {
		return nil, settings.URL, err
	}
	if s.o.Guard != nil {
		c = s.o.Guard(c)
	}
	q, err := s.o.Open(c)
	return q, settings.URL, err
}

// close lets a source's connections go. It may be nil.
func (src *source) close(log *slog.Logger) {
	if src == nil {
		return
	}
	if c, ok := src.inner.(io.Closer); ok {
		if err := c.Close(); err != nil {
			log.Warn("data source not closed", "source", src.name, "error", err)
		}
	}
}

// Run keeps the registry up to date and looks after sources that nobody asks,
// until ctx ends.
func (s *Sources) Run(ctx context.Context) error {
	tick := time.NewTicker(reloadEvery)
	defer tick.Stop()
	var checks sync.WaitGroup
	defer checks.Wait()
	for {
		if err := s.Reload(ctx); err != nil && ctx.Err() == nil {
			s.o.Log.WarnContext(ctx, "data sources could not be read", "error", err)
		}
		for _, src := range s.due() {
			checks.Go(func() { s.check(ctx, src) })
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.changed:
		case <-tick.C:
		}
	}
}

// Instant implements Querier.
func (src *source) Instant(ctx context.Context, expr string, at time.Time) ([]Series, error) {
	started := src.now()
	got, err := src.inner.Instant(ctx, expr, at)
	src.note(err, started)
	return got, err
}

// Range implements Querier.
func (src *source) Range(ctx context.Context, expr string, from, to time.Time, step time.Duration) ([]Series, error) {
	started := src.now()
	got, err := src.inner.Range(ctx, expr, from, to, step)
	src.note(err, started)
	return got, err
}

// Anchored implements Querier.
func (src *source) Anchored() bool { return src.inner.Anchored() }

// counting is a source that counts from raw samples.
type counting struct {
	*source
	c Counting
}

var (
	_ Counting  = counting{}
	_ Beginner  = counting{}
	_ Latecomer = counting{}
)

// Counts implements Counting.
func (s counting) Counts(ctx context.Context, selections []Selection, from, to int64) ([]Counts, error) {
	started := s.now()
	got, err := s.c.Counts(ctx, selections, from, to)
	s.note(err, started)
	return got, err
}

// Watch implements Counting.
func (s counting) Watch(selections []Selection) { s.c.Watch(selections) }

// Settled implements Counting.
func (s counting) Settled() int64 { return s.c.Settled() }

// Begins implements Beginner.
func (s counting) Begins() int64 {
	if b, ok := s.c.(Beginner); ok {
		return b.Begins()
	}
	return 0
}

// Late implements Latecomer.
func (s counting) Late() ([]Late, int64) {
	if l, ok := s.c.(Latecomer); ok {
		return l.Late()
	}
	return nil, 0
}

// LateTaken implements Latecomer.
func (s counting) LateTaken(mark int64) error {
	if l, ok := s.c.(Latecomer); ok {
		return l.LateTaken(mark)
	}
	return nil
}
