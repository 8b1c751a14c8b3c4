package ascode

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// lamp is a kind that has one of everything.
type lamp struct {
	APIVersion string   `json:"apiVersion"`
	Kind       string   `json:"kind"`
	Metadata   lampMeta `json:"metadata"`
	Spec       lampSpec `json:"spec"`
}

type lampMeta struct {
	Name      string            `json:"name"`
	Namespace string            `json:"namespace,omitempty"`
	Labels    map[string]string `json:"labels,omitempty"`
}

type lampSpec struct {
	Owner  string         `json:"owner,omitempty"`
	Watt   float64        `json:"watt,omitempty"`
	Count  int            `json:"count,omitempty"`
	On     *bool          `json:"on,omitempty"`
	Near   []string       `json:"near,omitempty"`
	Bulbs  []bulb         `json:"bulbs,omitempty"`
	Secret string         `json:"secret,omitempty"`
	Socket string         `json:"socket,omitempty"`
	Note   string         `json:"note,omitempty"`
	Extra  map[string]any `json:"-" ascode:"extra"`
}

type bulb struct {
	Name  string `json:"name"`
	Color string `json:"color,omitempty"`
	Key   string `json:"key,omitempty"`
}

// house remembers what the kind was told, as a room's tables would.
type house struct{ applied, removed []string }

func lamps(h *house) Kind {
	spec := func(d *Document) *lampSpec { return &d.Object.(*lamp).Spec }
	return Kind{
		APIVersion: "example.com/v1", AlsoVersions: []string{"example.com/v1beta1"}, Kind: "Lamp", ID: "lamps", Order: 20, Event: "house.lamp_",
		Title: text.Say("Lamp", "ランプ"),
		New:   func() any { return &lamp{} },
		Ref:   func(d *Document) string { return "lamp:" + d.Name },
		Owner: func(d *Document) string { return spec(d).Owner },
		Validate: func(d *Document) []*fault.Error {
			if w := spec(d).Watt; w < 0 {
				return []*fault.Error{d.Fault("house.watt", text.Say("%v W", "%v W", w), text.Say("use 0 or more", "0以上にしてください"), "spec", "watt")}
			}
			return nil
		},
		Apply: func(_ context.Context, _ *sql.Tx, d *Document) error {
			if spec(d).Note == "explode" {
				return errors.New("a wire is loose")
			}
			h.applied = append(h.applied, d.Name)
			return nil
		},
		Remove: func(_ context.Context, _ *sql.Tx, d *Document) error {
			h.removed = append(h.removed, d.Name)
			return nil
		},
		Check: func(ctx context.Context, _ *sql.Tx, d *Document) []*fault.Error {
			var faults []*fault.Error
			for i, n := range spec(d).Near {
				if !Known(ctx, "Lamp", d.Namespace, n) {
					faults = append(faults, d.Fault("house.dark", text.Say("no lamp %q", "ランプ %q がない", n), text.Say("add it", "追加する"), "spec", "near", i))
				}
			}
			return faults
		},
		Moved: func(before, after any) bool { return before.(*lamp).Spec.Socket != after.(*lamp).Spec.Socket },
		Redact: func(d *Document) {
			if s := spec(d); s.Secret != "" {
				s.Secret = Hidden
			}
			for i := range spec(d).Bulbs {
				if b := &spec(d).Bulbs[i]; b.Key != "" {
					b.Key = Hidden
				}
			}
		},
	}
}

func registry(h *house) *Registry {
	r := NewRegistry()
	r.Add(lamps(h))
	return r
}

const hall = `apiVersion: example.com/v1
kind: Lamp
metadata:
  name: hall
spec:
  watt: 40
`

func parse(t *testing.T, data string) ([]*Document, []*fault.Error) {
	t.Helper()
	return registry(&house{}).Parse([]File{{Name: "f.yaml", Data: data}})
}

func TestParseReadsManyDocumentsWithTheirPlaces(t *testing.T) {
	docs, faults := parse(t, "# first\n"+hall+"---\n---\n"+strings.ReplaceAll(hall, "hall", "attic"))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	if len(docs) != 2 || docs[0].ID() != "Lamp/default/hall" || docs[1].ID() != "Lamp/default/attic" {
		t.Fatalf("got %v", docs)
	}
	for _, c := range []struct {
		path []any
		want string
	}{
		{[]any{"spec", "watt"}, "f.yaml:15:9"},
		{[]any{"spec"}, "f.yaml:14:1"},
		{[]any{"spec", "bulbs", 3, "color"}, "f.yaml:14:1"}, // the nearest that is there
		{nil, "f.yaml:10:1"},
	} {
		if got := docs[1].Pos(c.path...).String(); got != c.want {
			t.Errorf("Pos(%v) = %s, want %s", c.path, got, c.want)
		}
	}
}

func TestParseSaysWhatIsWrongAndWhere(t *testing.T) {
	head := "apiVersion: example.com/v1\nkind: Lamp\nmetadata: {name: hall}\nspec:\n"
	for name, c := range map[string]struct{ data, code, at, remedy string }{
		"unknown field":        {head + "  wat: 40\n", "ascode.field_unknown", "f.yaml:5:3", `did you mean "watt"`},
		"unknown field in map": {"apiVersion: example.com/v1\nkind: Lamp\nmetadata:\n  nam: hall\n", "ascode.field_unknown", "f.yaml:4:3", `"name"`},
		"unknown field at top": {hall + "status: {}\n", "ascode.field_unknown", "f.yaml:7:1", "apiVersion, kind, metadata, spec"},
		"case":                 {head + "  Watt: 40\n", "ascode.field_unknown", "f.yaml:5:3", `"watt"`},
		"text for number":      {head + "  watt: many\n", "ascode.type", "f.yaml:5:9", "a number"},
		"number for text":      {head + "  note: 12\n", "ascode.type", "f.yaml:5:9", `"12"`},
		"float for int":        {head + "  count: 1.5\n", "ascode.type", "f.yaml:5:10", "a whole number"},
		"huge int":             {head + "  count: 99999999999999999999\n", "ascode.type", "f.yaml:5:10", "a whole number"},
		"infinite":             {head + "  watt: .inf\n", "ascode.type", "f.yaml:5:9", "a number"},
		"yes for bool":         {head + "  on: yes\n", "ascode.type", "f.yaml:5:7", "true or false"},
		"list for mapping":     {"apiVersion: example.com/v1\nkind: Lamp\nmetadata: {name: hall}\nspec: [1]\n", "ascode.type", "f.yaml:4:7", "mapping"},
		"mapping for list":     {head + "  near: {a: b}\n", "ascode.type", "f.yaml:5:9", "a list"},
		"empty item":           {head + "  near:\n  - a\n  -\n", "ascode.empty_item", "f.yaml:7:4", "dash"},
		"twice a field":        {head + "  watt: 1\n  watt: 2\n", "ascode.field_twice", "f.yaml:6:3", "keep one"},
		"number as key":        {"apiVersion: example.com/v1\nkind: Lamp\nmetadata: {name: hall, labels: {1: a}}\n", "ascode.key", "f.yaml:3:33", "quotes"},
		"tab":                  {"kind: Lamp\nspec:\n\twatt: 1\n", "ascode.syntax", "f.yaml:3", "tabs"},
		"no kind":              {"apiVersion: example.com/v1\n", "ascode.header_missing", "f.yaml:1:1", "kind"},
		"kind misspelt":        {strings.Replace(hall, "Lamp", "Lmap", 1), "ascode.kind_unknown", "f.yaml:2:7", `did you mean "Lamp"`},
		"version unknown":      {strings.Replace(hall, "com/v1", "com/v2", 1), "ascode.version_unknown", "f.yaml:1:13", "example.com/v1"},
		"no name":              {"apiVersion: example.com/v1\nkind: Lamp\nmetadata: {}\n", "ascode.name_missing", "f.yaml:3:1", "metadata.name"},
		"bad name":             {strings.Replace(hall, "hall", "the hall", 1), "ascode.name_shape", "f.yaml:4:9", "63"},
		"twice a document":     {hall + "---\n" + hall, "ascode.twice", "f.yaml:11:9", "one of the two"},
		"not a document":       {"- a\n- b\n", "ascode.not_a_document", "f.yaml:1:1", "---"},
		"the room's own rule":  {strings.Replace(hall, "40", "-1", 1), "house.watt", "f.yaml:6:9", "0 or more"},
		"JSON that ends early": {`{"apiVersion": "example.com/v1",`, "ascode.syntax", "f.yaml:1", "indentation"},
		"a loop of anchors":    {"a: &a\n  b: *a\n", "ascode.alias_loop", "f.yaml:2:6", "write the value out"},
		"not UTF-8":            {"kind: \xff\n", "ascode.encoding", "f.yaml", "UTF-8"},
		"Alertmanager":         {"route: {receiver: x}\nreceivers: []\n", "ascode.foreign", "f.yaml:2:1", "NotificationChannel"},
		"Sloth":                {"version: prometheus/v1\nservice: x\n", "ascode.foreign", "f.yaml:1:10", "OpenSLO"},
	} {
		t.Run(name, func(t *testing.T) {
			_, faults := parse(t, c.data)
			if len(faults) != 1 {
				t.Fatalf("want one fault, got %v", faults)
			}
			f := faults[0]
			if f.Code != c.code || f.Where.String() != c.at || !strings.Contains(f.Remedy.EN, c.remedy) {
				t.Errorf("got %s at %s: %s\nwant %s at %s with %q", f.Code, f.Where, f, c.code, c.at, c.remedy)
			}
			if f.What.JA == "" || f.Remedy.JA == "" || f.Kind != fault.Invalid {
				t.Errorf("said in one language only, or not Invalid: %+v", f)
			}
		})
	}
}

func TestParseReportsEverythingAtOnce(t *testing.T) {
	_, faults := parse(t, "apiVersion: example.com/v1\nkind: Lamp\nmetadata: {name: hall}\nspec:\n  wat: 1\n  note: 2\n  on: maybe\n---\nkind: Lamp\n")
	if len(faults) != 4 {
		t.Errorf("want 4 faults, got %d: %v", len(faults), fault.Join(faults))
	}
}

func TestNullCountsAsAbsent(t *testing.T) {
	docs, faults := parse(t, "apiVersion: example.com/v1\nkind: Lamp\nmetadata: {name: hall}\nspec:\n  watt:\n  bulbs: # none yet\n")
	if len(faults) > 0 || docs[0].Object.(*lamp).Spec.Bulbs != nil {
		t.Error(faults, docs)
	}
}

func TestAnchorsAndMergeKeysAreFollowed(t *testing.T) {
	docs, faults := parse(t, `apiVersion: example.com/v1
kind: Lamp
metadata: {name: hall}
spec:
  bulbs:
  - &red {name: a, color: red}
  - <<: *red
    name: b
  near: &n [x]
`)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	if got := docs[0].Object.(*lamp).Spec.Bulbs[1]; got != (bulb{Name: "b", Color: "red"}) {
		t.Errorf("got %+v", got)
	}
}

func TestAnAliasBombIsRefusedQuickly(t *testing.T) {
	var b strings.Builder
	b.WriteString("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n")
	for i := 1; i < 12; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i-1), 10), ","))
	}
	_, faults := parse(t, b.String())
	if len(faults) != 1 || faults[0].Code != "ascode.too_much" {
		t.Errorf("got %v", faults)
	}
}

func TestDepthIsLimited(t *testing.T) {
	for name, data := range map[string]string{"f.yaml": strings.Repeat("a: {", 500) + strings.Repeat("}", 500), "f.json": strings.Repeat(`{"a":`, 500) + "1" + strings.Repeat("}", 500)} {
		_, faults := registry(&house{}).Parse([]File{{Name: name, Data: data}})
		if len(faults) != 1 || faults[0].Code == "" {
			t.Errorf("%s: got %v", name, faults)
		}
	}
}

func TestUnknownFieldsOfAnOpenFormatAreKept(t *testing.T) {
	docs, faults := parse(t, hall+"  shade: {color: green, folds: 12}\n")
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	tree, err := encode(docs[0].Object)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"apiVersion":"example.com/v1","kind":"Lamp","metadata":{"name":"hall"},"spec":{"watt":40,"shade":{"color":"green","folds":12}}}`
	if got := string(writeJSON(tree)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestJSONIsReadWithPositions(t *testing.T) {
	_, faults := registry(&house{}).Parse([]File{{Name: "f.json", Data: "{\n\t\"apiVersion\": \"example.com/v1\", \"kind\": \"Lamp\",\n\t\"metadata\": {\"name\": \"hall\"},\n\t\"spec\": {\"watt\": \"x\",\n\t\t\"wat\": 1}\n}\n"}})
	if len(faults) != 2 || faults[0].Where.String() != "f.json:4:19" || faults[1].Where.String() != "f.json:5:3" {
		t.Errorf("got %v", fault.Join(faults))
	}
}

func TestOldVersionsAreReadAlike(t *testing.T) {
	docs, faults := parse(t, strings.Replace(hall, "com/v1", "com/v1beta1", 1))
	if len(faults) > 0 || docs[0].APIVersion != "example.com/v1beta1" {
		t.Error(faults, docs)
	}
}

func TestAKindThatIsRefusedSaysWhy(t *testing.T) {
	r := registry(&house{})
	r.Refuse("example.com", "Candle", text.Say("candles burn", "ろうそくは燃えます"), text.Say("use a Lamp", "Lamp を使ってください"))
	_, faults := r.Parse([]File{{Data: "apiVersion: example.com/v1\nkind: Candle\nmetadata: {name: a}\n"}})
	if len(faults) != 1 || faults[0].Code != "ascode.kind_refused" || faults[0].What.EN != "candles burn" {
		t.Errorf("got %v", faults)
	}
}

func TestNearestFindsWhatWasMeant(t *testing.T) {
	words := []string{"dependsOn", "dependencyOf", "owner", "system", "type"}
	for got, want := range map[string]string{"dependson": "dependsOn", "onwer": "owner", "ownr": "owner", "remotes": "", "x": "", "tpye": "type"} {
		if n := nearest(got, words); n != want {
			t.Errorf("nearest(%q) = %q, want %q", got, n, want)
		}
	}
}

// FuzzParse checks that no input makes the reader panic, hang, or take a document
// that does not come back the same after it was written.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{hall, "{}", "a: &a [*a]", "? [x]\n: y", "<<: [*a]", "--- !!binary x", `{"kind":"Lamp"}`, "!!set {a}", "a: !!float x", "%YAML 1.1\n---\n", hall + "  bulbs: [{name: 0x1F}]", "spec: 2001-12-14t21:59:43.10-05:00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data string) {
		r := registry(&house{})
		for _, name := range []string{"f.yaml", "f.json"} {
			docs, faults := r.Parse([]File{{Name: name, Data: data}})
			for _, e := range faults {
				if e.Code == "" || e.Remedy.IsZero() || e.Where.File == "" {
					t.Fatalf("a fault without code, remedy or place: %+v", e)
				}
			}
			if len(faults) > 0 {
				continue
			}
			for _, d := range docs {
				again(t, r, d)
			}
		}
	})
}

func again(t *testing.T, r *Registry, d *Document) {
	t.Helper()
	tree, err := encode(d.Object)
	if err != nil {
		t.Fatal(err)
	}
	written, err := writeYAML([]*yaml.Node{tree})
	if err != nil {
		t.Fatal(err)
	}
	back, faults := r.Parse([]File{{Name: "again.yaml", Data: written}})
	if len(faults) > 0 || len(back) != 1 {
		t.Fatalf("what was written cannot be read: %v\n%s", faults, written)
	}
	second, err := encode(back[0].Object)
	if err != nil {
		t.Fatal(err)
	}
	if !same(tree, second) {
		t.Fatalf("%s\nbecame\n%s", writeJSON(tree), writeJSON(second))
	}
}
