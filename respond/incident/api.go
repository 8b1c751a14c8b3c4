package incident

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/teiten/teiten/access"
	"github.com/teiten/teiten/kit/httpapi"
)

const (
	tag  = "Incidents"
	base = "/api/v1/incidents"
	one  = base + "/{id}"
)

// Which names an incident in the path of an operation.
type Which struct {
	ID string `path:"id" maxLength:"30" doc:"INC-42, or 42."`
}

type listIn struct {
	httpapi.PageIn
	State    string `query:"state" doc:"One or more states, separated by commas; open stands for triage, active and mitigated."`
	Severity string `query:"severity" doc:"One or more, separated by commas."`
	Service  string `query:"service" maxLength:"200"`
	Team     string `query:"team" maxLength:"200"`
	Group    string `query:"alertGroup" maxLength:"100" doc:"The incident of this group of alerts."`
	Query    string `query:"q" maxLength:"200" doc:"Text in the title or the description."`
}

type (
	listOut   struct{ Body httpapi.Page[Summary] }
	detailOut struct {
		ETag string `header:"ETag"`
		Body Detail
	}
	timelineOut struct{ Body Timeline }
	burnOut     struct{ Body Burned }
	policyOut   struct{ Body PolicyView }
	textOut     struct {
		Type        string `header:"Content-Type"`
		Disposition string `header:"Content-Disposition"`
		Body        []byte
	}
)

type declareIn struct{ Body Declaration }

type atIn struct {
	Which
	Body struct {
		At   *time.Time `json:"at,omitempty" doc:"Since when; now where it is left out."`
		Text string     `json:"text,omitempty" maxLength:"5000" doc:"What was done, in Markdown."`
	}
}

type reasonIn struct {
	Which
	Body struct {
		Reason string `json:"reason,omitempty" maxLength:"1000"`
	}
}

type textIn struct {
	Which
	Body struct {
		Text     string `json:"text" minLength:"1" maxLength:"20000" doc:"In Markdown."`
		Corrects string `json:"corrects,omitempty" doc:"The entry of a note that this is to replace; it stays, and shows that it was corrected."`
	}
}

// Register adds the operations to a.
func (s *Service) Register(a *httpapi.API) {
	read := func(id, path, summary string) httpapi.Op {
		return httpapi.Op{ID: id, Method: http.MethodGet, Path: path, Scope: access.IncidentRead, Tag: tag, Summary: summary}
	}
	write := func(id, method, path, summary string) httpapi.Op {
		return httpapi.Op{ID: id, Method: method, Path: path, Scope: access.IncidentWrite, Tag: tag, Summary: summary}
	}
	httpapi.Register(a, read("list-incidents", base, "Incidents, the newest first"), s.apiList)
	httpapi.Register(a, read("get-incident", one, "One incident"), s.apiGet)
	httpapi.Register(a, read("get-incident-timeline", one+"/timeline", "What happened, in order"), func(ctx context.Context, in *Which) (*timelineOut, error) {
		t, err := s.Timeline(ctx, in.ID)
		return &timelineOut{t}, err
	})
	httpapi.Register(a, read("get-incident-burn", one+"/burn", "What an incident burned of error budgets"), func(ctx context.Context, in *Which) (*burnOut, error) {
		b, err := s.Burn(ctx, in.ID)
		return &burnOut{b}, err
	})
	httpapi.Register(a, read("export-incident", one+"/export", "An incident with its timeline, as Markdown"), s.apiExport)
	httpapi.Register(a, read("get-incident-policy", "/api/v1/incident-policy", "What each severity means to a team"), s.apiPolicy)

	declare := write("declare-incident", http.MethodPost, base, "Declare an incident")
	declare.Status = http.StatusCreated
	httpapi.Register(a, declare, func(ctx context.Context, in *declareIn) (*detailOut, error) { return s.answer(s.Declare(ctx, in.Body)) })
	httpapi.Register(a, write("edit-incident", http.MethodPatch, one, "Change the description of an incident"), s.apiEdit)
	s.registerTransitions(a, write)
	s.registerWork(a, write)
}

type writer func(id, method, path, summary string) httpapi.Op

// registerTransitions adds what leads from one state to another.
func (s *Service) registerTransitions(a *httpapi.API, write writer) {
	type activateIn struct {
		Which
		Body struct {
			Commander string `json:"commander,omitempty" doc:"Who leads it; whoever already does, or the caller, where it is left out."`
		}
	}
	httpapi.Register(a, write("activate-incident", http.MethodPost, one+"/activate", "End the triage: it is an incident"),
		func(ctx context.Context, in *activateIn) (*detailOut, error) {
			return s.answer(s.Activate(ctx, in.ID, in.Body.Commander))
		})
	httpapi.Register(a, write("mitigate-incident", http.MethodPost, one+"/mitigate", "It no longer hurts"),
		func(ctx context.Context, in *atIn) (*detailOut, error) {
			return s.answer(s.Mitigate(ctx, in.ID, in.Body.At, in.Body.Text))
		})
	httpapi.Register(a, write("resolve-incident", http.MethodPost, one+"/resolve", "What was wrong is repaired"),
		func(ctx context.Context, in *atIn) (*detailOut, error) {
			return s.answer(s.Resolve(ctx, in.ID, in.Body.At, in.Body.Text))
		})
	httpapi.Register(a, write("reopen-incident", http.MethodPost, one+"/reopen", "It is not over"),
		func(ctx context.Context, in *reasonIn) (*detailOut, error) {
			return s.answer(s.Reopen(ctx, in.ID, in.Body.Reason))
		})
	httpapi.Register(a, write("decline-incident", http.MethodPost, one+"/decline", "It was no incident"),
		func(ctx context.Context, in *reasonIn) (*detailOut, error) {
			return s.answer(s.Decline(ctx, in.ID, in.Body.Reason))
		})
	type closeIn struct {
		Which
		Body struct {
			Waive string `json:"waive,omitempty" maxLength:"1000" doc:"Why no postmortem is needed, where none is published."`
		}
	}
	httpapi.Register(a, write("close-incident", http.MethodPost, one+"/close", "End it for good, once something was learned from it"),
		func(ctx context.Context, in *closeIn) (*detailOut, error) {
			return s.answer(s.Close(ctx, in.ID, in.Body.Waive))
		})
	type mergeIn struct {
		Which
		Body struct {
			Into string `json:"into" doc:"The incident that stands for it from now on."`
		}
	}
	httpapi.Register(a, write("merge-incident", http.MethodPost, one+"/merge", "Let another incident stand for it; answers the other one"),
		func(ctx context.Context, in *mergeIn) (*detailOut, error) {
			return s.answer(s.Merge(ctx, in.ID, in.Body.Into))
		})
}

// registerWork adds what is done while it lasts.
func (s *Service) registerWork(a *httpapi.API, write writer) {
	type roleIn struct {
		Which
		Role Role `path:"role" enum:"commander,operations,communications,scribe"`
		Body struct {
			Person string `json:"person" doc:"A person of the catalog or the address of an account; empty for nobody."`
		}
	}
	httpapi.Register(a, write("assign-incident-role", http.MethodPut, one+"/roles/{role}", "Give a role to somebody"),
		func(ctx context.Context, in *roleIn) (*detailOut, error) {
			return s.answer(s.Assign(ctx, in.ID, in.Role, in.Body.Person))
		})
	type rankIn struct {
		Which
		Body struct {
			Severity Severity `json:"severity" enum:"SEV1,SEV2,SEV3,SEV4,SEV5"`
			Reason   string   `json:"reason,omitempty" maxLength:"1000"`
		}
	}
	httpapi.Register(a, write("rank-incident", http.MethodPost, one+"/severity", "Change how bad it is"),
		func(ctx context.Context, in *rankIn) (*detailOut, error) {
			return s.answer(s.Rank(ctx, in.ID, in.Body.Severity, in.Body.Reason))
		})
	type amendIn struct {
		Which
		Body struct {
			Stamps
			Reason string `json:"reason" maxLength:"1000"`
		}
	}
	httpapi.Register(a, write("correct-incident-times", http.MethodPost, one+"/times", "Correct when things happened"),
		func(ctx context.Context, in *amendIn) (*detailOut, error) {
			return s.answer(s.Amend(ctx, in.ID, in.Body.Stamps, in.Body.Reason))
		})
	httpapi.Register(a, write("add-incident-note", http.MethodPost, one+"/notes", "Write down what was seen or done"),
		func(ctx context.Context, in *textIn) (*detailOut, error) {
			if in.Body.Corrects != "" {
				return s.answer(s.Correct(ctx, in.ID, in.Body.Corrects, in.Body.Text))
			}
			return s.answer(s.Note(ctx, in.ID, in.Body.Text))
		})
	type updateIn struct {
		Which
		Body struct {
			Audience Audience `json:"audience" enum:"team,stakeholders,public"`
			Text     string   `json:"text" minLength:"1" maxLength:"20000" doc:"In Markdown. What is for the public is read by everybody."`
		}
	}
	httpapi.Register(a, write("post-incident-update", http.MethodPost, one+"/updates", "Tell an audience how things stand"),
		func(ctx context.Context, in *updateIn) (*detailOut, error) {
			return s.answer(s.Update(ctx, in.ID, in.Body.Audience, in.Body.Text))
		})
	type pinIn struct {
		Which
		Entry string `path:"entry" maxLength:"100"`
		Body  struct {
			Pinned bool `json:"pinned"`
		}
	}
	httpapi.Register(a, write("pin-incident-entry", http.MethodPut, one+"/pins/{entry}", "Keep an entry of the timeline in view"),
		func(ctx context.Context, in *pinIn) (*detailOut, error) {
			return s.answer(s.Pin(ctx, in.ID, in.Entry, in.Body.Pinned))
		})
	type taskIn struct {
		Which
		Task int `path:"task" minimum:"1" maximum:"1000" doc:"Its place in the checklist, from 1."`
		Body struct {
			Done bool `json:"done"`
		}
	}
	httpapi.Register(a, write("check-incident-task", http.MethodPut, one+"/tasks/{task}", "Mark a task of the checklist as done"),
		func(ctx context.Context, in *taskIn) (*detailOut, error) {
			return s.answer(s.Check(ctx, in.ID, in.Task-1, in.Body.Done))
		})
	type groupIn struct {
		Which
		Group string `path:"group" maxLength:"100" doc:"The id of a group of alerts."`
	}
	httpapi.Register(a, write("link-incident-alerts", http.MethodPut, one+"/alert-groups/{group}", "Put a group of alerts to an incident"),
		func(ctx context.Context, in *groupIn) (*detailOut, error) {
			return s.answer(s.LinkGroup(ctx, in.ID, in.Group))
		})
	httpapi.Register(a, write("unlink-incident-alerts", http.MethodDelete, one+"/alert-groups/{group}", "Take a group of alerts from an incident"),
		func(ctx context.Context, in *groupIn) (*detailOut, error) {
			return s.answer(s.UnlinkGroup(ctx, in.ID, in.Group))
		})
	type linkIn struct {
		Which
		Body Link
	}
	httpapi.Register(a, write("add-incident-link", http.MethodPost, one+"/links", "Add a link to what is kept elsewhere"),
		func(ctx context.Context, in *linkIn) (*detailOut, error) {
			return s.answer(s.AddLink(ctx, in.ID, in.Body))
		})
	type overrideIn struct {
		Which
		Body struct {
			Minutes float64 `json:"minutes" minimum:"0"`
			Reason  string  `json:"reason" maxLength:"1000"`
		}
	}
	httpapi.Register(a, write("override-incident-burn", http.MethodPut, one+"/burn", "Put a figure in the place of the computed minutes of budget"),
		func(ctx context.Context, in *overrideIn) (*detailOut, error) {
			return s.answer(s.OverrideBurn(ctx, in.ID, in.Body.Minutes, in.Body.Reason))
		})
}

// answer is an incident as every change of it is answered.
func (s *Service) answer(i Incident, err error) (*detailOut, error) {
	if err != nil {
		return nil, err
	}
	return &detailOut{ETag: etag(&i), Body: detail(&i, s.now())}, nil
}

func (s *Service) apiGet(ctx context.Context, in *Which) (*detailOut, error) {
	return s.answer(s.Get(ctx, in.ID))
}

// stateOpen stands for the states in which people work on an incident.
const stateOpen = "open"

func (s *Service) apiList(ctx context.Context, in *listIn) (*listOut, error) {
	f := Filter{Service: in.Service, Team: in.Team, Group: in.Group, Query: in.Query, Limit: in.Limit}
	for _, x := range list(in.State) {
		if x == stateOpen {
			f.States = append(f.States, string(Triage), string(Active), string(Mitigated))
			continue
		}
		f.States = append(f.States, x)
	}
	f.Severities = list(strings.ToUpper(in.Severity))
	if in.Cursor != "" {
		if err := httpapi.DecodeCursor("incidents", in.Cursor, &f.Before); err != nil {
			return nil, err
		}
	}
	found, more, err := s.List(ctx, f)
	if err != nil {
		return nil, err
	}
	out := httpapi.Page[Summary]{Items: make([]Summary, len(found))}
	for k := range found {
		out.Items[k] = summarise(&found[k])
	}
	if more {
		out.Next = httpapi.EncodeCursor("incidents", found[len(found)-1].Number)
	}
	return &listOut{out}, nil
}

// list are the parts of a query's value that has commas in it.
func list(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' })
}

type editIn struct {
	Which
	httpapi.IfMatch
	Body Edit
}

func (s *Service) apiEdit(ctx context.Context, in *editIn) (*detailOut, error) {
	return s.answer(s.Edit(ctx, in.ID, in.Body, func(version int64) error {
		n, err := Number(in.ID)
		if err != nil {
			return err
		}
		return in.Check(etag(&Incident{Number: n, Version: version}))
	}))
}

func (s *Service) apiExport(ctx context.Context, in *exportIn) (*textOut, error) {
	data, err := s.Export(ctx, in.ID, in.Lang)
	if err != nil {
		return nil, err
	}
	n, err := Number(in.ID)
	return &textOut{Type: "text/markdown; charset=utf-8", Disposition: `attachment; filename="` + Name(n) + `.md"`, Body: data}, err
}

type policyIn struct {
	Team string `query:"team" maxLength:"200" doc:"Whose; the one for all where it is left out."`
}

func (s *Service) apiPolicy(ctx context.Context, in *policyIn) (*policyOut, error) {
	p, err := s.policy(ctx, s.db.Read(), in.Team)
	if err != nil {
		return nil, err
	}
	return &policyOut{viewOf(p)}, nil
}
