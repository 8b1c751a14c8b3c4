package httpapi

import (
	"context"
	"log/slog"
	"net/netip"
	"strings"
)

// Caller is who asks, as limits and logs need to know it.
type Caller struct {
	Kind string // "person" or "token"
	ID   string
}

type (
	callerKey  struct{}
	requestKey struct{}
)

// request is what the outermost handler keeps of one request.
type request struct {
	id      string
	path    string
	addr    netip.Addr
	log     *slog.Logger
	caller  Caller // filled in once it is known, for the log
	pattern string // of the operation or page that answers, for figures
}

// WithCaller returns a context that says who asks. An Authorizer calls it.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerFrom returns who asks, and false where nobody signed in.
func CallerFrom(ctx context.Context) (Caller, bool) {
	c, ok := ctx.Value(callerKey{}).(Caller)
	return c, ok
}

// RequestID is the id that the answer, the log and the journal share. It is
// empty outside a request.
func RequestID(ctx context.Context) string {
	if r, ok := ctx.Value(requestKey{}).(*request); ok {
		return r.id
	}
	return ""
}

// ClientIP is the address the request came from, as far as the trusted proxies
// tell. It is the zero address outside a request.
func ClientIP(ctx context.Context) netip.Addr {
	if r, ok := ctx.Value(requestKey{}).(*request); ok {
		return r.addr
	}
	return netip.Addr{}
}

func noteCaller(ctx context.Context, c Caller) {
	if r, ok := ctx.Value(requestKey{}).(*request); ok && c.ID != "" {
		r.caller = c
	}
}

// AddressKey is the unit in which addresses are limited: an IPv4 address, or
// the /64 network of an IPv6 one, which is what one subscriber is given.
func AddressKey(a netip.Addr) string {
	a = a.Unmap()
	if a.Is6() {
		if p, err := a.WithZone("").Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}

// notePattern remembers what answers the request, and forgets a path that may
// hold a key.
func (a *API) notePattern(r *request, pattern string) {
	r.pattern = pattern
	if a.takesIn(pattern) {
		_, path, ok := strings.Cut(pattern, " ")
		if !ok {
			path = pattern
		}
		r.path = path
	}
}
