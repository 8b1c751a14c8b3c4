package exchange

import (
	"strconv"
	"strings"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/metrics/promexpr"
	"github.com/teiten/teiten/observe/slo/openslo"
)

// Pyrra reads Pyrra's ServiceLevelObjective resources. It returns faults for
// files that are no YAML or hold documents of other kinds; what cannot be carried
// over is in the notes.
func Pyrra(files []ascode.File, o Options) (Result, error) {
	im := newImporter(o)
	var faults []*fault.Error
	for _, f := range files {
		roots, wrong := ascode.Read(f)
		faults = append(faults, wrong...)
		for _, root := range roots {
			doc := documentAt(f.Name, root)
			if doc.field("apiVersion").text() != "pyrra.dev/v1alpha1" || doc.field("kind").text() != "ServiceLevelObjective" {
				faults = append(faults, fault.New(fault.Invalid, "exchange.not_pyrra", text.Say("this is no objective of Pyrra", "Pyrra の目標ではありません")).
					Fix(text.Say("name files with apiVersion: pyrra.dev/v1alpha1 and kind: ServiceLevelObjective",
						"apiVersion: pyrra.dev/v1alpha1、kind: ServiceLevelObjective のファイルを指定してください")).At(doc.position()))
				continue
			}
			im.pyrraSLO(doc)
			im.lost(doc)
		}
	}
	if len(faults) > 0 {
		return Result{}, fault.Join(faults)
	}
	im.Notes = sorted(im.Notes)
	return im.Result, nil
}

func (im *importer) pyrraSLO(doc cursor) {
	meta, spec := doc.field("metadata"), doc.field("spec")
	name := slug(meta.field("name").text())
	labels := meta.field("labels").labels()
	meta.field("namespace")
	percent, err := strconv.ParseFloat(spec.field("target").text(), 64)
	indicator, ok := im.pyrraIndicator(spec.field("indicator"))
	if err != nil || name == "" || !ok {
		im.note(spec.all(), "an objective without name, target or a known indicator cannot be carried over", "名前、target、既知の indicator のいずれかがない目標は取り込めません")
		return
	}
	service := im.pyrraService(meta, name, labels)
	o := im.objective(name, service, im.pyrraWindow(spec.field("window")), percent, indicator)
	o.Metadata.DisplayName = meta.field("name").text()
	o.Metadata.Labels = labels
	o.Spec.Description = spec.field("description").text()
	if spec.field("alerting").field("disabled").yes() {
		o.Metadata.Annotations = map[string]string{openslo.Alerts: "none"}
	}
	spec.field("performance_over_accuracy") // every window is exact here
	im.add(doc, o)
}

// pyrraService is the service that a label names, or the one of the options, or
// the objective itself: Pyrra knows no services.
func (im *importer) pyrraService(meta cursor, name string, labels map[string]any) string {
	for _, l := range []string{"pyrra.dev/service", "service", "app.kubernetes.io/name", "app"} {
		if s, ok := labels[l].(string); ok && slug(s) != "" {
			return slug(s)
		}
	}
	if im.Service != "" {
		return slug(im.Service)
	}
	im.note(meta, "no label names the service; it is called %s, or give one with --service", "サービスを示すラベルがないため、サービス名を %s とします。--service でも指定できます", name)
	return name
}

// pyrraWindow is the period. Pyrra writes Prometheus' durations, of which whole
// days and weeks are OpenSLO's as well.
func (im *importer) pyrraWindow(w cursor) string {
	if _, ok := openslo.ParseDuration(w.text()); ok {
		return w.text()
	}
	im.note(w, "the window %q cannot be carried over; %s is used", "期間 %q は取り込めないため %s を使います", w.text(), im.Window)
	return im.Window
}

func (im *importer) pyrraIndicator(i cursor) (openslo.SLISpec, bool) {
	ratio := func(r *openslo.RatioMetric, parts ...cursor) (openslo.SLISpec, bool) {
		for _, p := range parts {
			if _, ok := im.checked(p, p.text()); !ok {
				return openslo.SLISpec{}, false
			}
		}
		return openslo.SLISpec{RatioMetric: r}, true
	}
	if r := i.field("ratio"); r.exists() {
		bad, total := r.at("errors", "metric"), r.at("total", "metric")
		im.grouping(r)
		return ratio(&openslo.RatioMetric{Counter: true, Bad: promQL(sum(bad)), Total: promQL(sum(total))}, bad, total)
	}
	if l := i.field("latency"); l.exists() {
		good, total := l.at("success", "metric"), l.at("total", "metric")
		im.grouping(l)
		return ratio(&openslo.RatioMetric{Counter: true, Good: promQL(sum(good)), Total: promQL(sum(total))}, good, total)
	}
	if n := i.field("latencyNative", "latency_native"); n.exists() {
		return im.pyrraNative(n)
	}
	if g := i.field("bool_gauge", "boolGauge"); g.exists() {
		m := g.field("metric")
		im.grouping(g)
		return ratio(&openslo.RatioMetric{Good: promQL(sum(m)), Total: promQL("count(" + m.text() + ")")}, m)
	}
	return openslo.SLISpec{}, false
}

func sum(metric cursor) string { return "sum(" + strings.TrimSpace(metric.text()) + ")" }

// pyrraNative counts the observations of a native histogram below a latency.
func (im *importer) pyrraNative(n cursor) (openslo.SLISpec, bool) {
	metric, latency := n.at("total", "metric"), n.field("latency")
	im.grouping(n)
	seconds, ok := promexpr.Seconds(latency.text())
	if !ok {
		im.note(latency, "%q is no latency", "%q は時間として読めません", latency.text())
		return openslo.SLISpec{}, false
	}
	if _, ok := im.checked(metric, metric.text()); !ok {
		return openslo.SLISpec{}, false
	}
	grown := "sum(increase(" + metric.text() + "[1m]))"
	total := "histogram_count(" + grown + ")"
	good := "histogram_fraction(0, " + strconv.FormatFloat(seconds, 'g', -1, 64) + ", " + grown + ") * " + total
	im.note(n, "native histograms are estimated by Prometheus inside the bucket that holds the latency", "ネイティブヒストグラムでは、しきい値を含むバケットの内側は Prometheus の推定値です")
	return openslo.SLISpec{RatioMetric: &openslo.RatioMetric{Good: promQL(good), Total: promQL(total)}}, true
}

// grouping notes that Pyrra made an objective of each group.
func (im *importer) grouping(c cursor) {
	if g := c.field("grouping"); len(g.items()) > 0 {
		im.note(g.all(), "grouping is not carried over: the objective counts all groups together", "grouping は引き継がれません。全グループをまとめて数えます")
	}
}
