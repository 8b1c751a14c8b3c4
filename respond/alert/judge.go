package alert

import (
	"cmp"
	"context"

	"github.com/teiten/teiten/catalog"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/respond/alert/route"
)

// judging decides within one transaction of the processor, by one router.
type judging struct {
	s      *Service
	ctx    context.Context //nolint:containedctx // it lives as long as the transaction
	from   catalog.Reader
	router *route.Router
	firing *route.Inhibitor
	err    error // the first of reading the catalog
}

var _ judge = (*judging)(nil)

func (x *item) routed() route.Alert {
	return route.Alert{Labels: x.labels.unpack(), Service: x.service, Team: x.team}
}

func (j *judging) decide(x *item, now int64) verdict {
	v := j.router.Decide(x.routed(), j.firing, database.Time(now))
	if len(v.Suppressed) > 0 {
		return verdict{suppressed: v.Suppressed[0].Ref}
	}
	var out verdict
	for _, d := range v.Decisions {
		switch {
		case d.Receiver.Nobody:
		case d.Muted != nil:
			out.suppressed = cmp.Or(out.suppressed, "interval:"+d.Muted.Ref)
		default:
			out.targets = append(out.targets, target{
				receiver: *d.Receiver, key: digest(d.Receiver.Key() + labelEnd + x.team + labelEnd + d.Group.Key)[:32], route: d.At.String(),
				interval: cmp.Or(d.Interval, joinInterval).Microseconds(), repeat: d.Repeat.Microseconds(),
			})
		}
	}
	if len(out.targets) > 0 {
		out.suppressed = "" // somebody is told
	}
	return out
}

// trace is how the decision about an alert came about.
func (j *judging) trace(x *item, now int64) []byte {
	_, t := j.router.Explain(x.routed(), j.firing, database.Time(now))
	return []byte(database.JSON(t))
}

func (j *judging) fires(x *item) { j.firing.Add(x.id, x.routed()) }
func (j *judging) ends(x *item)  { j.firing.Remove(x.id, x.routed()) }

func (j *judging) info(service string) *serviceInfo {
	info, err := j.s.service(j.ctx, j.from, service)
	if err != nil {
		j.err = cmp.Or(j.err, err)
		return &serviceInfo{}
	}
	return info
}

func (j *judging) owner(service string) string      { return j.info(service).owner }
func (j *judging) upstream(service string) []string { return j.info(service).upstream }

// judge is the judge of a transaction. Where the tree is another one than before,
// what inhibits is gathered anew.
func (p *processor) judge(ctx context.Context, from catalog.Reader) *judging {
	r := p.s.Routes()
	j := &judging{s: p.s, ctx: ctx, from: from, router: r, firing: p.firing}
	if p.firing == nil || p.tree != r.Tree() {
		j.firing, p.tree = route.NewInhibitor(r.Tree().Inhibitions()), r.Tree()
		p.firing = j.firing
		if p.book != nil {
			for _, x := range p.book.byID {
				j.fires(x)
			}
		}
	}
	return j
}
