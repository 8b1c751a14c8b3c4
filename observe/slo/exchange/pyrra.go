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
	annotations := map[string]string{}
	indicator, ok := im.pyrraIndicator(spec.field("indicator"), annotations)
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
		annotations[openslo.Alerts] = "none"
	}
	if len(annotations) > 0 {
		o.Metadata.Annotations = annotations
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

// pyrraIndicator is how events are counted; what OpenSLO has no field for becomes
// an annotation.
func (im *importer) pyrraIndicator(i cursor, annotations map[string]string) (openslo.SLISpec, bool) {
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
		im.grouping(r, annotations)
		return ratio(&openslo.RatioMetric{Counter: true, Bad: promQL(sum(bad)), Total: promQL(sum(total))}, bad, total)
	}
	if l := i.field("latency"); l.exists() {
		good, total := l.at("success", "metric"), l.at("total", "metric")
		im.grouping(l, annotations)
		return ratio(&openslo.RatioMetric{Counter: true, Good: promQL(sum(good)), Total: promQL(sum(total))}, good, total)
	}
	if n := i.field("latencyNative", "latency_native"); n.exists() {
		return im.pyrraNative(n, annotations)
	}
	if g := i.field("bool_gauge", "boolGauge"); g.exists() {
		m := g.field("metric")
		im.grouping(g, annotations)
		over := func(f string) *openslo.Metric {
			return promQL("sum(" + f + "_over_time(" + strings.TrimSpace(m.text()) + "[1m]))")
		}
		return ratio(&openslo.RatioMetric{Good: over("sum"), Total: over("count")}, m)
	}
	return openslo.SLISpec{}, false
}

func sum(metric cursor) string { return "sum(" + strings.TrimSpace(metric.text()) + ")" }

// pyrraNative counts the observations of a native histogram below a latency.
func (im *importer) pyrraNative(n cursor, annotations map[string]string) (openslo.SLISpec, bool) {
	metric, latency := n.at("total", "metric"), n.field("latency")
	im.grouping(n, annotations)
	seconds, ok := promexpr.Seconds(latency.text())
	if !ok {
		im.note(latency, "%q is no latency", "%q は時間として読めません", latency.text())
		return openslo.SLISpec{}, false
	}
	if _, ok := im.checked(metric, metric.text()); !ok {
		return openslo.SLISpec{}, false
	}
	total := "histogram_count(" + sum(metric) + ")"
	good := "histogram_fraction(0, " + strconv.FormatFloat(seconds, 'g', -1, 64) + ", " + sum(metric) + ") * " + total
	annotations[openslo.Interpolate] = "true"
	im.note(n, "a latency that lies inside a bucket is estimated, as Prometheus does it; one that is a boundary is counted exactly",
		"しきい値がバケットの途中なら Prometheus と同じく推定し、境界と一致すれば正確に数えます")
	return openslo.SLISpec{RatioMetric: &openslo.RatioMetric{Counter: true, Good: promQL(good), Total: promQL(total)}}, true
}

// grouping has the objective taken apart as Pyrra made an objective of each group.
func (im *importer) grouping(c cursor, annotations map[string]string) {
	var names []string
	for _, name := range c.field("grouping").items() {
		names = append(names, name.text())
	}
	if len(names) > 0 {
		annotations[openslo.By] = strings.Join(names, ",")
	}
}
