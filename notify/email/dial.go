package email

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"time"
)

// maxConversation bounds what a mail server may say in one session.
const maxConversation = 256 << 10

// dial connects through the guard. The connection ends with ctx, whatever the
// library waits for, and after maxConversation bytes.
func (n *Notifier) dial(ctx context.Context, network, address string, trust *tls.Config) (net.Conn, error) {
	raw, err := n.Guard.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	c := &bounded{Conn: raw, left: maxConversation}
	if until, ok := ctx.Deadline(); ok {
		c.until = until
	}
	c.release = context.AfterFunc(ctx, func() { _ = raw.Close() })
	if n.Server.TLS != ImplicitTLS {
		return c, nil
	}
	encrypted := tls.Client(c, trust)
	if err := encrypted.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return encrypted, nil
}

var errTooMuch = errors.New("the mail server said too much")

// bounded is a connection that can be read only so far and only until a moment.
type bounded struct {
	net.Conn
	left    int
	until   time.Time
	release func() bool
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooMuch
	}
	n, err := b.Conn.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

func (b *bounded) Close() error {
	b.release()
	return b.Conn.Close()
}

func (b *bounded) SetDeadline(t time.Time) error {
	if !b.until.IsZero() && (t.IsZero() || t.After(b.until)) {
		t = b.until
	}
	return b.Conn.SetDeadline(t)
}
