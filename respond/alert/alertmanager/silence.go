package alertmanager

import (
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/teiten/teiten/respond/alert/route"
	"github.com/teiten/teiten/respond/alert/routing"
)

// matcher is a condition as the API tells it.
type matcher struct {
	Name    string `json:"name"`
	Value   string `json:"value"`
	IsRegex bool   `json:"isRegex"`
	IsEqual *bool  `json:"isEqual,omitempty"`
}

// silence is a silence as the API tells it.
type silence struct {
	ID        string        `json:"id"`
	Status    silenceStatus `json:"status"`
	UpdatedAt string        `json:"updatedAt"`
	Comment   string        `json:"comment"`
	CreatedBy string        `json:"createdBy"`
	EndsAt    string        `json:"endsAt"`
	Matchers  []matcher     `json:"matchers"`
	StartsAt  string        `json:"startsAt"`
}

type silenceStatus struct {
	State string `json:"state"`
}

func silenceOf(v *routing.SilenceView) (silence, error) {
	out := silence{ID: v.ID, Status: silenceStatus{v.State}, UpdatedAt: v.ChangedAt.Format(timeFormat), Comment: v.Reason, CreatedBy: v.Author,
		EndsAt: v.Ends.Format(timeFormat), StartsAt: v.Starts.Format(timeFormat), Matchers: []matcher{}}
	for _, text := range v.Matchers {
		ms, err := route.ParseMatchers(text)
		if err != nil {
			return out, err
		}
		for i := range ms {
			equal := ms[i].Equal()
			out.Matchers = append(out.Matchers, matcher{ms[i].Name, ms[i].Value, ms[i].Regex(), &equal})
		}
	}
	return out, nil
}

// shownFor is how long ended silences are listed, as Alertmanager keeps them.
const shownFor = 5 * 24 * time.Hour

// silences lists those that a filter would find: whose matchers name the same
// label, and the value of which satisfies the filter.
func (s *Service) silences(r *http.Request) (any, error) {
	filter, err := matchersOf(r.URL.Query())
	if err != nil {
		return nil, err
	}
	all, _, err := s.routing.Silences(r.Context(), routing.SilenceFilter{})
	if err != nil {
		return nil, err
	}
	out := []silence{}
	for i := range all {
		if s.routing.Now().Sub(all[i].Ends) > shownFor {
			continue
		}
		one, err := silenceOf(&all[i])
		if err != nil {
			return nil, err
		}
		if one.found(filter) {
			out = append(out, one)
		}
	}
	return out, nil
}

func (s *silence) found(filter route.Matchers) bool {
	for i := range filter {
		value := ""
		for _, m := range s.Matchers {
			if m.Name == filter[i].Name {
				value = m.Value
			}
		}
		if !filter[i].Matches(value) {
			return false
		}
	}
	return true
}

func (s *Service) silence(r *http.Request) (any, error) {
	v, err := s.routing.OneSilence(r.Context(), r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return silenceOf(&v)
}

// postable is a silence that a client asks for.
type postable struct {
	ID        string    `json:"id"`
	Comment   string    `json:"comment"`
	CreatedBy string    `json:"createdBy"`
	EndsAt    time.Time `json:"endsAt"`
	StartsAt  time.Time `json:"startsAt"`
	Matchers  []matcher `json:"matchers"`
}

// confirmation is how a client of this API says that a broad silence is meant: the
// API itself has no field for it.
var confirmation = regexp.MustCompile(`\s*\bconfirm:(\S+)\s*$`)

func (s *Service) addSilence(r *http.Request) (any, error) {
	var in postable
	if err := readJSON(r, &in); err != nil {
		return nil, err
	}
	w := routing.Wish{ID: in.ID, Author: in.CreatedBy, Reason: in.Comment, Starts: in.StartsAt, Ends: in.EndsAt}
	if m := confirmation.FindStringSubmatch(in.Comment); m != nil {
		w.Confirm, w.Reason = strings.Trim(m[1], `"`), confirmation.ReplaceAllString(in.Comment, "")
	}
	for _, m := range in.Matchers {
		made, err := route.NewMatcher(m.Name, m.Value, m.IsEqual == nil || *m.IsEqual, m.IsRegex)
		if err != nil {
			return nil, err
		}
		w.Matchers = append(w.Matchers, made)
	}
	v, _, err := s.routing.Silence(r.Context(), w)
	if err != nil {
		return nil, err
	}
	return map[string]string{"silenceID": v.ID}, nil
}

func (s *Service) endSilence(r *http.Request) (any, error) {
	_, err := s.routing.EndSilence(r.Context(), r.PathValue("id"))
	return struct{}{}, err
}
