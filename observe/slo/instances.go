package slo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/teiten/teiten/catalog"
	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/observe/slo/db"
	"github.com/teiten/teiten/observe/slo/policy"
)

// DefaultInstances is how many instances of grouped objectives a server takes.
const DefaultInstances = 20_000

// namedInstances is how many instances a journal entry names.
const namedInstances = 20

// quote writes values of labels so that a database keeps them whatever they are
// made of.
func quote(values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = strconv.QuoteToASCII(v)
	}
	return marshal(quoted)
}

func unquote(matched string) (values []string, err error) {
	if err := unmarshal(matched, &values); err != nil {
		return nil, err
	}
	for i := range values {
		if values[i], err = strconv.Unquote(values[i]); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// readInstances files the definitions of instances under their objectives, and
// reads what was refused.
func (defs *definitions) readInstances(ctx context.Context, q db.DBTX) error {
	defs.instances, defs.retired, defs.refusals = map[string][]*defined{}, map[string]int{}, map[string]db.SloRefusal{}
	for _, d := range defs.all {
		if x := d.def.Instance; x != nil {
			defs.instances[x.Of] = append(defs.instances[x.Of], d)
			defs.taken++
		}
	}
	retired, err := db.New(q).RetiredCounts(ctx)
	if err != nil {
		return err
	}
	for _, r := range retired {
		defs.retired[r.Whole] = int(r.N)
	}
	refused, err := db.New(q).Refusals(ctx)
	for _, r := range refused {
		defs.refusals[r.Slo] = r
	}
	return err
}

// redefineInstances defines the instances of an objective as the objective is
// defined now, and returns their names. Those by other labels are left to be taken
// out, and forgotten where they were retired.
func (s *Service) redefineInstances(ctx context.Context, tx *sql.Tx, d *Definition, managedBy string) ([]string, error) {
	q := db.New(tx)
	rows, err := q.InstancesOf(ctx, d.Name)
	if err != nil {
		return nil, fmt.Errorf("define the instances of %s: %w", d.Name, err)
	}
	if d.Grouping == nil {
		err = q.DropRefusal(ctx, d.Name)
	}
	var keep []string
	for _, row := range rows {
		fits := d.Grouping != nil && row.Labels == marshal(d.Grouping.By)
		switch {
		case err != nil:
			return nil, fmt.Errorf("define the instances of %s: %w", d.Name, err)
		case !fits && row.RetiredAt > 0:
			err = s.forget(ctx, tx, row.Name)
		case fits && row.RetiredAt == 0:
			keep = append(keep, row.Name)
			err = s.redefine(ctx, tx, d, row, managedBy)
		}
	}
	return keep, err
}

// redefine defines one instance anew where that changes anything.
func (s *Service) redefine(ctx context.Context, tx *sql.Tx, whole *Definition, row db.SloInstance, managedBy string) error {
	values, err := unquote(row.Matched)
	if err != nil {
		return fmt.Errorf("read the values of %s: %w", row.Name, err)
	}
	x, err := whole.instance(values)
	if err != nil {
		return err
	}
	old, err := db.New(tx).GetDefinition(ctx, row.Name)
	if err == nil && old.Data == marshal(x) && old.ManagedBy == managedBy {
		return nil
	}
	row.Counted = x.counted()
	return errors.Join(s.define(ctx, tx, x, managedBy), putInstance(ctx, tx, row))
}

func putInstance(ctx context.Context, q db.DBTX, row db.SloInstance) error {
	return db.New(q).PutInstance(ctx, db.PutInstanceParams{Name: row.Name, Whole: row.Whole, Labels: row.Labels,
		Matched: row.Matched, Counted: row.Counted, FoundAt: row.FoundAt})
}

// dropInstances forgets an instance, and those of an objective that were retired.
func (s *Service) dropInstances(ctx context.Context, tx *sql.Tx, name string) error {
	q := db.New(tx)
	rows, err := q.InstancesOf(ctx, name)
	for _, row := range rows {
		if row.RetiredAt > 0 {
			err = errors.Join(err, s.forget(ctx, tx, row.Name))
		}
	}
	return errors.Join(err, q.DropInstance(ctx, name), q.DropRefusal(ctx, name))
}

// forget lets go of an instance that was retired, with its history.
func (s *Service) forget(ctx context.Context, tx *sql.Tx, name string) error {
	return errors.Join(dropLedger(ctx, tx, name), db.New(tx).DropInstance(ctx, name))
}

// findings are what was found out about the instances of one objective.
type findings struct {
	whole *defined
	fresh [][]string // values of those that begin
	gone  []string   // those that are retired
	told  *refusal   // nil: nothing to tell
}

// none reports whether nothing changed.
func (f *findings) none() bool { return len(f.fresh)+len(f.gone) == 0 && f.told == nil }

// instancesEntry is what the journal says of instances that begin or go.
type instancesEntry struct {
	SLO      string   `json:"slo"`
	Service  string   `json:"service"`
	Count    int      `json:"count"`
	Returned int      `json:"returned,omitempty"` // of those that begin: they were retired before
	Names    []string `json:"names"`              // the first of them
}

// write has instances begin and go, in one transaction. It returns errChanged where
// definitions changed since they were found, and does nothing then.
func (e *engine) write(ctx context.Context, all []*findings, generation int64, now time.Time) error {
	var numbers []int
	for _, f := range all {
		numbers = append(numbers, f.whole.shard())
	}
	slices.Sort(numbers)
	return e.s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := e.share.Holds(ctx, tx, slices.Compact(numbers)...); err != nil {
			return err
		}
		n, err := db.New(tx).LockGeneration(ctx, generation)
		if err != nil {
			return err
		}
		if n == 0 {
			return errChanged
		}
		stmts := prepare(tx)
		for _, f := range all {
			err := errors.Join(e.s.begin(ctx, tx, stmts, f, now), e.s.retireInstances(ctx, tx, f, now), e.s.tellRefusal(ctx, tx, f, now))
			if err != nil {
				return fmt.Errorf("find the instances of %s: %w", f.whole.Name, err)
			}
		}
		return e.s.nextGeneration(ctx, tx)
	})
}

// begin defines the instances that were found.
func (s *Service) begin(ctx context.Context, tx *sql.Tx, stmts *prepared, f *findings, now time.Time) error {
	if len(f.fresh) == 0 {
		return nil
	}
	q := db.New(stmts)
	slot, err := q.ReserveSlots(ctx, int64(len(f.fresh)))
	if err != nil {
		return err
	}
	slot -= int64(len(f.fresh))
	told := instancesEntry{SLO: f.whole.Name, Service: f.whole.Service, Count: len(f.fresh)}
	for _, values := range f.fresh {
		slot++
		x, err := f.whole.def.instance(values)
		if err != nil {
			return err
		}
		returned, err := s.beginOne(ctx, tx, stmts, f.whole, x, values, slot, now)
		if err != nil {
			return err
		}
		if returned {
			told.Returned++
		}
		if len(told.Names) < namedInstances {
			told.Names = append(told.Names, x.Name)
		}
	}
	return s.tellInstances(ctx, tx, EntryInstancesFound, f.whole, told)
}

// beginOne defines one instance, and reports whether it was retired before.
func (s *Service) beginOne(ctx context.Context, tx *sql.Tx, stmts *prepared, whole *defined, x *Definition, values []string, slot int64, now time.Time) (bool, error) {
	q := db.New(stmts)
	former, err := q.GetInstance(ctx, x.Name)
	returned := err == nil
	switch {
	case err != nil && !errors.Is(err, sql.ErrNoRows):
		return false, err
	case returned && former.Counted != x.counted(): // its history is of other queries
		if err := giveUpLedger(ctx, tx, x.Name, now); err != nil {
			return false, err
		}
	case !returned:
		former = db.SloInstance{Name: x.Name, Whole: whole.Name, Labels: marshal(whole.def.Grouping.By), Matched: quote(values), FoundAt: database.Micros(now)}
	}
	former.Counted = x.counted()
	revision, err := uuid.NewV7()
	if err != nil {
		return false, err
	}
	return returned, errors.Join(
		q.PutDefinition(ctx, db.PutDefinitionParams{Name: x.Name, Revision: revision.String(), Counted: former.Counted,
			Data: marshal(x), ManagedBy: whole.managedBy, Slot: slot, Document: documentOf(x.Name)}),
		q.DescribeStatus(ctx, db.DescribeStatusParams{Name: x.Name, Title: x.Title, Service: x.Service, Owner: whole.Owner, Tier: whole.Tier,
			System: whole.System, Objective: float64(x.Objective), Period: int64(x.Period / time.Second)}),
		putInstance(ctx, stmts, former))
}

// retireInstances takes instances out of what is executed. Their history stays.
func (s *Service) retireInstances(ctx context.Context, tx *sql.Tx, f *findings, now time.Time) error {
	if len(f.gone) == 0 {
		return nil
	}
	q := db.New(tx)
	for _, name := range f.gone {
		was, err := q.GetDefinition(ctx, name)
		if err != nil {
			return fmt.Errorf("retire %s: %w", name, err)
		}
		err = errors.Join(q.KeepDefinition(ctx, db.KeepDefinitionParams{Slo: name, SupersededAt: database.Micros(now), Data: was.Data}), s.endAlerts(ctx, tx, &Definition{Name: name}), q.DeleteDefinition(ctx, name), q.DeleteStatus(ctx, name),
			q.DropRebuild(ctx, name), q.DropLate(ctx, name), policy.Forget(ctx, tx, name),
			q.RetireInstance(ctx, db.RetireInstanceParams{Name: name, RetiredAt: database.Micros(now)}))
		if err != nil {
			return fmt.Errorf("retire %s: %w", name, err)
		}
	}
	return s.tellInstances(ctx, tx, EntryInstancesRetired, f.whole, instancesEntry{SLO: f.whole.Name, Service: f.whole.Service,
		Count: len(f.gone), Names: f.gone[:min(len(f.gone), namedInstances)]})
}

func (s *Service) tellInstances(ctx context.Context, tx *sql.Tx, kind string, whole *defined, data any) error {
	_, err := s.journal.Append(ctx, tx, journal.Draft{Kind: kind, Subject: journal.RefTo("slo", whole.Name), Also: catalog.RefsOf(whole.Service, whole.Owner), Data: data})
	return err
}
