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
		from, ok := j.start(ctx, after, yield)
		if !ok || !j.missed(ctx, from, seen, yield) {
			return
		}
		poll := make(<-chan time.Time)
		if j.db.Dialect() == database.Postgres {
			t := time.NewTicker(pollReplicas)
			defer t.Stop()
			poll = t.C
		}
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
				if !j.others(ctx, from, seen, yield) {
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

// start is the entry after which a follower reads. An entry that is not known
// (from before a restore, say) counts as now.
func (j *Journal) start(ctx context.Context, after string, yield func(Entry, error) bool) (from Entry, ok bool) {
	if after == "" {
		return Entry{Time: j.now()}, true
	}
	from, err := j.Get(ctx, after)
	if fault.KindOf(err) == fault.NotFound {
		return Entry{Time: j.now()}, true
	}
	if err != nil {
		yield(Entry{}, err)
	}
	return from, err == nil
}

// missed yields what happened since the given entry.
func (j *Journal) missed(ctx context.Context, from Entry, seen recent, yield func(Entry, error) bool) bool {
	more, err := j.pages(ctx, from, seen, yield)
	if err != nil {
		yield(Entry{}, err)
	}
	return more && err == nil
}

// others yields what other replicas committed lately, back to where the
// follower began.
func (j *Journal) others(ctx context.Context, start Entry, seen recent, yield func(Entry, error) bool) bool {
	from := start
	if lately := j.now().Add(-overlap); lately.After(start.Time) {
		from = Entry{Time: lately}
	}
	more, err := j.pages(ctx, from, seen, yield)
	if err != nil {
		return ctx.Err() == nil && fault.KindOf(err) == fault.Unavailable // it will be asked again
	}
	seen.forget(from.Time.Add(-overlap))
	return more
}

// pages yields the entries after the given one that were not seen; it is not
// more once the reader has had enough.
func (j *Journal) pages(ctx context.Context, from Entry, seen recent, yield func(Entry, error) bool) (more bool, err error) {
	for {
		page, err := j.since(ctx, from, catchUp)
		if err != nil {
			return true, err
		}
		for _, e := range page {
			if seen.add(e) && !yield(e, nil) {
				return false, nil
			}
			from = e
		}
		if len(page) < catchUp {
			return true, nil
		}
	}
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
