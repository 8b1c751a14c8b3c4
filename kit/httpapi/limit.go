package httpapi

import (
	"sync"
	"time"
)

// RateLimit allows Burst requests at once and one more for each Every. The zero
// value means the default.
type RateLimit struct {
	Burst int
	Every time.Duration
}

func (l RateLimit) or(standard RateLimit) RateLimit {
	if l.Burst <= 0 || l.Every <= 0 {
		return standard
	}
	return l
}

// limiter holds one token bucket for each key, as the time at which the bucket
// will be full again (a "virtual scheduling" generic cell rate algorithm), so
// that a bucket is one number and a full one need not be kept.
type limiter struct {
	limit RateLimit
	now   func() time.Time

	mu     sync.Mutex
	fullAt map[string]time.Time
	sweep  time.Time
}

func newLimiter(limit RateLimit, now func() time.Time) *limiter {
	return &limiter{limit: limit, now: now, fullAt: map[string]time.Time{}}
}

// take spends one request of key's bucket. It returns 0, or how long to wait
// for the next one, in which case nothing was spent.
func (l *limiter) take(key string) time.Duration {
	now := l.now()
	size := time.Duration(l.limit.Burst) * l.limit.Every
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forget(now, size)
	at := l.fullAt[key]
	if at.Before(now) || at.Sub(now) > size { // the second: the clock was set back
		at = now
	}
	at = at.Add(l.limit.Every)
	if wait := at.Sub(now) - size; wait > 0 {
		return wait
	}
	l.fullAt[key] = at
	return 0
}

// forget drops the full buckets, at most once in the time it takes to fill one.
func (l *limiter) forget(now time.Time, size time.Duration) {
	if since := now.Sub(l.sweep); since >= 0 && since < size {
		return
	}
	l.sweep = now
	for key, at := range l.fullAt {
		if at.Before(now) {
			delete(l.fullAt, key)
		}
	}
}

// limitOf is the limiter of one operation: its own where it declares one.
func (a *API) limitOf(op Op) *limiter {
	if op.RateLimit.Burst <= 0 || op.RateLimit.Every <= 0 {
		return a.callers
	}
	return newLimiter(op.RateLimit, a.now)
}
