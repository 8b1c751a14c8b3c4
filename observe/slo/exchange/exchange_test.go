package exchange_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/observe/slo/burn"
	"github.com/teiten/teiten/observe/slo/exchange"
	"github.com/teiten/teiten/observe/slo/openslo"
)

func read(t *testing.T, path string) []ascode.File {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return []ascode.File{{Name: filepath.Base(path), Data: string(data)}}
}

// accepted parses what an import wrote as the program would.
func accepted(t *testing.T, r exchange.Result) {
	t.Helper()
	yaml, err := r.YAML()
	if err != nil {
		t.Fatal(err)
	}
	kinds := ascode.NewRegistry()
	kinds.Add(ascode.Kind{APIVersion: openslo.APIVersion, Kind: "Service", ID: "services", New: func() any { return &openslo.Service{} }, Validate: openslo.ValidateService})
	kinds.Add(ascode.Kind{APIVersion: openslo.APIVersion, Kind: "SLO", ID: "slos", New: func() any { return &openslo.SLO{} }, Validate: openslo.ValidateSLO})
	docs, faults := kinds.Parse([]ascode.File{{Name: "imported.yaml", Data: yaml}})
	if len(faults) > 0 {
		t.Fatalf("%v\n%s", fault.Join(faults), yaml)
	}
	if len(docs) != len(r.Documents) {
		t.Fatalf("%d documents of %d\n%s", len(docs), len(r.Documents), yaml)
	}
}

// told are the notes as lines of a file and text.
func told(notes []exchange.Note) []string {
	var lines []string
	for _, n := range notes {
		lines = append(lines, fmt.Sprintf("%d: %s", n.Where.Line, n.What.EN))
	}
	return lines
}

// shape is what an objective comes down to.
func shape(r exchange.Result) []string {
	var lines []string
	for _, d := range r.Documents {
		o, ok := d.(*openslo.SLO)
		if !ok {
			continue
		}
		m := o.Spec.Indicator.Spec.RatioMetric
		lines = append(lines, fmt.Sprintf("%s %s %v%% %s %s counter=%v bad=%s good=%s total=%s raw=%s alerts=%s", o.Metadata.Name, o.Spec.Service,
			*o.Spec.Objectives[0].TargetPercent, o.Spec.TimeWindow[0].Duration, o.Spec.BudgetingMethod,
			m.Counter, m.Bad.Expression(), m.Good.Expression(), m.Total.Expression(), m.Raw.Expression(), o.Metadata.Annotations[openslo.Alerts]))
	}
	return lines
}

func TestSlothBecomesOpenSLO(t *testing.T) {
	r, err := exchange.Sloth(read(t, "testdata/sloth.yaml"), exchange.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`shop-orders-availability shop-orders 99.95% 30d Occurrences counter=true bad=sum(shop_orders_total{code=~"5.."}) good= total=sum(shop_orders_total) raw= alerts=page`,
		`shop-orders-satisfaction shop-orders 95% 30d RatioTimeslices counter=false bad= good= total= raw=1 - sum(sum_over_time(happy[1m])) / sum(count_over_time(happy[1m])) alerts=none`,
		`shop-orders-slow shop-orders 99% 30d Occurrences counter=false bad=sum_over_time((count(latency_seconds > 1))[1m:]) or on() vector(0) good= total=sum_over_time((count(latency_seconds))[1m:]) raw= alerts=`,
		`search-availability search 99.9% 30d Occurrences counter=true bad=sum(search_total{code="500"}) good= total=sum(search_total) raw= alerts=`,
	}
	if d := cmp.Diff(want, shape(r)); d != "" {
		t.Error(d)
	}
	notes := []string{
		"13: slos[0].alerting.name is not carried over",
		"14: slos[0].alerting.page_alert.labels is not carried over",
		"26: the queries are no plain rates of counters; they are evaluated over each minute as they are",
		"29: shop-orders-plug-in takes its queries from a plug-in of Sloth, which only Sloth can run: write the queries out",
		"30: there is another objective shop-orders-availability, at sloth.yaml:5; this one was left out",
		"35: the queries are no plain rates of counters; they are evaluated over each minute as they are",
		"49: spec.slos[0].alerting.name is not carried over",
		"49: spec.slos[0].alerting.pageAlert.labels is not carried over",
	}
	if d := cmp.Diff(notes, told(r.Notes)); d != "" {
		t.Error(d)
	}
}

func TestPyrraBecomesOpenSLO(t *testing.T) {
	r, err := exchange.Pyrra(read(t, "testdata/pyrra.yaml"), exchange.Options{})
	if err != nil {
		t.Fatal(err)
	}
	accepted(t, r)
	native := `sum(shop_order_seconds{job="shop"})`
	want := []string{
		`shop-orders-errors orders 99.5% 4w Occurrences counter=true bad=sum(shop_orders_total{job="shop",code=~"5.."}) good= total=sum(shop_orders_total{job="shop"}) raw= alerts=`,
		`shop-orders-latency orders 95% 2w Occurrences counter=true bad= good=sum(shop_order_seconds_bucket{job="shop",le="0.5"}) total=sum(shop_order_seconds_count{job="shop"}) raw= alerts=none`,
		`shop-orders-native shop-orders-native 99% 4w Occurrences counter=true bad= good=histogram_fraction(0, 0.2, ` + native + `) * histogram_count(` + native + `) total=histogram_count(` + native + `) raw= alerts=`,
		`shop-up shop-up 99% 4w Occurrences counter=false bad= good=sum(sum_over_time(up{job="shop"}[1m])) total=sum(count_over_time(up{job="shop"}[1m])) raw= alerts=`,
	}
	if d := cmp.Diff(want, shape(r)); d != "" {
		t.Error(d)
	}
	if grouped, _ := r.Documents[slices.IndexFunc(r.Documents, func(d any) bool {
		o, ok := d.(*openslo.SLO)
		return ok && o.Metadata.Name == "shop-orders-errors"
	})].(*openslo.SLO); grouped.Metadata.Annotations[openslo.By] != "region" {
		t.Errorf("the grouping by region has become %v", grouped.Metadata.Annotations)
	}
	for _, part := range []string{"alerting.name is not carried over", "no label names the service", "is estimated, as Prometheus does it", "the objective is left out"} {
		if !slices.ContainsFunc(told(r.Notes), func(n string) bool { return strings.Contains(n, part) }) {
			t.Errorf("no note says %q: %q", part, told(r.Notes))
		}
	}
}

func TestOtherDocumentsAreRefusedByPosition(t *testing.T) {
	files := []ascode.File{{Name: "x.yaml", Data: "apiVersion: v1\nkind: ConfigMap\n"}}
	for name, do := range map[string]func([]ascode.File, exchange.Options) (exchange.Result, error){"sloth": exchange.Sloth, "pyrra": exchange.Pyrra} {
		_, err := do(files, exchange.Options{})
		f, ok := fault.As(err)
		if !ok || f.Where.File != "x.yaml" || f.Where.Line != 1 || f.Remedy.IsZero() {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Every example of Sloth is carried over, or its notes say what is not.
func TestCorpusOfSloth(t *testing.T) {
	corpus := os.Getenv("TEITEN_CORPUS")
	if corpus == "" {
		t.Skip("TEITEN_CORPUS names no folder with Sloth's examples")
	}
	paths, err := filepath.Glob(filepath.Join(corpus, "sloth/examples/*.y*ml"))
	if err != nil || len(paths) == 0 {
		t.Fatal(paths, err)
	}
	windows, err := filepath.Glob(filepath.Join(corpus, "sloth/examples/windows/*.y*ml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(paths, windows...) {
		if strings.HasPrefix(filepath.Base(path), "openslo-") {
			continue // OpenSLO already
		}
		t.Run(filepath.Base(path), func(t *testing.T) {
			r, err := exchange.Sloth(read(t, path), exchange.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Documents) == 0 && len(r.Notes) == 0 {
				t.Error("nothing came of it, and nothing says why")
			}
			accepted(t, r)
		})
	}
}

var promises = []exchange.Promise{
	{Name: "orders", Title: "Orders", Service: "shop", Team: "payments", Objective: 0.999, Period: 30 * 24 * time.Hour, Counter: true,
		Bad: `sum(orders_total{code=~"5.."})`, Total: "sum(orders_total)", Rules: burn.Defaults(30 * 24 * time.Hour)},
	{Name: "search", Service: "shop", Objective: 0.95, Period: 28 * 24 * time.Hour, Counter: true,
		Good: `sum(search_seconds_bucket{le="0.5"})`, Total: "sum(search_seconds_count)", Rules: burn.Workbook(28 * 24 * time.Hour)},
	{Name: "happy", Service: "shop", Objective: 0.95, Period: 30 * 24 * time.Hour, Share: "1 - avg(happy)", Calendar: true},
	{Name: "journey", Service: "shop", Unsupported: "a composite"},
}

// The rules are what Prometheus itself takes, and say what they leave out.
func TestPrometheusTakesTheRules(t *testing.T) {
	yaml, err := exchange.Rules(promises)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"# Not expressed: journey: a composite", "# Not expressed: orders: the alert page-outage of kind outage", "# Not expressed: happy: the period follows the calendar",
		`expr: max(slo:burn_rate:ratio{slo="orders", window="1h"}) > 14.4 and max(slo:burn_rate:ratio{slo="orders", window="5m"}) > 14.4`} {
		if !strings.Contains(yaml, part) {
			t.Errorf("there is no %q in\n%s", part, yaml)
		}
	}
	tool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not installed")
	}
	file := filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(file, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), tool, "check", "rules", file).CombinedOutput(); err != nil {
		t.Fatalf("%s\n%s", out, yaml)
	}
}

// One bad hour at night among busy days costs what its events weigh: Prometheus
// runs the rules over the same samples and comes to that share, as near as its
// increase() extrapolates.
func TestTheRulesWeighEveryEventTheSame(t *testing.T) {
	tool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not installed")
	}
	yaml, err := exchange.Rules([]exchange.Promise{{Name: "orders", Service: "shop", Objective: 0.9, Period: 24 * time.Hour, Counter: true,
		Bad: `sum(orders_total{code="500"})`, Total: "sum(orders_total)"}})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	// Twelve busy hours of 1,000 a minute, then one hour of 10 a minute that all fail.
	suite := `rule_files: [rules.yaml]
evaluation_interval: 1m
tests:
- interval: 1m
  input_series:
  - {series: 'orders_total{code="200"}', values: "0+1000x720 720000x60"}
  - {series: 'orders_total{code="500"}', values: "0x720 10+10x59"}
  promql_expr_test:
  - expr: round(sum_over_time(slo:events_bad:rate1m{slo="orders"}[1d]), 20)
    eval_time: 13h5m
    exp_samples: [{labels: '{service="shop", slo="orders"}', value: 600}]
  - expr: round(slo:error_budget_left:ratio{slo="orders"}, 0.001)
    eval_time: 13h5m
    exp_samples: [{labels: '{service="shop", slo="orders"}', value: 0.992}]
`
	for name, data := range map[string]string{"rules.yaml": yaml, "test.yaml": suite} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), tool, "test", "rules", "test.yaml")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s\n%s", out, yaml)
	}
}

func TestTheDashboardReadsTheRecordedSeries(t *testing.T) {
	board, err := exchange.Grafana()
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		Title  string
		Panels []struct {
			ID      int
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal([]byte(board), &d); err != nil {
		t.Fatal(err)
	}
	rules, err := exchange.Rules(promises)
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Panels) != 5 {
		t.Errorf("%d panels", len(d.Panels))
	}
	for _, p := range d.Panels {
		for _, x := range p.Targets {
			name := x.Expr[strings.Index(x.Expr, "slo:"):]
			name = name[:strings.IndexAny(name, "{)")]
			if !strings.Contains(rules, "record: "+name+"\n") {
				t.Errorf("nothing records %s", name)
			}
		}
	}
}

func FuzzImport(f *testing.F) {
	for _, file := range []string{"testdata/sloth.yaml", "testdata/pyrra.yaml"} {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(data))
	}
	f.Fuzz(func(t *testing.T, data string) {
		files := []ascode.File{{Name: "x.yaml", Data: data}}
		for _, do := range []func([]ascode.File, exchange.Options) (exchange.Result, error){exchange.Sloth, exchange.Pyrra} {
			r, err := do(files, exchange.Options{})
			if err != nil {
				continue
			}
			if _, err := r.YAML(); err != nil {
				t.Error(err)
			}
		}
	})
}
