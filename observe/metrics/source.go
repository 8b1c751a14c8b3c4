package metrics

import (
	"time"

	"github.com/teiten/teiten/kit/text"
)

// Status is what can be expected of a source now.
type Status string

// The states of a source.
const (
	Unknown       Status = "unknown"       // not asked yet
	OK            Status = "ok"            // answers in good time
	Slow          Status = "slow"          // answers late, or missed its last deadline
	Gone          Status = "gone"          // does not answer
	Misconfigured Status = "misconfigured" // cannot answer until somebody changes its settings
)

// State is what is known of one source.
type State struct {
	Name      string        // as documents refer to it
	Kind      string        // "embedded" or "prometheus"
	URL       string        // without credentials; empty for the embedded store
	Default   bool          // answers for the name ""
	Status    Status        //
	LastError text.Both     // the latest failure, kept until the source is well again
	LastOK    time.Time     // the latest answer; zero where there was none
	Latency   time.Duration // smoothed time of an answer
}
