package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/teiten/teiten/app"
	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/text"
)

// guides are the documents that tell people what to write and run, in English;
// each has a Japanese one beside it.
func guides(t *testing.T) []string {
	t.Helper()
	found := slices.DeleteFunc(documents(t), func(d string) bool {
		return d != "docs/getting-started.md" && !strings.HasPrefix(d, "docs/guides/") || strings.HasSuffix(d, ".ja.md")
	})
	if len(found) < 5 {
		t.Fatalf("only %d guides found: %v", len(found), found)
	}
	return found
}

var block = regexp.MustCompile("(?ms)^```([a-z]*)\n(.*?)^```")

// blocks are the fenced blocks of one language in a document.
func blocks(body, language string) []string {
	var found []string
	for _, m := range block.FindAllStringSubmatch(body, -1) {
		if m[1] == language {
			found = append(found, m[2])
		}
	}
	return found
}

func inJapanese(document string) string { return strings.TrimSuffix(document, ".md") + ".ja.md" }

func TestGuidesSayTheSameInBothLanguages(t *testing.T) {
	for _, document := range guides(t) {
		en, ja := read(t, document), read(t, inJapanese(document))
		for _, language := range []string{"yaml", "ini"} {
			if !slices.Equal(blocks(en, language), blocks(ja, language)) {
				t.Errorf("%s: the %s differs between the languages", document, language)
			}
		}
		count := func(body string) int { return strings.Count(fence.ReplaceAllString(body, ""), "\n#") }
		if count(en) != count(ja) {
			t.Errorf("%s: the languages have %d and %d headings", document, count(en), count(ja))
		}
	}
}

// ofOthers is how configurations of other programs begin: Prometheus' and the
// OpenTelemetry Collector's.
var ofOthers = []string{"scrape_configs:", "global:", "exporters:"}

// TestWhatTheGuidesShowIsAccepted reads every document and every configuration
// that a guide shows as the server would.
func TestWhatTheGuidesShowIsAccepted(t *testing.T) {
	documented, configured := 0, 0
	err := app.Offline(t.Context(), func(a *app.App) error {
		for _, guide := range guides(t) {
			for i, shown := range blocks(read(t, guide), "yaml") {
				switch {
				case strings.HasPrefix(shown, "apiVersion:"):
					documented++
					_, faults := a.AsCode.Registry().Parse([]ascode.File{{Name: guide, Data: shown}})
					for _, f := range faults {
						t.Errorf("block %d: %s", i+1, f.In(text.EN))
					}
				case slices.ContainsFunc(ofOthers, func(first string) bool { return strings.HasPrefix(shown, first) }):
				default:
					configured++
					file := filepath.Join(t.TempDir(), "teiten.yaml")
					if err := os.WriteFile(file, []byte(shown), 0o600); err != nil {
						t.Fatal(err)
					}
					if _, err := app.LoadConfig(file, nil); err != nil {
						t.Errorf("%s, block %d: %v", guide, i+1, err)
					}
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if documented < 5 || configured < 5 {
		t.Errorf("only %d documents and %d configurations found", documented, configured)
	}
}

func TestTheExampleOfThePrometheusGuideIsAccepted(t *testing.T) {
	const file = "examples/prometheus/monitoring.yaml"
	err := app.Offline(t.Context(), func(a *app.App) error {
		docs, faults := a.AsCode.Registry().Parse([]ascode.File{{Name: file, Data: read(t, file)}})
		for _, f := range faults {
			t.Error(f.In(text.EN))
		}
		if len(docs) != 5 {
			t.Errorf("%d documents, the guide speaks of five", len(docs))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
