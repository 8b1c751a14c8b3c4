package slo

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/observe/slo/db"
	"github.com/teiten/teiten/observe/slo/ledger"
)

// Two clocks: every hour of the ledger happened at one time and was known from
// another on. What was known at an instant follows from the versions of the hour,
// by these rules:
//
//   - The version in force at that instant was known.
//   - While an hour is under way its minutes arrive one by one. They are closed
//     into a version soon after the hour is over, and count as known since each
//     was settled.
//   - A version that was written later than that says what was learned late, and
//     was not known before.

// promptly is how soon after an hour is over its version is written where
// nothing was late.
const promptly = 10 * time.Minute

// version is an hour as the ledger had it from one instant up to another. Both
// are UTC microseconds; written is 0 of an hour whose writing was not noted, and
// until is 0 of the one in force.
type version struct {
	ledger.Record
	written, until int64
}

// over is the instant at which the hour ends.
func (v *version) over() time.Time { return ledger.Start(v.First() + ledger.MinutesPerHour) }

// known is when the version was known.
func (v *version) known() time.Time {
	if v.written == 0 {
		return v.over()
	}
	return database.Time(v.written)
}

// prompt reports whether the version closed its hour in time.
func (v *version) prompt() bool {
	at := v.known()
	return !at.Before(v.over()) && at.Before(v.over().Add(promptly))
}

// correctedBy reports whether next, written at now, says anything else than what
// has just happened.
func (v *version) correctedBy(next *ledger.Record, now time.Time) bool {
	recent := ledger.At(now.Add(-promptly))
	for i, m := range v.Hour {
		if m != next.Hour[i] && (m.Known || v.First()+int64(i) < recent) {
			return true
		}
	}
	return len(next.Lumps) < len(v.Lumps) || !slices.Equal(next.Lumps[:len(v.Lumps)], v.Lumps)
}

// asOf returns the hour as it was known at an instant, given its versions from
// the first to the one in force. A minute is settled some time after its end.
func asOf(versions []version, at time.Time, settle time.Duration) ledger.Record {
	known := ledger.Record{Number: versions[0].Number}
	var late []*version // written after the instant, before the hour was closed
	for i := range versions {
		v := &versions[i]
		switch {
		case !v.known().After(at) && v.until != 0 && database.Micros(at) >= v.until:
			known = ledger.Record{Number: v.Number}
		case !v.known().After(at):
			known = v.Record
		case v.prompt():
			return v.underWay(known, late, at.Add(-settle))
		default:
			late = append(late, v)
		}
	}
	return known
}

// underWay is what was known of an hour before it was closed by v: what was
// written of it early, and the minutes that had arrived. Those that were learned
// late, after the instant, had not.
func (v *version) underWay(known ledger.Record, late []*version, settled time.Time) ledger.Record {
	for i, m := range v.Hour {
		arrived := !ledger.End(v.First() + int64(i)).After(settled)
		for _, l := range late {
			arrived = arrived && !l.Hour[i].Known
		}
		if arrived && !known.Hour[i].Known {
			known.Hour[i] = m
		}
	}
	known.Lumps = nil
	for _, l := range v.Lumps {
		if !ledger.End(l.To).After(settled) {
			known.Lumps = append(known.Lumps, l)
		}
	}
	return known
}

// recordsAsOf is records as they were known at an instant.
func recordsAsOf(ctx context.Context, q db.DBTX, name string, from, to int64, at time.Time, settle time.Duration, each func(*ledger.Record)) error {
	versions, err := versionsOf(ctx, q, name, from, to)
	if err != nil {
		return fmt.Errorf("read the ledger of %s as of %s: %w", name, at.UTC().Format(time.RFC3339), err)
	}
	for n := from; n <= to; n++ {
		if len(versions[n]) == 0 {
			continue
		}
		if r := asOf(versions[n], at, settle); r.Hour != (ledger.Hour{}) {
			each(&r)
		}
	}
	return nil
}

// versionsOf reads all versions of hours, the oldest first.
func versionsOf(ctx context.Context, q db.DBTX, name string, from, to int64) (map[int64][]version, error) {
	former, err := db.New(q).Revisions(ctx, db.RevisionsParams{Slo: name, Hour: from, Hour_2: to})
	if err != nil {
		return nil, database.Fault(err)
	}
	now, err := db.New(q).Hours(ctx, db.HoursParams{Slo: name, Hour: from, Hour_2: to})
	if err != nil {
		return nil, database.Fault(err)
	}
	all := map[int64][]version{}
	add := func(hour int64, v version, data []byte) error {
		if err := v.Unpack(hour, data); err != nil {
			return fmt.Errorf("hour %d: %w", hour, err)
		}
		all[hour] = append(all[hour], v)
		return nil
	}
	for _, r := range former {
		if err := add(r.Hour, version{written: r.WrittenAt, until: r.SupersededAt}, r.Data); err != nil {
			return nil, err
		}
	}
	for _, r := range now {
		if err := add(r.Hour, version{written: r.WrittenAt}, r.Data); err != nil {
			return nil, err
		}
	}
	return all, nil
}
