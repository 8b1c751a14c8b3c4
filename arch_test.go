// Package teiten_test guards the shape of the house: which room may know which.
package teiten_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/teiten/teiten/"

// floors are the arrows of docs/architecture.md as data, from the ground up: a
// room may import rooms of lower floors, and its own packages. Rooms of one floor
// do not know one another, except where withinFloor says so.
var floors = [][]string{
	{"kit"},
	{"journal"},
	{"measure"}, // under the rooms, because every room contributes its measures
	{"access", "notify"},
	{"catalog"},
	{"observe"},
	{"respond"},
	{"deliver", "govern", "learn"},
	{"improve"},
	{"review"},
	{"web", "examples"},
	{"app"},
	{"cli"},
	{"cmd"},
}

// within lists, for folders that hold several rooms, the order in which a later
// room may read an earlier one.
var within = map[string][]string{
	"kit":     {"text", "fault", "recur", "holiday", "secret", "database", "queue", "httpapi", "ascode"},
	"observe": {"metrics", "slo", "probe"},
	"respond": {"alert", "oncall", "page", "incident", "status"},
}

// only lists packages of other modules that are confined to one place.
var only = map[string][]string{
	"github.com/prometheus/prometheus/":        {"observe/metrics", "test/scenario"},
	"github.com/prometheus/alertmanager/":      {"respond/alert"},
	"github.com/riverqueue/river":              {"kit/queue"},
	"github.com/danielgtaylor/huma/":           {"kit/httpapi", "kit/ascode"},
	"modernc.org/sqlite":                       {"kit/database"},
	"github.com/jackc/pgx/":                    {"kit/database", "test/pgtest"},
	"github.com/pressly/goose/":                {"kit/database"},
	"github.com/wneessen/go-mail":              {"notify"},
	"github.com/alecthomas/kong":               {"cli"},
	"github.com/alexedwards/scs/":              {"access"},
	"github.com/prometheus/client_golang/api/": {"observe/metrics"},
}

// unbound packages serve tests, tools and documents and are no part of the house.
var unbound = []string{"docs", "test"}

type pkg struct {
	ImportPath string
	Imports    []string
}

func packages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", "./...")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var all []pkg
	for d := json.NewDecoder(out); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	return all
}

// room splits a path of this module into its folder and the room in it.
func room(path string) (folder, inner string) {
	folder, rest, _ := strings.Cut(path, "/")
	inner, _, _ = strings.Cut(rest, "/")
	return folder, inner
}

func floor(folder string) int {
	return slices.IndexFunc(floors, func(f []string) bool { return slices.Contains(f, folder) })
}

// mayImport tells whether from may know to; both are paths within the module.
func mayImport(from, to string) bool {
	fromFolder, fromRoom := room(from)
	toFolder, toRoom := room(to)
	switch {
	case slices.Contains(unbound, fromFolder):
		return true
	case slices.Contains(unbound, toFolder):
		return strings.HasSuffix(from, "test") // a package of test helpers
	case fromFolder != toFolder:
		return floor(fromFolder) > floor(toFolder)
	}
	order := within[fromFolder]
	if order == nil || fromRoom == toRoom || fromRoom == "" || toRoom == "" {
		return true
	}
	return slices.Index(order, fromRoom) > slices.Index(order, toRoom)
}

func TestNoImportAgainstTheMap(t *testing.T) {
	for _, p := range packages(t) {
		from, ok := strings.CutPrefix(p.ImportPath, module)
		if !ok {
			continue
		}
		folder, _ := room(from)
		if !slices.Contains(unbound, folder) && floor(folder) < 0 {
			t.Errorf("%s is in no floor of the map", from)
		}
		for _, imported := range p.Imports {
			if to, ours := strings.CutPrefix(imported, module); ours && !mayImport(from, to) {
				t.Errorf("%s must not import %s", from, to)
			}
			for prefix, places := range only {
				if strings.HasPrefix(imported, prefix) && !slices.ContainsFunc(places, func(place string) bool {
					return from == place || strings.HasPrefix(from, place+"/")
				}) {
					t.Errorf("%s imports %s, which is confined to %s", from, imported, strings.Join(places, ", "))
				}
			}
		}
	}
}

func TestTheMapItselfRefuses(t *testing.T) {
	for arrow, want := range map[[2]string]bool{
		{"observe/slo", "observe/metrics"}:     true,
		{"observe/metrics", "observe/slo"}:     false,
		{"observe/slo", "catalog"}:             true,
		{"catalog", "observe/slo"}:             false,
		{"journal", "access"}:                  false,
		{"notify", "access"}:                   false,
		{"kit/fault", "kit/database"}:          false,
		{"kit/queue", "kit/database"}:          true,
		{"app", "review"}:                      true,
		{"review", "app"}:                      false,
		{"notify/slack", "notify"}:             true,
		{"catalog", "test/pgtest"}:             false,
		{"kit/database/dbtest", "test/pgtest"}: true,
	} {
		if got := mayImport(arrow[0], arrow[1]); got != want {
			t.Errorf("%s → %s: %v, want %v", arrow[0], arrow[1], got, want)
		}
	}
}
