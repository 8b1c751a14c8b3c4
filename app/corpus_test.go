package app

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/teiten/teiten/access"
	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// TestEveryRealDocumentIsAcceptedOrRefusedWithPlaceAndRemedy passes each YAML
// file of real projects to the server: OpenSLO examples, Backstage catalogs, and
// the files of other programs that somebody may pass in by mistake.
func TestEveryRealDocumentIsAcceptedOrRefusedWithPlaceAndRemedy(t *testing.T) {
	corpus := os.Getenv("TEITEN_CORPUS")
	if corpus == "" {
		t.Skip("TEITEN_CORPUS names no folder of real documents")
	}
	names := yamlFiles(t, corpus)
	if len(names) < 50 {
		t.Fatalf("only %d files in %s", len(names), corpus)
	}
	accepted := 0
	err := Offline(t.Context(), func(a *App) error {
		for _, name := range names {
			data, err := os.ReadFile(filepath.Join(corpus, name))
			if err != nil {
				return err
			}
			_, err = a.AsCode.Apply(access.AsSystem(t.Context()), ascode.Request{DryRun: true, Files: []ascode.File{{Name: name, Data: string(data)}}})
			if err == nil {
				accepted++
				continue
			}
			judgeRefusal(t, name, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if accepted == 0 {
		t.Error("not one file was accepted")
	}
	t.Logf("%d of %d files accepted", accepted, len(names))
}

// owners are the programs that the folders of the corpus belong to, as a refusal
// must name them; the first folder that fits counts. Sloth's examples in OpenSLO
// are read as such, and only lack their services.
var owners = []struct {
	folder   string
	programs []string
}{
	{"sloth/examples/_gen/", []string{"Prometheus rules", "Prometheus Operator"}},
	{"sloth/examples/openslo-", []string{"the catalog has no service"}},
	{"sloth/examples/", []string{"Sloth"}},
	{"alertmanager-config/config/", []string{"Alertmanager"}},
	{"alertmanager-config/api/", []string{"OpenAPI"}},
}

// judgeRefusal checks that a refusal says what, where and how to mend it.
func judgeRefusal(t *testing.T, name string, err error) {
	t.Helper()
	f, ok := fault.As(err)
	if !ok {
		t.Errorf("%s: an internal error: %v", name, err)
		return
	}
	parts := f.Details
	if len(parts) == 0 {
		parts = []*fault.Error{f}
	}
	for _, p := range parts {
		if p.Where.File != name || p.Where.Line == 0 || p.What.JA == "" || p.Remedy.EN == "" || p.Remedy.JA == "" {
			t.Errorf("%s: no place or no remedy: %s / %s", name, p.In(text.EN), p.In(text.JA))
		}
	}
	for _, o := range owners {
		if !strings.HasPrefix(name, o.folder) {
			continue
		}
		if !slices.ContainsFunc(o.programs, func(p string) bool { return strings.Contains(parts[0].What.EN, p) }) {
			t.Errorf("%s: should say one of %v: %s", name, o.programs, parts[0])
		}
		return
	}
}

func yamlFiles(t *testing.T, root string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !slices.Contains([]string{".yaml", ".yml"}, filepath.Ext(path)) {
			return err
		}
		name, err := filepath.Rel(root, path)
		names = append(names, filepath.ToSlash(name))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
