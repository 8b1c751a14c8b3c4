package faults_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/observe/slo"
	"github.com/teiten/teiten/observe/slo/ledger"
	"github.com/teiten/teiten/test/pgtest"
	"github.com/teiten/teiten/test/program"
)

// pieces is in how many parts replicas share all objectives.
const pieces = 16

// takenOver is how soon others must have what a dead replica held.
const takenOver = 30 * time.Second

// TestReplicasThatAreKilledAreReplacedAndNothingCountsTwice runs three processes
// on one PostgreSQL and kills one after the other. Each time the others hold all
// of its part within thirty seconds; at the end every minute was counted once,
// and every alert told once.
func TestReplicasThatAreKilledAreReplacedAndNothingCountsTwice(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("runs the built program")
	}
	chance := random(t)
	pg, err := pgtest.StartDurable(t.Context())
	if err != nil {
		t.Skipf("needs PostgreSQL: %v", err)
	}
	t.Cleanup(func() {
		if err := pg.Stop(); err != nil {
			t.Error(err)
		}
	})
	address, _, err := pg.Create(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	source := startSource(t)
	var all []*program.Server
	for i := range 3 {
		s := newServer(t, t.TempDir(), "TEITEN_DATABASE="+address)
		if i > 0 {
			s.Token = all[0].Token
		}
		start(t, s)
		all = append(all, s)
	}
	const calm, burning = 40, 4
	if _, err := all[0].Apply(t.Context(), "base", source.dataSource()+promises(calm, "2d", false)+promises(burning, "2d", true)); err != nil {
		t.Fatal(err)
	}
	db, err := database.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	until(t, 2*time.Minute, "the past is read", func() (bool, error) { return countedTo(t, db, 1, calm+burning) })

	for round := range rounds(t, 2) {
		until(t, time.Minute, "three replicas share the objectives", func() (bool, error) {
			n := len(holders(t, db))
			return n == 3, fmt.Errorf("%d hold a part", n)
		})
		// The moment of the kill is anybody's: nothing is waited for here.
		time.Sleep(time.Duration(chance.Int64N(int64(5 * time.Second))))
		before := holders(t, db)
		victim := all[(round+1)%3]
		died := time.Now()
		if err := victim.Kill(); err != nil {
			t.Fatal(err)
		}
		until(t, takenOver, "two replicas hold everything", func() (bool, error) {
			now, held := holders(t, db), 0
			for _, n := range now {
				held += n
			}
			return len(now) == 2 && held == pieces, fmt.Errorf("held before: %v, now: %v", before, now)
		})
		t.Logf("round %d: taken over %s after the kill", round, time.Since(died).Round(100*time.Millisecond))
		// What they hold they also count: the minute in which the other one died.
		until(t, 2*time.Minute, "everything is counted on", func() (bool, error) {
			return countedTo(t, db, ledger.Done(died)+1, calm+burning)
		})
		start(t, victim)
	}
	fired := map[string]int{}
	for _, e := range journalOf(t, all[0], "slo.alert_fired") {
		fired[fmt.Sprint(e.Subject, e.Data["severity"])]++
	}
	if len(fired) < burning {
		t.Errorf("alerts fired: %v", fired)
	}
	for what, n := range fired {
		if n > 1 || !strings.Contains(what, "burning") {
			t.Errorf("%s fired %d times", what, n)
		}
	}
	for _, s := range all[1:] {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	}
	verify(t, all[0], address)
	checkLedger(t, address, 2*24*time.Hour)
}

// holders tells how many parts each replica holds now.
func holders(t *testing.T, db *database.DB) map[string]int {
	t.Helper()
	held, now := map[string]int{}, time.Now().UnixMicro()
	each(t, db, "SELECT holder, held_until, '' FROM queue_leases WHERE name LIKE 'slo/%'", func(holder string, until int64, _ []byte) {
		if until > now {
			held[holder]++
		}
	})
	return held
}

// countedTo reports whether all of so many objectives are counted up to a minute
// and lack nothing before it.
func countedTo(t *testing.T, db *database.DB, minute int64, objectives int) (bool, error) {
	t.Helper()
	all, err := slo.ReadProgress(t.Context(), db.Read())
	if err != nil {
		return false, err
	}
	for name, p := range all {
		if p.Watermark < minute || p.Missing > 0 {
			return false, fmt.Errorf("%s is counted up to minute %d of %d, and lacks %d", name, p.Watermark, minute, p.Missing)
		}
	}
	return len(all) == objectives, fmt.Errorf("%d objectives", len(all))
}
