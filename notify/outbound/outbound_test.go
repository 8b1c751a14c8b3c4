package outbound_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/notify/outbound"
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

func TestOnlyThePublicInternetIsReached(t *testing.T) {
	g := outbound.New(nil)
	for address, open := range map[string]bool{
		"8.8.8.8": true, "1.1.1.1": true, "2606:4700:4700::1111": true, "100.128.0.1": true, "172.32.0.1": true,
		"127.0.0.1": false, "127.255.255.254": false, "0.0.0.0": false, "0.1.2.3": false,
		"10.0.0.1": false, "172.16.0.1": false, "172.31.255.255": false, "192.168.1.1": false,
		"169.254.169.254": false, "100.64.0.1": false, "100.127.255.255": false,
		"224.0.0.1": false, "239.255.255.255": false, "255.255.255.255": false, "240.0.0.1": false,
		"192.0.2.1": false, "198.51.100.7": false, "203.0.113.9": false, "198.18.0.1": false, "192.0.0.8": false,
		"::": false, "::1": false, "fe80::1": false, "fe80::1%eth0": false, "fc00::1": false, "fd12:3456::1": false, "ff02::1": false,
		"fec0::1": false, "2001:db8::1": false, "2001::1": false, "::127.0.0.1": false,
		"::ffff:127.0.0.1": false, "::ffff:10.1.2.3": false, "::ffff:8.8.8.8": true,
		"64:ff9b::8.8.8.8": true, "64:ff9b::7f00:1": false, "64:ff9b::a00:1": false,
		"64:ff9b:1:7f00:0:100::": false, "2002:7f00:1::": false, "2002:808:808::1": true,
	} {
		err := g.Check(netip.MustParseAddr(address))
		if (err == nil) != open {
			t.Errorf("%s: %v, want open %v", address, err, open)
		}
		if f, ok := fault.As(err); err != nil && (!ok || f.Code != outbound.CodeBlocked || f.What.JA == "" || f.Remedy.JA == "") {
			t.Errorf("%s: the refusal explains nothing: %v", address, err)
		}
	}
	if g.Check(netip.Addr{}) == nil {
		t.Error("no address at all was let through")
	}
}

func TestConfiguredNetworkIsReachedInEverySpelling(t *testing.T) {
	g := outbound.New([]netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("::ffff:192.168.0.0/112")})
	for address, open := range map[string]bool{
		"10.1.2.3": true, "::ffff:10.1.2.3": true, "64:ff9b::a01:203": true, "192.168.0.9": true,
		"10.2.0.1": false, "127.0.0.1": false, "172.16.0.1": false,
	} {
		if err := g.Check(netip.MustParseAddr(address)); (err == nil) != open {
			t.Errorf("%s: %v, want open %v", address, err, open)
		}
	}
}

// Whatever hides an IPv4 address inside an IPv6 one is judged like that one.
func TestEmbeddedAddressIsJudgedLikeItself(t *testing.T) {
	g := outbound.New(nil)
	rapid.Check(t, func(t *rapid.T) {
		var b [4]byte
		for i := range b {
			b[i] = rapid.Byte().Draw(t, "byte")
		}
		plain := g.Check(netip.AddrFrom4(b)) == nil
		for _, a := range []netip.Addr{
			netip.AddrFrom16([16]byte{10: 0xff, 11: 0xff, 12: b[0], 13: b[1], 14: b[2], 15: b[3]}),
			netip.AddrFrom16([16]byte{0: 0, 1: 0x64, 2: 0xff, 3: 0x9b, 12: b[0], 13: b[1], 14: b[2], 15: b[3]}),
			netip.AddrFrom16([16]byte{0: 0x20, 1: 0x02, 2: b[0], 3: b[1], 4: b[2], 5: b[3]}),
		} {
			if (g.Check(a) == nil) != plain {
				t.Fatalf("%s is let through %v, %s %v", netip.AddrFrom4(b), plain, a, !plain)
			}
		}
	})
}

func post(t *testing.T, c *outbound.Client, url string) (outbound.Answer, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	return c.Post(ctx, url, http.Header{"Content-Type": {"application/json"}}, []byte("{}"), time.Now())
}

// A name is checked where it is dialled: one that resolves to this machine, now
// or the second time it is asked for, leads nowhere.
func TestNameThatResolvesToThisMachineIsRefused(t *testing.T) {
	hit := false
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hit = true }))
	defer server.Close()
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_, err = post(t, outbound.New(nil).Client(), "http://localhost:"+port)
	if f, ok := fault.As(err); !ok || f.Code != outbound.CodeBlocked || hit {
		t.Fatalf("err %v, reached %v", err, hit)
	}
}

func TestRedirectIsNotFollowed(t *testing.T) {
	hit := false
	inner := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hit = true }))
	defer inner.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		outer := httptest.NewServer(http.RedirectHandler(inner.URL, status))
		a, err := post(t, outbound.New(loopback).Client(), outer.URL)
		if err != nil || a.Code != status || a.OK() || hit {
			t.Errorf("%d: answer %+v, err %v, followed %v", status, a, err, hit)
		}
		outer.Close()
	}
}

func TestProxyOfTheEnvironmentIsNotUsed(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }))
	defer server.Close()
	if a, err := post(t, outbound.New(loopback).Client(), server.URL); err != nil || !a.OK() {
		t.Fatalf("answer %+v, err %v", a, err)
	}
}

func TestEndlessAnswerIsCutOff(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := fmt.Fprint(w, strings.Repeat("障害", 1000)); err != nil {
				return
			}
		}
	}))
	defer server.Close()
	a, err := post(t, outbound.New(loopback).Client(), server.URL)
	if err != nil || !a.OK() || len(a.Text) > 2048 || !strings.HasPrefix(a.Text, "障害") || strings.ContainsRune(a.Text, '\uFFFD') {
		t.Fatalf("code %d, %d bytes of text, err %v", a.Code, len(a.Text), err)
	}
}

func TestEndlessHeaderIsAnError(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Long", strings.Repeat("x", 200<<10))
	}))
	defer server.Close()
	if a, err := post(t, outbound.New(loopback).Client(), server.URL); err == nil {
		t.Fatalf("accepted: %+v", a)
	}
}

func TestErrorsSayWhatHappenedAndHoldNoAddress(t *testing.T) {
	hang := make(chan struct{})
	hanging := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-hang:
		case <-r.Context().Done():
		}
	}))
	defer hanging.Close()
	defer close(hang)
	reset := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		c, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_ = c.Close()
		}
	}))
	defer reset.Close()
	encrypted := httptest.NewTLSServer(http.NotFoundHandler())
	encrypted.Config.ErrorLog = nil
	defer encrypted.Close()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	const secret = "/services/T000/B000/XXXXSECRET?token=SECRET"
	for name, c := range map[string]struct{ url, code string }{
		"hangs":      {hanging.URL, "outbound.timeout"},
		"resets":     {reset.URL, "outbound.reset"},
		"self-signs": {encrypted.URL, "outbound.tls"},
		"is plain":   {"https" + strings.TrimPrefix(hanging.URL, "http"), "outbound.tls"},
		"is gone":    {gone.URL, "outbound.refused"},
		"no name":    {"http://no-such-host.invalid", "outbound.name"},
		"no scheme":  {"ftp://127.0.0.1", "outbound.url"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 700*time.Millisecond)
			defer cancel()
			_, err := outbound.New(loopback).Client().Post(ctx, c.url+secret, nil, nil, time.Now())
			f, ok := fault.As(err)
			if !ok || f.Code != c.code || f.What.JA == "" {
				t.Fatalf("%v, want %s", err, c.code)
			}
			if strings.Contains(err.Error(), "SECRET") {
				t.Errorf("the error holds the address: %v", err)
			}
		})
	}
}

func TestAnswerThatRepeatsTheAddressHidesIt(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		part := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
		fmt.Fprintf(w, "Cannot POST %s (%s, %s, %q) no_service %s", r.URL.RequestURI(), r.URL.Path, r.URL.Query().Get("token"),
			strings.ReplaceAll(r.URL.Path, "/", `\/`), strings.Repeat(".", 1700)+strings.Repeat(part, 300))
	}))
	defer server.Close()
	at := strings.Replace(server.URL, "http://", "http://u:SECRET1@", 1) + "/services/SECRET2+%2Fx/SECRET3-a-long-one-that-shrinks-when-it-is-hidden?token=SECRET%204"
	a, err := post(t, outbound.New(loopback).Client(), at)
	if err != nil || strings.Contains(a.Text, "SECRET") || !strings.Contains(a.Text, "Cannot POST") || !strings.Contains(a.Text, "no_service") {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestTrustedAuthorityIsAccepted(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	trust := server.Client().Transport.(*http.Transport).TLSClientConfig
	if a, err := post(t, outbound.New(loopback).ClientTLS(&tls.Config{RootCAs: trust.RootCAs}), server.URL); err != nil || !a.OK() {
		t.Fatalf("answer %+v, err %v", a, err)
	}
}

func TestRetryAfterIsReadInBothForms(t *testing.T) {
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"": 0, "120": 2 * time.Minute, " 7 ": 7 * time.Second, "-1": 0, "soon": 0, "1e9": 0,
		"99999999999":                   24 * time.Hour,
		"Sun, 22 Nov 2026 10:05:00 GMT": 5 * time.Minute,
		"Sun, 22 Nov 2026 09:05:00 GMT": 0,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", header)
			w.WriteHeader(503)
		}))
		a, err := outbound.New(loopback).Client().Post(t.Context(), server.URL, nil, nil, now)
		if err != nil || a.RetryAfter != want {
			t.Errorf("%q: %v (err %v), want %v", header, a.RetryAfter, err, want)
		}
		server.Close()
	}
}

func TestOnlyRequestsThatCanSucceedLaterAreRetryable(t *testing.T) {
	for code := 300; code < 600; code++ {
		want := code < 400 || code > 499 || code == 408 || code == 425 || code == 429
		if got := (outbound.Answer{Code: code}).Retryable(); got != want {
			t.Errorf("%d: %v", code, got)
		}
	}
}

func FuzzCheckURL(f *testing.F) {
	for _, s := range []string{"https://h/p", "http://[::1]:80/", "http://u:p@h", "//h", "http:///x", "http://h:99999", "javascript:1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := outbound.CheckURL(s)
		if err == nil && (u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https") {
			t.Errorf("accepted %q", s)
		}
	})
}

// FuzzAnswer: whatever a receiver says, what is kept of it is short, is text, and
// does not repeat the secret part of the address.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte("Cannot POST /services/T000SECRET"), "text/plain", "120")
	f.Add([]byte{0xff, 0xfe, 0}, "image/png", "Sun, 22 Nov 2026 10:05:00 GMT")
	f.Add([]byte(strings.Repeat("T000SECRET", 400)), "application/json; charset=", "-1")
	f.Add([]byte("日本語"), ";;", "1e9")
	var said struct {
		body        []byte
		kind, after string
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = []string{said.kind}
		w.Header()["Retry-After"] = []string{said.after}
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write(said.body)
	}))
	f.Cleanup(server.Close)
	client := outbound.New(loopback).Client()
	f.Fuzz(func(t *testing.T, body []byte, kind, after string) {
		said.body, said.kind, said.after = body, kind, after
		a, err := client.Post(t.Context(), server.URL+"/services/T000SECRET", nil, nil, time.Now())
		if err != nil {
			return // a header that HTTP does not carry
		}
		if len(a.Text) > 2<<10 || !utf8.ValidString(a.Text) || strings.Contains(a.Text, "T000SECRET") || a.RetryAfter < 0 || a.RetryAfter > 24*time.Hour {
			t.Errorf("%q, %v", a.Text, a.RetryAfter)
		}
	})
}
