package exchange

import (
	"fmt"
	"slices"
	"strings"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/respond/alert/route"
	"github.com/teiten/teiten/respond/alert/routing"
)

// importer gathers the result of one configuration.
type importer struct {
	Options
	Result
	root   node
	spec   route.Spec
	faults []*fault.Error
	places map[string]fault.Position // where the fields of spec come from
	names  map[string]bool           // of channels
}

// Alertmanager reads one configuration of Alertmanager. Its routes, inhibitions and
// time intervals mean the same afterwards; receivers become channels where there
// is an equivalent, and otherwise the owner's escalation policy, so that no alert
// that reached somebody reaches nobody.
func Alertmanager(f ascode.File, o Options) (Result, error) {
	docs, faults := ascode.Read(f)
	if len(faults) > 0 {
		return Result{}, fault.Join(faults)
	}
	if o.Name == "" {
		o.Name = "alertmanager"
	}
	im := &importer{Options: o, places: map[string]fault.Position{}, names: map[string]bool{}}
	if len(docs) == 1 {
		im.root = node{yaml: docs[0], file: f.Name}
	} else {
		im.root = node{file: f.Name}
	}
	im.root.seen = map[*yamlNode]bool{}
	im.spec.Team = o.Team
	im.all()
	if len(im.faults) > 0 {
		return Result{}, fault.Join(im.faults)
	}
	im.Documents = append(im.Documents, &routing.Routing{APIVersion: "teiten.dev/v1", Kind: routing.KindName, Metadata: routing.Metadata{Name: o.Name}, Spec: im.spec})
	for _, lost := range im.root.rest() {
		im.note(lost, "%s is not carried over", "%s は引き継がれません", lost.path)
	}
	slices.SortStableFunc(im.Notes, func(a, b Note) int { return a.Where.Line - b.Where.Line })
	return im.Result, nil
}

func (im *importer) note(n node, en, ja string, args ...any) {
	im.Notes = append(im.Notes, Note{n.position(), text.Say(en, ja, args...)})
}

func (im *importer) fail(n node, what, remedy text.Both) {
	im.faults = append(im.faults, fault.New(fault.Invalid, "alertmanager.invalid", what).Fix(remedy).At(n.position()).On(n.path))
}

// all reads the whole configuration.
func (im *importer) all() {
	top := im.root.field("route")
	if !top.there() {
		im.fail(im.root, text.Say("there is no route: this is no configuration of Alertmanager", "route がありません。Alertmanager の設定ではないようです"),
			text.Say("name the file that --config.file of Alertmanager names", "Alertmanager の --config.file に渡すファイルを指定してください"))
		return
	}
	im.global(im.root.field("global"))
	for i, r := range im.root.field("receivers").items() {
		im.mark(r, "receivers", i)
		im.receiver(r)
	}
	for _, list := range []string{"time_intervals", "mute_time_intervals"} {
		for _, t := range im.root.field(list).items() {
			im.mark(t, "timeIntervals", len(im.spec.TimeIntervals))
			im.interval(t)
		}
	}
	for i, r := range im.root.field("inhibit_rules").items() {
		im.mark(r, "inhibitions", i)
		im.spec.Inhibitions = append(im.spec.Inhibitions, route.InhibitionSpec{Name: r.field("name").text(), SourceMatchers: im.matchers(r, "source_"),
			TargetMatchers: im.matchers(r, "target_"), Equal: r.field("equal").texts()})
	}
	im.spec.Route = im.branch(top, "route")
	if im.spec.Route.Receiver == "" {
		im.fail(top, text.Say("the first route names no receiver", "最上位のルートに receiver がありません"), text.Say("name one: Alertmanager demands it, too", "receiver を指定してください(Alertmanager でも必須です)"))
	}
	if im.spec.Route.GroupBy == nil {
		im.spec.Route.GroupBy = &[]string{} // Alertmanager's default is one group of all
	}
	if len(im.faults) == 0 {
		_, wrong := route.Build([]route.Document{{Name: im.Name, Spec: im.forBuilding(), Places: im}})
		im.faults = append(im.faults, wrong...)
	}
}

// forBuilding is the spec as the organisation's, so that it can be judged alone.
func (im *importer) forBuilding() route.Spec {
	s := im.spec
	s.Team = ""
	return s
}

// mark remembers where a field of the document comes from.
func (im *importer) mark(n node, path ...any) { im.places[fmt.Sprint(path...)] = n.position() }

// Pos is where a field of the document comes from, or the nearest around it.
func (im *importer) Pos(path ...any) fault.Position {
	path = path[1:] // spec
	for n := len(path); n > 0; n-- {
		if p, ok := im.places[fmt.Sprint(path[:n]...)]; ok {
			return p
		}
	}
	return im.root.position()
}

// Fault is an Invalid fault where a field comes from.
func (im *importer) Fault(code string, what, remedy text.Both, path ...any) *fault.Error {
	return fault.New(fault.Invalid, code, what).Fix(remedy).At(im.Pos(path...))
}

// branch reads a route and those below it.
func (im *importer) branch(n node, path ...any) route.Branch {
	im.mark(n, path...)
	b := route.Branch{Matchers: im.matchers(n, ""), Receiver: n.field("receiver").text(), Continue: n.field("continue").yes(),
		GroupWait: n.field("group_wait").text(), GroupInterval: n.field("group_interval").text(), RepeatInterval: n.field("repeat_interval").text(),
		MuteTimeIntervals: n.field("mute_time_intervals").texts(), ActiveTimeIntervals: n.field("active_time_intervals").texts()}
	if by := n.field("group_by").texts(); by != nil {
		b.GroupBy = &by
	}
	for i, r := range n.field("routes").items() {
		b.Routes = append(b.Routes, im.branch(r, append(slices.Clone(path), "routes", i)...))
	}
	return b
}

// matchers reads the three ways in which Alertmanager writes them.
func (im *importer) matchers(n node, side string) []string {
	var all []string
	names := map[string]string{"": "match", "source_": "source_match", "target_": "target_match"}
	for _, suffix := range []string{"", "_re"} {
		for _, f := range n.field(names[side] + suffix).fields() {
			n.seen[f.yaml] = true
			if !f.there() {
				im.fail(f.node, text.Say("%s has no value", "%s に値がありません", f.path), text.Say("write one", "値を書いてください"))
				continue
			}
			m, err := route.NewMatcher(f.key, f.text(), true, suffix == "_re")
			if e, ok := fault.As(err); ok {
				im.fail(f.node, e.What, e.Remedy)
				continue
			}
			all = append(all, m.String())
		}
	}
	for _, item := range n.field(side + "matchers").items() {
		ms, err := route.ParseMatchers(item.text())
		if e, ok := fault.As(err); ok {
			im.fail(item, e.What, e.Remedy)
			continue
		}
		all = append(all, ms.Strings()...)
	}
	return all
}

// interval reads a time interval.
func (im *importer) interval(n node) {
	t := route.IntervalSpec{Name: n.field("name").text()}
	for _, p := range n.field("time_intervals").items() {
		part := route.PartSpec{Weekdays: p.field("weekdays").texts(), DaysOfMonth: p.field("days_of_month").texts(), Months: p.field("months").texts(),
			Years: p.field("years").texts(), TimeZone: p.field("location").text()}
		for _, span := range p.field("times").items() {
			part.Times = append(part.Times, route.TimesSpec{Start: span.field("start_time").text(), End: span.field("end_time").text()})
		}
		t.Parts = append(t.Parts, part)
	}
	im.spec.TimeIntervals = append(im.spec.TimeIntervals, t)
}

// global reads what receivers take over, and says what the server's configuration
// is for.
func (im *importer) global(g node) {
	for _, f := range g.fields() {
		switch {
		case strings.HasPrefix(f.key, "smtp_"):
			im.root.seen[f.yaml] = true
			im.note(f.node, "%s: the mail server is in the server's configuration, under notify.smtp", "%s: メールサーバーは Teiten の設定の notify.smtp に書きます", f.path)
		case f.key == "resolve_timeout":
			im.root.seen[f.yaml] = true
			im.note(f.node, "resolve_timeout: an alert whose source sends no end ends by its integration's setting", "resolve_timeout: 終了が届かないアラートの扱いは、インテグレーションの設定で決まります")
		case f.key == "slack_api_url" || f.key == "slack_api_url_file" || f.key == "mattermost_webhook_url" || f.key == "mattermost_webhook_url_file":
			im.root.seen[f.yaml] = true // receivers take it over
		}
	}
}
