package app_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/teiten/teiten/app"
	"github.com/teiten/teiten/kit/fault"
)

func write(t *testing.T, body string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "teiten.yaml")
	if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestEnvironmentWinsOverFileAndFileOverDefault(t *testing.T) {
	c, err := app.LoadConfig(write(t, "data: /srv/teiten\nlog:\n  level: debug\n"), []string{"TEITEN_LOG_LEVEL=warn", "TEITEN_PUBLIC_METRICS=true", "TEITEN_TOKEN=tt_x"})
	if err != nil {
		t.Fatal(err)
	}
	if c.Data != "/srv/teiten" || c.Log.Level != "warn" || !c.PublicMetrics || c.Log.Format != "text" {
		t.Fatalf("%+v", c)
	}
}

func TestEveryKeyHasItsVariableAndBothLanguages(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range app.Settings() {
		if s.Description.EN == "" || s.Description.JA == "" {
			t.Errorf("%s is not described in both languages", s.Key)
		}
		if seen[s.Variable] || !strings.HasPrefix(s.Variable, "TEITEN_") {
			t.Errorf("%s has the variable %s", s.Key, s.Variable)
		}
		seen[s.Variable] = true
	}
	for _, v := range []string{"TEITEN_BASE_URL", "TEITEN_NOTIFY_SMTP_ADDRESS", "TEITEN_METRICS_EMBEDDED_RETENTION_TIME"} {
		if !seen[v] {
			t.Errorf("no variable %s", v)
		}
	}
}

func TestBadConfigurationSaysWhereAndHow(t *testing.T) {
	for body, want := range map[string]string{
		"listen: nowhere\n":     "host:port",
		"log:\n  level: loud\n": "debug, info, warn or error",
		"metrics:\n  embedded:\n    retention:\n      time: x\n": ":4:13",
		"lisen: 127.0.0.1:1\n":                      "listen",
		"baseURL: teiten\n":                         "https://",
		"notify:\n  allowNetworks: [10.0.0.0/99]\n": ":2:19",
	} {
		_, err := app.LoadConfig(write(t, body), nil)
		if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want something with %q", body, err, want)
		}
	}
	if _, err := app.LoadConfig("nowhere.yaml", nil); fault.KindOf(err) != fault.NotFound {
		t.Error(err)
	}
}

func TestDurationReadsDaysAndRoundTrips(t *testing.T) {
	for in, want := range map[string]time.Duration{"40d": 960 * time.Hour, "90s": 90 * time.Second, "0s": 0, "0d": 0} {
		var d app.Duration
		if err := d.UnmarshalText([]byte(in)); err != nil || time.Duration(d) != want {
			t.Errorf("%s: %v %v", in, time.Duration(d), err)
		}
		text, err := d.MarshalText()
		var again app.Duration
		if err != nil || again.UnmarshalText(text) != nil || again != d {
			t.Errorf("%s comes back as %s", in, text)
		}
	}
	for _, bad := range []string{"", "d", "-1d", "1.5d", "-3h", "40 d", "99999999999999d"} {
		var d app.Duration
		if err := d.UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%q was read as %v", bad, time.Duration(d))
		}
	}
}

func TestSecretsAreNotShown(t *testing.T) {
	for _, database := range []string{
		"postgres://u:whisper@host/db", "postgres://u@host/db?password=whisper", "postgres://u@host/db?sslPassword=whisper&sslmode=require",
		"postgres://u:whisper@host:not-a-port/db",
	} {
		c, err := app.LoadConfig("", []string{"TEITEN_NOTIFY_SMTP_PASSWORD=whisper", "TEITEN_DATABASE=" + database})
		if err != nil {
			t.Fatal(err)
		}
		shown, err := c.Redacted()
		if err != nil || strings.Contains(string(shown), "whisper") {
			t.Error(string(shown), err)
		}
	}
}

// FuzzLoadConfig: whatever a configuration and its environment hold, they are
// read, or refused with a fault; and what was read is shown without the password.
func FuzzLoadConfig(f *testing.F) {
	f.Add("data: /srv/teiten\nlog:\n  level: debug\n", "warn", "postgres://u:whisper@host/db")
	f.Add("metrics:\n  embedded:\n    retention: {time: 40d, size: 1}\n", "", "sqlite:a.db")
	f.Add("notify:\n  allowNetworks: [10.0.0.0/8, \"::1/128\"]\n  smtp: {address: 'h:1', password: '${env:A}'}\n", "info", "mysql://%zz")
	f.Add("listen: [", "x", "://")
	f.Fuzz(func(t *testing.T, body, level, database string) {
		file := filepath.Join(t.TempDir(), "teiten.yaml")
		if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := app.LoadConfig(file, []string{"TEITEN_LOG_LEVEL=" + level, "TEITEN_DATABASE=" + database, "TEITEN_NOTIFY_SMTP_PASSWORD=very-secret-whisper"})
		if err != nil {
			if _, ok := fault.As(err); !ok {
				t.Errorf("refused without a reason: %v", err)
			}
			return
		}
		shown, err := c.Redacted()
		if err != nil || strings.Contains(string(shown), "very-secret-whisper") {
			t.Errorf("%s, %v", shown, err)
		}
	})
}
