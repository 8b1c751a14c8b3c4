package journal

import (
	"context"
	"iter"
	"net/http"
	"slices"
	"time"

	"github.com/teiten/teiten/kit/httpapi"
)

const scopeRead httpapi.Scope = "journal:read"

type listIn struct {
	httpapi.PageIn
	Kind    []string  `query:"kind,explode" doc:"Only these kinds; a kind may end in .* ."`
	Subject string    `query:"subject" doc:"Only what touches this reference, such as service:checkout."`
	Actor   string    `query:"actor" doc:"Only what this person or token did (id or name)."`
	From    time.Time `query:"from" doc:"At this time or later."`
	To      time.Time `query:"to" doc:"Before this time."`
	Query   string    `query:"q" maxLength:"200" doc:"Text in the entry."`
}

type listOut struct{ Body httpapi.Page[Entry] }

type getIn struct {
	ID string `path:"id"`
}

type getOut struct{ Body Entry }

type sealsOut struct{ Body httpapi.Page[Seal] }

type verifyOut struct{ Body Verification }

// verifyLimit is low, because everything that ever happened is read.
var verifyLimit = httpapi.RateLimit{Burst: 5, Every: 20 * time.Second}

// Register adds the journal's operations to a.
func (j *Journal) Register(a *httpapi.API) {
	httpapi.Register(a, httpapi.Op{ID: "list-journal", Method: http.MethodGet, Path: "/api/v1/journal", Scope: scopeRead, Tag: "Journal",
		Summary: "What happened, newest first"}, j.handleList)
	httpapi.Register(a, httpapi.Op{ID: "list-seals", Method: http.MethodGet, Path: "/api/v1/journal/seals", Scope: scopeRead, Tag: "Journal",
		Summary: "The seals over closed minutes, newest first"}, j.handleSeals)
	httpapi.Register(a, httpapi.Op{ID: "verify-journal", Method: http.MethodPost, Path: "/api/v1/journal/verify", Scope: scopeRead, Tag: "Journal", Status: http.StatusOK,
		RateLimit: verifyLimit,
		Summary:   "Compute every seal again and compare"}, j.handleVerify)
	httpapi.Register(a, httpapi.Op{ID: "get-entry", Method: http.MethodGet, Path: "/api/v1/journal/entries/{id}", Scope: scopeRead, Tag: "Journal",
		Summary: "One entry"}, j.handleGet)
	httpapi.Stream(a, httpapi.Op{ID: "follow-journal", Method: http.MethodGet, Path: "/api/v1/journal/stream", Scope: scopeRead, Tag: "Journal",
		Summary: "Entries as they are committed, as server-sent events"}, j.handleFollow)
}

func (j *Journal) handleList(ctx context.Context, in *listIn) (*listOut, error) {
	entries, next, err := j.List(ctx, Filter{
		Kinds: in.Kind, Subject: Ref(in.Subject), Actor: in.Actor, From: in.From, To: in.To,
		Query: in.Query, Without: j.withheld(ctx), Limit: in.Limit, Cursor: in.Cursor,
	})
	if err != nil {
		return nil, err
	}
	return &listOut{httpapi.Page[Entry]{Items: nonNil(entries), Next: next}}, nil
}

func (j *Journal) handleGet(ctx context.Context, in *getIn) (*getOut, error) {
	e, err := j.Get(ctx, in.ID)
	if err == nil && withheld(j.withheld(ctx), e) {
		return nil, notThere(in.ID)
	}
	return &getOut{e}, err
}

func (j *Journal) withheld(ctx context.Context) []string {
	if j.Withhold == nil {
		return nil
	}
	return j.Withhold(ctx)
}

func withheld(kinds []string, e Entry) bool {
	return slices.ContainsFunc(kinds, func(k string) bool { return hears(k, e.Kind) })
}

const sealCursor = "seals"

func (j *Journal) handleSeals(ctx context.Context, in *httpapi.PageIn) (*sealsOut, error) {
	var before int64
	if in.Cursor != "" {
		if err := httpapi.DecodeCursor(sealCursor, in.Cursor, &before); err != nil {
			return nil, err
		}
	}
	seals, err := j.Seals(ctx, before, in.Limit+1)
	if err != nil {
		return nil, err
	}
	out := &sealsOut{httpapi.Page[Seal]{Items: nonNil(seals)}}
	if len(seals) > in.Limit {
		out.Body.Items = seals[:in.Limit]
		out.Body.Next = httpapi.EncodeCursor(sealCursor, seals[in.Limit-1].Number)
	}
	return out, nil
}

func (j *Journal) handleVerify(ctx context.Context, _ *struct{}) (*verifyOut, error) {
	v, err := j.Verify(ctx)
	return &verifyOut{v}, err
}

func (j *Journal) handleFollow(ctx context.Context, _ *http.Request, lastEventID string) (iter.Seq2[httpapi.Event, error], error) {
	without := j.withheld(ctx)
	return func(yield func(httpapi.Event, error) bool) {
		for e, err := range j.Follow(ctx, lastEventID) {
			if err == nil && withheld(without, e) {
				continue
			}
			if !yield(httpapi.Event{ID: e.ID, Name: "entry", Data: e}, err) {
				return
			}
		}
	}, nil
}

// nonNil has an empty list appear as [] and not as null.
func nonNil[T any](items []T) []T {
	if items == nil {
		return []T{}
	}
	return items
}
