package web

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

func built() http.Handler {
	return newHandler(fstest.MapFS{
		"index.html":       {Data: []byte(`<script nonce="__TEITEN_NONCE__" src="/assets/a-1.js"></script>`)},
		"assets/a-1.js":    {Data: []byte("console.log(1)")},
		"assets/a-1.js.gz": {Data: []byte("zipped")},
		"favicon.svg":      {Data: []byte("<svg/>")},
		".gitkeep":         {},
	})
}

func get(h http.Handler, path string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestEveryPageAddressOpensTheApplication(t *testing.T) {
	for _, path := range []string{"/", "/slos", "/slos/checkout.availability", "/services/a%20b"} {
		w := get(built(), path)
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "/assets/a-1.js") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
		if got := w.Header().Get("Cache-Control"); got != "no-store" {
			t.Errorf("%s: Cache-Control %q", path, got)
		}
	}
}

func TestPageCarriesTheNonceItsPolicyNames(t *testing.T) {
	h, nonce := built(), regexp.MustCompile(`nonce="([^"]+)"`)
	first, second := get(h, "/"), get(h, "/")
	a, b := nonce.FindStringSubmatch(first.Body.String())[1], nonce.FindStringSubmatch(second.Body.String())[1]
	if a == b || a == noncePlaceholder {
		t.Errorf("nonces %q and %q must be fresh", a, b)
	}
	policy := first.Header().Get("Content-Security-Policy")
	if !strings.Contains(policy, "'nonce-"+a+"'") || strings.Contains(policy, "unsafe") {
		t.Errorf("policy %q", policy)
	}
}

func TestHashedFilesAreCachedForEverAndOthersRevalidated(t *testing.T) {
	hashed, plain := get(built(), "/assets/a-1.js"), get(built(), "/favicon.svg")
	if got := hashed.Header().Get("Cache-Control"); !strings.Contains(got, "immutable") {
		t.Errorf("hashed file: %q", got)
	}
	if got := plain.Header().Get("Cache-Control"); got != "no-cache" {
		t.Errorf("plain file: %q", got)
	}
	again := get(built(), "/favicon.svg", "If-None-Match", "W/"+plain.Header().Get("ETag"))
	if again.Code != http.StatusNotModified || again.Body.Len() != 0 {
		t.Errorf("unchanged file: %d with %d bytes", again.Code, again.Body.Len())
	}
}

func TestCompressedTwinGoesOnlyToThoseWhoAccept(t *testing.T) {
	for header, want := range map[string]string{
		"gzip, br": "gzip", "br;q=1, GZIP;q=0.5": "gzip", "": "", "br": "", "gzip;q=0": "", "gzip; q=0.000": "",
	} {
		w := get(built(), "/assets/a-1.js", "Accept-Encoding", header)
		if got := w.Header().Get("Content-Encoding"); got != want {
			t.Errorf("Accept-Encoding %q: Content-Encoding %q, want %q", header, got, want)
		}
	}
}

func TestMissingFilesAreNotPages(t *testing.T) {
	for _, path := range []string{"/assets/gone-2.js", "/api/v1/nothing", "/favicon.ico"} {
		if w := get(built(), path); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

func TestPagesRefuseWrites(t *testing.T) {
	w := httptest.NewRecorder()
	built().ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/slos", nil))
	if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") == "" {
		t.Errorf("%d, Allow %q", w.Code, w.Header().Get("Allow"))
	}
}

func TestUnbuiltPagesSayHowToBuild(t *testing.T) {
	w := get(newHandler(fstest.MapFS{".gitkeep": {}}), "/")
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "make build") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// FuzzServe: whatever is asked for, only built files and the application's page
// come back.
func FuzzServe(f *testing.F) {
	f.Add("/assets/a-1.js", "gzip;q=0.5, br", `W/"x", *`)
	f.Add("/../../etc/passwd", "gzip;q=0", `"`)
	f.Add("/assets/../.gitkeep", "", "")
	f.Add("//x/%00", ";;,", ",")
	h := built()
	f.Fuzz(func(t *testing.T, path, accept, match string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.URL.Path = path
		r.Header.Set("Accept-Encoding", accept)
		r.Header.Set("If-None-Match", match)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		switch body := w.Body.String(); {
		case w.Code == http.StatusNotModified && body == "", w.Code == http.StatusNotFound:
		case w.Code == http.StatusOK && (body == "console.log(1)" || body == "zipped" || body == "<svg/>" || strings.Contains(body, "/assets/a-1.js")):
		default:
			t.Errorf("%q: %d %s", path, w.Code, body)
		}
	})
}
