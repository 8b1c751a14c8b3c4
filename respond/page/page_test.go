package page

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/notify"
	"github.com/teiten/teiten/respond/alert"
	"github.com/teiten/teiten/respond/alert/route"
	"github.com/teiten/teiten/respond/page/db"
)

func TestLadderIsClimbedUntilSomebodyAnswers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, conn *database.DB) {
		s := open(t, conn)
		first, second := ring(t, nil), ring(t, nil)
		s.method("aoi", first.URL)
		s.method("haruto", second.URL)
		s.policy("payments", ladder())
		s.run()
		s.say(alert.EntryGroupOpened, "g1", nil)
		s.turn()
		until(t, func() bool {
			return len(s.entries("notify.delivered")) == len(first.got)+len(second.got) && len(first.pages()) == 1
		})
		s.wait(4 * time.Minute)
		s.turn()
		if len(second.pages()) != 0 || len(s.entries(EntrySent)) != 1 {
			t.Fatal("the second step came before its time")
		}
		s.wait(time.Minute)
		s.turn()
		until(t, func() bool { return len(second.pages()) == 1 })
		if _, err := s.Acknowledge(as(t.Context(), "haruto"), s.only().ID); err != nil {
			t.Fatal(err)
		}
		s.wait(24 * time.Hour)
		s.turn()
		if p := s.only(); p.State != Acknowledged || p.AcknowledgedBy.Name != "haruto" || len(s.entries(EntrySent)) != 2 {
			t.Errorf("%+v", p)
		}
		if len(s.entries(EntryEscalated)) != 1 || len(s.entries(EntryAcknowledged)) != 1 || !slices.Equal(s.acked, []string{"g1"}) {
			t.Errorf("escalated %d, acknowledged %d, groups %v", len(s.entries(EntryEscalated)), len(s.entries(EntryAcknowledged)), s.acked)
		}
		until(t, func() bool {
			d, err := s.detail(t.Context(), s.only())
			return err == nil && len(d.Messages) == 2 && d.Messages[0].State == "delivered" && d.Messages[1].State == "delivered"
		})
	}, rooms...)
}

func TestNobodyAnswersIsHandedOnToTheFallback(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, conn *database.DB) {
		s := open(t, conn)
		for _, name := range []string{"aoi", "haruto", "mei"} {
			s.method(name, "https://"+name+".example")
		}
		spec := ladder()
		spec.Repeat = &Repeat{Times: 1, After: "10m"}
		s.policy("payments", spec)
		s.say(alert.EntryGroupOpened, "g1", nil)
		for range 40 {
			s.turn()
			s.wait(time.Minute)
		}
		if got := s.to(); !slices.Equal(got, []string{"aoi", "aoi", "haruto", "haruto", "mei"}) {
			t.Fatalf("%v", got)
		}
		if p := s.only(); p.State != Exhausted || len(s.entries(EntryExhausted)) != 1 {
			t.Errorf("%s", p.State)
		}
		if _, err := s.Acknowledge(as(t.Context(), "mei"), s.only().ID); err != nil {
			t.Error("handed on, and cannot be acknowledged any more:", err)
		}
	}, rooms...)
}

// A6: nobody on call is never an outcome: the fallback is paged, and the gap is
// on record.
func TestNobodyOnCallPagesTheFallbackAndShowsTheGap(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, conn *database.DB) {
		s := open(t, conn)
		s.method("mei", "https://mei.example")
		spec := ladder()
		spec.Steps[0].Targets = []Target{"schedule:empty", "schedule:gone", "user:aoi"}
		s.policy("payments", spec)
		s.say(alert.EntryGroupOpened, "g1", nil)
		s.turn()
		if got := s.to(); !slices.Equal(got, []string{"mei"}) {
			t.Fatalf("%v", got)
		}
		gaps := s.entries(EntryGap)
		if len(gaps) != 1 || !strings.Contains(string(gaps[0].Data), "nobody is on call by the schedule empty") ||
			!strings.Contains(string(gaps[0].Data), "there is no schedule gone") || !strings.Contains(string(gaps[0].Data), "oncall.yaml") {
			t.Errorf("%+v", gaps)
		}
	}, rooms...)
}

func TestWithoutPolicyAndPeopleChannelsAreTheOnesWhoKnow(t *testing.T) {
	conn := dbtest.Open(t, dbtest.SQLite(t), rooms...)
	s := open(t, conn)
	s.say(alert.EntryGroupOpened, "g1", nil) // there is no policy, nobody in the team, and no channel
	s.turn()
	if len(s.entries(EntryGap)) != 1 || s.only().State != Exhausted {
		t.Errorf("%s, %d gaps", s.only().State, len(s.entries(EntryGap)))
	}
	s.channel("ops", "https://ops.example")
	s.say(alert.EntryGroupOpened, "g2", nil)
	s.turn()
	if all := s.all(); all[0].State != Told || len(s.entries(EntryGap)) != 1 {
		t.Errorf("%s, %d gaps", all[0].State, len(s.entries(EntryGap)))
	}
}

func TestEndStopsWhatWasStillToCome(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, conn *database.DB) {
		s := open(t, conn)
		s.method("aoi", "https://aoi.example")
		s.method("haruto", "https://haruto.example")
		s.policy("payments", ladder())
		s.say(alert.EntryGroupOpened, "g1", nil)
		s.turn()
		s.say(alert.EntryGroupResolved, "g1", nil)
		s.wait(time.Hour)
		s.turn()
		if p := s.only(); p.State != Resolved || len(s.entries(EntrySent)) != 1 || len(s.entries(EntryEnded)) != 1 {
			t.Errorf("%s, %d sent", p.State, len(s.entries(EntrySent)))
		}
		if _, err := s.Acknowledge(as(t.Context(), "aoi"), s.only().ID); err == nil {
			t.Error("what is over was acknowledged")
		}
		waiting, err := s.notify.Deliveries(t.Context(), notify.Filter{States: []string{"withdrawn"}, Limit: 10})
		if err != nil || len(waiting) != 1 {
			t.Errorf("%d withdrawn, %v", len(waiting), err)
		}
	}, rooms...)
}

func TestAnswerElsewhereStopsThePage(t *testing.T) {
	conn := dbtest.Open(t, dbtest.SQLite(t), rooms...)
	s := open(t, conn)
	s.method("aoi", "https://aoi.example")
	s.policy("payments", ladder())
	s.say(alert.EntryGroupOpened, "g1", nil)
	s.turn()
	s.say(alert.EntryGroupAcknowledged, "g1", nil)
	s.wait(time.Hour)
	s.turn()
	if p := s.only(); p.State != Acknowledged || len(s.entries(EntrySent)) != 1 || len(s.acked) != 0 {
		t.Errorf("%s", p.State)
	}
	s.say(alert.EntryGroupReminded, "g1", func(n *alert.Notice) { n.Forgotten = true })
	s.turn()
	if all := s.all(); len(all) != 2 || all[0].State != Paging || len(s.entries(EntrySent)) != 2 {
		t.Errorf("a forgotten group pages nobody: %d pages", len(all))
	}
}

func TestRestartAndClockJumpsMakeUpForNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, conn *database.DB) {
		s := open(t, conn)
		for _, name := range []string{"aoi", "haruto", "mei"} {
			s.method(name, "https://"+name+".example")
		}
		spec := ladder()
		spec.Repeat = &Repeat{Times: 10}
		s.policy("payments", spec)
		s.say(alert.EntryGroupOpened, "g1", nil)
		s.turn()
		s.wait(300 * 24 * time.Hour)
		for range 5 {
			s.turn()
		}
		if n := len(s.entries(EntrySent)); n != 2 {
			t.Fatalf("%d pages after a jump ahead, want one more than before", n)
		}
		s.wait(-300 * 24 * time.Hour)
		s.turn()
		s.wait(10*time.Minute - time.Second)
		s.turn()
		if n := len(s.entries(EntrySent)); n != 2 {
			t.Fatalf("%d pages before the time of the third", n)
		}
		s.wait(time.Second)
		s.turn()
		if n := len(s.entries(EntrySent)); n != 3 {
			t.Errorf("%d pages: a clock that was put back holds the ladder up", n)
		}
	}, rooms...)
}

func TestReplicasTakeAStepOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, conn *database.DB) {
		s := open(t, conn)
		s.method("aoi", "https://aoi.example")
		s.policy("payments", ladder())
		s.say(alert.EntryGroupOpened, "g1", nil)
		errs := make(chan error, 8)
		for range cap(errs) {
			go func() { _, err := s.round(context.Background()); errs <- err }()
		}
		for range cap(errs) {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
		if got := s.to(); !slices.Equal(got, []string{"aoi"}) {
			t.Errorf("%v", got)
		}
	}, rooms...)
}

func TestPersonGetsNoMoreThanTheSetNumber(t *testing.T) {
	conn := dbtest.Open(t, dbtest.SQLite(t), rooms...)
	s := open(t, conn)
	s.method("aoi", "https://aoi.example")
	spec := ladder()
	spec.Steps, spec.Repeat, spec.MostPerUser = spec.Steps[:1], &Repeat{Times: 20, After: "1m"}, 4
	s.policy("payments", spec)
	s.say(alert.EntryGroupOpened, "g1", nil)
	for range 30 {
		s.turn()
		s.wait(time.Minute)
	}
	n := len(slices.DeleteFunc(s.to(), func(p string) bool { return p != "aoi" }))
	if n != 4 || len(s.entries(EntryCapped)) == 0 {
		t.Errorf("%d messages, %d entries", n, len(s.entries(EntryCapped)))
	}
}

// A person's rules say which methods follow when; one that fails has the next one
// follow at once.
func TestMethodsFollowInTheirOrderAndAtOnceWhereOneFails(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, conn *database.DB) {
		s := open(t, conn)
		gone, good := ring(t, func(int) int { return http.StatusGone }), ring(t, nil)
		a, b := s.method("aoi", gone.URL), s.method("aoi", good.URL)
		err := s.Prefer(as(t.Context(), "aoi"), "me", Preferences{Rules: []Rule{{Methods: []Planned{{Method: a.ID}, {Method: b.ID, After: "30m"}}}}})
		if err != nil {
			t.Fatal(err)
		}
		s.policy("payments", ladder())
		s.run()
		s.say(alert.EntryGroupOpened, "g1", nil)
		s.turn()
		until(t, func() bool { return len(s.entries(EntryUndelivered)) == 1 })
		s.turn()
		until(t, func() bool { return len(good.pages()) == 1 })
	}, rooms...)
}

// N4, N6: a receiver that hangs or fails is not success; after a minute the other
// methods follow, and where there is none, the next step comes.
func TestMessageThatDoesNotArriveEscalates(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, conn *database.DB) {
		s := open(t, conn)
		broken, good := ring(t, func(int) int { return http.StatusServiceUnavailable }), ring(t, nil)
		s.method("aoi", broken.URL)
		s.method("haruto", good.URL)
		s.policy("payments", ladder())
		s.run()
		s.say(alert.EntryGroupOpened, "g1", nil)
		s.turn()
		until(t, func() bool { return len(broken.pages()) >= 1 })
		s.wait(61 * time.Second)
		s.turn()
		s.turn()
		until(t, func() bool { return len(good.pages()) == 1 })
		if n := len(s.entries(EntryUndelivered)); n != 1 {
			t.Errorf("%d entries", n)
		}
		d, err := s.detail(t.Context(), s.only())
		if err != nil || d.Messages[0].State == "delivered" {
			t.Errorf("recorded as delivered without a 2xx: %+v", d.Messages)
		}
	}, rooms...)
}

func TestMethodIsNotUsedBeforeItsCodeCameBack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, conn *database.DB) {
		s := open(t, conn)
		r := ring(t, nil)
		ctx := as(t.Context(), "aoi")
		s.run()
		m := s.add("aoi", r.URL)
		s.method("mei", "https://mei.example")
		s.policy("payments", ladder())
		s.say(alert.EntryGroupOpened, "g1", nil)
		s.turn()
		if got := s.to(); !slices.Equal(got, []string{"mei"}) {
			t.Fatalf("an unverified method was used: %v", got)
		}
		until(t, func() bool { r.mu.Lock(); defer r.mu.Unlock(); return len(r.got) == 1 })
		words := strings.Fields(r.got[0].Data.Title.EN)
		sent := words[len(words)-1]
		wrong := "000000"
		if sent == wrong {
			wrong = "000001"
		}
		for range codeTries - 1 {
			if _, err := s.Verify(ctx, "me", m.ID, wrong); err == nil {
				t.Fatal("a wrong code was taken")
			}
		}
		if _, err := s.Verify(as(t.Context(), "haruto"), "me", m.ID, sent); err == nil {
			t.Fatal("somebody else verified it")
		}
		if m, err := s.Verify(ctx, "me", m.ID, sent); err != nil || m.State() != "verified" {
			t.Fatalf("%v %+v", err, m)
		}
		if _, err := s.Enable(ctx, "me", m.ID, false); err != nil {
			t.Fatal(err)
		}
		if m, err := s.Enable(ctx, "me", m.ID, true); err != nil || m.State() != "verified" {
			t.Errorf("%v %s", err, m.State())
		}
	}, rooms...)
}

func TestCodesCannotBeGuessed(t *testing.T) {
	m := Method{ID: "m", code: code{hash: codeHash("m", "123456"), until: began.Add(codeLife)}}
	for range codeTries {
		var err error
		if m, err = m.verified("654321", began); err == nil {
			t.Fatal("taken")
		}
	}
	if _, err := m.verified("123456", began); err == nil {
		t.Error("taken after too many tries")
	}
	m.code.tries = 0
	if _, err := m.verified("123456", began.Add(codeLife+time.Second)); err == nil {
		t.Error("taken after its time")
	}
}

// Opening the link shows; only its button acts.
func TestLinkShowsAndItsButtonAcknowledges(t *testing.T) {
	conn := dbtest.Open(t, dbtest.SQLite(t), rooms...)
	s := open(t, conn)
	r := ring(t, nil)
	s.method("aoi", r.URL)
	s.policy("payments", ladder())
	s.run()
	s.say(alert.EntryGroupOpened, "g1", nil)
	s.turn()
	until(t, func() bool { return len(r.pages()) == 1 })
	link, err := url.Parse(r.pages()[0].Data.Actions[0].URL)
	if err != nil {
		t.Fatal(err)
	}
	api := httpapi.New(httpapi.Options{BaseURL: "https://teiten.example", Now: s.time})
	s.Register(api)
	call := func(method, path string, form string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		req := httptest.NewRequest(method, "https://teiten.example"+path, strings.NewReader(form))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		api.Handler().ServeHTTP(w, req)
		return w
	}
	for range 3 { // a mail scanner
		if w := call(http.MethodGet, link.Path, ""); w.Code != 200 || !strings.Contains(w.Body.String(), "<form method=\"post\"") {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	if s.only().State != Paging {
		t.Fatal("opening the link acknowledged")
	}
	if call(http.MethodPost, link.Path, "Digits=2"); s.only().State != Paging {
		t.Fatal("another key than 1 acknowledged")
	}
	if w := call(http.MethodPost, link.Path, ""); w.Code != 200 || !strings.Contains(w.Body.String(), "AOI") {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if p := s.only(); p.State != Acknowledged || p.AcknowledgedBy.ID != "user:aoi" {
		t.Errorf("%+v", p.AcknowledgedBy)
	}
	for _, bad := range []string{link.Path[:len(link.Path)-2], link.Path + "A", ackPath + "x", ackPath + strings.Repeat("A", 5000)} {
		if w := call(http.MethodPost, bad, ""); w.Code != http.StatusForbidden {
			t.Errorf("%s: %d", bad[:min(len(bad), 40)], w.Code)
		}
	}
	s.wait(linkLife + time.Hour)
	if w := call(http.MethodGet, link.Path, ""); w.Code != http.StatusForbidden {
		t.Errorf("after its time: %d", w.Code)
	}
}

func TestWhyWasIPaged(t *testing.T) {
	conn := dbtest.Open(t, dbtest.SQLite(t), rooms...)
	s := open(t, conn)
	s.method("aoi", "https://aoi.example")
	s.policy("payments", ladder())
	s.say(alert.EntryGroupOpened, "g1", func(n *alert.Notice) { n.Route, n.Trace = "routing.yaml:12", []byte(`{"matched":true}`) })
	s.turn()
	d, err := s.detail(t.Context(), s.only())
	if err != nil || len(d.Steps) != 2 || len(d.Steps[0].People) != 1 {
		t.Fatalf("%v %+v", err, d)
	}
	why := d.Steps[0].People[0].Reasons
	if d.Route != "routing.yaml:12" || d.Steps[0].Source != "paging.yaml:8" || len(why) != 2 || why[0].At.String() != "oncall.yaml:9" ||
		!strings.Contains(why[0].What.EN, "layer week") || why[0].What.JA == "" {
		t.Errorf("%+v", d)
	}
}

func TestDrillSaysWhoWouldBeReachedAndSendsNothing(t *testing.T) {
	conn := dbtest.Open(t, dbtest.SQLite(t), rooms...)
	s := open(t, conn)
	s.method("aoi", "https://aoi.example")
	s.method("mei", "https://mei.example")
	s.policy("payments", ladder())
	_, steps, err := s.Drill(t.Context(), "payments", "", "critical", began)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, step := range steps {
		for _, p := range step.People {
			got = append(got, step.At.Sub(began).String()+" "+p.Person)
		}
	}
	if diff := cmp.Diff([]string{"0s aoi", "5m0s mei", "15m0s mei"}, got); diff != "" { // haruto has no method
		t.Error(diff)
	}
	if len(steps[1].Gaps) == 0 || len(s.all()) != 0 {
		t.Errorf("%+v", steps[1])
	}
	if _, _, err := s.Drill(t.Context(), "nowhere", "", "critical", began); err == nil {
		t.Error("a policy that is not there")
	}
}

func TestChannelOfAStepIsToldOfBeginningAndEnd(t *testing.T) {
	conn := dbtest.Open(t, dbtest.SQLite(t), rooms...)
	s := open(t, conn)
	r := ring(t, nil)
	s.channel("ops", r.URL)
	s.policy("payments", PolicySpec{Team: "payments", Steps: []StepSpec{{Targets: []Target{"channel:ops"}}}})
	s.run()
	s.say(alert.EntryGroupOpened, "g1", nil)
	s.turn()
	until(t, func() bool { return len(r.pages()) == 1 })
	if len(r.pages()[0].Data.Actions) != 1 {
		t.Errorf("%+v", r.pages())
	}
	s.say(alert.EntryGroupResolved, "g1", nil)
	until(t, func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return len(r.got) == 2 && r.got[1].Type == "dev.teiten.page.ended"
	})
}

func TestReceiverOfChannelsAlonePagesNobody(t *testing.T) {
	conn := dbtest.Open(t, dbtest.SQLite(t), rooms...)
	s := open(t, conn)
	s.policy("payments", ladder())
	s.say(alert.EntryGroupOpened, "g1", func(n *alert.Notice) { n.Receiver = route.Receiver{Channels: []string{"ops"}} })
	if n := len(s.all()); n != 0 {
		t.Errorf("%d pages", n)
	}
}

func TestHeartbeatIsWithheldWhileStepsAreOverdue(t *testing.T) {
	conn := dbtest.Open(t, dbtest.SQLite(t), rooms...)
	s := open(t, conn)
	if err := s.healthy(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.policy("payments", ladder())
	s.say(alert.EntryGroupOpened, "g1", nil)
	s.wait(overdueAfter + time.Second)
	if err := s.healthy(t.Context()); err == nil {
		t.Error("a server that takes no steps says that it pages")
	}
	if n, err := db.New(conn.Read()).CountAhead(t.Context(), database.Micros(s.time())); err != nil || n != 0 {
		t.Errorf("%d %v", n, err)
	}
}
