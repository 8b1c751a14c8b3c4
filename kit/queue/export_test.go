package queue

import "time"

// At gives the queue a clock of the test's own.
func (q *Queue) At(now func() time.Time) { q.now = now }
