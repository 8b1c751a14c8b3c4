package shop_test

import (
	"io/fs"
	"testing"

	"github.com/teiten/teiten/catalog"
	"github.com/teiten/teiten/examples/shop"
	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/notify"
	"github.com/teiten/teiten/observe/probe"
	"github.com/teiten/teiten/observe/slo"
	"github.com/teiten/teiten/respond/oncall"
)

// TestDocumentsAreGoodByThemselves reads the example with the kinds of the
// rooms, strictly: no unknown field, no impossible value.
func TestDocumentsAreGoodByThemselves(t *testing.T) {
	r := ascode.NewRegistry()
	new(catalog.Service).Kinds(r)
	new(slo.Service).Kinds(r)
	new(probe.Service).Kinds(r)
	new(oncall.Service).Kinds(r)
	r.Add(new(notify.Service).Kind())

	names, err := fs.Glob(shop.Files, "*.yaml")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	var files []ascode.File
	for _, name := range names {
		body, err := fs.ReadFile(shop.Files, name)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, ascode.File{Name: name, Data: string(body)})
	}
	docs, faults := r.Parse(files)
	for _, f := range faults {
		t.Error(f.In(text.EN))
	}
	kinds := map[string]int{}
	for _, d := range docs {
		kinds[d.Kind]++
	}
	if kinds["Component"] != 12 || kinds["SLO"] != 22 || kinds["NotificationChannel"] != 3 || kinds["Probe"] != 3 || kinds["Schedule"] != 3 {
		t.Errorf("the example holds %v", kinds)
	}
}
