package alertmanager

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/teiten/teiten/respond/alert"
	"github.com/teiten/teiten/respond/alert/route"
)

// gettable is an alert as the API tells it.
type gettable struct {
	Annotations  labelSet    `json:"annotations"`
	EndsAt       string      `json:"endsAt"`
	Fingerprint  string      `json:"fingerprint"`
	Receivers    []named     `json:"receivers"`
	StartsAt     string      `json:"startsAt"`
	Status       alertStatus `json:"status"`
	UpdatedAt    string      `json:"updatedAt"`
	GeneratorURL string      `json:"generatorURL,omitempty"`
	Labels       labelSet    `json:"labels"`
}

type alertStatus struct {
	InhibitedBy []string `json:"inhibitedBy"`
	MutedBy     []string `json:"mutedBy"`
	SilencedBy  []string `json:"silencedBy"`
	State       string   `json:"state"`
}

// judged is an alert with what becomes of it.
type judged struct {
	gettable
	decisions []route.Decision
}

// wanted are the alerts that a request asks for.
type wanted struct {
	active, silenced, inhibited bool
	matchers                    route.Matchers
	receiver                    *regexp.Regexp
}

func wantedOf(q url.Values) (w wanted, err error) {
	flags := map[string]*bool{"active": &w.active, "silenced": &w.silenced, "inhibited": &w.inhibited}
	for name, flag := range flags {
		*flag = true
		if v := q.Get(name); v != "" {
			if *flag, err = strconv.ParseBool(v); err != nil {
				return w, wrongQuery(name, err)
			}
		}
	}
	if w.matchers, err = matchersOf(q); err != nil {
		return w, err
	}
	if r := q.Get("receiver"); r != "" {
		if w.receiver, err = regexp.Compile("^(?:" + r + ")$"); err != nil {
			return w, wrongQuery("receiver", err)
		}
	}
	return w, nil
}

func matchersOf(q url.Values) (route.Matchers, error) {
	var all route.Matchers
	for _, f := range q["filter"] {
		ms, err := route.ParseMatchers(f)
		if err != nil {
			return nil, err
		}
		all = append(all, ms...)
	}
	return all, nil
}

// has reports whether an alert is asked for.
func (w *wanted) has(a *judged) bool {
	silenced, inhibited := len(a.Status.SilencedBy) > 0, len(a.Status.InhibitedBy) > 0
	switch {
	case silenced && !w.silenced, inhibited && !w.inhibited, a.Status.State == "active" && !w.active:
		return false
	}
	return w.matchers.Match(a.Labels)
}

func (w *wanted) from(receiver string) bool {
	return w.receiver == nil || w.receiver.MatchString(receiver)
}

// atOnce is how many open alerts are read in one go.
const atOnce = 5000

// judge reads the open alerts and decides about each.
func (s *Service) judge(ctx context.Context) ([]*judged, error) {
	var open []alert.View
	f := alert.Filter{States: []string{"open"}, Limit: atOnce}
	for {
		list, next, err := s.alerts.Alerts(ctx, f)
		if err != nil {
			return nil, err
		}
		open = append(open, list...)
		if f.Cursor = next; next == "" {
			break
		}
	}
	router := s.routing.Router()
	firing, prints := route.NewInhibitor(router.Tree().Inhibitions()), make(map[string]string, len(open))
	for i := range open {
		firing.Add(open[i].ID, routed(&open[i]))
		prints[open[i].ID] = fingerprint(open[i].Labels)
	}
	now := s.routing.Now()
	all := make([]*judged, 0, len(open))
	for i := range open {
		v := &open[i]
		all = append(all, s.told(v, router.Decide(routed(v), firing, now), prints))
	}
	slices.SortFunc(all, func(a, b *judged) int { return cmp.Compare(a.Fingerprint, b.Fingerprint) })
	return all, nil
}

func routed(v *alert.View) route.Alert {
	return route.Alert{Labels: v.Labels, Service: v.Service, Team: v.Team}
}

// staysFor is how long an alert stays that is not told of again, for those who
// want to be told an end.
const staysFor = 5 * time.Minute

func (s *Service) told(v *alert.View, verdict route.Verdict, prints map[string]string) *judged {
	ends := v.EndsAt
	if ends.IsZero() {
		ends = s.routing.Now().Add(staysFor)
	}
	j := &judged{decisions: verdict.Decisions, gettable: gettable{
		Annotations: v.Annotations, EndsAt: ends.UTC().Format(timeFormat), Fingerprint: prints[v.ID], Receivers: []named{}, StartsAt: v.FiredAt.UTC().Format(timeFormat),
		UpdatedAt: v.LastAt.UTC().Format(timeFormat), GeneratorURL: v.Source, Labels: v.Labels,
		Status: alertStatus{InhibitedBy: []string{}, MutedBy: []string{}, SilencedBy: []string{}, State: "active"},
	}}
	if j.Annotations == nil {
		j.Annotations = labelSet{}
	}
	for _, d := range verdict.Decisions {
		if n := (named{d.Receiver.Name}); !slices.Contains(j.Receivers, n) {
			j.Receivers = append(j.Receivers, n)
		}
	}
	for _, r := range verdict.Suppressed {
		j.Status.State = "suppressed"
		_, id, _ := strings.Cut(r.Ref, ":")
		switch r.Kind {
		case route.ByInhibition:
			j.Status.InhibitedBy = append(j.Status.InhibitedBy, prints[id])
		case route.BySilence:
			j.Status.SilencedBy = append(j.Status.SilencedBy, id)
		default:
			j.Status.MutedBy = append(j.Status.MutedBy, r.Ref)
		}
	}
	return j
}

func (s *Service) list(r *http.Request) (any, error) {
	w, err := wantedOf(r.URL.Query())
	if err != nil {
		return nil, err
	}
	all, err := s.judge(r.Context())
	if err != nil {
		return nil, err
	}
	out := []gettable{}
	for _, a := range all {
		if w.has(a) && slices.ContainsFunc(a.Receivers, func(n named) bool { return w.from(n.Name) }) {
			out = append(out, a.gettable)
		}
	}
	return out, nil
}

// group is alerts that a receiver is told of together.
type group struct {
	Labels   labelSet   `json:"labels"`
	Receiver named      `json:"receiver"`
	Alerts   []gettable `json:"alerts"`
	key      string
}

func (s *Service) groups(r *http.Request) (any, error) {
	w, err := wantedOf(r.URL.Query())
	if err != nil {
		return nil, err
	}
	all, err := s.judge(r.Context())
	if err != nil {
		return nil, err
	}
	by := map[string]*group{}
	for _, a := range all {
		for _, d := range a.decisions {
			if !w.has(a) || !w.from(d.Receiver.Name) {
				continue
			}
			key := d.Receiver.Name + "\n" + d.Group.Key
			if by[key] == nil {
				by[key] = &group{Labels: d.Group.Labels, Receiver: named{d.Receiver.Name}, key: key}
			}
			by[key].Alerts = append(by[key].Alerts, a.gettable)
		}
	}
	out := make([]*group, 0, len(by))
	for _, g := range by {
		out = append(out, g)
	}
	slices.SortFunc(out, func(a, b *group) int { return cmp.Compare(a.key, b.key) })
	return out, nil
}
