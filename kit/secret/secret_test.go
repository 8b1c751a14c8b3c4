package secret_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/secret"
)

// place is a folder with files in it: the data folder, a secret, links.
func place(t *testing.T) (dir, data string) {
	t.Helper()
	dir = t.TempDir()
	data = filepath.Join(dir, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"token": "s3cret\r\n", "pem": "-----BEGIN\nabc\n", "empty": "\n", "long": strings.Repeat("x", 64<<10+1),
		"teiten.yaml": "notify: {}", "data/teiten.db": "s3cret", "database": "elsewhere",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(data, "teiten.db"), filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PROM_PASSWORD", "pw")
	t.Setenv("TEITEN_DATABASE", "postgres://secret")
	t.Setenv("TEITEN_SECRET_PROM", "pw2")
	t.Setenv("TWO_LINES", "a\nb")
	return dir, data
}

func file(parts ...string) secret.Secret {
	return secret.Secret("${file:" + strings.Join(parts, "/") + "}")
}

func TestReferenceIsLookedUpWhereItSays(t *testing.T) {
	dir, data := place(t)
	documents := secret.Lookup{Private: []string{data, filepath.Join(dir, "teiten.yaml"), ""}}
	for ref, want := range map[secret.Secret]string{
		"plain": "plain", "": "", "${env:PROM_PASSWORD}": "pw", "${env:TEITEN_SECRET_PROM}": "pw2",
		file(dir, "token"): "s3cret", file(dir, "database"): "elsewhere",
		"x${env:PROM_PASSWORD}": "x${env:PROM_PASSWORD}", // never put together from parts
	} {
		if got, err := documents.Reveal(ref); err != nil || got != want {
			t.Errorf("%s: %q, %v", string(ref), got, err)
		}
	}
	for ref, kind := range map[secret.Secret]fault.Kind{
		"${env:NOT_SET_ANYWHERE}":            fault.Unavailable,
		"${env:TEITEN_DATABASE}":             fault.Invalid,
		"${env:TWO_LINES}":                   fault.Invalid,
		file(dir, "none"):                    fault.Unavailable,
		file(dir):                            fault.Unavailable,
		file(dir, "empty"):                   fault.Unavailable,
		file(dir, "long"):                    fault.Unavailable,
		file(dir, "pem"):                     fault.Invalid,
		file(dir, "teiten.yaml"):             fault.Invalid,
		file(data, "teiten.db"):              fault.Invalid,
		file(dir, "link"):                    fault.Invalid,
		file(dir, "token/../data/teiten.db"): fault.Unavailable,
		file(dir, "data/../data/teiten.db"):  fault.Invalid,
		file("/proc/self/environ"):           fault.Invalid,
		file("/dev/zero"):                    fault.Invalid,
	} {
		if got, err := documents.Reveal(ref); fault.KindOf(err) != kind || got != "" {
			t.Errorf("%s: %q, %v, want %s", string(ref), got, err, kind)
		}
	}
	if got, err := documents.RevealText(file(dir, "pem")); err != nil || got != "-----BEGIN\nabc" {
		t.Errorf("a certificate: %q, %v", got, err)
	}
	t.Chdir(dir)
	relative := secret.Lookup{Private: []string{"data"}}
	if _, err := relative.Reveal(file(data, "teiten.db")); fault.KindOf(err) != fault.Invalid {
		t.Errorf("the data folder, named from where the server stands: %v", err)
	}
}

func TestOperatorMayReferToAnything(t *testing.T) {
	dir, data := place(t)
	operator := secret.Lookup{Private: []string{data}, ByOperator: true}
	for ref, want := range map[secret.Secret]string{
		"${env:TEITEN_DATABASE}": "postgres://secret", file(data, "teiten.db"): "s3cret", file(dir, "token"): "s3cret",
	} {
		if got, err := operator.Reveal(ref); err != nil || got != want {
			t.Errorf("%s: %q, %v", string(ref), got, err)
		}
	}
	if got, err := operator.Reveal(file("/dev/zero")); err == nil {
		t.Errorf("a device gives %q", got)
	}
}

func TestSecretIsNeverPrinted(t *testing.T) {
	s := secret.Secret("s3cret")
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "a", s, "b", struct{ S secret.Secret }{s}, "c", []secret.Secret{s})
	said := log.String() + s.String()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%10.3s"} {
		said += fmt.Sprintf(" "+verb+" "+verb+" "+verb, s, []secret.Secret{s}, map[string]any{"k": struct{ S secret.Secret }{s}})
	}
	for _, leak := range []string{"s3c", "733363", "3cret"} {
		if strings.Contains(strings.ToLower(said), leak) {
			t.Fatalf("printed: %s", said)
		}
	}
}

func TestWhatMayBeShown(t *testing.T) {
	for s, want := range map[secret.Secret]string{
		"": "", "s3cret": secret.Hidden, "${env:A}": "${env:A}", "${file:/a}": "${file:/a}", "x${env:A}": secret.Hidden,
	} {
		if got := string(s.Redacted()); got != want {
			t.Errorf("%q is shown as %q", string(s), got)
		}
	}
	for _, bad := range []secret.Secret{"a${env:X}", "${env:X}b", "${env: X}", "${vault:x}", "${file:}", "${file:a${env:B}}"} {
		if !bad.Misspelled() || bad.IsReference() {
			t.Errorf("%s is taken for a secret", string(bad))
		}
	}
}

// FuzzReference: what is taken for a reference is the whole value, and no value
// is ever shown by its redaction.
func FuzzReference(f *testing.F) {
	for _, seed := range []string{"", "plain", "${env:A}", "${file:/run/secrets/x}", "${env:A}${env:B}", "${file:/a\n}", "${env:}", "${", "(hidden)"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, v string) {
		s := secret.Secret(v)
		if s.IsReference() && (!strings.HasPrefix(v, "${") || strings.Index(v, "}") != len(v)-1 || s.Misspelled()) {
			t.Errorf("%q is a reference", v)
		}
		if shown := string(s.Redacted()); shown != "" && shown != secret.Hidden && !s.IsReference() {
			t.Errorf("%q is shown as %q", v, shown)
		}
	})
}
