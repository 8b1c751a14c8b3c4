package slo_test

import (
	"context"
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/teiten/teiten/access"
	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo"
	"github.com/teiten/teiten/observe/slo/exclusion"
)

// Who acts in the tests.
var (
	administrator = access.Principal{Kind: access.Person, UserID: "u-admin", Name: "Ada", Role: access.Admin}
	editor        = access.Principal{Kind: access.Person, UserID: "u-editor", Name: "Eda", Role: access.Editor}
	owner         = access.Principal{Kind: access.Person, UserID: "u-owner", Name: "Owen", Role: access.Viewer, Owns: []string{"team:payments"}}
	viewer        = access.Principal{Kind: access.Person, UserID: "u-viewer", Name: "Vic", Role: access.Viewer}
)

// call asks the room's API as somebody and reads the answer into out.
func (w *world) call(who access.Principal, method, path string, body, out any) int {
	w.t.Helper()
	api := httpapi.New(httpapi.Options{Authorizer: httpapi.AuthorizerFunc(
		func(r *http.Request, _ httpapi.Scope) (context.Context, error) {
			return access.WithPrincipal(r.Context(), who), nil
		})})
	w.slo.Register(api)
	send := ""
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			w.t.Fatal(err)
		}
		send = string(raw)
	}
	r := httptest.NewRequest(method, "http://127.0.0.1"+path, strings.NewReader(send))
	r.Header.Set("Content-Type", "application/json")
	rec := httptest.NewRecorder()
	api.Handler().ServeHTTP(rec, r)
	if out != nil {
		if err := json.Unmarshal(rec.Body.Bytes(), out); err != nil {
			w.t.Fatalf("%s %s: %v: %s", method, path, err, rec.Body)
		}
	}
	return rec.Code
}

// must is call that has to answer with a status.
func (w *world) must(status int, who access.Principal, method, path string, body, out any) {
	w.t.Helper()
	var raw json.RawMessage
	if got := w.call(who, method, path, body, &raw); got != status {
		w.t.Fatalf("%s %s answered %d, want %d: %s", method, path, got, status, raw)
	}
	if out != nil {
		if err := json.Unmarshal(raw, out); err != nil {
			w.t.Fatalf("%s %s: %v: %s", method, path, err, raw)
		}
	}
}

// applyAs applies documents as somebody.
func (w *world) applyAs(who access.Principal, yaml string) error {
	w.t.Helper()
	w.ascode.Permit = access.MayEdit
	defer func() { w.ascode.Permit = nil }()
	_, err := w.ascode.Apply(access.WithPrincipal(w.t.Context(), who), ascode.Request{Set: "windows", Files: []ascode.File{{Name: "windows.yaml", Data: yaml}}})
	return err
}

type correction struct {
	SLO     string    `json:"slo,omitempty"`
	Service string    `json:"service,omitempty"`
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	Reason  string    `json:"reason"`
	DryRun  bool      `json:"dryRun,omitempty"`
	Confirm string    `json:"confirm,omitempty"`
}

// outage is a day of 100 events a minute, of which half fail from 12:00 to 12:30
// and one in a hundred from 13:00 to 13:10.
func outage(t time.Time) (total, bad float64) {
	switch minute := t.Sub(t0) / time.Minute; {
	case minute >= 720 && minute < 750:
		return 100, 50
	case minute >= 780 && minute < 790:
		return 100, 1
	}
	return 100, 0
}

// afterOutage is a world in which a day with the outage was counted.
func afterOutage(t *testing.T, db *database.DB) *world {
	w := newWorld(t, db)
	w.history(t0, t0.Add(day), outage)
	w.at(t0.Add(day + 31*time.Second))
	w.evaluate()
	w.backfill()
	return w
}

func TestACorrectionThatGivesBackMuchTakesTheWordOfAnOwner(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		w := afterOutage(t, db)
		c := correction{SLO: "checkout", From: t0.Add(12 * time.Hour), To: t0.Add(12*time.Hour + 30*time.Minute), Reason: "the load generator, not customers", DryRun: true}
		var told exclusion.Excluded
		w.must(http.StatusOK, editor, http.MethodPost, "/api/v1/exclusions", c, &told)
		if len(told.Hides) != 1 || told.Exclusion != nil || told.Confirm == "" || told.Hides[0].Bad != 1500 || told.Hides[0].Minutes != 30 {
			t.Fatalf("a dry run tells %+v", told)
		}
		// Of 144,000 events 1,510 were bad; without the half hour, 10 of 141,000.
		if h := told.Hides[0]; math.Abs(h.LeftBefore-(1-1510/144.)) > 1e-9 || math.Abs(h.LeftAfter-(1-10/141.)) > 1e-9 {
			t.Errorf("%+v", h)
		}
		c.DryRun, c.Confirm = false, told.Confirm
		var problem httpapi.Problem
		w.must(http.StatusForbidden, editor, http.MethodPost, "/api/v1/exclusions", c, &problem)
		if problem.Code != "slo.exclusion_owner" {
			t.Errorf("an editor gets %+v", problem)
		}
		w.must(http.StatusForbidden, viewer, http.MethodPost, "/api/v1/exclusions", c, nil)
		c.Confirm = ""
		w.must(http.StatusConflict, owner, http.MethodPost, "/api/v1/exclusions", c, &problem)
		if problem.Code != "slo.exclusion_confirm" || !strings.Contains(problem.Remedy, told.Confirm) || !strings.Contains(problem.Detail, "1,500 bad events") {
			t.Errorf("an owner who has not confirmed gets %+v", problem)
		}
		if n := len(w.entries(exclusion.EntryAdded)); n != 0 {
			t.Fatalf("%d exclusions were made on the way", n)
		}
		c.Confirm = told.Confirm
		w.must(http.StatusOK, owner, http.MethodPost, "/api/v1/exclusions", c, &told)
		if told.Exclusion == nil || told.Exclusion.CreatedBy.Name != "Owen" || told.Exclusion.State != "past" {
			t.Fatalf("%+v", told.Exclusion)
		}
		e := w.entries(exclusion.EntryAdded)
		if len(e) != 1 || e[0].Subject != "slo:checkout" || e[0].Actor.ID != "u-owner" || !strings.Contains(string(e[0].Data), "load generator") {
			t.Errorf("the journal says %+v", e)
		}
	}, rooms...)
}

func TestASmallCorrectionNeedsNoConfirmation(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		w := afterOutage(t, db)
		c := correction{Service: "checkout", From: t0.Add(13 * time.Hour), To: t0.Add(13*time.Hour + 5*time.Minute), Reason: "a test"}
		w.must(http.StatusForbidden, viewer, http.MethodPost, "/api/v1/exclusions", c, nil)
		var made exclusion.Excluded
		w.must(http.StatusOK, editor, http.MethodPost, "/api/v1/exclusions", c, &made)
		if made.Confirm != "" || made.Exclusion == nil || len(made.Hides) != 1 || made.Hides[0].Bad != 5 {
			t.Errorf("%+v", made)
		}
	}, rooms...)
}

func TestATakenBackExclusionStaysWithWhoWhenAndWhy(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		var made exclusion.Excluded
		w.must(http.StatusOK, owner, http.MethodPost, "/api/v1/exclusions",
			correction{SLO: "checkout", From: t0.Add(-time.Hour), To: t0, Reason: "a drill"}, &made)
		path := "/api/v1/exclusions/" + made.Exclusion.ID
		w.must(http.StatusUnprocessableEntity, owner, http.MethodDelete, path, nil, nil)
		w.must(http.StatusForbidden, viewer, http.MethodDelete, path+"?why=nonsense", nil, nil)
		w.at(t0.Add(time.Hour))
		w.must(http.StatusOK, editor, http.MethodDelete, path+"?why="+url.QueryEscape("it was no drill"), nil, nil)
		w.must(http.StatusConflict, editor, http.MethodDelete, path+"?why=again", nil, nil)
		var read exclusion.View
		w.must(http.StatusOK, viewer, http.MethodGet, path, nil, &read)
		if read.State != "taken_back" || read.TakenBack == nil || read.TakenBack.By.Name != "Eda" || read.TakenBack.Why != "it was no drill" ||
			!read.TakenBack.At.Equal(t0.Add(time.Hour)) || read.Reason != "a drill" || read.CreatedBy.Name != "Owen" {
			t.Errorf("%+v", read)
		}
		if e := w.entries(exclusion.EntryTakenBack); len(e) != 1 || e[0].Actor.Name != "Eda" {
			t.Errorf("the journal says %+v", e)
		}
	}, rooms...)
}

const nightly = `
apiVersion: teiten.dev/v1
kind: MaintenanceWindow
metadata: {name: nightly}
spec:
  teams: [payments]
  reason: the database is vacuumed
  schedule: {start: "2026-06-01T02:00", timeZone: UTC, rrule: FREQ=DAILY, duration: 30m}
`

func TestExclusionsAreFoundByWhomTheyCoverAndWhen(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		if err := w.applyAs(owner, nightly); err != nil {
			t.Fatal(err)
		}
		for i, c := range []correction{
			{SLO: "checkout", From: t0.Add(-2 * time.Hour), To: t0.Add(-time.Hour), Reason: "past"},
			{Service: "checkout", From: t0.Add(time.Hour), To: t0.Add(2 * time.Hour), Reason: "planned"},
		} {
			w.at(t0.Add(time.Duration(i+1) * time.Millisecond))
			w.must(http.StatusOK, editor, http.MethodPost, "/api/v1/exclusions", c, nil)
		}
		var windows page[exclusion.View]
		w.must(http.StatusOK, viewer, http.MethodGet, "/api/v1/exclusions?document=nightly", nil, &windows)
		if got, want := windows.Items[0].When, text.Say("every day from 02:00 for 30 minutes, UTC", "毎日 2:00から30分(UTC)"); got != want {
			t.Errorf("it recurs %q, want %q", got, want)
		}
		at := url.QueryEscape(t0.Add(26*time.Hour + 10*time.Minute).Format(time.RFC3339))
		for query, want := range map[string]string{
			"":                         "planned past the database is vacuumed",
			"?slo=checkout":            "planned past the database is vacuumed",
			"?service=checkout":        "planned past the database is vacuumed",
			"?slo=other":               "",
			"?state=planned":           "planned",
			"?state=past":              "past",
			"?state=active":            "the database is vacuumed",
			"?document=nightly":        "the database is vacuumed",
			"?at=" + at:                "the database is vacuumed",
			"?slo=checkout&limit=2":    "planned past",
			"?state=taken_back":        "",
			"?at=2026-06-02T02:30:00Z": "",
		} {
			var got page[exclusion.View]
			w.must(http.StatusOK, viewer, http.MethodGet, "/api/v1/exclusions"+query, nil, &got)
			var reasons []string
			for _, x := range got.Items {
				reasons = append(reasons, x.Reason)
			}
			if s := strings.Join(reasons, " "); s != want {
				t.Errorf("%q finds %q, want %q", query, s, want)
			}
			if strings.Contains(query, "limit") {
				var rest page[exclusion.View]
				w.must(http.StatusOK, viewer, http.MethodGet, "/api/v1/exclusions"+query+"&cursor="+got.Next, nil, &rest)
				if len(rest.Items) != 1 || rest.Next != "" || rest.Items[0].Next == nil || !rest.Items[0].Next.From.Equal(t0.Add(2*time.Hour)) {
					t.Errorf("the next page is %+v", rest)
				}
			}
		}
	}, rooms...)
}

func TestEachTimeThatDoesNotCountIsToldForCharts(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		if err := w.applyAs(owner, nightly); err != nil {
			t.Fatal(err)
		}
		w.at(t0.Add(3 * day))
		var got page[slo.ExcludedSpan]
		w.must(http.StatusOK, viewer, http.MethodGet, "/api/v1/slos/checkout/exclusions", nil, &got)
		if len(got.Items) != 3 || !got.Items[1].From.Equal(t0.Add(26*time.Hour)) || !got.Items[1].To.Equal(t0.Add(26*time.Hour+30*time.Minute)) || got.Items[1].Document != "nightly" {
			t.Errorf("%+v", got.Items)
		}
		var d slo.Detail
		w.must(http.StatusOK, viewer, http.MethodGet, "/api/v1/slos/checkout", nil, &d)
		if d.Excluded.Minutes != 90 || d.Excluded.Now || d.Excluded.Next == nil || !d.Excluded.Next.From.Equal(t0.Add(3*day+2*time.Hour)) || math.Abs(d.Excluded.Share-90./43200) > 1e-12 {
			t.Errorf("%+v", d.Excluded)
		}
		w.must(http.StatusNotFound, viewer, http.MethodGet, "/api/v1/slos/other/exclusions", nil, nil)
	}, rooms...)
}

func TestAMaintenanceWindowIsForWhoMayEditWhatItCovers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		if err := w.applyAs(viewer, nightly); fault.KindOf(err) != fault.Denied {
			t.Errorf("a viewer gets %v", err)
		}
		other := owner
		other.Owns = []string{"team:search"}
		if err := w.applyAs(other, nightly); fault.KindOf(err) != fault.Denied {
			t.Errorf("the owner of another team gets %v", err)
		}
		if err := w.applyAs(owner, nightly); err != nil {
			t.Errorf("an owner gets %v", err)
		}
	}, rooms...)
}

func TestAWindowThatCorrectsASpentBudgetTakesTheWordOfAnOwner(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		w := afterOutage(t, db)
		past := `
apiVersion: teiten.dev/v1
kind: MaintenanceWindow
metadata: {name: noon}
spec: {services: [checkout], reason: it was planned, start: "2026-06-01T12:00:00Z", end: "2026-06-01T12:30:00Z"}
`
		err := w.applyAs(editor, past)
		if f, ok := fault.As(err); !ok || f.Code != "slo.exclusion_owner" || f.Where.Line == 0 || !strings.Contains(f.What.EN, "1,500 bad events") {
			t.Errorf("an editor gets %v", err)
		}
		if err := w.applyAs(owner, past); err != nil {
			t.Error(err)
		}
	}, rooms...)
}

func TestRemovingAWindowLeavesWhatIsPastExcluded(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		if err := w.applyAs(owner, nightly); err != nil {
			t.Fatal(err)
		}
		w.at(t0.Add(3*day + time.Hour))
		_, err := w.ascode.Delete(access.WithPrincipal(t.Context(), owner), ascode.Removal{Set: "windows", Keys: []ascode.Key{{Kind: "MaintenanceWindow", Name: "nightly"}}})
		if err != nil {
			t.Fatal(err)
		}
		told := w.entries(exclusion.EntryEnded)
		if len(told) != 1 || !strings.Contains(string(told[0].Data), `"to":"`+w.now().Format(time.RFC3339)) || told[0].Actor.Name == "" {
			t.Errorf("the journal tells of the end: %+v", told)
		}
		for at, want := range map[time.Duration]int{2 * time.Hour: 1, day + 2*time.Hour: 1, 2*day + 2*time.Hour: 1, 3*day + 2*time.Hour: 0} {
			var got page[exclusion.View]
			w.must(http.StatusOK, viewer, http.MethodGet, "/api/v1/exclusions?at="+url.QueryEscape(t0.Add(at).Format(time.RFC3339)), nil, &got)
			if len(got.Items) != want {
				t.Errorf("after %v: %d exclusions, want %d", at, len(got.Items), want)
			}
		}
	}, rooms...)
}

func TestAChangedScheduleHoldsFromNowOn(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		if err := w.applyAs(owner, nightly); err != nil {
			t.Fatal(err)
		}
		w.at(t0.Add(3*day + time.Hour))
		if err := w.applyAs(owner, replaceOnce(t, nightly, "T02:00", "T04:00")); err != nil {
			t.Fatal(err)
		}
		excluded := func(at time.Duration) bool {
			var got page[exclusion.View]
			w.must(http.StatusOK, viewer, http.MethodGet, "/api/v1/exclusions?at="+url.QueryEscape(t0.Add(at).Format(time.RFC3339)), nil, &got)
			return len(got.Items) > 0
		}
		if !excluded(2*day+2*time.Hour) || excluded(2*day+4*time.Hour) || excluded(3*day+2*time.Hour) || !excluded(3*day+4*time.Hour) {
			t.Error("the past changed, or the future did not")
		}
		// Said to have held before, it corrects the past, and what was known stays known.
		earlier := replaceOnce(t, replaceOnce(t, nightly, "T02:00", "T04:00"), "reason:", "effectiveFrom: \"2026-06-02T00:00:00Z\"\n  reason:")
		if err := w.applyAs(owner, earlier); err != nil {
			t.Fatal(err)
		}
		if !excluded(2*time.Hour) || excluded(2*day+2*time.Hour) || !excluded(2*day+4*time.Hour) {
			t.Error("the past was not corrected")
		}
	}, rooms...)
}

func TestAWrongMaintenanceWindowSaysWhereAndHowToMendIt(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		for change, code := range map[[2]string]string{
			{"teams: [payments]", "teams: []"}:                 "slo.maintenance_whom",
			{"teams: [payments]", "slos: [chekout]"}:           "slo.unresolved",
			{"teams: [payments]", "services: [chekout]"}:       "slo.service_unknown",
			{"reason: the database is vacuumed", "reason: ''"}: "slo.maintenance_reason",
			{"FREQ=DAILY", "FREQ=DAYLY"}:                       "slo.maintenance_time",
			{"timeZone: UTC", "timeZone: Asia/Tokio"}:          "slo.maintenance_time",
			{"30m", "30x"}: "slo.maintenance_time",
			{"reason:", "start: \"2026-06-01T12:00:00Z\"\n  reason:"}: "slo.maintenance_when",
		} {
			f, ok := fault.As(w.applyAs(administrator, replaceOnce(t, nightly, change[0], change[1])))
			for ok && len(f.Details) > 0 {
				f = f.Details[0]
			}
			if !ok || f.Code != code || f.Where.Line == 0 || f.Remedy.EN == "" || f.Remedy.JA == "" {
				t.Errorf("%v: %v", change, f)
			}
		}
	}, rooms...)
}
