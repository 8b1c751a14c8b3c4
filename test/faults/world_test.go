// Package faults_test does to the running program what operation does to it:
// kills it, fills its disk, takes its database away, and gives it a source that
// has gone mad. It then counts whether anything that was acknowledged is
// missing, or there twice.
//
// Every random choice comes from a seed that a failing test prints. The suite
// runs a few rounds; TEITEN_FAULTS_ROUNDS asks for more, TEITEN_FAULTS_SEED for
// others.
package faults_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/observe/slo"
	"github.com/teiten/teiten/observe/slo/ledger"
	"github.com/teiten/teiten/test/program"
)

// folder is where the program is built, "" where nothing was.
var folder string

var binary = sync.OnceValues(func() (string, error) {
	if os.Getenv(program.BinaryVariable) == "" {
		var err error
		if folder, err = os.MkdirTemp("", "teiten-faults"); err != nil {
			return "", err
		}
	}
	return program.Build(context.Background(), folder)
})

func TestMain(m *testing.M) {
	code := m.Run()
	if folder != "" {
		_ = os.RemoveAll(folder) // the system cleans up what cannot be removed
	}
	os.Exit(code)
}

// settings keep a test's server to what the test is about.
var settings = []string{"TEITEN_METRICS_EMBEDDED_ENABLED=false", "TEITEN_NOTIFY_ALLOW_NETWORKS=127.0.0.0/8"}

// newServer prepares a server that ends with the test.
func newServer(t *testing.T, data string, env ...string) *program.Server {
	t.Helper()
	if testing.Short() {
		t.Skip("runs the built program")
	}
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	s := program.New(program.Options{Binary: bin, Data: data, Env: append(append([]string{}, settings...), env...)})
	t.Cleanup(func() {
		if err := s.Kill(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("the server's log:\n%s", tail(s.Log()))
		}
	})
	return s
}

// tail is the end of a log, and every request that failed for no good reason.
func tail(log string) string {
	var failed, others []string
	for line := range strings.Lines(log) {
		switch {
		case strings.Contains(line, `msg="request failed"`):
			failed = append(failed, line)
		case !strings.Contains(line, "msg=request ") && !strings.Contains(line, `msg="request refused"`) && !strings.Contains(line, "attempt failed"):
			others = append(others, line)
		}
	}
	return strings.Join(append(failed, others[max(0, len(others)-40):]...), "")
}

func start(t *testing.T, s *program.Server) {
	t.Helper()
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// rounds is how often to kill.
func rounds(t *testing.T, standard int) int {
	v := os.Getenv("TEITEN_FAULTS_ROUNDS")
	if v == "" {
		return standard
	}
	n, err := strconv.Atoi(v)
	if err != nil {
		t.Fatalf("TEITEN_FAULTS_ROUNDS: %v", err)
	}
	return n
}

// random is a source of chance that is the same on each run of a test.
func random(t *testing.T) *rand.Rand {
	seed := uint64(9469)
	if v := os.Getenv("TEITEN_FAULTS_SEED"); v != "" {
		n, err := strconv.ParseUint(v, 10, 64)
		if err != nil {
			t.Fatalf("TEITEN_FAULTS_SEED: %v", err)
		}
		seed = n
	}
	t.Logf("TEITEN_FAULTS_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, uint64(len(t.Name()))))
}

// until waits for a condition and fails the test when it does not come true.
func until(t *testing.T, limit time.Duration, what string, ok func() (bool, error)) {
	t.Helper()
	if err := wait(t.Context(), limit, ok); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

func wait(ctx context.Context, limit time.Duration, ok func() (bool, error)) error {
	deadline := time.Now().Add(limit)
	for {
		done, err := ok()
		if done {
			return nil
		}
		if time.Now().After(deadline) {
			return errors.Join(fmt.Errorf("not within %s", limit), err)
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// entry is a journal entry as the API tells it.
type entry struct {
	ID, Kind, Subject string
	Data              map[string]any
}

func journalOf(t *testing.T, s *program.Server, kind string) []entry {
	t.Helper()
	all, err := program.All[entry](t.Context(), s, "/api/v1/journal?limit=200&kind="+kind)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// verify has every seal of the journal computed again: by the program while it
// runs, and, once it was stopped, over all entries as if their minutes had
// closed.
func verify(t *testing.T, s *program.Server, address string) {
	t.Helper()
	if out, err := s.Run(t.Context(), "journal", "verify"); err != nil {
		t.Errorf("the journal is not good: %v\n%s", err, out)
	}
	if err := s.Stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	db, err := database.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	j := journal.New(db, func() time.Time { return time.Now().Add(time.Hour) })
	if err := j.SealClosed(t.Context()); err != nil {
		t.Fatal(err)
	}
	v, err := j.Verify(t.Context())
	if err != nil || v.Problem != "" || v.Entries == 0 || v.Unsealed > 0 {
		t.Errorf("the journal is not good: %+v, %v", v, err)
	}
}

// totals is what the ledger holds of one objective.
type totals struct {
	first, watermark int64 // minutes
	minutes          int64 // known
	total, bad       float64
}

// readLedger reads the ledger of every objective from the database of a server
// that does not run.
func readLedger(t *testing.T, address string) map[string]*totals {
	t.Helper()
	db, err := database.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	all := map[string]*totals{}
	progress, err := slo.ReadProgress(t.Context(), db.Read())
	if err != nil {
		t.Fatal(err)
	}
	for name, p := range progress {
		all[name] = &totals{watermark: p.Watermark}
	}
	for name, minutes := range readMinutes(t, db) {
		s := all[name]
		for _, minute := range slices.Sorted(maps.Keys(minutes)) {
			m := minutes[minute]
			if s.minutes == 0 {
				s.first = minute
			}
			s.minutes++
			s.total += m.Total
			s.bad += m.Bad
			if total, bad := counts(minute, strings.HasPrefix(name, "burning")); m.Total != total || m.Bad != bad {
				t.Errorf("%s, minute %d: %g of %g bad, want %g of %g", name, minute, m.Bad, m.Total, bad, total)
			}
		}
	}
	return all
}

// readMinutes reads every known minute of every objective: of hours that are
// closed, and of the others.
func readMinutes(t *testing.T, db *database.DB) map[string]map[int64]ledger.Minute {
	t.Helper()
	all, names := map[string]map[int64]ledger.Minute{}, map[int64]string{}
	each(t, db, "SELECT name, slot, '' FROM slo_definitions", func(name string, slot int64, _ []byte) {
		names[slot], all[name] = name, map[int64]ledger.Minute{}
	})
	each(t, db, "SELECT '', minute, data FROM slo_minutes", func(_ string, minute int64, data []byte) {
		column, err := ledger.UnpackColumn(data, minute)
		if err != nil {
			t.Fatalf("minute %d: %v", minute, err)
		}
		for _, c := range column {
			if name, ok := names[c.Slot]; ok {
				all[name][minute] = ledger.Minute{Total: c.Total, Bad: c.Bad, Known: true}
			}
		}
	})
	each(t, db, "SELECT slo, hour, data FROM slo_ledger", func(name string, number int64, data []byte) {
		var h ledger.Hour
		if err := h.Unpack(data); err != nil {
			t.Fatalf("%s, hour %d: %v", name, number, err)
		}
		for i, m := range h {
			if m.Known {
				all[name][number*ledger.MinutesPerHour+int64(i)] = m
			}
		}
	})
	return all
}

// each calls do for the rows of a query.
func each(t *testing.T, db *database.DB, query string, do func(name string, n int64, data []byte)) {
	t.Helper()
	rows, err := db.Read().QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var name string
		var n int64
		var data []byte
		if err := rows.Scan(&name, &n, &data); err != nil {
			t.Fatal(err)
		}
		do(name, n, data)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		t.Fatal(err)
	}
}

// checkLedger fails where a minute is missing, or counted other than once. Span
// is how far back the objectives look at least.
func checkLedger(t *testing.T, address string, span time.Duration) {
	t.Helper()
	all := readLedger(t, address)
	if len(all) == 0 {
		t.Error("the ledger is empty")
	}
	for name, s := range all {
		if want := int64(span / time.Minute); s.minutes < want {
			t.Errorf("%s: %d minutes are known, want at least %d", name, s.minutes, want)
		}
		var total, bad float64
		for m := s.first; m < s.watermark; m++ {
			a, b := counts(m, strings.HasPrefix(name, "burning"))
			total, bad = total+a, bad+b
		}
		if s.minutes != s.watermark-s.first || s.total != total || s.bad != bad {
			t.Errorf("%s: %d minutes with %g of %g bad from %d to %d; an undisturbed run has %d with %g of %g",
				name, s.minutes, s.bad, s.total, s.first, s.watermark, s.watermark-s.first, bad, total)
		}
	}
}
