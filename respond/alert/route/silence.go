package route

import (
	"slices"
	"strings"
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// Silence keeps alerts that match it from people for a time. It has somebody who
// answers for it, a reason and an end.
type Silence struct {
	ID       string
	Matchers Matchers
	Author   string
	Reason   string
	Starts   time.Time
	Ends     time.Time // the first instant at which it no longer holds
}

// The states of a silence.
const (
	Pending = "pending"
	Active  = "active"
	Expired = "expired"
)

// State is the state of the silence at an instant.
func (s *Silence) State(now time.Time) string {
	switch {
	case !now.Before(s.Ends):
		return Expired
	case now.Before(s.Starts):
		return Pending
	}
	return Active
}

// Check is what is wrong with a silence, nil where nothing is.
func (s *Silence) Check() error {
	switch {
	case len(s.Matchers) == 0 || s.Matchers.MatchNothing():
		return fault.New(fault.Invalid, "silence.everything", text.Say("it would silence alerts that have none of its labels", "指定したラベルを持たないアラートまで止まってしまいます")).
			Fix(text.Say(`name at least one label with a value: service="checkout"`, `値のあるラベルを1つ以上指定してください(例: service="checkout")`)).On("body.matchers")
	case strings.TrimSpace(s.Author) == "":
		return fault.New(fault.Invalid, "silence.author", text.Say("nobody answers for it", "責任者がありません")).
			Fix(text.Say("say who makes it", "作成者を指定してください")).On("body.author")
	case strings.TrimSpace(s.Reason) == "":
		return fault.New(fault.Invalid, "silence.reason", text.Say("it gives no reason", "理由がありません")).
			Fix(text.Say("say why these alerts need nobody", "通知を止める理由を書いてください")).On("body.reason")
	case s.Ends.IsZero() || !s.Starts.Before(s.Ends):
		return fault.New(fault.Invalid, "silence.span", text.Say("it ends before it begins", "終了が開始以前です")).
			Fix(text.Say("choose an end after the start", "終了を開始より後にしてください")).On("body.ends")
	}
	return nil
}

func (s *Silence) reason() Reason {
	return Reason{Kind: BySilence, Ref: "silence:" + s.ID, Until: s.Ends,
		What: text.Say("%s silenced %s until %s: %s", "%[1]s が %[2]s を %[3]s まで止めています: %[4]s", s.Author, s.Matchers, minute(s.Ends), s.Reason)}
}

func minute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// Silences finds those that match an alert. It does not change.
type Silences struct {
	all   []*Silence
	index *index
}

// NewSilences indexes silences.
func NewSilences(all []*Silence) *Silences {
	return &Silences{all: slices.Clone(all), index: indexOf(len(all), func(i int) Matchers { return all[i].Matchers })}
}

// All lists the silences.
func (s *Silences) All() []*Silence {
	if s == nil {
		return nil
	}
	return s.all
}

// Of lists the silences that hold at an instant and match labels.
func (s *Silences) Of(l Labels, now time.Time) []*Silence {
	if s == nil || len(s.all) == 0 {
		return nil
	}
	var found []*Silence
	for _, i := range s.index.of(l) {
		if one := s.all[i]; one.State(now) == Active && one.Matchers.Match(l) {
			found = append(found, one)
		}
	}
	return found
}
