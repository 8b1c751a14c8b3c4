package access

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"hash/crc32"
	"math/big"
	"strings"
)

// newSecret returns 256 random bits as text, for cookies and links.
func newSecret() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails: the process would have ended
	return base64.RawURLEncoding.EncodeToString(b)
}

// digest is how a secret is stored. The secrets are random and long, so that a
// plain hash cannot be turned back; only passwords need a slow one.
func digest(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

const (
	tokenPrefix   = "tt_"
	tokenDigits   = 43 // 256 bits in base 62
	tokenSum      = 6  // 32 bits in base 62
	base62        = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	tokenHintSize = len(tokenPrefix) + 5
)

// newToken returns a token: its prefix says to a secret scanner what it is, its
// checksum tells a mistyped one without asking the database.
func newToken() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails: the process would have ended
	body := tokenPrefix + inBase62(new(big.Int).SetBytes(b), tokenDigits)
	return body + checksum(body)
}

// wellFormed reports whether s can be a token at all.
func wellFormed(s string) bool {
	if len(s) != len(tokenPrefix)+tokenDigits+tokenSum || !strings.HasPrefix(s, tokenPrefix) {
		return false
	}
	for _, c := range []byte(s[len(tokenPrefix):]) {
		if strings.IndexByte(base62, c) < 0 {
			return false
		}
	}
	body := s[:len(s)-tokenSum]
	return s[len(body):] == checksum(body)
}

func checksum(body string) string {
	return inBase62(new(big.Int).SetUint64(uint64(crc32.ChecksumIEEE([]byte(body)))), tokenSum)
}

func inBase62(n *big.Int, digits int) string {
	out := make([]byte, digits)
	base, rest := big.NewInt(62), new(big.Int)
	for i := digits - 1; i >= 0; i-- {
		n.DivMod(n, base, rest)
		out[i] = base62[rest.Int64()]
	}
	return string(out)
}
