package outbound

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/teiten/teiten/kit/text"
)

type reason struct {
	code string
	say  text.Both
}

// because names what went wrong on the way to a receiver.
func because(err error) reason {
	var dns *net.DNSError
	var netErr net.Error
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return reason{"outbound.name", text.Say("the receiver's name cannot be resolved: no such host", "送信先の名前を解決できません(該当するホストがありません)")}
	case errors.As(err, &dns):
		return reason{"outbound.name", text.Say("the receiver's name cannot be resolved at the moment", "送信先の名前を今は解決できません")}
	case errors.Is(err, syscall.ECONNREFUSED):
		return reason{"outbound.refused", text.Say("the receiver refused the connection", "送信先に接続を拒否されました")}
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return reason{"outbound.unreachable", text.Say("there is no route to the receiver", "送信先への経路がありません")}
	case errors.Is(err, context.Canceled):
		return reason{"outbound.stopped", text.Say("the send was stopped because the server shuts down", "サーバーの停止により送信を中断しました")}
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &netErr) && netErr.Timeout():
		return reason{"outbound.timeout", text.Say("the receiver did not answer in time", "送信先が時間内に応答しませんでした")}
	case isTLS(err):
		return reason{"outbound.tls", text.Say("the receiver's TLS certificate or protocol is not acceptable: %s", "送信先のTLS証明書またはプロトコルを受け入れられません: %s", tlsDetail(err))}
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return reason{"outbound.reset", text.Say("the receiver closed the connection before it answered", "送信先が応答する前に接続を閉じました")}
	}
	return reason{"outbound.failed", text.Say("the connection to the receiver failed", "送信先との通信に失敗しました")}
}

func isTLS(err error) bool {
	var (
		verification *tls.CertificateVerificationError
		header       tls.RecordHeaderError
		alert        tls.AlertError
	)
	return errors.As(err, &verification) || errors.As(err, &header) || errors.As(err, &alert) ||
		strings.Contains(err.Error(), "tls: ") || strings.Contains(err.Error(), "server gave HTTP response to HTTPS client")
}

// tlsDetail says what is wrong with the certificate, as far as that is known.
func tlsDetail(err error) text.Both {
	var (
		authority x509.UnknownAuthorityError
		host      x509.HostnameError
		invalid   x509.CertificateInvalidError
	)
	switch {
	case errors.As(err, &authority):
		return text.Say("signed by an unknown authority", "署名した認証局が不明です")
	case errors.As(err, &host):
		return text.Say("issued for another name", "別のホスト名に発行されたものです")
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return text.Say("expired or not yet valid", "有効期限外です")
	}
	return text.Say("handshake failed", "ハンドシェイクに失敗しました")
}
