// Package exact_test holds the built program against stories whose truth is
// known to the last event.
//
// The stories enter as they do for people: as blocks in the folder of the embedded
// store, as a Prometheus server that holds the same blocks, and by scraping. The
// objectives are written by hand or imported from another tool's. What is compared
// is what the API answers.
package exact_test

import (
	"context"
	"flag"
	"fmt"
	"math"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/teiten/teiten/observe/metrics/embedded"
	"github.com/teiten/teiten/test/program"
	"github.com/teiten/teiten/test/scenario"
)

var (
	days = flag.Int("exact.days", 2, "how long the stories are; their window is 30 days")
	seed = flag.Uint64("exact.seed", 0, "tells the stories of this seed again")
	most = flag.Int("exact.stories", 1000, "how many stories are told")
	late = flag.Bool("exact.late", false, "also tells stories that are sent a day late, in many parts")
	file = flag.String("exact.report", "", "writes what was found to this file, as a table")
)

// story is a scenario and how it is counted.
type story struct {
	*scenario.Scenario
	objectives []objective
}

// precision is how far counts may be from the truth, as a part of them: not at
// all, but for parts of events, which the ledger keeps to seven digits.
func (s *story) precision() float64 {
	if s.Unit != math.Floor(s.Unit) {
		return 1e-7
	}
	return 1e-9
}

func (s *story) same(got, want float64) bool { return math.Abs(got-want) <= s.precision()*want+1e-6 }

// world is the program and what it counts.
type world struct {
	t          *testing.T
	stories    []*story
	server     *program.Server
	prometheus string // its address; empty where it is not installed
	dir        string
}

func TestEveryStoryIsCountedToTheLastEvent(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program and reads days of samples")
	}
	w := newWorld(t)
	w.write()
	w.start()
	w.apply()
	w.counted()
	w.compare()
	// What was counted outlives the process, however it ends.
	if err := w.server.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := w.server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.counted()
	w.compare()
	w.report()
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, dir: t.TempDir()}
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-exact.seed=%d", *seed)
	from := time.Now().UTC().Truncate(time.Hour).AddDate(0, 0, -*days)
	half := (*days + 1) / 2
	for i, p := range slices.Concat(scenario.Plans(from, *days), scenario.Adversities(from, *days), scenario.Shapes(from.AddDate(0, 0, *days-half), half)) {
		if i >= *most {
			break
		}
		p.Job = fmt.Sprintf("story-%02d", i)
		w.stories = append(w.stories, &story{Scenario: scenario.Make(p, *seed)})
	}
	return w
}

// write puts the stories into the embedded store's folder, and into that of a
// Prometheus server. One of them is made by Prometheus' own tool.
func (w *world) write() {
	t := w.t
	t.Helper()
	folder := filepath.Join(w.dir, "data", "metrics")
	store, err := embedded.Open(t.Context(), embedded.Options{Dir: folder, RetentionTime: 60 * 24 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range w.stories {
		if i == 0 && w.promtool(s, folder) {
			continue
		}
		err := store.Import(t.Context(), s.Labels, func(yield func(embedded.Sample) bool) {
			for _, x := range s.Samples {
				if !yield(embedded.Sample(x)) {
					return
				}
			}
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(program.PrometheusPath); err != nil {
		t.Log("Prometheus is not installed: nothing is read from one")
		return
	}
	dir := filepath.Join(w.dir, "prometheus")
	for _, block := range w.blocks(folder) {
		if err := os.CopyFS(filepath.Join(dir, "tsdb", filepath.Base(block)), os.DirFS(block)); err != nil {
			t.Fatal(err)
		}
	}
	w.startPrometheus(dir)
}

// promtool has Prometheus' own tool make blocks of a story.
func (w *world) promtool(s *story, folder string) bool {
	tool, err := exec.LookPath("promtool")
	if err != nil || *days > 3 { // it reads all of its input once for every two hours
		return false
	}
	input := filepath.Join(w.dir, "story.om")
	if err := os.WriteFile(input, []byte(openMetrics(s.Scenario)), 0o600); err != nil {
		w.t.Fatal(err)
	}
	out, err := exec.CommandContext(w.t.Context(), tool, "tsdb", "create-blocks-from", "openmetrics", "-q", input, folder).CombinedOutput()
	if err != nil {
		w.t.Fatalf("%v: %s", err, out)
	}
	return true
}

func (w *world) blocks(folder string) []string {
	found, err := filepath.Glob(filepath.Join(folder, "0*", "meta.json"))
	if err != nil || len(found) == 0 {
		w.t.Fatal("no blocks", err)
	}
	for i := range found {
		found[i] = filepath.Dir(found[i])
	}
	return found
}

func (w *world) startPrometheus(dir string) {
	t := w.t
	t.Helper()
	address, err := program.FreeAddress(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(config, []byte("global: {scrape_interval: 1m}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := program.StartDaemon(t.Context(), dir, address, "/-/ready", program.PrometheusPath, "--config.file="+config,
		"--storage.tsdb.path="+filepath.Join(dir, "tsdb"), "--storage.tsdb.retention.time=90d", "--web.listen-address="+address, "--log.level=warn")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Stop(); err != nil {
			t.Error(err)
		}
	})
	w.prometheus = d.URL
}

func (w *world) start() {
	t := w.t
	t.Helper()
	bin, err := program.Build(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	w.server = program.New(program.Options{Binary: bin, Data: filepath.Join(w.dir, "data")})
	t.Cleanup(func() {
		if err := w.server.Kill(); err != nil {
			t.Error(err)
		}
	})
	if err := w.server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// apply writes the objectives of each story, for each source, and those that
// were imported.
func (w *world) apply() {
	t := w.t
	t.Helper()
	var documents, slothFiles strings.Builder
	address := w.prometheus
	if address == "" {
		address = "http://127.0.0.1:9"
	}
	fmt.Fprintf(&documents, sources, address)
	zones := []string{"America/New_York", "Europe/Berlin", "Asia/Tokyo", "Australia/Lord_Howe"}
	for i, s := range w.stories {
		add := func(o objective) {
			o.name = fmt.Sprintf("s%02d-%s", i, o.name)
			s.objectives = append(s.objectives, o)
			documents.WriteString(o.document(s.Scenario))
		}
		if s.Bad() != "" {
			add(objective{name: "bad", source: "embedded"})
		}
		if s.Good() != "" {
			add(objective{name: "good", source: "embedded", good: true, calendar: zones[i%len(zones)]})
		}
		if w.prometheus != "" {
			add(objective{name: "remote", source: "prometheus", good: s.Bad() == ""})
		}
		if s.Shape != scenario.Codes || s.Target != nil || s.Twins != nil {
			continue // the other tool's query is of a job's codes
		}
		name := fmt.Sprintf("s%02d-sloth", i)
		slothFiles.WriteString("---\n" + sloth(name, s.JobName()))
		s.objectives = append(s.objectives, objective{name: "imported-" + name})
	}
	from := filepath.Join(w.dir, "sloth.yaml")
	if err := os.WriteFile(from, []byte(slothFiles.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	imported := w.run("import", "sloth", from)
	for set, d := range map[string]string{"stories": documents.String(), "imported": imported} {
		if _, err := w.server.Apply(t.Context(), set, d); err != nil {
			t.Fatal(err)
		}
	}
}

// run runs another command of the program; what it notes on the way is left out.
func (w *world) run(args ...string) string {
	w.t.Helper()
	out, err := w.server.Output(w.t.Context(), args...)
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// standing is an objective as the API tells it.
type standing struct {
	Name                  string
	Good, Total           float64
	BudgetLeft            *float64
	BudgetLow, BudgetHigh *float64
	Exact                 bool
	Watermark             time.Time
	Backfill              struct{ State string }
	Bounds                struct{ WindowFrom time.Time }
	StatusReason          struct{ EN string }
}

// counted waits until the past of every objective is read.
func (w *world) counted() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Duration(*days)*5*time.Minute)
	defer cancel()
	for {
		all, err := program.All[standing](ctx, w.server, "/api/v1/slos?limit=200")
		if err != nil {
			w.t.Fatal(err)
		}
		waiting := 0
		for _, s := range all {
			if s.Backfill.State != "done" {
				waiting++
			}
		}
		if waiting == 0 && len(all) > 0 {
			return
		}
		select {
		case <-ctx.Done():
			w.t.Fatalf("the past of %d objectives was not read", waiting)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func (w *world) standing(name string) (s standing) {
	w.t.Helper()
	if err := w.server.Get(w.t.Context(), "/api/v1/slos/"+name, &s); err != nil {
		w.t.Fatal(err)
	}
	return s
}

// compare holds the window of each objective, and each hour of it, against what
// the scrapes saw.
func (w *world) compare() {
	for _, s := range w.stories {
		w.t.Run(s.Name, func(t *testing.T) {
			for _, o := range s.objectives {
				w := *w
				w.t = t
				w.compareOne(s, o.name)
			}
		})
	}
}

func (w *world) compareOne(s *story, name string) {
	t := w.t
	t.Helper()
	x := w.standing(name)
	from := x.Bounds.WindowFrom
	if !s.InGap(from.Unix()/60) && from.Before(s.To) {
		want := s.Seen(from, s.To.Add(time.Minute))
		if bad := x.Total - x.Good; !s.same(x.Total, want.Total) || !s.same(bad, want.Bad) {
			t.Errorf("%s: %v bad of %v since %s, the scrapes saw %v of %v", name, bad, x.Total, from.Format(time.DateTime), want.Bad, want.Total)
		}
		if left := 1 - want.Bad/(0.001*want.Total); want.Total > 0 && (x.BudgetLeft == nil || math.Abs(*x.BudgetLeft-left) > s.precision()*math.Abs(left)+1e-9) {
			t.Errorf("%s: %s of the budget is left, and %v is", name, show(x.BudgetLeft), left)
		}
		if !x.Exact {
			t.Errorf("%s is not called exact", name)
		}
	}
	var hours struct {
		Times      []int64
		Bad, Total []*float64
	}
	q := url.Values{"step": {"hour"}, "from": {s.From.Format(time.RFC3339)}, "to": {s.To.Format(time.RFC3339)}}
	if err := w.server.Get(t.Context(), "/api/v1/slos/"+name+"/events?"+q.Encode(), &hours); err != nil {
		t.Fatal(err)
	}
	first := max(from.Unix(), s.From.Unix())
	wrong, compared := 0, 0
	for i, ms := range hours.Times {
		a := time.UnixMilli(ms).UTC()
		b := a.Add(time.Hour)
		if s.InGap(a.Unix()/60) || s.InGap(b.Unix()/60) || a.Unix() < first || b.After(s.To) || hours.Total[i] == nil {
			continue
		}
		compared++
		want := s.Seen(a, b)
		if wrong++; s.same(*hours.Total[i], want.Total) && s.same(*hours.Bad[i], want.Bad) {
			wrong--
		} else if wrong < 3 {
			t.Errorf("%s: %v bad of %v in the hour of %s, the scrapes saw %v of %v", name, *hours.Bad[i], *hours.Total[i], a.Format(time.DateTime), want.Bad, want.Total)
		}
	}
	if compared == 0 && from.Before(s.To.Add(-2*time.Hour)) {
		t.Errorf("%s: no hour to compare", name)
	}
}

func show(v *float64) string {
	if v == nil {
		return "nothing"
	}
	return fmt.Sprint(*v)
}
