package access

import (
	"context"
	"database/sql"
	"net/url"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/teiten/teiten/journal"
)

func refuse(err error) func(context.Context, *sql.Tx, journal.Entry) error {
	return func(context.Context, *sql.Tx, journal.Entry) error { return err }
}

func TestTokensAreWellFormedAndOneWrongDigitShows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		token := newToken()
		if !wellFormed(token) || len(token) != 52 {
			t.Fatalf("%q", token)
		}
		i := rapid.IntRange(0, len(token)-1).Draw(t, "at")
		c := base62[rapid.IntRange(0, 61).Draw(t, "digit")]
		if c == token[i] {
			return
		}
		if wrong := token[:i] + string(c) + token[i+1:]; wellFormed(wrong) {
			t.Fatalf("%q passes for %q", wrong, token)
		}
	})
}

func FuzzWellFormed(f *testing.F) {
	f.Add(newToken())
	f.Add("tt_")
	f.Add("tt_" + strings.Repeat("0", 49))
	f.Fuzz(func(t *testing.T, s string) {
		if wellFormed(s) && (len(s) != 52 || s[46:] != checksum(s[:46])) {
			t.Fatalf("%q", s)
		}
	})
}

func FuzzSafeNext(f *testing.F) {
	for _, s := range []string{"/", "/slos?q=a#b", "//evil.example", "/\\evil.example", "https://evil.example", "/%2F/evil", "/\tevil", "/signin?next=/x", "javascript:alert(1)", "/a//b", "/.//evil.example"} {
		f.Add(s)
	}
	base, _ := url.Parse("https://teiten.example.com/signin")
	f.Fuzz(func(t *testing.T, next string) {
		got := safeNext(next)
		u, err := url.Parse(got)
		if err != nil {
			t.Fatalf("%q → %q: %v", next, got, err)
		}
		// As a browser reads it: a backslash is a slash to it.
		abs := base.ResolveReference(u)
		if abs.Host != base.Host || abs.Scheme != base.Scheme || strings.HasPrefix(got, "//") || strings.HasPrefix(got, "/\\") || !strings.HasPrefix(got, "/") {
			t.Fatalf("%q leads to %q", next, abs)
		}
	})
}

func TestSafeNext(t *testing.T) {
	for in, want := range map[string]string{
		"/slos/checkout?from=1#chart": "/slos/checkout?from=1#chart",
		"":                            "/", "slos": "/", "//evil.example/x": "/", `/\evil.example`: "/", "https://evil.example": "/",
		"/\tevil": "/", "/signin?next=/x": "/", "/signout": "/", "/api/v1/me": "/", "/\x00": "/",
	} {
		if got := safeNext(in); got != want {
			t.Errorf("%q → %q, want %q", in, got, want)
		}
	}
}

// However failures and successes come, the wait never exceeds the longest, and
// an hour later all is forgiven.
func TestAttemptsLaw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Unix(1_700_000_000, 0)
		var a attempts
		for range rapid.IntRange(0, 80).Draw(t, "failures") {
			now = now.Add(time.Duration(rapid.Int64Range(-3600, 3600).Draw(t, "seconds")) * time.Second)
			if a.wait(now, perAccount) > 0 {
				continue
			}
			a = a.fail(now, perAccount)
			if w := a.wait(now, perAccount); w > perAccount.longest {
				t.Fatalf("must wait %s", w)
			}
			if a.failures < perAccount.free && a.wait(now, perAccount) != 0 {
				t.Fatalf("made to wait after %d", a.failures)
			}
		}
		later := a.last.Add(perAccount.forgiven)
		if a.wait(later, perAccount) != 0 {
			t.Fatal("still waiting after it is forgiven")
		}
		if b := a.fail(later, perAccount); b.failures != 1 {
			t.Fatalf("%d failures after it is forgiven", b.failures)
		}
	})
}

func TestAttemptsDouble(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	var a attempts
	var waits []string
	for range 12 {
		a = a.fail(now, perAccount)
		waits = append(waits, a.wait(now, perAccount).String())
		now = now.Add(a.wait(now, perAccount))
	}
	if got := strings.Join(waits, " "); got != "0s 0s 0s 0s 30s 1m0s 2m0s 4m0s 8m0s 15m0s 15m0s 15m0s" {
		t.Error(got)
	}
}

func TestPasswordsThatAreRefused(t *testing.T) {
	for pw, ok := range map[string]bool{
		"harbour lantern 42": true, "今日はとても良い天気ですね": true, "correct horse battery": true,
		"elevenchars": false, "aaaaaaaaaaaaaaaa": false, "passwordpassword": false, "Password12345!": false, "123456789012345": false,
		"sato-is-my-name-x": false, "hanako loves tea": false, "with\x00control chars": false, strings.Repeat("lang ", 60): false,
	} {
		if err := checkPassword(pw, "sato@example.com", "Hanako"); (err == nil) != ok {
			t.Errorf("%q: %v", pw, err)
		}
	}
}

func TestHashesOfOthersAreRefusedNotTrusted(t *testing.T) {
	h := newHasher(cheap)
	good, err := h.hash(t.Context(), password)
	if err != nil {
		t.Fatal(err)
	}
	if ok, outdated, err := h.verify(t.Context(), good, password); !ok || outdated || err != nil {
		t.Errorf("%v %v %v", ok, outdated, err)
	}
	if ok, _, _ := h.verify(t.Context(), good, password+" "); ok {
		t.Error("another password passes")
	}
	if ok, _, err := h.verify(t.Context(), "", password); ok || err != nil {
		t.Errorf("no hash: %v %v", ok, err)
	}
	for _, bad := range []string{
		"x", "$argon2i$v=19$m=64,t=1,p=1$AAAA$AAAA", strings.Replace(good, "m=64", "m=4294967295", 1), strings.Replace(good, "p=1", "p=0", 1),
		strings.Replace(good, "v=19", "v=16", 1), good[:len(good)-4],
	} {
		if ok, _, err := h.verify(t.Context(), bad, password); ok || err == nil {
			t.Errorf("%s: %v %v", bad, ok, err)
		}
	}
}

func FuzzDecodeHash(f *testing.F) {
	f.Add("$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	f.Fuzz(func(t *testing.T, s string) {
		c, _, key, err := decode(s)
		if err == nil && (c.MemoryKiB == 0 || c.MemoryKiB > mostMemoryKiB || c.Passes == 0 || c.Passes > mostPasses || len(key) != keyLen) {
			t.Fatalf("%q gives %+v", s, c)
		}
	})
}
