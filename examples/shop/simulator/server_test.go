package simulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

func serve(t *testing.T, save func([]Fault) error) (*httptest.Server, *Shop) {
	t.Helper()
	shop := New(State{Seed: 1, Start: founded})
	shop.origin = founded // a short past is quick
	server := NewServer(shop, func() time.Time { return founded.Add(time.Minute) }, save, slog.New(slog.DiscardHandler))
	ts := httptest.NewServer(server.Handler())
	t.Cleanup(ts.Close)
	return ts, shop
}

func post(t *testing.T, url, body string) (int, Status) {
	t.Helper()
	resp, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var out Status
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, out
}

func TestMetricsPageIsWhatAScraperReads(t *testing.T) {
	ts, shop := serve(t, func([]Fault) error { return nil })
	resp, err := http.Get(ts.URL + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	got, err := parser.TextToMetricFamilies(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(families) {
		t.Errorf("%d families, want %d", len(got), len(families))
	}
	if n := len(got["http_requests_total"].Metric); n != 4*len(services) {
		t.Errorf("%d series of http_requests_total, want %d", n, 4*len(services))
	}
	if n := len(got["http_request_duration_seconds"].Metric); n != len(services) {
		t.Errorf("%d histograms, want %d", n, len(services))
	}
	var text bytes.Buffer
	values, _ := shop.Values(founded.Add(time.Minute))
	if err := Write(&text, shop.Series(), values, true); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(text.String(), "\n# EOF\n") || !strings.Contains(text.String(), "# TYPE http_requests counter\n") {
		t.Error("the OpenMetrics page lacks its end or names a counter's family with _total")
	}
}

func TestBreakStatusHeal(t *testing.T) {
	var saved []Fault
	ts, _ := serve(t, func(f []Fault) error { saved = f; return nil })
	code, out := post(t, ts.URL+"/control/break", `{"service":"checkout","errors":0.3,"latency":"2s","duration":"15m"}`)
	if code != http.StatusOK || len(out.Changed) != 1 || len(out.Faults) != 1 {
		t.Fatalf("break: %d %+v", code, out)
	}
	if diff := cmp.Diff(out.Changed, saved); diff != "" {
		t.Errorf("what was confirmed is not what was stored:\n%s", diff)
	}
	code, out = post(t, ts.URL+"/control/heal", `{}`)
	if code != http.StatusOK || len(out.Faults) != 0 || len(out.Changed) != 1 {
		t.Errorf("heal: %d %+v", code, out)
	}
	code, out = post(t, ts.URL+"/control/break", `{"service":"chekout","errors":0.3,"duration":"15m"}`)
	if code != http.StatusUnprocessableEntity || !strings.Contains(out.Problem, "chekout") || len(out.Services) != len(services) {
		t.Errorf("unknown service: %d %+v", code, out)
	}
}

func TestFaultThatCannotBeStoredIsTakenBack(t *testing.T) {
	ts, shop := serve(t, func([]Fault) error { return errors.New("disk full") })
	code, _ := post(t, ts.URL+"/control/break", `{"service":"checkout","errors":0.3,"duration":"15m"}`)
	if code != http.StatusInsufficientStorage || len(shop.Faults()) != 0 {
		t.Errorf("got %d and faults %v", code, shop.Faults())
	}
}

func TestControlAnswersThisMachineOnly(t *testing.T) {
	server := NewServer(New(State{Seed: 1, Start: founded}), time.Now, nil, slog.New(slog.DiscardHandler))
	for name, alter := range map[string]func(*http.Request){
		"another machine": func(r *http.Request) { r.RemoteAddr = "192.0.2.7:4711" },
		"a lured browser": func(r *http.Request) { r.Host = "shop.example.jp" },
		"another site":    func(r *http.Request) { r.Header.Set("Origin", "https://example.jp") },
	} {
		r := httptest.NewRequest(http.MethodPost, "/control/heal", strings.NewReader("{}"))
		r.RemoteAddr, r.Host = "127.0.0.1:4711", "127.0.0.1:9000"
		alter(r)
		w := httptest.NewRecorder()
		server.Handler().ServeHTTP(w, r)
		if w.Code != http.StatusForbidden {
			t.Errorf("%s got %d", name, w.Code)
		}
	}
}

func TestStateSurvivesARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "shop.json")
	if _, found, err := LoadState(path); found || err != nil {
		t.Fatalf("found %v, error %v where there is no file", found, err)
	}
	want := State{Seed: 42, Start: founded, Faults: []Fault{{
		Service: "cart", Errors: 0.5, Latency: time.Second, From: founded, Until: founded.Add(time.Hour),
	}}}
	if err := want.Save(path); err != nil {
		t.Fatal(err)
	}
	got, found, err := LoadState(path)
	if err != nil || !found {
		t.Fatal(found, err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func FuzzControl(f *testing.F) {
	f.Add("break", `{"service":"checkout","errors":0.3,"latency":"2s","duration":"15m"}`)
	f.Add("heal", `{"service":"checkout"}`)
	f.Add("break", `{"errors":1e999}`)
	shop := New(State{Seed: 1, Start: founded})
	shop.origin = founded
	server := NewServer(shop, func() time.Time { return founded }, func([]Fault) error { return nil }, slog.New(slog.DiscardHandler)).Handler()
	f.Fuzz(func(t *testing.T, what, body string) {
		if what != "break" && what != "heal" {
			t.Skip("there is no such request")
		}
		r := httptest.NewRequest(http.MethodPost, "/control/"+what, strings.NewReader(body))
		r.RemoteAddr, r.Host = "127.0.0.1:4711", "localhost"
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		if w.Code >= 500 {
			t.Errorf("%q answered %d", body, w.Code)
		}
		if _, err := io.ReadAll(w.Result().Body); err != nil {
			t.Error(err)
		}
	})
}

func TestPagesFailAndLingerAsTheFaultsSay(t *testing.T) {
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	shop := New(State{Seed: 1, Start: now})
	server := httptest.NewServer(NewServer(shop, func() time.Time { return now }, func([]Fault) error { return nil }, slog.New(slog.DiscardHandler)).Handler())
	t.Cleanup(server.Close)
	status := func(path string) int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		return answer.StatusCode
	}
	if got := status("/services/checkout/health"); got != http.StatusOK {
		t.Errorf("well: %d", got)
	}
	if got := status("/services/nothing/health"); got != http.StatusNotFound {
		t.Errorf("no such service: %d", got)
	}
	if got := status("/services/accounts/me"); got != http.StatusUnauthorized {
		t.Errorf("without a token: %d", got)
	}
	if _, err := shop.Break(now, "checkout", 1, 0, time.Hour); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Minute)
	if got := status("/services/checkout/health"); got != http.StatusServiceUnavailable {
		t.Errorf("broken: %d", got)
	}
	if got := status("/services/payment/health"); got != http.StatusOK {
		t.Errorf("another service: %d", got)
	}
}
