package embedded

import (
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// textTarget serves a fixed text exposition.
func textTarget(t *testing.T, body string) (address string) {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		fmt.Fprint(w, body)
	}))
	t.Cleanup(srv.Close)
	return strings.TrimPrefix(srv.URL, "http://")
}

func write(t *testing.T, path, body string) {
	t.Helper()
	// Replaced whole, as an editor does.
	if err := os.WriteFile(path+".new", []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

func TestTheScrapeFileIsReadAsPrometheusReadsIt(t *testing.T) {
	dir := t.TempDir()
	a, b := textTarget(t, "queue_length 3\nnoise 1\n"), textTarget(t, "queue_length 4\nnoise 1\n")
	write(t, filepath.Join(dir, "targets.yaml"), "- targets: ["+a+"]\n  labels: {zone: east}\n")
	path := filepath.Join(dir, "prometheus.yml")
	write(t, path, `
global: {scrape_interval: 100ms, scrape_timeout: 100ms}
rule_files: [rules.yml]
scrape_configs:
  - job_name: found
    file_sd_configs: [{files: [targets.yaml], refresh_interval: 1s}]
    relabel_configs:
      - {source_labels: [zone], regex: (.).*, target_label: z}
    metric_relabel_configs:
      - {source_labels: [__name__], regex: noise, action: drop}
`)
	s := open(t, Options{Dir: filepath.Join(dir, "store"), ScrapeConfigFile: path})
	run(t, s)
	eventually(t, "the file's target is scraped and relabelled", func() bool {
		return value(t, s, `sum(queue_length{job="found",zone="east",z="e"})`) == 3
	})
	if v := value(t, s, "count(noise)"); !math.IsNaN(v) {
		t.Errorf("a dropped metric is stored: %v", v)
	}

	t.Run("file discovery picks up a new target", func(t *testing.T) {
		write(t, filepath.Join(dir, "targets.yaml"), "- targets: ["+a+", "+b+"]\n  labels: {zone: east}\n")
		eventually(t, "both are scraped", func() bool { return value(t, s, "sum(queue_length)") == 7 })
	})
	t.Run("a wrong file is refused and the old one stays", func(t *testing.T) {
		write(t, path, "scrape_configs:\n  - job_name: a\n    static_config: []\n")
		err := s.Reload(t.Context())
		f, ok := fault.As(err)
		if !ok || f.Kind != fault.Invalid || f.Where.Line != 3 || f.Where.File != path {
			t.Fatalf("%v", err)
		}
		if !strings.Contains(f.In(text.JA), "static_config") {
			t.Error(f.In(text.JA))
		}
		if got := fault.KindOf(s.Check(t.Context())); got != fault.Invalid {
			t.Errorf("the source does not say that its file is wrong: %v", got)
		}
		if got := s.Jobs(); len(got) != 1 || got[0] != "found" {
			t.Errorf("jobs: %v", got)
		}
	})
	t.Run("a corrected file takes effect", func(t *testing.T) {
		write(t, path, "global: {scrape_interval: 100ms, scrape_timeout: 100ms}\nscrape_configs:\n  - job_name: fixed\n    static_configs: [{targets: ["+b+"]}]\n")
		eventually(t, "the new job is scraped", func() bool {
			return value(t, s, `sum(queue_length{job="fixed"})`) == 4
		})
		if err := s.Check(t.Context()); err != nil {
			t.Error(err)
		}
	})
	t.Run("a job of the program cannot be hidden by the file", func(t *testing.T) {
		err := s.SetTargets([]Target{{Job: "fixed", URL: "http://" + a}})
		if f, ok := fault.As(err); !ok || f.Code != "metrics.job_twice" {
			t.Error(err)
		}
	})
}

func TestScrapeFilesThatCannotBeUsedSayWhere(t *testing.T) {
	for _, c := range []struct {
		name, body, says string
		line             int
	}{
		{"yaml", "scrape_configs:\n  - job_name: [\n", "", 2},
		{"unknown key", "global:\n  scrape_intervall: 1s\n", "scrape_intervall", 2},
		{"unknown discovery", "scrape_configs:\n  - job_name: k\n    kubernetes_sd_configs: []\n", "kubernetes_sd_configs", 3},
		{"same job twice", "scrape_configs:\n  - job_name: a\n  - job_name: a\n", "job name", 0},
		{"timeout", "scrape_configs:\n  - {job_name: a, scrape_interval: 1s, scrape_timeout: 2s}\n", "timeout", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "scrape.yaml")
			write(t, path, c.body)
			err := LoadScrapeConfig(path)
			f, ok := fault.As(err)
			if !ok || f.Kind != fault.Invalid || f.Where.File != path || f.Remedy.JA == "" {
				t.Fatalf("%v", err)
			}
			if !strings.Contains(f.What.EN, c.says) || (c.line > 0 && f.Where.Line != c.line) {
				t.Errorf("%s: line %d: %s", c.name, f.Where.Line, f.What.EN)
			}
		})
	}
	if f, ok := fault.As(LoadScrapeConfig(filepath.Join(t.TempDir(), "none"))); !ok || f.Code != "metrics.scrape_file" {
		t.Error("a missing file is not a fault")
	}
}

func FuzzScrapeFile(f *testing.F) {
	f.Add("global: {scrape_interval: 1s}\nscrape_configs:\n  - job_name: a\n    static_configs: [{targets: ['b:1']}]\n")
	f.Add("scrape_configs: [{job_name: a, relabel_configs: [{action: hashmod}]}]")
	f.Add("{")
	path := filepath.Join(f.TempDir(), "scrape.yaml")
	f.Fuzz(func(t *testing.T, body string) {
		if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := LoadScrapeConfig(path); err != nil {
			if flt, ok := fault.As(err); !ok || flt.Kind != fault.Invalid {
				t.Fatalf("%v", err)
			}
		}
	})
}

func TestTargetsOfTheProgramAreChecked(t *testing.T) {
	s := open(t, Options{})
	for _, target := range []Target{{Job: "a", URL: "ftp://x"}, {Job: "a", URL: "no address"}, {URL: "http://x"}} {
		if err := s.SetTargets([]Target{target}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%+v: %v", target, err)
		}
	}
	if err := s.SetTargets([]Target{{Job: "a", URL: "https://host/path?x=1", Interval: time.Second, Bearer: "secret"}}); err != nil {
		t.Error(err)
	}
}
