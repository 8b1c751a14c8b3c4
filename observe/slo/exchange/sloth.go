package exchange

import (
	"regexp"
	"strings"
	"time"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/metrics/promexpr"
	"github.com/teiten/teiten/observe/slo/openslo"
)

// Sloth reads specifications of Sloth (prometheus/v1) and its Kubernetes resource
// PrometheusServiceLevel. It returns faults for files that are no YAML or hold
// documents of other kinds; what a known document says and cannot be carried over
// is in the notes.
func Sloth(files []ascode.File, o Options) (Result, error) {
	im := newImporter(o)
	var faults []*fault.Error
	for _, f := range files {
		roots, wrong := ascode.Read(f)
		faults = append(faults, wrong...)
		for _, root := range roots {
			if fault := im.slothDocument(documentAt(f.Name, root)); fault != nil {
				faults = append(faults, fault)
			}
		}
	}
	if len(faults) > 0 {
		return Result{}, fault.Join(faults)
	}
	im.Notes = sorted(im.Notes)
	return im.Result, nil
}

func (im *importer) slothDocument(doc cursor) *fault.Error {
	body := doc
	switch api := doc.field("apiVersion").text(); {
	case doc.field("version").text() == "prometheus/v1":
	case api == "sloth.slok.dev/v1" && doc.field("kind").text() == "PrometheusServiceLevel":
		doc.field("metadata").all()
		body = doc.field("spec")
	case api == "sloth.slok.dev/v1" && doc.field("kind").text() == "AlertWindows":
		im.note(doc.all(), "alert windows are not carried over: each objective has the four alerts of the SRE workbook; write alertPolicies for others",
			"AlertWindows は引き継がれません。各目標にはSREワークブックの4つのアラートが付きます。ほかの条件は alertPolicies に書いてください")
		return nil
	default:
		return fault.New(fault.Invalid, "exchange.not_sloth", text.Say("this is no specification of Sloth", "Sloth の定義ではありません")).
			Fix(text.Say("name files with version: prometheus/v1, or with kind: PrometheusServiceLevel; OpenSLO documents apply as they are",
				"version: prometheus/v1 または kind: PrometheusServiceLevel のファイルを指定してください。OpenSLO の文書はそのまま適用できます")).At(doc.position())
	}
	service := slug(body.field("service").text())
	if service == "" {
		service = slug(im.Service)
	}
	labels := body.field("labels").labels()
	for _, s := range body.field("slos").items() {
		im.slothSLO(s, service, labels)
	}
	im.lost(doc)
	return nil
}

func (im *importer) slothSLO(s cursor, service string, labels map[string]any) {
	name := slug(service, s.field("name").text())
	percent, ok := s.field("objective").number()
	if !ok || service == "" || s.field("name").text() == "" {
		im.note(s.all(), "an objective without service, name or objective cannot be carried over", "service、name、objective のいずれかがない目標は取り込めません")
		return
	}
	indicator, method, ok := im.slothIndicator(s.field("sli"), name)
	if !ok {
		s.all()
		return
	}
	o := im.objective(name, service, im.Window, percent, indicator)
	o.Metadata.DisplayName = s.field("name").text()
	o.Metadata.Labels = merged(labels, s.field("labels").labels())
	o.Spec.Description = s.field("description").text()
	if method != "" {
		o.Spec.BudgetingMethod = method
		o.Spec.Objectives[0].TimeSliceWindow = "1m"
	}
	im.slothAlerts(s.field("alerting"), o)
	im.add(s, o)
}

func merged(sets ...map[string]any) map[string]any {
	var out map[string]any
	for _, set := range sets {
		for k, v := range set {
			if out == nil {
				out = map[string]any{}
			}
			out[k] = v
		}
	}
	return out
}

// slothIndicator carries the SLI over. A raw ratio is averaged over time by
// Sloth, as RatioTimeslices of a minute are.
func (im *importer) slothIndicator(sli cursor, name string) (spec openslo.SLISpec, method string, ok bool) {
	if e := sli.field("events"); e.exists() {
		bad, total := e.field("error_query", "errorQuery"), e.field("total_query", "totalQuery")
		r, ok := im.events(bad, total)
		return openslo.SLISpec{RatioMetric: r}, "", ok
	}
	if raw := sli.field("raw"); raw.exists() {
		q := raw.field("error_ratio_query", "errorRatioQuery")
		expr, ok := im.checked(q, window(q.text(), time.Minute))
		return openslo.SLISpec{RatioMetric: &openslo.RatioMetric{RawType: "failure", Raw: promQL(expr)}}, "RatioTimeslices", ok
	}
	im.note(sli, "%s takes its queries from a plug-in of Sloth, which only Sloth can run: write the queries out", "%s のクエリは Sloth のプラグインが作るため取り込めません。クエリを直接書いてください", name)
	return openslo.SLISpec{}, "", false
}

// events carries two queries over. Where both are rates or increases of counters
// the counters themselves are asked, so that every event is counted; otherwise
// the queries are asked over each minute.
func (im *importer) events(bad, total cursor) (*openslo.RatioMetric, bool) {
	const w = 10 * time.Minute
	b, okBad := promexpr.Bare(window(bad.text(), w), w)
	t, okTotal := promexpr.Bare(window(total.text(), w), w)
	if okBad && okTotal && sameUnit(bad.text(), total.text()) {
		return &openslo.RatioMetric{Counter: true, Bad: promQL(b), Total: promQL(t)}, true
	}
	be, okBad := im.checked(bad, window(bad.text(), time.Minute))
	te, okTotal := im.checked(total, window(total.text(), time.Minute))
	if !okBad || !okTotal {
		return nil, false
	}
	im.note(total, "the queries are no plain rates of counters; they are evaluated over each minute as they are", "クエリが単純なカウンターの rate ではないため、1分ごとにそのまま評価します")
	return &openslo.RatioMetric{Bad: promQL(be), Total: promQL(te)}, true
}

// sameUnit reports whether two queries count in the same unit: per second, or
// over the window.
func sameUnit(a, b string) bool {
	return strings.Contains(a, "rate(") == strings.Contains(b, "rate(")
}

// checked is an expression that parses, without the line breaks of its file.
func (im *importer) checked(c cursor, expr string) (string, bool) {
	if err := promexpr.Check(expr); err != nil {
		what := text.Say("the query cannot be evaluated", "クエリを評価できません")
		if f, ok := fault.As(err); ok {
			what = f.What
		}
		im.note(c, "the objective is left out, since its query is no PromQL: %s", "クエリが PromQL として解釈できないため、この目標は取り込みません: %s", what)
		return "", false
	}
	return strings.TrimSpace(expr), true
}

var placeholder = regexp.MustCompile(`\{\{-?\s*\.window\s*-?\}\}`)

// window puts a length where Sloth puts each of its windows.
func window(expr string, w time.Duration) string {
	return placeholder.ReplaceAllString(expr, strings.TrimSuffix(w.String(), "0s"))
}

// slothAlerts carries over which alerts there are. Their labels route in
// Alertmanager; Teiten routes by team and service.
func (im *importer) slothAlerts(a cursor, o *openslo.SLO) {
	page, ticket := a.field("page_alert", "pageAlert"), a.field("ticket_alert", "ticketAlert")
	noPage, noTicket := page.field("disable").yes(), ticket.field("disable").yes()
	set := ""
	switch {
	case noPage && noTicket:
		set = "none"
	case noPage:
		set = "ticket"
	case noTicket:
		set = "page"
	}
	if set != "" {
		o.Metadata.Annotations = map[string]string{openslo.Alerts: set}
	}
}
