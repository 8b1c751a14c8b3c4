package probe

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/probe/db"
	"github.com/teiten/teiten/observe/probe/runner"
)

// LocationState is how a location is.
type LocationState string

// The states of a location.
const (
	Reporting LocationState = "reporting"
	Quiet     LocationState = "silent"
	Never     LocationState = "never" // probes name it, and no agent has come
)

// Place is a location as the API shows it.
type Place struct {
	Name     string        `json:"name"`
	State    LocationState `json:"state" enum:"reporting,silent,never"`
	Reason   text.Both     `json:"reason,omitzero"`
	LastSeen *time.Time    `json:"lastSeen,omitempty"`
	Version  string        `json:"version,omitempty" doc:"Of the agent."`
	Probes   int           `json:"probes" doc:"How many probes are checked from here."`
}

// places lists the locations that probes name or agents came from.
func (s *Service) places(ctx context.Context) ([]Place, error) {
	probes, err := list(ctx, s.DB.Read())
	if err != nil {
		return nil, err
	}
	rows, err := db.New(s.DB.Read()).ListLocations(ctx)
	if err != nil {
		return nil, database.Fault(fmt.Errorf("list locations: %w", err))
	}
	all := map[string]*Place{}
	for i := range probes {
		for _, l := range probes[i].spec.locations() {
			if all[l] == nil {
				all[l] = &Place{Name: l, State: Never, Reason: text.Say("no agent has come from %s yet", "%s のエージェントはまだ接続していません", l)}
			}
			all[l].Probes++
		}
	}
	now := s.Now()
	for _, r := range rows {
		seen := database.Time(r.SeenAt)
		p := &Place{Name: r.Name, State: Reporting, LastSeen: &seen, Version: r.Version}
		if was := all[r.Name]; was != nil {
			p.Probes = was.Probes
		}
		if since := now.Sub(seen); since > silentAfter {
			p.State, p.Reason = Quiet, silentReason(r.Name, since)
		}
		all[r.Name] = p
	}
	out := make([]Place, 0, len(all))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		out = append(out, *all[name])
	}
	return out, nil
}

// see notes a sign of life of a location, and tells where it had been silent.
func (s *Service) see(ctx context.Context, location, version string) error {
	if !nameShape.MatchString(location) {
		return fault.New(fault.Invalid, "probe.location", text.Say("%q cannot be the name of a location", "%q は場所の名前として使えません", clip(location))).
			Fix(text.Say("use at most 63 of a–z, 0–9 and -", "a–z、0–9、- を使い、63文字以内にしてください")).On("location")
	}
	now := s.Now()
	return s.DB.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		q := db.New(tx)
		was, err := q.GetLocation(ctx, location)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("see location %s: %w", location, err)
		}
		if err := q.SeeLocation(ctx, db.SeeLocationParams{Name: location, SeenAt: database.Micros(now), Version: clip(version)}); err != nil {
			return fmt.Errorf("see location %s: %w", location, err)
		}
		if was.Silent == 0 {
			return nil
		}
		since := database.Time(was.SeenAt)
		_, err = s.Journal.Append(ctx, tx, journal.Draft{Kind: EntryBack, Subject: journal.RefTo("location", location),
			Data: map[string]any{"since": since, "minutes": int(now.Sub(since) / time.Minute)}})
		return err
	})
}

// tellSilent tells, once, of each location that reports no more although probes
// are to be checked from there. One that no probe names any more is forgotten.
func (s *Service) tellSilent(ctx context.Context) error {
	all, err := s.places(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, p := range all {
		if p.State != Quiet {
			continue
		}
		errs = append(errs, s.DB.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
			if p.Probes == 0 {
				return db.New(tx).DropLocation(ctx, p.Name)
			}
			n, err := db.New(tx).TellSilent(ctx, db.TellSilentParams{Name: p.Name, SeenAt: database.Micros(s.Now().Add(-silentAfter))})
			if err != nil || n == 0 {
				return err
			}
			_, err = s.Journal.Append(ctx, tx, journal.Draft{Kind: EntrySilent, Subject: journal.RefTo("location", p.Name),
				Data: map[string]any{"since": p.LastSeen, "reason": p.Reason, "probes": p.Probes}})
			return err
		}))
	}
	return errors.Join(errs...)
}

// jobs are the checks of a location.
func (s *Service) jobs(ctx context.Context, location string) ([]runner.Job, error) {
	probes, err := list(ctx, s.DB.Read())
	if err != nil {
		return nil, err
	}
	jobs := []runner.Job{}
	for i := range probes {
		if p := &probes[i]; slices.Contains(p.spec.locations(), location) {
			jobs = append(jobs, p.spec.job(p.Name, p.Revision))
		}
	}
	return jobs, nil
}
