package check

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/secret"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/notify/outbound"
)

// The codes of what a check reports, besides those of package outbound for the
// network itself.
const (
	CodeType         = "probe.type"          // no check, or several
	CodeFailed       = "probe.failed"        // could not be made for an internal reason
	CodeBlocked      = "probe.blocked"       // the address may not be reached from here
	CodeNotPermitted = "probe.not_permitted" // the system does not permit the socket
	CodeUnable       = "probe.unable"        // the settings do not fit the place
	CodeTimeout      = "probe.timeout"
	CodeConnection   = "probe.connection" // name, route, refused, reset
	CodeTLS          = "probe.tls"
	CodeStatus       = "probe.status"
	CodeBody         = "probe.body"
	CodeHeader       = "probe.header"
	CodeLatency      = "probe.latency"
	CodeAnswer       = "probe.answer" // not what was expected, or no answer of the protocol
	CodeExtract      = "probe.extract"
	CodeExpiry       = "probe.expiry"
	CodeLoss         = "probe.loss"
)

// isImpossible tells what says nothing about the target.
func isImpossible(f *fault.Error) bool {
	switch f.Code {
	case CodeType, CodeFailed, CodeBlocked, CodeNotPermitted, CodeUnable, secret.CodeMissing, secret.CodeForbidden:
		return true
	}
	return false
}

// failed is a verdict against the target.
func failed(code string, what text.Both) *fault.Error {
	return fault.New(fault.Unavailable, code, what)
}

// explain turns any error of a check into a fault that says in words what
// happened and holds no address.
func explain(err error) *fault.Error {
	if f, ok := fault.As(err); ok {
		if f.Code == outbound.CodeBlocked {
			return fault.New(fault.Invalid, CodeBlocked, text.Say("probes from here may not reach this address: %s", "ここのプローブからこのアドレスへの接続は許可されていません: %s", f.What))
		}
		return f
	}
	var netErr net.Error
	if errors.Is(err, context.DeadlineExceeded) || errors.As(err, &netErr) && netErr.Timeout() {
		return failed(CodeTimeout, text.Say("no answer in time", "時間内に応答がありませんでした"))
	}
	f, ok := fault.As(outbound.Explain(err))
	if !ok {
		return failed(CodeConnection, text.Say("the connection failed", "接続に失敗しました"))
	}
	switch f.Code {
	case "outbound.tls":
		return failed(CodeTLS, asTarget(f.What))
	case "outbound.timeout":
		return failed(CodeTimeout, text.Say("no answer in time", "時間内に応答がありませんでした"))
	case outbound.CodeBlocked:
		return explain(f)
	}
	return failed(CodeConnection, asTarget(f.What))
}

// asTarget speaks of a target where package outbound speaks of a receiver.
func asTarget(b text.Both) text.Both {
	return text.Both{EN: strings.ReplaceAll(b.EN, "receiver", "target"), JA: strings.ReplaceAll(b.JA, "送信先", "対象")}
}

// shortestHidden is from how many bytes on a value is taken out of what is
// reported: shorter ones would blank out ordinary words.
const shortestHidden = 4

// keep notes a value that must not appear in what is reported.
func (r *run) keep(values ...string) {
	for _, v := range values {
		if len(v) >= shortestHidden {
			r.secrets = append(r.secrets, v)
		}
	}
	slices.SortFunc(r.secrets, func(a, b string) int { return len(b) - len(a) })
}

// hide takes secrets out of a text.
func (r *run) hide(b text.Both) text.Both {
	for _, v := range r.secrets {
		b.EN, b.JA = strings.ReplaceAll(b.EN, v, secret.Hidden), strings.ReplaceAll(b.JA, v, secret.Hidden)
	}
	return b
}

// mostShown is how many characters of an answer a reason repeats.
const mostShown = 80

// shown is a piece of an answer as a reason repeats it.
func shown(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "·"))
	if runes := []rune(s); len(runes) > mostShown {
		return string(runes[:mostShown]) + "…"
	}
	return s
}
