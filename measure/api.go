package measure

import (
	"context"
	"net/http"
	"time"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/kit/text"
)

const (
	scopeRead httpapi.Scope = "measure:read"
	maxPeriod               = 400 * 24 * time.Hour
)

type definitionOut struct {
	ID      string    `json:"id"`
	Version int       `json:"version"`
	Unit    string    `json:"unit"`
	Better  Direction `json:"better" enum:"higher,lower"`
	Title   text.Both `json:"title"`
}

type listOut struct{ Body httpapi.Page[definitionOut] }

type valueOut struct {
	At    time.Time `json:"at"`
	Value float64   `json:"value"`
	Known float64   `json:"known" doc:"The share of what the figure stands on that was observed, from 0 to 1."`
}

type valuesIn struct {
	ID      string    `path:"id"`
	Subject string    `query:"subject" required:"true" doc:"What is measured, such as slo:checkout-availability."`
	From    time.Time `query:"from" required:"true"`
	To      time.Time `query:"to" required:"true"`
}

type valuesOut struct {
	Body struct {
		Measure definitionOut `json:"measure"`
		Subject string        `json:"subject"`
		Values  []valueOut    `json:"values"`
	}
}

// Register adds the registry's operations to a.
func (r *Registry) Register(a *httpapi.API) {
	httpapi.Register(a, httpapi.Op{ID: "list-measures", Method: http.MethodGet, Path: "/api/v1/measures", Scope: scopeRead, Tag: "Measures",
		Summary: "Everything that has a number"}, r.handleList)
	httpapi.Register(a, httpapi.Op{ID: "get-measure-values", Method: http.MethodGet, Path: "/api/v1/measures/{id}/values", Scope: scopeRead, Tag: "Measures",
		Summary: "The values of one measure for one subject"}, r.handleValues)
}

func describe(d Definition) definitionOut {
	return definitionOut{ID: d.ID, Version: d.Version, Unit: d.Unit, Better: d.Better, Title: d.Title}
}

func (r *Registry) handleList(context.Context, *struct{}) (*listOut, error) {
	out := &listOut{}
	out.Body.Items = []definitionOut{}
	for _, d := range r.All() {
		out.Body.Items = append(out.Body.Items, describe(d))
	}
	return out, nil
}

func (r *Registry) handleValues(ctx context.Context, in *valuesIn) (*valuesOut, error) {
	d, err := r.Lookup(in.ID)
	if err != nil {
		return nil, err
	}
	if !in.From.Before(in.To) || in.To.Sub(in.From) > maxPeriod {
		return nil, fault.New(fault.Invalid, "measure.period", text.Say("from must be before to, and at most 400 days before", "from は to より前、かつ400日以内でなければなりません")).On("query.from")
	}
	values, err := d.Source.Values(ctx, journal.Ref(in.Subject), in.From, in.To)
	if err != nil {
		return nil, err
	}
	out := &valuesOut{}
	out.Body.Measure, out.Body.Subject, out.Body.Values = describe(d), in.Subject, []valueOut{}
	for _, v := range values {
		out.Body.Values = append(out.Body.Values, valueOut{At: v.At, Value: v.V, Known: v.Known})
	}
	return out, nil
}
