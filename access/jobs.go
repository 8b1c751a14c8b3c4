package access

import (
	"time"

	"github.com/teiten/teiten/kit/queue"
)

// Schedule adds the room's periodic work to q: expired sessions, links and
// tokens are deleted every hour. They are refused from the moment they expire.
func (s *Service) Schedule(q *queue.Queue) {
	q.Every("access.sweep", time.Hour, s.Sweep)
}
