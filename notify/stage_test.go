package notify

import (
	"bytes"
	"context"
	"database/sql"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/kit/queue"
	"github.com/teiten/teiten/kit/secret"
	"github.com/teiten/teiten/notify/db"
)

var rooms = []dbtest.Room{{Name: "journal", Files: journal.Migrations}, {Name: "notify", Files: Migrations}}

var began = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

// stage is the room on a database, with a clock that the test moves.
type stage struct {
	*Service
	t   testing.TB
	log *safeBuffer

	mu    sync.Mutex
	clock time.Time
}

func (s *stage) time() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.clock
}

func (s *stage) wait(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock = s.clock.Add(d)
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func open(t testing.TB, conn *database.DB, change func(*Deps)) *stage {
	t.Helper()
	st := &stage{t: t, clock: began, log: &safeBuffer{}}
	q, err := queue.New(t.Context(), conn, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	d := Deps{
		DB: conn, Journal: journal.New(conn, st.time), Queue: q, Now: st.time, BaseURL: "https://teiten.example/",
		Log:           slog.New(slog.NewTextHandler(st.log, nil)),
		AllowNetworks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		Permit:        func(context.Context, string) error { return nil },
	}
	if change != nil {
		change(&d)
	}
	if st.Service, err = New(d); err != nil {
		t.Fatal(err)
	}
	st.Subscribe(d.Journal)
	st.Jobs(q)
	return st
}

// start carries messages until the test ends.
func (s *stage) start() {
	s.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	s.t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			s.t.Error(err)
		}
	})
}

func (s *stage) channel(name string, spec Spec) {
	s.t.Helper()
	err := s.db.Write(s.t.Context(), func(ctx context.Context, tx *sql.Tx) error {
		return putChannel(ctx, tx, Channel{Name: name, Spec: spec.typed()}, s.time())
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

func hook(url string) Spec { return Spec{Webhook: &WebhookSpec{URL: secret.Secret(url)}} }

func (s *stage) append(kind string, a Alert) journal.Entry {
	s.t.Helper()
	var e journal.Entry
	err := s.db.Write(s.t.Context(), func(ctx context.Context, tx *sql.Tx) error {
		var err error
		e, err = s.journal.Append(ctx, tx, journal.Draft{
			Kind: kind, Subject: journal.RefTo("slo", a.SLO), Data: a,
			Also: []journal.Ref{journal.RefTo("service", a.Service), journal.RefTo("team", a.Team)},
		})
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return e
}

func alert(id string) Alert {
	left := 0.71
	return Alert{
		ID: id, SLO: "checkout-availability", Service: "checkout", Team: "payments", Severity: "page",
		Objective: 0.999, Window: "30d", Long: "1h", Short: "5m", Factor: 14.4, LongBurn: 21.3, ShortBurn: 30.1, BudgetLeft: &left,
	}
}

func (s *stage) fire(id string) journal.Entry {
	a := alert(id)
	a.FiredAt = s.time()
	return s.append(KindAlertFired, a)
}

func (s *stage) resolve(id string, fired time.Time) journal.Entry {
	a := alert(id)
	a.FiredAt, a.ResolvedAt = fired, s.time()
	return s.append(KindAlertResolved, a)
}

// pump makes every attempt that is due now, as Run would.
func (s *stage) pump() {
	s.t.Helper()
	for range 100 {
		channels, err := db.New(s.db.Read()).ChannelsDue(s.t.Context(), database.Micros(s.time()))
		if err != nil {
			s.t.Fatal(err)
		}
		if !s.tryOn(channels) {
			return
		}
	}
	s.t.Fatal("there is always something due")
}

// tryOn begins what may go on the channels, sends it and records it, and reports
// whether there was anything.
func (s *stage) tryOn(channels []string) bool {
	s.t.Helper()
	begun := s.beginOn(channels)
	var done []tried
	for _, b := range begun {
		done = append(done, s.carry(s.t.Context(), b))
	}
	if _, err := s.turn(s.t.Context(), nil, done); err != nil {
		s.t.Fatal(err)
	}
	return len(done) > 0
}

func (s *stage) beginOn(channels []string) []bound {
	s.t.Helper()
	names := map[string]bool{}
	for _, c := range channels {
		names[c] = true
	}
	begun, err := s.turn(s.t.Context(), names, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return begun
}

func (s *stage) deliveries(f Filter) []Delivery {
	s.t.Helper()
	f.Limit = 500
	all, err := s.Deliveries(s.t.Context(), f)
	if err != nil {
		s.t.Fatal(err)
	}
	return all
}

// only returns the one delivery there is, with its attempts.
func (s *stage) only() (Delivery, []Attempt) {
	s.t.Helper()
	all := s.deliveries(Filter{})
	if len(all) != 1 {
		s.t.Fatalf("%d deliveries", len(all))
	}
	d, attempts, _, err := s.Delivery(s.t.Context(), all[0].ID)
	if err != nil {
		s.t.Fatal(err)
	}
	return d, attempts
}

func (s *stage) entries(kind string) []journal.Entry {
	s.t.Helper()
	all, _, err := s.journal.List(s.t.Context(), journal.Filter{Kinds: []string{kind}, Limit: 200})
	if err != nil {
		s.t.Fatal(err)
	}
	return all
}

func (s *stage) standing(name string) Standing {
	s.t.Helper()
	all, err := s.Channels(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	for _, st := range all {
		if st.Channel.Name == name {
			return st
		}
	}
	s.t.Fatalf("no channel %s", name)
	return Standing{}
}

// receiver is a real HTTP server that answers as the test says and remembers
// every request.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	hits   []hit
	answer func(n int, h hit) int // status; 0 closes the connection
	header http.Header
}

type hit struct {
	key  string
	body string
}

func receive(t testing.TB, answer func(n int, h hit) int) *receiver {
	r := &receiver{answer: answer, header: http.Header{}}
	r.Server = httptest.NewServer(http.HandlerFunc(r.serve))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) serve(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return
	}
	h := hit{req.Header.Get("Idempotency-Key"), string(body)}
	r.mu.Lock()
	r.hits = append(r.hits, h)
	n := len(r.hits)
	r.mu.Unlock()
	status := r.answer(n, h)
	if status == 0 {
		if c, _, err := w.(http.Hijacker).Hijack(); err == nil {
			_ = c.Close()
		}
		return
	}
	for k, v := range r.header {
		w.Header()[k] = v
	}
	w.WriteHeader(status)
}

func (r *receiver) seen() []hit {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]hit(nil), r.hits...)
}

func always(status int) func(int, hit) int { return func(int, hit) int { return status } }
