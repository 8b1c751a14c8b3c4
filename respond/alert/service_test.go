package alert

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io/fs"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database/dbtest"
)

func firing(name string, at time.Time) string {
	return fmt.Sprintf(`{"receiver":"x","status":"firing","alerts":[{"status":"firing","labels":{"alertname":%q,"severity":"critical"},"annotations":{"summary":"It is slow"},"startsAt":%q}]}`, name, at.Format(time.RFC3339))
}

func resolved(name string, at time.Time) string {
	return fmt.Sprintf(`{"receiver":"x","status":"resolved","alerts":[{"status":"resolved","labels":{"alertname":%q,"severity":"critical"},"annotations":{"summary":"It is slow"},"startsAt":%q,"endsAt":%q}]}`,
		name, at.Add(-time.Hour).Format(time.RFC3339), at.Format(time.RFC3339))
}

func TestAnAlertFromItsMessageToItsEnd(t *testing.T) {
	each(t, func(w *world) {
		w.send(firing("Slow", began))
		w.send(firing("Slow", began))
		open := w.open()
		if len(open) != 1 || open[0].Count != 2 || open[0].Service != "checkout" || open[0].Team != "payments" || open[0].State != Firing {
			w.Fatalf("open: %+v", open)
		}
		if diff := cmp.Diff([]string{EntryGroupOpened, EntryFired}, w.kinds()); diff != "" {
			w.Error(diff)
		}
		p, err := w.Alert(w.Context(), open[0].ID)
		if err != nil || len(p.Groups) != 1 || p.Groups[0].Receiver.Name != "owner" {
			w.Fatalf("page: %+v, %v", p, err)
		}
		raw, err := w.Event(w.Context(), p.FirstEvent)
		if err != nil || !raw.Recognised || !raw.Looked || raw.Body != firing("Slow", began) || raw.Integration != "monitor" {
			w.Errorf("raw event: %+v, %v", raw, err)
		}
		w.later(time.Hour)
		w.send(resolved("Slow", began.Add(30*time.Minute)))
		if diff := cmp.Diff([]string{EntryResolved, EntryGroupResolved}, w.kinds()); diff != "" {
			w.Error(diff)
		}
		if len(w.open()) != 0 {
			w.Error("it is still open")
		}
	})
}

// The book after a restart, from rows, is the book that was in memory.
func TestTheBookAfterARestartIsTheBookBefore(t *testing.T) {
	each(t, func(w *world) {
		for _, name := range []string{"a", "b", "c"} {
			w.send(firing(name, began))
		}
		if err := w.command1(opAcknowledge, w.open()[0].ID); err != nil {
			w.Fatal(err)
		}
		w.process()
		before := w.own.book
		w.own.drop()
		w.process()
		if diff := cmp.Diff(before.picture(), w.own.book.picture()); diff != "" {
			w.Errorf("before and after differ:\n%s", diff)
		}
	})
}

// command1 puts a command into the log without waiting for its effect.
func (w *world) command1(op string, ids ...string) error {
	ctx := journal.WithActor(w.Context(), journal.Actor{Kind: journal.Person, ID: "u1", Name: "the responder"})
	return w.DB.Write(ctx, func(ctx context.Context, tx *sql.Tx) error { _, err := w.command(ctx, tx, op, ids); return err })
}

// picture is a book as text.
func (b *book) picture() []string {
	var all []string
	for _, x := range b.byID {
		line := fmt.Sprintf("%s %s %d %s %s %s %s %q %s %v %d %d %d %d %s", x.id, x.fingerprint, x.occurrence, x.integration, x.service, x.team, x.title, x.labels, x.state, x.fired, x.lastAt, x.until, x.count, x.acknowledgedAt, x.acknowledgedBy)
		for _, g := range x.groups {
			line += fmt.Sprintf(" | %s %q %s %s %s %v %d %d %d %s", g.id, g.key, g.state, g.severity, g.title, g.receiver, g.openedAt, g.members.len(), g.total, g.acknowledgedBy)
		}
		all = append(all, line)
	}
	slices.Sort(all)
	return all
}

func TestWhatAPersonDoesIsInTheirName(t *testing.T) {
	each(t, func(w *world) {
		w.send(firing("Slow", began))
		groups, _, err := w.Groups(w.Context(), Filter{})
		if err != nil {
			w.Fatal(err)
		}
		w.kinds()
		if err := w.command1(opAcknowledge, groups[0].ID); err != nil {
			w.Fatal(err)
		}
		w.process()
		for _, e := range w.told {
			if e.Actor.Name != "the responder" {
				w.Errorf("%s is in the name of %q", e.Kind, e.Actor.Name)
			}
		}
		if diff := cmp.Diff([]string{EntryGroupAcknowledged, EntryAcknowledged}, w.kinds()); diff != "" {
			w.Error(diff)
		}
		if got := w.open()[0]; got.State != Acknowledged || got.AcknowledgedBy != "the responder" {
			w.Errorf("the alert is %s by %q", got.State, got.AcknowledgedBy)
		}
		w.later(DefaultForgotten + time.Minute)
		w.process()
		if diff := cmp.Diff([]string{EntryUnacknowledged, EntryGroupReminded}, w.kinds()); diff != "" {
			w.Error(diff)
		}
	})
}

func TestASilentSourceIsAnAlertUntilItIsHeardOfAgain(t *testing.T) {
	each(t, func(w *world) {
		w.apply(strings.Replace(documents, "spec: {service: checkout}", "spec: {service: checkout, heartbeat: {every: 5m}}", 1))
		w.process()
		w.later(4 * time.Minute)
		w.process()
		if n := len(w.open()); n != 0 {
			w.Fatalf("%d alerts are open before the time", n)
		}
		w.later(2 * time.Minute)
		w.process()
		open := w.open()
		if len(open) != 1 || open[0].Labels["alertname"] != "HeartbeatMissing" || open[0].Team != "payments" {
			w.Fatalf("open: %+v", open)
		}
		if r := w.ask(http.MethodGet, "/api/v1/alerts/beat/"+w.key, ""); r.Code != http.StatusAccepted {
			w.Fatalf("answered %d", r.Code)
		}
		w.process()
		if n := len(w.open()); n != 0 {
			w.Errorf("%d alerts are open although it was heard of", n)
		}
	})
}

func TestAnAlertWithoutAnEndEndsWhenItsSourceStopsRepeatingIt(t *testing.T) {
	each(t, func(w *world) {
		body := `[{"labels":{"alertname":"Slow"},"startsAt":"` + began.Format(time.RFC3339) + `"}]`
		if r := w.ask(http.MethodPost, "/api/v2/alerts", body, "Authorization", "Bearer "+w.key); r.Code != http.StatusOK {
			w.Fatalf("answered %d: %s", r.Code, r.Body)
		}
		w.process()
		if n := len(w.open()); n != 1 {
			w.Fatalf("%d alerts are open", n)
		}
		w.later(6 * time.Minute)
		w.process()
		if n := len(w.open()); n != 0 {
			w.Errorf("%d alerts are open", n)
		}
	})
}

// A body that no format recognises is kept raw, shown, and an alert that says so.
func TestNothingIsRefusedForItsContent(t *testing.T) {
	each(t, func(w *world) {
		bodies := []string{"", "hello", "{", "\xff\xfe\x00", `{"unknown":1}`, strings.Repeat("[", 100_000), `{"alerts":[{"labels":{"alertname":"a\u0000b","x":"\ud800"}}],"receiver":"r"}`, "null", "0"}
		for _, body := range bodies {
			w.send(body)
		}
		events, _, err := w.Events(w.Context(), "monitor", true, 50, "")
		if err != nil || len(events) != len(bodies)-1 {
			w.Errorf("%d unrecognised events, want %d; %v", len(events), len(bodies)-1, err)
		}
		found := false
		for _, v := range w.open() {
			found = found || v.Labels["alertname"] == "UnrecognisedPayload" && v.Count == int64(len(bodies)-1)
		}
		if !found {
			w.Errorf("no alert says so: %+v", w.open())
		}
	})
}

func TestAWrongKeyIsToldNothing(t *testing.T) {
	each(t, func(w *world) {
		for _, key := range []string{"x", newKey(), w.key[:len(w.key)-1], w.key + "a"} {
			r := w.ask(http.MethodPost, "/api/v1/alerts/in/"+key, "{}")
			if r.Code != http.StatusUnauthorized || strings.Contains(r.Body.String(), "monitor") || strings.Contains(r.Body.String(), key) && key != "x" {
				w.Errorf("answered %d: %s", r.Code, r.Body)
			}
		}
		keys := w.ask(http.MethodGet, "/api/v1/alerts/integrations/monitor/keys", "")
		if strings.Contains(keys.Body.String(), w.key) {
			w.Error("the list of keys shows the key")
		}
	})
}

func TestALimitIsLoud(t *testing.T) {
	each(t, func(w *world) {
		if r := w.ask(http.MethodPost, "/api/v1/alerts/in/"+w.key, strings.Repeat("x", MostBody+1)); r.Code != http.StatusRequestEntityTooLarge || !strings.Contains(r.Body.String(), fmt.Sprint(MostBody)) {
			w.Errorf("too large: answered %d: %s", r.Code, r.Body)
		}
		w.door.limit = 1
		if r := w.ask(http.MethodPost, "/api/v1/alerts/in/"+w.key, firing("a", began)); r.Code != http.StatusAccepted {
			w.Fatalf("answered %d", r.Code)
		}
		r := w.ask(http.MethodPost, "/api/v1/alerts/in/"+w.key, firing("b", began))
		if r.Code != http.StatusTooManyRequests || r.Header().Get("Retry-After") == "" {
			w.Errorf("a full log: answered %d, Retry-After %q", r.Code, r.Header().Get("Retry-After"))
		}
		w.process()
		names := map[string]bool{}
		for _, v := range w.open() {
			names[v.Labels["alertname"]] = true
		}
		if !names["AlertBacklogFull"] || !names["a"] || names["b"] {
			w.Errorf("open: %v; want a, and one about the backlog", names)
		}
	})
}

func TestAClientOfPagerDutyWorks(t *testing.T) {
	each(t, func(w *world) {
		r := w.ask(http.MethodPost, "/v2/enqueue", `{"routing_key":"`+w.key+`","event_action":"trigger","payload":{"summary":"Disk is full","source":"db1","severity":"critical"}}`)
		var answer enqueued
		if err := json.Unmarshal(r.Body.Bytes(), &answer); err != nil || r.Code != http.StatusAccepted || answer.Status != "success" || answer.Key == "" {
			w.Fatalf("answered %d: %s", r.Code, r.Body)
		}
		w.process()
		if open := w.open(); len(open) != 1 || open[0].Title != "Disk is full" {
			w.Fatalf("open: %+v", open)
		}
		for _, e := range w.rawBodies() {
			if strings.Contains(e, w.key) {
				w.Error("the key is kept with the event")
			}
		}
		w.ask(http.MethodPost, "/v2/enqueue", `{"routing_key":"`+w.key+`","event_action":"acknowledge","dedup_key":"`+answer.Key+`"}`)
		w.process()
		if open := w.open(); len(open) != 1 || open[0].State != Acknowledged {
			w.Errorf("after acknowledge: %+v", open)
		}
		w.ask(http.MethodPost, "/v2/enqueue", `{"routing_key":"`+w.key+`","event_action":"resolve","dedup_key":"`+answer.Key+`"}`)
		w.process()
		if open := w.open(); len(open) != 0 {
			w.Errorf("after resolve: %+v", open)
		}
		for _, bad := range []string{`{"routing_key":"` + w.key + `","event_action":"trigger"}`, `{"routing_key":"` + w.key + `","event_action":"resolve"}`, `{"routing_key":"` + w.key + `"}`} {
			if r := w.ask(http.MethodPost, "/v2/enqueue", bad); r.Code != http.StatusBadRequest || !strings.Contains(r.Body.String(), "invalid event") {
				w.Errorf("%s: answered %d: %s", bad, r.Code, r.Body)
			}
		}
	})
}

func (w *world) rawBodies() []string {
	w.Helper()
	events, _, err := w.Events(w.Context(), "", false, 100, "")
	if err != nil {
		w.Fatal(err)
	}
	var all []string
	for _, e := range events {
		all = append(all, e.Body)
	}
	return all
}

func TestAClientOfOpsgenieWorks(t *testing.T) {
	each(t, func(w *world) {
		call := func(path, body string, want int, open ...State) {
			w.Helper()
			r := w.ask(http.MethodPost, path, body, "Authorization", "GenieKey "+w.key)
			if r.Code != http.StatusAccepted || !strings.Contains(r.Body.String(), "Request will be processed") {
				w.Fatalf("%s answered %d: %s", path, r.Code, r.Body)
			}
			w.process()
			var got []State
			for _, v := range w.open() {
				got = append(got, v.State)
			}
			if !slices.Equal(got, open) {
				w.Errorf("after %s: %v, want %v", path, got, open)
			}
		}
		call("/v2/alerts", `{"message":"Disk is full","alias":"disk-db1","priority":"P1"}`, 1, Firing)
		call("/v2/alerts/disk-db1/acknowledge?identifierType=alias", `{}`, 1, Acknowledged)
		call("/v2/alerts/disk-db1/close?identifierType=alias", `{}`, 0)
		call("/v2/heartbeats/nightly/ping", ``, 0)
	})
}

// Replicas that write to the same log are read by one of them.
func TestTwoReplicasEnterEachMessageOnce(t *testing.T) {
	each(t, func(w *world) {
		other := newReplica(w)
		for i := range 20 {
			s := []*Service{w.Service, other}[i%2]
			if _, err := s.receive(w.Context(), rawEvent{kind: eventReceived, integration: "monitor", body: []byte(firing(fmt.Sprint("n", i), began))}); err != nil {
				w.Fatal(err)
			}
			if err := other.Process(w.Context()); err != nil {
				w.Fatal(err)
			}
		}
		w.process()
		if n := len(w.open()); n != 20 {
			w.Errorf("%d alerts are open, want 20", n)
		}
		for _, v := range w.open() {
			if v.Count != 1 {
				w.Errorf("%s was counted %d times", v.Title, v.Count)
			}
		}
	})
}

func newReplica(w *world) *Service {
	d := w.Deps
	return New(d)
}

func TestABatchThatWasEnteredAndIsStillInTheSpoolIsNotEnteredAgain(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, dbtest.SQLite(t), rooms()...))
	w.send(firing("Slow", began))
	var id string
	var data []byte
	if err := w.DB.Read().QueryRowContext(t.Context(), "SELECT id, data FROM alert_batches ORDER BY id DESC LIMIT 1").Scan(&id, &data); err != nil {
		t.Fatal(err)
	}
	err := w.Spool.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO alert_batches (id, received_at, count, data) VALUES ($1, 1, 1, $2)", id, data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	w.process()
	if got := w.open(); len(got) != 1 || got[0].Count != 1 {
		t.Errorf("open: %+v", got)
	}
	if n, err := w.countWaiting(t.Context()); err != nil || n != 0 {
		t.Errorf("%d events wait, %v", n, err)
	}
}

func TestWhatIsOverIsForgottenInTime(t *testing.T) {
	each(t, func(w *world) {
		w.send(firing("Slow", began))
		w.send(resolved("Slow", began.Add(time.Second)))
		w.send(firing("Stays", began))
		w.later(DefaultClosedRetention + 24*time.Hour)
		if err := w.Forget(w.Context()); err != nil {
			w.Fatal(err)
		}
		all, _, err := w.Alerts(w.Context(), Filter{})
		if err != nil || len(all) != 1 || all[0].Labels["alertname"] != "Stays" {
			w.Errorf("left: %+v, %v", all, err)
		}
		if bodies := w.rawBodies(); len(bodies) != 0 {
			w.Errorf("%d raw events are left", len(bodies))
		}
	})
}

// An SLO's alert comes through the same door, in the transaction of its entry.
func TestAnObjectivesAlertComesThroughTheSameDoor(t *testing.T) {
	each(t, func(w *world) {
		tell := func(kind string, data map[string]any) {
			w.Helper()
			err := w.DB.Write(w.Context(), func(ctx context.Context, tx *sql.Tx) error {
				e, err := w.Journal.Append(ctx, tx, journal.Draft{Kind: kind, Subject: "slo:checkout-availability", Data: data})
				if err != nil {
					return err
				}
				return w.Hear(ctx, tx, e)
			})
			if err != nil {
				w.Fatal(err)
			}
			w.process()
		}
		alert := map[string]any{"alert": "1", "slo": "checkout-availability", "title": "Checkout works", "service": "checkout", "severity": "page", "firedAt": began}
		tell("slo.alert_fired", alert)
		open := w.open()
		if len(open) != 1 || open[0].Integration != "slo" || open[0].Severity != "critical" || open[0].Team != "payments" {
			w.Fatalf("open: %+v", open)
		}
		alert["resolvedAt"] = began.Add(time.Hour)
		tell("slo.alert_resolved", alert)
		if n := len(w.open()); n != 0 {
			w.Errorf("%d alerts are open", n)
		}
	})
}

func TestUsefulnessIsOnRecord(t *testing.T) {
	each(t, func(w *world) {
		w.send(firing("Slow", began))
		id := w.open()[0].ID
		r := w.ask(http.MethodPost, "/api/v1/alerts/usefulness", `{"ids":["`+id+`"],"usefulness":"noise"}`, "Content-Type", "application/json")
		if r.Code != http.StatusNoContent || w.open()[0].Usefulness != Noise {
			w.Errorf("answered %d: %s", r.Code, r.Body)
		}
		w.send(firing("Slow", began))
		if w.open()[0].Usefulness != Noise {
			w.Error("the next message took it back")
		}
	})
}

func TestAllPayloadsOfTheCorpusAreTaken(t *testing.T) {
	corpus := os.Getenv("TEITEN_CORPUS")
	if corpus == "" {
		t.Skip("TEITEN_CORPUS names no corpus")
	}
	w := newWorld(t, dbtest.Open(t, dbtest.SQLite(t), rooms()...))
	sent := 0
	for _, dir := range []string{"alerts-alerta", "alerts-versus-incident", "cloudevents"} {
		err := filepath.WalkDir(filepath.Join(corpus, dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) != ".json" {
				return err
			}
			body, err := os.ReadFile(path)
			if err != nil || len(body) > MostBody {
				return err
			}
			w.send(string(body))
			sent++
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if n, err := w.countWaiting(t.Context()); err != nil || n != 0 || sent == 0 {
		t.Errorf("%d of %d wait, %v", n, sent, err)
	}
	t.Logf("%d payloads taken, %d alerts open", sent, len(w.open()))
}

func TestSNSIsBelievedOnlyWithItsSignature(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, dbtest.SQLite(t), rooms()...))
	w.apply(strings.Replace(documents, "spec: {service: checkout}", "spec: {format: sns, snsTopics: ['arn:aws:sns:eu-west-1:1:ops*']}", 1))
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: began.Add(-time.Hour), NotAfter: began.Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	var asked []string
	w.Fetch = func(_ context.Context, at string) ([]byte, error) {
		asked = append(asked, at)
		return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), nil
	}
	message := func(change func(m *snsMessage)) string {
		m := snsMessage{Type: "SubscriptionConfirmation", MessageID: "1", TopicArn: "arn:aws:sns:eu-west-1:1:ops-alarms", Message: "You have chosen …", Timestamp: began.Format(time.RFC3339),
			Token: "2", SubscribeURL: "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription", SignatureVersion: "2", SigningCertURL: "https://sns.eu-west-1.amazonaws.com/a.pem"}
		change(&m)
		sum := sha256.Sum256([]byte(m.signed()))
		signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
		if err != nil {
			t.Fatal(err)
		}
		if m.Signature == "" {
			m.Signature = base64.StdEncoding.EncodeToString(signature)
		}
		return fmt.Sprintf(`{"Type":%q,"MessageId":%q,"TopicArn":%q,"Message":%q,"Timestamp":%q,"Token":%q,"SubscribeURL":%q,"SignatureVersion":%q,"Signature":%q,"SigningCertURL":%q}`,
			m.Type, m.MessageID, m.TopicArn, m.Message, m.Timestamp, m.Token, m.SubscribeURL, m.SignatureVersion, m.Signature, m.SigningCertURL)
	}
	for name, c := range map[string]struct {
		body string
		want int
	}{
		"genuine":               {message(func(*snsMessage) {}), http.StatusAccepted},
		"another signature":     {message(func(m *snsMessage) { m.Signature = base64.StdEncoding.EncodeToString([]byte("x")) }), http.StatusUnauthorized},
		"a certificate of ours": {message(func(m *snsMessage) { m.SigningCertURL = "https://sns.evil.example.com/a.pem" }), http.StatusUnauthorized},
		"a name that looks so":  {message(func(m *snsMessage) { m.SigningCertURL = "https://sns.eu-west-1.amazonaws.com.evil.example/a.pem" }), http.StatusUnauthorized},
		"confirm elsewhere":     {message(func(m *snsMessage) { m.SubscribeURL = "https://127.0.0.1/" }), http.StatusUnauthorized},
		"replayed":              {message(func(m *snsMessage) { m.Timestamp = began.Add(-48 * time.Hour).Format(time.RFC3339) }), http.StatusUnauthorized},
		"another topic":         {message(func(m *snsMessage) { m.TopicArn = "arn:aws:sns:eu-west-1:1:other" }), http.StatusForbidden},
	} {
		r := w.ask(http.MethodPost, "/api/v1/alerts/in/"+w.key, c.body, "X-Amz-Sns-Message-Type", "SubscriptionConfirmation")
		if r.Code != c.want {
			t.Errorf("%s: answered %d, want %d: %s", name, r.Code, c.want, r.Body)
		}
	}
	for _, at := range asked {
		if !snsAddress(at) {
			t.Errorf("asked %s", at)
		}
	}
	if !slices.Contains(asked, "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription") {
		t.Error("the subscription was not confirmed")
	}
}

func FuzzUnpackEvents(f *testing.F) {
	f.Add(packEvents([]rawEvent{{kind: eventReceived, integration: "a", body: []byte("{}")}}))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _ = unpackEvents(data)
		one := []rawEvent{{kind: eventReceived, integration: "x", format: "y", header: http.Header{"Content-Type": {"z"}}, body: data}, {kind: eventBeat, header: http.Header{}, body: []byte{}}}
		got, err := unpackEvents(packEvents(one))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(fmt.Sprint(one), fmt.Sprint(got)); diff != "" {
			t.Error(diff)
		}
	})
}
