package check

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"time"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

const (
	defaultEchoes = 3
	echoEvery     = 200 * time.Millisecond
	echoWait      = 2 * time.Second
	protocolICMP4 = 1
	protocolICMP6 = 58
)

// icmp sends echo requests over an unprivileged socket. Where the system does
// not permit one (net.ipv4.ping_group_range), the check cannot be made: that is
// no verdict on the target.
func (r *run) icmp(ctx context.Context, c *ICMP) {
	s := r.begin("ICMP " + c.Host)
	addrs, err := r.resolve(ctx, s, "ip", c.Host)
	if err == nil && len(addrs) == 0 {
		err = failed(CodeConnection, text.Say("the name has no address", "名前に対応するアドレスがありません"))
	}
	if err == nil {
		err = r.env.Reach.Check(addrs[0])
	}
	if err != nil {
		r.end(s, err)
		return
	}
	s.Address, s.Protocol = addrs[0].String(), "ICMP"
	conn, err := listenICMP(addrs[0])
	if err != nil {
		r.impossible(notPermitted(err))
		return
	}
	defer func() { _ = conn.Close() }() // nothing is in flight any more
	p := pinger{conn: conn, to: addrs[0], id: rand.N(1 << 16)}
	r.end(s, p.judge(ctx, c, s))
}

func listenICMP(to netip.Addr) (*icmp.PacketConn, error) {
	if to.Is4() {
		return icmp.ListenPacket("udp4", "0.0.0.0")
	}
	return icmp.ListenPacket("udp6", "::")
}

func notPermitted(err error) error {
	if errors.Is(err, os.ErrPermission) || errors.Is(err, errors.ErrUnsupported) {
		return fault.New(fault.Unavailable, CodeNotPermitted, text.Say(
			"this machine does not permit ICMP without privileges (on Linux: sysctl net.ipv4.ping_group_range)",
			"このマシンでは特権なしのICMPが許可されていません(Linuxでは sysctl net.ipv4.ping_group_range)"))
	}
	return fault.New(fault.Unavailable, CodeNotPermitted, text.Say("an ICMP socket cannot be opened here", "ICMPソケットを開けません")).Wrap(err)
}

type pinger struct {
	conn *icmp.PacketConn
	to   netip.Addr
	id   int
}

// judge sends the requests one after the other.
func (p *pinger) judge(ctx context.Context, c *ICMP, s *Step) error {
	count := c.Count
	if count == 0 {
		count = defaultEchoes
	}
	var sum time.Duration
	heard := 0
	for seq := range count {
		if seq > 0 && !pause(ctx, echoEvery) {
			break
		}
		took, err := p.echo(ctx, seq)
		if err == nil {
			sum, heard = sum+took, heard+1
		}
	}
	loss := 1 - float64(heard)/float64(count)
	most := 0.0
	if c.MaxLoss != nil {
		most = *c.MaxLoss
	}
	if heard > 0 {
		s.TTFBMs = ms(sum / time.Duration(heard))
	}
	s.Bytes = int64(heard)
	switch {
	case heard == 0:
		return failed(CodeLoss, text.Say("none of %d requests was answered", "%d 回のリクエストに一度も応答がありませんでした", count))
	case loss > most:
		return failed(CodeLoss, text.Say("%d of %d requests were not answered", "%[2]d 回中 %[1]d 回、応答がありませんでした", count-heard, count))
	case c.Latency > 0 && sum/time.Duration(heard) > time.Duration(c.Latency):
		return failed(CodeLatency, text.Say("answers took %s on average, longer than %s", "平均応答時間は %s です(上限 %s)",
			(sum/time.Duration(heard)).Round(10*time.Microsecond), time.Duration(c.Latency)))
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// echo sends one request and waits for its answer.
func (p *pinger) echo(ctx context.Context, seq int) (time.Duration, error) {
	var kind icmp.Type = ipv4.ICMPTypeEcho
	protocol := protocolICMP4
	if p.to.Is6() {
		kind, protocol = ipv6.ICMPTypeEchoRequest, protocolICMP6
	}
	packet, err := (&icmp.Message{Type: kind, Body: &icmp.Echo{ID: p.id, Seq: seq, Data: []byte(userAgent)}}).Marshal(nil)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	until := began.Add(echoWait)
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(until) {
		until = deadline
	}
	if err := p.conn.SetReadDeadline(until); err != nil {
		return 0, err
	}
	if _, err := p.conn.WriteTo(packet, &net.UDPAddr{IP: p.to.AsSlice(), Zone: p.to.Zone()}); err != nil {
		return 0, err
	}
	raw := make([]byte, 1500)
	for {
		n, _, err := p.conn.ReadFrom(raw)
		if err != nil {
			return 0, err
		}
		m, err := icmp.ParseMessage(protocol, raw[:n])
		if err != nil {
			continue
		}
		// The kernel delivers only answers to this socket's requests; the
		// identifier is its own.
		if e, ok := m.Body.(*icmp.Echo); ok && e.Seq == seq && m.Type != kind {
			return time.Since(began), nil
		}
	}
}
