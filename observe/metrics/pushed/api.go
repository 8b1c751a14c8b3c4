package pushed

import (
	"context"
	"net/http"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/observe/metrics/pushed/db"
)

const (
	scopeRead  httpapi.Scope = "metrics:read"
	scopeWrite httpapi.Scope = "events:write"
	tag                      = "Events"
)

type pushIn struct {
	Body struct {
		Events []Event `json:"events" minItems:"1" maxItems:"1000"`
	}
}

type pushOut struct{ Body Taken }

// StreamView is a stream as the API shows it.
type StreamView struct {
	Stream      string            `json:"stream"`
	Labels      map[string]string `json:"labels"`
	FirstMinute time.Time         `json:"firstMinute"`
	LastMinute  time.Time         `json:"lastMinute"`
	Good        float64           `json:"good"`
	Total       float64           `json:"total"`
	LastPushAt  time.Time         `json:"lastPushAt"`
}

type streamsIn struct {
	Stream string `query:"stream" maxLength:"100" doc:"Only the stream of this name."`
}

type streamsOut struct{ Body httpapi.Page[StreamView] }

// Register adds the operations of pushed events to a.
func (s *Service) Register(a *httpapi.API) {
	httpapi.Register(a, httpapi.Op{ID: "push-events", Method: http.MethodPost, Path: "/api/v1/events/counts", Scope: scopeWrite, Tag: tag,
		Summary:     "Tell how many events happened and how many were good",
		Description: "All events of a push are taken or none. An event whose idempotencyKey was taken before counts once; a correction is a new event."}, s.apiPush)
	httpapi.Register(a, httpapi.Op{ID: "list-event-streams", Method: http.MethodGet, Path: "/api/v1/events/streams", Scope: scopeRead, Tag: tag,
		Summary: "List the streams of events with their counts"}, s.apiStreams)
}

func (s *Service) apiPush(ctx context.Context, in *pushIn) (*pushOut, error) {
	taken, err := s.Push(ctx, in.Body.Events)
	if err != nil {
		return nil, err
	}
	return &pushOut{taken}, nil
}

func (s *Service) apiStreams(ctx context.Context, in *streamsIn) (*streamsOut, error) {
	all, err := streams(ctx, s.DB.Read(), in.Stream)
	if err != nil {
		return nil, err
	}
	sums, err := db.New(s.DB.Read()).SumAll(ctx)
	if err != nil {
		return nil, database.Fault(err)
	}
	by := make(map[string]db.SumAllRow, len(sums))
	for _, r := range sums {
		by[r.Stream] = r
	}
	out := &streamsOut{}
	out.Body.Items = make([]StreamView, 0, len(all))
	for _, k := range all {
		if k.labels == nil {
			k.labels = map[string]string{}
		}
		out.Body.Items = append(out.Body.Items, StreamView{
			Stream: k.name, Labels: k.labels, FirstMinute: time.Unix(k.first*60, 0).UTC(), LastMinute: time.Unix(k.last*60, 0).UTC(),
			Good: by[k.id].Good, Total: by[k.id].Total, LastPushAt: k.pushedAt,
		})
	}
	return out, nil
}
