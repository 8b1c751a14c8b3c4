package probe

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/metrics/pushed"
	"github.com/teiten/teiten/observe/probe/check"
	"github.com/teiten/teiten/observe/probe/db"
	"github.com/teiten/teiten/observe/probe/runner"
)

// The entries that the room appends to the journal.
const (
	EntryFailed    = "probe.failed"
	EntryRecovered = "probe.recovered"
	EntrySilent    = "probe.location_silent"
	EntryBack      = "probe.location_back"
)

const (
	mostResults = 500             // in one delivery
	mostAhead   = 2 * time.Minute // of an agent's clock
)

// Taken is what became of a delivery.
type Taken struct {
	Accepted   int       `json:"accepted"`
	Duplicates int       `json:"duplicates" doc:"Results that had been delivered before."`
	Refused    []Refusal `json:"refused" doc:"Results that will never be taken; there is no use in sending them again."`
}

// Refusal says why a result is not taken.
type Refusal struct {
	Probe  string    `json:"probe"`
	Due    time.Time `json:"due"`
	Reason text.Both `json:"reason"`
}

// Record takes the results of a location, each once, however often it is
// delivered.
func (s *Service) Record(ctx context.Context, location string, results []runner.Result) (Taken, error) {
	if len(results) > mostResults {
		return Taken{}, fault.New(fault.Invalid, "probe.batch", text.Say("a delivery has at most %d results", "1回に送れる結果は%d件までです", mostResults)).
			Fix(text.Say("send them in several deliveries", "分けて送ってください")).On("results")
	}
	ordered := slices.Clone(results)
	slices.SortStableFunc(ordered, func(a, b runner.Result) int {
		return cmp.Or(cmp.Compare(a.Probe, b.Probe), a.Due.Compare(b.Due))
	})
	var taken Taken
	var rows []metrics.Series
	err := s.DB.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		taken, rows = Taken{Refused: []Refusal{}}, nil
		var counts []pushed.Count
		for group := range byProbe(ordered) {
			b := &batch{s: s, tx: tx, location: location, now: s.Now().UTC(), taken: &taken}
			if err := b.take(ctx, group); err != nil {
				return err
			}
			counts, rows = append(counts, b.counts...), append(rows, b.rows...)
		}
		return s.Events.Add(ctx, tx, counts)
	})
	if err != nil {
		return Taken{}, err
	}
	s.sample(ctx, rows)
	return taken, nil
}

// byProbe yields runs of results of the same probe.
func byProbe(results []runner.Result) func(yield func([]runner.Result) bool) {
	return func(yield func([]runner.Result) bool) {
		for i := 0; i < len(results); {
			j := i
			for j < len(results) && results[j].Probe == results[i].Probe {
				j++
			}
			if !yield(results[i:j]) {
				return
			}
			i = j
		}
	}
}

// batch is the results of one probe at one location being taken.
type batch struct {
	s        *Service
	tx       *sql.Tx
	location string
	now      time.Time
	taken    *Taken
	counts   []pushed.Count
	rows     []metrics.Series
}

func (b *batch) take(ctx context.Context, results []runner.Result) error {
	q := db.New(b.tx)
	// Whoever delivers for the same probe waits here, so that its counters lose
	// nothing.
	if _, err := q.LockProbe(ctx, results[0].Probe); err != nil {
		return fmt.Errorf("take results of %s: %w", results[0].Probe, err)
	}
	row, err := q.GetProbe(ctx, results[0].Probe)
	if errors.Is(err, sql.ErrNoRows) {
		b.refuse(results, text.Say("there is no such probe any more", "このプローブはもうありません"))
		return nil
	}
	if err != nil {
		return fmt.Errorf("take results of %s: %w", results[0].Probe, err)
	}
	p, err := read(row)
	if err != nil {
		return err
	}
	if !slices.Contains(p.spec.locations(), b.location) {
		b.refuse(results, text.Say("the probe is not checked from %s any more", "このプローブは %s からはもうチェックしません", b.location))
		return nil
	}
	known, err := states(ctx, b.tx, p.Name)
	if err != nil {
		return err
	}
	before := b.overall(&p, known)
	for i := range results {
		if err := b.one(ctx, &p, known, &results[i]); err != nil {
			return err
		}
	}
	return b.tell(ctx, &p, before, known)
}

func (b *batch) refuse(results []runner.Result, why text.Both) {
	for _, r := range results {
		b.taken.Refused = append(b.taken.Refused, Refusal{r.Probe, r.Due, why})
	}
}

// one takes one result.
func (b *batch) one(ctx context.Context, p *stored, known map[string]standing, r *runner.Result) error {
	if why, ok := b.untimely(r); ok {
		b.refuse([]runner.Result{*r}, why)
		return nil
	}
	data, err := json.Marshal(bounded(r))
	if err != nil {
		return fmt.Errorf("store a result of %s: %w", p.Name, err)
	}
	n, err := db.New(b.tx).PutResult(ctx, db.PutResultParams{
		Probe: p.Name, Location: b.location, Due: database.Micros(r.Due), Outcome: string(r.Last.Outcome), TotalMs: r.Last.TotalMs, Data: string(data),
	})
	if err != nil {
		return fmt.Errorf("store a result of %s: %w", p.Name, err)
	}
	if n == 0 {
		b.taken.Duplicates++
		return nil
	}
	b.taken.Accepted++
	was, seen := known[b.location]
	is := was.after(r)
	is.location = b.location
	if !seen {
		b.rows = append(b.rows, born(p, b.location, r.At)...)
	}
	b.rows = append(b.rows, samples(p, &is, r)...)
	known[b.location] = is
	if c, ok := counted(p, b.location, r); ok {
		b.counts = append(b.counts, c)
	}
	return putState(ctx, b.tx, p.Name, is)
}

// untimely tells results that cannot be taken for their time.
func (b *batch) untimely(r *runner.Result) (text.Both, bool) {
	switch oldest := b.now.Add(-b.s.Events.Late); {
	case r.Due.Before(oldest) || r.At.Before(oldest):
		return text.Say("it is older than %d days", "%d日より前の結果です", int(b.s.Events.Late.Hours()/24)), true
	case r.Due.After(b.now.Add(mostAhead)) || r.At.After(b.now.Add(mostAhead)):
		return text.Say("the clock of the location is ahead of the server's by %s", "その場所の時計がサーバーより %s 進んでいます", r.At.Sub(b.now).Round(time.Second)), true
	}
	return text.Both{}, false
}

// after is what is known once a result is taken. One that comes late counts, and
// does not change what newer ones said.
func (s standing) after(r *runner.Result) standing {
	switch r.Last.Outcome {
	case check.Success:
		s.good++
	case check.Failure:
		s.bad++
	}
	if r.At.Before(s.lastAt) {
		return s
	}
	if state := stateOf(r.Last.Outcome); state != s.state || s.lastAt.IsZero() {
		s.state, s.since = state, r.At
	}
	s.reason, s.lastAt, s.lastMs = r.Last.Reason, r.At, r.Last.TotalMs
	return s
}

// counted is a result as an event. A check that could not be made is none.
func counted(p *stored, location string, r *runner.Result) (pushed.Count, bool) {
	c := pushed.Count{
		Stream: Stream, Labels: map[string]string{"probe": p.Name, "location": location}, Every: p.spec.interval(),
		Minute: metrics.MinuteOf(r.At.UnixMilli()), Total: 1,
	}
	if r.Last.Outcome == check.Success {
		c.Good = 1
	}
	return c, r.Last.Outcome != check.Unknown
}

// overall is the state of the probe from its locations, as they are now.
func (b *batch) overall(p *stored, known map[string]standing) State {
	all, _ := present(p, known, b.now)
	return all
}

// entry is what the journal says of a probe.
type entry struct {
	Service   string    `json:"service"`
	State     State     `json:"state"`
	Since     time.Time `json:"since"`
	Reason    text.Both `json:"reason,omitzero"`
	Locations []string  `json:"locations,omitempty"` // that see it fail
	Seconds   int       `json:"seconds,omitempty"`   // that it was down
}

// tell appends an entry where the probe went down or came back.
func (b *batch) tell(ctx context.Context, p *stored, before State, known map[string]standing) error {
	after, at := present(p, known, b.now)
	kind := ""
	switch {
	case after == Down && before != Down:
		kind = EntryFailed
	case before == Down && after != Down && after != Silent && after != Unknown:
		kind = EntryRecovered
	}
	if kind == "" {
		return nil
	}
	e := entry{Service: p.Service, State: after, Since: known[b.location].since}
	for _, l := range at {
		if l.State == Down {
			e.Locations, e.Reason = append(e.Locations, l.Location), l.Reason
		}
	}
	_, err := b.s.Journal.Append(ctx, b.tx, journal.Draft{Kind: kind, Subject: ref(p.Name), Also: []journal.Ref{journal.RefTo("service", p.Service)}, Data: e})
	return err
}

const (
	mostStored = 20
	mostReason = 500
)

// bounded is a result within what is stored, whatever an agent sends.
func bounded(r *runner.Result) runner.Result {
	out := *r
	out.Last = boundedAttempt(out.Last)
	if r.First != nil {
		out.First = new(boundedAttempt(*r.First))
	}
	return out
}

func boundedAttempt(a check.Attempt) check.Attempt {
	a.Reason, a.Code = clipped(a.Reason), clip(a.Code)
	a.Steps = slices.Clone(a.Steps[:min(len(a.Steps), mostStored)])
	for i := range a.Steps {
		s := &a.Steps[i]
		s.Name, s.Code, s.Address, s.Protocol, s.Reason = clip(s.Name), clip(s.Code), clip(s.Address), clip(s.Protocol), clipped(s.Reason)
	}
	return a
}

func clipped(b text.Both) text.Both { return text.Both{EN: clip(b.EN), JA: clip(b.JA)} }

func clip(s string) string {
	if r := []rune(s); len(r) > mostReason {
		return string(r[:mostReason]) + "…"
	}
	return s
}

// born is a zero of each counter just before the first check, so that the first
// increase counts.
func born(p *stored, location string, at time.Time) []metrics.Series {
	var rows []metrics.Series
	for _, result := range []string{"success", "failure"} {
		rows = append(rows, point("probe_checks_total", p, location, at.Add(-time.Millisecond), 0, "result", result))
	}
	return rows
}

// samples are the counters and gauges after a check.
func samples(p *stored, is *standing, r *runner.Result) []metrics.Series {
	up := 0.0
	if r.Last.Outcome == check.Success {
		up = 1
	}
	rows := []metrics.Series{
		point("probe_checks_total", p, is.location, r.At, float64(is.good), "result", "success"),
		point("probe_checks_total", p, is.location, r.At, float64(is.bad), "result", "failure"),
	}
	if r.Last.Outcome == check.Unknown {
		return rows
	}
	var phases [5]float64
	var days *float64
	for _, s := range r.Last.Steps {
		for i, v := range [...]float64{s.DNSMs, s.ConnectMs, s.TLSMs, s.TTFBMs, s.TransferMs} {
			phases[i] += v / 1000
		}
		if d := s.CertificateDays; d != nil && (days == nil || *d < *days) {
			days = d
		}
	}
	rows = append(rows, point("probe_success", p, is.location, r.At, up),
		point("probe_duration_seconds", p, is.location, r.At, r.Last.TotalMs/1000))
	for i, name := range [...]string{"dns", "connect", "tls", "ttfb", "transfer"} {
		rows = append(rows, point("probe_phase_seconds", p, is.location, r.At, phases[i], "phase", name))
	}
	if days != nil {
		rows = append(rows, point("probe_certificate_days", p, is.location, r.At, *days))
	}
	return rows
}

func point(name string, p *stored, location string, at time.Time, v float64, more ...string) metrics.Series {
	labels := map[string]string{"__name__": name, "probe": p.Name, "location": location, "service": p.Service}
	for i := 0; i+1 < len(more); i += 2 {
		labels[more[i]] = more[i+1]
	}
	return metrics.Series{Labels: labels, Points: []metrics.Point{{T: at.UnixMilli(), V: v}}}
}

// sample appends what was recorded to the embedded store, row by row: what one
// series cannot take any more, because a newer sample is there, its counter
// makes good with the next.
func (s *Service) sample(ctx context.Context, rows []metrics.Series) {
	if s.Samples == nil || len(rows) == 0 || s.Samples.Append(ctx, rows) == nil {
		return
	}
	lost := 0
	var why error
	for _, row := range rows {
		if err := s.Samples.Append(ctx, []metrics.Series{row}); err != nil {
			lost, why = lost+1, err
		}
	}
	if lost > 0 {
		s.Log.DebugContext(ctx, "samples of probes not stored", "samples", lost, "error", why)
	}
}

// resultID names a result in addresses.
func resultID(probe, location string, due int64) string {
	return probe + "/" + location + "/" + strconv.FormatInt(due, 10)
}
