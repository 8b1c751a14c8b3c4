package page

import (
	"context"
	"database/sql"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/teiten/teiten/access"
	"github.com/teiten/teiten/catalog"
	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/queue"
	"github.com/teiten/teiten/kit/secret"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/notify"
	"github.com/teiten/teiten/respond/alert"
	"github.com/teiten/teiten/respond/alert/route"
	"github.com/teiten/teiten/respond/oncall"
	"github.com/teiten/teiten/respond/oncall/rota"
)

var rooms = []dbtest.Room{{Name: "journal", Files: journal.Migrations}, {Name: "catalog", Files: catalog.Migrations},
	{Name: "notify", Files: notify.Migrations}, {Name: "page", Files: Migrations}}

var began = time.Date(2026, 11, 23, 1, 0, 0, 0, time.UTC)

// stage is the room on a database, with the real notify beneath it, a clock that
// the test moves, and schedules whose answers the test writes down.
type stage struct {
	*Service
	t      testing.TB
	notify *notify.Service

	mu     sync.Mutex
	clock  time.Time
	duties map[string][]string
	acked  []string
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

// On answers as a schedule would.
func (s *stage) On(_ context.Context, schedule string, at time.Time) (oncall.Answer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	names, ok := s.duties[schedule]
	if !ok {
		return oncall.Answer{}, fault.New(fault.NotFound, "oncall.no_schedule", text.Say("none", "なし"))
	}
	d := oncall.Duty{Role: rota.Primary, From: at, To: at.Add(time.Hour), Source: oncall.Source{Layer: "week", File: "oncall.yaml", Line: 9}}
	for _, n := range names {
		d.People = append(d.People, oncall.Person{ID: n, Name: n})
	}
	return oncall.Answer{Schedule: schedule, At: at, Duties: []oncall.Duty{d}}, nil
}

// AcknowledgeIn remembers which groups were acknowledged.
func (s *stage) AcknowledgeIn(_ context.Context, _ *sql.Tx, ids ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.acked = append(s.acked, ids...)
	return nil
}

func open(t testing.TB, conn *database.DB) *stage {
	t.Helper()
	st := &stage{t: t, clock: began, duties: map[string][]string{"primary": {"aoi"}, "secondary": {"haruto"}, "empty": {}}}
	q, err := queue.New(t.Context(), conn, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	j := journal.New(conn, st.time)
	st.notify, err = notify.New(notify.Deps{DB: conn, Journal: j, Queue: q, Now: st.time, BaseURL: "https://teiten.example",
		AllowNetworks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Permit: func(context.Context, string) error { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	c := catalog.New(catalog.Deps{DB: conn, Now: st.time})
	st.Service, err = New(t.Context(), Deps{DB: conn, Journal: j, Notify: st.notify, Catalog: c, Oncall: st, Groups: st, Now: st.time,
		BaseURL: "https://teiten.example"})
	if err != nil {
		t.Fatal(err)
	}
	st.Ways()
	st.Subscribe(j)
	st.write(func(ctx context.Context, tx *sql.Tx) error {
		for _, name := range []string{"aoi", "haruto", "mei"} {
			if err := c.Put(ctx, tx, catalog.Entity{Kind: catalog.KindUser, Name: name, Title: strings.ToUpper(name), Email: name + "@shop.example"}); err != nil {
				return err
			}
		}
		return nil
	})
	return st
}

// run carries messages until the test ends.
func (s *stage) run() {
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.notify.Run(ctx) }()
	s.t.Cleanup(func() { stop(); <-ended })
}

func (s *stage) write(do func(ctx context.Context, tx *sql.Tx) error) {
	s.t.Helper()
	if err := s.db.Write(s.t.Context(), do); err != nil {
		s.t.Fatal(err)
	}
}

// method gives a person a verified webhook.
func (s *stage) method(person, url string) Method {
	s.t.Helper()
	m := s.add(person, url)
	if err := s.Trust(s.t.Context(), m.ID); err != nil {
		s.t.Fatal(err)
	}
	return m
}

func (s *stage) add(person, url string) Method {
	s.t.Helper()
	m, err := s.AddMethod(as(s.t.Context(), person), "me", "hook", MethodSpec{Type: notify.TypeWebhook, Address: secret.Secret(url)})
	if err != nil {
		s.t.Fatal(err)
	}
	return m
}

func (s *stage) channel(name, url string) {
	s.write(func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO notify_channels (name, title, description, spec, created_at, updated_at)
			VALUES ($1, '', '', $2, 1, 1)`, name, `{"type":"webhook","webhook":{"url":"`+url+`"}}`)
		return err
	})
}

// as acts as a person who signed in.
func as(ctx context.Context, person string) context.Context {
	return access.WithPrincipal(ctx, access.Principal{Kind: access.Person, UserID: "u-" + person, Name: person, Login: person + "@shop.example", Role: access.Responder})
}

func (s *stage) policy(name string, spec PolicySpec) {
	s.write(func(ctx context.Context, tx *sql.Tx) error {
		return putPolicy(ctx, tx, Policy{Name: name, Spec: spec, Source: fault.Position{File: "paging.yaml", Line: 3}, Lines: []int{8, 12, 16}}, s.time())
	})
}

// ladder pages the primary, and five minutes later the secondary.
func ladder() PolicySpec {
	return PolicySpec{Team: "payments", Steps: []StepSpec{
		{Targets: []Target{"schedule:primary"}}, {After: "5m", Targets: []Target{"schedule:secondary"}},
	}, Fallback: []Target{"user:mei"}}
}

func (s *stage) say(kind, group string, change func(n *alert.Notice)) journal.Entry {
	s.t.Helper()
	n := alert.Notice{Group: group, Receiver: route.Receiver{Owner: true}, State: alert.Firing, Severity: "critical", Title: "checkout fails",
		Service: "checkout", Team: "payments", Alerts: []string{"a1"}, Count: 1, OpenedAt: s.time(), Link: "/alerts/groups/" + group}
	if change != nil {
		change(&n)
	}
	var e journal.Entry
	s.write(func(ctx context.Context, tx *sql.Tx) error {
		var err error
		e, err = s.journal.Append(ctx, tx, journal.Draft{Kind: kind, Subject: alert.GroupRef(group), Data: n})
		return err
	})
	return e
}

// turn takes everything that is due now.
func (s *stage) turn() {
	s.t.Helper()
	if err := s.watch(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.round(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) only() Page {
	s.t.Helper()
	all, err := s.Pages(s.t.Context(), Filter{Limit: 100})
	if err != nil || len(all) != 1 {
		s.t.Fatalf("%d pages, err %v", len(all), err)
	}
	return all[0]
}

func (s *stage) entries(kind string) []journal.Entry {
	s.t.Helper()
	all, _, err := s.journal.List(s.t.Context(), journal.Filter{Kinds: []string{kind}, Limit: 200})
	if err != nil {
		s.t.Fatal(err)
	}
	return all
}

// to are the people to whom messages were stored, in order.
func (s *stage) to() []string {
	s.t.Helper()
	var all []string
	for _, p := range s.all() {
		d, err := s.detail(s.t.Context(), p)
		if err != nil {
			s.t.Fatal(err)
		}
		for _, m := range d.Messages {
			if m.State != "waiting" && m.State != "stopped" {
				all = append(all, m.Person)
			}
		}
	}
	slices.Sort(all)
	return all
}

func (s *stage) all() []Page {
	all, err := s.Pages(s.t.Context(), Filter{Limit: 500})
	if err != nil {
		s.t.Fatal(err)
	}
	return all
}

// telephone is a receiver that remembers pages.
type telephone struct {
	*httptest.Server
	mu     sync.Mutex
	got    []event
	answer func(n int) int
}

type event struct {
	Key  string
	Type string `json:"type"`
	Data struct {
		Title   text.Both `json:"title"`
		Actions []struct {
			Do, URL string
		} `json:"actions"`
	} `json:"data"`
}

func ring(t testing.TB, answer func(n int) int) *telephone {
	p := &telephone{answer: answer}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var e event
		if err != nil || json.Unmarshal(body, &e) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		e.Key = r.Header.Get("Idempotency-Key")
		p.mu.Lock()
		p.got = append(p.got, e)
		n := len(p.got)
		p.mu.Unlock()
		status := 200
		if p.answer != nil {
			status = p.answer(n)
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(p.Close)
	return p
}

// pages are the pages that it got, without codes.
func (p *telephone) pages() []event {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(p.got), func(e event) bool { return e.Type != "dev.teiten.page.sent" })
}

// until waits for what background work brings about.
func until(t testing.TB, done func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	late := time.After(time.Minute)
	for !done() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatal("it does not come about")
		}
	}
}
