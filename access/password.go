package access

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// Argon2 is what hashing a password costs. It is stored with each hash, so that
// it can be raised: an older hash is renewed at the next sign-in.
type Argon2 struct {
	MemoryKiB uint32
	Passes    uint32
	Threads   uint8
}

// standardArgon2 is what OWASP's password storage cheat sheet recommends first
// for argon2id: 19 MiB, two passes, one thread.
var standardArgon2 = Argon2{MemoryKiB: 19 * 1024, Passes: 2, Threads: 1}

const (
	saltLen = 16
	keyLen  = 32
	// Bounds on what a stored hash may ask for.
	mostMemoryKiB = 1 << 20
	mostPasses    = 64
)

// hasher hashes passwords. Half as many as there are processors run at a time, so
// that sign-ins can take neither all the memory nor all the time of the machine.
type hasher struct {
	cost   Argon2
	slots  chan struct{}
	dummy  func() string // a hash of nothing anybody knows
	derive func(password, salt []byte, passes, memory uint32, threads uint8, keyLen uint32) []byte
}

func newHasher(cost Argon2) *hasher {
	if cost == (Argon2{}) {
		cost = standardArgon2
	}
	h := &hasher{cost: cost, slots: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)), derive: argon2.IDKey}
	h.dummy = sync.OnceValue(func() string { return cost.encode(random(saltLen), random(keyLen)) })
	return h
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails: the process would have ended
	return b
}

func (h *hasher) key(ctx context.Context, cost Argon2, password string, salt []byte) ([]byte, error) {
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return h.derive([]byte(password), salt, cost.Passes, cost.MemoryKiB, cost.Threads, keyLen), nil
}

// hash returns the encoded hash of a password.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	salt := random(saltLen)
	key, err := h.key(ctx, h.cost, password, salt)
	if err != nil {
		return "", err
	}
	return h.cost.encode(salt, key), nil
}

// verify reports whether password has the encoded hash, and whether that hash
// was made at another cost than today's. Where there is no hash it takes as
// long and says no, so that the time does not tell who exists.
func (h *hasher) verify(ctx context.Context, encoded, password string) (ok, outdated bool, err error) {
	known := encoded != ""
	if !known {
		encoded = h.dummy()
	}
	cost, salt, want, err := decode(encoded)
	if err != nil {
		return false, false, err
	}
	got, err := h.key(ctx, cost, password, salt)
	if err != nil {
		return false, false, err
	}
	match := subtle.ConstantTimeCompare(got, want) == 1
	return match && known, cost != h.cost, nil
}

// encode writes a hash in the PHC string format.
func (c Argon2) encode(salt, key []byte) string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, c.MemoryKiB, c.Passes, c.Threads,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(key))
}

func decode(encoded string) (c Argon2, salt, key []byte, err error) {
	parts := strings.Split(encoded, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return c, nil, nil, errors.New("password hash: not argon2id in the PHC format")
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.MemoryKiB, &c.Passes, &c.Threads); err != nil {
		return c, nil, nil, fmt.Errorf("password hash: parameters: %w", err)
	}
	if c.MemoryKiB == 0 || c.MemoryKiB > mostMemoryKiB || c.Passes == 0 || c.Passes > mostPasses || c.Threads == 0 {
		return c, nil, nil, fmt.Errorf("password hash: parameters out of range: %+v", c)
	}
	if salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil {
		return c, nil, nil, fmt.Errorf("password hash: salt: %w", err)
	}
	if key, err = base64.RawStdEncoding.DecodeString(parts[5]); err != nil || len(key) != keyLen {
		return c, nil, nil, fmt.Errorf("password hash: key of %d bytes", len(key))
	}
	return c, salt, key, nil
}

const (
	shortestPassword = 12
	longestPassword  = 256 // in bytes
)

// common are the passwords of twelve and more characters that lists of stolen
// ones hold most often, without their digits at the end.
var common = []string{
	"password", "passwordpassword", "passw0rd", "p@ssw0rd", "p@ssword", "qwertyuiop", "qwertyuiopasdf", "qazwsxedcrfv",
	"qwerty", "qwertyqwerty", "abcdefghijkl", "abcdefghijklmn", "letmeinletmein", "iloveyou", "iloveyouiloveyou",
	"administrator", "adminadminadmin", "welcome", "welcomewelcome", "changeme", "changemechangeme", "1q2w3e4r5t6y",
	"teitenteiten", "teiten",
}

// checkPassword returns what is wrong with a new password. Length counts most
// (NIST SP 800-63B): no rule asks for kinds of characters.
func checkPassword(password, login, name string) error {
	bad := func(what, fix text.Both) error {
		return fault.New(fault.Invalid, "access.password", what).Fix(fix).On("body.password")
	}
	another := text.Say("choose another one; several words in a row are good", "別のものにしてください。いくつかの単語を並べるのがおすすめです")
	folded := strings.ToLower(password)
	account, _, _ := strings.Cut(strings.ToLower(login), "@")
	switch {
	case utf8.RuneCountInString(password) < shortestPassword:
		return bad(text.Say("the password has fewer than %d characters", "パスワードが%d文字未満です", shortestPassword),
			text.Say("take a longer one; several words in a row are good", "長くしてください。いくつかの単語を並べるのがおすすめです"))
	case len(password) > longestPassword:
		return bad(text.Say("the password is longer than %d bytes", "パスワードが%dバイトを超えています", longestPassword),
			text.Say("take a shorter one", "短くしてください"))
	case !utf8.ValidString(password) || strings.ContainsFunc(password, unicode.IsControl):
		return bad(text.Say("the password holds control characters", "パスワードに制御文字が含まれています"), another)
	case distinct(folded) < 5 || isCommon(folded):
		return bad(text.Say("the password is one of those that are guessed first", "推測されやすいパスワードです"), another)
	case len(account) >= 4 && strings.Contains(folded, account) || len(name) >= 4 && strings.Contains(folded, strings.ToLower(name)):
		return bad(text.Say("the password contains your name or address", "パスワードに名前またはメールアドレスが含まれています"), another)
	}
	return nil
}

func distinct(s string) int {
	seen := map[rune]bool{}
	for _, r := range s {
		seen[r] = true
	}
	return len(seen)
}

func isCommon(folded string) bool {
	stem := strings.TrimRight(folded, "0123456789!?.")
	for _, c := range common {
		if stem == c || folded == c {
			return true
		}
	}
	return stem == "" // digits only
}
