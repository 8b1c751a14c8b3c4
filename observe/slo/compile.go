package slo

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/observe/metrics/promexpr"
	"github.com/teiten/teiten/observe/slo/burn"
	"github.com/teiten/teiten/observe/slo/db"
	"github.com/teiten/teiten/observe/slo/openslo"
)

func (s *Service) putSLO(ctx context.Context, tx *sql.Tx, d *ascode.Document) error {
	if err := savePart(ctx, tx, d); err != nil {
		return err
	}
	return s.install(ctx, tx, d.Object.(*openslo.SLO), managedBy(d.Source))
}

// install compiles an SLO, has its objectives executed and retires those that it
// does not have any more. An SLO whose references do not resolve is left as it
// is: Check refuses the batch it came with.
func (s *Service) install(ctx context.Context, tx *sql.Tx, o *openslo.SLO, managedBy string) error {
	if err := s.installAlone(ctx, tx, o, managedBy); err != nil {
		return err
	}
	return s.followDependants(ctx, tx, o.Spec.Service, o.Metadata.Name)
}

// installAlone is install without the SLOs that are made of this one.
func (s *Service) installAlone(ctx context.Context, tx *sql.Tx, o *openslo.SLO, managedBy string) error {
	o, tier, err := s.effective(ctx, tx, o)
	if err != nil {
		return err
	}
	all, err := compile(ctx, tx, o)
	if err != nil || all == nil {
		return err
	}
	if err := s.withDependencies(ctx, tx, o, all); err != nil {
		return err
	}
	tier.cap(all)
	var keep []string
	for _, d := range all {
		if err := s.define(ctx, tx, d, managedBy); err != nil {
			return err
		}
		instances, err := s.redefineInstances(ctx, tx, d, managedBy)
		if err != nil {
			return err
		}
		keep = append(append(keep, d.Name), instances...)
	}
	return s.retire(ctx, tx, o.Metadata.Name, keep)
}

// retire takes out the objectives of a document except those to keep.
func (s *Service) retire(ctx context.Context, tx *sql.Tx, document string, keep []string) error {
	names, err := db.New(tx).DefinitionsOf(ctx, document)
	if err != nil {
		return fmt.Errorf("list the objectives of %s: %w", document, err)
	}
	for _, name := range names {
		if slices.Contains(keep, name) {
			continue
		}
		if err := s.undefine(ctx, tx, name); err != nil {
			return err
		}
	}
	return nil
}

// parted stands between the name of an SLO and that of one of its further
// objectives. Names of documents cannot hold it.
const parted = "~"

// documentOf is the name of the document that an objective comes from.
func documentOf(name string) string {
	document, _, _ := strings.Cut(name, parted)
	return document
}

// compile follows the references of an SLO and makes what is executed of it: one
// definition for each objective, or one for all where they are a composite. It
// returns nil where a reference leads nowhere.
//
// The first objective has the name of the SLO. The others add what they call
// themselves, or their number: checkout~internal, checkout~2.
func compile(ctx context.Context, q db.DBTX, o *openslo.SLO) ([]*Definition, error) {
	s := &o.Spec
	if len(s.Objectives) == 0 {
		return nil, nil
	}
	base := Definition{
		Name: o.Metadata.Name, Title: o.Metadata.DisplayName, Description: s.Description, Service: s.Service,
		Window: s.Window(), Period: s.Window().Nominal(),
	}
	base.annotate(o.Metadata.Annotations)
	rules, ok, err := policyRules(ctx, q, o, base.Period)
	if !ok {
		return nil, err
	}
	base.Rules = rules

	parts := make([]Part, len(s.Objectives))
	for i, objective := range s.Objectives {
		if parts[i], ok, err = part(ctx, q, s, objective); !ok {
			return nil, err
		}
	}
	how := o.Metadata.Annotations[openslo.Composite]
	if s.IsComposite() && how != openslo.Separate {
		return []*Definition{composite(base, o, parts)}, nil
	}
	return separate(base, s, parts), nil
}

// separate makes a definition of each objective.
func separate(base Definition, s *openslo.SLOSpec, parts []Part) []*Definition {
	all := make([]*Definition, len(parts))
	taken := map[string]bool{}
	for i, p := range parts {
		d := base
		d.Objective, d.Indicator, d.Counting = p.Objective, p.Indicator, s.Counting(s.Objectives[i])
		if len(parts) > 1 && p.Title != "" {
			d.Title = strings.TrimPrefix(base.Title+": "+p.Title, ": ")
		}
		if i > 0 {
			d.Name = base.Name + parted + suffix(p.Title, i+1, taken)
		}
		all[i] = &d
	}
	return all
}

// suffix is what an objective adds to the name of its SLO: its own name in lower
// case, or its number where that does not tell it from the others.
func suffix(title string, number int, taken map[string]bool) string {
	slug := strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.':
			return r
		case r > 127:
			return -1
		}
		return '-'
	}, title), "-.")
	if slug == "" || len(slug) > 40 || taken[slug] {
		slug = strconv.Itoa(number)
	}
	taken[slug] = true
	return slug
}

// composite makes one definition of all objectives. Its target is the mean of
// theirs, by weight, unless it was given.
func composite(base Definition, o *openslo.SLO, parts []Part) *Definition {
	d, s, a := base, &o.Spec, o.Metadata.Annotations
	how := Join(a[openslo.Composite])
	quorum, _ := strconv.Atoi(a[openslo.CompositeQuorum]) // of another join there is none
	if how == "" {
		how = Weighted
	}
	d.Composite = &Composite{Join: how, Quorum: quorum, Parts: parts}
	d.Counting = s.Counting(s.Objectives[0])
	for i, o := range s.Objectives {
		parts[i].Title = cmp.Or(parts[i].Title, o.IndicatorName())
	}
	var sum, weights float64
	for _, p := range parts {
		sum += p.Weight * float64(p.Objective)
		weights += p.Weight
	}
	d.Objective = burn.Objective(shortest(sum / weights))
	if t, err := strconv.ParseFloat(a[openslo.CompositeTarget], 64); err == nil {
		d.Objective = burn.Objective(t)
	}
	return &d
}

// shortest drops the digits that only the arithmetic of a mean has added.
func shortest(v float64) float64 {
	r, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'f', 12, 64), 64)
	return r
}

// part follows the indicator of one objective. It reports false where that leads
// nowhere.
func part(ctx context.Context, q db.DBTX, s *openslo.SLOSpec, o openslo.Objective) (Part, bool, error) {
	p := Part{Title: o.DisplayName, Weight: 1, Objective: burn.Objective(o.Share())}
	if o.CompositeWeight != nil {
		p.Weight = *o.CompositeWeight
	}
	inline, ref := s.Indicator, s.IndicatorRef
	if o.Indicator != nil || o.IndicatorRef != "" {
		inline, ref = o.Indicator, o.IndicatorRef
	}
	var sli openslo.SLI
	switch {
	case inline != nil:
		sli.Spec = inline.Spec
		if p.Title == "" {
			p.Title = inline.Metadata.DisplayName
		}
	default:
		if ok, err := loadPart(ctx, q, kindSLI, ref, &sli); !ok {
			return p, false, err
		}
	}
	var ok bool
	p.Indicator, ok = indicatorOf(&sli.Spec, o)
	return p, ok, nil
}

// indicatorOf is a valid SLI as it is executed for an objective. It reports
// false for one that is not complete.
func indicatorOf(s *openslo.SLISpec, o openslo.Objective) (Indicator, bool) {
	r := s.RatioMetric
	switch {
	case s.ThresholdMetric != nil:
		if o.Value == nil || o.Op == "" {
			return Indicator{}, false
		}
		return Indicator{Source: s.ThresholdMetric.MetricSource.Source(),
			Threshold: &Threshold{Expr: s.ThresholdMetric.Expression(), Op: o.Op, Value: *o.Value}}, true
	case r != nil && r.Raw != nil:
		return Indicator{Source: r.Raw.MetricSource.Source(),
			Raw: &Raw{Expr: r.Raw.Expression(), Failure: r.RawType == "failure"}}, true
	case r == nil || r.Total == nil || r.Good == nil && r.Bad == nil:
		return Indicator{}, false
	}
	x := Indicator{Source: r.Total.MetricSource.Source(),
		Good: r.Good.Expression(), Bad: r.Bad.Expression(), Total: r.Total.Expression(), Counter: r.Counts()}
	if b, err := promexpr.Buckets(x.Good); x.Good != "" && err == nil && len(b) > 0 {
		x.Bucket = b[0].Le
	}
	of := r.Good
	if r.Bad != nil {
		of = r.Bad
	}
	if from := of.MetricSource.Source(); from != x.Source {
		x.PartSource = &from
	}
	return x, true
}

// annotate takes in the settings of a valid document.
func (d *Definition) annotate(a map[string]string) {
	if v, ok := a[openslo.MinimumEvents]; ok {
		n, _ := strconv.ParseFloat(v, 64)
		d.Minimum = &n
	}
	d.AbsentBad = a[openslo.Absent] == "bad"
	d.Interpolate = a[openslo.Interpolate] == "true"
	if v, ok := a[openslo.Settle]; ok {
		settle, _ := time.ParseDuration(v)
		d.Settle = &settle
	}
	if v, ok := a[openslo.ScrapeInterval]; ok {
		d.Scrape, _ = time.ParseDuration(v)
	}
	d.Grouping = groupingOf(a)
}
