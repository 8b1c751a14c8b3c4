package httpapi

import (
	"compress/gzip"
	"net/http"
	"strings"
	"sync"
)

// compressFrom is the size of a first write from which compressing pays; JSON
// and pages are written at once.
const compressFrom = 2048

var gzips = sync.Pool{New: func() any {
	z, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is a valid one
	return z
}}

// compress returns a writer that sends large text compressed to a reader who
// takes it. Streams pass through: their writes are small and flushed.
func compress(w http.ResponseWriter, r *http.Request) *gzipWriter {
	return &gzipWriter{ResponseWriter: w, wanted: strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") && r.Method != http.MethodHead}
}

type gzipWriter struct {
	http.ResponseWriter
	wanted bool
	status int          // held back until it is known whether to compress
	zip    *gzip.Writer // nil: plain
	begun  bool
}

// WriteHeader holds the status back until the first write.
func (w *gzipWriter) WriteHeader(status int) {
	if status < 200 || w.begun {
		w.ResponseWriter.WriteHeader(status)
		return
	}
	if w.status == 0 {
		w.status = status
	}
}

// Write decides at the first call and writes.
func (w *gzipWriter) Write(b []byte) (int, error) {
	if !w.begun {
		w.begin(b)
	}
	if w.zip != nil {
		return w.zip.Write(b)
	}
	return w.ResponseWriter.Write(b)
}

func (w *gzipWriter) begin(first []byte) {
	w.begun = true
	h := w.Header()
	if w.status == 0 {
		w.status = http.StatusOK
	}
	if h.Get("Content-Type") == "" {
		h.Set("Content-Type", http.DetectContentType(first))
	}
	if w.worthIt(h, first) {
		h.Set("Content-Encoding", "gzip")
		h.Del("Content-Length")
		h.Add("Vary", "Accept-Encoding")
		if tag := h.Get("ETag"); tag != "" && !strings.HasPrefix(tag, "W/") {
			h.Set("ETag", "W/"+tag)
		}
		w.zip, _ = gzips.Get().(*gzip.Writer)
		w.zip.Reset(w.ResponseWriter)
	}
	w.ResponseWriter.WriteHeader(w.status)
}

func (w *gzipWriter) worthIt(h http.Header, first []byte) bool {
	if !w.wanted || len(first) < compressFrom || h.Get("Content-Encoding") != "" || h.Get("Content-Range") != "" {
		return false
	}
	if w.status != http.StatusOK && w.status < 400 {
		return false
	}
	kind, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	return kind != "text/event-stream" && (strings.HasPrefix(kind, "text/") || strings.HasSuffix(kind, "json") ||
		strings.HasSuffix(kind, "javascript") || kind == "image/svg+xml")
}

// FlushError sends what was written so far.
func (w *gzipWriter) FlushError() error {
	if !w.begun && w.status != 0 {
		w.begin(nil)
	}
	if w.zip != nil {
		if err := w.zip.Flush(); err != nil {
			return err
		}
	}
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Flush sends what was written so far, for callers that know only http.Flusher.
func (w *gzipWriter) Flush() { _ = w.FlushError() } // a failed flush shows at the next write

// Unwrap lets http.ResponseController reach the connection.
func (w *gzipWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Close ends the compressed stream, and sends the status of an answer that has
// no body.
func (w *gzipWriter) Close() {
	if !w.begun && w.status != 0 {
		w.begun = true
		w.ResponseWriter.WriteHeader(w.status)
	}
	if w.zip != nil {
		_ = w.zip.Close() // the reader may be gone
		w.zip.Reset(nil)
		gzips.Put(w.zip)
		w.zip = nil
	}
}
