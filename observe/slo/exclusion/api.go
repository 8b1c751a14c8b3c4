package exclusion

import (
	"context"
	"database/sql"
	"net/http"
	"strings"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo/burn"
	"github.com/teiten/teiten/observe/slo/exclusion/db"
)

const (
	scopeRead  httpapi.Scope = "slo:read"
	scopeWrite httpapi.Scope = "slo:write"

	// Tag groups the operations about exclusions.
	Tag = "Exclusions"
	// earliestCorrection is how far back time can be excluded.
	earliestCorrection = 400 * 24 * time.Hour
)

type listIn struct {
	httpapi.PageIn
	SLO      string    `query:"slo" maxLength:"200" doc:"Only what covers this objective, by its own name or by what it belongs to."`
	Service  string    `query:"service" maxLength:"200" doc:"Only what covers this service or one of its objectives."`
	Document string    `query:"document" maxLength:"200" doc:"Only what this MaintenanceWindow made."`
	State    string    `query:"state" enum:"planned,active,past,taken_back" doc:"Only those in this state."`
	At       time.Time `query:"at" doc:"Only those that exclude this instant."`
}

type listOut struct {
	Body httpapi.Page[View]
}

type oneIn struct {
	ID string `path:"id" maxLength:"100" doc:"The exclusion's id."`
}

type oneOut struct{ Body View }

type excludeIn struct {
	Body struct {
		SLO     string    `json:"slo,omitempty" maxLength:"200" doc:"The objective; either it or a service."`
		Service string    `json:"service,omitempty" maxLength:"200" doc:"The service, with all of its objectives."`
		From    time.Time `json:"from" doc:"The first instant that does not count; the whole minute is excluded."`
		To      time.Time `json:"to" doc:"The first instant that counts again."`
		Reason  string    `json:"reason" minLength:"3" maxLength:"1000" doc:"Why this time does not count. Everybody can read it."`
		DryRun  bool      `json:"dryRun,omitempty" doc:"Only tell what it would change."`
		Confirm string    `json:"confirm,omitempty" maxLength:"100" doc:"What a dry run, or the refusal, asked for, where it gives back much of a budget."`
	}
}

type excludeOut struct{ Body Excluded }

// Excluded is what came of a correction.
type Excluded struct {
	Exclusion *View    `json:"exclusion,omitempty" doc:"Absent after a dry run."`
	Hides     []Hidden `json:"hides" doc:"What it changes about present budgets, the most first."`
	Confirm   string   `json:"confirm,omitempty" doc:"Send it as confirm: it gives back more than 20 % of a budget, which takes the word of an owner of the team or of an administrator."`
}

type takeBackIn struct {
	ID  string `path:"id" maxLength:"100" doc:"The exclusion's id."`
	Why string `query:"why" required:"true" minLength:"3" maxLength:"1000" doc:"Why it is taken back. Everybody can read it."`
}

// Register adds the operations to a.
func (s *Service) Register(a *httpapi.API) {
	httpapi.Register(a, httpapi.Op{ID: "list-exclusions", Method: http.MethodGet, Path: "/api/v1/exclusions", Scope: scopeRead, Tag: Tag,
		Summary: "Time that does not count, what was made last first"}, s.apiList)
	httpapi.Register(a, httpapi.Op{ID: "get-exclusion", Method: http.MethodGet, Path: "/api/v1/exclusions/{id}", Scope: scopeRead, Tag: Tag,
		Summary: "One exclusion, with who made it and who took it back"}, s.apiGet)
	httpapi.Register(a, httpapi.Op{ID: "exclude", Method: http.MethodPost, Path: "/api/v1/exclusions", Scope: scopeWrite, Tag: Tag,
		Summary:     "Exclude a time after the fact",
		Description: "Corrects every figure of the objective, or of every objective of the service. Where it gives back more than 20 % of an error budget it takes the word of an owner of the team or of an administrator, and answers 409 until confirm is sent as a dry run tells it."},
		s.apiExclude)
	httpapi.Register(a, httpapi.Op{ID: "take-back-exclusion", Method: http.MethodDelete, Path: "/api/v1/exclusions/{id}", Scope: scopeWrite, Tag: Tag,
		Summary:     "Take an exclusion back",
		Description: "Its time counts again. The exclusion stays readable, with who took it back, when and why. What a MaintenanceWindow makes is taken back by changing or removing the document, as long as it is in effect."},
		s.apiTakeBack)
}

func (s *Service) apiList(ctx context.Context, in *listIn) (*listOut, error) {
	items, next, err := s.List(ctx, Filter{SLO: in.SLO, Service: in.Service, Document: in.Document, State: in.State, At: in.At,
		Cursor: in.Cursor, Limit: in.Limit})
	return &listOut{httpapi.Page[View]{Items: items, Next: next}}, err
}

func (s *Service) apiGet(ctx context.Context, in *oneIn) (*oneOut, error) {
	x, err := one(ctx, s.db.Read(), in.ID)
	if err != nil {
		return nil, err
	}
	return &oneOut{x.view(s.now())}, nil
}

func (s *Service) apiExclude(ctx context.Context, in *excludeIn) (*excludeOut, error) {
	b := &in.Body
	if err := s.checkCorrection(ctx, in); err != nil {
		return nil, err
	}
	covers := Covers{SLOs: []string{b.SLO}}
	if b.SLO == "" {
		covers = Covers{Services: []string{b.Service}}
	}
	x, err := ready(Exclusion{Covers: covers, Starts: b.From, Ends: b.To, Reason: strings.TrimSpace(b.Reason)})
	if err != nil {
		return nil, err
	}
	out := &excludeOut{}
	err = s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		teams, err := s.teamsOf(ctx, tx, x.Covers)
		if err != nil {
			return err
		}
		if err := mayEditAll(ctx, teams); err != nil {
			return err
		}
		hides, err := s.hides(ctx, tx, x)
		if err != nil {
			return err
		}
		out.Body.Hides = append([]Hidden{}, hides...)
		if out.Body.Confirm = confirmation(x, hides); b.DryRun {
			return nil
		}
		if err := confirmed(ctx, teams, hides, out.Body.Confirm, b.Confirm); err != nil {
			return err
		}
		if err := s.exclude(ctx, tx, x, hides); err != nil {
			return err
		}
		v := x.view(s.now())
		out.Body.Exclusion = &v
		return nil
	})
	return out, err
}

// checkCorrection judges what was sent.
func (s *Service) checkCorrection(ctx context.Context, in *excludeIn) error {
	b, now := &in.Body, s.now()
	switch {
	case (b.SLO == "") == (b.Service == ""):
		return fault.New(fault.Invalid, "slo.exclusion_whom", text.Say("name either an objective or a service", "slo か service のどちらか一方を指定してください")).
			Fix(text.Say("send slo or service", "slo か service を送ってください")).On("body.slo")
	case !b.From.Before(b.To):
		return fault.New(fault.Invalid, "slo.exclusion_span", text.Say("the time is empty", "期間が空です")).
			Fix(text.Say("choose a from before to", "from を to より前にしてください")).On("body.from")
	case b.From.Before(now.Add(-earliestCorrection)), b.To.After(now.Add(earliestCorrection)):
		return fault.New(fault.Invalid, "slo.exclusion_far", text.Say("the time reaches further than 400 days from now", "期間が現在から400日を超えています")).
			Fix(text.Say("choose a nearer time; for what recurs, apply a MaintenanceWindow", "期間を近くするか、繰り返す場合は MaintenanceWindow を適用してください")).On("body.from")
	}
	if b.SLO != "" {
		return s.objectives.Exists(ctx, b.SLO)
	}
	_, err := s.catalog.Find(ctx, s.db.Read(), b.Service)
	if fault.KindOf(err) == fault.NotFound {
		return fault.New(fault.NotFound, "slo.service_unknown", text.Say("the catalog has no service %q", "カタログにサービス %q がありません", b.Service)).
			Fix(text.Say("correct the name", "名前を直してください")).On("body.service")
	}
	return err
}

// confirmation is the word that confirms an exclusion, and nothing where it
// needs none.
func confirmation(x *Exclusion, hides []Hidden) string {
	if len(hides) == 0 || hides[0].GivesBack <= muchHidden {
		return ""
	}
	return strings.Trim(httpapi.ETag(database.JSON(x.Covers), database.JSON(x.Shape), x.Starts.UTC().String(), x.Ends.UTC().String()), `"`)
}

// confirmed returns nil where an exclusion needs no confirmation, or has it from
// somebody whose word is enough.
func confirmed(ctx context.Context, teams []string, hides []Hidden, wanted, got string) error {
	if wanted == "" {
		return nil
	}
	if err := mayHide(ctx, teams); err != nil {
		return err
	}
	if got != wanted {
		return fault.New(fault.Conflict, "slo.exclusion_confirm", hiding(hides)).
			Fix(text.Say("if that is right, send it again with confirm: %q", "それで正しければ、confirm に %q を付けてもう一度送ってください", wanted)).On("body.confirm")
	}
	return nil
}

// hiding says what an exclusion gives back.
func hiding(hides []Hidden) text.Both {
	h := hides[0]
	percent := burn.Number(h.GivesBack * 100)
	if len(hides) == 1 {
		return text.Say("this gives back %s%% of the error budget of %s (%s bad events)", "%[2]s のエラーバジェットの%[1]s%%(不良イベント%[3]s件)が戻ります", percent, h.SLO, burn.Number(h.Bad))
	}
	return text.Say("this gives back %[1]s%% of the error budget of %[2]s (%[3]s bad events), and changes %[4]d more objectives",
		"%[2]s のエラーバジェットの%[1]s%%(不良イベント%[3]s件)が戻り、ほかに%[4]d件の SLO が変わります", percent, h.SLO, burn.Number(h.Bad), len(hides)-1)
}

func (s *Service) apiTakeBack(ctx context.Context, in *takeBackIn) (*oneOut, error) {
	var out oneOut
	err := s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		x, err := one(ctx, tx, in.ID)
		if err != nil {
			return err
		}
		teams, err := s.teamsOf(ctx, tx, x.Covers)
		if err != nil {
			return err
		}
		if err := mayEditAll(ctx, teams); err != nil {
			return err
		}
		if err := s.fromDocument(ctx, tx, x); err != nil {
			return err
		}
		if err := s.takeBack(ctx, tx, x, strings.TrimSpace(in.Why)); err != nil {
			return err
		}
		out.Body = x.view(s.now())
		return nil
	})
	return &out, err
}

// fromDocument refuses what a document that is there has just made: the document
// and what it says would part.
func (s *Service) fromDocument(ctx context.Context, tx *sql.Tx, x *Exclusion) error {
	if x.Document == "" {
		return nil
	}
	made, err := ofDocument(ctx, tx, x.Document)
	if err != nil {
		return err
	}
	there, err := db.New(tx).HasWindow(ctx, x.Document)
	if err != nil || there == 0 || len(made) == 0 || made[len(made)-1].ID != x.ID {
		return database.Fault(err)
	}
	return fault.New(fault.Conflict, "slo.exclusion_document",
		text.Say("the maintenance window %q is in effect", "メンテナンス時間 %q が有効です", x.Document)).
		Fix(text.Say("change or remove the document first; what is over can be taken back then", "先に文書を変更または削除してください。終わった分はそのあとで取り消せます"))
}
