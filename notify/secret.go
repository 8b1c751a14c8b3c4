package notify

import (
	"io"
	"log/slog"
	"os"
	"regexp"
	"strings"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// Secret is a value that is never printed. It is written either as it is, or as
// a reference that is looked up each time it is used, so that a rotated secret
// needs no change here: "${env:NAME}" or "${file:PATH}". A reference is the
// whole value; nothing is put together from parts, so that a channel cannot
// carry a server's file to an address of its author's choice.
type Secret string

const maxSecretFile = 64 << 10

var (
	envReference  = regexp.MustCompile(`^\$\{env:([A-Za-z_][A-Za-z0-9_]{0,127})\}$`)
	fileReference = regexp.MustCompile(`^\$\{file:([^${}\x00]{1,1000})\}$`)
)

// String hides the value from every format verb.
func (s Secret) String() string { return ascode.Hidden }

// GoString hides the value from %#v.
func (s Secret) GoString() string { return ascode.Hidden }

// LogValue hides the value from logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(ascode.Hidden) }

// IsReference reports whether the value names where the secret is, and so may
// be shown itself.
func (s Secret) IsReference() bool {
	return envReference.MatchString(string(s)) || fileReference.MatchString(string(s))
}

// looksLikeReference reports a value that was meant as a reference and is none.
func (s Secret) looksLikeReference() bool {
	return strings.Contains(string(s), "${") && !s.IsReference()
}

// Reveal returns the secret itself. A reference that leads nowhere is an
// Unavailable fault that names the reference: what is missing today can be there
// tomorrow.
func (s Secret) Reveal() (string, error) {
	if m := envReference.FindStringSubmatch(string(s)); m != nil {
		if v, ok := os.LookupEnv(m[1]); ok && v != "" {
			return v, nil
		}
		return "", missing(text.Say("the environment variable %s is not set", "環境変数%sが設定されていません", m[1]))
	}
	if m := fileReference.FindStringSubmatch(string(s)); m != nil {
		return fromFile(m[1])
	}
	return string(s), nil
}

func missing(what text.Both) *fault.Error {
	return fault.New(fault.Unavailable, "notify.secret_missing", what).
		Fix(text.Say("provide it where the server runs", "サーバーの実行環境に用意してください"))
}

// fromFile reads a secret from a regular file, without the line break that
// editors add at its end.
func fromFile(path string) (string, error) {
	unreadable := missing(text.Say("the secret's file %s cannot be read", "シークレットのファイル%sを読めません", path))
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return "", unreadable
	}
	f, err := os.Open(path)
	if err != nil {
		return "", unreadable
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxSecretFile))
	if err != nil || len(b) == 0 {
		return "", unreadable
	}
	return strings.TrimRight(string(b), "\r\n"), nil
}
