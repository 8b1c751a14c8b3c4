package agreement

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/observe/slo/agreement/db"
)

// load reads every version of an SLO, the newest first.
func load(ctx context.Context, q db.DBTX, slo string) ([]Version, error) {
	rows, err := db.New(q).Agreements(ctx, slo)
	if err != nil {
		return nil, database.Fault(fmt.Errorf("read agreements of %s: %w", slo, err))
	}
	all := make([]Version, len(rows))
	for i, r := range rows {
		v := Version{SLO: r.Slo, Number: r.Version, ProposedAt: database.Time(r.ProposedAt), AgreedAt: database.Time(r.AgreedAt),
			InForceAt: database.Time(r.InForceAt), SupersededAt: database.Time(r.SupersededAt)}
		err := errors.Join(database.ReadJSON(r.Terms, &v.Terms), database.ReadJSON(r.ProposedBy, &v.ProposedBy), database.ReadJSON(r.Stakeholders, &v.Stakeholders))
		if err != nil {
			return nil, fmt.Errorf("read agreement %d of %s: %w", r.Version, slo, err)
		}
		all[i] = v
	}
	return all, nil
}

// wordsOn reads what was said to the versions of an SLO, in order.
func wordsOn(ctx context.Context, q db.DBTX, slo string) ([]Word, error) {
	rows, err := db.New(q).WordsOf(ctx, slo)
	if err != nil {
		return nil, database.Fault(fmt.Errorf("read words on %s: %w", slo, err))
	}
	all := make([]Word, len(rows))
	for i, r := range rows {
		all[i] = Word{Version: r.Version, Stakeholder: r.Stakeholder, Word: r.Word, Comment: r.Comment, At: database.Time(r.At)}
		if err := database.ReadJSON(r.ByActor, &all[i].By); err != nil {
			return nil, fmt.Errorf("read words on %s: %w", slo, err)
		}
	}
	return all, nil
}

func add(ctx context.Context, tx *sql.Tx, v *Version) error {
	err := db.New(tx).AddAgreement(ctx, db.AddAgreementParams{Slo: v.SLO, Version: v.Number, Terms: database.JSON(v.Terms),
		Stakeholders: database.JSON(v.Stakeholders), ProposedAt: database.Micros(v.ProposedAt), ProposedBy: database.JSON(v.ProposedBy)})
	if err != nil {
		return fmt.Errorf("propose %s: %w", v.SLO, err)
	}
	return nil
}

func addWord(ctx context.Context, tx *sql.Tx, slo string, w *Word) error {
	id, err := uuid.NewV7()
	if err == nil {
		err = db.New(tx).AddWord(ctx, db.AddWordParams{ID: id.String(), Slo: slo, Version: w.Version, Stakeholder: w.Stakeholder,
			Word: w.Word, Comment: w.Comment, At: database.Micros(w.At), ByActor: database.JSON(w.By)})
	}
	if err != nil {
		return fmt.Errorf("record a word on %s: %w", slo, err)
	}
	return nil
}

// supersede ends a version, where there is one.
func supersede(ctx context.Context, tx *sql.Tx, v *Version, at time.Time) error {
	if v == nil {
		return nil
	}
	err := db.New(tx).SupersedeAgreement(ctx, db.SupersedeAgreementParams{Slo: v.SLO, Version: v.Number, SupersededAt: database.Micros(at)})
	if err != nil {
		return fmt.Errorf("supersede agreement %d of %s: %w", v.Number, v.SLO, err)
	}
	return nil
}

// Briefs reads how SLOs stand with their stakeholders.
func (s *Service) Briefs(ctx context.Context, documents []string) (map[string]Brief, error) {
	found := map[string]Brief{}
	w := &database.Where{}
	w.And("superseded_at = 0")
	w.AnyOf("slo", documents)
	err := database.Each(ctx, s.db.Read(), "SELECT slo, version, in_force_at FROM slo_agreements"+w.SQL(), w.Args(), func(rows *sql.Rows) error {
		var name string
		var version, inForceAt int64
		err := rows.Scan(&name, &version, &inForceAt)
		b := found[name]
		if inForceAt != 0 {
			b.Version = version
		} else {
			b.Proposed = version
		}
		found[name] = b
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read how SLOs are agreed: %w", err)
	}
	for _, name := range documents {
		found[name] = found[name].named()
	}
	return found, nil
}
