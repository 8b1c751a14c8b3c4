package httpapi

import (
	"fmt"
	"net"
	"net/http"
	"syscall"
	"testing"
)

func TestDatabaseThatWentAwayInTheMiddleIsToldAsThat(t *testing.T) {
	w := newWorld(t)
	broken := fmt.Errorf("read user: write failed: %w", &net.OpError{Op: "write", Net: "unix", Err: syscall.EPIPE})
	Register(w.API, Op{ID: "broken", Method: "GET", Path: "/api/broken", Scope: Public}, failing(broken))
	rec := w.do("GET", "/api/broken", "")
	if p := problem(t, rec); rec.Code != http.StatusServiceUnavailable || p.Code != "database.away" || rec.Header().Get("Retry-After") == "" {
		t.Errorf("%d %s, Retry-After %q: want 503 with a time to come back", rec.Code, p.Code, rec.Header().Get("Retry-After"))
	}
}
