package simulator

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var founded = time.Date(2026, 11, 20, 3, 0, 0, 0, time.UTC)

// isCounter tells counters from gauges by name.
func isCounter(name string) bool {
	return strings.HasSuffix(name, "_total") || strings.HasPrefix(name, "http_request_duration_seconds")
}

// delta is how much the series of a service whose labels match grew between two
// rows.
func delta(s *Shop, from, to []float64, match map[string]string) float64 {
	sum := 0.0
	for i, labels := range s.Series() {
		fits := true
		for name, value := range match {
			fits = fits && labels[name] == value
		}
		if fits {
			sum += to[i] - from[i]
		}
	}
	return sum
}

func requests(service string, code ...string) map[string]string {
	m := map[string]string{"__name__": "http_requests_total", "service": service}
	if len(code) > 0 {
		m["code"] = code[0]
	}
	return m
}

func failedShare(s *Shop, from, to []float64, service string) float64 {
	bad := delta(s, from, to, requests(service, "500")) + delta(s, from, to, requests(service, "503"))
	return bad / delta(s, from, to, requests(service))
}

func at(s *Shop, t time.Time) []float64 {
	values, _ := s.Values(t)
	return values
}

func TestCountersNeverDecreaseWhateverIsOrderedAndHoweverTheClockJumps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// The past is short here so that a case is quick.
		start := founded.Add(time.Duration(rapid.IntRange(0, 1000).Draw(t, "hours")) * time.Hour)
		s := New(State{Seed: rapid.Uint64().Draw(t, "seed"), Start: start})
		s.origin = start
		now, before := start, at(s, start)
		for range rapid.IntRange(1, 15).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(-90_000, 600_000).Draw(t, "ms")) * time.Millisecond)
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0:
				service := rapid.SampledFrom(Services()).Draw(t, "service")
				share := rapid.Float64Range(0.01, 1).Draw(t, "errors")
				latency := time.Duration(rapid.IntRange(0, 5000).Draw(t, "latency")) * time.Millisecond
				if _, err := s.Break(now, service, share, latency, 5*time.Minute); err != nil {
					t.Fatal(err)
				}
			case 1:
				s.Heal(now, "")
			}
			after := at(s, now)
			for i, labels := range s.Series() {
				if isCounter(labels["__name__"]) && after[i] < before[i] {
					t.Fatalf("%v fell from %v to %v at %s", labels, before[i], after[i], now)
				}
				if after[i] < 0 || math.IsNaN(after[i]) || math.IsInf(after[i], 0) {
					t.Fatalf("%v is %v at %s", labels, after[i], now)
				}
			}
			before = after
		}
	})
}

func TestBucketsAreOrderedAndCodesAddUpToTheCount(t *testing.T) {
	s := New(State{Seed: 1, Start: founded})
	before := at(s, s.Origin())
	for ms, row := range s.History(s.Origin().Add(19*time.Hour), s.Origin().Add(20*time.Hour), Tick) {
		for _, name := range Services() {
			last := 0.0
			for i, labels := range s.Series() {
				if labels["service"] != name || labels["__name__"] != "http_request_duration_seconds_bucket" {
					continue
				}
				if row[i] < last {
					t.Fatalf("%d: %s: bucket le=%s holds %v, less than the one before it (%v)", ms, name, labels["le"], row[i], last)
				}
				last = row[i]
			}
			if all := delta(s, before, row, requests(name)); all != last {
				t.Fatalf("%d: %s: codes add up to %v requests, the histogram counts %v", ms, name, all, last)
			}
		}
	}
}

func TestHistoryShowsWhatAScrapeWouldHaveShown(t *testing.T) {
	live := New(State{Seed: 7, Start: founded})
	at(live, founded)
	if _, err := live.Break(founded.Add(40*time.Second), "payment", 0.2, 2*time.Second, 10*time.Minute); err != nil {
		t.Fatal(err)
	}
	later := New(State{Seed: 7, Start: founded, Faults: live.Faults()})
	rows := 0
	for ms, row := range later.History(founded.Add(time.Minute), founded.Add(20*time.Minute), time.Minute) {
		rows++
		scraped, when := live.Values(time.UnixMilli(ms))
		if when.UnixMilli() != ms {
			t.Fatalf("values are for %s, asked for %d", when, ms)
		}
		if diff := cmp.Diff(scraped, row); diff != "" {
			t.Fatalf("at %d the history differs from the scrape (-scrape +history):\n%s", ms, diff)
		}
	}
	if rows != 20 {
		t.Fatalf("got %d rows, want one a minute, both ends included", rows)
	}
}

func TestSameSeedSameBytes(t *testing.T) {
	page := func(seed uint64) string {
		s := New(State{Seed: seed, Start: founded})
		var b strings.Builder
		if err := Write(&b, s.Series(), at(s, founded.Add(1234*time.Second)), true); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	first, second := page(3), page(3)
	if first != second {
		t.Error("two shops of one seed show different pages")
	}
	if first == page(4) {
		t.Error("another seed shows the same page")
	}
}

func TestFaultBeginsAndEndsOnTicksToCome(t *testing.T) {
	s := New(State{Seed: 1, Start: founded})
	now := founded.Add(7 * time.Second)
	f, err := s.Break(now, "checkout", 1, 0, 5*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	want := Fault{Service: "checkout", Errors: 1, From: founded.Add(Tick), Until: founded.Add(Tick + 5*time.Minute)}
	if diff := cmp.Diff(want, f); diff != "" {
		t.Fatal(diff)
	}
	before, after := at(s, f.From), at(s, f.From.Add(time.Minute))
	if got := failedShare(s, before, after, "checkout"); got != 1 {
		t.Errorf("%v of the checkout's requests fail, want all", got)
	}
	s.Heal(f.From.Add(time.Minute), "checkout")
	before, after = at(s, f.From.Add(2*time.Minute)), at(s, f.From.Add(4*time.Minute))
	if got := failedShare(s, before, after, "checkout"); got > 0.05 {
		t.Errorf("%v of the checkout's requests fail after it was healed", got)
	}
}

func TestSlowPaymentMakesTheCheckoutFail(t *testing.T) {
	s := New(State{Seed: 1, Start: founded})
	if _, err := s.Break(founded, "payment", 0, 4*time.Second, 10*time.Minute); err != nil {
		t.Fatal(err)
	}
	before, after := at(s, founded.Add(time.Minute)), at(s, founded.Add(9*time.Minute))
	if got := failedShare(s, before, after, "payment"); got > 0.05 {
		t.Errorf("payment itself fails for %v of requests, it should only be slow", got)
	}
	if got := failedShare(s, before, after, "checkout"); got < 0.5 || got > 0.75 {
		t.Errorf("checkout fails for %v of requests, want the 62 %% that pay", got)
	}
}

func TestBreakRefusesWhatMakesNoSense(t *testing.T) {
	s := New(State{Seed: 1, Start: founded})
	for name, f := range map[string]Fault{
		"unknown service":  {Service: "chekout", Errors: 0.3, Until: founded.Add(time.Minute)},
		"more than all":    {Service: "checkout", Errors: 1.3, Until: founded.Add(time.Minute)},
		"not a number":     {Service: "checkout", Errors: math.NaN(), Until: founded.Add(time.Minute)},
		"nothing at all":   {Service: "checkout", Until: founded.Add(time.Minute)},
		"no time":          {Service: "checkout", Errors: 0.3, Until: founded},
		"negative latency": {Service: "checkout", Latency: -time.Second, Until: founded.Add(time.Minute)},
	} {
		if _, err := s.Break(founded, f.Service, f.Errors, f.Latency, f.Until.Sub(founded)); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	if got := s.Faults(); len(got) != 0 {
		t.Errorf("refused faults were kept: %v", got)
	}
}

func TestThereAreAtMostTwoHundredSeriesAndEachIsNamedOnce(t *testing.T) {
	s := New(State{Seed: 1, Start: founded})
	if n := len(s.Series()); n > 200 || n != len(services)*perService+len(queues)+len(pools) {
		t.Errorf("there are %d series", n)
	}
	seen := map[string]bool{}
	for _, labels := range s.Series() {
		var parts []string
		for k, v := range labels {
			parts = append(parts, k+"="+v)
		}
		slices.Sort(parts)
		id := strings.Join(parts, ",")
		if seen[id] {
			t.Errorf("series %s appears twice", id)
		}
		seen[id] = true
	}
}

// TestHistoryTellsTheStory holds the picture that a newcomer is meant to see:
// most promises kept, the payment's budget nearly spent by an incident two
// weeks ago, the search slower since four days, some minutes unknown.
func TestHistoryTellsTheStory(t *testing.T) {
	for seed := uint64(1); seed <= 3; seed++ {
		start := founded.Add(time.Duration(seed) * 31 * time.Hour)
		s := New(State{Seed: seed, Start: start})
		var first, threeDays, last []float64
		rows, longest, previous := 0, int64(0), int64(0)
		for ms, row := range s.History(start.Add(-30*24*time.Hour), start, time.Minute) {
			rows++
			if first == nil {
				first, previous = slices.Clone(row), ms
			}
			if ms == start.Add(-72*time.Hour).UnixMilli() {
				threeDays = slices.Clone(row)
			}
			longest, previous = max(longest, ms-previous), ms
			last = row
		}
		last = slices.Clone(last)
		if want := 30*24*60 + 1 - 24; rows != want || longest != 25*time.Minute.Milliseconds() {
			t.Errorf("seed %d: %d rows, longest pause %d ms; want %d rows and one pause of 25 minutes", seed, rows, longest, want)
		}
		left := func(service string, objective float64) float64 {
			return 1 - failedShare(s, first, last, service)/(1-objective)
		}
		between := func(what string, got, low, high float64) {
			t.Helper()
			if got < low || got > high {
				t.Errorf("seed %d: %s is %.3f, want %.2f to %.2f", seed, what, got, low, high)
			}
		}
		between("payment's budget left", left("payment", 0.9995), 0.005, 0.2)
		between("checkout's budget left", left("checkout", 0.999), 0.25, 0.6)
		for _, name := range []string{"gateway", "storefront", "catalog", "cart", "inventory", "accounts"} {
			between(name+"'s budget left", left(name, 0.999), 0.55, 0.95)
		}
		between("shipping's budget left", left("shipping", 0.995), 0.5, 0.9)
		slow := func(from []float64) float64 {
			quick := map[string]string{"__name__": "http_request_duration_seconds_bucket", "service": "search", "le": "0.25"}
			all := map[string]string{"__name__": "http_request_duration_seconds_count", "service": "search"}
			return 1 - delta(s, from, last, quick)/delta(s, from, last, all)
		}
		between("the search's latency burn over three days", slow(threeDays)/0.05, 1.15, 2)
		between("the search's latency budget left", 1-slow(first)/0.05, 0.2, 0.6)
	}
}
