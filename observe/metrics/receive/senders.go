package receive

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/metrics"
)

// sender is who sends: by which token, from where, with what, and how.
type sender struct{ token, name, address, agent, protocol string }

const longestAgent = 100

func senderOf(r *http.Request, protocol string) sender {
	ctx := r.Context()
	actor := journal.ActorFrom(ctx)
	agent := strings.ToValidUTF8(r.UserAgent(), "")
	return sender{token: actor.ID, name: actor.Name, address: httpapi.ClientIP(ctx).String(), agent: agent[:min(len(agent), longestAgent)], protocol: protocol}
}

const (
	// mostSenders bounds how many are remembered; the one that was silent longest
	// goes first.
	mostSenders = 500
	// flaps is within what time a series must come from one sender, another and the
	// first again for both to send it.
	flaps = 10 * time.Minute
	// silentAfter is how long after a request another one is missing, at least, and
	// usualPauses how many usual pauses that is.
	silentAfter = 2 * time.Minute
	usualPauses = 4
)

// senders remembers who sent what since the server started.
type senders struct {
	mu     sync.Mutex
	all    map[sender]*record
	number uint32
	owners map[storage.SeriesRef]owner
}

// record is what is known of a sender.
type record struct {
	metrics.Sender

	number uint32
	pause  time.Duration // smoothed
}

// owner is who sent a series last, and before.
type owner struct {
	now, before uint32
	since       int64 // Unix seconds
}

func (s *senders) record(who sender) *record {
	r := s.all[who]
	if r != nil {
		return r
	}
	if s.all == nil {
		s.all, s.owners = map[sender]*record{}, map[storage.SeriesRef]owner{}
	}
	if len(s.all) >= mostSenders {
		var oldest sender
		for k, x := range s.all {
			if o := s.all[oldest]; o == nil || x.LastAt.Before(o.LastAt) {
				oldest = k
			}
		}
		delete(s.all, oldest)
	}
	s.number++
	r = &record{number: s.number, Sender: metrics.Sender{Token: who.name, Address: who.address, Agent: who.agent, Protocol: who.protocol}}
	s.all[who] = r
	return r
}

// clashes finds series that two senders send.
type clashes struct {
	s   *senders
	who sender
	met []storage.SeriesRef
	ls  []labels.Labels
}

func (s *senders) clashes(who sender) *clashes { return &clashes{s: s, who: who} }

// meet notes that a series is in the request.
func (c *clashes) meet(ref storage.SeriesRef, ls labels.Labels) {
	c.met, c.ls = append(c.met, ref), append(c.ls, ls)
}

// note remembers what became of a request.
func (s *senders) note(who sender, t *taking, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.record(who)
	if r.FirstAt.IsZero() {
		r.FirstAt = t.now
	} else {
		const newest = 0.2
		r.pause += time.Duration(newest * float64(t.now.Sub(r.LastAt)-r.pause))
	}
	r.LastAt = t.now
	r.Requests++
	r.Refused += int64(t.refused)
	if f, ok := fault.As(err); ok {
		r.Trouble, r.TroubleAt = f.What, t.now
		if !f.Remedy.IsZero() {
			r.Trouble = text.Say("%s — %s", "%s %s", f.What, f.Remedy)
		}
	}
	if t.fatal != nil {
		return
	}
	r.Samples += int64(t.samples + t.histograms)
	if t.newest > 0 {
		r.Newest = time.UnixMilli(t.newest).UTC()
	}
	s.own(r, t)
}

// own notes whose the series of a request are. One that comes from a sender, from
// another and from the first again is sent by both: what it counts is nobody's.
func (s *senders) own(r *record, t *taking) {
	if len(s.owners) > 2*t.maxSeries {
		clear(s.owners)
	}
	for i, ref := range t.clashes.met {
		o := s.owners[ref]
		if o.now == r.number {
			continue
		}
		if o.before == r.number && t.now.Unix()-o.since < int64(flaps/time.Second) {
			r.Clash, r.ClashAt = shorten(t.clashes.ls[i].String()), t.now
		}
		s.owners[ref] = owner{r.number, o.now, t.now.Unix()}
	}
}

// Senders lists who sent anything since the server started, the latest first.
func (r *Receiver) Senders() []metrics.Sender {
	now := r.o.Now()
	s := &r.senders
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]metrics.Sender, 0, len(s.all))
	for _, x := range s.all {
		x.State = x.state(now)
		all = append(all, x.Sender)
	}
	slices.SortFunc(all, func(a, b metrics.Sender) int { return b.LastAt.Compare(a.LastAt) })
	return all
}

// state is how a sender does now.
func (r *record) state(now time.Time) metrics.SenderState {
	switch {
	case now.Sub(r.LastAt) > max(silentAfter, usualPauses*r.pause):
		return metrics.SenderSilent
	case !r.ClashAt.IsZero() && now.Sub(r.ClashAt) < flaps:
		return metrics.SenderClashing
	case r.TroubleAt.Equal(r.LastAt):
		return metrics.SenderRefused
	case r.LastAt.Sub(r.Newest) > metrics.LateSender:
		return metrics.SenderLate
	}
	return metrics.SenderOK
}
