package exchange_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/respond/alert/exchange"
)

// TestEveryConfigurationIsImportedOrRefusedForAReason goes through all
// configurations of the corpus.
func TestEveryConfigurationIsImportedOrRefusedForAReason(t *testing.T) {
	root := os.Getenv("TEITEN_CORPUS")
	if root == "" {
		t.Skip("TEITEN_CORPUS names no folder")
	}
	taken, refused := 0, 0
	err := filepath.WalkDir(filepath.Join(root, "alertmanager-config"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".yml") {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		r, err := exchange.Alertmanager(ascode.File{Name: filepath.Base(path), Data: string(data)}, exchange.Options{})
		if err != nil {
			refused++
			t.Logf("refused: %v", err)
			if f, ok := fault.As(err); !ok || f.Where.File == "" && len(f.Details) == 0 {
				t.Errorf("%s is refused without a place: %v", path, err)
			}
			return nil
		}
		taken++
		yaml, err := r.YAML()
		if err != nil || strings.Contains(yaml, "mysecret") {
			t.Errorf("%s: %v\n%s", path, err, yaml)
		}
		for _, n := range r.Notes {
			if n.Where.Line == 0 || n.What.JA == "" {
				t.Errorf("%s: a note without a line or without Japanese: %s", path, n.What.EN)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d imported, %d refused", taken, refused)
	if taken == 0 {
		t.Error("the corpus holds no configuration")
	}
}
