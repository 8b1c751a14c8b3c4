package routing

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/respond/alert/route"
	"github.com/teiten/teiten/respond/alert/routing/db"
)

// KindName is the kind of document that says how alerts are routed.
const KindName = "AlertRouting"

// Routing is an AlertRouting document.
type Routing struct {
	APIVersion string     `json:"apiVersion"`
	Kind       string     `json:"kind"`
	Metadata   Metadata   `json:"metadata"`
	Spec       route.Spec `json:"spec"`
}

// Metadata names a document.
type Metadata struct {
	Name        string            `json:"name"`
	Title       string            `json:"title,omitempty"`
	Description string            `json:"description,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
}

// Kinds makes the kind AlertRouting known.
func (s *Service) Kinds(r *ascode.Registry) {
	r.Add(ascode.Kind{
		APIVersion: "teiten.dev/v1", Kind: KindName, ID: "alert-routings", Order: 90, Event: "alert.routing_",
		Title:    text.Say("Alert routing", "アラートのルート"),
		New:      func() any { return &Routing{} },
		Ref:      func(d *ascode.Document) string { return string(journal.RefTo("alert-routing", d.Name)) },
		Owner:    func(d *ascode.Document) string { return specOf(d).Team },
		Validate: validate, Check: s.check, Warn: s.warn,
		Apply: s.put, Remove: s.drop,
	})
}

func specOf(d *ascode.Document) *route.Spec {
	if o, ok := d.Object.(*Routing); ok {
		return &o.Spec
	}
	return &route.Spec{}
}

func documentOf(d *ascode.Document) route.Document {
	return route.Document{Name: d.Name, Spec: *specOf(d), Places: d}
}

// validate judges a document by itself. What a team's refers to may stand in the
// organisation's, which is looked at when it is applied.
func validate(d *ascode.Document) []*fault.Error {
	_, faults := route.Build([]route.Document{documentOf(d)})
	if specOf(d).Team == "" {
		return faults
	}
	return slices.DeleteFunc(faults, func(f *fault.Error) bool {
		return f.Code == "routing.receiver_unknown" || f.Code == "routing.interval_unknown"
	})
}

func (s *Service) put(ctx context.Context, tx *sql.Tx, d *ascode.Document) error {
	spec := specOf(d)
	p := noted(spec, d)
	err := db.New(tx).PutDocument(ctx, db.PutDocumentParams{Name: d.Name, Team: spec.Team, Spec: database.JSON(spec), File: p.file, Places: database.JSON(p.at), UpdatedAt: database.Micros(s.Now())})
	if err != nil {
		return fmt.Errorf("save routing %s: %w", d.Name, err)
	}
	return s.changed(ctx, tx)
}

func (s *Service) drop(ctx context.Context, tx *sql.Tx, d *ascode.Document) error {
	if err := db.New(tx).DropDocument(ctx, d.Name); err != nil {
		return fmt.Errorf("remove routing %s: %w", d.Name, err)
	}
	return s.changed(ctx, tx)
}

// check judges a document together with the others, and looks for receivers that
// are not there.
func (s *Service) check(ctx context.Context, tx *sql.Tx, d *ascode.Document) []*fault.Error {
	faults := s.unresolved(ctx, d)
	docs, err := documents(ctx, tx)
	if err != nil {
		return []*fault.Error{fault.New(fault.Unavailable, "routing.check", text.Say("the other routings could not be read", "ほかのルートを読めませんでした")).Wrap(err)}
	}
	for i := range docs {
		if docs[i].Name == d.Name {
			docs[i] = documentOf(d)
		}
	}
	_, wrong := route.Build(docs)
	return append(faults, wrong...)
}

// unresolved finds teams, policies and channels that are not there.
func (s *Service) unresolved(ctx context.Context, d *ascode.Document) []*fault.Error {
	var faults []*fault.Error
	spec := specOf(d)
	look := func(kind, name string, what text.Both, path ...any) {
		if name == "" || ascode.Known(ctx, kind, "", name) {
			return
		}
		faults = append(faults, d.Fault("routing.unresolved", what, nearest(ctx, kind, name), append([]any{"spec"}, path...)...))
	}
	if !strings.Contains(spec.Team, "/") {
		look("Group", spec.Team, text.Say("there is no team %q", "チーム %q はありません", spec.Team), "team")
	}
	for i, r := range spec.Receivers {
		look("EscalationPolicy", r.Policy, text.Say("there is no escalation policy %q", "エスカレーションポリシー %q はありません", r.Policy), "receivers", i, "policy")
		for j, c := range r.Channels {
			look("NotificationChannel", c, text.Say("there is no notification channel %q", "通知チャンネル %q はありません", c), "receivers", i, "channels", j)
		}
	}
	return faults
}

func nearest(ctx context.Context, kind, name string) text.Both {
	if near := ascode.Nearest(name, ascode.KnownNames(ctx, kind)); near != "" {
		return text.Say("did you mean %q? Otherwise add a document of kind %s named %q", "%q の間違いではありませんか。そうでなければ、種類 %s の文書 %q を追加してください", near, kind, name)
	}
	return text.Say("add a document of kind %s named %q", "種類 %s の文書 %q を追加してください", kind, name)
}

// warn tells what the change of one document would have done to the alerts of the
// last 30 days.
func (s *Service) warn(ctx context.Context, tx *sql.Tx, d *ascode.Document) []*fault.Error {
	next, err := documents(ctx, tx)
	if err != nil {
		return nil // what cannot be told stops nobody
	}
	former, err := documents(ctx, s.DB.Read())
	if err != nil {
		return nil
	}
	before := slices.DeleteFunc(slices.Clone(next), func(o route.Document) bool { return o.Name == d.Name })
	for _, o := range former {
		if o.Name == d.Name {
			before = append(before, o)
			if database.JSON(o.Spec) == database.JSON(specOf(d)) {
				return nil
			}
		}
	}
	was, wrong := route.Build(before)
	will, alsoWrong := route.Build(next)
	if len(wrong)+len(alsoWrong) > 0 {
		return nil // check has said so, or the former cannot be told apart
	}
	c, err := s.compare(ctx, was, will)
	if err != nil || c.Changed == 0 {
		return nil
	}
	return []*fault.Error{d.Fault("routing.simulated", c.Say(),
		text.Say("teiten routing simulate shows which; go on if that is meant", "対象は teiten routing simulate で確認できます。意図どおりなら、そのまま進めてください"), "spec", "route")}
}
