// Package outbound is the way out: every request that Teiten sends to an address
// which a user wrote goes through a Guard.
//
// A guard refuses to connect to addresses that are not on the public internet
// unless the configuration allows their network. It looks at the address that
// is dialled, after the name was resolved, so that a name which resolves
// differently the second time gains nothing. Redirects are not followed,
// proxies are not used, and answers are read only up to a bound.
package outbound

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// Guard decides which addresses may be reached. The zero value lets nothing
// through but the public internet.
type Guard struct {
	allow []netip.Prefix
}

// New returns a guard that also lets the given networks through.
func New(allow []netip.Prefix) *Guard {
	g := &Guard{}
	for _, p := range allow {
		if p.Addr().Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		g.allow = append(g.allow, p.Masked())
	}
	return g
}

// dialTimeout bounds name resolution and connecting together.
const dialTimeout = 10 * time.Second

// refused lists what is not the public internet, from the IANA special-purpose
// registries (RFC 6890 and its successors). IPv6 is public only in 2000::/3.
var refused = []struct {
	prefix netip.Prefix
	what   text.Both
}{
	{netip.MustParsePrefix("0.0.0.0/8"), text.Say("unspecified", "未指定アドレス")},
	{netip.MustParsePrefix("10.0.0.0/8"), text.Say("private", "プライベートアドレス")},
	{netip.MustParsePrefix("100.64.0.0/10"), text.Say("carrier-grade NAT", "キャリアグレードNAT")},
	{netip.MustParsePrefix("127.0.0.0/8"), text.Say("loopback", "ループバック")},
	{netip.MustParsePrefix("169.254.0.0/16"), text.Say("link-local", "リンクローカル")},
	{netip.MustParsePrefix("172.16.0.0/12"), text.Say("private", "プライベートアドレス")},
	{netip.MustParsePrefix("192.0.0.0/24"), text.Say("reserved", "予約済み")},
	{netip.MustParsePrefix("192.0.2.0/24"), text.Say("documentation", "文書用")},
	{netip.MustParsePrefix("192.88.99.0/24"), text.Say("reserved", "予約済み")},
	{netip.MustParsePrefix("192.168.0.0/16"), text.Say("private", "プライベートアドレス")},
	{netip.MustParsePrefix("198.18.0.0/15"), text.Say("benchmarking", "性能試験用")},
	{netip.MustParsePrefix("198.51.100.0/24"), text.Say("documentation", "文書用")},
	{netip.MustParsePrefix("203.0.113.0/24"), text.Say("documentation", "文書用")},
	{netip.MustParsePrefix("224.0.0.0/4"), text.Say("multicast", "マルチキャスト")},
	{netip.MustParsePrefix("240.0.0.0/4"), text.Say("reserved", "予約済み")},
	{netip.MustParsePrefix("::/128"), text.Say("unspecified", "未指定アドレス")},
	{netip.MustParsePrefix("::1/128"), text.Say("loopback", "ループバック")},
	{netip.MustParsePrefix("fc00::/7"), text.Say("private", "プライベートアドレス")},
	{netip.MustParsePrefix("fe80::/10"), text.Say("link-local", "リンクローカル")},
	{netip.MustParsePrefix("ff00::/8"), text.Say("multicast", "マルチキャスト")},
	{netip.MustParsePrefix("2001::/23"), text.Say("reserved", "予約済み")}, // with Teredo, ORCHID
	{netip.MustParsePrefix("2001:db8::/32"), text.Say("documentation", "文書用")},
	{netip.MustParsePrefix("3fff::/20"), text.Say("documentation", "文書用")},
}

var (
	nat64      = netip.MustParsePrefix("64:ff9b::/96")   // RFC 6052
	localNAT64 = netip.MustParsePrefix("64:ff9b:1::/48") // RFC 8215
	sixToFour  = netip.MustParsePrefix("2002::/16")      // RFC 3056
	publicSix  = netip.MustParsePrefix("2000::/3")
)

// Check refuses an address that is not on the public internet and in no allowed
// network, with an Invalid fault that names the kind of address. An address
// that carries an IPv4 address inside (mapped, NAT64, 6to4) counts as that one.
func (g *Guard) Check(addr netip.Addr) error {
	plain := addr.WithZone("").Unmap()
	inner, carried := embedded(plain)
	for _, p := range g.allow {
		if p.Contains(plain) || carried && p.Contains(inner) {
			return nil
		}
	}
	if carried {
		return g.Check(inner)
	}
	for _, r := range refused {
		if r.prefix.Contains(plain) {
			return blocked(addr, r.what)
		}
	}
	if plain.Is6() && !publicSix.Contains(plain) || !plain.IsValid() {
		return blocked(addr, text.Say("reserved", "予約済み"))
	}
	return nil
}

// embedded returns the IPv4 address that an IPv6 address stands for.
func embedded(a netip.Addr) (netip.Addr, bool) {
	b := a.As16()
	switch {
	case !a.Is6():
	case nat64.Contains(a):
		return netip.AddrFrom4([4]byte(b[12:16])), true
	case localNAT64.Contains(a):
		// RFC 6052, section 2.2: with a /48 prefix the address surrounds byte 8.
		return netip.AddrFrom4([4]byte{b[6], b[7], b[9], b[10]}), true
	case sixToFour.Contains(a):
		return netip.AddrFrom4([4]byte(b[2:6])), true
	}
	return netip.Addr{}, false
}

// CodeBlocked is the code of the fault for an address that may not be reached.
const CodeBlocked = "outbound.blocked"

func blocked(addr netip.Addr, what text.Both) error {
	return fault.New(fault.Invalid, CodeBlocked,
		text.Say("the address %s is not on the public internet (%s)", "アドレス%sは公開インターネット上にありません(%s)", addr, what)).
		Fix(text.Say("if the receiver is really there, add its network to notify.allowNetworks in the configuration",
			"送信先が確かにそこにある場合は、設定の notify.allowNetworks にそのネットワークを加えてください"))
}

// DialContext connects as net.Dialer does, to allowed addresses only.
func (g *Guard) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{
		Timeout: dialTimeout,
		ControlContext: func(_ context.Context, _, resolved string, _ syscall.RawConn) error {
			at, err := netip.ParseAddrPort(resolved)
			if err != nil {
				return fmt.Errorf("dial %q: %w", resolved, err)
			}
			return g.Check(at.Addr())
		},
	}
	return d.DialContext(ctx, network, address)
}
