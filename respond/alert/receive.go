package alert

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/kit/text"
)

// MostBody is how many bytes one message may have.
const MostBody = 2 << 20

// receiver is the HTTP side of the intake: what monitoring systems speak to. Each
// handler finds out whose the key is, makes the message durable, and answers as
// the sender expects it.
type receiver struct {
	s   *Service
	api *httpapi.API
}

// intakes registers the addresses that take alerts in.
func (s *Service) intakes(a *httpapi.API) {
	r := &receiver{s, a}
	a.Intake("POST /api/v1/alerts/in", http.HandlerFunc(r.any))
	a.Intake("/api/v1/alerts/in/{key}", r.only(http.MethodPost, r.any))
	a.Intake("/api/v1/alerts/beat/{key}", http.HandlerFunc(r.beat))
	a.Intake("POST /api/v2/alerts", http.HandlerFunc(r.alertmanager))
	a.Intake("POST /v2/enqueue", http.HandlerFunc(r.pagerDuty))
	r.opsgenie()
}

// only answers other methods with what may be used.
func (r *receiver) only(method string, h http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.Method == method {
			h(w, q)
			return
		}
		w.Header().Set("Allow", method)
		if err := r.api.Slow(q); err != nil {
			r.api.WriteError(w, q, err)
			return
		}
		r.api.WriteError(w, q, httpapi.Status(http.StatusMethodNotAllowed, fault.New(fault.NotFound, "http.method",
			text.Say("%s is not possible here", "ここでは %s を使えません", q.Method)).
			Fix(text.Say("use one of %s", "%s のいずれかを使ってください", method))))
	})
}

// keyOf is the key that a request shows: in its path, as bearer token, as the
// password of basic authentication, or as Opsgenie's clients send it.
func keyOf(q *http.Request) string {
	if k := q.PathValue("key"); k != "" {
		return k
	}
	if _, password, ok := q.BasicAuth(); ok {
		return password
	}
	scheme, key, _ := strings.Cut(q.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "Bearer") || strings.EqualFold(scheme, "GenieKey") {
		return strings.TrimSpace(key)
	}
	return ""
}

// admit is whose the request is. Who guesses is slowed down.
func (r *receiver) admit(q *http.Request, key string) (integration string, err error) {
	name, err := r.s.whose(q.Context(), key)
	if fault.KindOf(err) == fault.Denied {
		if slow := r.api.Slow(q); slow != nil {
			return "", slow
		}
	}
	return name, err
}

// body reads a message, up to the limit.
func body(w http.ResponseWriter, q *http.Request) ([]byte, error) {
	if q.ContentLength > MostBody {
		return nil, &http.MaxBytesError{Limit: MostBody}
	}
	return io.ReadAll(http.MaxBytesReader(w, q.Body, MostBody))
}

// taken answers that events are kept.
type taken struct {
	Status string   `json:"status"`
	Events []string `json:"events"`
}

// any takes a message in whatever format.
func (r *receiver) any(w http.ResponseWriter, q *http.Request) {
	name, err := r.admit(q, keyOf(q))
	if err != nil {
		r.api.WriteError(w, q, err)
		return
	}
	data, err := body(w, q)
	if err != nil {
		r.fail(w, q, err)
		return
	}
	if q.Header.Get("X-Amz-Sns-Message-Type") != "" {
		if err := r.s.checkSNS(q.Context(), name, data); err != nil {
			r.fail(w, q, err)
			return
		}
	}
	ids, err := r.s.receive(q.Context(), rawEvent{kind: eventReceived, integration: name, header: kept(q.Header), body: data})
	if err != nil {
		r.fail(w, q, err)
		return
	}
	httpapi.WriteJSON(w, http.StatusAccepted, taken{"accepted", ids})
}

// fail answers an error. A body that broke off is the sender's matter.
func (r *receiver) fail(w http.ResponseWriter, q *http.Request, err error) {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = fault.New(fault.Invalid, "alert.body", text.Say("the message broke off", "メッセージが途中で切れています")).Wrap(err)
	}
	r.api.WriteError(w, q, err)
}

// beat takes a sign of life, by any method and with any body.
func (r *receiver) beat(w http.ResponseWriter, q *http.Request) {
	name, err := r.admit(q, keyOf(q))
	if err == nil {
		var ids []string
		if ids, err = r.s.receive(q.Context(), rawEvent{kind: eventBeat, integration: name, header: kept(q.Header)}); err == nil {
			httpapi.WriteJSON(w, http.StatusAccepted, taken{"accepted", ids})
			return
		}
	}
	r.fail(w, q, err)
}

// alertmanager is the address to which Prometheus posts its alerts.
func (r *receiver) alertmanager(w http.ResponseWriter, q *http.Request) {
	name, err := r.admit(q, keyOf(q))
	if err != nil {
		r.api.WriteError(w, q, err)
		return
	}
	data, err := body(w, q)
	if err != nil {
		r.fail(w, q, err)
		return
	}
	if strings.TrimSpace(string(data)) == "[]" {
		w.WriteHeader(http.StatusOK)
		return
	}
	if _, err := r.s.receive(q.Context(), rawEvent{kind: eventReceived, integration: name, format: "alertmanager-api", header: kept(q.Header), body: data}); err != nil {
		r.fail(w, q, err)
		return
	}
	w.WriteHeader(http.StatusOK)
}

// enqueued is what PagerDuty's Events API answers.
type enqueued struct {
	Status  string   `json:"status"`
	Message string   `json:"message"`
	Key     string   `json:"dedup_key,omitempty"`
	Errors  []string `json:"errors,omitempty"`
}

// pagerDuty serves clients of PagerDuty's Events API, version 2. The routing key
// is that of the integration.
func (r *receiver) pagerDuty(w http.ResponseWriter, q *http.Request) {
	data, err := body(w, q)
	if err != nil {
		r.fail(w, q, err)
		return
	}
	var event map[string]json.RawMessage
	var key, action, dedup string
	if json.Unmarshal(data, &event) == nil {
		key, action, dedup = quoted(event["routing_key"]), quoted(event["event_action"]), quoted(event["dedup_key"])
	}
	if key == "" {
		key = keyOf(q)
	}
	name, err := r.admit(q, key)
	if err != nil {
		r.fail(w, q, err)
		return
	}
	if problem := pagerDutyProblem(event, action, dedup); problem != "" {
		httpapi.WriteJSON(w, http.StatusBadRequest, enqueued{Status: "invalid event", Message: "Event object is invalid", Errors: []string{problem}})
		return
	}
	delete(event, "routing_key") // it is a secret
	if dedup == "" {
		dedup = strings.ReplaceAll(uuid.NewString(), "-", "")
		event["dedup_key"] = json.RawMessage(`"` + dedup + `"`)
	}
	if data, err = json.Marshal(event); err == nil {
		_, err = r.s.receive(q.Context(), rawEvent{kind: eventReceived, integration: name, format: "pagerduty-events", header: kept(q.Header), body: data})
	}
	if err != nil {
		r.fail(w, q, err)
		return
	}
	httpapi.WriteJSON(w, http.StatusAccepted, enqueued{Status: "success", Message: "Event processed", Key: dedup})
}

func quoted(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// pagerDutyProblem is why an event is refused: it says not what it is, or not
// about what. Whatever else it says is kept.
func pagerDutyProblem(event map[string]json.RawMessage, action, dedup string) string {
	switch action {
	case "trigger":
		var payload struct{ Summary string }
		if json.Unmarshal(event["payload"], &payload) != nil || payload.Summary == "" {
			return "'payload.summary' is missing or blank"
		}
	case "acknowledge", "resolve":
		if dedup == "" {
			return "'dedup_key' is missing or blank"
		}
	default:
		return "'event_action' must be one of trigger, acknowledge, resolve"
	}
	return ""
}

// opsgenie serves clients of Opsgenie's Alert API: create, acknowledge, close, and
// pings of heartbeats.
func (r *receiver) opsgenie() {
	r.api.Intake("POST /v2/alerts", http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		r.genie(w, q, func(data []byte) rawEvent { return rawEvent{format: "opsgenie-alert", body: data} })
	}))
	for path, action := range map[string]string{"acknowledge": "Acknowledge", "close": "Close"} {
		r.api.Intake("POST /v2/alerts/{id}/"+path, http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			r.genie(w, q, func([]byte) rawEvent {
				data, _ := json.Marshal(map[string]any{"action": action, "alert": map[string]string{"alertId": q.PathValue("id"), "message": q.PathValue("id")}}) // text only
				return rawEvent{format: "opsgenie", body: data}
			})
		}))
	}
	r.api.Intake("/v2/heartbeats/{name}/ping", http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		r.genie(w, q, func([]byte) rawEvent { return rawEvent{kind: eventBeat} })
	}))
}

// genie takes one request as Opsgenie's clients make them.
func (r *receiver) genie(w http.ResponseWriter, q *http.Request, event func(data []byte) rawEvent) {
	began := time.Now()
	name, err := r.admit(q, keyOf(q))
	if err != nil {
		r.fail(w, q, err)
		return
	}
	data, err := body(w, q)
	if err != nil {
		r.fail(w, q, err)
		return
	}
	e := event(data)
	if e.kind == 0 {
		e.kind = eventReceived
	}
	e.integration, e.header = name, kept(q.Header)
	if _, err := r.s.receive(q.Context(), e); err != nil {
		r.fail(w, q, err)
		return
	}
	httpapi.WriteJSON(w, http.StatusAccepted, map[string]any{
		"result": "Request will be processed", "took": time.Since(began).Seconds(), "requestId": httpapi.RequestID(q.Context()),
	})
}
