// Package journal is the append-only record of everything that happened.
//
// An entry is written in the transaction of the change it records, so that
// neither exists without the other. Everything else is a view of it: the audit
// log, the timeline of an incident, the activity feed, the live stream to the
// browser. A past entry is never changed: a correction is a new one. A job seals
// each closed minute, so that tampering shows.
package journal

import (
	"context"
	"encoding/json"
	"strings"
	"time"
)

// Ref names a thing across rooms: "service:checkout", "slo:checkout-availability",
// "team:payments".
type Ref string

// RefTo builds a reference from the kind of a thing and its name.
func RefTo(kind, name string) Ref { return Ref(kind + ":" + name) }

// Kind is the part before the colon.
func (r Ref) Kind() string { k, _, _ := strings.Cut(string(r), ":"); return k }

// Name is the part after the colon.
func (r Ref) Name() string { _, n, _ := strings.Cut(string(r), ":"); return n }

// ActorKind tells what sort of actor did something.
type ActorKind string

// The sorts of actor.
const (
	Person ActorKind = "person"
	Token  ActorKind = "token"
	System ActorKind = "system"
)

// Actor is who did something. Name is what it was called at that time.
type Actor struct {
	Kind ActorKind `json:"kind"`
	ID   string    `json:"id"`
	Name string    `json:"name"`
}

// Teiten is the actor of what the product does by itself.
var Teiten = Actor{Kind: System, ID: "teiten", Name: "Teiten"}

// Entry is one thing that happened. Kind is "noun.verb_in_the_past"
// ("slo.alert_fired"), Subject what it happened to, Also what else it touches,
// Data the details as JSON without secrets, and Cause the request that led to
// it. Seal is the number of the seal that covers it, 0 until its minute is
// closed.
type Entry struct {
	ID      string          `json:"id"`
	Time    time.Time       `json:"time"`
	Actor   Actor           `json:"actor"`
	Kind    string          `json:"kind"`
	Subject Ref             `json:"subject"`
	Also    []Ref           `json:"also,omitempty"`
	Data    json.RawMessage `json:"data,omitempty"`
	Cause   string          `json:"cause,omitempty"`
	Seal    int64           `json:"seal,omitempty"`
}

// Draft is an entry before it has an identity. Data is marshalled to JSON and
// must hold no secret.
type Draft struct {
	Kind    string
	Subject Ref
	Also    []Ref
	Data    any
}

type (
	actorKey struct{}
	causeKey struct{}
)

// WithActor returns a context in which a does what is done.
func WithActor(ctx context.Context, a Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, a)
}

// ActorFrom returns who acts, and Teiten itself where nobody was named.
func ActorFrom(ctx context.Context) Actor {
	if a, ok := ctx.Value(actorKey{}).(Actor); ok {
		return a
	}
	return Teiten
}

// WithCause returns a context that names the request behind what is done.
func WithCause(ctx context.Context, request string) context.Context {
	return context.WithValue(ctx, causeKey{}, request)
}

// CauseFrom returns the request behind what is done, empty where there is none.
func CauseFrom(ctx context.Context) string {
	c, _ := ctx.Value(causeKey{}).(string)
	return c
}
