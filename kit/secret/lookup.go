package secret

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// The codes of what a look-up answers.
const (
	CodeMissing   = "secret.missing"   // the secret is not where its reference says
	CodeForbidden = "secret.forbidden" // what the reference names is not to be had
)

// The environment variables that begin with own are the product's settings,
// except those that begin with ownSecrets.
const (
	own        = "TEITEN_"
	ownSecrets = "TEITEN_SECRET_"
)

const maxFile = 64 << 10

// Lookup finds what references name. Its zero value is for references in
// documents: what is found travels to an address that the document's author
// chose, so that the product's own settings, what lies under Private, and the
// system's view of the process are not to be had. ByOperator lifts that for the
// operator's own configuration.
type Lookup struct {
	Private    []string // files and folders, such as the data folder
	ByOperator bool
}

// Reveal returns the secret itself, which is one line of text. A reference that
// leads nowhere is an Unavailable fault: what is missing today can be there
// tomorrow. One that is not allowed is an Invalid fault.
func (l Lookup) Reveal(s Secret) (string, error) {
	v, err := l.RevealText(s)
	if err != nil {
		return "", err
	}
	if s.IsReference() && strings.ContainsFunc(v, unicode.IsControl) {
		return "", fault.New(fault.Invalid, CodeForbidden,
			text.Say("what %s names is not one line of text", "%s が指す内容が1行のテキストではありません", string(s))).
			Fix(text.Say("name a file that holds the secret and nothing else", "シークレットだけを書いたファイルを指定してください"))
	}
	return v, nil
}

// RevealText is Reveal for what may have several lines and is not sent, such as
// a certificate or its key.
func (l Lookup) RevealText(s Secret) (string, error) {
	if m := envReference.FindStringSubmatch(string(s)); m != nil {
		return l.fromEnv(m[1])
	}
	if m := fileReference.FindStringSubmatch(string(s)); m != nil {
		return l.fromFile(m[1])
	}
	return string(s), nil
}

func (l Lookup) fromEnv(name string) (string, error) {
	if !l.ByOperator && strings.HasPrefix(name, own) && !strings.HasPrefix(name, ownSecrets) {
		return "", forbidden(text.Say("the environment variable %s is a setting of Teiten itself",
			"環境変数 %s はTeiten自身の設定のため参照できません", name))
	}
	if v := os.Getenv(name); v != "" {
		return v, nil
	}
	return "", missing(text.Say("the environment variable %s is not set", "環境変数 %s が設定されていません", name), nil)
}

// fromFile reads a regular file without the line break that editors add.
func (l Lookup) fromFile(path string) (string, error) {
	said := text.Say("the secret's file %s cannot be read", "シークレットのファイル %s を読めません", path)
	target, err := resolve(path)
	if err != nil {
		return "", missing(said, err)
	}
	if l.private(target) {
		return "", forbidden(text.Say("the file %s belongs to the system or to Teiten itself",
			"ファイル %s はシステムまたはTeiten自身のものであるため参照できません", path))
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
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(b) > maxFile {
		err = fmt.Errorf("%s is larger than %d bytes", path, maxFile)
	}
	if err != nil {
		return "", missing(said, err)
	}
	v := strings.TrimRight(string(b), "\r\n")
	if v == "" {
		return "", missing(said, errors.New("the file is empty"))
	}
	return v, nil
}

// resolve is where a path leads, all links followed.
func resolve(path string) (string, error) {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", err
	}
	return filepath.Abs(target)
}

// private reports whether a resolved path is not to be had. Devices and the
// system's own files are not even for the operator: they are no secrets, and
// some never end.
func (l Lookup) private(path string) bool {
	folders := []string{"/proc", "/sys", "/dev"}
	if !l.ByOperator {
		folders = slices.Concat(folders, l.Private)
	}
	for _, folder := range folders {
		if folder == "" {
			continue
		}
		if target, err := resolve(folder); err == nil {
			folder = target
		}
		rel, err := filepath.Rel(folder, path)
		if err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
			return true
		}
	}
	return false
}

func missing(what text.Both, cause error) error {
	return fault.New(fault.Unavailable, CodeMissing, what).
		Fix(text.Say("provide it where the server runs", "サーバーの実行環境に用意してください")).Wrap(cause)
}

func forbidden(what text.Both) error {
	return fault.New(fault.Invalid, CodeForbidden, what).
		Fix(text.Say("use a variable whose name begins with TEITEN_SECRET_ or with something else than TEITEN_, or a file of its own",
			"TEITEN_SECRET_ で始まる（または TEITEN_ で始まらない）環境変数か、専用のファイルを使ってください"))
}
