package notify

import (
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/kit/secret"
	"github.com/teiten/teiten/notify/phone"
)

// Each channel sends what its provider's documentation asks for: the stand-in
// refuses anything else.
func TestProvidersTakeWhatIsSent(t *testing.T) {
	object := func(t *testing.T, body []byte) map[string]any {
		var m map[string]any
		if err := json.Unmarshal(body, &m); err != nil {
			t.Errorf("no JSON: %s", body)
		}
		return m
	}
	for name, c := range map[string]struct {
		spec  func(base string) Spec
		path  string
		check func(t *testing.T, r *http.Request, body []byte) bool
	}{
		"teams": {func(b string) Spec { return Spec{Teams: &TeamsSpec{URL: secret.Secret(b + "/flow")}} }, "/flow", func(t *testing.T, _ *http.Request, body []byte) bool {
			m := object(t, body)
			a := m["attachments"].([]any)[0].(map[string]any)
			card := a["content"].(map[string]any)
			return m["type"] == "message" && a["contentType"] == "application/vnd.microsoft.card.adaptive" && card["type"] == "AdaptiveCard" &&
				card["version"] == "1.4" && len(body) <= 28<<10 && len(card["actions"].([]any)) > 0
		}},
		"lineworks": {func(b string) Spec { return Spec{LineWorks: &LineWorksSpec{URL: secret.Secret(b + "/message/1")}} }, "/message/1", func(t *testing.T, _ *http.Request, body []byte) bool {
			m := object(t, body)
			return m["title"] != "" && m["body"].(map[string]any)["text"] != "" && strings.HasPrefix(m["button"].(map[string]any)["url"].(string), "https://")
		}},
		"ntfy": {func(b string) Spec { return Spec{Ntfy: &NtfySpec{URL: secret.Secret(b + "/shop"), Token: "tk_1"}} }, "/", func(t *testing.T, r *http.Request, body []byte) bool {
			m := object(t, body)
			return m["topic"] == "shop" && m["priority"] == 5.0 && r.Header.Get("Authorization") == "Bearer tk_1" && len(m["actions"].([]any)) <= 3
		}},
		"sms by a template": {func(string) Spec { return Spec{SMS: &PhoneSpec{To: "+81312345678"}} }, "/send", func(t *testing.T, r *http.Request, body []byte) bool {
			m := object(t, body)
			return m["to"] == "+81312345678" && strings.Contains(m["text"].(string), "checkout-availability") && r.Header.Get("X-Key") == "s3cret"
		}},
		"voice by Twilio": {func(string) Spec { return Spec{Voice: &PhoneSpec{To: "+81312345678"}} }, "/2010-04-01/Accounts/AC1/Calls.json", func(_ *testing.T, r *http.Request, body []byte) bool {
			form, err := url.ParseQuery(string(body))
			user, password, ok := r.BasicAuth()
			return err == nil && ok && user == "AC1" && password == "token" && form.Get("From") == "+81300000000" && form.Get("To") == "+81312345678" &&
				xml.Unmarshal([]byte(form.Get("Twiml")), new(struct {
					XMLName xml.Name `xml:"Response"`
				})) == nil
		}},
	} {
		t.Run(name, func(t *testing.T) {
			taken := 0
			r := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				body, err := io.ReadAll(req.Body)
				if err != nil || req.Method != http.MethodPost || req.URL.Path != c.path || req.Header.Get("Idempotency-Key") == "" || !c.check(t, req, body) {
					t.Errorf("%s %s %s", req.Method, req.URL, body)
					w.WriteHeader(http.StatusBadRequest)
					return
				}
				taken++
				w.WriteHeader(http.StatusCreated)
			}))
			defer r.Close()
			s := open(t, dbtest.Open(t, dbtest.SQLite(t), rooms...), func(d *Deps) {
				d.Phone = phone.Config{
					SMS:    &phone.Template{URL: secret.Secret(r.URL + "/send"), Body: `{"to":{{json .To}},"text":{{json .Text}}}`, Headers: map[string]secret.Secret{"X-Key": "s3cret"}},
					Twilio: &phone.Twilio{AccountSID: "AC1", AuthToken: "token", From: "+81300000000", URL: r.URL},
				}
			})
			s.channel("way", c.spec(r.URL))
			s.fire("a1")
			s.pump()
			if d, attempts := s.only(); d.State != Delivered || taken != 1 {
				t.Errorf("%+v %+v", d, attempts)
			}
		})
	}
}

func TestWrongReceiversAreNamed(t *testing.T) {
	for _, s := range []Spec{{SMS: &PhoneSpec{To: "0312345678"}}, {Voice: &PhoneSpec{}}, {Ntfy: &NtfySpec{URL: "https://ntfy.sh/"}}, {Teams: &TeamsSpec{URL: "ftp://x"}},
		{LineWorks: &LineWorksSpec{}}, {Ntfy: &NtfySpec{URL: "https://ntfy.sh/a"}, SMS: &PhoneSpec{To: "+81312345678"}}} {
		if len(s.Problems()) == 0 {
			t.Errorf("%+v is accepted", s)
		}
	}
}

func TestTemplateThatIsWrongStopsTheServerAtItsStart(t *testing.T) {
	c := phone.Config{SMS: &phone.Template{URL: "https://sms.example", Body: "{{.Number}}"}}
	if c.Problems() == nil {
		t.Error("accepted")
	}
}
