package oncall

import (
	"context"
	"net/http"
	"time"

	"github.com/teiten/teiten/access"
	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/respond/oncall/rota"
)

const tag = "On-call"

// NameIn names a schedule. It is exported, as those below, because it is embedded.
type NameIn struct {
	Name string `path:"name" maxLength:"200" doc:"The schedule's name."`
}

type idIn struct {
	ID string `path:"id" maxLength:"100"`
}

// AtIn is an instant.
type AtIn struct {
	At time.Time `query:"at" doc:"The instant; now by default."`
}

// ViewIn says as of when the past is answered.
type ViewIn struct {
	As View `query:"as" enum:"then,now" default:"then" doc:"Whether the past is answered as the configuration was then, or as it is now."`
}

// SpanIn is a time.
type SpanIn struct {
	From time.Time `query:"from" required:"true"`
	To   time.Time `query:"to" required:"true"`
}

type (
	listOut     struct{ Body httpapi.Page[Summary] }
	answerOut   struct{ Body Answer }
	calendarOut struct{ Body Calendar }
	sharesOut   struct{ Body httpapi.Page[Share] }
	previewOut  struct{ Body httpapi.Page[Preview] }
	overrideOut struct{ Body Override }
	swapOut     struct{ Body Swap }
	swapsOut    struct{ Body httpapi.Page[Swap] }
	notesOut    struct{ Body httpapi.Page[Handover] }
	noteOut     struct{ Body Handover }
	feedOut     struct{ Body Feed }
	feedsOut    struct{ Body httpapi.Page[Feed] }
	detailOut   struct{ Body Detail }
	nothing     struct{}
)

// Register adds the operations to a.
func (s *Service) Register(a *httpapi.API) {
	read := func(id, path, summary, about string) httpapi.Op {
		return httpapi.Op{ID: id, Method: http.MethodGet, Path: path, Scope: access.OncallRead, Tag: tag, Summary: summary, Description: about}
	}
	write := func(id, method, path, summary, about string) httpapi.Op {
		return httpapi.Op{ID: id, Method: method, Path: path, Scope: access.OncallWrite, Tag: tag, Summary: summary, Description: about}
	}
	const one = "/api/v1/schedules/{name}"
	httpapi.Register(a, read("list-schedules", "/api/v1/schedules", "Who is on call now and next, by every schedule", ""), s.apiList)
	httpapi.Register(a, read("get-schedule", one, "One schedule, with who is on call, its versions and the latest hand-over note", ""), s.apiGet)
	httpapi.Register(a, read("get-on-call", one+"/oncall", "Who is on call at an instant, and why", "The past is answered as it was, or as it would be by the present configuration."), s.apiOn)
	httpapi.Register(a, read("get-schedule-shifts", one+"/shifts", "The shifts of a time: what results, each layer by itself, overrides and gaps", "400 days at most."), s.apiShifts)
	httpapi.Register(a, read("get-schedule-fairness", one+"/fairness", "What fell to each person: hours, nights, weekends, holidays and pages", ""), s.apiFairness)
	httpapi.Register(a, httpapi.Op{ID: "preview-schedules", Method: http.MethodPost, Path: "/api/v1/schedules/preview", Scope: access.OncallRead, Tag: tag,
		Summary: "What an edit would change of the next 90 days", Description: "Reads documents and writes nothing."}, s.apiPreview)
	httpapi.Register(a, write("add-override", http.MethodPost, one+"/overrides", "Change who is on call for a time",
		"Owners of the schedule may do so for everybody, others may take duty upon themselves. What is past stays as it was."), s.apiOverride)
	httpapi.Register(a, write("end-override", http.MethodDelete, "/api/v1/overrides/{id}", "Take an override back", "What was so until then stays so."), s.apiEndOverride)
	httpapi.Register(a, read("list-swaps", one+"/swaps", "Swaps whose time is not over", ""), s.apiSwaps)
	httpapi.Register(a, write("ask-swap", http.MethodPost, one+"/swaps", "Ask somebody to take a time on call", ""), s.apiAsk)
	for _, x := range []struct {
		word, summary string
		to            SwapState
	}{{"accept", "Accept a swap: it changes who is on call", Accepted}, {"decline", "Decline a swap", Declined}, {"withdraw", "Take a swap back that nobody has answered", Withdrawn}} {
		httpapi.Register(a, write(x.word+"-swap", http.MethodPost, "/api/v1/swaps/{id}/"+x.word, x.summary, "For the two whom it concerns and owners of the schedule."),
			func(ctx context.Context, in *idIn) (*swapOut, error) {
				w, err := s.SettleSwap(ctx, in.ID, x.to)
				return &swapOut{w}, err
			})
	}
	httpapi.Register(a, read("list-handovers", one+"/handovers", "Hand-over notes, the newest first", ""), s.apiHandovers)
	httpapi.Register(a, write("hand-over", http.MethodPost, one+"/handovers", "Leave a note to the next shift", ""), s.apiHandOver)
	s.registerFeeds(a)
}

// registerFeeds adds what has to do with calendars. Feeds are the caller's own, so
// whoever may read schedules may make one.
func (s *Service) registerFeeds(a *httpapi.API) {
	httpapi.Register(a, httpapi.Op{ID: "list-feeds", Method: http.MethodGet, Path: "/api/v1/feeds", Scope: access.OncallRead, Tag: tag,
		Summary: "The caller's calendar feeds"}, s.apiFeeds)
	httpapi.Register(a, httpapi.Op{ID: "add-feed", Method: http.MethodPost, Path: "/api/v1/feeds", Scope: access.OncallRead, Tag: tag,
		Summary: "Make an address under which a calendar reads shifts", Description: "Whoever knows the address can read the shifts without signing in, until it is revoked. It is shown once."}, s.apiAddFeed)
	httpapi.Register(a, httpapi.Op{ID: "revoke-feed", Method: http.MethodDelete, Path: "/api/v1/feeds/{id}", Scope: access.OncallRead, Tag: tag,
		Summary: "Have a calendar feed answer nothing any more"}, s.apiRevokeFeed)
	a.Handle("GET /calendar/{secret}/oncall.ics", httpapi.Public, s.serveFeed(a))
}

func (s *Service) atOrNow(at time.Time) time.Time {
	if at.IsZero() {
		return s.stamp()
	}
	return at.UTC()
}

func (s *Service) apiList(ctx context.Context, in *AtIn) (*listOut, error) {
	items, err := s.List(ctx, s.atOrNow(in.At))
	return &listOut{httpapi.Page[Summary]{Items: items}}, err
}

func (s *Service) apiGet(ctx context.Context, in *struct {
	NameIn
	AtIn
}) (*detailOut, error) {
	d, err := s.Detail(ctx, in.Name, s.atOrNow(in.At))
	return &detailOut{d}, err
}

func (s *Service) apiOn(ctx context.Context, in *struct {
	NameIn
	AtIn
	ViewIn
}) (*answerOut, error) {
	a, err := s.OnAs(ctx, s.db.Read(), in.Name, s.atOrNow(in.At), in.As)
	return &answerOut{a}, err
}

func (s *Service) apiShifts(ctx context.Context, in *struct {
	NameIn
	SpanIn
	ViewIn
}) (*calendarOut, error) {
	c, err := s.Calendar(ctx, in.Name, in.From.UTC(), in.To.UTC(), in.As)
	return &calendarOut{c}, err
}

func (s *Service) apiFairness(ctx context.Context, in *struct {
	NameIn
	SpanIn
	Role rota.Role `query:"role" enum:"primary,secondary,shadow" default:"primary"`
}) (*sharesOut, error) {
	items, err := s.Fairness(ctx, in.Name, in.Role, in.From.UTC(), in.To.UTC())
	return &sharesOut{httpapi.Page[Share]{Items: items}}, err
}

func (s *Service) apiPreview(ctx context.Context, in *struct {
	Body struct {
		Files []ascode.File `json:"files" minItems:"1" maxItems:"100"`
	}
}) (*previewOut, error) {
	items, err := s.Preview(ctx, in.Body.Files)
	return &previewOut{httpapi.Page[Preview]{Items: items}}, err
}

func (s *Service) apiOverride(ctx context.Context, in *struct {
	NameIn
	Body NewOverride
}) (*overrideOut, error) {
	o, err := s.Override(ctx, in.Name, in.Body)
	return &overrideOut{o}, err
}

func (s *Service) apiEndOverride(ctx context.Context, in *idIn) (*overrideOut, error) {
	o, err := s.EndOverride(ctx, in.ID)
	return &overrideOut{o}, err
}

func (s *Service) apiSwaps(ctx context.Context, in *NameIn) (*swapsOut, error) {
	items, err := s.Swaps(ctx, in.Name, s.now())
	return &swapsOut{httpapi.Page[Swap]{Items: items}}, err
}

func (s *Service) apiAsk(ctx context.Context, in *struct {
	NameIn
	Body NewSwap
}) (*swapOut, error) {
	w, err := s.AskSwap(ctx, in.Name, in.Body)
	return &swapOut{w}, err
}

func (s *Service) apiHandovers(ctx context.Context, in *struct {
	NameIn
	httpapi.PageIn
}) (*notesOut, error) {
	var before time.Time
	if in.Cursor != "" {
		if err := httpapi.DecodeCursor("handovers"+in.Name, in.Cursor, &before); err != nil {
			return nil, err
		}
	}
	items, err := s.Handovers(ctx, in.Name, before, in.Limit+1)
	out := &notesOut{httpapi.Page[Handover]{Items: items}}
	if len(items) > in.Limit {
		out.Body.Items = items[:in.Limit]
		out.Body.Next = httpapi.EncodeCursor("handovers"+in.Name, items[in.Limit-1].CreatedAt)
	}
	return out, err
}

func (s *Service) apiHandOver(ctx context.Context, in *struct {
	NameIn
	Body struct {
		Body string `json:"body" minLength:"1" maxLength:"20000" doc:"What the next person has to know."`
	}
}) (*noteOut, error) {
	h, err := s.HandOver(ctx, in.Name, in.Body.Body)
	return &noteOut{h}, err
}

func (s *Service) apiFeeds(ctx context.Context, _ *nothing) (*feedsOut, error) {
	items, err := s.Feeds(ctx)
	return &feedsOut{httpapi.Page[Feed]{Items: items}}, err
}

func (s *Service) apiAddFeed(ctx context.Context, in *struct{ Body NewFeed }) (*feedOut, error) {
	f, err := s.AddFeed(ctx, in.Body)
	return &feedOut{f}, err
}

func (s *Service) apiRevokeFeed(ctx context.Context, in *idIn) (*nothing, error) {
	return nil, s.RevokeFeed(ctx, in.ID)
}
