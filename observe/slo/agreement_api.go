package slo

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/teiten/teiten/access"
	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo/db"
	"github.com/teiten/teiten/observe/slo/openslo"
)

// Agreements is what was agreed of an SLO, the newest version first.
type Agreements struct {
	Required bool            `json:"required" doc:"Whether a changed objective or window waits for its stakeholders."`
	Reason   text.Both       `json:"reason"`
	Items    []AgreementView `json:"items"`
}

// AgreementView is one version of what was agreed.
type AgreementView struct {
	Version      int64         `json:"version"`
	State        string        `json:"state" enum:"proposed,in_force,superseded,withdrawn" doc:"Superseded: was in force. Withdrawn: another version was proposed before this one was agreed."`
	Terms        TermsView     `json:"terms"`
	Stakeholders []Stakeholder `json:"stakeholders"`
	ProposedAt   time.Time     `json:"proposedAt"`
	ProposedBy   journal.Actor `json:"proposedBy"`
	AgreedAt     *time.Time    `json:"agreedAt,omitempty"`
	InForceAt    *time.Time    `json:"inForceAt,omitempty"`
	SupersededAt *time.Time    `json:"supersededAt,omitempty"`
	Words        []WordView    `json:"words" doc:"Everything that was said to it, in order."`
}

// TermsView is terms with a sentence for people.
type TermsView struct {
	Terms
	Text text.Both `json:"text"`
}

// Stakeholder is somebody whose word a version takes, and their last word.
type Stakeholder struct {
	Name    string         `json:"name" doc:"team:payments, user:ada@example.com or role:admin."`
	Word    string         `json:"word" enum:",agree,decline" doc:"Empty while nothing was said."`
	Comment string         `json:"comment,omitempty"`
	At      *time.Time     `json:"at,omitempty"`
	By      *journal.Actor `json:"by,omitempty"`
	Mine    bool           `json:"mine" doc:"Whether the caller may speak for it."`
}

// WordView is what was said to a version.
type WordView struct {
	Stakeholder string        `json:"stakeholder" doc:"Empty for a waiver."`
	Word        string        `json:"word" enum:"agree,decline,waive"`
	Comment     string        `json:"comment,omitempty"`
	At          time.Time     `json:"at"`
	By          journal.Actor `json:"by"`
}

type agreementsOut struct{ Body Agreements }

type wordIn struct {
	Name    string `path:"name" doc:"The objective's name."`
	Version int64  `path:"version" minimum:"1" doc:"The version that was read."`
	Body    struct {
		Comment string `json:"comment,omitempty" maxLength:"1000" doc:"Everybody can read it. It is required to decline and to waive."`
	}
}

type agreementOut struct{ Body AgreementView }

func (s *Service) registerAgreements(a *httpapi.API) {
	const tag = "Agreements"
	httpapi.Register(a, httpapi.Op{ID: "list-agreements", Method: http.MethodGet, Path: "/api/v1/slos/{name}/agreements", Scope: scopeRead, Tag: tag,
		Summary: "What was agreed of an objective, by whom and when"}, s.apiAgreements)
	for _, w := range []struct{ word, summary, about string }{
		{wordAgree, "Agree to a proposed version", "For every stakeholder that the caller may speak for. When nobody is missing any more the version is in force."},
		{wordDecline, "Decline a proposed version", "With the reason as comment. Who declined may agree later."},
		{wordWaive, "Put a proposed version in force without the words that are missing", "For owners of the service and administrators, with the reason as comment."},
	} {
		httpapi.Register(a, httpapi.Op{ID: w.word + "-agreement", Method: http.MethodPost, Path: "/api/v1/slos/{name}/agreements/{version}/" + w.word,
			Scope: scopeRead, Tag: tag, Summary: w.summary, Description: w.about},
			func(ctx context.Context, in *wordIn) (*agreementOut, error) { return s.apiWord(ctx, in, w.word) })
	}
}

func (s *Service) apiAgreements(ctx context.Context, in *NameIn) (*agreementsOut, error) {
	a, err := s.Agreements(ctx, in.Name)
	return &agreementsOut{a}, err
}

func (s *Service) apiWord(ctx context.Context, in *wordIn, word string) (*agreementOut, error) {
	if err := s.say(ctx, documentOf(in.Name), in.Version, word, in.Body.Comment); err != nil {
		return nil, err
	}
	a, err := s.Agreements(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(a.Items, func(v AgreementView) bool { return v.Version == in.Version })
	if i < 0 {
		return nil, notFound(in.Name)
	}
	return &agreementOut{a.Items[i]}, nil
}

// Agreements returns every version of what was agreed of an SLO. Its further
// objectives share its agreements.
func (s *Service) Agreements(ctx context.Context, name string) (Agreements, error) {
	out := Agreements{Items: []AgreementView{}}
	if _, err := s.one(ctx, name); err != nil {
		return out, err
	}
	name = documentOf(name)
	q := s.db.Read()
	var o openslo.SLO
	if _, err := loadPart(ctx, q, kindSLO, name, &o); err != nil {
		return out, err
	}
	required, _, err := s.needs(ctx, q, &o)
	if err != nil {
		return out, err
	}
	all, err := db.New(q).Agreements(ctx, name)
	if err != nil {
		return out, database.Fault(fmt.Errorf("read agreements of %s: %w", name, err))
	}
	words, err := db.New(q).WordsOf(ctx, name)
	if err != nil {
		return out, database.Fault(fmt.Errorf("read agreements of %s: %w", name, err))
	}
	p, _ := access.From(ctx)
	for _, a := range all {
		v, err := viewAgreement(a, words, p)
		if err != nil {
			return out, fmt.Errorf("read agreement %d of %s: %w", a.Version, name, err)
		}
		out.Items = append(out.Items, v)
	}
	out.Required, out.Reason = required, agreedSo(required, open(all))
	return out, nil
}

// agreedSo says how an SLO stands.
func agreedSo(required bool, v versions) text.Both {
	switch {
	case !required:
		return text.Say("not agreed: changes apply at once", "合意の対象ではなく、変更はすぐに反映されます")
	case v.inForce != nil && v.proposed != nil:
		return text.Say("version %d is in force until version %d is agreed", "版%[2]dが合意されるまで版%[1]dが有効です", v.inForce.Version, v.proposed.Version)
	case v.inForce != nil:
		return text.Say("version %d is in force", "版%dが有効です", v.inForce.Version)
	}
	return text.Say("proposed, and not agreed yet", "提案中で、まだ合意されていません")
}

func viewAgreement(a db.SloAgreement, words []db.SloAgreementWord, p access.Principal) (AgreementView, error) {
	v := AgreementView{Version: a.Version, State: agreementState(a), ProposedAt: database.Time(a.ProposedAt),
		AgreedAt: timeOf(a.AgreedAt), InForceAt: timeOf(a.InForceAt), SupersededAt: timeOf(a.SupersededAt), Words: []WordView{}, Stakeholders: []Stakeholder{}}
	var names []string
	for data, into := range map[string]any{a.Terms: &v.Terms.Terms, a.ProposedBy: &v.ProposedBy, a.Stakeholders: &names} {
		if err := unmarshal(data, into); err != nil {
			return v, err
		}
	}
	v.Terms.Text = v.Terms.say()
	last := map[string]WordView{}
	for _, w := range words {
		if w.Version != a.Version {
			continue
		}
		x := WordView{Stakeholder: w.Stakeholder, Word: w.Word, Comment: w.Comment, At: database.Time(w.At)}
		if err := unmarshal(w.ByActor, &x.By); err != nil {
			return v, err
		}
		v.Words = append(v.Words, x)
		last[w.Stakeholder] = x
	}
	for _, name := range names {
		x := Stakeholder{Name: name, Mine: speaksFor(p, name)}
		if w, said := last[name]; said {
			x.Word, x.Comment, x.At, x.By = w.Word, w.Comment, &w.At, &w.By
		}
		v.Stakeholders = append(v.Stakeholders, x)
	}
	return v, nil
}

func agreementState(a db.SloAgreement) string {
	switch {
	case a.SupersededAt != 0 && a.InForceAt != 0:
		return "superseded"
	case a.SupersededAt != 0:
		return "withdrawn"
	case a.InForceAt != 0:
		return "in_force"
	}
	return "proposed"
}
