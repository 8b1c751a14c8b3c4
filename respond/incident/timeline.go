package incident

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// Note adds what somebody saw or did, in Markdown.
func (s *Service) Note(ctx context.Context, name, body string) (Incident, error) {
	return s.write(ctx, name, EntryNoted, Told{Text: body})
}

// write adds an entry that changes nothing but the story.
func (s *Service) write(ctx context.Context, name, kind string, t Told) (Incident, error) {
	if strings.TrimSpace(t.Text) == "" {
		return Incident{}, fault.New(fault.Invalid, "incident.empty", text.Say("there is nothing in it", "内容がありません")).On("body.text")
	}
	return s.change(ctx, name, kind, func(_ context.Context, _ *sql.Tx, i Incident) (Incident, Told, error) { return i, t, nil })
}

// Correct says what a note should have said. The note stays, and shows that it was
// corrected.
func (s *Service) Correct(ctx context.Context, name, entry, body string) (Incident, error) {
	if err := s.within(ctx, name, entry, EntryNoted); err != nil {
		return Incident{}, err
	}
	return s.write(ctx, name, EntryCorrected, Told{Entry: entry, Text: body})
}

// Update tells an audience how things stand.
func (s *Service) Update(ctx context.Context, name string, to Audience, body string) (Incident, error) {
	if strings.TrimSpace(body) == "" {
		return Incident{}, fault.New(fault.Invalid, "incident.empty", text.Say("there is nothing in it", "内容がありません")).On("body.text")
	}
	if !slices.Contains(Audiences, to) {
		return Incident{}, fault.New(fault.Invalid, "incident.audience", text.Say("there is no audience %q", "%q という宛先はありません", to)).
			Fix(text.Say("use team, stakeholders or public", "team、stakeholders、public のいずれかにしてください")).On("body.audience")
	}
	return s.change(ctx, name, EntryUpdated, func(_ context.Context, _ *sql.Tx, i Incident) (Incident, Told, error) {
		return i.Said(to, s.now()), Told{Audience: to, Text: body}, nil
	})
}

// Pin keeps an entry of the timeline in view, or no longer.
func (s *Service) Pin(ctx context.Context, name, entry string, pinned bool) (Incident, error) {
	if err := s.within(ctx, name, entry); err != nil {
		return Incident{}, err
	}
	kind := EntryPinned
	if !pinned {
		kind = EntryUnpinned
	}
	return s.change(ctx, name, kind, func(_ context.Context, _ *sql.Tx, i Incident) (Incident, Told, error) {
		i = i.clone()
		i.Pinned = slices.DeleteFunc(i.Pinned, func(x string) bool { return x == entry })
		if pinned {
			i.Pinned = append(i.Pinned, entry)
		}
		return i, Told{Entry: entry}, nil
	})
}

// within refuses an entry that is not in the timeline of an incident, or not of
// one of the kinds.
func (s *Service) within(ctx context.Context, name, entry string, kinds ...string) error {
	t, err := s.Timeline(ctx, name)
	if err != nil {
		return err
	}
	for _, m := range t.Moments {
		if m.ID == entry && (len(kinds) == 0 || slices.Contains(kinds, m.Kind)) {
			return nil
		}
	}
	return fault.New(fault.NotFound, "incident.no_entry", text.Say("the timeline has no such entry", "タイムラインにその記録はありません"))
}

// Moment is one entry of a timeline. Corrections are what was said of a note
// later; the last one counts.
type Moment struct {
	ID          string          `json:"id"`
	Time        time.Time       `json:"time"`
	Kind        string          `json:"kind"`
	Subject     journal.Ref     `json:"subject"`
	Actor       journal.Actor   `json:"actor"`
	Data        json.RawMessage `json:"data,omitempty"`
	Pinned      bool            `json:"pinned,omitempty"`
	Corrections []Correction    `json:"corrections,omitempty"`
}

// Correction is what a note should have said.
type Correction struct {
	Time  time.Time     `json:"time"`
	Actor journal.Actor `json:"actor"`
	Text  string        `json:"text"`
}

// Timeline is what happened, in order. Cut says that there is more than is shown.
type Timeline struct {
	Moments []Moment `json:"items"`
	Cut     bool     `json:"cut,omitempty" doc:"There are more entries of one source than are shown here; the journal has them."`
}

const (
	// mostOfSource is how many entries of one source a timeline shows.
	mostOfSource = 2000
	// lookBack is how long before the impact began a deployment may have caused it.
	lookBack = 2 * time.Hour
)

// Timeline puts together what the journal says of an incident, of its alerts and
// who was paged for them, and of the deployments of its services shortly before
// and during it.
func (s *Service) Timeline(ctx context.Context, name string) (Timeline, error) {
	i, err := s.Get(ctx, name)
	if err != nil {
		return Timeline{}, err
	}
	c := collector{s: s, seen: map[string]bool{}}
	err = c.add(ctx, journal.Filter{Subject: Ref(i.Number)})
	for _, g := range i.Groups {
		if err == nil {
			err = c.add(ctx, journal.Filter{Subject: journal.RefTo("alert-group", g), Without: []string{"incident.*"}})
		}
	}
	until := i.Stamps.ResolvedAt
	if until.IsZero() {
		until = s.now()
	}
	for _, service := range i.Services {
		if err == nil {
			err = c.add(ctx, journal.Filter{Kinds: []string{"deploy.*", "change.*"}, Subject: journal.RefTo("service", service),
				From: i.Stamps.ImpactStart.Add(-lookBack), To: until})
		}
	}
	if err != nil {
		return Timeline{}, err
	}
	return Timeline{Moments: c.moments(i.Pinned), Cut: c.cut}, nil
}

// collector gathers the entries of a timeline, each once.
type collector struct {
	s       *Service
	seen    map[string]bool
	entries []journal.Entry
	cut     bool
}

func (c *collector) add(ctx context.Context, f journal.Filter) error {
	f.Limit = 500
	for n := 0; n < mostOfSource; n += f.Limit {
		found, next, err := c.s.journal.List(ctx, f)
		if err != nil {
			return err
		}
		for _, e := range found {
			if !c.seen[e.ID] {
				c.seen[e.ID] = true
				c.entries = append(c.entries, e)
			}
		}
		if f.Cursor = next; next == "" {
			return nil
		}
	}
	c.cut = true
	return nil
}

// moments are the entries in order, corrections with the notes that they correct.
func (c *collector) moments(pinned []string) []Moment {
	slices.SortFunc(c.entries, func(a, b journal.Entry) int {
		if d := a.Time.Compare(b.Time); d != 0 {
			return d
		}
		return strings.Compare(a.ID, b.ID)
	})
	all, place := []Moment{}, map[string]int{}
	for _, e := range c.entries {
		if e.Kind == EntryCorrected {
			var t Told
			if k, ok := place[t.read(e)]; ok {
				all[k].Corrections = append(all[k].Corrections, Correction{e.Time, e.Actor, t.Text})
				continue
			}
		}
		place[e.ID] = len(all)
		all = append(all, Moment{ID: e.ID, Time: e.Time, Kind: e.Kind, Subject: e.Subject, Actor: e.Actor, Data: e.Data,
			Pinned: slices.Contains(pinned, e.ID)})
	}
	return all
}

// read fills t with what an entry says, and returns the entry that it is about;
// "" where there is none.
func (t *Told) read(e journal.Entry) string {
	if err := json.Unmarshal(e.Data, t); err != nil {
		return ""
	}
	return t.Entry
}
