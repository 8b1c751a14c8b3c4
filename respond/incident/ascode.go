package incident

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/teiten/teiten/catalog"
	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/respond/incident/db"
)

// KindName is the kind of document that says what each severity means.
const KindName = "IncidentPolicy"

// Document is a policy as people write it.
type Document struct {
	APIVersion string   `json:"apiVersion" doc:"teiten.dev/v1" ja:"teiten.dev/v1"`
	Kind       string   `json:"kind" doc:"IncidentPolicy" ja:"IncidentPolicy"`
	Metadata   Metadata `json:"metadata" doc:"What it is called." ja:"名前。"`
	Spec       Spec     `json:"spec" doc:"What each severity means and asks for." ja:"それぞれの重大度の意味と、求められること。"`
}

// Metadata names a policy.
type Metadata struct {
	Name  string `json:"name" doc:"Its name." ja:"名前。"`
	Title string `json:"title,omitempty" doc:"What people call it." ja:"表示名。"`
}

// Spec is the content of a policy.
type Spec struct {
	Owner      string      `json:"owner,omitempty" doc:"The team whose incidents it is for; all teams that have none of their own where it is left out." ja:"対象のチーム。省略すると、独自のポリシーがないすべてのチームが対象です。"`
	Severities []LevelSpec `json:"severities" doc:"The severities, each once; what is left out is as without a policy." ja:"重大度。それぞれ1回だけ書きます。書かれていないものは既定のままです。"`
}

// LevelSpec is one severity.
type LevelSpec struct {
	Severity  Severity     `json:"severity" enum:"SEV1,SEV2,SEV3,SEV4,SEV5" doc:"SEV1, the worst, to SEV5." ja:"SEV1(最も重い)から SEV5。"`
	Title     string       `json:"title,omitempty" doc:"What it means, in a few words." ja:"意味を短く。"`
	Criteria  string       `json:"criteria,omitempty" doc:"How to tell that it is this severity." ja:"この重大度と判断する基準。"`
	Updates   []UpdateSpec `json:"updates,omitempty" doc:"Who is told how things stand, and how often." ja:"状況を知らせる宛先と間隔。"`
	Checklist []string     `json:"checklist,omitempty" doc:"What has to be done." ja:"行うべき作業。"`
}

// UpdateSpec says how often an audience is told how things stand.
type UpdateSpec struct {
	Audience Audience `json:"audience" enum:"team,stakeholders,public" doc:"team, stakeholders or public." ja:"team、stakeholders、public のいずれか。"`
	Every    string   `json:"every" doc:"How often, such as 30m or 2h." ja:"間隔。30m や 2h など。"`
}

// policy is the document as rules; severities that it leaves out are as without it.
func (d *Document) policy() *Policy {
	p := DefaultPolicy()
	p.Name = d.Metadata.Name
	for _, s := range d.Spec.Severities {
		l := p.level(s.Severity)
		if s.Title != "" {
			l.Title = text.Both{EN: s.Title, JA: s.Title}
		}
		if s.Criteria != "" {
			l.Criteria = text.Both{EN: s.Criteria, JA: s.Criteria}
		}
		if s.Updates != nil {
			l.Updates = map[Audience]time.Duration{}
		}
		for _, u := range s.Updates {
			l.Updates[u.Audience], _ = time.ParseDuration(u.Every) // validate looked at it
		}
		if s.Checklist != nil {
			l.Checklist = s.Checklist
		}
	}
	return p
}

// Kinds makes the kind IncidentPolicy known.
func (s *Service) Kinds(r *ascode.Registry) {
	r.Add(ascode.Kind{
		APIVersion: "teiten.dev/v1", Kind: KindName, ID: "incident-policies", Order: 70, Event: "incident.policy_",
		Title:    text.Say("Incident policy", "インシデントポリシー"),
		New:      func() any { return &Document{} },
		Ref:      func(d *ascode.Document) string { return string(journal.RefTo("incident-policy", d.Name)) },
		Owner:    func(d *ascode.Document) string { return ownerOf(specOf(d)) },
		Validate: validate, Apply: putPolicy,
		Check: checkPolicy,
		Remove: func(ctx context.Context, tx *sql.Tx, d *ascode.Document) error {
			if err := db.New(tx).DropPolicy(ctx, d.Name); err != nil {
				return fmt.Errorf("remove incident policy %s: %w", d.Name, err)
			}
			return nil
		},
	})
}

func specOf(d *ascode.Document) *Spec {
	if o, ok := d.Object.(*Document); ok {
		return &o.Spec
	}
	return &Spec{}
}

// ownerOf is the short name of the team that a policy is for.
func ownerOf(s *Spec) string {
	if s.Owner == "" {
		return ""
	}
	if r, err := catalog.ParseRef(s.Owner, catalog.KindGroup, catalog.DefaultNamespace); err == nil {
		return r.Short()
	}
	return s.Owner
}

// shortestUpdates is how often people can be asked for an update at most.
const shortestUpdates = 5 * time.Minute

// validate judges a document by itself.
func validate(d *ascode.Document) []*fault.Error {
	var faults []*fault.Error
	seen := map[Severity]bool{}
	for i, l := range specOf(d).Severities {
		path := []any{"spec", "severities", i}
		at := func(rest ...any) []any { return append(slices.Clone(path), rest...) }
		if !slices.Contains(Severities, l.Severity) || seen[l.Severity] {
			faults = append(faults, d.Fault("incident.policy_severity", text.Say("%q is not one of SEV1 to SEV5, or stands here twice", "%q は SEV1〜SEV5 ではないか、2回書かれています", l.Severity),
				text.Say("write each severity once", "重大度はそれぞれ1回だけ書いてください"), at("severity")...))
		}
		seen[l.Severity] = true
		for j, u := range l.Updates {
			if !slices.Contains(Audiences, u.Audience) {
				faults = append(faults, d.Fault("incident.policy_audience", text.Say("there is no audience %q", "%q という宛先はありません", u.Audience),
					ascode.OneOf(string(u.Audience), "team", "stakeholders", "public"), at("updates", j, "audience")...))
			}
			if every, err := time.ParseDuration(u.Every); err != nil || every < shortestUpdates {
				faults = append(faults, d.Fault("incident.policy_every", text.Say("%q is no time of at least five minutes", "%q は5分以上の時間ではありません", u.Every),
					text.Say("write it as 30m or 2h", "30m や 2h のように書いてください"), at("updates", j, "every")...))
			}
		}
		for j, t := range l.Checklist {
			if strings.TrimSpace(t) == "" || slices.Index(l.Checklist, t) < j {
				faults = append(faults, d.Fault("incident.policy_task", text.Say("the task is empty or stands here twice", "作業が空か、2回書かれています"),
					text.Say("say in one line what has to be done", "行うことを1行で書いてください"), at("checklist", j)...))
			}
		}
	}
	return faults
}

// checkPolicy refuses a team that is not there.
func checkPolicy(ctx context.Context, _ *sql.Tx, d *ascode.Document) []*fault.Error {
	team := ownerOf(specOf(d))
	if team == "" || strings.Contains(team, "/") || ascode.Known(ctx, "Group", catalog.DefaultNamespace, team) {
		return nil
	}
	remedy := text.Say("add a document of kind Group named %q", "種類 Group の文書 %q を追加してください", team)
	if near := ascode.Nearest(team, ascode.KnownNames(ctx, "Group")); near != "" {
		remedy = text.Say("did you mean %q?", "%q の間違いではありませんか", near)
	}
	return []*fault.Error{d.Fault("incident.policy_owner", text.Say("there is no team %q", "チーム %q はありません", specOf(d).Owner), remedy, "spec", "owner")}
}

func putPolicy(ctx context.Context, tx *sql.Tx, d *ascode.Document) error {
	err := db.New(tx).PutPolicy(ctx, db.PutPolicyParams{Name: d.Name, Owner: ownerOf(specOf(d)), Document: database.JSON(d.Object)})
	if err != nil {
		return fmt.Errorf("save incident policy %s: %w", d.Name, err)
	}
	return nil
}
