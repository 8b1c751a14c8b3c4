package faults_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/observe/slo"
	"github.com/teiten/teiten/test/program"
)

// atOnce is how many documents one apply of these tests holds.
const atOnce = 25

func set(n int) string { return fmt.Sprintf("set-%03d", n) }

// thing is the reference of one document of a set.
func thing(n, i int) string {
	if i == 0 {
		return fmt.Sprintf("slo:calm-%03d", n)
	}
	return fmt.Sprintf("resource:thing-%03d-%02d", n, i)
}

// documents are those of one set: an objective with its service, and things in
// the catalog.
func documents(n int) string {
	var b strings.Builder
	b.WriteString(objective(strings.TrimPrefix(thing(n, 0), "slo:"), "1d", false))
	for i := 1; i < atOnce-1; i++ {
		fmt.Fprintf(&b, "---\napiVersion: backstage.io/v1alpha1\nkind: Resource\nmetadata: {name: %s}\nspec: {type: database, owner: somebody}\n",
			strings.TrimPrefix(thing(n, i), "resource:"))
	}
	return b.String()
}

func TestKilledWhileApplyingLosesNothingAcknowledged(t *testing.T) {
	t.Parallel()
	chance, data := random(t), t.TempDir()
	source := startSource(t)
	s := newServer(t, data)
	start(t, s)
	if _, err := s.Apply(t.Context(), "base", source.dataSource()); err != nil {
		t.Fatal(err)
	}
	acknowledged, asked := map[int]bool{}, 0
	for range rounds(t, 6) {
		dead, life := make(chan struct{}), time.Duration(chance.Int64N(int64(300*time.Millisecond)))
		go func() {
			defer close(dead)
			time.Sleep(life)
			if err := s.Kill(); err != nil {
				t.Error(err)
			}
		}()
		for alive := true; alive; asked++ {
			if _, err := s.Apply(t.Context(), set(asked), documents(asked)); err == nil {
				acknowledged[asked] = true
			} else {
				alive = false
			}
		}
		<-dead
		start(t, s)
		checkApplied(t, s, acknowledged, asked)
	}
	if len(acknowledged) == 0 {
		t.Error("no apply was acknowledged: the test showed nothing")
	}
	t.Logf("%d of %d applies acknowledged", len(acknowledged), asked)
	verify(t, s, "sqlite:"+filepath.Join(data, "teiten.db"))
}

// checkApplied fails where an acknowledged set is not there, where any set is
// there in part, or where the journal tells otherwise.
func checkApplied(t *testing.T, s *program.Server, acknowledged map[int]bool, asked int) {
	t.Helper()
	added := map[string]int{}
	for _, kind := range []string{"slo.added", "catalog.entity_added", "ascode.applied"} {
		for _, e := range journalOf(t, s, kind) {
			added[e.Subject]++
		}
	}
	docs, err := program.All[struct{ ManagedBy string }](t.Context(), s, "/api/v1/documents?limit=500")
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]int{}
	for _, d := range docs {
		there[strings.TrimPrefix(d.ManagedBy, "code:")]++
	}
	for n := range asked {
		docs := there[set(n)]
		if acknowledged[n] && docs != atOnce || docs != 0 && docs != atOnce {
			t.Errorf("%s has %d documents (acknowledged: %v), want %d", set(n), docs, acknowledged[n], atOnce)
		}
		want := min(docs, 1)
		for i := range atOnce - 1 {
			if ref := thing(n, i); added[ref] != want {
				t.Errorf("the journal says %d times that %s was added, want %d", added[ref], ref, want)
			}
		}
		if got := added["set:"+set(n)]; got != want {
			t.Errorf("the journal says %d times that %s was applied, want %d", got, set(n), want)
		}
	}
}

func TestKilledWhileReadingThePastCountsEachMinuteOnce(t *testing.T) {
	t.Parallel()
	chance, data := random(t), t.TempDir()
	address := "sqlite:" + filepath.Join(data, "teiten.db")
	source := startSource(t)
	source.delay.Store(int64(40 * time.Millisecond))
	s := newServer(t, data)
	start(t, s)
	const objectives, days = 8, 10
	docs := source.dataSource() + promises(objectives, fmt.Sprintf("%dd", days), false)
	if _, err := s.Apply(t.Context(), "past", docs); err != nil {
		t.Fatal(err)
	}
	killedOnTheWay := 0
	for range rounds(t, 6) {
		before := source.asked.Load()
		until(t, 30*time.Second, "the source is asked", func() (bool, error) { return source.asked.Load() > before+2, nil })
		time.Sleep(time.Duration(chance.Int64N(int64(600 * time.Millisecond))))
		if err := s.Kill(); err != nil {
			t.Fatal(err)
		}
		if !finished(t, address, objectives) {
			killedOnTheWay++
		}
		start(t, s)
		if finished(t, address, objectives) {
			break
		}
	}
	if killedOnTheWay < 2 {
		t.Errorf("killed only %d times on the way: the test showed little", killedOnTheWay)
	}
	t.Logf("killed %d times on the way", killedOnTheWay)
	until(t, time.Minute, "the past is read", func() (bool, error) { return finished(t, address, objectives), nil })
	for _, kind := range []string{"slo.backfill_started", "slo.backfill_finished"} {
		told := map[string]int{}
		for _, e := range journalOf(t, s, kind) {
			told[e.Subject]++
		}
		for name, n := range told {
			if n != 1 || len(told) != objectives {
				t.Errorf("the journal says %d times %s of %s, and of %d objectives, want once of %d", n, kind, name, len(told), objectives)
			}
		}
	}
	verify(t, s, address)
	checkLedger(t, address, days*24*time.Hour)
}

// finished tells whether nothing is missing from any ledger.
func finished(t *testing.T, address string, objectives int) bool {
	t.Helper()
	all, err := statusOf(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	done := 0
	for _, s := range all {
		if s.Watermark > 0 && s.Missing == 0 {
			done++
		}
	}
	return done == objectives
}

// receiver takes webhooks, counts them by key, and refuses some of them.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	taken  map[string]int // by key: answered with 204
	events map[string]string
}

func startReceiver(t *testing.T, refuse func() bool) *receiver {
	r := &receiver{taken: map[string]int{}, events: map[string]string{}}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		r.mu.Lock()
		no := refuse()
		key := req.Header.Get("Idempotency-Key")
		if !no {
			r.taken[key]++
			r.events[key] = string(body)
		}
		r.mu.Unlock()
		time.Sleep(20 * time.Millisecond) // time to be killed in between
		if no {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) channel(name string) string {
	return fmt.Sprintf("---\napiVersion: teiten.dev/v1\nkind: NotificationChannel\nmetadata: {name: %s}\nspec: {webhook: {url: %q}}\n", name, r.URL)
}

func (r *receiver) keys() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.taken)
}

func TestKilledWhileDeliveringSendsEachMessage(t *testing.T) {
	t.Parallel()
	chance, data := random(t), t.TempDir()
	source := startSource(t)
	hooks := startReceiver(t, func() bool { return chance.IntN(5) == 0 })
	s := newServer(t, data)
	start(t, s)
	const objectives = 60
	docs := source.dataSource() + hooks.channel("hooks") + promises(objectives, "1d", true)
	if _, err := s.Apply(t.Context(), "alerts", docs); err != nil {
		t.Fatal(err)
	}
	kills := 0
	for range rounds(t, 4) {
		before := hooks.keys()
		err := wait(t.Context(), 25*time.Second, func() (bool, error) { return hooks.keys() > before, nil })
		if err != nil {
			break // all that can be sent now was sent
		}
		time.Sleep(time.Duration(chance.Int64N(int64(300 * time.Millisecond))))
		if err := s.Kill(); err != nil {
			t.Fatal(err)
		}
		kills++
		start(t, s)
	}
	if kills == 0 {
		t.Error("nothing was delivered that could be killed")
	}
	type delivery struct{ State, Subject string }
	var all []delivery
	until(t, 100*time.Second, "everything is delivered", func() (bool, error) {
		var err error
		all, err = program.All[delivery](t.Context(), s, "/api/v1/deliveries?limit=200")
		done := 0
		for _, d := range all {
			if d.State == "delivered" {
				done++
			}
		}
		return done == len(all) && len(journalOf(t, s, "slo.alert_fired")) == len(all) && done >= objectives, err
	})
	checkDelivered(t, hooks, len(all), kills)
	verify(t, s, "sqlite:"+filepath.Join(data, "teiten.db"))
}

// checkDelivered fails where a message did not arrive, or arrived more often
// than once and once more for each crash.
func checkDelivered(t *testing.T, hooks *receiver, deliveries, kills int) {
	t.Helper()
	hooks.mu.Lock()
	defer hooks.mu.Unlock()
	twice := 0
	for key, n := range hooks.taken {
		if key == "" {
			t.Error("a message came without a key")
		}
		if n > 1+kills {
			t.Errorf("message %s was taken over %d times with %d crashes", key, n, kills)
		}
		twice += n - 1
	}
	if len(hooks.taken) != deliveries {
		t.Errorf("%d messages arrived, want %d", len(hooks.taken), deliveries)
	}
	const sentAtATime = 16 // on one channel
	if twice > kills*sentAtATime {
		t.Errorf("%d messages too many with %d crashes, want at most %d", twice, kills, kills*sentAtATime)
	}
	t.Logf("%d messages, %d crashes, %d sent again", deliveries, kills, twice)
}

// statusOf reads the database beside the running server.
func statusOf(ctx context.Context, address string) (map[string]slo.Progress, error) {
	db, err := database.Open(ctx, address)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	return slo.ReadProgress(ctx, db.Read())
}
