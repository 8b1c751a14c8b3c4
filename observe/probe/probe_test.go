package probe_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/kit/secret"
	"github.com/teiten/teiten/measure"
	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/probe"
	"github.com/teiten/teiten/observe/probe/check"
)

// ask reads the API as a client does.
func (w *world) ask(method, path string, body, into any) int {
	w.t.Helper()
	if w.api == nil {
		w.api = httpapi.New(httpapi.Options{Title: "test", Now: func() time.Time { return w.now },
			Authorizer: httpapi.AuthorizerFunc(func(r *http.Request, _ httpapi.Scope) (context.Context, error) { return r.Context(), nil })})
		w.probes.Register(w.api)
	}
	b, err := json.Marshal(body)
	if err != nil {
		w.t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(w.t.Context(), method, path, strings.NewReader(string(b)))
	r.Header.Set("Content-Type", "application/json")
	r.Host = "127.0.0.1"
	answer := httptest.NewRecorder()
	w.api.Handler().ServeHTTP(answer, r)
	if into != nil && answer.Code < 300 {
		if err := json.Unmarshal(answer.Body.Bytes(), into); err != nil {
			w.t.Fatalf("%s: %v", answer.Body, err)
		}
	}
	return answer.Code
}

func (w *world) get(name string) probe.Detail {
	w.t.Helper()
	var d probe.Detail
	if code := w.ask("GET", "/api/v1/probes/"+name, nil, &d); code != http.StatusOK {
		w.t.Fatalf("%s: status %d", name, code)
	}
	return d
}

// counted are the events of a location in the minutes from the start on.
func (w *world) counted(location string, minutes int64) []float64 {
	w.t.Helper()
	first := start.Unix() / 60
	got, err := w.events.Counts(w.t.Context(), []metrics.Selection{{Expr: `sum(events_total{stream="probe",probe="front",location="` + location + `"})`}}, first, first+minutes)
	if err != nil || got[0].Err != nil {
		w.t.Fatal(err, got[0].Err)
	}
	return got[0].Values
}

func TestAResultCountsOnceHoweverOftenItIsDelivered(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.apply(front)
		ok, bad := result(0, check.Success), result(1, check.Failure)
		taken := w.record("tokyo", ok, bad, ok)
		taken.Refused = nil
		if d := cmp.Diff(probe.Taken{Accepted: 2, Duplicates: 1}, taken); d != "" {
			t.Error(d)
		}
		w.record("tokyo", bad)
		w.now = start.Add(2 * time.Minute)
		if d := cmp.Diff([]float64{1, 1}, w.counted("tokyo", 2)); d != "" {
			t.Error(d)
		}
		if s, f := w.samples.last("probe_checks_total", "tokyo", "success"), w.samples.last("probe_checks_total", "tokyo", "failure"); s != 1 || f != 1 {
			t.Errorf("counters %v and %v", s, f)
		}
		if first := w.samples.rows[0]; first.Points[0].V != 0 || !first.Points[0].Time().Before(ok.At) {
			t.Errorf("the counter was not born at zero: %+v", first)
		}
		d := w.get("front")
		if d.Day != (probe.Tally{Good: 1, Total: 2}) || len(d.Latest) != 1 || d.Latest[0].Outcome != check.Failure || d.Latest[0].Steps[0].TTFBMs != 100 {
			t.Errorf("%+v", d)
		}
	})
}

func TestFailureAndRecoveryAreToldOnceWhenTheQuorumSeesThem(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.apply(front)
		for _, at := range []string{"server", "tokyo", "osaka"} {
			w.record(at, result(0, check.Success))
		}
		w.record("tokyo", result(1, check.Failure))
		if s := w.get("front").State; s != probe.Degraded || len(w.told) != 0 {
			t.Errorf("one of three: %s, told %v", s, w.kinds())
		}
		w.record("osaka", result(1, check.Failure))
		w.record("osaka", result(2, check.Failure))
		w.record("server", result(2, check.Failure))
		if s := w.get("front"); s.State != probe.Down || !strings.Contains(s.Reason.EN, "status 500") {
			t.Errorf("%s %v", s.State, s.Reason)
		}
		w.record("server", result(3, check.Success))
		w.record("osaka", result(3, check.Success))
		w.record("tokyo", result(3, check.Success))
		want := []string{"probe.failed probe:front", "probe.recovered probe:front"}
		if d := cmp.Diff(want, w.kinds()); d != "" {
			t.Fatal(d)
		}
		if at := fmt.Sprint(w.data(0)["locations"]); at != "[tokyo osaka]" {
			t.Errorf("seen from %s", at)
		}
		if d := w.get("front"); d.State != probe.Up || d.Since == nil || !d.Since.Equal(result(3, check.Success).At) {
			t.Errorf("%s since %v", d.State, d.Since)
		}
	})
}

func TestALateResultCountsInItsMinuteAndChangesNoState(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.apply(front)
		w.record("tokyo", result(10, check.Success))
		w.record("tokyo", result(2, check.Failure), result(3, check.Failure))
		if d := w.get("front"); d.Locations[1].State != probe.Up {
			t.Errorf("%+v", d.Locations[1])
		}
		want := []float64{math.NaN(), math.NaN(), 1, 1, math.NaN(), math.NaN(), math.NaN(), math.NaN(), math.NaN(), math.NaN(), 1}
		w.now = w.now.Add(time.Minute)
		if d := cmp.Diff(want, w.counted("tokyo", 11), cmpopts.EquateNaNs()); d != "" {
			t.Error(d)
		}
		if len(w.told) != 0 {
			t.Errorf("told %v", w.kinds())
		}
	})
}

func TestALocationThatReportsNoMoreIsNamedAndNotGood(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.apply(front)
		w.record("tokyo", result(0, check.Success))
		if code := w.ask("GET", "/api/v1/probe-assignments?location=tokyo&version=1", nil, nil); code != http.StatusOK {
			t.Fatal(code)
		}
		w.now = w.now.Add(6 * time.Minute)
		if err := w.probes.TellSilent(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := w.probes.TellSilent(t.Context()); err != nil {
			t.Fatal(err)
		}
		d := w.get("front")
		if d.State != probe.Silent || d.Locations[1].State != probe.Silent || d.Locations[1].Reason.EN != "location tokyo has not reported for 6 min" {
			t.Errorf("%s: %+v", d.State, d.Locations[1])
		}
		var places struct{ Items []probe.Place }
		w.ask("GET", "/api/v1/probe-locations", nil, &places)
		states := map[string]probe.LocationState{}
		for _, p := range places.Items {
			states[p.Name] = p.State
		}
		if d := cmp.Diff(map[string]probe.LocationState{"tokyo": probe.Quiet, "osaka": probe.Never, "server": probe.Never}, states); d != "" {
			t.Error(d)
		}
		w.record("tokyo", result(8, check.Success))
		w.ask("GET", "/api/v1/probe-assignments?location=tokyo", nil, nil)
		if d := cmp.Diff([]string{"probe.location_silent location:tokyo", "probe.location_back location:tokyo"}, w.kinds()); d != "" {
			t.Error(d)
		}
		if v := w.counted("tokyo", 9); !math.IsNaN(v[4]) {
			t.Errorf("a silent minute counts %v", v[4])
		}
	})
}

func TestACheckThatCouldNotBeMadeCountsNeitherAsGoodNorAsBad(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.apply(front)
		w.record("server", result(0, check.Unknown))
		if v := w.counted("server", 1); !math.IsNaN(v[0]) {
			t.Errorf("it counts %v", v[0])
		}
		if d := w.get("front"); d.Locations[0].State != probe.Unknown || d.Locations[0].Reason.IsZero() {
			t.Errorf("%+v", d.Locations[0])
		}
	})
}

func TestResultsThatCannotBeTakenAreRefusedOneByOne(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.apply(front)
		w.now = start.Add(10 * 24 * time.Hour)
		ahead, old, unknown := result(0, check.Success), result(0, check.Success), result(0, check.Success)
		ahead.Due, ahead.At = w.now.Add(time.Hour), w.now
		unknown.Probe = "nobody"
		fine := result(0, check.Success)
		fine.Due, fine.At = w.now, w.now
		taken := w.record("tokyo", ahead, old, unknown, fine)
		if taken.Accepted != 1 || len(taken.Refused) != 3 {
			t.Errorf("%+v", taken)
		}
		if taken := w.record("paris", fine); taken.Accepted != 0 || len(taken.Refused) != 1 {
			t.Errorf("from where it is not checked: %+v", taken)
		}
		if code := w.ask("GET", "/api/v1/probe-assignments?location=server", nil, nil); code != http.StatusUnprocessableEntity && code != http.StatusBadRequest {
			t.Errorf("an agent took the server's name: %d", code)
		}
	})
}

func TestANewProbeNeedsNoObjective(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.apply(`apiVersion: teiten.dev/v1
kind: Probe
metadata: {name: port}
spec: {service: checkout, tcp: {address: "shop.example.com:443"}}
`)
		if d := w.get("port"); d.Type != "tcp" || d.SLO != "" {
			t.Errorf("kept as %+v", d)
		}
	})
}

func TestAProbeIsAnObjectiveAndNoMoreWithoutOne(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.apply(front)
		d, err := w.slo.Get(t.Context(), "probe-front")
		if err != nil {
			t.Fatal(err)
		}
		if d.Service != "checkout" || d.DataSource != "events" || !strings.Contains(d.Queries.Total, `probe="front"`) {
			t.Errorf("%+v", d)
		}
		if got := w.get("front"); got.SLO != "probe-front" || got.Owner != "payments" || got.Tier != "gold" {
			t.Errorf("%+v", got.View)
		}
		without := strings.Replace(front, "  slo: {objective: 0.99}\n", "", 1)
		w.apply(without)
		w.apply(without + "---" + strings.Replace(without, "name: front", "name: back", 1))
		if got := w.get("back"); got.SLO != "" || got.State != probe.Unknown {
			t.Errorf("%+v", got.View)
		}
		if _, err := w.slo.Get(t.Context(), "probe-front"); fault.KindOf(err) != fault.NotFound {
			t.Errorf("it is still there: %v", err)
		}
	})
}

func TestWhatIsShownOfAProbeHoldsNoSecret(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.apply(front)
		d := w.get("front")
		b, _ := json.Marshal(d)
		if strings.Contains(string(b), "good-news") || !strings.Contains(string(b), secret.Hidden) || !strings.Contains(string(b), "text/html") {
			t.Errorf("%s", b)
		}
		if d.Target != "https://shop.example.com/health" {
			t.Errorf("target %q", d.Target)
		}
		// An agent needs the secret itself.
		var jobs struct{ Items []json.RawMessage }
		w.ask("GET", "/api/v1/probe-assignments?location=tokyo", nil, &jobs)
		if len(jobs.Items) != 1 || !strings.Contains(string(jobs.Items[0]), "good-news") {
			t.Errorf("%s", jobs.Items)
		}
		// Hidden as it was shown, it stays; sent elsewhere, it has to be known.
		shown := strings.Replace(front, "Bearer of-good-news", secret.Hidden, 1)
		w.apply(strings.Replace(shown, "interval: 1m", "interval: 2m", 1))
		if err := w.tryApply(strings.Replace(shown, "shop.example.com", "evil.example.com", 1)); err == nil {
			t.Error("a hidden secret went to another host")
		}
	})
}

func TestMistakesInADocumentAreFoundWhereTheyAre(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for name, c := range map[string]struct{ old, new, code string }{
			"service":   {"service: checkout", "service: nobody", "probe.service_unknown"},
			"interval":  {"interval: 1m", "interval: 1s", "probe.interval"},
			"timeout":   {"interval: 1m", "interval: 1m\n  timeout: 50s\n  retries: 1", "probe.timeout"},
			"quorum":    {"quorum: 2", "quorum: 4", "probe.quorum"},
			"location":  {"tokyo", "東京", "probe.location"},
			"objective": {"0.99", "1", "probe.objective"},
			"url":       {"https://shop", "gopher://shop", "probe.url"},
			"field":     {"quorum: 2", "quorums: 2", "ascode.field_unknown"},
		} {
			err := w.tryApply(strings.Replace(front, c.old, c.new, 1))
			f, ok := fault.As(err)
			if !ok || f.Code != c.code || f.Where.Line == 0 || f.Remedy.JA == "" {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestResultsAreListedInPagesAndAddUpToASeries(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.apply(front)
		for i := range 6 {
			o := check.Success
			if i == 3 {
				o = check.Failure
			}
			w.record("server", result(i, o))
			w.record("tokyo", result(i, check.Success))
		}
		seen := map[string]bool{}
		cursor := ""
		for {
			var page httpapi.Page[probe.ResultView]
			w.ask("GET", "/api/v1/probes/front/results?limit=5&cursor="+cursor, nil, &page)
			for _, r := range page.Items {
				seen[r.ID] = true
			}
			if cursor = page.Next; cursor == "" {
				break
			}
		}
		if len(seen) != 12 {
			t.Errorf("%d results in all pages", len(seen))
		}
		var failures httpapi.Page[probe.ResultView]
		w.ask("GET", "/api/v1/probes/front/results?outcome=failure&location=server", nil, &failures)
		if len(failures.Items) != 1 || failures.Items[0].Code != check.CodeStatus {
			t.Errorf("%+v", failures.Items)
		}
		w.now = start.Add(6 * time.Minute)
		var series probe.Series
		w.ask("GET", "/api/v1/probes/front/series?points=2&from="+start.Format(time.RFC3339)+"&to="+w.now.Format(time.RFC3339), nil, &series)
		if series.StepSeconds != 180 || len(series.Locations) != 3 {
			t.Fatalf("%+v", series)
		}
		got := series.Locations[0].Points
		if len(got) != 2 || got[0].Good != 3 || got[0].Total != 3 || got[1].Good != 2 || got[1].Total != 3 || got[1].MeanMs == nil || *got[1].MeanMs != 120 {
			t.Errorf("%+v", got)
		}
	})
}

func TestAvailabilityIsTheShareOfSuccessfulChecks(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.apply(front)
		r := measure.NewRegistry()
		w.probes.Measures(r)
		for i := range 4 {
			o := check.Success
			if i == 0 {
				o = check.Failure
			}
			w.record("server", result(i, o))
		}
		w.now = start.Add(4 * time.Minute)
		d, err := r.Lookup("probe.availability")
		if err != nil {
			t.Fatal(err)
		}
		got, err := d.Source.Values(t.Context(), "probe:front", w.now, w.now)
		if err != nil || len(got) != 1 || got[0].V != 0.75 {
			t.Errorf("%+v %v", got, err)
		}
	})
}
