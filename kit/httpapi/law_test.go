package httpapi

import (
	"context"
	"encoding/base64"
	"errors"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/teiten/teiten/kit/fault"
)

type place struct {
	At int64
	ID string
}

func TestCursorComesBackOrIsRefused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := place{rapid.Int64().Draw(t, "at"), rapid.String().Draw(t, "id")}
		in.ID = strings.ToValidUTF8(in.ID, "?")
		list := rapid.StringMatching(`[a-z]{1,8}`).Draw(t, "list")
		cursor := EncodeCursor(list, in)
		var out place
		if err := DecodeCursor(list, cursor, &out); err != nil || out != in {
			t.Fatalf("%+v came back as %+v: %v", in, out, err)
		}
		if err := DecodeCursor(list+"x", cursor, &out); fault.KindOf(err) != fault.Invalid {
			t.Fatalf("another list took it: %v", err)
		}
		raw, _ := base64.RawURLEncoding.DecodeString(cursor)
		raw[rapid.IntRange(0, len(raw)-1).Draw(t, "byte")] ^= byte(rapid.IntRange(1, 255).Draw(t, "flip"))
		if err := DecodeCursor(list, base64.RawURLEncoding.EncodeToString(raw), &out); fault.KindOf(err) != fault.Invalid {
			t.Fatalf("an altered cursor was taken: %v", err)
		}
	})
}

func FuzzDecodeCursor(f *testing.F) {
	f.Add("slos", EncodeCursor("slos", place{1, "a"}))
	f.Add("slos", "")
	f.Add("", "AAAAAAAAe30")
	f.Fuzz(func(t *testing.T, list, cursor string) {
		var p place
		err := DecodeCursor(list, cursor, &p)
		if err != nil {
			if fault.KindOf(err) != fault.Invalid {
				t.Fatalf("not a clear refusal: %v", err)
			}
			return
		}
		raw, _ := base64.RawURLEncoding.DecodeString(cursor)
		if string(cursorSum(list, raw[cursorSumLen:])) != string(raw[:cursorSumLen]) {
			t.Fatal("taken without its checksum")
		}
	})
}

// In any stretch of time, a bucket lets through at most its burst and what came
// in since, and after the wait it names the next one passes.
func TestLimiterLaw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := RateLimit{Burst: rapid.IntRange(1, 5).Draw(t, "burst"), Every: time.Duration(rapid.IntRange(1, 50).Draw(t, "every")) * time.Millisecond}
		start := time.Unix(1_000_000, 0)
		now := start
		l := newLimiter(limit, func() time.Time { return now })
		passed := 0
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 30).Draw(t, "ms")) * time.Millisecond)
			wait := l.take("k")
			if wait == 0 {
				passed++
				if most := limit.Burst + int(now.Sub(start)/limit.Every); passed > most {
					t.Fatalf("%d passed, at most %d may", passed, most)
				}
				continue
			}
			if wait > limit.Every {
				t.Fatalf("must wait %s for one that comes every %s", wait, limit.Every)
			}
			now = now.Add(wait)
			if again := l.take("k"); again != 0 {
				t.Fatalf("refused after the wait it named: %s", again)
			}
			passed++
		}
	})
}

func TestLimiterForgivesAClockSetBack(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	l := newLimiter(RateLimit{Burst: 1, Every: time.Second}, func() time.Time { return now })
	l.take("k")
	now = now.Add(-time.Hour)
	if wait := l.take("k"); wait != 0 {
		t.Errorf("must wait %s after the clock was set back", wait)
	}
}

func TestLimiterForgetsFullBuckets(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	l := newLimiter(RateLimit{Burst: 2, Every: time.Second}, func() time.Time { return now })
	for i := range 1000 {
		l.take(strconv.Itoa(i))
	}
	now = now.Add(time.Minute)
	l.take("one more")
	if n := len(l.fullAt); n != 1 {
		t.Errorf("%d buckets kept", n)
	}
}

// Every message that huma's validation can give is known in Japanese.
func TestEveryValidationMessageIsTranslated(t *testing.T) {
	pkg, err := build.Import("github.com/danielgtaylor/huma/v2/validation", ".", build.FindOnly)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(pkg.Dir, "messages.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	ast.Inspect(parsed, func(n ast.Node) bool {
		lit, ok := n.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			return true
		}
		msg, err := strconv.Unquote(lit.Value)
		if err != nil {
			t.Fatal(err)
		}
		seen++
		said := strings.NewReplacer("%v", "X1", "%d", "7", "%s", "X1").Replace(msg)
		ja := translate(said).JA
		if strings.Contains(ja, "%") || strings.Contains(ja, "値が正しくありません（expected") || !strings.ContainsFunc(ja, func(r rune) bool { return r > 0x3000 }) {
			t.Errorf("%q → %q", said, ja)
		}
		return true
	})
	if seen < 40 {
		t.Errorf("found only %d messages: has the package moved?", seen)
	}
	if got := translate("expected property a to be present when b is present").JA; got != "項目 a は b と併せて指定してください" {
		t.Error(got)
	}
	if got := translate("something new"); got.EN != "something new" || got.JA != "値が正しくありません（something new）" {
		t.Errorf("%+v", got)
	}
}

func TestSchemaNamesAreQualifiedByPackage(t *testing.T) {
	for in, want := range map[string]string{
		"github.com/teiten/teiten/catalog.Entity":                                                    "CatalogEntity",
		"github.com/teiten/teiten/observe/slo.SLOSummary":                                            "SLOSummary",
		"github.com/teiten/teiten/kit/httpapi.Page[github.com/teiten/teiten/observe/slo.SLOSummary]": "PageSLOSummary",
		"github.com/teiten/teiten/kit/httpapi.Page[github.com/teiten/teiten/journal.Entry]":          "PageJournalEntry",
		"github.com/teiten/teiten/kit/httpapi.Problem":                                               "Problem",
	} {
		if got := qualified(in); got != want {
			t.Errorf("%s → %s, want %s", in, got, want)
		}
	}
}

func TestStatusKeepsTheFault(t *testing.T) {
	err := TooLarge(10)
	f, ok := fault.As(err)
	if !ok || f.Code != "http.body_too_large" || !errors.Is(err, error(f)) {
		t.Errorf("%v", err)
	}
	if diff := cmp.Diff(f.Error(), err.Error()); diff != "" {
		t.Error(diff)
	}
}

// FuzzHeaders: whatever the headers of a request hold, it is answered, the log
// keeps to one line each, and what is taken over from them can be borne.
func FuzzHeaders(f *testing.F) {
	for _, seed := range [][6]string{
		{"localhost:9469", "en-US,en;q=0.5,ja;q=0.9", "203.0.113.9, 10.0.0.1", "0190c7a2-request", `W/"r1", *`, "teiten_lang=ja"},
		{"[::1]:80", "ja;q=1.1;q=-,*", "::ffff:1.2.3.4,,junk", "a\tb", `"`, "teiten_lang=\"; x"},
		{"evil.example", strings.Repeat("a,", 500), strings.Repeat("1.1.1.1,", 500), strings.Repeat("x", 65), ",,,", "=;="},
		{"%zz", ";q=", "[", "", "", "teiten_lang=ja; teiten_lang=en"},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3], seed[4], seed[5])
	}
	f.Fuzz(func(t *testing.T, host, lang, forwarded, id, match, cookie string) {
		w := newWorld(t, func(o *Options) { o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")} })
		Register(w.API, Op{ID: "edit", Method: "PUT", Path: "/api/thing", Scope: Public}, func(_ context.Context, in *struct{ IfMatch }) (*struct{}, error) {
			return nil, in.Check(`"r1"`)
		})
		r := httptest.NewRequest(http.MethodPut, "/api/thing", nil)
		r.Host = host
		for name, value := range map[string]string{
			"Accept-Language": lang, "X-Forwarded-For": forwarded, "X-Request-Id": id, "If-Match": match, "Cookie": cookie,
		} {
			r.Header.Set(name, value)
		}
		r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80}))
		rec := httptest.NewRecorder()
		w.Handler().ServeHTTP(rec, r)
		if rec.Code == 0 || rec.Code >= 500 {
			t.Errorf("%d %s", rec.Code, rec.Body)
		}
		if got := rec.Header().Get("X-Request-Id"); len(got) < 7 || len(got) > 64 || strings.ContainsFunc(got, func(c rune) bool { return c <= ' ' || c > '~' }) {
			t.Errorf("request id %q", got)
		}
		for line := range strings.Lines(w.log.String()) {
			if !strings.HasPrefix(line, "time=") {
				t.Errorf("a line of the log that we did not write: %q", line)
			}
		}
	})
}
