// Package webpush pushes to a browser that subscribed, through the push service
// of its maker: encrypted for that browser alone (RFC 8291) and signed as this
// server's (VAPID, RFC 8292).
package webpush

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"strconv"
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/notify/notice"
	"github.com/teiten/teiten/notify/outbound"
	"github.com/teiten/teiten/notify/webhook"
)

// Notifier pushes to one subscription. Subject is the address of this server, by
// which a push service may reach who runs it.
type Notifier struct {
	Client   *outbound.Client
	Endpoint string
	P256DH   string // the browser's key, in base64url
	Auth     string // its secret, in base64url
	Key      Key
	Subject  string
	Now      func() time.Time
}

var _ notice.Notifier = (*Notifier)(nil)

const (
	// keepFor is how long a push service keeps what a sleeping browser cannot
	// take: a page that comes a day late helps nobody.
	keepFor    = 4 * time.Hour
	tokenLife  = 12 * time.Hour
	recordSize = 4096
	maxBody    = 2000 // characters; all of it is one record
)

// Key is the pair by which push services know this server, in base64url.
type Key struct {
	Private string `json:"private"`
	Public  string `json:"public"` // what browsers subscribe with
}

// NewKey makes a pair.
func NewKey() (Key, error) {
	k, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return Key{}, fmt.Errorf("make a key: %w", err)
	}
	return Key{Private: encode(k.Bytes()), Public: encode(k.PublicKey().Bytes())}, nil
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// decode reads base64url with or without its padding, as browsers write it.
func decode(s string) ([]byte, error) {
	for len(s) > 0 && s[len(s)-1] == '=' {
		s = s[:len(s)-1]
	}
	return base64.RawURLEncoding.DecodeString(s)
}

func badSubscription() error {
	return fault.New(fault.Invalid, "webpush.subscription", text.Say("the browser's subscription cannot be read", "ブラウザーの登録情報を読み取れません")).
		Fix(text.Say("subscribe again in that browser", "そのブラウザーでもう一度登録してください"))
}

// Check refuses a subscription that nothing can be encrypted for.
func Check(endpoint, p256dh, auth string) error {
	if _, err := outbound.CheckURL(endpoint); err != nil {
		return err
	}
	key, err := decode(p256dh)
	if err != nil {
		return badSubscription()
	}
	if _, err := ecdh.P256().NewPublicKey(key); err != nil {
		return badSubscription()
	}
	if secret, err := decode(auth); err != nil || len(secret) != 16 {
		return badSubscription()
	}
	return nil
}

// shown is what the page's service worker shows.
type shown struct {
	Title   string `json:"title"`
	Body    string `json:"body"`
	URL     string `json:"url,omitempty"`
	Tag     string `json:"tag"`
	Urgent  bool   `json:"urgent"`
	Actions []link `json:"actions,omitempty"`
}

type link struct {
	Title string `json:"title"`
	URL   string `json:"url"`
}

// Notify pushes the message once.
func (n *Notifier) Notify(ctx context.Context, m notice.Message) (notice.Answer, bool, error) {
	s := shown{Title: notice.OneLine(m.Title.In(m.Lang), 200), Body: notice.Cut(m.Story(), maxBody/3), Tag: m.Thread, Urgent: m.Severity == notice.Page}
	for _, l := range m.Links() {
		if s.URL == "" {
			s.URL = l.URL
		}
		if len(s.Actions) < 2 { // browsers show two
			s.Actions = append(s.Actions, link{notice.OneLine(l.Label.In(m.Lang), 60), l.URL})
		}
	}
	plain, err := json.Marshal(s)
	if err != nil {
		return notice.Answer{}, false, fmt.Errorf("encode push: %w", err)
	}
	body, err := seal(n.P256DH, n.Auth, plain)
	if err != nil {
		return notice.Answer{}, false, err
	}
	token, err := n.token()
	if err != nil {
		return notice.Answer{}, false, err
	}
	header := http.Header{
		"Content-Type": {"application/octet-stream"}, "Content-Encoding": {"aes128gcm"},
		"Authorization": {"vapid t=" + token + ", k=" + n.Key.Public},
		"TTL":           {strconv.Itoa(int(keepFor.Seconds()))}, "Urgency": {"normal"},
		// A message that is pushed again replaces itself while it waits there.
		"Topic": {m.Key[:min(len(m.Key), 32)]}, webhook.HeaderIdempotencyKey: {m.Key},
	}
	if s.Urgent {
		header.Set("Urgency", "high")
	}
	return webhook.Post(ctx, n.Client, n.Endpoint, header, body, n.Now())
}

// seal encrypts a message for a browser with a key and a salt of its own.
func seal(p256dh, auth string, plain []byte) ([]byte, error) {
	ours, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	salt := make([]byte, 16)
	if _, err := rand.Read(salt); err != nil {
		return nil, fmt.Errorf("make a salt: %w", err)
	}
	return sealWith(ours, salt, p256dh, auth, plain)
}

// sealWith is RFC 8291, section 3.4, as one record of RFC 8188.
func sealWith(ours *ecdh.PrivateKey, salt []byte, p256dh, auth string, plain []byte) ([]byte, error) {
	theirs, err := decode(p256dh)
	if err != nil {
		return nil, badSubscription()
	}
	public, err := ecdh.P256().NewPublicKey(theirs)
	if err != nil {
		return nil, badSubscription()
	}
	secret, err := decode(auth)
	if err != nil {
		return nil, badSubscription()
	}
	shared, err := ours.ECDH(public)
	if err != nil {
		return nil, fmt.Errorf("agree on a key: %w", err)
	}
	own := ours.PublicKey().Bytes()
	ikm, err := hkdf.Key(sha256.New, shared, secret, "WebPush: info\x00"+string(theirs)+string(own), 32)
	if err != nil {
		return nil, fmt.Errorf("derive key: %w", err)
	}
	key, err := hkdf.Key(sha256.New, ikm, salt, "Content-Encoding: aes128gcm\x00", 16)
	if err != nil {
		return nil, fmt.Errorf("derive key: %w", err)
	}
	nonce, err := hkdf.Key(sha256.New, ikm, salt, "Content-Encoding: nonce\x00", 12)
	if err != nil {
		return nil, fmt.Errorf("derive nonce: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("encrypt: %w", err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("encrypt: %w", err)
	}
	out := binary.BigEndian.AppendUint32(append([]byte{}, salt...), recordSize)
	out = append(append(out, byte(len(own))), own...)
	return gcm.Seal(out, nonce, append(append([]byte{}, plain...), 2), nil), nil // 2: the last record
}

// token is the JWT by which the push service knows who pushes (RFC 8292).
func (n *Notifier) token() (string, error) {
	u, err := outbound.CheckURL(n.Endpoint)
	if err != nil {
		return "", err
	}
	private, err := decode(n.Key.Private)
	if err != nil {
		return "", fmt.Errorf("read key: %w", err)
	}
	claims, err := json.Marshal(map[string]any{"aud": u.Scheme + "://" + u.Host, "exp": n.Now().Add(tokenLife).Unix(), "sub": n.Subject})
	if err != nil {
		return "", fmt.Errorf("encode token: %w", err)
	}
	signed := encode([]byte(`{"typ":"JWT","alg":"ES256"}`)) + "." + encode(claims)
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), private)
	if err != nil {
		return "", fmt.Errorf("read key: %w", err)
	}
	sum := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	return signed + "." + encode(append(fill(r), fill(s)...)), nil
}

// fill is a number in 32 bytes.
func fill(n *big.Int) []byte { return n.FillBytes(make([]byte, 32)) }
