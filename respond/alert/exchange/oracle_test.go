package exchange_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/prometheus/common/model"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/respond/alert/exchange"
	"github.com/teiten/teiten/respond/alert/route"
	"github.com/teiten/teiten/respond/alert/routing"
)

// TestAnImportedTreeRoutesAsAlertmanagerItselfDoes asks the real program where
// alerts go, in which groups, and which of them are inhibited: for generated
// configurations, and for those of the corpus.
func TestAnImportedTreeRoutesAsAlertmanagerItselfDoes(t *testing.T) {
	program, err := exec.LookPath("prometheus-alertmanager")
	if err != nil {
		t.Skip("Alertmanager is not installed: make debian installs it")
	}
	const generated = 12
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same each time
	o := startOracle(t, program, generate(r))
	for range generated {
		o.compare(generate(r), drawn(r, 150), false)
	}
	root := os.Getenv("TEITEN_CORPUS")
	if root == "" {
		return
	}
	for _, name := range []string{"config/testdata/conf.good.yml", "config/testdata/conf.group-by-all.yml", "config/testdata/conf.empty-fields.yml",
		"doc/examples/simple.yml", "doc/examples/route_labels.yml", "cli/testdata/conf.routing.yml", "cli/testdata/conf.routing-reverted.yml", "cli/testdata/conf.good.yml"} {
		data, err := os.ReadFile(filepath.Join(root, "alertmanager-config", name))
		if err != nil {
			t.Fatal(err)
		}
		o.compare(string(data), drawn(r, 150), true)
	}
}

var (
	names  = []string{"alertname", "service", "severity", "owner", "team"}
	values = []string{"critical", "warning", "foo1", "files", "database", "team-X", "mysql", "cassandra"}
)

func some(r *rand.Rand, from []string) string { return from[r.IntN(len(from))] }

func drawn(r *rand.Rand, n int) []route.Labels {
	all := make([]route.Labels, n)
	for i := range all {
		all[i] = route.Labels{"n": fmt.Sprint(i)}
		for _, name := range names {
			if r.IntN(3) > 0 {
				all[i][name] = some(r, values)
			}
		}
	}
	return all
}

func condition(r *rand.Rand) string {
	return fmt.Sprintf("'%s%s%q'", some(r, names), some(r, []string{"=", "!=", "=~", "!~"}), some(r, append([]string{"", "critical|warning", "team-.*", "foo1|", "[a-m].*"}, values...)))
}

// generate writes a configuration.
func generate(r *rand.Rand) string {
	var b strings.Builder
	b.WriteString("receivers: [{name: a}, {name: b}, {name: c}]\nroute:\n  receiver: a\n")
	branches(&b, r, "  ", 3)
	b.WriteString("inhibit_rules:\n")
	for range 3 {
		fmt.Fprintf(&b, "- {source_matchers: [%s, %s], target_matchers: [%s], equal: [%s]}\n", condition(r), condition(r), condition(r), some(r, names))
	}
	return b.String()
}

func branches(b *strings.Builder, r *rand.Rand, indent string, depth int) {
	if by := r.IntN(4); by > 1 {
		fmt.Fprintf(b, "%sgroup_by: [%s]\n", indent, []string{"'...'", "service, team"}[by-2])
	}
	if depth == 0 {
		return
	}
	fmt.Fprintf(b, "%sroutes:\n", indent)
	for range 1 + r.IntN(3) {
		fmt.Fprintf(b, "%s- matchers: [%s]\n%s  continue: %v\n", indent, condition(r), indent, r.IntN(3) == 0)
		if r.IntN(3) > 0 {
			fmt.Fprintf(b, "%s  receiver: %s\n", indent, some(r, []string{"a", "b", "c"}))
		}
		branches(b, r, indent+"  ", depth-1)
	}
}

// oracle is a running Alertmanager.
type oracle struct {
	t         *testing.T
	url, file string
	posted    []route.Labels // all of which still fire
}

func startOracle(t *testing.T, program, config string) *oracle {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	o := &oracle{t: t, url: "http://" + address, file: filepath.Join(dir, "config.yml")}
	o.write(config)
	cmd := exec.CommandContext(t.Context(), program, "--config.file", o.file, "--storage.path", dir, "--web.listen-address", address, "--cluster.listen-address=")
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() }) // the test's context ends it
	for end := time.Now().Add(30 * time.Second); ; {
		if status, _ := o.ask(http.MethodGet, "/-/ready", nil); status == http.StatusOK {
			return o
		}
		if time.Now().After(end) {
			t.Fatalf("Alertmanager does not start: %s", said.String())
		}
	}
}

func (o *oracle) write(config string) {
	o.t.Helper()
	if err := os.WriteFile(o.file, []byte(config), 0o600); err != nil {
		o.t.Fatal(err)
	}
}

func (o *oracle) ask(method, path string, body any) (int, []byte) {
	data, err := json.Marshal(body)
	if err != nil {
		o.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(o.t.Context(), method, o.url+path, bytes.NewReader(data))
	if err != nil {
		o.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, nil
	}
	defer answer.Body.Close()
	data, _ = io.ReadAll(answer.Body)
	return answer.StatusCode, data
}

// nowhere is where documents are written that come from no file.
type nowhere struct{}

func (nowhere) Pos(...any) fault.Position { return fault.Position{} }
func (nowhere) Fault(code string, what, remedy text.Both, _ ...any) *fault.Error {
	return fault.New(fault.Invalid, code, what).Fix(remedy)
}

// compare has both route the same alerts by one configuration.
func (o *oracle) compare(config string, alerts []route.Labels, mayRefuse bool) {
	o.t.Helper()
	o.write(config)
	if status, said := o.ask(http.MethodPost, "/-/reload", nil); status != http.StatusOK {
		if !mayRefuse {
			o.t.Fatalf("Alertmanager refuses %s\n%s", config, said)
		}
		o.t.Logf("this Alertmanager refuses a configuration of the corpus: %.80s", said)
		return
	}
	r, err := exchange.Alertmanager(ascode.File{Name: "am.yml", Data: config}, exchange.Options{})
	if err != nil {
		o.t.Fatalf("%v\n%s", err, config)
	}
	tree, faults := route.Build([]route.Document{{Spec: r.Documents[len(r.Documents)-1].(*routing.Routing).Spec, Places: nowhere{}}})
	if len(faults) > 0 {
		o.t.Fatal(fault.Join(faults))
	}
	o.posted = append(o.posted, alerts...)
	router, firing := route.New(tree, nil, nil), route.NewInhibitor(tree.Inhibitions())
	for _, l := range o.posted {
		firing.Add(named(l), route.Alert{Labels: l})
	}
	ours := fate{map[string][]string{}, map[string]bool{}}
	for _, l := range o.posted {
		v := router.Decide(route.Alert{Labels: l}, firing, time.Now())
		var to []string
		for _, d := range v.Decisions {
			to = append(to, fmt.Sprint(d.Receiver.Name, d.Group.Labels))
		}
		slices.Sort(to)
		ours.Routes[named(l)] = to
		if len(v.Suppressed) > 0 {
			ours.Inhibited[named(l)] = true
		}
	}
	o.expect(alerts, ours, config)
}

// fate is what becomes of alerts, by fingerprint.
type fate struct {
	Routes    map[string][]string // receivers with the labels of the groups
	Inhibited map[string]bool
}

func named(l route.Labels) string {
	set := model.LabelSet{}
	for name, v := range l {
		set[model.LabelName(name)] = model.LabelValue(v)
	}
	return set.Fingerprint().String()
}

// expect posts alerts and waits until the real program, which works on them in
// its own time, says the same of all that fire.
func (o *oracle) expect(alerts []route.Labels, ours fate, config string) {
	o.t.Helper()
	var body []map[string]any
	for _, l := range alerts {
		body = append(body, map[string]any{"labels": maps.Clone(l)})
	}
	if status, said := o.ask(http.MethodPost, "/api/v2/alerts", body); status != http.StatusOK {
		o.t.Fatalf("alerts: %d %s", status, said)
	}
	for end := time.Now().Add(20 * time.Second); ; {
		theirs := o.groups()
		if cmp.Equal(theirs, ours) {
			return
		}
		if time.Now().After(end) {
			o.t.Fatalf("they differ: %.3000s\n%s", cmp.Diff(theirs, ours), config)
		}
	}
}

func (o *oracle) groups() fate {
	_, data := o.ask(http.MethodGet, "/api/v2/alerts/groups", nil)
	var groups []struct {
		Labels   route.Labels
		Receiver struct{ Name string }
		Alerts   []struct {
			Fingerprint string
			Status      struct{ InhibitedBy []string }
		}
	}
	if err := json.Unmarshal(data, &groups); err != nil {
		o.t.Fatal(err)
	}
	f := fate{map[string][]string{}, map[string]bool{}}
	for _, g := range groups {
		for _, a := range g.Alerts {
			to := append(f.Routes[a.Fingerprint], fmt.Sprint(g.Receiver.Name, g.Labels))
			slices.Sort(to)
			f.Routes[a.Fingerprint] = to
			if len(a.Status.InhibitedBy) > 0 {
				f.Inhibited[a.Fingerprint] = true
			}
		}
	}
	return f
}
