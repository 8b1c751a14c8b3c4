package metrics

import (
	"context"
	"net"
	"time"
)

// Defaults of Connection.
const (
	DefaultTimeout        = 30 * time.Second
	DefaultMaxConcurrency = 4
	DefaultScrapeInterval = 30 * time.Second
)

// Connection is how a server with Prometheus' HTTP API is reached. Its secrets
// are plain: it lives in memory only.
type Connection struct {
	URL            string // of the server, without /api/v1; a path prefix is kept
	Username       string // HTTP basic authentication, where not empty
	Password       string
	BearerToken    string            // sent as a bearer token, where not empty
	Headers        map[string]string // sent with each request, such as X-Scope-OrgID
	TLS            TLS
	MaxConcurrency int           // requests at a time
	Timeout        time.Duration // of one question, with its retries
	ScrapeInterval time.Duration // how often the server scrapes what is asked about

	// DialGuard, where set, is asked before each connection whether the resolved
	// address may be reached.
	DialGuard func(ctx context.Context, network string, address net.Addr) error
}

// TLS is how a server's certificate is verified and one's own is shown.
type TLS struct {
	CA                 string // PEM; the system's authorities where empty
	Cert, Key          string // PEM of a client certificate; both or none
	ServerName         string // expected in the certificate instead of the host
	InsecureSkipVerify bool   // accepts any certificate
}

// IncreaseWindow is the window over which such a source estimates an increase
// well: four scrape intervals, in whole minutes, so that it holds samples even
// when scrapes are late or one is lost.
func (c Connection) IncreaseWindow() time.Duration {
	interval := c.ScrapeInterval
	if interval <= 0 {
		interval = DefaultScrapeInterval
	}
	return max((4*interval + time.Minute - 1).Truncate(time.Minute), time.Minute)
}
