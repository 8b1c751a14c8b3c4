package slo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/observe/slo/agreement"
	"github.com/teiten/teiten/observe/slo/db"
	"github.com/teiten/teiten/observe/slo/exclusion"
	"github.com/teiten/teiten/observe/slo/ledger"
	"github.com/teiten/teiten/observe/slo/openslo"
	"github.com/teiten/teiten/observe/slo/policy"
)

// objectives is what the rooms inside of this one ask of it.
type objectives struct{ s *Service }

var (
	_ exclusion.Objectives = objectives{}
	_ policy.Objectives    = objectives{}
	_ agreement.Objectives = objectives{}
)

func (o objectives) Coverages(ctx context.Context, q exclusion.Reader) ([]exclusion.Coverage, error) {
	rows, err := db.New(q).Coverages(ctx)
	if err != nil {
		return nil, database.Fault(fmt.Errorf("list what is covered: %w", err))
	}
	all := make([]exclusion.Coverage, len(rows))
	for i, r := range rows {
		all[i] = coverage(r.Name, r.Service, r.System, r.Owner)
	}
	return all, nil
}

func (o objectives) Exists(ctx context.Context, name string) error {
	_, err := o.s.one(ctx, name)
	return err
}

func (o objectives) CheckService(ctx context.Context, tx *sql.Tx, d *ascode.Document, name string) []*fault.Error {
	return o.s.checkService(ctx, tx, d, name)
}

func (o objectives) Excluded(ctx context.Context, tx *sql.Tx, names []string, since int64) error {
	if err := o.s.nextGeneration(ctx, tx); err != nil {
		return fmt.Errorf("sum again: %w", err)
	}
	var err error
	for _, name := range names {
		err = errors.Join(err, askRebuild(ctx, tx, name, since))
	}
	return err
}

func (o objectives) Hides(ctx context.Context, q exclusion.Reader, c exclusion.Coverage, x *exclusion.Exclusion, book *exclusion.Book) (exclusion.Hidden, error) {
	h := exclusion.Hidden{SLO: c.SLO}
	end := ledger.Done(o.s.now())
	row, err := db.New(q).GetDefinition(ctx, c.SLO)
	if err != nil {
		return h, database.Fault(fmt.Errorf("read %s: %w", c.SLO, err))
	}
	var d Definition
	if err := unmarshal(row.Data, &d); err != nil {
		return h, fmt.Errorf("read %s: %w", c.SLO, err)
	}
	span := ledger.Between(d.Counting.Start(d.window().Start(end)), end)
	already := book.Minutes(c, span)
	more := x.Within(span)
	both := ledger.Join(append(slices.Clone(already), more...))
	if h.Minutes = ledger.Length(both) - ledger.Length(already); h.Minutes == 0 {
		return h, nil
	}
	past, err := o.s.history(ctx, q, &d, span, time.Time{})
	if err != nil {
		return h, err
	}
	before, after := total(counted(&d, span.From, past.Minutes, already)), total(counted(&d, span.From, past.Minutes, both))
	h.Bad = before.Bad - after.Bad
	h.LeftBefore, h.LeftAfter = d.Objective.BudgetLeft(before), d.Objective.BudgetLeft(after)
	h.GivesBack = h.LeftAfter - h.LeftBefore
	return h, nil
}

// Budgets are what error-budget policies judge.
func (o objectives) Budgets(ctx context.Context) ([]policy.Objective, error) {
	l, err := o.s.standings(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]policy.Objective, 0, len(l.rows))
	for _, r := range l.rows {
		if r.def.Instance == nil {
			all = append(all, policy.Objective{Name: r.Name, Service: r.Service, Owner: r.Owner, Tier: r.Tier, Budget: r.budget()})
		}
	}
	return all, nil
}

func (o objectives) AgreementChanged(ctx context.Context, tx *sql.Tx) error {
	parts, err := db.New(tx).PartsOfKind(ctx, kindSLO)
	if err != nil {
		return database.Fault(fmt.Errorf("list objectives: %w", err))
	}
	for _, p := range parts {
		if err := o.s.reinstall(ctx, tx, p.Name); err != nil {
			return err
		}
	}
	return nil
}

func (o objectives) PolicyChanged(ctx context.Context, tx *sql.Tx) error {
	if err := o.s.nextGeneration(ctx, tx); err != nil {
		return fmt.Errorf("read policies anew: %w", err)
	}
	return nil
}

// Document is the document that an objective comes from.
func (o objectives) Document(ctx context.Context, q agreement.Reader, name string) (*openslo.SLO, error) {
	if name != documentOf(name) {
		if _, err := o.s.one(ctx, name); err != nil {
			return nil, err
		}
	}
	var doc openslo.SLO
	there, err := loadPart(ctx, q, kindSLO, documentOf(name), &doc)
	if err == nil && !there {
		err = notFound(name)
	}
	return &doc, err
}

func (o objectives) Reinstall(ctx context.Context, tx *sql.Tx, document string) error {
	return o.s.reinstall(ctx, tx, document)
}

func total(all []ledger.Minute) (sum ledger.Sum) {
	for _, m := range all {
		sum = sum.Add(m)
	}
	return sum
}

// askRebuild has an objective's figures summed again from the ledger, as far as
// they are of minutes from since on.
func askRebuild(ctx context.Context, tx *sql.Tx, slo string, since int64) error {
	id, err := uuid.NewV7()
	if err == nil {
		err = db.New(tx).AskRebuild(ctx, db.AskRebuildParams{Slo: slo, Since: since, Asked: id.String()})
	}
	if err != nil {
		return fmt.Errorf("sum %s again: %w", slo, err)
	}
	return nil
}
