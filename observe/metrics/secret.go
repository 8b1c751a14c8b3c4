package metrics

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// Secret is a value that is not printed. It is written as it is, or as a
// reference, ${env:NAME} or ${file:PATH}, which is looked up when the source is
// opened and again when the server refuses the credentials. A reference is the
// whole value.
type Secret string

const (
	hiddenText    = "(hidden)"
	maxSecretFile = 64 << 10
)

var (
	envReference  = regexp.MustCompile(`^\$\{env:([A-Za-z_][A-Za-z0-9_]{0,127})\}$`)
	fileReference = regexp.MustCompile(`^\$\{file:([^${}\x00]{1,1000})\}$`)
)

// String hides the value from every format verb.
func (s Secret) String() string { return hiddenText }

// GoString hides the value from %#v.
func (s Secret) GoString() string { return hiddenText }

// LogValue hides the value from logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(hiddenText) }

// isReference reports whether the value only says where the secret is.
func (s Secret) isReference() bool {
	return envReference.MatchString(string(s)) || fileReference.MatchString(string(s))
}

// misspelled reports a value that was meant as a reference and is none.
func (s Secret) misspelled() bool { return strings.Contains(string(s), "${") && !s.isReference() }

// secrets looks references up. What a data source sends goes to an address that
// its author chose, so that the product's own settings and data are not to be
// had by reference.
type secrets struct {
	privateFolder string // the data folder
}

// reveal returns the secret itself. A reference that leads nowhere is an
// Unavailable fault: what is missing today can be there tomorrow.
func (x secrets) reveal(s Secret) (string, error) {
	if m := envReference.FindStringSubmatch(string(s)); m != nil {
		return x.fromEnv(m[1])
	}
	if m := fileReference.FindStringSubmatch(string(s)); m != nil {
		return x.fromFile(m[1])
	}
	return string(s), nil
}

func (x secrets) fromEnv(name string) (string, error) {
	if strings.HasPrefix(name, "TEITEN_") && !strings.HasPrefix(name, "TEITEN_SECRET_") {
		return "", forbidden(text.Say("the environment variable %s is a setting of Teiten itself",
			"環境変数 %s はTeiten自身の設定のため参照できません", name))
	}
	if v := os.Getenv(name); v != "" {
		return v, nil
	}
	return "", missing(text.Say("the environment variable %s is not set", "環境変数 %s が設定されていません", name), nil)
}

// fromFile reads a regular file without the line break that editors add.
func (x secrets) fromFile(path string) (string, error) {
	said := text.Say("the secret's file %s cannot be read", "シークレットのファイル %s を読めません", path)
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", missing(said, err)
	}
	if target, err = filepath.Abs(target); err != nil {
		return "", missing(said, err)
	}
	if x.private(target) {
		return "", forbidden(text.Say("the file %s belongs to the system or to Teiten's data",
			"ファイル %s はシステムまたはTeitenのデータのため参照できません", path))
	}
	info, err := os.Stat(target)
	if err != nil || !info.Mode().IsRegular() {
		return "", missing(said, err)
	}
	f, err := os.Open(target)
	if err != nil {
		return "", missing(said, err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxSecretFile))
	if err != nil {
		return "", missing(said, err)
	}
	v := strings.TrimRight(string(b), "\r\n")
	if v == "" {
		return "", missing(said, fmt.Errorf("%s is empty", path))
	}
	return v, nil
}

func (x secrets) private(path string) bool {
	for _, folder := range []string{"/proc", "/sys", "/dev", x.privateFolder} {
		if folder == "" {
			continue
		}
		if target, err := filepath.EvalSymlinks(folder); err == nil {
			folder = target
		}
		if target, err := filepath.Abs(folder); err == nil {
			folder = target
		}
		if rel, err := filepath.Rel(folder, path); err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
			return true
		}
	}
	return false
}

func missing(what text.Both, cause error) error {
	return fault.New(fault.Unavailable, CodeSecret, what).
		Fix(text.Say("provide it where the server runs", "サーバーの実行環境に用意してください")).Wrap(cause)
}

func forbidden(what text.Both) error {
	return fault.New(fault.Invalid, CodeSecret, what).
		Fix(text.Say("use a variable whose name begins with TEITEN_SECRET_ or with something else than TEITEN_, or a file of its own",
			"TEITEN_SECRET_ で始まる（または TEITEN_ で始まらない）環境変数か、専用のファイルを使ってください"))
}
