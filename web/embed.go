// Package web carries the browser's pages inside the binary and serves them.
//
// It knows files and headers only: what the pages show they ask of the API.
// The files are built by "npm run build" into dist; before the first build the
// package still compiles and serves a plain page that says how to build.
package web

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
)

//go:embed all:dist
var dist embed.FS

// noncePlaceholder is what the build leaves where each response puts its own
// nonce (html.cspNonce in vite.config.ts).
const noncePlaceholder = "__TEITEN_NONCE__"

// notBuilt is served for every page while dist is empty.
const notBuilt = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Teiten</title>
<h1>The pages are not built yet</h1>
<p>The server runs and its API answers, but this binary was built without the browser's pages.
Run <code>make build</code> (it needs Node 20 or newer) and start the new binary.</p>
<h1 lang="ja">画面がまだビルドされていません</h1>
<p lang="ja">サーバーと API は動いていますが、このバイナリには画面が含まれていません。
<code>make build</code>(Node 20 以降が必要)を実行し、できたバイナリを起動してください。</p>
</html>
`

// asset is one built file, with its compressed twin where one exists.
type asset struct {
	body, gzipped   []byte
	kind, etag      string
	cacheIndefinite bool
}

// site is every file of one build, read once.
type site struct {
	assets map[string]asset
	index  []byte
}

// Handler serves the browser's pages: files by name, and the application's
// first page for every other path, so that a copied address opens where it was
// copied. Files whose names carry their hash are cached for ever; the first
// page is never cached, because each copy carries its own nonce.
func Handler() http.Handler {
	root, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // The folder is compiled in: only a broken build lacks it.
	}
	return newHandler(root)
}

func newHandler(root fs.FS) http.Handler {
	s, err := load(root)
	if err != nil {
		panic(err) // Reading compiled-in files cannot fail in a sound binary.
	}
	return s
}

func load(root fs.FS) (*site, error) {
	s := &site{assets: map[string]asset{}}
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || name == ".gitkeep" || strings.HasSuffix(name, ".gz") {
			return err
		}
		body, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		if name == "index.html" {
			s.index = body
			return nil
		}
		gzipped, _ := fs.ReadFile(root, name+".gz") // Not every file has a twin.
		sum := sha256.Sum256(body)
		kind := mime.TypeByExtension(path.Ext(name))
		if kind == "" {
			kind = http.DetectContentType(body)
		}
		s.assets["/"+name] = asset{
			body: body, gzipped: gzipped, kind: kind,
			etag:            `"` + hex.EncodeToString(sum[:12]) + `"`,
			cacheIndefinite: strings.HasPrefix(name, "assets/"),
		}
		return nil
	})
	return s, err
}

// ServeHTTP answers GET and HEAD; the pages change nothing.
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if a, ok := s.assets[r.URL.Path]; ok {
		a.serve(w, r)
		return
	}
	if isFile(r.URL.Path) {
		http.NotFound(w, r)
		return
	}
	s.servePage(w, r)
}

// isFile tells a missing file or API path from a page of the application, so
// that a stale script or a mistyped call is a clear 404 and not a page of HTML.
func isFile(p string) bool {
	return strings.HasPrefix(p, "/assets/") || p == "/api" || strings.HasPrefix(p, "/api/") || p == "/favicon.ico"
}

func (a asset) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", a.kind)
	h.Set("ETag", a.etag)
	h.Set("Vary", "Accept-Encoding")
	h.Set("Cache-Control", "no-cache")
	if a.cacheIndefinite {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if matches(r.Header.Get("If-None-Match"), a.etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	body := a.body
	if a.gzipped != nil && acceptsGzip(r.Header.Get("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
		body = a.gzipped
	}
	write(w, r, http.StatusOK, body)
}

func (s *site) servePage(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	if s.index == nil {
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		write(w, r, http.StatusServiceUnavailable, []byte(notBuilt))
		return
	}
	nonce := newNonce()
	h.Set("Content-Security-Policy", policy(nonce))
	write(w, r, http.StatusOK, bytes.ReplaceAll(s.index, []byte(noncePlaceholder), []byte(nonce)))
}

// policy allows this server's own files and, for styles, what carries the
// nonce: the component library writes its variables into style elements.
func policy(nonce string) string {
	return strings.Join([]string{
		"default-src 'none'",
		"script-src 'self'",
		"style-src 'self' 'nonce-" + nonce + "'",
		"img-src 'self' data:",
		"font-src 'self'",
		"connect-src 'self'",
		"form-action 'self'",
		"base-uri 'none'",
		"frame-ancestors 'none'",
	}, "; ")
}

func newNonce() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // Never fails: crypto/rand ends the program instead.
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func write(w http.ResponseWriter, r *http.Request, status int, body []byte) {
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // A reader that hung up is no fault of ours.
	}
}

// matches compares an If-None-Match header with an ETag, weakly as RFC 9110
// (section 13.1.2) asks.
func matches(header, etag string) bool {
	for candidate := range strings.SplitSeq(header, ",") {
		candidate = strings.TrimSpace(candidate)
		if candidate == "*" || strings.TrimPrefix(candidate, "W/") == etag {
			return true
		}
	}
	return false
}

// acceptsGzip reads an Accept-Encoding header; "gzip;q=0" refuses.
func acceptsGzip(header string) bool {
	for part := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			q := strings.ReplaceAll(params, " ", "")
			return !strings.HasPrefix(q, "q=0") || strings.Trim(q, "q=0.") != ""
		}
	}
	return false
}
