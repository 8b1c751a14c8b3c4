package check

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"regexp"
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

const mostHeard = 64 << 10 // of what a TCP target says

// dial resolves, connects and, with settings, shakes hands, each timed as a
// phase of its own.
func (r *run) dial(ctx context.Context, s *Step, address string, settings *tls.Config) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fault.New(fault.Invalid, CodeUnable, text.Say("%q is not host:port", "%q は ホスト:ポート の形ではありません", address))
	}
	addrs, err := r.resolve(ctx, s, "ip", host)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	var conn net.Conn
	for _, a := range addrs {
		if conn, err = r.env.Reach.dialer().DialContext(ctx, "tcp", net.JoinHostPort(a.String(), port)); err == nil || ctx.Err() != nil {
			break
		}
	}
	s.ConnectMs = r.since(began)
	if err != nil {
		return nil, err
	}
	s.Address, s.Protocol = conn.RemoteAddr().String(), "TCP"
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
	}
	if settings == nil {
		return conn, nil
	}
	settings = settings.Clone()
	if settings.ServerName == "" {
		settings.ServerName = host
	}
	began = time.Now()
	secured := tls.Client(conn, settings)
	err = secured.HandshakeContext(ctx)
	s.TLSMs = r.since(began)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	state := secured.ConnectionState()
	s.CertificateDays, s.Protocol = daysLeft(&state, r.env.Now()), tls.VersionName(state.Version)
	return secured, nil
}

// resolve finds the addresses of a host.
func (r *run) resolve(ctx context.Context, s *Step, network, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	began := time.Now()
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, network, host)
	s.DNSMs = r.since(began)
	for i := range addrs {
		addrs[i] = addrs[i].Unmap()
	}
	return addrs, err
}

// tcp connects, says what there is to say, and listens.
func (r *run) tcp(ctx context.Context, c *TCP) {
	var settings *tls.Config
	if c.TLS != nil {
		var err error
		if settings, err = r.tlsConfig(c.TLS); err != nil {
			r.impossible(err)
			return
		}
	}
	s := r.begin("TCP " + c.Address)
	conn, err := r.dial(ctx, s, c.Address, settings)
	if err != nil {
		r.end(s, err)
		return
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	r.end(s, converse(conn, c, s))
}

// converse sends and reads until what arrived matches.
func converse(conn io.ReadWriter, c *TCP, s *Step) error {
	if c.Send != "" {
		if _, err := io.WriteString(conn, c.Send); err != nil {
			return err
		}
	}
	if c.Expect == "" {
		return nil
	}
	re, err := regexp.Compile(c.Expect)
	if err != nil {
		return fault.New(fault.Invalid, CodeUnable, text.Say("expect is not a regular expression", "expect が正規表現ではありません"))
	}
	asked := time.Now()
	heard := make([]byte, 0, 512)
	for len(heard) < mostHeard {
		piece := make([]byte, 4096)
		n, err := conn.Read(piece)
		if n > 0 && len(heard) == 0 {
			s.TTFBMs = ms(time.Since(asked))
		}
		heard = append(heard, piece[:n]...)
		s.Bytes = int64(len(heard))
		if re.Match(heard) {
			s.TransferMs = ms(time.Since(asked)) - s.TTFBMs
			return nil
		}
		if err == nil {
			continue
		}
		if len(heard) == 0 && !errors.Is(err, io.EOF) {
			return err
		}
		break
	}
	return failed(CodeAnswer, text.Say("it said %q, which does not match %q", "受信した内容 %q が %q に一致しません", shown(string(heard)), c.Expect))
}
