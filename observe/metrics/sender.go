package metrics

import (
	"time"

	"github.com/teiten/teiten/kit/text"
)

// SenderState is how one who sends metrics does.
type SenderState string

// The states of a sender.
const (
	SenderOK       SenderState = "ok"
	SenderLate     SenderState = "late"     // what it sends is older than LateSender
	SenderSilent   SenderState = "silent"   // it stopped sending
	SenderRefused  SenderState = "refused"  // some of its latest request was not taken
	SenderClashing SenderState = "clashing" // another one sends series of the same labels
)

// LateSender is how old the newest sample of a request is at least that is late.
const LateSender = 2 * time.Minute

// Sender is one who sends metrics, and how that goes. Counts are since the server
// started.
type Sender struct {
	Token    string // the name of its token
	Address  string
	Agent    string // the program, as it calls itself
	Protocol string
	State    SenderState
	FirstAt  time.Time
	LastAt   time.Time // of its latest request
	Newest   time.Time // its latest sample

	Requests, Samples, Refused int64

	Trouble   text.Both // what was wrong last, and the remedy
	TroubleAt time.Time
	Clash     string // a series that another one sends as well
	ClashAt   time.Time
}

// SenderLister is who takes what others send.
type SenderLister interface {
	Senders() []Sender
}

// ReceiveFor has the senders of a source listed.
func (s *Sources) ReceiveFor(source string, l SenderLister) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.receivers == nil {
		s.receivers = map[string]SenderLister{}
	}
	s.receivers[source] = l
}

// Senders lists who sends to a source. One that takes nothing has none.
func (s *Sources) Senders(name string) ([]Sender, error) {
	if _, err := s.Get(name); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.receivers[name]; l != nil {
		return l.Senders(), nil
	}
	return nil, nil
}
