package check

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/notify/outbound"
)

// metadata are addresses at which clouds hand out credentials to whoever asks
// from inside. A network that happens to contain one does not allow it; only an
// entry that names the very address does.
var metadata = []netip.Addr{
	netip.MustParseAddr("169.254.169.254"),
	netip.MustParseAddr("169.254.170.2"),
	netip.MustParseAddr("100.100.100.200"),
	netip.MustParseAddr("fd00:ec2::254"),
	netip.MustParseAddr("fd20:ce::254"),
}

// PrivateNetworks are the networks that probes may reach besides the public
// internet where nothing else is configured: what a company numbers itself with,
// and neither loopback nor link-local addresses.
func PrivateNetworks() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"),
		netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("fc00::/7"),
	}
}

// Reach decides which addresses probes may connect to. It looks at the address
// that is dialled, after the name was resolved.
type Reach struct {
	guard *outbound.Guard
	exact map[netip.Addr]bool // allowed by name
}

// NewReach allows the public internet and the given networks.
func NewReach(allow []netip.Prefix) *Reach {
	r := &Reach{guard: outbound.New(allow), exact: map[netip.Addr]bool{}}
	for _, p := range allow {
		if p.IsSingleIP() {
			r.exact[p.Addr().Unmap()] = true
		}
	}
	return r
}

// Check returns nil where an address may be reached, and otherwise a fault with
// the code CodeBlocked.
func (r *Reach) Check(a netip.Addr) error {
	plain := a.WithZone("").Unmap()
	for _, m := range metadata {
		if plain == m && !r.exact[m] {
			return blocked(text.Say("it hands out credentials (metadata service)", "認証情報を配布するアドレスです(メタデータサービス)"))
		}
	}
	if err := r.guard.Check(a); err != nil {
		return explain(err)
	}
	return nil
}

func blocked(why text.Both) error {
	return fault.New(fault.Invalid, CodeBlocked, text.Say("probes from here may not reach this address: %s", "ここのプローブからこのアドレスへの接続は許可されていません: %s", why))
}

// control is asked by the dialer before each connection.
func (r *Reach) control(_ context.Context, _, resolved string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(resolved)
	if err != nil {
		return fmt.Errorf("dial %q: %w", resolved, err)
	}
	return r.Check(at.Addr())
}

// dialer connects to allowed addresses only.
func (r *Reach) dialer() *net.Dialer { return &net.Dialer{ControlContext: r.control} }
