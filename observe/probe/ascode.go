package probe

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/metrics/pushed"
	"github.com/teiten/teiten/observe/probe/check"
	"github.com/teiten/teiten/observe/slo/openslo"
)

const kindName = "Probe"

// Kinds makes the kind Probe known.
func (s *Service) Kinds(r *ascode.Registry) {
	r.Add(ascode.Kind{
		APIVersion: "teiten.dev/v1", Kind: kindName, ID: "probes", Order: 95, Event: "probe.",
		Title: text.Say("Probe", "プローブ"),
		New:   func() any { return &Document{} },
		Ref:   func(d *ascode.Document) string { return string(ref(d.Name)) },
		OwnerIn: func(ctx context.Context, tx *sql.Tx, d *ascode.Document) (string, error) {
			e, _, err := s.lookUp(ctx, tx, specOf(d).Service)
			return e.Owner, err
		},
		Redact: func(d *ascode.Document) {
			if o, ok := d.Object.(*Document); ok {
				o.Spec = o.Spec.redacted()
			}
		},
		Moved: moved, Validate: validate, Check: s.checkDocument,
		Apply: s.put, Remove: s.drop,
	})
}

func specOf(d *ascode.Document) *Spec {
	if o, ok := d.Object.(*Document); ok {
		return &o.Spec
	}
	return &Spec{}
}

// validate judges a document by itself.
func validate(d *ascode.Document) []*fault.Error {
	s := specOf(d)
	var faults []*fault.Error
	wrong := func(code string, what, remedy text.Both, path ...any) {
		faults = append(faults, d.Fault("probe."+code, what, remedy, path...))
	}
	if !nameShape.MatchString(d.Name) {
		wrong("name", text.Say("%q cannot be the name of a probe", "%q はプローブの名前として使えません", d.Name),
			text.Say("use at most 63 of a–z, 0–9 and -", "a–z、0–9、- を使い、63文字以内にしてください"), "metadata", "name")
	}
	if s.Service == "" {
		wrong("service", text.Say("the probe names no service", "対象のサービスがありません"), text.Say("write the service's name as in the catalog", "カタログのサービス名を書いてください"), "spec")
	}
	if i := s.interval(); i < shortestInterval || i > longestInterval {
		wrong("interval", text.Say("the interval must lie between %s and %s", "間隔は %s から %s の範囲で指定してください", shortestInterval, longestInterval),
			text.Say("1m suits most probes", "通常は1mで十分です"), "spec", "interval")
	} else if s.Retries < 0 || s.Retries > mostRetries {
		wrong("retries", text.Say("retries must lie between 0 and %d", "retries は0から%dの範囲で指定してください", mostRetries), text.Say("1 keeps out what passes by itself", "1にすると一時的な失敗を除けます"), "spec", "retries")
	} else if s.longest() > i {
		wrong("timeout", text.Say("with its repetitions a check may take %s, longer than the interval of %s", "再試行を含むチェックの最長時間が %s となり、間隔 %s を超えます", s.longest(), i),
			text.Say("shorten the timeout, lengthen the interval, or repeat less often", "timeout を短くするか、interval を長くするか、retries を減らしてください"), "spec", "timeout")
	}
	faults = append(faults, validateLocations(d, s)...)
	for _, p := range s.check().Problems() {
		faults = append(faults, d.Fault(p.Code, p.What, p.Remedy, append([]any{"spec"}, p.Path...)...))
	}
	if s.SLO != nil {
		faults = append(faults, validatePromise(d, s)...)
	}
	return faults
}

func validateLocations(d *ascode.Document, s *Spec) []*fault.Error {
	var faults []*fault.Error
	seen := map[string]bool{}
	for i, l := range s.Locations {
		if !nameShape.MatchString(l) || seen[l] || i >= mostLocations {
			faults = append(faults, d.Fault("probe.location", text.Say("%q cannot be a location here", "%q はここで場所として使えません", l),
				text.Say("write server or the name of an agent (a–z, 0–9 and -), each once, at most %d", "server またはエージェントの名前(a–z、0–9、-)を、重複なく%d個まで書いてください", mostLocations), "spec", "locations", i))
		}
		seen[l] = true
	}
	if s.Quorum < 0 || s.Quorum > len(s.locations()) {
		faults = append(faults, d.Fault("probe.quorum", text.Say("quorum must lie between 1 and the number of locations (%d)", "quorum は1から場所の数(%d)までの範囲で指定してください", len(s.locations())),
			text.Say("2 of 3 locations keep out trouble of a single one", "3か所中2なら、1か所だけの不調を除けます"), "spec", "quorum"))
	}
	return faults
}

// validatePromise judges the objective as it will be.
func validatePromise(d *ascode.Document, s *Spec) []*fault.Error {
	var faults []*fault.Error
	if !(s.SLO.Objective > 0 && s.SLO.Objective < 1) {
		faults = append(faults, d.Fault("probe.objective", text.Say("the objective must be more than 0 and less than 1", "objective は0より大きく1より小さい値にしてください"),
			text.Say("write 0.999 for 99.9 %%", "99.9%%なら 0.999 と書いてください"), "spec", "slo", "objective"))
	}
	if c := s.SLO.Counts; c != "" && c != countsChecks && c != countsAgreement {
		faults = append(faults, d.Fault("probe.counts", text.Say("the objective cannot count %q", "%q を数えることはできません", clip(c)),
			ascode.OneOf(c, countsChecks, countsAgreement), "spec", "slo", "counts"))
	}
	if s.SLO.Counts == countsAgreement && len(s.locations()) > openslo.MostObjectives {
		faults = append(faults, d.Fault("probe.agreement", text.Say("an agreement is among at most %d locations", "agreement で数えられる場所は%dか所までです", openslo.MostObjectives),
			text.Say("check from fewer locations, or count checks", "場所を減らすか、checks で数えてください"), "spec", "locations"))
	}
	if w, ok := openslo.ParseDuration(s.SLO.window()); !ok || w < 24*time.Hour {
		faults = append(faults, d.Fault("probe.window", text.Say("%q is not a window", "%q は期間として読めません", s.SLO.Window),
			text.Say("write 7d, 28d or 30d", "7d、28d、30d のように書いてください"), "spec", "slo", "window"))
	}
	return faults
}

func (p *Promise) window() string {
	if p.Window == "" {
		return defaultWindow
	}
	return p.Window
}

// checkDocument looks for what the document refers to, after all were applied.
func (s *Service) checkDocument(ctx context.Context, tx *sql.Tx, d *ascode.Document) []*fault.Error {
	spec := specOf(d)
	_, found, err := s.lookUp(ctx, tx, spec.Service)
	if err != nil {
		return []*fault.Error{fault.New(fault.Unavailable, "probe.service_check", text.Say("the catalog could not be asked", "カタログを確認できませんでした")).Wrap(err)}
	}
	var faults []*fault.Error
	if !found {
		faults = append(faults, d.Fault("probe.service_unknown", text.Say("the catalog has no service %q", "カタログにサービス %q がありません", spec.Service),
			text.Say("describe it with a Component, or correct the name", "Component で登録するか、名前を直してください"), "spec", "service"))
	}
	if name := promiseName(d.Name); spec.SLO != nil && ascode.Known(ctx, "SLO", ascode.DefaultNamespace, name) {
		faults = append(faults, d.Fault("probe.slo_taken", text.Say("there is an SLO %q of its own already", "SLO %q が別に登録されています", name),
			text.Say("remove spec.slo here, or that SLO", "ここの spec.slo か、そのSLOを削除してください"), "spec", "slo"))
	}
	return faults
}

// promiseName is what the objective of a probe is called.
func promiseName(probe string) string { return "probe-" + probe }

// promise is the objective as OpenSLO writes it: the share of checks, from all
// locations, that succeeded, or the share of minutes in which fewer locations
// than the quorum saw one fail.
func promise(name string, m Metadata, s *Spec) *openslo.SLO {
	o := eachCheck(name, m, s)
	if s.SLO.Counts == countsAgreement {
		agreement(o, name, s)
	}
	return o
}

// What the objective of a probe may count.
const (
	countsChecks    = "checks"
	countsAgreement = "agreement"
)

// agreement makes the objective one of minutes and of what the locations agree
// on. Where checks are further apart than a minute, a location stands by what it
// saw for as long.
func agreement(o *openslo.SLO, name string, s *Spec) {
	target := s.SLO.Objective
	o.Metadata.Annotations = map[string]string{
		openslo.Composite: openslo.Quorum, openslo.CompositeQuorum: strconv.Itoa(s.quorum()),
	}
	o.Spec.Indicator, o.Spec.Objectives = nil, nil
	for _, location := range s.locations() {
		query := func(result string) *openslo.Metric {
			selector := fmt.Sprintf(`%s{stream=%q,probe=%q,location=%q%s}`, pushed.Metric, Stream, name, location, result)
			query := "sum(" + selector + ")"
			if s.interval() > time.Minute {
				query = fmt.Sprintf("sum(increase(%s[%dm] anchored))", selector, (s.interval()+time.Minute-1)/time.Minute)
			}
			return &openslo.Metric{MetricSource: openslo.MetricSource{
				MetricSourceRef: pushed.SourceName, Type: "Prometheus", Spec: map[string]any{"query": query}}}
		}
		part := openslo.Objective{DisplayName: location, Target: &target, Indicator: &openslo.InlineIndicator{
			Metadata: openslo.Metadata{Name: location},
			Spec: openslo.SLISpec{RatioMetric: &openslo.RatioMetric{
				Counter: s.interval() <= time.Minute, Good: query(`,result="good"`), Total: query("")}},
		}}
		o.Spec.Objectives = append(o.Spec.Objectives, part)
	}
}

// eachCheck is the objective that counts every check.
func eachCheck(name string, m Metadata, s *Spec) *openslo.SLO {
	counter := func(extra string) *openslo.Metric {
		return &openslo.Metric{MetricSource: openslo.MetricSource{
			MetricSourceRef: pushed.SourceName, Type: "Prometheus",
			Spec: map[string]any{"query": fmt.Sprintf(`sum(%s{stream=%q,probe=%q%s})`, pushed.Metric, Stream, name, extra)},
		}}
	}
	title := m.DisplayName
	if title == "" {
		title = name
	}
	rolling, target := true, s.SLO.Objective
	return &openslo.SLO{
		APIVersion: openslo.APIVersion, Kind: "SLO",
		Metadata: openslo.Metadata{Name: promiseName(name), DisplayName: title},
		Spec: openslo.SLOSpec{
			Description: s.Description, Service: s.Service, BudgetingMethod: "Occurrences",
			TimeWindow: []openslo.TimeWindow{{Duration: s.SLO.window(), IsRolling: &rolling}},
			Objectives: []openslo.Objective{{Target: &target}},
			Indicator: &openslo.InlineIndicator{
				Metadata: openslo.Metadata{Name: promiseName(name)},
				Spec:     openslo.SLISpec{RatioMetric: &openslo.RatioMetric{Counter: true, Good: counter(`,result="good"`), Total: counter("")}},
			},
		},
	}
}

// redacted is the spec as it may be shown.
func (s Spec) redacted() Spec {
	if s.HTTP != nil {
		h := *s.HTTP
		h.Secrets = maps.Clone(h.Secrets)
		for name, v := range h.Secrets {
			h.Secrets[name] = v.Redacted()
		}
		h.Steps = slices.Clone(h.Steps)
		for i := range h.Steps {
			h.Steps[i].Headers = maps.Clone(h.Steps[i].Headers)
			for name, v := range h.Steps[i].Headers {
				if !check.Harmless(name, v) {
					h.Steps[i].Headers[name] = v.Redacted()
				}
			}
		}
		h.TLS = redactedTLS(h.TLS)
		s.HTTP = &h
	}
	for _, o := range s.keys() {
		*o = redactedTLS(*o)
	}
	return s
}

// keys are the TLS settings besides those of http, each in a copy of its check.
func (s *Spec) keys() []**check.TLSOptions {
	var all []**check.TLSOptions
	if s.TCP != nil {
		s.TCP = new(*s.TCP)
		all = append(all, &s.TCP.TLS)
	}
	if s.TLS != nil {
		s.TLS = new(*s.TLS)
		all = append(all, &s.TLS.TLS)
	}
	if s.GRPC != nil {
		s.GRPC = new(*s.GRPC)
		all = append(all, &s.GRPC.TLS)
	}
	return all
}

func redactedTLS(o *check.TLSOptions) *check.TLSOptions {
	if o == nil {
		return nil
	}
	c := *o
	c.Key = c.Key.Redacted()
	return &c
}

// moved reports whether the secrets of after go to another place than those of
// before, or to one that is told from others in another way.
func moved(before, after any) bool {
	a, b := before.(*Document).Spec, after.(*Document).Spec
	return !slices.Equal(a.destinations(), b.destinations())
}

// destinations lists where a probe's secrets may go.
func (s *Spec) destinations() []string {
	var all []string
	trust := func(o *check.TLSOptions) string {
		if o == nil {
			return ""
		}
		return string(o.CA) + o.ServerName + strconv.FormatBool(o.InsecureSkipVerify)
	}
	if s.HTTP != nil {
		for i := range s.HTTP.Steps {
			at := s.HTTP.Steps[i].URL
			if u, err := url.Parse(at); err == nil && !strings.Contains(u.Host, "{") {
				at = u.Scheme + "://" + u.Host
			}
			all = append(all, at)
		}
		// A value may be part of a host.
		for _, name := range slices.Sorted(maps.Keys(s.HTTP.Secrets)) {
			if slices.ContainsFunc(s.HTTP.Steps, func(h check.HTTPStep) bool { return strings.Contains(before(h.URL), name) }) {
				all = append(all, string(s.HTTP.Secrets[name]))
			}
		}
		all = append(all, trust(s.HTTP.TLS))
	}
	if s.TCP != nil {
		all = append(all, s.TCP.Address, trust(s.TCP.TLS))
	}
	if s.TLS != nil {
		all = append(all, s.TLS.Address, trust(s.TLS.TLS))
	}
	if s.GRPC != nil {
		all = append(all, s.GRPC.Address, trust(s.GRPC.TLS))
	}
	return append(all, s.locations()...)
}

// before is an address up to its path.
func before(address string) string {
	_, rest, _ := strings.Cut(address, "://")
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		rest = rest[:i]
	}
	return rest
}
