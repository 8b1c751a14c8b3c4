package agreement

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/teiten/teiten/access"
	"github.com/teiten/teiten/catalog"
	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo/agreement/db"
	"github.com/teiten/teiten/observe/slo/openslo"
	"github.com/teiten/teiten/observe/slo/policy"
)

// The kinds of journal entries about agreements.
const (
	EntryProposed = "slo.agreement_proposed"
	EntryAgreed   = "slo.agreement_agreed"
	EntryDeclined = "slo.agreement_declined"
	EntryWaived   = "slo.agreement_waived"
	EntryInForce  = "slo.agreement_in_force"
	EntryEnded    = "slo.agreement_ended" // it is not under agreement any more
)

// entryOf is the kind of entry that tells of a word.
var entryOf = map[string]string{wordAgree: EntryAgreed, wordDecline: EntryDeclined, wordWaive: EntryWaived}

// Reader is a connection or a transaction.
type Reader = db.DBTX

// Objectives is what the room asks of the objectives that are agreed.
type Objectives interface {
	// Document is the document that an objective comes from, or a NotFound fault.
	Document(ctx context.Context, q Reader, name string) (*openslo.SLO, error)
	// Reinstall has the terms executed that are in force now.
	Reinstall(ctx context.Context, tx *sql.Tx, document string) error
}

// Deps is what the room stands on.
type Deps struct {
	DB         *database.DB
	Journal    *journal.Journal
	Catalog    *catalog.Service
	Objectives Objectives
	Now        func() time.Time
}

// Service keeps agreements.
type Service struct {
	db         *database.DB
	journal    *journal.Journal
	catalog    *catalog.Service
	objectives Objectives
	now        func() time.Time
}

// New returns the room.
func New(d Deps) *Service {
	return &Service{db: d.DB, journal: d.Journal, catalog: d.Catalog, objectives: d.Objectives, now: d.Now}
}

// Executed returns the SLO with the terms that are to be executed, and proposes
// those of the document where they are others.
func (s *Service) Executed(ctx context.Context, tx *sql.Tx, o *openslo.SLO) (*openslo.SLO, error) {
	all, err := load(ctx, tx, o.Metadata.Name)
	if err != nil {
		return nil, err
	}
	needed, stakeholders, err := s.needs(ctx, tx, o)
	if err != nil {
		return nil, err
	}
	v := open(all)
	if !needed {
		return o, s.leave(ctx, tx, o, v)
	}
	terms := termsOf(o)
	switch {
	case v.inForce != nil && v.inForce.Terms.same(terms):
		err = supersede(ctx, tx, v.proposed, s.now())
	case v.proposed == nil || !v.proposed.Terms.same(terms):
		err = errors.Join(supersede(ctx, tx, v.proposed, s.now()),
			s.propose(ctx, tx, o, Version{Number: int64(len(all)) + 1, Terms: terms, Stakeholders: stakeholders}))
	}
	if err != nil || v.inForce == nil {
		return o, err
	}
	x, t := *o, v.inForce.Terms
	x.Spec.Objectives, x.Spec.TimeWindow, x.Spec.BudgetingMethod = t.Objectives, t.TimeWindow, t.BudgetingMethod
	return &x, nil
}

// End ends what is open of an SLO that is removed.
func (s *Service) End(ctx context.Context, tx *sql.Tx, document string) error {
	all, err := load(ctx, tx, document)
	if err != nil {
		return err
	}
	v := open(all)
	return errors.Join(supersede(ctx, tx, v.inForce, s.now()), supersede(ctx, tx, v.proposed, s.now()))
}

// needs says whether an SLO is under agreement, and whose word it takes.
func (s *Service) needs(ctx context.Context, q Reader, o *openslo.SLO) (needed bool, stakeholders []string, err error) {
	policies, err := policy.Load(ctx, q)
	if err != nil {
		return false, nil, err
	}
	e, err := s.service(ctx, q, o)
	if err != nil {
		return false, nil, err
	}
	a := o.Metadata.Annotations
	byPolicy, stakeholders := policies.Agreement(o.Metadata.Name, o.Spec.Service, e.Tier)
	if named := a[openslo.Stakeholders]; named != "" {
		stakeholders = nil
		for name := range strings.SplitSeq(named, ",") {
			stakeholders = append(stakeholders, strings.TrimSpace(name))
		}
	}
	if len(stakeholders) == 0 {
		stakeholders = []string{"role:" + string(access.Admin)}
		if e.Owner != "" {
			stakeholders = []string{"team:" + e.Owner}
		}
	}
	return byPolicy || a[openslo.Agreement] == required, stakeholders, nil
}

// service is what the catalog knows of the service of an SLO: nothing where it
// has none of that name.
func (s *Service) service(ctx context.Context, q Reader, o *openslo.SLO) (catalog.Entity, error) {
	e, err := s.catalog.Find(ctx, q, o.Spec.Service)
	if fault.KindOf(err) == fault.NotFound {
		return catalog.Entity{}, nil
	}
	return e, err
}

func (s *Service) propose(ctx context.Context, tx *sql.Tx, o *openslo.SLO, v Version) error {
	v.SLO, v.ProposedAt, v.ProposedBy = o.Metadata.Name, s.now(), journal.ActorFrom(ctx)
	if err := add(ctx, tx, &v); err != nil {
		return err
	}
	return s.tell(ctx, tx, EntryProposed, o, entry{Version: v.Number, Terms: v.Terms.say(), Stakeholders: v.Stakeholders})
}

// leave ends what is open of an SLO that needs no agreement any more.
func (s *Service) leave(ctx context.Context, tx *sql.Tx, o *openslo.SLO, v versions) error {
	if v.inForce == nil && v.proposed == nil {
		return nil
	}
	if err := errors.Join(supersede(ctx, tx, v.inForce, s.now()), supersede(ctx, tx, v.proposed, s.now())); err != nil {
		return err
	}
	return s.tell(ctx, tx, EntryEnded, o, entry{})
}

// entry is what the journal says of an agreement.
type entry struct {
	SLO          string    `json:"slo"`
	Version      int64     `json:"version,omitempty"`
	Terms        text.Both `json:"terms,omitzero"`
	Stakeholders []string  `json:"stakeholders,omitempty"`
	Comment      string    `json:"comment,omitempty"`
}

func (s *Service) tell(ctx context.Context, tx *sql.Tx, kind string, o *openslo.SLO, e entry) error {
	service, err := s.service(ctx, tx, o)
	if err != nil {
		return err
	}
	e.SLO = o.Metadata.Name
	_, err = s.journal.Append(ctx, tx, journal.Draft{Kind: kind, Subject: journal.RefTo("slo", e.SLO), Also: catalog.RefsOf(o.Spec.Service, service.Owner), Data: e})
	return err
}

// say records a word on a version by whoever acts, and has the version come into
// force where nothing is missing any more.
func (s *Service) say(ctx context.Context, name string, version int64, word, comment string) error {
	p, ok := access.From(ctx)
	if !ok || p.Kind != access.Person && p.Kind != access.System {
		return fault.New(fault.Denied, "slo.agreement_person", text.Say("only a person can give their word", "合意できるのは人だけです")).
			Fix(text.Say("sign in and do it there", "サインインして操作してください"))
	}
	comment = strings.TrimSpace(comment)
	if word != wordAgree && len(comment) < 3 {
		return fault.New(fault.Invalid, "slo.agreement_comment", text.Say("it needs a reason", "理由が必要です")).
			Fix(text.Say("say why", "理由を書いてください")).On("body.comment")
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		o, err := s.objectives.Document(ctx, tx, name)
		if err != nil {
			return err
		}
		// Two words that are said at once are counted one after the other.
		proposed, err := db.New(tx).LockAgreement(ctx, db.LockAgreementParams{Slo: o.Metadata.Name, Version: version})
		if err != nil {
			return fmt.Errorf("lock agreement %d of %s: %w", version, o.Metadata.Name, err)
		}
		all, err := load(ctx, tx, o.Metadata.Name)
		if err != nil {
			return err
		}
		v := open(all)
		if proposed == 0 || v.proposed == nil || v.proposed.Number != version {
			return fault.New(fault.Conflict, "slo.agreement_closed", text.Say("version %d is not proposed", "版%dは提案中ではありません", version)).
				Fix(text.Say("read the agreements again", "合意の一覧を読み直してください"))
		}
		return s.sayTo(ctx, tx, p, o, v, word, comment)
	})
}

func (s *Service) sayTo(ctx context.Context, tx *sql.Tx, p access.Principal, o *openslo.SLO, v versions, word, comment string) error {
	mine, err := s.speaker(ctx, tx, p, o, v.proposed.Stakeholders, word)
	if err != nil {
		return err
	}
	for _, name := range mine {
		w := Word{Version: v.proposed.Number, Stakeholder: name, Word: word, Comment: comment, At: s.now(), By: journal.ActorFrom(ctx)}
		if err := addWord(ctx, tx, o.Metadata.Name, &w); err != nil {
			return err
		}
	}
	said := entry{Version: v.proposed.Number, Stakeholders: slices.DeleteFunc(mine, func(n string) bool { return n == "" }), Comment: comment}
	if err := s.tell(ctx, tx, entryOf[word], o, said); err != nil {
		return err
	}
	words, err := wordsOn(ctx, tx, o.Metadata.Name)
	if err != nil || !v.proposed.settled(words) {
		return err
	}
	return s.enforce(ctx, tx, o, v)
}

// speaker lists the stakeholders that the principal may speak for, "" for a
// waiver, or refuses.
func (s *Service) speaker(ctx context.Context, tx *sql.Tx, p access.Principal, o *openslo.SLO, stakeholders []string, word string) ([]string, error) {
	if word == wordWaive {
		e, err := s.service(ctx, tx, o)
		if err != nil {
			return nil, err
		}
		if !p.Role.AtLeast(access.Admin) && (e.Owner == "" || !speaksFor(p, "team:"+e.Owner)) {
			return nil, fault.New(fault.Denied, "slo.agreement_waive", text.Say("only an owner of the service or an administrator may waive an agreement", "合意を省けるのは、サービスの所有者か管理者だけです")).
				Fix(text.Say("ask one of them, or the stakeholders for their word", "所有者か管理者に依頼するか、関係者の合意を得てください"))
		}
		return []string{""}, nil
	}
	var mine []string
	for _, name := range stakeholders {
		if speaksFor(p, name) {
			mine = append(mine, name)
		}
	}
	if len(mine) == 0 {
		return nil, fault.New(fault.Denied, "slo.agreement_stakeholder", text.Say("you are none of its stakeholders: %s", "関係者(%s)ではありません", strings.Join(stakeholders, ", "))).
			Fix(text.Say("ask one of them", "関係者に依頼してください"))
	}
	return mine, nil
}

// enforce has the proposed version take the place of the one in force.
func (s *Service) enforce(ctx context.Context, tx *sql.Tx, o *openslo.SLO, v versions) error {
	if err := supersede(ctx, tx, v.inForce, s.now()); err != nil {
		return err
	}
	err := db.New(tx).EnforceAgreement(ctx, db.EnforceAgreementParams{Slo: v.proposed.SLO, Version: v.proposed.Number, AgreedAt: database.Micros(s.now())})
	if err != nil {
		return fmt.Errorf("enforce agreement of %s: %w", v.proposed.SLO, err)
	}
	if err := s.tell(ctx, tx, EntryInForce, o, entry{Version: v.proposed.Number, Terms: v.proposed.Terms.say()}); err != nil {
		return err
	}
	return s.objectives.Reinstall(ctx, tx, o.Metadata.Name)
}
