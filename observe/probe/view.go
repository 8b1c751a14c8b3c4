package probe

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/probe/check"
	"github.com/teiten/teiten/observe/probe/db"
	"github.com/teiten/teiten/observe/probe/runner"
)

// Tally is how many checks there were and how many succeeded.
type Tally struct {
	Good  int64 `json:"good"`
	Total int64 `json:"total"`
}

// LocationView is a probe at a location.
type LocationView struct {
	Location string     `json:"location"`
	State    State      `json:"state" enum:"up,down,silent,unknown"`
	Reason   text.Both  `json:"reason,omitzero"`
	Since    *time.Time `json:"since,omitempty" doc:"Since when it is so."`
	LastAt   *time.Time `json:"lastAt,omitempty" doc:"When it was last checked."`
	LastMs   float64    `json:"lastMs" doc:"How long that took."`
	Day      Tally      `json:"day" doc:"The last 24 hours."`
}

// View is a probe as lists show it.
type View struct {
	Name            string         `json:"name"`
	Title           string         `json:"title,omitempty"`
	Description     string         `json:"description,omitempty"`
	Service         string         `json:"service"`
	Owner           string         `json:"owner,omitempty"`
	Tier            string         `json:"tier,omitempty"`
	System          string         `json:"system,omitempty"`
	Type            string         `json:"type" enum:"http,tcp,tls,dns,grpc,icmp"`
	Target          string         `json:"target" doc:"What is looked at, for people."`
	State           State          `json:"state" enum:"up,degraded,down,silent,unknown"`
	Reason          text.Both      `json:"reason,omitzero"`
	Since           *time.Time     `json:"since,omitempty"`
	IntervalSeconds float64        `json:"intervalSeconds"`
	TimeoutSeconds  float64        `json:"timeoutSeconds"`
	Quorum          int            `json:"quorum"`
	Locations       []LocationView `json:"locations"`
	Day             Tally          `json:"day" doc:"The last 24 hours, of all locations."`
	SLO             string         `json:"slo,omitempty" doc:"The objective that the probe brings along."`
}

// Detail is everything about one probe.
type Detail struct {
	View
	Document Document      `json:"document" doc:"As it is written; secrets read (hidden)."`
	Origin   ascode.Origin `json:"origin"`
	Latest   []ResultView  `json:"latest" doc:"The latest result of each location."`
}

// ResultView is one check with where its time went.
type ResultView struct {
	ID       string         `json:"id"`
	Location string         `json:"location"`
	At       time.Time      `json:"at"`
	Outcome  check.Outcome  `json:"outcome" enum:"success,failure,unknown"`
	Code     string         `json:"code,omitempty"`
	Reason   text.Both      `json:"reason,omitzero"`
	TotalMs  float64        `json:"totalMs"`
	Attempts int            `json:"attempts"`
	First    *check.Attempt `json:"first,omitempty" doc:"The first attempt, where it failed and another followed."`
	Steps    []check.Step   `json:"steps"`
}

// present is the state of a probe and its locations at a moment, in which a
// location that should have reported by then is silent.
func present(p *stored, known map[string]standing, now time.Time) (State, []LocationView) {
	var views []LocationView
	var all []State
	for _, location := range p.spec.locations() {
		s, seen := known[location]
		v := LocationView{Location: location, State: Unknown, Reason: text.Say("not checked yet", "まだチェックしていません")}
		if seen {
			v = LocationView{Location: location, State: s.state, Reason: s.reason, Since: moment(s.since), LastAt: moment(s.lastAt), LastMs: s.lastMs}
			if since, silent := silence(s.lastAt, now, p.spec.interval()); silent {
				v.State, v.Reason, v.Since = Silent, silentReason(location, since), v.LastAt
			}
		}
		views, all = append(views, v), append(all, v.State)
	}
	return overall(all, p.spec.quorum()), views
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// view is a probe with the counts of its last day, by location.
func (p *stored) view(known map[string]standing, day map[string]Tally, now time.Time) View {
	state, at := present(p, known, now)
	v := View{
		Name: p.Name, Title: p.Title, Description: p.Description, Service: p.Service, Owner: p.Owner, Tier: p.Tier, System: p.System,
		Type: p.Type, Target: p.Target, State: state, IntervalSeconds: p.spec.interval().Seconds(), TimeoutSeconds: p.spec.timeout().Seconds(),
		Quorum: p.spec.quorum(), Locations: at, SLO: p.Slo,
	}
	for i := range at {
		l := &at[i]
		l.Day = day[l.Location]
		v.Day.Good, v.Day.Total = v.Day.Good+l.Day.Good, v.Day.Total+l.Day.Total
		if explains(l.State, state) && v.Reason.IsZero() {
			v.Reason, v.Since = l.Reason, l.Since
			if len(at) > 1 && l.State != Silent && !l.Reason.IsZero() {
				v.Reason = text.Say("from %s: %s", "%s から: %s", l.Location, l.Reason)
			}
		}
	}
	if state == Up {
		v.Reason, v.Since = text.Both{}, latestSince(at)
	}
	return v
}

// explains reports whether a location's state is why the probe is in its.
func explains(location, probe State) bool {
	return location == probe || probe == Degraded && location == Down
}

// latestSince is since when everything is well.
func latestSince(at []LocationView) *time.Time {
	var latest *time.Time
	for _, l := range at {
		if l.State == Up && l.Since != nil && (latest == nil || l.Since.After(*latest)) {
			latest = l.Since
		}
	}
	return latest
}

// filter chooses probes for a list.
type filter struct{ Query, Service, Owner, State string }

func (f *filter) lets(v *View) bool {
	text := strings.ToLower(strings.Join([]string{v.Name, v.Title, v.Service, v.Owner, v.Target}, " "))
	for word := range strings.FieldsSeq(strings.ToLower(f.Query)) {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return (f.Service == "" || v.Service == f.Service) && (f.Owner == "" || v.Owner == f.Owner) && (f.State == "" || string(v.State) == f.State)
}

// views lists probes, the most urgent first.
func (s *Service) views(ctx context.Context, f filter) ([]View, error) {
	q := s.DB.Read()
	probes, err := list(ctx, q)
	if err != nil {
		return nil, err
	}
	rows, err := db.New(q).ListStates(ctx)
	if err != nil {
		return nil, database.Fault(fmt.Errorf("read the states of probes: %w", err))
	}
	known := map[string]map[string]standing{}
	for _, r := range rows {
		if known[r.Probe] == nil {
			known[r.Probe] = map[string]standing{}
		}
		if known[r.Probe][r.Location], err = readState(r); err != nil {
			return nil, err
		}
	}
	day, err := s.day(ctx)
	if err != nil {
		return nil, err
	}
	now := s.Now()
	out := []View{}
	for i := range probes {
		p := &probes[i]
		if v := p.view(known[p.Name], day[p.Name], now); f.lets(&v) {
			out = append(out, v)
		}
	}
	slices.SortStableFunc(out, func(a, b View) int { return cmp.Compare(a.State.rank(), b.State.rank()) })
	return out, nil
}

// day is what was counted in the last 24 hours, by probe and location.
func (s *Service) day(ctx context.Context) (map[string]map[string]Tally, error) {
	sums, err := s.Events.Sums(ctx, Stream, metrics.MinuteAfter(s.Now().Add(-24*time.Hour).UnixMilli()))
	if err != nil {
		return nil, err
	}
	out := map[string]map[string]Tally{}
	for _, x := range sums {
		name := x.Labels["probe"]
		if out[name] == nil {
			out[name] = map[string]Tally{}
		}
		out[name][x.Labels["location"]] = Tally{int64(x.Good), int64(x.Total)}
	}
	return out, nil
}

// get returns a probe, or NotFound.
func (s *Service) get(ctx context.Context, q db.DBTX, name string) (*stored, error) {
	row, err := db.New(q).GetProbe(ctx, name)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fault.New(fault.NotFound, "probe.not_found", text.Say("there is no probe %q", "プローブ %q はありません", name)).
			Fix(text.Say("GET /api/v1/probes lists them", "GET /api/v1/probes で一覧できます"))
	}
	if err != nil {
		return nil, database.Fault(fmt.Errorf("read probe %s: %w", name, err))
	}
	p, err := read(row)
	return &p, err
}

// detail is everything about a probe.
func (s *Service) detail(ctx context.Context, name string) (*Detail, error) {
	q := s.DB.Read()
	p, err := s.get(ctx, q, name)
	if err != nil {
		return nil, err
	}
	known, err := states(ctx, q, name)
	if err != nil {
		return nil, err
	}
	day, err := s.day(ctx)
	if err != nil {
		return nil, err
	}
	d := &Detail{View: p.view(known, day[name], s.Now()), Latest: []ResultView{}}
	d.Document = Document{APIVersion: "teiten.dev/v1", Kind: kindName, Metadata: Metadata{Name: p.Name, DisplayName: p.Title}, Spec: p.spec.redacted()}
	if s.Documents != nil {
		if d.Origin, _, err = s.Documents.Origin(ctx, ascode.Key{Kind: kindName, Namespace: ascode.DefaultNamespace, Name: name}); err != nil {
			return nil, err
		}
	}
	for _, location := range p.spec.locations() {
		row, err := db.New(q).LatestResult(ctx, db.LatestResultParams{Probe: name, Location: location})
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return nil, database.Fault(fmt.Errorf("read the latest result of %s: %w", name, err))
		}
		v, err := resultView(row)
		if err != nil {
			return nil, err
		}
		d.Latest = append(d.Latest, v)
	}
	return d, nil
}

func resultView(row db.ProbeResult) (ResultView, error) {
	var r runner.Result
	if err := json.Unmarshal([]byte(row.Data), &r); err != nil {
		return ResultView{}, fmt.Errorf("read a result of probe %s: %w", row.Probe, err)
	}
	v := ResultView{
		ID: resultID(row.Probe, row.Location, row.Due), Location: row.Location, At: r.At, Outcome: r.Last.Outcome, Code: r.Last.Code,
		Reason: r.Last.Reason, TotalMs: r.Last.TotalMs, Attempts: r.Attempts, First: r.First, Steps: r.Last.Steps,
	}
	if v.Steps == nil {
		v.Steps = []check.Step{}
	}
	return v, nil
}
