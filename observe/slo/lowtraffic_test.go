package slo_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/slo"
)

// quiet are services with 36 requests an hour, and how many hours of them make a
// month of one.
const (
	quiet      = 120
	quietHours = 30 * 24 / quiet
)

// fleet is quiet services and one with 1,200 requests a minute.
type fleet struct {
	*world
	random *rand.Rand
	counts [quiet + 1][2]float64 // good, bad
}

func newFleet(t *testing.T) *fleet {
	a, b := rand.Uint64(), rand.Uint64()
	t.Logf("seeds %d, %d", a, b)
	f := &fleet{world: newWorld(t, dbtest.Open(t, dbtest.SQLite(t), rooms...)), random: rand.New(rand.NewPCG(a, b))}
	docs := []string{strings.Split(shop, "\napiVersion: openslo/v1")[0]}
	for i := range f.counts {
		one := slOf(fmt.Sprintf("service-%d", i), "0.999", "30d")
		docs = append(docs, strings.ReplaceAll(strings.ReplaceAll(one, `{code=~"5.."}`, fmt.Sprintf(`{n="%d",code="500"}`, i)), "(http_requests_total)", fmt.Sprintf(`(http_requests_total{n="%d"})`, i)))
	}
	f.apply(strings.TrimSuffix(docs[0], "---") + strings.Join(docs[1:], "---"))
	return f
}

// minute lets a minute happen and be evaluated. A share of the events of each
// service fails.
func (f *fleet) minute(failing func(service int) float64) {
	f.t.Helper()
	end := f.now().Truncate(time.Minute).Add(time.Minute)
	batch := make([]metrics.Series, 0, 2*len(f.counts))
	for i := range f.counts {
		events := 1200
		if i < quiet {
			events = 0
			for at := f.random.ExpFloat64(); at < 0.6; at += f.random.ExpFloat64() {
				events++
			}
		}
		for range events {
			if f.random.Float64() < failing(i) {
				f.counts[i][1]++
			} else {
				f.counts[i][0]++
			}
		}
		for j, code := range []string{"200", "500"} {
			batch = append(batch, metrics.Series{Labels: map[string]string{"__name__": "http_requests_total", "n": fmt.Sprint(i), "code": code},
				Points: []metrics.Point{{T: end.UnixMilli(), V: f.counts[i][j]}}})
		}
	}
	if err := f.store.Append(f.t.Context(), batch); err != nil {
		f.t.Fatal(err)
	}
	f.at(end.Add(31 * time.Second))
	f.evaluate()
}

// pages are the services somebody was paged for, and how often.
func (f *fleet) pages() map[string]int {
	all := map[string]int{}
	for _, e := range f.entries(slo.EntryAlertFired) {
		var a alertData
		if err := json.Unmarshal(e.Data, &a); err != nil {
			f.t.Fatal(err)
		}
		if a.Severity == "page" {
			all[e.Subject.Name()]++
		}
	}
	return all
}

// TestQuietServicesPageForOutagesAndForNothingElse: through all of the engine, a
// month of services with few requests within their objective pages at most once;
// an outage of one pages with its second failed minute, and one of a busy service
// with at most 90 seconds of its data.
func TestQuietServicesPageForOutagesAndForNothingElse(t *testing.T) {
	if testing.Short() {
		t.Skip("simulates a month of a service")
	}
	f := newFleet(t)
	f.at(t0)
	f.minute(func(int) float64 { return 0 })
	for range quietHours * 60 {
		f.minute(func(int) float64 { return 0.0004 })
	}
	before := 0
	for _, n := range f.pages() {
		before += n
	}
	if before > 1 {
		t.Errorf("a month within the objective pages %d times: %v", before, f.pages())
	}

	begins := f.random.IntN(60) // seconds into the first minute
	failed := map[int]int{}     // minutes with failures of each service
	for minute := range 30 {
		was := f.counts
		f.minute(func(service int) float64 {
			switch {
			case service == quiet && minute == 0:
				return 1 - float64(begins)/60
			case service == quiet || service < 20:
				return 1
			}
			return 0.0004
		})
		paged := f.pages()
		for i := range 20 {
			if f.counts[i][1] > was[i][1] {
				failed[i]++
			}
			if name := fmt.Sprintf("service-%d", i); failed[i] == 2 && paged[name] == 0 {
				t.Errorf("%s had its second failed minute, and nobody is paged", name)
			}
		}
		if (minute+1)*60-begins >= 90 && paged[fmt.Sprintf("service-%d", quiet)] == 0 {
			t.Fatalf("the busy service fails for %d s, and nobody is paged", (minute+1)*60-begins)
		}
	}
	for i := range 20 {
		if failed[i] < 2 {
			t.Errorf("service-%d had no outage to speak of", i)
		}
	}
}
