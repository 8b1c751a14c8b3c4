package check

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/secret"
	"github.com/teiten/teiten/kit/text"
)

const defaultDays = 14

// tlsConfig is what the options say, with references looked up.
func (r *run) tlsConfig(o *TLSOptions) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if o == nil {
		return c, nil
	}
	c.ServerName, c.InsecureSkipVerify = o.ServerName, o.InsecureSkipVerify
	var pem [3]string
	for i, s := range []secret.Secret{o.CA, o.Cert, o.Key} {
		var err error
		if pem[i], err = r.env.Secrets.RevealText(s); err != nil {
			return nil, err
		}
	}
	if pem[0] != "" {
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM([]byte(pem[0])) {
			return nil, fault.New(fault.Invalid, CodeUnable, text.Say("tls.ca holds no certificate", "tls.ca に証明書がありません"))
		}
	}
	if pem[1] != "" || pem[2] != "" {
		pair, err := tls.X509KeyPair([]byte(pem[1]), []byte(pem[2]))
		if err != nil {
			return nil, fault.New(fault.Invalid, CodeUnable, text.Say("tls.cert and tls.key do not belong together", "tls.cert と tls.key の組み合わせが正しくありません"))
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// daysLeft is how long the certificate that ends first is valid, in days.
func daysLeft(state *tls.ConnectionState, now time.Time) *float64 {
	if len(state.PeerCertificates) == 0 {
		return nil
	}
	chain := state.PeerCertificates
	if len(state.VerifiedChains) > 0 {
		chain = state.VerifiedChains[0]
	}
	first := chain[0].NotAfter
	for _, c := range chain {
		if c.NotAfter.Before(first) {
			first = c.NotAfter
		}
	}
	days := first.Sub(now).Hours() / 24
	return &days
}

// tls connects, shakes hands and looks at the certificates.
func (r *run) tls(ctx context.Context, c *TLSExpiry) {
	settings, err := r.tlsConfig(c.TLS)
	if err != nil {
		r.impossible(err)
		return
	}
	address := c.Address
	if _, _, err := net.SplitHostPort(address); err != nil {
		address = net.JoinHostPort(address, "443")
	}
	s := r.begin("TLS " + address)
	conn, err := r.dial(ctx, s, address, settings)
	if err != nil {
		r.end(s, expired(s, err, r.env.Now()))
		return
	}
	defer conn.Close()
	least := float64(defaultDays)
	if c.Days != nil {
		least = *c.Days
	}
	if d := s.CertificateDays; d != nil && *d < least {
		r.end(s, failed(CodeExpiry, text.Say("the certificate expires in %.1f days; %g are demanded", "証明書の残りは%.1f日です(必要: %g日)", *d, least)))
		return
	}
	r.end(s, nil)
}

// expired tells an expired certificate from other trouble with TLS.
func expired(s *Step, err error, now time.Time) error {
	var invalid x509.CertificateInvalidError
	if !errors.As(err, &invalid) || invalid.Reason != x509.Expired {
		return err
	}
	days := invalid.Cert.NotAfter.Sub(now).Hours() / 24
	s.CertificateDays = &days
	return failed(CodeExpiry, text.Say("the certificate is not valid: it ran from %s to %s", "証明書が有効期間外です(%s から %s まで)",
		invalid.Cert.NotBefore.Format(time.DateOnly), invalid.Cert.NotAfter.Format(time.DateOnly)))
}
