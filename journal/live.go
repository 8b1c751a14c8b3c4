package journal

import (
	"context"
	"iter"
	"sync"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

const (
	backlog      = 256 // entries that one follower may lag behind
	catchUp      = 500 // entries read at a time
	pollReplicas = time.Second
	// overlap is how long a transaction of another replica may take between
	// stamping an entry and committing it, and still be seen by the poll.
	overlap = 30 * time.Second
)

// hub hands committed entries to those who follow the journal.
type hub struct {
	mu        sync.Mutex
	followers map[*follower]struct{}
}

type follower struct {
	entries chan Entry
	lagging bool
}

func (h *hub) join() (*follower, func()) {
	f := &follower{entries: make(chan Entry, backlog)}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.followers == nil {
		h.followers = map[*follower]struct{}{}
	}
	h.followers[f] = struct{}{}
	return f, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.followers, f)
	}
}

// publish never waits: a follower that does not keep up is cut off and comes
// back with the id of the last entry it saw.
func (h *hub) publish(e Entry) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for f := range h.followers {
		if f.lagging {
			continue
		}
		select {
		case f.entries <- e:
		default:
			f.lagging = true
			close(f.entries)
		}
	}
}

// Follow yields every entry after the one with the given id, or from now on
// where it is empty, as they are committed on any replica, until ctx ends. A
// follower that lags too far behind ends with a Limited fault and may follow
// again from the last entry it saw.
func (j *Journal) Follow(ctx context.Context, after string) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		f, leave := j.live.join()
		defer leave()
		seen := recent{}
		if !j.missed(ctx, after, seen, yield) {
			return
		}
		poll := make(<-chan time.Time)
		if j.db.Dialect() == database.Postgres {
			t := time.NewTicker(pollReplicas)
			defer t.Stop()
			poll = t.C
		}
		began := j.now()
		for {
			select {
			case <-ctx.Done():
				return
			case e, ok := <-f.entries:
				if !ok {
					yield(Entry{}, tooSlow())
					return
				}
				if seen.add(e) && !yield(e, nil) {
					return
				}
			case <-poll:
				if !j.others(ctx, began, seen, yield) {
					return
				}
			}
		}
	}
}

func tooSlow() error {
	return fault.New(fault.Limited, "journal.lagging", text.Say("the live feed is read too slowly", "ライブ配信の読み取りが追いついていません")).
		Fix(text.Say("connect again with the id of the last entry", "最後に受け取った記録のIDを付けて接続し直してください"))
}

// missed yields what happened since the entry with the given id. An entry that
// is not known (from before a restore, say) counts as now.
func (j *Journal) missed(ctx context.Context, after string, seen recent, yield func(Entry, error) bool) bool {
	if after == "" {
		return true
	}
	last, err := j.Get(ctx, after)
	if fault.KindOf(err) == fault.NotFound {
		return true
	}
	for err == nil {
		var page []Entry
		page, err = j.since(ctx, last, catchUp)
		for _, e := range page {
			if seen.add(e) && !yield(e, nil) {
				return false
			}
			last = e
		}
		if err == nil && len(page) < catchUp {
			return true
		}
	}
	yield(Entry{}, err)
	return false
}

// others yields what other replicas committed lately.
func (j *Journal) others(ctx context.Context, began time.Time, seen recent, yield func(Entry, error) bool) bool {
	from := j.now().Add(-overlap)
	if from.Before(began) {
		from = began
	}
	page, err := j.since(ctx, Entry{Time: from}, catchUp)
	if err != nil {
		return ctx.Err() == nil && fault.KindOf(err) == fault.Unavailable // it will be asked again
	}
	for _, e := range page {
		if seen.add(e) && !yield(e, nil) {
			return false
		}
	}
	seen.forget(from.Add(-overlap))
	return true
}

// recent remembers which entries were yielded, so that none comes twice.
type recent map[string]time.Time

func (r recent) add(e Entry) bool {
	if _, ok := r[e.ID]; ok {
		return false
	}
	r[e.ID] = e.Time
	return true
}

func (r recent) forget(before time.Time) {
	for id, at := range r {
		if at.Before(before) {
			delete(r, id)
		}
	}
}
