package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/kit/secret"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/measure"
	"github.com/teiten/teiten/notify/email"
	"github.com/teiten/teiten/notify/notice"
)

func TestChannelHearsWhatItsMatchSays(t *testing.T) {
	no := false
	page := Audience{Kind: KindAlertFired, Phase: notice.Fired, Severity: notice.Page, Teams: []string{"payments"}, Services: []string{"checkout"}, Alert: true}
	end := page
	end.Kind, end.Phase = KindAlertResolved, notice.Resolved
	named := page
	named.Targets = []string{"ops"}
	gone := Audience{Kind: KindSourceGone, Phase: notice.Fired, Severity: notice.Ticket}
	silent := named
	silent.Silent = true
	for name, c := range map[string]struct {
		spec Spec
		to   Audience
		want bool
	}{
		"no match hears alerts":                {Spec{}, page, true},
		"no match hears nothing else":          {Spec{}, gone, false},
		"team":                                 {Spec{Match: &Match{Teams: []string{"payments"}}}, page, true},
		"team by reference":                    {Spec{Match: &Match{Teams: []string{"group:default/Payments"}}}, page, true},
		"other team":                           {Spec{Match: &Match{Teams: []string{"search", "ads"}}}, page, false},
		"pattern":                              {Spec{Match: &Match{Services: []string{"check*"}}}, page, true},
		"all lists must agree":                 {Spec{Match: &Match{Teams: []string{"payments"}, Severities: []string{"ticket"}}}, page, false},
		"kinds":                                {Spec{Match: &Match{Kinds: []string{"slo.source_*"}}}, gone, true},
		"kinds shut out alerts":                {Spec{Match: &Match{Kinds: []string{"slo.source_*"}}}, page, false},
		"named although it does not match":     {Spec{Match: &Match{Teams: []string{"search"}}}, named, true},
		"only named":                           {Spec{Match: &Match{OnlyNamed: true}}, page, false},
		"only named and named":                 {Spec{Match: &Match{OnlyNamed: true}}, named, true},
		"the end":                              {Spec{}, end, true},
		"the end is not wanted":                {Spec{SendResolved: &no}, end, false},
		"the beginning without the end":        {Spec{SendResolved: &no}, page, true},
		"silent":                               {Spec{}, silent, false},
		"a list shuts out what has no service": {Spec{Match: &Match{Services: []string{"*"}, Kinds: []string{"*"}}}, gone, false},
	} {
		if got := (Channel{Name: "ops", Spec: c.spec}).Hears(c.to); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

const document = `apiVersion: teiten.dev/v1
kind: NotificationChannel
metadata:
  name: %s
spec:
%s`

func parse(t *testing.T, name, spec string) ([]*ascode.Document, string) {
	t.Helper()
	s := &Service{}
	r := ascode.NewRegistry()
	r.Add(s.Kind())
	docs, faults := r.Parse([]ascode.File{{Name: "channels.yaml", Data: fmt.Sprintf(document, name, spec)}})
	for _, d := range docs {
		faults = append(faults, validate(d)...)
	}
	var said []string
	for _, f := range faults {
		if f.Where.Line == 0 || f.What.JA == "" || f.Remedy.IsZero() {
			t.Errorf("a fault without a place or a remedy: %+v", f)
		}
		said = append(said, f.In(text.EN))
	}
	return docs, strings.Join(said, "\n")
}

func TestChannelDocumentsAreAcceptedOrRefusedWithTheirPlace(t *testing.T) {
	for spec, want := range map[string]string{
		"  slack:\n    url: https://hooks.example/x\n":                                                                  "",
		"  type: webhook\n  webhook:\n    url: ${env:URL}\n    secret: ${file:/run/secrets/x}\n  sendResolved: false\n": "",
		"  email:\n    to: [a@b.example, 当番 <c@d.example>]\n  language: ja\n  timeZone: Asia/Tokyo\n":                   "",
		"  slack:\n    url: ftp://x\n":                                         "channels.yaml:7:10: this is not an http",
		"  slack:\n    url: https://x/${env:TOKEN}\n":                          "channels.yaml:7:10: a reference to a secret must be the whole value",
		"  type: email\n  slack:\n    url: https://x\n":                        "spec.email is missing",
		"  type: pager\n  slack:\n    url: https://x\n":                        "channels.yaml:6:9",
		"  language: ja\n":                                                     "says nowhere how it reaches anybody",
		"  email:\n    to: []\n":                                               "the channel has 0 addresses",
		"  email:\n    to: [a@b.example, nobody]\n":                            "channels.yaml:7:23: \"nobody\" is not an e-mail address",
		"  slack:\n    url: https://x\n  match:\n    severities: [sev1]\n":     "channels.yaml:9:18: there is no severity",
		"  slack:\n    url: https://x\n  match:\n    teams: ['[']\n":           "is not a name or a pattern",
		"  slack:\n    url: https://x\n  timeZone: Mars/Base\n":                "there is no time zone",
		"  slack:\n    url: https://x\n  ticketHours: [Mon-Fri 09:00-18:00]\n": "",
		"  slack:\n    url: https://x\n  ticketHours: [Mon-Fri 9-18]\n":        "channels.yaml:8:17: \"9\" is not a time of day",
		"  slack:\n    url: https://x\n  language: fr\n":                       "the language is",
		"  slack:\n    url: https://x\n    chanel: y\n":                        "channel",
		"  slack:\n    url: https://x\n  webhook:\n    url: https://x\n":       "spec.",
	} {
		if _, said := parse(t, "ops", spec); (want == "") != (said == "") || !strings.Contains(said, want) {
			t.Errorf("%s\nsaid %q, want %q", spec, said, want)
		}
	}
	if _, said := parse(t, "運用", "  slack:\n    url: https://x.example\n"); !strings.Contains(said, "name") {
		t.Errorf("a name that is none: %q", said)
	}
}

func TestShownDocumentHoldsNoSecret(t *testing.T) {
	for _, spec := range []string{
		"  webhook:\n    url: https://h.example/SECRET\n    secret: SECRET\n",
		"  slack:\n    url: https://h.example/SECRET\n",
	} {
		docs, said := parse(t, "ops", spec)
		if said != "" {
			t.Fatal(said)
		}
		(&Service{}).Kind().Redact(docs[0])
		b, err := json.Marshal(docs[0].Object)
		if err != nil || strings.Contains(string(b), "SECRET") || !strings.Contains(string(b), ascode.Hidden) {
			t.Errorf("%s %v", b, err)
		}
	}
	docs, _ := parse(t, "ops", "  slack:\n    url: ${env:SLACK_URL}\n")
	(&Service{}).Kind().Redact(docs[0])
	if got := docs[0].Object.(*Document).Spec.Slack.URL; got != "${env:SLACK_URL}" {
		t.Errorf("a reference was hidden: %s", string(got))
	}
	if s := fmt.Sprintf("%v %+v", Spec{Webhook: &WebhookSpec{URL: "SECRET", Secret: "SECRET"}}.Webhook, []SlackSpec{{URL: "SECRET"}}); strings.Contains(s, "SECRET") {
		t.Errorf("%s", s)
	}
}

func TestChannelCannotCarryTheServersOwnSecrets(t *testing.T) {
	conn := dbtest.Open(t, dbtest.SQLite(t), rooms...)
	r := receive(t, always(200))
	data := t.TempDir()
	kept := filepath.Join(data, "teiten.db")
	if err := os.WriteFile(kept, []byte(r.URL), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TEITEN_DATABASE", r.URL)
	t.Setenv("TEITEN_SECRET_HOOK", r.URL)
	s := open(t, conn, func(d *Deps) { d.Secrets = secret.Lookup{Private: []string{data}} })
	s.start()
	for name, url := range map[string]secret.Secret{"env": "${env:TEITEN_DATABASE}", "file": secret.Secret("${file:" + kept + "}")} {
		s.channel(name, Spec{Webhook: &WebhookSpec{URL: url}})
		got, err := s.Test(t.Context(), name)
		if err != nil || got[0].Delivery.State != Failed || len(r.seen()) != 0 {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	s.channel("meant", Spec{Webhook: &WebhookSpec{URL: "${env:TEITEN_SECRET_HOOK}"}})
	if got, err := s.Test(t.Context(), "meant"); err != nil || got[0].Delivery.State != Delivered {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestSigningSecretStaysWithItsReceiver(t *testing.T) {
	conn := dbtest.Open(t, dbtest.SQLite(t), append(slices.Clone(rooms), dbtest.Room{Name: "ascode", Files: ascode.Migrations})...)
	r := ascode.NewRegistry()
	r.Add(open(t, conn, nil).Kind())
	engine := ascode.NewEngine(conn, r, nil)
	apply := func(url, key string) error {
		_, err := engine.Apply(t.Context(), ascode.Request{Files: []ascode.File{{Name: "channels.yaml",
			Data: fmt.Sprintf(document, "ops", "  webhook:\n    url: "+url+"\n    secret: "+key+"\n")}}})
		return err
	}
	if err := apply("https://a.example/x", "key"); err != nil {
		t.Fatal(err)
	}
	if f, ok := fault.As(apply("https://b.example/x", ascode.Hidden)); !ok || f.Code != "ascode.secret_moved" || f.Where.Line != 8 {
		t.Errorf("the secret travels: %+v", f)
	}
	for _, kept := range [][2]string{{ascode.Hidden, ascode.Hidden}, {"https://a.example/x", ascode.Hidden}, {"https://b.example/x", "key2"}} {
		if err := apply(kept[0], kept[1]); err != nil {
			t.Errorf("%v: %v", kept, err)
		}
	}
}

func TestMailPasswordIsLookedUpAtEachSend(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	s := &Service{smtp: SMTPConfig{Host: "mail.example", Password: secret.Secret("${file:" + file + "}")}}
	c := Channel{Name: "mail", Spec: Spec{Email: &EmailSpec{To: []string{"a@example.com"}}}.typed()}
	if _, err := s.notifier(c); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("no file yet: %v", err)
	}
	for _, password := range []string{"first", "second"} {
		if err := os.WriteFile(file, []byte(password+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		way, err := s.notifier(c)
		if err != nil {
			t.Fatal(err)
		}
		if got := way.(*email.Notifier).Server.Password; string(got) != password {
			t.Errorf("%q, want %q", string(got), password)
		}
	}
}

func TestNumbersAreWrittenWithTheirUnits(t *testing.T) {
	for ratio, want := range map[float64]string{0.999: "99.9%", 0.9995: "99.95%", 0.0213: "2.13%", 0.001: "0.1%", 1: "100%", 0: "0%", -0.35: "-35%", 0.99999: "99.999%", math.NaN(): "–"} {
		if got := Percent(ratio); got != want {
			t.Errorf("%v: %s, want %s", ratio, got, want)
		}
	}
	for rate, want := range map[float64]string{21.34: "21.3×", 14.4: "14.4×", 1: "1×", 0.5: "0.5×", math.Inf(1): "–"} {
		if got := Times(rate); got.EN != want || got.JA == "" {
			t.Errorf("%v: %v, want %s", rate, got, want)
		}
	}
	for n, want := range map[float64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1234: "-1,234", math.NaN(): "–"} {
		if got := Count(n); got != want {
			t.Errorf("%v: %s, want %s", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{0: "0 s", 59 * time.Second: "59 s", 90 * time.Second: "1 min 30 s", time.Hour: "1 h", 26*time.Hour + 5*time.Minute: "1 d 2 h", -time.Minute: "1 min"} {
		if got := notice.Span(d); got.EN != want || got.JA == "" {
			t.Errorf("%v: %v, want %s", d, got, want)
		}
	}
}

func TestEveryMessageExistsInBothLanguages(t *testing.T) {
	site := Site{base: "https://teiten.example"}
	data, err := json.Marshal(alert("a1"))
	if err != nil {
		t.Fatal(err)
	}
	for kind, a := range announcements() {
		for _, d := range []string{string(data), "{}", "null", "[]"} {
			m, _ := a.Write(journal.Entry{ID: "e", Time: began, Kind: kind, Subject: "slo:x", Data: json.RawMessage(d)}, site)
			if m.Title.EN == "" || m.Title.JA == "" || m.Link == "" || m.Severity == "" || strings.Contains(m.Title.EN+m.Title.JA+m.Body.EN+m.Body.JA, "%!") {
				t.Errorf("%s with %s: %+v", kind, d, m)
			}
			for _, f := range m.Facts {
				if f.Label.JA == "" || f.At.IsZero() && f.Value.JA == "" || strings.Contains(f.Value.EN+f.Value.JA, "%!") {
					t.Errorf("%s: %+v", kind, f)
				}
			}
		}
	}
}

// Whatever an entry holds, a message comes of it that can be stored and sent.
func FuzzWriteAlert(f *testing.F) {
	data, err := json.Marshal(alert("a1"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"slo":"x","longBurn":1e308,"objective":-7,"long":"99999999999999999999d","link":"//evil","runbook":"javascript:1"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, kind := range []string{KindAlertFired, KindAlertResolved} {
			m, _ := writeAlert(journal.Entry{ID: "e", Time: began, Kind: kind, Subject: "slo:x", Data: data}, Site{base: "https://t.example"})
			if m.Title.EN == "" || !strings.HasPrefix(m.Link, "https://t.example/") {
				t.Errorf("%+v", m)
			}
			if _, err := json.Marshal(m); err != nil {
				t.Error(err)
			}
		}
	})
}

// No sequence of answers, crashes and retries makes a delivery count as
// delivered without a 2xx, or sends it with another key.
func TestNothingIsRecordedAsSentWithoutTwoHundred(t *testing.T) {
	conn := dbtest.Open(t, dbtest.SQLite(t), rooms...)
	pg := dbtest.Open(t, dbtest.Postgres(t), rooms...)
	n := 0
	for _, db := range []*stage{open(t, conn, nil), open(t, pg, nil)} {
		rapid.Check(t, func(rt *rapid.T) {
			n++
			name := fmt.Sprintf("c%d", n)
			answers := rapid.SliceOfN(rapid.SampledFrom([]int{200, 204, 301, 400, 404, 408, 429, 500, 503, 0}), 1, 8).Draw(rt, "answers")
			crash := rapid.SliceOfN(rapid.IntRange(0, 4), len(answers), len(answers)).Draw(rt, "crash")
			took := map[string]bool{}
			var r *receiver
			r = receive(t, func(n int, h hit) int {
				status := answers[min(n, len(answers))-1]
				r.mu.Lock()
				took[h.key] = took[h.key] || status >= 200 && status < 300
				r.mu.Unlock()
				return status
			})
			defer r.Close()
			db.channel(name, Spec{Webhook: &WebhookSpec{URL: secret.Secret(r.URL)}, Match: &Match{OnlyNamed: true}})
			a := alert(name)
			a.SLO, a.Targets = name, []string{name}
			db.append(KindAlertFired, a)
			id := db.deliveries(Filter{Channel: name})[0].ID
			for i := range answers {
				switch crash[i] {
				case 0: // the process dies after the send
					for _, b := range db.beginOn([]string{name}) {
						db.carry(t.Context(), b)
					}
				case 1: // before it
					db.beginOn([]string{name})
				default:
					db.tryOn([]string{name})
				}
				db.wait(6 * time.Minute)
			}
			d, attempts, _, err := db.Delivery(t.Context(), id)
			if err != nil {
				rt.Fatal(err)
			}
			r.mu.Lock()
			accepted := took[d.Message.Key]
			r.mu.Unlock()
			if d.State == Delivered && !accepted {
				rt.Fatalf("delivered without a 2xx: %v", answers)
			}
			for _, h := range r.seen() {
				if h.key != d.Message.Key {
					rt.Fatalf("another key: %+v", h)
				}
			}
			ok := 0
			for _, a := range attempts {
				if a.Outcome == OutcomeDelivered {
					ok++
				}
				if (a.Outcome == OutcomeDelivered) != (a.Code >= 200 && a.Code < 300) {
					rt.Fatalf("%+v", a)
				}
			}
			if (d.State == Delivered) != (ok == 1) || len(r.seen()) > len(attempts) {
				rt.Fatalf("%s with %d good attempts, %d sends, %d attempts", d.State, ok, len(r.seen()), len(attempts))
			}
		})
	}
}

func TestMeasuresCountWhatEnded(t *testing.T) {
	conn := dbtest.Open(t, dbtest.SQLite(t), rooms...)
	good, bad := receive(t, always(200)), receive(t, always(404))
	s := open(t, conn, nil)
	s.channel("good", hook(good.URL))
	s.channel("bad", hook(bad.URL))
	s.fire("a1")
	s.wait(3 * time.Second)
	s.pump()
	registry := measure.NewRegistry()
	s.Measures(registry)
	read := func(id, subject string) []measure.Value {
		d, err := registry.Lookup(id)
		if err != nil {
			t.Fatal(err)
		}
		v, err := d.Source.Values(t.Context(), journal.Ref(subject), began, began.Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	if v := read("notify.delivery_seconds", "channel:good"); len(v) != 1 || v[0].V != 3 || v[0].Known != 1 {
		t.Errorf("%+v", v)
	}
	if a, b, c := read("notify.failed", "channel:bad"), read("notify.failed", "system:notify"), read("notify.failed", "channel:good"); len(a) != 1 || len(b) != 1 || len(c) != 0 {
		t.Errorf("%+v %+v %+v", a, b, c)
	}
}

func TestAPIShowsChannelsDeliveriesAndAttempts(t *testing.T) {
	conn := dbtest.Open(t, dbtest.SQLite(t), rooms...)
	r := receive(t, always(503))
	s := open(t, conn, nil)
	s.channel("hook", Spec{Webhook: &WebhookSpec{URL: secret.Secret(r.URL + "/SECRET"), Secret: "SECRET"}})
	for i := range 3 {
		s.fire(fmt.Sprint("a", i))
		s.wait(time.Second)
	}
	for range 3 {
		s.pump()
		s.wait(time.Minute)
	}
	api := httpapi.New(httpapi.Options{Authorizer: httpapi.AuthorizerFunc(func(r *http.Request, _ httpapi.Scope) (context.Context, error) {
		return r.Context(), nil
	})})
	s.Register(api)
	ask := func(method, path string, status int, into any) string {
		t.Helper()
		req := httptest.NewRequestWithContext(t.Context(), method, "http://127.0.0.1"+path, nil)
		w := httptest.NewRecorder()
		api.Handler().ServeHTTP(w, req)
		if w.Code != status {
			t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
		}
		if strings.Contains(w.Body.String(), "SECRET") {
			t.Errorf("%s holds a secret: %s", path, w.Body)
		}
		if into != nil {
			if err := json.Unmarshal(w.Body.Bytes(), into); err != nil {
				t.Fatal(err)
			}
		}
		return w.Body.String()
	}
	var channels httpapi.Page[ChannelInfo]
	ask("GET", "/api/v1/channels", 200, &channels)
	if c := channels.Items[0]; c.Name != "hook" || c.Health.State != "away" || c.Health.Pending != 3 || !strings.HasSuffix(c.Receiver, "/…") || !c.SendResolved {
		t.Errorf("%+v", c)
	}
	ask("GET", "/api/v1/channels/none", 404, nil)
	var page httpapi.Page[DeliveryInfo]
	ask("GET", "/api/v1/deliveries?limit=2&channel=hook&state=pending&state=failed&subject=slo:checkout-availability", 200, &page)
	if len(page.Items) != 2 || page.Next == "" || page.Items[0].Created.Before(page.Items[1].Created) {
		t.Fatalf("%+v", page)
	}
	first := page.Items[0].ID
	ask("GET", "/api/v1/deliveries?limit=2&cursor="+page.Next, 200, &page)
	if len(page.Items) != 1 || page.Items[0].ID == first {
		t.Errorf("%+v", page)
	}
	var detail DeliveryDetail
	ask("GET", "/api/v1/deliveries/"+page.Items[0].ID, 200, &detail)
	if len(detail.Tries) == 0 || detail.Tries[0].Code != 503 || detail.Held || detail.Message.Title.JA == "" || detail.Attempts != len(detail.Tries) {
		t.Errorf("%+v", detail)
	}
	ask("GET", "/api/v1/deliveries/"+first, 200, &detail)
	if !detail.Held {
		t.Errorf("the last of three about one subject is not held: %+v", detail)
	}
	ask("GET", "/api/v1/deliveries/none", 404, nil)
	ask("GET", "/api/v1/deliveries?cursor=zzz", 422, nil)
	ask("GET", "/api/v1/deliveries?state=odd", 422, nil)
	ask("POST", "/api/v1/deliveries/"+first+"/retry", 200, nil)
	var test TestResult
	ask("POST", "/api/v1/channels/hook/test", 200, &test)
	if test.OK || len(test.Results) != 1 || test.Results[0].Attempt.Code != 503 {
		t.Errorf("%+v", test)
	}
	if got := api.Unguarded(); len(got) != 0 {
		t.Errorf("without a scope: %v", got)
	}
}

func TestOnlyWhoMayEditAChannelHasItSend(t *testing.T) {
	conn := dbtest.Open(t, dbtest.SQLite(t), rooms...)
	var asked string
	s := open(t, conn, func(d *Deps) {
		d.Permit = func(_ context.Context, owner string) error { asked = owner; return os.ErrPermission }
	})
	s.channel("hook", Spec{Webhook: &WebhookSpec{URL: "https://receiver.example"}, Match: &Match{Teams: []string{"payments"}}})
	s.fire("a1")
	d, _ := s.only()
	if _, err := s.Test(t.Context(), "hook"); err == nil || asked != "payments" {
		t.Errorf("test: %v, asked for %q", err, asked)
	}
	if _, err := s.Retry(t.Context(), d.ID); err == nil {
		t.Error("retry: permitted")
	}
}

func TestFiguresOfAMessageReadAsOnThePages(t *testing.T) {
	reason := sentence(text.Say("the budget burns", "速く減っています"))
	for got, want := range map[string]string{
		Left(0.4399): "43.9%", Left(-0.4312): "-43.2%",
		Times(290.7).EN: "291×", Times(100).JA: "100倍", Times(14.8).EN: "14.8×", Times(6).EN: "6×",
		Period("1d").EN: "1 day", Period("30d").EN: "30 days", Period("3d").JA: "3日間", Period("1h").JA: "1時間", Period("soon").EN: "soon",
		reason.EN: "The budget burns.", reason.JA: "速く減っています。",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
