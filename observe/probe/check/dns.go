package check

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

const (
	typeCAA     = dnsmessage.Type(257)
	dnsPayload  = 1232 // what fits into one packet everywhere (DNS flag day 2020)
	resolvConf  = "/etc/resolv.conf"
	dnsPort     = "53"
	mostDNSWait = 5 * time.Second // for one packet, before it is sent again
)

var recordTypes = map[string]dnsmessage.Type{
	"A": dnsmessage.TypeA, "AAAA": dnsmessage.TypeAAAA, "CNAME": dnsmessage.TypeCNAME, "MX": dnsmessage.TypeMX,
	"NS": dnsmessage.TypeNS, "TXT": dnsmessage.TypeTXT, "SRV": dnsmessage.TypeSRV, "PTR": dnsmessage.TypePTR,
	"SOA": dnsmessage.TypeSOA, "CAA": typeCAA,
}

// dns asks one server for the records of a name and judges the answers.
func (r *run) dns(ctx context.Context, c *DNS) {
	resolver := c.Resolver
	if resolver == "" {
		resolver = systemResolver()
	}
	if _, _, err := net.SplitHostPort(resolver); err != nil {
		resolver = net.JoinHostPort(strings.Trim(resolver, "[]"), dnsPort)
	}
	s := r.begin("DNS " + c.recordType() + " " + c.Name)
	question, err := c.question()
	if err != nil {
		r.impossible(err)
		return
	}
	began := time.Now()
	answer, err := r.askDNS(ctx, s, resolver, question, c.Resolver == "")
	s.DNSMs = r.since(began)
	if err == nil {
		err = c.judge(s, answer, question)
	}
	r.end(s, err)
}

// question is what is asked. A PTR may be asked for by the address itself.
func (c *DNS) question() (dnsmessage.Question, error) {
	name := c.Name
	if a, err := netip.ParseAddr(name); err == nil && c.recordType() == "PTR" {
		name = reverse(a.Unmap())
	}
	if !strings.HasSuffix(name, ".") {
		name += "."
	}
	n, err := dnsmessage.NewName(name)
	kind, known := recordTypes[c.recordType()]
	if err != nil || !known {
		return dnsmessage.Question{}, fault.New(fault.Invalid, CodeUnable, text.Say("%q cannot be asked for", "%q は問い合わせられません", c.recordType()+" "+c.Name))
	}
	return dnsmessage.Question{Name: n, Type: kind, Class: dnsmessage.ClassINET}, nil
}

// reverse is the name under which an address is registered (RFC 1035, 3596).
func reverse(a netip.Addr) string {
	b := a.AsSlice()
	var out strings.Builder
	for i := len(b) - 1; i >= 0; i-- {
		if a.Is4() {
			fmt.Fprintf(&out, "%d.", b[i])
		} else {
			fmt.Fprintf(&out, "%x.%x.", b[i]&15, b[i]>>4)
		}
	}
	if a.Is4() {
		return out.String() + "in-addr.arpa."
	}
	return out.String() + "ip6.arpa."
}

// systemResolver is the first name server of the machine.
func systemResolver() string {
	f, err := os.Open(resolvConf)
	if err == nil {
		defer f.Close()
		for lines := bufio.NewScanner(f); lines.Scan(); {
			if fields := strings.Fields(lines.Text()); len(fields) > 1 && fields[0] == "nameserver" {
				return net.JoinHostPort(fields[1], dnsPort)
			}
		}
	}
	return net.JoinHostPort("127.0.0.1", dnsPort)
}

// askDNS asks by UDP, again where a packet is lost, and by TCP where the answer
// does not fit. The machine's own server may be on loopback; one that a document
// names may not, unless loopback is allowed.
func (r *run) askDNS(ctx context.Context, s *Step, resolver string, q dnsmessage.Question, own bool) (*dnsmessage.Message, error) {
	dialer := r.env.Reach.dialer()
	if own {
		dialer = &net.Dialer{}
	}
	id := uint16(rand.N(1 << 16))
	packet, err := pack(id, q)
	if err != nil {
		return nil, err
	}
	for {
		m, err := r.exchange(ctx, s, dialer, "udp", resolver, id, packet)
		var late net.Error
		if errors.As(err, &late) && late.Timeout() && ctx.Err() == nil {
			continue
		}
		if err == nil && m.Truncated {
			return r.exchange(ctx, s, dialer, "tcp", resolver, id, packet)
		}
		return m, err
	}
}

func pack(id uint16, q dnsmessage.Question) ([]byte, error) {
	var opt dnsmessage.ResourceHeader
	if err := opt.SetEDNS0(dnsPayload, dnsmessage.RCodeSuccess, false); err != nil {
		return nil, err
	}
	m := dnsmessage.Message{
		Header:      dnsmessage.Header{ID: id, RecursionDesired: true},
		Questions:   []dnsmessage.Question{q},
		Additionals: []dnsmessage.Resource{{Header: opt, Body: &dnsmessage.OPTResource{}}},
	}
	return m.Pack()
}

// exchange sends one question and waits for its answer; what answers another
// question is passed over.
func (r *run) exchange(ctx context.Context, s *Step, dialer *net.Dialer, network, resolver string, id uint16, packet []byte) (*dnsmessage.Message, error) {
	conn, err := dialer.DialContext(ctx, network, resolver)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	s.Address, s.Protocol = conn.RemoteAddr().String(), strings.ToUpper(network)
	until := time.Now().Add(mostDNSWait)
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(until) {
		until = deadline
	}
	if err := conn.SetDeadline(until); err != nil {
		return nil, err
	}
	if network == "tcp" {
		packet = append(binary.BigEndian.AppendUint16(nil, uint16(len(packet))), packet...)
	}
	if _, err := conn.Write(packet); err != nil {
		return nil, err
	}
	for {
		raw, err := receive(conn, network)
		if err != nil {
			return nil, err
		}
		m, err := parseDNS(raw)
		if err != nil || m.ID != id || !m.Response {
			if network == "tcp" {
				return nil, notDNS()
			}
			continue
		}
		s.Bytes = int64(len(raw))
		return m, nil
	}
}

func receive(conn io.Reader, network string) ([]byte, error) {
	if network == "udp" {
		raw := make([]byte, 1<<16)
		n, err := conn.Read(raw)
		return raw[:n], err
	}
	var size [2]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return nil, err
	}
	raw := make([]byte, binary.BigEndian.Uint16(size[:]))
	_, err := io.ReadFull(conn, raw)
	return raw, err
}

func parseDNS(raw []byte) (*dnsmessage.Message, error) {
	var m dnsmessage.Message
	if err := m.Unpack(raw); err != nil {
		return nil, notDNS()
	}
	return &m, nil
}

func notDNS() error {
	return failed(CodeAnswer, text.Say("the answer is not DNS", "応答がDNSではありません"))
}

// judge compares the records with what is expected.
func (c *DNS) judge(s *Step, m *dnsmessage.Message, q dnsmessage.Question) error {
	s.Status = int(m.RCode)
	if m.RCode != dnsmessage.RCodeSuccess {
		return failed(CodeAnswer, text.Say("the server answers %s", "サーバーの応答は %s です", strings.TrimPrefix(m.RCode.String(), "RCode")))
	}
	got := map[string]bool{}
	var list []string
	for _, a := range m.Answers {
		if a.Header.Type == q.Type {
			v := record(a.Body)
			got[strings.ToLower(v)] = true
			list = append(list, v)
		}
	}
	if len(list) == 0 {
		return failed(CodeAnswer, text.Say("there is no %s record", "%s レコードがありません", c.recordType()))
	}
	for _, want := range c.Expect {
		if !got[strings.ToLower(strings.TrimSuffix(want, "."))] {
			return failed(CodeAnswer, text.Say("%q is not among the answers: %s", "応答に %q がありません: %s", want, shown(strings.Join(list, ", "))))
		}
	}
	return nil
}

// record writes the body of a record as documents do, names without the dot at
// their end.
func record(b dnsmessage.ResourceBody) string {
	name := func(n dnsmessage.Name) string { return strings.TrimSuffix(n.String(), ".") }
	switch b := b.(type) {
	case *dnsmessage.AResource:
		return netip.AddrFrom4(b.A).String()
	case *dnsmessage.AAAAResource:
		return netip.AddrFrom16(b.AAAA).String()
	case *dnsmessage.CNAMEResource:
		return name(b.CNAME)
	case *dnsmessage.MXResource:
		return fmt.Sprintf("%d %s", b.Pref, name(b.MX))
	case *dnsmessage.NSResource:
		return name(b.NS)
	case *dnsmessage.PTRResource:
		return name(b.PTR)
	case *dnsmessage.TXTResource:
		return strings.Join(b.TXT, "")
	case *dnsmessage.SRVResource:
		return fmt.Sprintf("%d %d %d %s", b.Priority, b.Weight, b.Port, name(b.Target))
	case *dnsmessage.SOAResource:
		return fmt.Sprintf("%s %s %d", name(b.NS), name(b.MBox), b.Serial)
	case *dnsmessage.UnknownResource:
		return caa(b.Data)
	}
	return ""
}

// caa reads who may issue certificates (RFC 8659): flags, tag, value.
func caa(data []byte) string {
	if len(data) < 2 {
		return ""
	}
	end := 2 + int(data[1])
	if len(data) < end {
		return ""
	}
	return fmt.Sprintf("%d %s %s", data[0], data[2:end], data[end:])
}
