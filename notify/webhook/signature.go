package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// The headers of a signed message, as the Standard Webhooks specification names
// them (https://www.standardwebhooks.com), and the key for receivers that drop
// repeats by the Idempotency-Key header.
const (
	HeaderID             = "Webhook-Id"
	HeaderTimestamp      = "Webhook-Timestamp"
	HeaderSignature      = "Webhook-Signature"
	HeaderIdempotencyKey = "Idempotency-Key"
)

const (
	signatureVersion = "v1,"
	secretPrefix     = "whsec_"
)

// Sign returns the value of the signature header:
//
//	"v1," + base64(HMAC-SHA256(secret, id + "." + timestamp + "." + body))
//
// where timestamp is in seconds since 1970, as in the timestamp header. A secret
// that begins with "whsec_" is the base64 of its bytes; any other is used as it
// is written.
func Sign(secret, id string, at time.Time, body []byte) string {
	mac := hmac.New(sha256.New, secretBytes(secret))
	mac.Write([]byte(id + "." + strconv.FormatInt(at.Unix(), 10) + "."))
	mac.Write(body)
	return signatureVersion + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func secretBytes(secret string) []byte {
	if encoded, ok := strings.CutPrefix(secret, secretPrefix); ok {
		if b, err := base64.StdEncoding.DecodeString(encoded); err == nil {
			return b
		}
	}
	return []byte(secret)
}

// Verify is the receiver's side: it accepts a body whose headers carry a
// signature made with the secret at most tolerance before or after now. A
// receiver that also remembers the ids it has seen takes every message exactly
// once. The fault is Denied and does not say which part was wrong.
func Verify(secret string, header http.Header, body []byte, now time.Time, tolerance time.Duration) error {
	denied := fault.New(fault.Denied, "webhook.signature",
		text.Say("the webhook's signature is not valid", "Webhookの署名が正しくありません"))
	seconds, err := strconv.ParseInt(header.Get(HeaderTimestamp), 10, 64)
	if err != nil {
		return denied
	}
	at := time.Unix(seconds, 0)
	if age := now.Sub(at); age > tolerance || age < -tolerance {
		return denied
	}
	want := Sign(secret, header.Get(HeaderID), at, body)
	for given := range strings.FieldsSeq(header.Get(HeaderSignature)) {
		if hmac.Equal([]byte(given), []byte(want)) {
			return nil
		}
	}
	return denied
}
