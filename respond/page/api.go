package page

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/respond/page/db"
)

const (
	scopeRead   httpapi.Scope = "page:read"
	scopeAnswer httpapi.Scope = "page:answer"
)

// Info is a page as the API tells it.
type Info struct {
	ID             string         `json:"id"`
	Group          string         `json:"group" doc:"The group of alerts."`
	Title          string         `json:"title"`
	Service        string         `json:"service,omitempty"`
	Team           string         `json:"team,omitempty"`
	Severity       string         `json:"severity,omitempty"`
	Policy         string         `json:"policy,omitempty" doc:"Absent where no policy applied and the fallback was paged."`
	Source         string         `json:"source,omitempty" doc:"Where the policy is written."`
	State          State          `json:"state" enum:"paging,acknowledged,resolved,exhausted,told" doc:"exhausted: handed on to the fallback. told: no policy and no person was there, only channels."`
	BeganAt        time.Time      `json:"beganAt"`
	AcknowledgedAt time.Time      `json:"acknowledgedAt,omitzero"`
	AcknowledgedBy *journal.Actor `json:"acknowledgedBy,omitempty"`
	EndedAt        time.Time      `json:"endedAt,omitzero"`
}

// Detail is a page with every step, message and reason: why somebody was paged.
type Detail struct {
	Info
	Route    string          `json:"route,omitempty" doc:"Where the route that led here is written."`
	Trace    json.RawMessage `json:"trace,omitempty" doc:"How the route was decided."`
	Steps    []StepInfo      `json:"steps"`
	Messages []MessageInfo   `json:"messages"`
}

// StepInfo is one step as the API tells it.
type StepInfo struct {
	Round  int            `json:"round"`
	Step   int            `json:"step" doc:"Which step, from 1; 0 is the fallback."`
	State  string         `json:"state" enum:"due,done,stopped"`
	DueAt  time.Time      `json:"dueAt"`
	DoneAt time.Time      `json:"doneAt,omitzero"`
	Source string         `json:"source,omitempty" doc:"Where the step is written."`
	People []tracedPerson `json:"people" doc:"Whom it reached, by what, and why."`
	Gaps   []Reason       `json:"gaps,omitempty" doc:"What kept anybody from being found."`
}

// MessageInfo is one message as the API tells it.
type MessageInfo struct {
	Key      string    `json:"key" doc:"Travels with each send."`
	Person   string    `json:"person"`
	Method   string    `json:"method" doc:"The type of the contact method."`
	Round    int       `json:"round"`
	Step     int       `json:"step"`
	State    string    `json:"state" enum:"waiting,handed,delivered,failed,stopped"`
	DueAt    time.Time `json:"dueAt"`
	HandedAt time.Time `json:"handedAt,omitzero"`
	EndedAt  time.Time `json:"endedAt,omitzero"`
	Delivery string    `json:"delivery,omitempty" doc:"The id of the delivery, with every attempt."`
	Late     bool      `json:"late,omitempty" doc:"It was not delivered in time: the person's other methods followed."`
}

// MethodInfo is a contact method as the API tells it. Nothing secret is told.
type MethodInfo struct {
	ID         string    `json:"id"`
	Type       string    `json:"type" enum:"email,slack,ntfy,webpush,sms,voice,webhook,teams,lineworks"`
	Title      string    `json:"title,omitempty"`
	Receiver   string    `json:"receiver" doc:"Where messages go, without what is secret of it."`
	State      string    `json:"state" enum:"unverified,verified,disabled"`
	CreatedAt  time.Time `json:"createdAt"`
	VerifiedAt time.Time `json:"verifiedAt,omitzero"`
}

// ContactInfo is how a person is reached, as the API tells it.
type ContactInfo struct {
	Person      string       `json:"person"`
	Methods     []MethodInfo `json:"methods"`
	Preferences Preferences  `json:"preferences"`
	PushKey     string       `json:"pushKey" doc:"With this key a browser subscribes to pushes."`
}

// NewMethod is a contact method to be added.
type NewMethod struct {
	Type    string `json:"type" enum:"email,slack,ntfy,webpush,sms,voice,webhook,teams,lineworks"`
	Title   string `json:"title,omitempty" maxLength:"400"`
	Address string `json:"address" maxLength:"2000" doc:"An e-mail address, a telephone number (+81…), or the address of a webhook, a topic or a browser's subscription."`
	Token   string `json:"token,omitempty" maxLength:"500" doc:"Of a protected topic; or signs the events of a webhook."`
	P256DH  string `json:"p256dh,omitempty" maxLength:"200" doc:"The key of a browser's subscription."`
	Auth    string `json:"auth,omitempty" maxLength:"100" doc:"The secret of a browser's subscription."`
}

type (
	pagesOut struct{ Body httpapi.Page[Info] }
	pageOut  struct{ Body Detail }
	ackOut   struct{ Body Info }
	pageIn   struct {
		ID string `path:"id" maxLength:"100"`
	}
	pagesIn struct {
		httpapi.PageIn
		State  []string `query:"state,explode" enum:"paging,acknowledged,resolved,exhausted,told" doc:"Only in these states."`
		Team   string   `query:"team" maxLength:"200"`
		Group  string   `query:"group" maxLength:"100" doc:"Only for this group of alerts."`
		Person string   `query:"person" maxLength:"300" doc:"Only what reached this person."`
	}
	contactOut struct{ Body ContactInfo }
	methodOut  struct{ Body MethodInfo }
	personIn   struct {
		Person string `path:"person" maxLength:"300" doc:"me, or the name of a person in the catalog."`
	}
	addIn struct {
		personIn
		Body NewMethod
	}
	methodIn struct {
		personIn
		ID string `path:"id" maxLength:"100"`
	}
	verifyIn struct {
		methodIn
		Body struct {
			Code string `json:"code" maxLength:"20" doc:"The six digits that were sent."`
		}
	}
	enableIn struct {
		methodIn
		Body struct {
			Enabled bool `json:"enabled"`
		}
	}
	preferIn struct {
		personIn
		Body Preferences
	}
	drillIn struct {
		Policy   string    `query:"policy" maxLength:"200" doc:"The policy's name."`
		Team     string    `query:"team" maxLength:"200" doc:"The team that owns what is wrong, where no policy is named."`
		Severity string    `query:"severity" enum:"critical,error,warning,info" default:"critical"`
		At       time.Time `query:"at" doc:"When it begins; now when absent."`
	}
	drillOut struct{ Body DrillInfo }
)

// DrillInfo is what a drill found.
type DrillInfo struct {
	Policy string      `json:"policy,omitempty"`
	Source string      `json:"source,omitempty"`
	Team   string      `json:"team,omitempty"`
	Steps  []drillStep `json:"steps" doc:"Everything that would come if nobody answered, in order."`
}

// codeLimit keeps codes from becoming a way to flood somebody.
var codeLimit = httpapi.RateLimit{Burst: 5, Every: 30 * time.Second}

// Register adds the room's operations and pages to a.
func (s *Service) Register(a *httpapi.API) {
	const tag, own = "Pages", "Contact methods"
	httpapi.Register(a, httpapi.Op{ID: "list-pages", Method: http.MethodGet, Path: "/api/v1/pages", Scope: scopeRead, Tag: tag,
		Summary: "Who was paged for what, newest first"}, s.handlePages)
	httpapi.Register(a, httpapi.Op{ID: "get-page", Method: http.MethodGet, Path: "/api/v1/pages/{id}", Scope: scopeRead, Tag: tag,
		Summary:     "One page, with the answer to: why was I paged?",
		Description: "Every step that was taken, whom it reached, by which methods and why, each with where it is written; and what became of each message."}, s.handlePage)
	httpapi.Register(a, httpapi.Op{ID: "acknowledge-page", Method: http.MethodPost, Path: "/api/v1/pages/{id}/acknowledge", Scope: scopeAnswer, Tag: tag,
		Status: http.StatusOK, Summary: "Say that you look after it: nobody else is paged"}, s.handleAck)
	httpapi.Register(a, httpapi.Op{ID: "drill", Method: http.MethodGet, Path: "/api/v1/page-drill", Scope: scopeRead, Tag: tag,
		Summary: "Who would be reached, in which order and when, without sending anything"}, s.handleDrill)
	httpapi.Register(a, httpapi.Op{ID: "get-contact", Method: http.MethodGet, Path: "/api/v1/contacts/{person}", Scope: httpapi.SignedIn, Tag: own,
		Summary: "How a person is reached: oneself, or anybody for administrators"}, s.handleContact)
	httpapi.Register(a, httpapi.Op{ID: "add-contact-method", Method: http.MethodPost, Path: "/api/v1/contacts/{person}/methods", Scope: httpapi.SignedIn, Tag: own,
		Status: http.StatusCreated, RateLimit: codeLimit, Summary: "Add a contact method; a code is sent over it"}, s.handleAdd)
	httpapi.Register(a, httpapi.Op{ID: "verify-contact-method", Method: http.MethodPost, Path: "/api/v1/contacts/{person}/methods/{id}/verify", Scope: httpapi.SignedIn, Tag: own,
		Status: http.StatusOK, Summary: "Enter the code; the method may be used from then on"}, s.handleVerify)
	httpapi.Register(a, httpapi.Op{ID: "send-contact-code", Method: http.MethodPost, Path: "/api/v1/contacts/{person}/methods/{id}/code", Scope: httpapi.SignedIn, Tag: own,
		Status: http.StatusOK, RateLimit: codeLimit, Summary: "Send a new code"}, s.handleCode)
	httpapi.Register(a, httpapi.Op{ID: "change-contact-method", Method: http.MethodPatch, Path: "/api/v1/contacts/{person}/methods/{id}", Scope: httpapi.SignedIn, Tag: own,
		Status: http.StatusOK, Summary: "Disable a method, or enable it again"}, s.handleEnable)
	httpapi.Register(a, httpapi.Op{ID: "remove-contact-method", Method: http.MethodDelete, Path: "/api/v1/contacts/{person}/methods/{id}", Scope: httpapi.SignedIn, Tag: own,
		Summary: "Remove a method"}, s.handleRemove)
	httpapi.Register(a, httpapi.Op{ID: "set-contact-rules", Method: http.MethodPut, Path: "/api/v1/contacts/{person}/preferences", Scope: httpapi.SignedIn, Tag: own,
		Status: http.StatusOK, Summary: "Which methods, in what order, with what delays, by urgency and hours"}, s.handlePrefer)
	s.registerAnswer(a)
}

func (p Page) info() Info {
	i := Info{ID: p.ID, Group: p.Group, Title: p.Notice.Title, Service: p.Notice.Service, Team: p.Team, Severity: p.Severity, Policy: p.Policy.Name,
		Source: p.Policy.Source.String(), State: p.State, BeganAt: p.BeganAt, AcknowledgedAt: p.AcknowledgedAt, EndedAt: p.EndedAt}
	if !p.AcknowledgedAt.IsZero() {
		i.AcknowledgedBy = &p.AcknowledgedBy
	}
	return i
}

const pagesCursor = "pages"

func (s *Service) handlePages(ctx context.Context, in *pagesIn) (*pagesOut, error) {
	f := Filter{States: in.State, Team: in.Team, Group: in.Group, Person: in.Person, Limit: in.Limit + 1}
	if in.Cursor != "" {
		if err := httpapi.DecodeCursor(pagesCursor, in.Cursor, &f.Before); err != nil {
			return nil, err
		}
	}
	all, err := s.Pages(ctx, f)
	if err != nil {
		return nil, err
	}
	out := &pagesOut{Body: httpapi.Page[Info]{Items: []Info{}}}
	if len(all) > in.Limit {
		all = all[:in.Limit]
		out.Body.Next = httpapi.EncodeCursor(pagesCursor, all[in.Limit-1].ID)
	}
	for _, p := range all {
		out.Body.Items = append(out.Body.Items, p.info())
	}
	return out, nil
}

func (s *Service) handlePage(ctx context.Context, in *pageIn) (*pageOut, error) {
	p, err := getPage(ctx, s.db.Read(), in.ID)
	if err != nil {
		return nil, err
	}
	d, err := s.detail(ctx, p)
	return &pageOut{d}, err
}

// detail is a page with everything that belongs to it.
func (s *Service) detail(ctx context.Context, p Page) (Detail, error) {
	d := Detail{Info: p.info(), Route: p.Notice.Route, Trace: p.Notice.Trace, Steps: []StepInfo{}, Messages: []MessageInfo{}}
	q := db.New(s.db.Read())
	steps, err := q.StepsOfPage(ctx, p.ID)
	if err != nil {
		return d, fmt.Errorf("read steps: %w", database.Fault(err))
	}
	for _, r := range steps {
		step := StepInfo{Round: int(r.Round), Step: int(r.Step) + 1, State: r.State, DueAt: database.Time(r.DueAt), DoneAt: database.Time(r.DoneAt),
			Source: p.Policy.at(int(r.Step)).String(), People: []tracedPerson{}}
		var t traced
		if json.Unmarshal([]byte(r.Trace), &t) == nil && t.People != nil { // a step that is due has none
			step.People, step.Gaps = t.People, t.Gaps
		}
		d.Steps = append(d.Steps, step)
	}
	messages, err := q.MessagesOfPage(ctx, p.ID)
	if err != nil {
		return d, fmt.Errorf("read messages: %w", database.Fault(err))
	}
	for _, r := range messages {
		d.Messages = append(d.Messages, MessageInfo{Key: r.ID, Person: r.Person, Method: r.Kind, Round: int(r.Round), Step: int(r.Step) + 1, State: r.State,
			DueAt: database.Time(r.DueAt), HandedAt: database.Time(r.HandedAt), EndedAt: database.Time(r.EndedAt), Delivery: r.Delivery, Late: r.Late})
	}
	return d, nil
}

func (s *Service) handleAck(ctx context.Context, in *pageIn) (*ackOut, error) {
	p, err := s.Acknowledge(ctx, in.ID)
	return &ackOut{p.info()}, err
}

func (s *Service) handleDrill(ctx context.Context, in *drillIn) (*drillOut, error) {
	at := in.At
	if at.IsZero() {
		at = s.now()
	}
	p, steps, err := s.Drill(ctx, in.Policy, in.Team, in.Severity, at)
	if steps == nil {
		steps = []drillStep{}
	}
	return &drillOut{DrillInfo{Policy: p.Name, Source: p.Source.String(), Team: p.Spec.Team, Steps: steps}}, err
}

func (s *Service) info(m Method) MethodInfo {
	return MethodInfo{ID: m.ID, Type: string(m.Spec.Type), Title: m.Title, Receiver: s.channel(m, Preferences{}).Receiver(), State: m.State(),
		CreatedAt: m.CreatedAt, VerifiedAt: m.VerifiedAt}
}

func (s *Service) handleContact(ctx context.Context, in *personIn) (*contactOut, error) {
	c, err := s.Contact(ctx, in.Person)
	out := &contactOut{ContactInfo{Person: c.Person, Methods: []MethodInfo{}, Preferences: c.Preferences, PushKey: s.vapid.Public}}
	for _, m := range c.Methods {
		out.Body.Methods = append(out.Body.Methods, s.info(m))
	}
	return out, err
}

func (s *Service) handleAdd(ctx context.Context, in *addIn) (*methodOut, error) {
	m, err := s.AddMethod(ctx, in.Person, in.Body.Title, in.Body.spec())
	return &methodOut{s.info(m)}, err
}

func (s *Service) handleVerify(ctx context.Context, in *verifyIn) (*methodOut, error) {
	m, err := s.Verify(ctx, in.Person, in.ID, in.Body.Code)
	return &methodOut{s.info(m)}, err
}

func (s *Service) handleCode(ctx context.Context, in *methodIn) (*methodOut, error) {
	m, err := s.SendCode(ctx, in.Person, in.ID)
	return &methodOut{s.info(m)}, err
}

func (s *Service) handleEnable(ctx context.Context, in *enableIn) (*methodOut, error) {
	m, err := s.Enable(ctx, in.Person, in.ID, in.Body.Enabled)
	return &methodOut{s.info(m)}, err
}

func (s *Service) handleRemove(ctx context.Context, in *methodIn) (*struct{}, error) {
	return nil, s.RemoveMethod(ctx, in.Person, in.ID)
}

func (s *Service) handlePrefer(ctx context.Context, in *preferIn) (*contactOut, error) {
	if err := s.Prefer(ctx, in.Person, in.Body); err != nil {
		return nil, err
	}
	return s.handleContact(ctx, &in.personIn)
}
