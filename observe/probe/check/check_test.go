package check_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/teiten/teiten/kit/secret"
	"github.com/teiten/teiten/observe/probe/check"
)

var loopback = netip.MustParsePrefix("127.0.0.0/8")

// env lets checks reach this machine.
func env() check.Env { return check.Env{Reach: check.NewReach([]netip.Prefix{loopback})} }

// look runs a check with a deadline that only a hanging one meets.
func look(t *testing.T, c check.Check, e check.Env) check.Attempt {
	t.Helper()
	if p := c.Problems(); len(p) > 0 {
		t.Fatalf("the check itself is wrong: %v at %v", p[0].What, p[0].Path)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	return check.Run(ctx, c, e)
}

func want(t *testing.T, a check.Attempt, outcome check.Outcome, code, says string) {
	t.Helper()
	if a.Outcome != outcome || a.Code != code || !strings.Contains(a.Reason.EN, says) {
		t.Fatalf("%s %q %q, want %s %q with %q", a.Outcome, a.Code, a.Reason.EN, outcome, code, says)
	}
	if code != "" && a.Reason.JA == "" {
		t.Fatal("the reason is not said in Japanese")
	}
}

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func get(url string, e check.HTTPExpect) check.Check {
	return check.Check{HTTP: &check.HTTP{Steps: []check.HTTPStep{{URL: url, Expect: e}}}}
}

func TestAJourneyCarriesCookiesAndExtractedValuesFromStepToStep(t *testing.T) {
	t.Setenv("SHOP_PASSWORD", "correct-horse")
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/sign-in":
			if r.FormValue("password") != "correct-horse" {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			http.SetCookie(w, &http.Cookie{Name: "session", Value: "abc", Path: "/"})
			fmt.Fprint(w, `{"token": "t-987654", "user": {"id": 42}}`)
		case "/orders/42":
			c, err := r.Cookie("session")
			if err != nil || c.Value != "abc" || r.Header.Get("Authorization") != "Bearer t-987654" {
				w.WriteHeader(http.StatusForbidden)
				return
			}
			fmt.Fprint(w, `{"orders": [{"state": "paid", "sum": 1200}]}`)
		}
	})
	lo := 1000.0
	c := check.Check{HTTP: &check.HTTP{
		Secrets: map[string]secret.Secret{"password": "${env:SHOP_PASSWORD}"},
		Steps: []check.HTTPStep{
			{
				Name: "sign in", Method: "POST", URL: url + "/sign-in", Body: "password={{password}}",
				Headers: map[string]secret.Secret{"Content-Type": "application/x-www-form-urlencoded"},
				Extract: []check.Extract{{Name: "token", JSON: "$.token"}, {Name: "user", JSON: "$.user.id"}},
			},
			{
				URL: url + "/orders/{{user}}", Headers: map[string]secret.Secret{"Authorization": "Bearer {{token}}"},
				Expect: check.HTTPExpect{Body: &check.BodyExpect{JSON: []check.JSONExpect{
					{Path: "$.orders[0].state", Equals: "paid"}, {Path: "$.orders[-1].sum", Min: &lo},
				}}},
			},
		},
	}}
	a := look(t, c, env())
	want(t, a, check.Success, "", "")
	if len(a.Steps) != 2 || a.Steps[0].Name != "sign in" || a.Steps[1].Name != "GET /orders/…" || a.Steps[1].Status != 200 {
		t.Errorf("steps: %+v", a.Steps)
	}
	if s := a.Steps[0]; s.ConnectMs <= 0 || s.TTFBMs <= 0 || s.TotalMs < s.ConnectMs+s.TTFBMs || s.Address == "" {
		t.Errorf("phases of the first step: %+v", s)
	}
	if a.Steps[1].ConnectMs != 0 {
		t.Error("the second step did not keep the connection")
	}
	if b, _ := json.Marshal(a); strings.Contains(string(b), "correct-horse") || strings.Contains(string(b), "t-987654") {
		t.Errorf("a secret is in the result: %s", b)
	}
}

func TestEachExpectationThatIsNotMetFailsWithItsReason(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Region", "tokyo")
		if r.URL.Path == "/slow" {
			select {
			case <-r.Context().Done():
			case <-time.After(30 * time.Millisecond):
			}
		}
		if r.URL.Path == "/teapot" {
			w.WriteHeader(http.StatusTeapot)
		}
		fmt.Fprint(w, `{"state": "degraded", "queue": 12, "ok": true, "big": 12345678901234567890, "none": null}`)
	})
	ten := 10.0
	for name, c := range map[string]struct {
		path       string
		e          check.HTTPExpect
		code, says string
	}{
		"a good one":             {"/", check.HTTPExpect{Body: &check.BodyExpect{Contains: []string{"degraded"}, Matches: `"queue": \d+`, JSON: []check.JSONExpect{{Path: "$.ok", Equals: true}, {Path: "$.queue", Equals: int64(12)}, {Path: "$['state']", Matches: "^deg"}, {Path: "$.nope", Absent: true}}}}, "", ""},
		"status":                 {"/teapot", check.HTTPExpect{}, check.CodeStatus, "status 418 instead of 2xx"},
		"status ranges":          {"/teapot", check.HTTPExpect{Status: []check.Status{{From: 200, To: 299}, {From: 404, To: 404}}}, check.CodeStatus, "2xx, 404"},
		"an accepted status":     {"/teapot", check.HTTPExpect{Status: []check.Status{{From: 418, To: 418}}}, "", ""},
		"missing text":           {"/", check.HTTPExpect{Body: &check.BodyExpect{Contains: []string{"healthy"}}}, check.CodeBody, `does not hold "healthy"`},
		"text that must not be":  {"/", check.HTTPExpect{Body: &check.BodyExpect{NotContains: []string{"degraded"}}}, check.CodeBody, `holds "degraded"`},
		"expression":             {"/", check.HTTPExpect{Body: &check.BodyExpect{Matches: "^healthy$"}}, check.CodeBody, "does not match"},
		"JSON value":             {"/", check.HTTPExpect{Body: &check.BodyExpect{JSON: []check.JSONExpect{{Path: "$.state", Equals: "healthy"}}}}, check.CodeBody, `$.state is "degraded" instead of "healthy"`},
		"JSON of another type":   {"/", check.HTTPExpect{Body: &check.BodyExpect{JSON: []check.JSONExpect{{Path: "$.ok", Equals: "true"}}}}, check.CodeBody, "$.ok"},
		"JSON number too large":  {"/", check.HTTPExpect{Body: &check.BodyExpect{JSON: []check.JSONExpect{{Path: "$.queue", Max: &ten}}}}, check.CodeBody, "at most 10"},
		"JSON is no number":      {"/", check.HTTPExpect{Body: &check.BodyExpect{JSON: []check.JSONExpect{{Path: "$.state", Max: &ten}}}}, check.CodeBody, "at most 10"},
		"JSON value is missing":  {"/", check.HTTPExpect{Body: &check.BodyExpect{JSON: []check.JSONExpect{{Path: "$.a.b[3]"}}}}, check.CodeBody, "$.a.b[3] is missing"},
		"header":                 {"/", check.HTTPExpect{Headers: []check.HeaderExpect{{Name: "X-Region", Equals: "osaka"}}}, check.CodeHeader, `"tokyo" instead of "osaka"`},
		"header is missing":      {"/", check.HTTPExpect{Headers: []check.HeaderExpect{{Name: "X-Cache"}}}, check.CodeHeader, "X-Cache is missing"},
		"header must be absent":  {"/", check.HTTPExpect{Headers: []check.HeaderExpect{{Name: "x-region", Absent: true}}}, check.CodeHeader, "is there"},
		"header does not match":  {"/", check.HTTPExpect{Headers: []check.HeaderExpect{{Name: "X-Region", Matches: "^o"}}}, check.CodeHeader, "does not match"},
		"latency":                {"/slow", check.HTTPExpect{Latency: check.Duration(10 * time.Millisecond)}, check.CodeLatency, "longer than 10ms"},
		"latency that is enough": {"/", check.HTTPExpect{Latency: check.Duration(9 * time.Second)}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			outcome := check.Failure
			if c.code == "" {
				outcome = check.Success
			}
			want(t, look(t, get(url+c.path, c.e), env()), outcome, c.code, c.says)
		})
	}
}

func TestABodyIsReadUpToABound(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		for range 3 << 10 {
			fmt.Fprint(w, strings.Repeat("x", 1<<10))
		}
		fmt.Fprint(w, "the end")
	})
	a := look(t, get(url, check.HTTPExpect{Body: &check.BodyExpect{Contains: []string{"the end"}}}), env())
	want(t, a, check.Failure, check.CodeBody, "in its first 1048576 bytes")
	if a.Steps[0].Bytes != 3<<20+7 {
		t.Errorf("%d bytes counted", a.Steps[0].Bytes)
	}
}

func TestARedirectToAnotherHostTakesNoSecretAlong(t *testing.T) {
	var got http.Header
	other := serve(t, func(_ http.ResponseWriter, r *http.Request) { got = r.Header })
	url := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other, http.StatusFound) })
	c := get(url, check.HTTPExpect{})
	c.HTTP.Steps[0].Headers = map[string]secret.Secret{"X-Api-Key": "key-of-the-shop"}
	a := look(t, c, env())
	want(t, a, check.Success, "", "")
	if a.Steps[0].Redirects != 1 || got == nil || got.Get("X-Api-Key") != "" {
		t.Errorf("%d redirects, headers %v", a.Steps[0].Redirects, got)
	}
	no := false
	c.HTTP.Steps[0].FollowRedirects = &no
	want(t, look(t, c, env()), check.Failure, check.CodeStatus, "302")
}

func TestASecretThatTheTargetRepeatsIsNotReported(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Echo", r.Header.Get("Authorization"))
		fmt.Fprintf(w, `{"echo": %q}`, r.Header.Get("Authorization"))
	})
	for name, e := range map[string]check.HTTPExpect{
		"body":   {Body: &check.BodyExpect{JSON: []check.JSONExpect{{Path: "$.echo", Equals: "else"}}}},
		"header": {Headers: []check.HeaderExpect{{Name: "X-Echo", Equals: "else"}}},
	} {
		t.Run(name, func(t *testing.T) {
			c := get(url, e)
			c.HTTP.Steps[0].Headers = map[string]secret.Secret{"Authorization": "hunter2hunter2"}
			a := look(t, c, env())
			b, _ := json.Marshal(a)
			if a.Outcome != check.Failure || strings.Contains(string(b), "hunter2") || !strings.Contains(a.Reason.EN, secret.Hidden) {
				t.Errorf("%s", b)
			}
		})
	}
}

func TestASecretThatIsMissingIsNoVerdict(t *testing.T) {
	c := get("http://127.0.0.1:1/", check.HTTPExpect{})
	c.HTTP.Steps[0].Headers = map[string]secret.Secret{"Authorization": "${env:TEITEN_SECRET_OF_NOBODY}"}
	want(t, look(t, c, env()), check.Unknown, secret.CodeMissing, "TEITEN_SECRET_OF_NOBODY")
}

func TestWhatMayNotBeReachedIsNoVerdict(t *testing.T) {
	url := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("it was reached") })
	address := strings.TrimPrefix(url, "http://")
	private := check.Env{Reach: check.NewReach(check.PrivateNetworks())}
	for name, c := range map[string]check.Check{
		"http":     get(url, check.HTTPExpect{}),
		"tcp":      {TCP: &check.TCP{Address: address}},
		"tls":      {TLS: &check.TLSExpiry{Address: address}},
		"grpc":     {GRPC: &check.GRPC{Address: address}},
		"icmp":     {ICMP: &check.ICMP{Host: "127.0.0.1"}},
		"resolver": {DNS: &check.DNS{Name: "example.com", Resolver: "127.0.0.1:53"}},
		"metadata": get("http://169.254.169.254/latest/meta-data/", check.HTTPExpect{}),
		"v6":       get("http://[fd00:ec2::254]/latest/meta-data/", check.HTTPExpect{}),
		"mapped":   get("http://[::ffff:169.254.169.254]/", check.HTTPExpect{}),
	} {
		t.Run(name, func(t *testing.T) {
			want(t, look(t, c, private), check.Unknown, check.CodeBlocked, "may not reach")
		})
	}
}

func TestAMetadataServiceIsReachedOnlyWhereItIsNamedItself(t *testing.T) {
	at := netip.MustParseAddr("169.254.169.254")
	if check.NewReach([]netip.Prefix{netip.MustParsePrefix("169.254.0.0/16")}).Check(at) == nil {
		t.Error("its network was enough")
	}
	if err := check.NewReach([]netip.Prefix{netip.PrefixFrom(at, 32)}).Check(at); err != nil {
		t.Error(err)
	}
	if err := check.NewReach(check.PrivateNetworks()).Check(netip.MustParseAddr("10.1.2.3")); err != nil {
		t.Error(err)
	}
}

func TestTheEndOfTheTimeIsAFailure(t *testing.T) {
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	want(t, check.Run(ctx, get(url, check.HTTPExpect{}), env()), check.Failure, check.CodeTimeout, "no answer in time")
}

func TestAPortWhereNobodyListensIsAFailure(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // closed at once: only its free port matters
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	want(t, look(t, get("http://"+address, check.HTTPExpect{}), env()), check.Failure, check.CodeConnection, "refused")
	want(t, look(t, check.Check{TCP: &check.TCP{Address: address}}, env()), check.Failure, check.CodeConnection, "refused")
}

func TestMistakesInSettingsAreFoundWhereTheyAre(t *testing.T) {
	for name, c := range map[string]struct {
		check check.Check
		where string
	}{
		"nothing":           {check.Check{}, "[]"},
		"two":               {check.Check{TCP: &check.TCP{}, TLS: &check.TLSExpiry{}}, "[]"},
		"no steps":          {check.Check{HTTP: &check.HTTP{}}, "[http steps]"},
		"address":           {get("ftp://x", check.HTTPExpect{}), "[http steps 0 url]"},
		"password":          {get("http://a:b@x/", check.HTTPExpect{}), "[http steps 0 url]"},
		"unknown value":     {get("http://x/{{id}}", check.HTTPExpect{}), "[http steps 0 url]"},
		"expression":        {get("http://x/", check.HTTPExpect{Body: &check.BodyExpect{Matches: "("}}), "[http steps 0 expect body matches]"},
		"JSON path":         {get("http://x/", check.HTTPExpect{Body: &check.BodyExpect{JSON: []check.JSONExpect{{Path: "a"}}}}), "[http steps 0 expect body json 0 path]"},
		"port":              {check.Check{TCP: &check.TCP{Address: "db"}}, "[tcp address]"},
		"record":            {check.Check{DNS: &check.DNS{Name: "x", Type: "HINFO"}}, "[dns name]"},
		"loss":              {check.Check{ICMP: &check.ICMP{Host: "x", MaxLoss: new(float64(1))}}, "[icmp maxLoss]"},
		"extract from both": {check.Check{HTTP: &check.HTTP{Steps: []check.HTTPStep{{URL: "http://x", Extract: []check.Extract{{Name: "a", JSON: "$", Header: "b"}}}}}}, "[http steps 0 extract 0]"},
	} {
		t.Run(name, func(t *testing.T) {
			p := c.check.Problems()
			if len(p) != 1 || fmt.Sprint(p[0].Path) != c.where || p[0].What.JA == "" || p[0].Remedy.JA == "" {
				t.Errorf("%+v, want one at %s", p, c.where)
			}
		})
	}
}
