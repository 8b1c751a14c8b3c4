package agreement

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/teiten/teiten/access"
	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/kit/text"
)

// Agreements is what was agreed of an SLO, the newest version first.
type Agreements struct {
	Required bool      `json:"required" doc:"Whether a changed objective or window waits for its stakeholders."`
	Reason   text.Both `json:"reason"`
	Items    []View    `json:"items"`
}

// View is one version of what was agreed.
type View struct {
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

const scopeRead httpapi.Scope = "slo:read"

type listOut struct{ Body Agreements }

type nameIn struct {
	Name string `path:"name" doc:"The objective's name."`
}

type wordIn struct {
	Name    string `path:"name" doc:"The objective's name."`
	Version int64  `path:"version" minimum:"1" doc:"The version that was read."`
	Body    struct {
		Comment string `json:"comment,omitempty" maxLength:"1000" doc:"Everybody can read it. It is required to decline and to waive."`
	}
}

type oneOut struct{ Body View }

// Register adds the operations to a.
func (s *Service) Register(a *httpapi.API) {
	const tag = "Agreements"
	httpapi.Register(a, httpapi.Op{ID: "list-agreements", Method: http.MethodGet, Path: "/api/v1/slos/{name}/agreements", Scope: scopeRead, Tag: tag,
		Summary: "What was agreed of an objective, by whom and when"}, s.apiList)
	for _, w := range []struct{ word, summary, about string }{
		{wordAgree, "Agree to a proposed version", "For every stakeholder that the caller may speak for. When nobody is missing any more the version is in force."},
		{wordDecline, "Decline a proposed version", "With the reason as comment. Who declined may agree later."},
		{wordWaive, "Put a proposed version in force without the words that are missing", "For owners of the service and administrators, with the reason as comment."},
	} {
		httpapi.Register(a, httpapi.Op{ID: w.word + "-agreement", Method: http.MethodPost, Path: "/api/v1/slos/{name}/agreements/{version}/" + w.word,
			Scope: scopeRead, Tag: tag, Summary: w.summary, Description: w.about},
			func(ctx context.Context, in *wordIn) (*oneOut, error) { return s.apiWord(ctx, in, w.word) })
	}
}

func (s *Service) apiList(ctx context.Context, in *nameIn) (*listOut, error) {
	a, err := s.List(ctx, in.Name)
	return &listOut{a}, err
}

func (s *Service) apiWord(ctx context.Context, in *wordIn, word string) (*oneOut, error) {
	if err := s.say(ctx, in.Name, in.Version, word, in.Body.Comment); err != nil {
		return nil, err
	}
	a, err := s.List(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(a.Items, func(v View) bool { return v.Version == in.Version })
	return &oneOut{a.Items[i]}, nil // a version that was spoken to stays
}

// List returns every version of what was agreed of an SLO. Its further
// objectives share its agreements.
func (s *Service) List(ctx context.Context, name string) (Agreements, error) {
	out := Agreements{Items: []View{}}
	q := s.db.Read()
	o, err := s.objectives.Document(ctx, q, name)
	if err != nil {
		return out, err
	}
	if out.Required, _, err = s.needs(ctx, q, o); err != nil {
		return out, err
	}
	all, err := load(ctx, q, o.Metadata.Name)
	if err != nil {
		return out, err
	}
	words, err := wordsOn(ctx, q, o.Metadata.Name)
	if err != nil {
		return out, err
	}
	p, _ := access.From(ctx)
	for i := range all {
		out.Items = append(out.Items, all[i].view(words, p))
	}
	out.Reason = standing(out.Required, open(all))
	return out, nil
}

// standing says how an SLO stands.
func standing(required bool, v versions) text.Both {
	switch {
	case !required:
		return text.Say("not agreed: changes apply at once", "合意の対象ではなく、変更はすぐに反映されます")
	case v.inForce != nil && v.proposed != nil:
		return text.Say("version %d is in force until version %d is agreed", "版%[2]dが合意されるまで版%[1]dが有効です", v.inForce.Number, v.proposed.Number)
	case v.inForce != nil:
		return text.Say("version %d is in force", "版%dが有効です", v.inForce.Number)
	}
	return text.Say("proposed, and not agreed yet", "提案中で、まだ合意されていません")
}

func (v *Version) view(words []Word, p access.Principal) View {
	x := View{Version: v.Number, State: v.State(), Terms: TermsView{v.Terms, v.Terms.say()}, ProposedAt: v.ProposedAt, ProposedBy: v.ProposedBy,
		AgreedAt: unlessZero(v.AgreedAt), InForceAt: unlessZero(v.InForceAt), SupersededAt: unlessZero(v.SupersededAt), Words: []WordView{}, Stakeholders: []Stakeholder{}}
	last := map[string]*Word{}
	for i, w := range words {
		if w.Version == v.Number {
			x.Words = append(x.Words, WordView{w.Stakeholder, w.Word, w.Comment, w.At, w.By})
			last[w.Stakeholder] = &words[i]
		}
	}
	for _, name := range v.Stakeholders {
		h := Stakeholder{Name: name, Mine: speaksFor(p, name)}
		if w := last[name]; w != nil {
			h.Word, h.Comment, h.At, h.By = w.Word, w.Comment, &w.At, &w.By
		}
		x.Stakeholders = append(x.Stakeholders, h)
	}
	return x
}

func unlessZero(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
