package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/teiten/teiten/cli"
)

func TestReferenceDocumentsAreFresh(t *testing.T) {
	dir := t.TempDir()
	var errOut bytes.Buffer
	if code := cli.Run(t.Context(), []string{"reference", "--folder", dir}, nil, os.Stdout, &errOut, nil); code != 0 {
		t.Fatal(errOut.String())
	}
	written, err := filepath.Glob(filepath.Join(dir, "*.md"))
	if err != nil || len(written) == 0 {
		t.Fatal(written, err)
	}
	for _, path := range written {
		fresh, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		stored, err := os.ReadFile(filepath.Join("../docs/reference", filepath.Base(path)))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(stored), string(fresh)); d != "" {
			t.Errorf("docs/reference/%s is stale: run make generate\n%s", filepath.Base(path), d)
		}
	}
}
