package notify

import (
	"context"
	"net/http"
	"time"

	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/notify/notice"
)

const (
	scopeRead  httpapi.Scope = "notify:read"
	scopeWrite httpapi.Scope = "notify:write"
)

// ChannelInfo is a channel and how its receiver does, as the API tells it.
type ChannelInfo struct {
	Name         string        `json:"name"`
	Title        string        `json:"title,omitempty"`
	Description  string        `json:"description,omitempty"`
	Type         ChannelType   `json:"type" enum:"webhook,slack,email,teams,lineworks,ntfy,sms,voice"`
	Receiver     string        `json:"receiver" doc:"Where messages go, without what is secret of it."`
	Language     text.Lang     `json:"language" enum:"en,ja"`
	TimeZone     string        `json:"timeZone"`
	Match        *Match        `json:"match,omitempty" doc:"What it hears; absent: every alert."`
	TicketHours  []string      `json:"ticketHours,omitempty" doc:"Working hours until which tickets are held."`
	SendResolved bool          `json:"sendResolved"`
	Owner        string        `json:"owner,omitempty"`
	Health       ChannelHealth `json:"health"`
}

// ChannelHealth is what is known of a channel's receiver.
type ChannelHealth struct {
	State           string    `json:"state" enum:"unused,ok,failing,away" doc:"unused: nothing was sent yet. failing: the last attempt failed. away: several in a row failed."`
	LastAttemptAt   time.Time `json:"lastAttemptAt,omitzero"`
	LastDeliveredAt time.Time `json:"lastDeliveredAt,omitzero"`
	FailingSince    time.Time `json:"failingSince,omitzero"`
	LastError       text.Both `json:"lastError,omitzero"`
	Pending         int       `json:"pending" doc:"Deliveries that wait or are being sent."`
	OldestPending   time.Time `json:"oldestPending,omitzero" doc:"When the oldest of them happened."`
}

// DeliveryInfo is a delivery as the API tells it.
type DeliveryInfo struct {
	ID        string          `json:"id"`
	Channel   string          `json:"channel" doc:"Empty where no channel heard the message."`
	Recipient string          `json:"recipient,omitempty" doc:"The e-mail address."`
	State     State           `json:"state" enum:"pending,delivered,failed,nobody,withdrawn"`
	Sending   bool            `json:"sending,omitempty" doc:"An attempt is being made now."`
	Entry     string          `json:"entry" doc:"The journal entry that caused it."`
	Kind      string          `json:"kind"`
	Subject   string          `json:"subject"`
	Severity  notice.Severity `json:"severity,omitempty"`
	Phase     notice.Phase    `json:"phase,omitempty"`
	Title     text.Both       `json:"title"`
	Key       string          `json:"key" doc:"Sent along with every attempt, always the same."`
	Happened  time.Time       `json:"happenedAt"`
	Created   time.Time       `json:"createdAt"`
	NextAt    time.Time       `json:"nextAt,omitzero" doc:"When it is tried next."`
	GiveUpAt  time.Time       `json:"giveUpAt,omitzero"`
	EndedAt   time.Time       `json:"endedAt,omitzero"`
	Attempts  int             `json:"attempts"`
	LastError text.Both       `json:"lastError,omitzero"`
}

// AttemptInfo is one attempt as the API tells it.
type AttemptInfo struct {
	Number     int       `json:"number"`
	StartedAt  time.Time `json:"startedAt"`
	FinishedAt time.Time `json:"finishedAt,omitzero"`
	Outcome    Outcome   `json:"outcome" enum:"sending,delivered,retry,refused,unknown" doc:"unknown: the server stopped between the send and the record of it."`
	Code       int       `json:"code,omitempty" doc:"What the receiver answered; absent if nothing."`
	Answer     string    `json:"answer,omitempty" doc:"The beginning of its text."`
	Error      text.Both `json:"error,omitzero"`
}

// DeliveryDetail is a delivery with its message and every attempt.
type DeliveryDetail struct {
	DeliveryInfo
	Held    bool          `json:"held,omitempty" doc:"It waits for an earlier message about the same subject."`
	Message Message       `json:"message" doc:"The message, complete, in both languages."`
	Tries   []AttemptInfo `json:"tries"`
}

// TestResult is what a test of a channel came to.
type TestResult struct {
	OK      bool         `json:"ok" doc:"Every recipient took the message over."`
	Results []TestedInfo `json:"results"`
}

// TestedInfo is what a test came to for one recipient.
type TestedInfo struct {
	Delivery DeliveryInfo `json:"delivery"`
	Attempt  AttemptInfo  `json:"attempt"`
}

type (
	channelsOut   struct{ Body httpapi.Page[ChannelInfo] }
	channelOut    struct{ Body ChannelInfo }
	deliveriesOut struct{ Body httpapi.Page[DeliveryInfo] }
	detailOut     struct{ Body DeliveryDetail }
	deliveryOut   struct{ Body DeliveryInfo }
	testOut       struct{ Body TestResult }
	channelIn     struct {
		Name string `path:"name" maxLength:"100"`
	}
	deliveryIn struct {
		ID string `path:"id" maxLength:"100"`
	}
	deliveriesIn struct {
		httpapi.PageIn
		Channel string   `query:"channel" maxLength:"100" doc:"Only to this channel."`
		State   []string `query:"state,explode" enum:"pending,delivered,failed,nobody,withdrawn" doc:"Only in these states."`
		Subject string   `query:"subject" maxLength:"300" doc:"Only about this reference, such as slo:checkout-availability."`
		Entry   string   `query:"entry" maxLength:"100" doc:"Only those that this journal entry caused."`
	}
)

// testLimit keeps the test button from becoming a way to flood a receiver.
var testLimit = httpapi.RateLimit{Burst: 10, Every: 6 * time.Second}

// Register adds the room's operations to a.
func (s *Service) Register(a *httpapi.API) {
	const tag = "Notifications"
	httpapi.Register(a, httpapi.Op{ID: "list-channels", Method: http.MethodGet, Path: "/api/v1/channels", Scope: scopeRead, Tag: tag,
		Summary: "Every channel and how its receiver does"}, s.handleChannels)
	httpapi.Register(a, httpapi.Op{ID: "get-channel", Method: http.MethodGet, Path: "/api/v1/channels/{name}", Scope: scopeRead, Tag: tag,
		Summary: "One channel"}, s.handleChannel)
	httpapi.Register(a, httpapi.Op{ID: "test-channel", Method: http.MethodPost, Path: "/api/v1/channels/{name}/test", Scope: scopeWrite, Tag: tag,
		Status: http.StatusOK, RateLimit: testLimit,
		Summary:     "Send a test message and wait for the outcome",
		Description: "The message is sent once to each recipient. The deliveries are on record like any other; whether the receiver took them over is in the answer, which is 200 either way."},
		s.handleTest)
	httpapi.Register(a, httpapi.Op{ID: "list-deliveries", Method: http.MethodGet, Path: "/api/v1/deliveries", Scope: scopeRead, Tag: tag,
		Summary: "What was told to whom, newest first"}, s.handleDeliveries)
	httpapi.Register(a, httpapi.Op{ID: "get-delivery", Method: http.MethodGet, Path: "/api/v1/deliveries/{id}", Scope: scopeRead, Tag: tag,
		Summary: "One delivery with every attempt"}, s.handleDelivery)
	httpapi.Register(a, httpapi.Op{ID: "retry-delivery", Method: http.MethodPost, Path: "/api/v1/deliveries/{id}/retry", Scope: scopeWrite, Tag: tag,
		Status: http.StatusOK, Summary: "Try a delivery again now, with the same key"}, s.handleRetry)
}

func (s *Service) handleChannels(ctx context.Context, _ *struct{}) (*channelsOut, error) {
	all, err := s.Channels(ctx)
	if err != nil {
		return nil, err
	}
	out := &channelsOut{}
	for _, st := range all {
		out.Body.Items = append(out.Body.Items, st.info())
	}
	return out, nil
}

func (s *Service) handleChannel(ctx context.Context, in *channelIn) (*channelOut, error) {
	all, err := s.Channels(ctx)
	if err != nil {
		return nil, err
	}
	for _, st := range all {
		if st.Channel.Name == in.Name {
			return &channelOut{st.info()}, nil
		}
	}
	return nil, errNoChannel(in.Name)
}

func (s *Service) handleTest(ctx context.Context, in *channelIn) (*testOut, error) {
	all, err := s.Test(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	out := &testOut{TestResult{OK: true}}
	for _, t := range all {
		out.Body.OK = out.Body.OK && t.Delivery.State == Delivered
		out.Body.Results = append(out.Body.Results, TestedInfo{t.Delivery.info(s.now()), t.Attempt.info()})
	}
	return out, nil
}

const deliveriesCursor = "deliveries"

func (s *Service) handleDeliveries(ctx context.Context, in *deliveriesIn) (*deliveriesOut, error) {
	f := Filter{Channel: in.Channel, Subject: in.Subject, Entry: in.Entry, States: in.State, Limit: in.Limit + 1}
	if in.Cursor != "" {
		if err := httpapi.DecodeCursor(deliveriesCursor, in.Cursor, &f.Before); err != nil {
			return nil, err
		}
	}
	all, err := s.Deliveries(ctx, f)
	if err != nil {
		return nil, err
	}
	out := &deliveriesOut{}
	if len(all) > in.Limit {
		all = all[:in.Limit]
		out.Body.Next = httpapi.EncodeCursor(deliveriesCursor, all[in.Limit-1].ID)
	}
	for _, d := range all {
		out.Body.Items = append(out.Body.Items, d.info(s.now()))
	}
	return out, nil
}

func (s *Service) handleDelivery(ctx context.Context, in *deliveryIn) (*detailOut, error) {
	d, attempts, waits, err := s.Delivery(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	out := &detailOut{DeliveryDetail{DeliveryInfo: d.info(s.now()), Held: waits, Message: d.Message}}
	for _, a := range attempts {
		out.Body.Tries = append(out.Body.Tries, a.info())
	}
	return out, nil
}

func (s *Service) handleRetry(ctx context.Context, in *deliveryIn) (*deliveryOut, error) {
	d, err := s.Retry(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &deliveryOut{d.info(s.now())}, nil
}

func (st Standing) info() ChannelInfo {
	c := st.Channel
	h := ChannelHealth{
		State: "ok", LastAttemptAt: st.LastAttempt, LastDeliveredAt: st.LastDelivered, FailingSince: st.FailingSince,
		LastError: st.LastError, Pending: st.Pending, OldestPending: st.Oldest,
	}
	switch {
	case st.Away:
		h.State = "away"
	case !st.FailingSince.IsZero():
		h.State = "failing"
	case st.LastAttempt.IsZero():
		h.State = "unused"
	}
	return ChannelInfo{
		Name: c.Name, Title: c.Title, Description: c.Description, Type: c.Spec.Type, Receiver: c.Receiver(),
		Language: c.Lang(), TimeZone: c.Zone().String(), TicketHours: c.Spec.TicketHours, Match: c.Spec.Match,
		SendResolved: c.Spec.SendResolved == nil || *c.Spec.SendResolved, Owner: c.Owner(), Health: h,
	}
}

func (d Delivery) info(now time.Time) DeliveryInfo {
	m := d.Message
	return DeliveryInfo{
		ID: d.ID, Channel: d.Channel, Recipient: d.Recipient, State: d.State, Sending: d.Claimed.After(now) && d.State == Pending,
		Entry: m.Entry, Kind: m.Kind, Subject: m.Subject, Severity: m.Severity, Phase: m.Phase, Title: m.Title, Key: m.Key,
		Happened: m.Time, Created: d.CreatedAt, NextAt: d.NextAt, GiveUpAt: d.GiveUpAt, EndedAt: d.EndedAt,
		Attempts: d.Attempts, LastError: d.LastError,
	}
}

func (a Attempt) info() AttemptInfo { return AttemptInfo(a) }
