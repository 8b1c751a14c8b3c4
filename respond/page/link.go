package page

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// linkLife is how long a link acknowledges.
const linkLife = 7 * 24 * time.Hour

// pass is what a link is good for: one person's answer to one page, until a time.
type pass struct {
	Page   string
	Person string
	Until  time.Time
}

// sign writes a pass so that nobody else can: time, page and person, and a MAC
// over them.
func (p pass) sign(key []byte) string {
	body := binary.BigEndian.AppendUint64(nil, uint64(p.Until.Unix()))
	body = append(body, p.Page+"\x00"+p.Person...)
	return base64.RawURLEncoding.EncodeToString(append(mac(key, body), body...))
}

const macLength = 16

func mac(key, body []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte("acknowledge\x00"))
	h.Write(body)
	return h.Sum(nil)[:macLength]
}

// openLink reads what sign wrote. What was altered, cut or expired is refused in
// one and the same way.
func openLink(key []byte, token string, now time.Time) (pass, error) {
	bad := fault.New(fault.Denied, "page.link", text.Say("the link is not valid, or no longer", "リンクが無効か、期限が切れています")).
		Fix(text.Say("acknowledge in Teiten itself, or with `teiten ack`", "Teitenの画面か `teiten ack` で応答してください"))
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) < macLength+8 {
		return pass{}, bad
	}
	sum, body := raw[:macLength], raw[macLength:]
	if !hmac.Equal(sum, mac(key, body)) {
		return pass{}, bad
	}
	page, person, ok := strings.Cut(string(body[8:]), "\x00")
	until := time.Unix(int64(binary.BigEndian.Uint64(body)), 0)
	if !ok || now.After(until) {
		return pass{}, bad
	}
	return pass{page, person, until}, nil
}
