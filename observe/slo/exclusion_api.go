package slo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo/burn"
	"github.com/teiten/teiten/observe/slo/db"
	"github.com/teiten/teiten/observe/slo/ledger"
)

const (
	scopeWrite httpapi.Scope = "slo:write"

	exclusionTag = "Exclusions"
	// earliestCorrection is how far back time can be excluded.
	earliestCorrection = 400 * 24 * time.Hour
)

type exclusionsIn struct {
	httpapi.PageIn
	SLO      string    `query:"slo" maxLength:"200" doc:"Only what covers this objective, by its own name or by what it belongs to."`
	Service  string    `query:"service" maxLength:"200" doc:"Only what covers this service or one of its objectives."`
	Document string    `query:"document" maxLength:"200" doc:"Only what this MaintenanceWindow made."`
	State    string    `query:"state" enum:"planned,active,past,taken_back" doc:"Only those in this state."`
	At       time.Time `query:"at" doc:"Only those that exclude this instant."`
}

type exclusionsOut struct {
	Body httpapi.Page[ExclusionView]
}

type exclusionIn struct {
	ID string `path:"id" maxLength:"100" doc:"The exclusion's id."`
}

type exclusionOut struct{ Body ExclusionView }

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
	Exclusion *ExclusionView `json:"exclusion,omitempty" doc:"Absent after a dry run."`
	Hides     []Hidden       `json:"hides" doc:"What it changes about present budgets, the most first."`
	Confirm   string         `json:"confirm,omitempty" doc:"Send it as confirm: it gives back more than 20 % of a budget, which takes the word of an owner of the team or of an administrator."`
}

type takeBackIn struct {
	ID  string `path:"id" maxLength:"100" doc:"The exclusion's id."`
	Why string `query:"why" required:"true" minLength:"3" maxLength:"1000" doc:"Why it is taken back. Everybody can read it."`
}

type excludedIn struct {
	Name string    `path:"name" doc:"The objective's name."`
	From time.Time `query:"from" doc:"Start of the span; by default one period before its end."`
	To   time.Time `query:"to" doc:"End of the span; by default now."`
	AsOf time.Time `query:"asOf" doc:"As it was known at this time; by default as it is known now."`
}

type excludedOut struct {
	Body httpapi.Page[ExcludedSpan]
}

func (s *Service) registerExclusions(a *httpapi.API) {
	httpapi.Register(a, httpapi.Op{ID: "list-slo-exclusions", Method: http.MethodGet, Path: "/api/v1/slos/{name}/exclusions", Scope: scopeRead, Tag: exclusionTag,
		Summary:     "Each time that does not count for an objective",
		Description: "Every occurrence within the span, in order, to mark on a chart; the latest 500 where there are more."}, s.apiExcluded)
	httpapi.Register(a, httpapi.Op{ID: "list-exclusions", Method: http.MethodGet, Path: "/api/v1/exclusions", Scope: scopeRead, Tag: exclusionTag,
		Summary: "Time that does not count, what was made last first"}, s.apiExclusions)
	httpapi.Register(a, httpapi.Op{ID: "get-exclusion", Method: http.MethodGet, Path: "/api/v1/exclusions/{id}", Scope: scopeRead, Tag: exclusionTag,
		Summary: "One exclusion, with who made it and who took it back"}, s.apiExclusion)
	httpapi.Register(a, httpapi.Op{ID: "exclude", Method: http.MethodPost, Path: "/api/v1/exclusions", Scope: scopeWrite, Tag: exclusionTag,
		Summary:     "Exclude a time after the fact",
		Description: "Corrects every figure of the objective, or of every objective of the service. Where it gives back more than 20 % of an error budget it takes the word of an owner of the team or of an administrator, and answers 409 until confirm is sent as a dry run tells it."},
		s.apiExclude)
	httpapi.Register(a, httpapi.Op{ID: "take-back-exclusion", Method: http.MethodDelete, Path: "/api/v1/exclusions/{id}", Scope: scopeWrite, Tag: exclusionTag,
		Summary:     "Take an exclusion back",
		Description: "Its time counts again. The exclusion stays readable, with who took it back, when and why. What a MaintenanceWindow makes is taken back by changing or removing the document, as long as it is in effect."},
		s.apiTakeBack)
}

func (s *Service) apiExclusions(ctx context.Context, in *exclusionsIn) (*exclusionsOut, error) {
	items, next, err := s.Exclusions(ctx, exclusionFilter{SLO: in.SLO, Service: in.Service, Document: in.Document, State: in.State, At: in.At,
		Cursor: in.Cursor, Limit: in.Limit})
	return &exclusionsOut{httpapi.Page[ExclusionView]{Items: items, Next: next}}, err
}

func (s *Service) apiExcluded(ctx context.Context, in *excludedIn) (*excludedOut, error) {
	row, err := db.New(s.db.Read()).GetDefinition(ctx, in.Name)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, notFound(in.Name)
	}
	var d Definition
	if err == nil {
		err = unmarshal(row.Data, &d)
	}
	if err != nil {
		return nil, database.Fault(fmt.Errorf("read %s: %w", in.Name, err))
	}
	if in.To.IsZero() {
		in.To = s.now()
	}
	if in.From.IsZero() {
		in.From = in.To.Add(-d.Period)
	}
	if in.To.Before(in.From) || in.To.Sub(in.From) > longestSeries {
		return nil, fault.New(fault.Invalid, "slo.series_span",
			text.Say("the time span is empty or longer than 400 days", "期間が空か、400日を超えています")).
			Fix(text.Say("choose a from before to", "from を to より前にしてください")).On("query.from")
	}
	spans, err := excludedSpans(ctx, s.db.Read(), &d, ledger.Between(ledger.Done(in.From), ledger.Done(in.To)), in.AsOf)
	return &excludedOut{httpapi.Page[ExcludedSpan]{Items: spans}}, err
}

func (s *Service) apiExclusion(ctx context.Context, in *exclusionIn) (*exclusionOut, error) {
	x, err := oneExclusion(ctx, s.db.Read(), in.ID)
	if err != nil {
		return nil, err
	}
	v, err := x.view(s.now())
	return &exclusionOut{v}, err
}

func (s *Service) apiExclude(ctx context.Context, in *excludeIn) (*excludeOut, error) {
	b := &in.Body
	n := draft{reason: strings.TrimSpace(b.Reason), starts: database.Micros(b.From), ends: database.Micros(b.To)}
	if err := s.checkCorrection(ctx, in); err != nil {
		return nil, err
	}
	if b.SLO != "" {
		n.covers.SLOs = []string{b.SLO}
	} else {
		n.covers.Services = []string{b.Service}
	}
	out := &excludeOut{}
	err := s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		teams, err := s.teamsOf(ctx, tx, n.covers)
		if err != nil {
			return err
		}
		if err := mayEditAll(ctx, teams); err != nil {
			return err
		}
		hides, err := s.hides(ctx, tx, n)
		if err != nil {
			return err
		}
		out.Body.Hides = nonNil(hides)
		if out.Body.Confirm = confirmation(n, hides); b.DryRun {
			return nil
		}
		if err := confirmed(ctx, teams, hides, out.Body.Confirm, b.Confirm); err != nil {
			return err
		}
		x, err := s.exclude(ctx, tx, n, hides)
		if err != nil {
			return err
		}
		v, err := x.view(s.now())
		out.Body.Exclusion = &v
		return err
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
		_, err := s.one(ctx, b.SLO)
		return err
	}
	_, found, err := s.lookUp(ctx, s.db.Read(), b.Service)
	if err == nil && !found {
		err = fault.New(fault.NotFound, "slo.service_unknown", text.Say("the catalog has no service %q", "カタログにサービス %q がありません", b.Service)).
			Fix(text.Say("correct the name", "名前を直してください")).On("body.service")
	}
	return err
}

// confirmation is the word that confirms an exclusion, and nothing where it
// needs none.
func confirmation(n draft, hides []Hidden) string {
	if len(hides) == 0 || hides[0].GivesBack <= muchHidden {
		return ""
	}
	return strings.Trim(httpapi.ETag(marshal(n.covers), marshal(n.shape), fmt.Sprint(n.starts, n.ends)), `"`)
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

func (s *Service) apiTakeBack(ctx context.Context, in *takeBackIn) (*exclusionOut, error) {
	var out exclusionOut
	err := s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		x, err := oneExclusion(ctx, tx, in.ID)
		if err != nil {
			return err
		}
		teams, err := s.teamsOf(ctx, tx, x.covers)
		if err != nil {
			return err
		}
		if err := mayEditAll(ctx, teams); err != nil {
			return err
		}
		if err := s.fromDocument(ctx, tx, &x); err != nil {
			return err
		}
		if err := s.takeBack(ctx, tx, &x, strings.TrimSpace(in.Why)); err != nil {
			return err
		}
		out.Body, err = x.view(s.now())
		return err
	})
	return &out, err
}

// fromDocument refuses what a document that is there has just made: the document
// and what it says would part.
func (s *Service) fromDocument(ctx context.Context, tx *sql.Tx, x *exclusion) error {
	if x.row.Document == "" {
		return nil
	}
	rows, err := db.New(tx).ExclusionsOfDocument(ctx, x.row.Document)
	if err != nil {
		return fmt.Errorf("read maintenance window %s: %w", x.row.Document, err)
	}
	there, err := loadPart(ctx, tx, kindMaintenance, x.row.Document, &MaintenanceWindow{})
	if err != nil || !there || len(rows) == 0 || rows[len(rows)-1].ID != x.row.ID {
		return err
	}
	return fault.New(fault.Conflict, "slo.exclusion_document",
		text.Say("the maintenance window %q is in effect", "メンテナンス時間 %q が有効です", x.row.Document)).
		Fix(text.Say("change or remove the document first; what is over can be taken back then", "先に文書を変更または削除してください。終わった分はそのあとで取り消せます"))
}
