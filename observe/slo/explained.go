package slo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/teiten/teiten/catalog"
	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/queue"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo/db"
	"github.com/teiten/teiten/observe/slo/openslo"
)

// explainJob looks for what burns after an alert fired, so that firing waits for
// no question to a source.
type explainJob struct {
	Alert string `json:"alert"`
}

// Kind names the job.
func (explainJob) Kind() string { return "slo.explain_alert" }

const explainTime = 30 * time.Second

// handleJobs registers what runs later.
func (s *Service) handleJobs(q *queue.Queue) {
	queue.Handle(q, queue.Handler[explainJob]{
		Work:    func(ctx context.Context, j queue.Job[explainJob]) error { return s.ExplainAlert(ctx, j.Args.Alert) },
		Timeout: explainTime,
	})
}

// Explanation is what the journal says when an alert was explained.
type Explanation struct {
	Alert         string         `json:"alert"`
	SLO           string         `json:"slo"`
	Service       string         `json:"service"`
	Explanation   text.Both      `json:"explanation"`
	Contributions []Contribution `json:"contributions"`
}

// ExplainAlert finds out which label values burn most and keeps that with the
// alert. An alert that is explained, or whose objective is gone, stays as it is.
func (s *Service) ExplainAlert(ctx context.Context, id string) error {
	a, _, err := readAlert(ctx, s.db.Read(), id)
	if errors.Is(err, sql.ErrNoRows) || err == nil && !a.Explanation.IsZero() {
		return nil
	}
	if err != nil {
		return err
	}
	row, err := db.New(s.db.Read()).GetDefinition(ctx, a.SLO)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return database.Fault(fmt.Errorf("explain alert %s: %w", id, err))
	}
	var d Definition
	if err := unmarshal(row.Data, &d); err != nil {
		return fmt.Errorf("explain alert %s: %w", id, err)
	}
	now, window := a.FiredAt.Truncate(time.Minute), a.lately()
	parts, why, err := s.takeApart(ctx, &d, compared{now, window, now.Add(-max(a.long(), time.Hour))})
	if away(err) {
		return fmt.Errorf("explain alert %s: %w", id, err) // it is tried again
	}
	var found []Contribution
	if err == nil && parts != nil { // too many series, for example, are none
		found = parts.rank()
	}
	said := contributionText(found)
	if !why.IsZero() {
		said = why
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error { return s.keepExplanation(ctx, tx, id, found, said) })
}

func (s *Service) keepExplanation(ctx context.Context, tx *sql.Tx, id string, found []Contribution, said text.Both) error {
	a, row, err := readAlert(ctx, tx, id)
	if err != nil {
		return err
	}
	a.Contributions, a.Explanation = found, said
	if err := db.New(tx).UpdateAlert(ctx, db.UpdateAlertParams{ID: id, Data: marshal(a)}); err != nil {
		return fmt.Errorf("explain alert %s: %w", id, err)
	}
	_, err = s.journal.Append(ctx, tx, journal.Draft{
		Kind: EntryAlertExplained, Subject: journal.RefTo("slo", a.SLO), Also: catalog.RefsOf(row.Service, row.Owner),
		Data: Explanation{Alert: id, SLO: a.SLO, Service: a.Service, Explanation: a.Explanation, Contributions: nonNil(found)},
	})
	return err
}

// lately is the window in which an alert shows best what burns.
func (a *Alert) lately() time.Duration {
	for _, w := range []string{a.Short, a.Long} {
		if d, ok := openslo.ParseDuration(w); ok {
			return d
		}
	}
	return 10 * time.Minute
}

// long is the long window of an alert, 0 without one.
func (a *Alert) long() time.Duration {
	d, _ := openslo.ParseDuration(a.Long)
	return d
}

func readAlert(ctx context.Context, q db.DBTX, id string) (Alert, db.SloAlert, error) {
	var a Alert
	row, err := db.New(q).GetAlert(ctx, id)
	if err != nil {
		return a, row, err
	}
	if err := unmarshal(row.Data, &a); err != nil {
		return a, row, fmt.Errorf("read alert %s: %w", id, err)
	}
	return a, row, nil
}
