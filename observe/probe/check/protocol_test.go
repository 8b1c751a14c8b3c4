package check_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/teiten/teiten/kit/secret"
	"github.com/teiten/teiten/observe/probe/check"
)

// listen accepts connections until the test ends and hands each to talk.
func listen(t *testing.T, secured *tls.Config, talk func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") // for the time of the test
	if err != nil {
		t.Fatal(err)
	}
	if secured != nil {
		l = tls.NewListener(l, secured)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				talk(c)
			}()
		}
	}()
	return l.Addr().String()
}

func TestTCPSaysAndListens(t *testing.T) {
	address := listen(t, nil, func(c net.Conn) {
		line := make([]byte, 6)
		if _, err := io.ReadFull(c, line); err == nil && string(line) == "PING\r\n" {
			_, _ = io.WriteString(c, "+PO")
			_, _ = io.WriteString(c, "NG\r\n")
		}
	})
	c := &check.TCP{Address: address, Send: "PING\r\n", Expect: `^\+PONG`}
	want(t, look(t, check.Check{TCP: c}, env()), check.Success, "", "")
	c.Expect = "^-ERR"
	want(t, look(t, check.Check{TCP: c}, env()), check.Failure, check.CodeAnswer, `"+PONG  ", which does not match "^-ERR"`)
	want(t, look(t, check.Check{TCP: &check.TCP{Address: address}}, env()), check.Success, "", "")
}

// certificate makes one for 127.0.0.1 that signs itself.
func certificate(t *testing.T, until time.Time) (server tls.Certificate, authority secret.Secret) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: until, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key},
		secret.Secret(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func TestACertificateThatEndsSoonFailsBeforeItDoes(t *testing.T) {
	for name, c := range map[string]struct {
		left       time.Duration
		trusted    bool
		code, says string
	}{
		"long":    {30 * 24 * time.Hour, true, "", ""},
		"soon":    {5*24*time.Hour + time.Hour, true, check.CodeExpiry, "expires in 5.0 days; 14"},
		"over":    {-time.Hour, true, check.CodeExpiry, "not valid"},
		"unknown": {30 * 24 * time.Hour, false, check.CodeTLS, "unknown authority"},
	} {
		t.Run(name, func(t *testing.T) {
			cert, authority := certificate(t, time.Now().Add(c.left))
			address := listen(t, &tls.Config{Certificates: []tls.Certificate{cert}}, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
			options := &check.TLSOptions{}
			if c.trusted {
				options.CA = authority
			}
			a := look(t, check.Check{TLS: &check.TLSExpiry{Address: address, TLS: options}}, env())
			outcome := check.Failure
			if c.code == "" {
				outcome = check.Success
			}
			want(t, a, outcome, c.code, c.says)
			if c.trusted && a.Steps[0].CertificateDays == nil {
				t.Error("the days left are not reported")
			}
		})
	}
}

// nameServer answers questions over UDP, and over TCP what it truncated.
func nameServer(t *testing.T, truncate bool, answer func(*dnsmessage.Message)) string {
	t.Helper()
	reply := func(raw []byte, cut bool) []byte {
		var m dnsmessage.Message
		if m.Unpack(raw) != nil {
			return nil
		}
		m.Response, m.Additionals = true, nil
		if m.Truncated = cut; !cut {
			answer(&m)
		}
		out, err := m.Pack()
		if err != nil {
			t.Error(err)
		}
		return out
	}
	address := listen(t, nil, func(c net.Conn) {
		var n [2]byte
		if _, err := io.ReadFull(c, n[:]); err != nil {
			return
		}
		raw := make([]byte, binary.BigEndian.Uint16(n[:]))
		if _, err := io.ReadFull(c, raw); err != nil {
			return
		}
		out := reply(raw, false)
		_, _ = c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(out))), out...))
	})
	udp, err := net.ListenPacket("udp", address) // for the time of the test
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { udp.Close() })
	go func() {
		raw := make([]byte, 1500)
		for {
			n, from, err := udp.ReadFrom(raw)
			if err != nil {
				return
			}
			_, _ = udp.WriteTo([]byte("noise"), from)
			_, _ = udp.WriteTo(reply(raw[:n], truncate), from)
		}
	}()
	return address
}

func TestDNSComparesTheAnswers(t *testing.T) {
	name := dnsmessage.MustNewName("shop.example.")
	records := func(m *dnsmessage.Message) {
		h := dnsmessage.ResourceHeader{Name: name, Class: dnsmessage.ClassINET, TTL: 60}
		var body dnsmessage.ResourceBody
		switch h.Type = m.Questions[0].Type; h.Type {
		case dnsmessage.TypeA:
			body = &dnsmessage.AResource{A: [4]byte{192, 0, 2, 7}}
		case dnsmessage.TypeMX:
			body = &dnsmessage.MXResource{Pref: 10, MX: dnsmessage.MustNewName("mx.example.")}
		case dnsmessage.TypeTXT:
			body = &dnsmessage.TXTResource{TXT: []string{"v=spf1 ", "-all"}}
		case 257:
			body = &dnsmessage.UnknownResource{Type: 257, Data: append([]byte{0, 5}, "issueca.example"...)}
		case dnsmessage.TypeAAAA:
			return
		default:
			m.RCode = dnsmessage.RCodeNameError
			return
		}
		m.Answers = []dnsmessage.Resource{{Header: h, Body: body}}
	}
	for _, truncate := range []bool{false, true} {
		at := nameServer(t, truncate, records)
		for name, c := range map[string]struct {
			kind       string
			expect     []string
			code, says string
		}{
			"any":          {"", nil, "", ""},
			"expected":     {"A", []string{"192.0.2.7"}, "", ""},
			"other":        {"A", []string{"192.0.2.8"}, check.CodeAnswer, `"192.0.2.8" is not among the answers: 192.0.2.7`},
			"mail":         {"MX", []string{"10 MX.example."}, "", ""},
			"text":         {"TXT", []string{"v=spf1 -all"}, "", ""},
			"issuer":       {"CAA", []string{"0 issue ca.example"}, "", ""},
			"none":         {"AAAA", nil, check.CodeAnswer, "no AAAA record"},
			"no such name": {"NS", nil, check.CodeAnswer, "NameError"},
		} {
			t.Run(name, func(t *testing.T) {
				a := look(t, check.Check{DNS: &check.DNS{Name: "shop.example", Type: c.kind, Resolver: at, Expect: c.expect}}, env())
				outcome := check.Failure
				if c.code == "" {
					outcome = check.Success
				}
				want(t, a, outcome, c.code, c.says)
				if a.Steps[0].DNSMs <= 0 {
					t.Error("its time is not reported")
				}
			})
		}
	}
}

// health answers as a gRPC server does.
func health(status string, grpcStatus string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		asked, _ := io.ReadAll(r.Body)
		if r.ProtoMajor != 2 || r.URL.Path != "/grpc.health.v1.Health/Check" || !strings.HasSuffix(string(asked), "\n\x04shop") {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		w.Header().Set("Content-Type", "application/grpc")
		w.Header().Set("Trailer", "Grpc-Status")
		_, _ = io.WriteString(w, status)
		w.Header().Set("Grpc-Status", grpcStatus)
	}
}

func TestGRPCAsksForHealth(t *testing.T) {
	for name, c := range map[string]struct {
		frame, status string
		code, says    string
	}{
		"serving":       {"\x00\x00\x00\x00\x02\x08\x01", "0", "", ""},
		"newer fields":  {"\x00\x00\x00\x00\x05\x12\x01x\x08\x01", "0", "", ""},
		"not serving":   {"\x00\x00\x00\x00\x02\x08\x02", "0", check.CodeAnswer, "NOT_SERVING"},
		"unknown":       {"\x00\x00\x00\x00\x00", "0", check.CodeAnswer, "UNKNOWN"},
		"unimplemented": {"", "12", check.CodeAnswer, "UNIMPLEMENTED"},
		"nonsense":      {"\x00\x00", "0", check.CodeAnswer, "not that of a health check"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewUnstartedServer(health(c.frame, c.status))
			server.Config.Protocols = &http.Protocols{}
			server.Config.Protocols.SetUnencryptedHTTP2(true)
			server.Start()
			t.Cleanup(server.Close)
			a := look(t, check.Check{GRPC: &check.GRPC{Address: strings.TrimPrefix(server.URL, "http://"), Service: "shop"}}, env())
			outcome := check.Failure
			if c.code == "" {
				outcome = check.Success
			}
			want(t, a, outcome, c.code, c.says)
		})
	}
}

func TestGRPCOverTLS(t *testing.T) {
	server := httptest.NewUnstartedServer(health("\x00\x00\x00\x00\x02\x08\x01", "0"))
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	a := look(t, check.Check{GRPC: &check.GRPC{
		Address: strings.TrimPrefix(server.URL, "https://"), Service: "shop", TLS: &check.TLSOptions{CA: secret.Secret(authority)},
	}}, env())
	want(t, a, check.Success, "", "")
	if a.Steps[0].TLSMs <= 0 || a.Steps[0].CertificateDays == nil {
		t.Errorf("%+v", a.Steps[0])
	}
}

func TestICMPAnswersOrSaysThatItIsNotPermitted(t *testing.T) {
	a := look(t, check.Check{ICMP: &check.ICMP{Host: "127.0.0.1", Count: 2}}, env())
	switch {
	case a.Outcome == check.Success && a.Steps[0].TTFBMs > 0 && a.Steps[0].Bytes == 2:
	case a.Outcome == check.Unknown && a.Code == check.CodeNotPermitted:
	default:
		t.Errorf("%+v", a)
	}
}
