package slo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/teiten/teiten/access"
	"github.com/teiten/teiten/catalog"
	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo/burn"
	"github.com/teiten/teiten/observe/slo/db"
	"github.com/teiten/teiten/observe/slo/openslo"
	"github.com/teiten/teiten/observe/slo/policy"
)

// An objective under agreement is promised by its stakeholders, in versions:
//
//	AG1 What a version says is never rewritten; a change is another version.
//	AG2 Once a version was in force, exactly one is, until the SLO leaves
//	    agreement or is removed.
//	AG3 The version in force is what is executed. Before the first one is, the
//	    proposed terms are.
//	AG4 A version comes into force when each of its stakeholders has agreed as
//	    their last word, or an owner of the service waives the rest with a reason.
//	AG5 A version whose place another one took is never in force again.

// The kinds of journal entries about agreements.
const (
	EntryProposed     = "slo.agreement_proposed"
	EntryAgreed       = "slo.agreement_agreed"
	EntryDeclined     = "slo.agreement_declined"
	EntryWaived       = "slo.agreement_waived"
	EntryInForce      = "slo.agreement_in_force"
	EntryNotAgreed    = "slo.agreement_ended" // it is not under agreement any more
	agreementRequired = "required"
)

// The words that may be said to a version.
const (
	wordAgree   = "agree"
	wordDecline = "decline"
	wordWaive   = "waive"
)

// Terms are what is agreed of an SLO.
type Terms struct {
	Objectives      []openslo.Objective  `json:"objectives"`
	TimeWindow      []openslo.TimeWindow `json:"timeWindow,omitempty"`
	BudgetingMethod string               `json:"budgetingMethod,omitempty"`
}

func termsOf(o *openslo.SLO) Terms {
	return Terms{o.Spec.Objectives, o.Spec.TimeWindow, o.Spec.BudgetingMethod}
}

// say tells the terms in one sentence: 99.9 % over 30d.
func (t Terms) say() text.Both {
	var targets []string
	for _, o := range t.Objectives {
		targets = append(targets, burn.Number(o.Share()*100)+"%")
	}
	spec := openslo.SLOSpec{TimeWindow: t.TimeWindow}
	return text.Say("%s over %s", "%[2]sで%[1]s", strings.Join(targets, ", "), burn.Spoken(spec.Window().Nominal()))
}

// needs says whether an SLO is under agreement, and whose word it takes.
func (s *Service) needs(ctx context.Context, q db.DBTX, o *openslo.SLO) (required bool, stakeholders []string, err error) {
	policies, err := policy.Load(ctx, q)
	if err != nil {
		return false, nil, err
	}
	e, _, err := s.lookUp(ctx, q, o.Spec.Service)
	if err != nil {
		return false, nil, err
	}
	a := o.Metadata.Annotations
	byPolicy, stakeholders := policies.Agreement(o.Metadata.Name, o.Spec.Service, e.Tier)
	required = byPolicy || a[openslo.Agreement] == agreementRequired
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
	return required, stakeholders, nil
}

// versions are those of one SLO that matter to its future; nil where there is
// none.
type versions struct{ inForce, proposed *db.SloAgreement }

// open finds what is in force and what is proposed among all versions.
func open(all []db.SloAgreement) (v versions) {
	for i := range all {
		switch a := &all[i]; {
		case a.SupersededAt != 0:
		case a.InForceAt != 0:
			v.inForce = a
		default:
			v.proposed = a
		}
	}
	return v
}

// underAgreement returns the SLO with the terms that are to be executed, and
// proposes those of the document where they are others.
func (s *Service) underAgreement(ctx context.Context, tx *sql.Tx, o *openslo.SLO) (*openslo.SLO, error) {
	name := o.Metadata.Name
	all, err := db.New(tx).Agreements(ctx, name)
	if err != nil {
		return nil, database.Fault(fmt.Errorf("read agreements of %s: %w", name, err))
	}
	required, stakeholders, err := s.needs(ctx, tx, o)
	if err != nil {
		return nil, err
	}
	v := open(all)
	if !required {
		return o, s.leaveAgreement(ctx, tx, o, v)
	}
	terms := marshal(termsOf(o))
	switch {
	case v.inForce != nil && v.inForce.Terms == terms:
		err = s.supersede(ctx, tx, v.proposed)
	case v.proposed == nil || v.proposed.Terms != terms:
		err = errors.Join(s.supersede(ctx, tx, v.proposed), s.propose(ctx, tx, o, int64(len(all))+1, terms, stakeholders))
	}
	if err != nil || v.inForce == nil {
		return o, err
	}
	var t Terms
	if err := unmarshal(v.inForce.Terms, &t); err != nil {
		return nil, fmt.Errorf("read agreement %d of %s: %w", v.inForce.Version, name, err)
	}
	x := *o
	x.Spec.Objectives, x.Spec.TimeWindow, x.Spec.BudgetingMethod = t.Objectives, t.TimeWindow, t.BudgetingMethod
	return &x, nil
}

func (s *Service) propose(ctx context.Context, tx *sql.Tx, o *openslo.SLO, version int64, terms string, stakeholders []string) error {
	name := o.Metadata.Name
	err := db.New(tx).AddAgreement(ctx, db.AddAgreementParams{Slo: name, Version: version, Terms: terms, Stakeholders: marshal(stakeholders),
		ProposedAt: database.Micros(s.now()), ProposedBy: marshal(journal.ActorFrom(ctx))})
	if err != nil {
		return fmt.Errorf("propose %s: %w", name, err)
	}
	return s.tellAgreement(ctx, tx, EntryProposed, o, agreementEntry{Version: version, Terms: termsOf(o).say(), Stakeholders: stakeholders})
}

// supersede ends a version, where there is one.
func (s *Service) supersede(ctx context.Context, tx *sql.Tx, a *db.SloAgreement) error {
	if a == nil {
		return nil
	}
	err := db.New(tx).SupersedeAgreement(ctx, db.SupersedeAgreementParams{Slo: a.Slo, Version: a.Version, SupersededAt: database.Micros(s.now())})
	if err != nil {
		return fmt.Errorf("supersede agreement %d of %s: %w", a.Version, a.Slo, err)
	}
	return nil
}

// leaveAgreement ends what is open of an SLO that needs no agreement any more.
func (s *Service) leaveAgreement(ctx context.Context, tx *sql.Tx, o *openslo.SLO, v versions) error {
	if v.inForce == nil && v.proposed == nil {
		return nil
	}
	if err := errors.Join(s.supersede(ctx, tx, v.inForce), s.supersede(ctx, tx, v.proposed)); err != nil {
		return err
	}
	return s.tellAgreement(ctx, tx, EntryNotAgreed, o, agreementEntry{})
}

// agreementEntry is what the journal says of an agreement.
type agreementEntry struct {
	SLO          string    `json:"slo"`
	Version      int64     `json:"version,omitempty"`
	Terms        text.Both `json:"terms,omitzero"`
	Stakeholders []string  `json:"stakeholders,omitempty"`
	Comment      string    `json:"comment,omitempty"`
}

func (s *Service) tellAgreement(ctx context.Context, tx *sql.Tx, kind string, o *openslo.SLO, e agreementEntry) error {
	service, _, err := s.lookUp(ctx, tx, o.Spec.Service)
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
	if word != wordAgree && len(strings.TrimSpace(comment)) < 3 {
		return fault.New(fault.Invalid, "slo.agreement_comment", text.Say("it needs a reason", "理由が必要です")).
			Fix(text.Say("say why", "理由を書いてください")).On("body.comment")
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		var o openslo.SLO
		there, err := loadPart(ctx, tx, kindSLO, name, &o)
		if err != nil {
			return err
		}
		if !there {
			return notFound(name)
		}
		// Two words that are said at once are counted one after the other.
		proposed, err := db.New(tx).LockAgreement(ctx, db.LockAgreementParams{Slo: name, Version: version})
		if err != nil {
			return fmt.Errorf("lock agreement %d of %s: %w", version, name, err)
		}
		all, err := db.New(tx).Agreements(ctx, name)
		if err != nil {
			return database.Fault(fmt.Errorf("read agreements of %s: %w", name, err))
		}
		v := open(all)
		if proposed == 0 || v.proposed == nil || v.proposed.Version != version {
			return fault.New(fault.Conflict, "slo.agreement_closed", text.Say("version %d is not proposed", "版%dは提案中ではありません", version)).
				Fix(text.Say("read the agreements again", "合意の一覧を読み直してください"))
		}
		return s.sayTo(ctx, tx, p, &o, v, word, strings.TrimSpace(comment))
	})
}

func (s *Service) sayTo(ctx context.Context, tx *sql.Tx, p access.Principal, o *openslo.SLO, v versions, word, comment string) error {
	var stakeholders []string
	if err := unmarshal(v.proposed.Stakeholders, &stakeholders); err != nil {
		return fmt.Errorf("read agreement of %s: %w", o.Metadata.Name, err)
	}
	mine, err := s.speaker(ctx, tx, p, o, stakeholders, word)
	if err != nil {
		return err
	}
	q, by := db.New(tx), marshal(journal.ActorFrom(ctx))
	for _, name := range mine {
		id, err := uuid.NewV7()
		if err == nil {
			err = q.AddWord(ctx, db.AddWordParams{ID: id.String(), Slo: o.Metadata.Name, Version: v.proposed.Version, Stakeholder: name,
				Word: word, Comment: comment, At: database.Micros(s.now()), ByActor: by})
		}
		if err != nil {
			return fmt.Errorf("record a word on %s: %w", o.Metadata.Name, err)
		}
	}
	kind := map[string]string{wordAgree: EntryAgreed, wordDecline: EntryDeclined, wordWaive: EntryWaived}[word]
	if err := s.tellAgreement(ctx, tx, kind, o, agreementEntry{Version: v.proposed.Version, Stakeholders: slices.DeleteFunc(mine, func(n string) bool { return n == "" }), Comment: comment}); err != nil {
		return err
	}
	words, err := q.WordsOf(ctx, o.Metadata.Name)
	if err != nil {
		return database.Fault(fmt.Errorf("read words on %s: %w", o.Metadata.Name, err))
	}
	if !settled(stakeholders, words, v.proposed.Version) {
		return nil
	}
	return s.enforce(ctx, tx, o, v)
}

// speaker lists the stakeholders that the principal may speak for, "" for a
// waiver, or refuses.
func (s *Service) speaker(ctx context.Context, tx *sql.Tx, p access.Principal, o *openslo.SLO, stakeholders []string, word string) ([]string, error) {
	if word == wordWaive {
		e, _, err := s.lookUp(ctx, tx, o.Spec.Service)
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

// speaksFor reports whether a principal's word is that of a stakeholder: the
// person themselves, an owner of the team, or somebody of the role.
func speaksFor(p access.Principal, stakeholder string) bool {
	kind, name, _ := strings.Cut(stakeholder, ":")
	switch kind {
	case "team":
		return slices.Contains(p.Owns, "team:"+strings.ToLower(name))
	case "user":
		return p.UserID != "" && (strings.EqualFold(p.Login, name) || p.UserID == name)
	case "role":
		return p.Role.AtLeast(access.Role(name)) && access.Role(name).Valid()
	}
	return false
}

// settled reports whether nothing is missing for a version to come into force.
func settled(stakeholders []string, words []db.SloAgreementWord, version int64) bool {
	last := map[string]string{}
	for _, w := range words { // in the order in which they were said
		if w.Version == version {
			last[w.Stakeholder] = w.Word
		}
	}
	return last[""] == wordWaive || !slices.ContainsFunc(stakeholders, func(name string) bool { return last[name] != wordAgree })
}

// enforce has the proposed version take the place of the one in force.
func (s *Service) enforce(ctx context.Context, tx *sql.Tx, o *openslo.SLO, v versions) error {
	if err := s.supersede(ctx, tx, v.inForce); err != nil {
		return err
	}
	err := db.New(tx).EnforceAgreement(ctx, db.EnforceAgreementParams{Slo: v.proposed.Slo, Version: v.proposed.Version, AgreedAt: database.Micros(s.now())})
	if err != nil {
		return fmt.Errorf("enforce agreement of %s: %w", v.proposed.Slo, err)
	}
	var t Terms
	if err := unmarshal(v.proposed.Terms, &t); err != nil {
		return fmt.Errorf("read agreement of %s: %w", v.proposed.Slo, err)
	}
	if err := s.tellAgreement(ctx, tx, EntryInForce, o, agreementEntry{Version: v.proposed.Version, Terms: t.say()}); err != nil {
		return err
	}
	return s.reinstall(ctx, tx, o.Metadata.Name)
}
