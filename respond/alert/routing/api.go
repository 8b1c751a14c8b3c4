package routing

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/prometheus/common/model"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/respond/alert/route"
)

const (
	scopeRead  httpapi.Scope = "alert:read"
	scopeWrite httpapi.Scope = "alert:write"

	tagSilences = "Silences"
	tagRouting  = "Alert routing"

	maxSimulated = 8 << 20 // bytes of documents
)

// heavy is how often one caller may have past alerts gone through.
var heavy = httpapi.RateLimit{Burst: 20, Every: 2 * time.Second}

// Register adds the operations to a.
func (s *Service) Register(a *httpapi.API) {
	httpapi.Register(a, httpapi.Op{ID: "list-silences", Method: http.MethodGet, Path: "/api/v1/silences", Scope: scopeRead, Tag: tagSilences,
		Summary: "List silences, what was made last first"}, s.apiSilences)
	httpapi.Register(a, httpapi.Op{ID: "get-silence", Method: http.MethodGet, Path: "/api/v1/silences/{id}", Scope: scopeRead, Tag: tagSilences,
		Summary: "Read a silence"}, s.apiSilence)
	httpapi.Register(a, httpapi.Op{ID: "add-silence", Method: http.MethodPost, Path: "/api/v1/silences", Scope: scopeWrite, Tag: tagSilences, RateLimit: heavy,
		Summary:     "Keep alerts from people for a time",
		Description: "Alerts that match are still recorded and shown. The answer tells which alerts of the last 7 days would have been hidden; where these are many and of several services, or a large share of all, it takes the confirm that the refusal or a dry run tells."},
		s.apiAdd)
	httpapi.Register(a, httpapi.Op{ID: "change-silence", Method: http.MethodPut, Path: "/api/v1/silences/{id}", Scope: scopeWrite, Tag: tagSilences, RateLimit: heavy,
		Summary:     "Change a silence",
		Description: "One that is to be about other alerts ends, and another begins, whose id the answer tells."}, s.apiChange)
	httpapi.Register(a, httpapi.Op{ID: "end-silence", Method: http.MethodDelete, Path: "/api/v1/silences/{id}", Scope: scopeWrite, Tag: tagSilences, Status: http.StatusOK,
		Summary: "End a silence now"}, s.apiEnd)
	httpapi.Register(a, httpapi.Op{ID: "get-alert-routing", Method: http.MethodGet, Path: "/api/v1/alert-routing", Scope: scopeRead, Tag: tagRouting,
		Summary: "The routes of all documents together"}, s.apiTree)
	httpapi.Register(a, httpapi.Op{ID: "explain-alert-routing", Method: http.MethodPost, Path: "/api/v1/alert-routing/explain", Scope: scopeRead, Tag: tagRouting,
		Summary: "Who would hear of an alert with these labels, and why"}, s.apiExplain)
	httpapi.Register(a, httpapi.Op{ID: "simulate-alert-routing", Method: http.MethodPost, Path: "/api/v1/alert-routing/simulate", Scope: scopeRead, Tag: tagRouting,
		MaxBody: maxSimulated, RateLimit: heavy,
		Summary: "What documents would have done to the alerts of the last 30 days"}, s.apiSimulate)
}

type silencesIn struct {
	httpapi.PageIn
	State string `query:"state" enum:"pending,active,expired" doc:"Only those in this state."`
	Query string `query:"q" maxLength:"200" doc:"Part of the matchers, the reason or the author."`
}

type silencesOut struct{ Body httpapi.Page[SilenceView] }

const listName = "silences"

func (s *Service) apiSilences(ctx context.Context, in *silencesIn) (*silencesOut, error) {
	f := SilenceFilter{State: in.State, Query: in.Query, Limit: in.Limit}
	if in.Cursor != "" {
		if err := httpapi.DecodeCursor(listName, in.Cursor, &f.After); err != nil {
			return nil, err
		}
	}
	items, more, err := s.Silences(ctx, f)
	out := &silencesOut{Body: httpapi.Page[SilenceView]{Items: items}}
	if more {
		out.Body.Next = httpapi.EncodeCursor(listName, items[len(items)-1].ID)
	}
	return out, err
}

type silenceIn struct {
	ID string `path:"id" maxLength:"100" doc:"The silence's id."`
}

type silenceOut struct{ Body SilenceView }

func (s *Service) apiSilence(ctx context.Context, in *silenceIn) (*silenceOut, error) {
	v, err := s.OneSilence(ctx, in.ID)
	return &silenceOut{v}, err
}

// SilenceBody is a silence as somebody asks for it.
type SilenceBody struct {
	Matchers []string  `json:"matchers" minItems:"1" maxItems:"50" doc:"Which alerts, in Alertmanager's syntax: service=\"checkout\"; all have to hold."`
	Reason   string    `json:"reason" minLength:"3" maxLength:"2000" doc:"Why these alerts need nobody. Everybody can read it."`
	Author   string    `json:"author,omitempty" maxLength:"200" doc:"Who answers for it; the caller when absent."`
	Starts   time.Time `json:"starts,omitzero" doc:"From when on; now when absent."`
	Ends     time.Time `json:"ends,omitzero" doc:"Until when; either it or duration."`
	Duration string    `json:"duration,omitempty" maxLength:"20" doc:"How long: 30m, 2h, 1d."`
	DryRun   bool      `json:"dryRun,omitempty" doc:"Only tell what it would have hidden."`
	Confirm  string    `json:"confirm,omitempty" maxLength:"100" doc:"What a dry run, or the refusal, asked for."`
}

// Silenced is what came of asking for a silence.
type Silenced struct {
	Silence SilenceView `json:"silence" doc:"Without an id after a dry run."`
	Hides   Hidden      `json:"hides"`
}

type silencedOut struct{ Body Silenced }

func (b *SilenceBody) wish(now time.Time) (Wish, error) {
	w := Wish{Author: b.Author, Reason: b.Reason, Starts: b.Starts, Ends: b.Ends, DryRun: b.DryRun, Confirm: b.Confirm}
	if (b.Duration == "") == b.Ends.IsZero() {
		return w, fault.New(fault.Invalid, "silence.end", text.Say("it needs an end", "終了の指定が必要です")).
			Fix(text.Say("send either ends or duration", "ends か duration のどちらか一方を送ってください")).On("body.ends")
	}
	if b.Duration != "" {
		d, err := model.ParseDuration(b.Duration)
		if err != nil {
			return w, fault.New(fault.Invalid, "silence.duration", text.Say("%q is no length of time", "%q は時間の長さとして読めません", b.Duration)).
				Fix(text.Say("write it like 30m, 2h or 1d", "30m、2h、1d のように書いてください")).On("body.duration")
		}
		if w.Starts.IsZero() {
			w.Starts = now
		}
		w.Ends = w.Starts.Add(time.Duration(d))
	}
	var err error
	w.Matchers, err = parseAll(b.Matchers)
	if f, ok := fault.As(err); ok {
		return w, f.On("body.matchers")
	}
	return w, err
}

type addIn struct{ Body SilenceBody }

func (s *Service) apiAdd(ctx context.Context, in *addIn) (*silencedOut, error) {
	w, err := in.Body.wish(s.Now())
	if err != nil {
		return nil, err
	}
	out := &silencedOut{}
	out.Body.Silence, out.Body.Hides, err = s.Silence(ctx, w)
	return out, err
}

type changeIn struct {
	ID   string `path:"id" maxLength:"100" doc:"The silence's id."`
	Body SilenceBody
}

func (s *Service) apiChange(ctx context.Context, in *changeIn) (*silencedOut, error) {
	w, err := in.Body.wish(s.Now())
	if err != nil {
		return nil, err
	}
	w.ID = in.ID
	out := &silencedOut{}
	out.Body.Silence, out.Body.Hides, err = s.Silence(ctx, w)
	return out, err
}

func (s *Service) apiEnd(ctx context.Context, in *silenceIn) (*silenceOut, error) {
	v, err := s.EndSilence(ctx, in.ID)
	return &silenceOut{v}, err
}

// TreeView is the routes of all documents together.
type TreeView struct {
	Route     route.View        `json:"route"`
	Receivers []*route.Receiver `json:"receivers"`
}

type treeOut struct{ Body TreeView }

func (s *Service) apiTree(context.Context, *struct{}) (*treeOut, error) {
	t := s.Router().Tree()
	return &treeOut{TreeView{Route: t.View(), Receivers: t.Receivers()}}, nil
}

type explainIn struct {
	Body struct {
		Labels map[string]string `json:"labels" doc:"The labels of the alert. The label service tells whose it is."`
		At     time.Time         `json:"at,omitzero" doc:"At this instant; now when absent."`
	}
}

// Explained is who would hear of an alert, and why.
type Explained struct {
	Heard      []string       `json:"heard" doc:"Who would hear of it: owner:<team>, policy:<name>, channels:<names>."`
	Team       string         `json:"team,omitempty" doc:"Who owns the service."`
	Suppressed []route.Reason `json:"suppressed" doc:"What keeps it from people."`
	Trace      route.Trace    `json:"trace" doc:"Each step, with the line that it comes from."`
}

type explainOut struct{ Body Explained }

func (s *Service) apiExplain(ctx context.Context, in *explainIn) (*explainOut, error) {
	at := in.Body.At
	if at.IsZero() {
		at = s.Now()
	}
	a := route.Alert{Labels: in.Body.Labels, Service: in.Body.Labels["service"]}
	a.Team = s.teamOf(ctx, a.Service)
	r := s.Router()
	v, trace := r.Explain(a, nil, at)
	out := Explained{Team: a.Team, Heard: []string{}, Suppressed: v.Suppressed, Trace: trace}
	if out.Suppressed == nil {
		out.Suppressed = []route.Reason{}
	}
	for _, d := range v.Heard() {
		out.Heard = append(out.Heard, d.Receiver.Key())
	}
	return &explainOut{out}, nil
}

type simulateIn struct {
	Body struct {
		Files []ascode.File `json:"files" maxItems:"1000" doc:"Documents of kind AlertRouting, as for an apply."`
	}
}

// Simulated is what documents would have done, and that in a sentence.
type Simulated struct {
	Comparison
	Said text.Both `json:"said"`
}

type simulateOut struct{ Body Simulated }

func (s *Service) apiSimulate(ctx context.Context, in *simulateIn) (*simulateOut, error) {
	if s.Registry == nil {
		return nil, errors.New("simulate: nothing reads documents")
	}
	c, err := s.Simulate(ctx, in.Body.Files)
	if err != nil {
		return nil, err
	}
	return &simulateOut{Simulated{c, c.Say()}}, nil
}
