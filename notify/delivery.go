package notify

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/queue"
	"github.com/teiten/teiten/kit/text"
)

// State is where a delivery stands.
type State string

// The states of a delivery. Delivered, failed and nobody are ends; failed can be
// tried again by a person.
const (
	Pending   State = "pending"   // to be sent, being sent, or to be sent again
	Delivered State = "delivered" // the receiver took it over (2xx)
	Failed    State = "failed"    // refused for good, or given up after keepTrying
	Nobody    State = "nobody"    // no channel hears of it
	Withdrawn State = "withdrawn" // it became pointless before it was taken over
)

// Outcome is how one attempt ended.
type Outcome string

// The outcomes of an attempt. Unknown is what an attempt is found as when the
// server died between the send and the record of it.
const (
	OutcomeSending   Outcome = "sending"
	OutcomeDelivered Outcome = "delivered"
	OutcomeRetry     Outcome = "retry"   // not taken over; tried again
	OutcomeRefused   Outcome = "refused" // cannot be taken over as it is
	OutcomeUnknown   Outcome = "unknown"
)

const (
	// keepTrying is how long a delivery is tried; the last attempt begins
	// after it.
	keepTrying = 72 * time.Hour
	// maxRetryAfter bounds the pause that a receiver may ask for.
	maxRetryAfter = time.Hour
	// sendTimeout bounds one send, from resolving the name to the answer.
	sendTimeout = 20 * time.Second
	// claimTime is how long an attempt keeps others off its delivery: the send
	// and the record of it.
	claimTime = sendTimeout + 15*time.Second
	// holdTries is how often an earlier message about the same subject is
	// tried before messages of another thread no longer wait for it.
	holdTries = 5
	// awayAfter is how many attempts in a row fail before a channel's receiver
	// counts as away.
	awayAfter = 3
	// slots is how many messages go to one channel at a time; one while its
	// receiver is away, so that a receiver that hangs holds up nobody else.
	slots, slotsAway = 16, 1
)

// Delivery is one message on its way to one recipient of one channel.
type Delivery struct {
	ID        string
	Channel   string
	Recipient string // an e-mail address, or nothing
	State     State
	Message   Message
	CreatedAt time.Time
	NextAt    time.Time // when it is tried next, while pending
	Claimed   time.Time // until when an attempt holds it
	GiveUpAt  time.Time
	EndedAt   time.Time
	Attempts  int
	LastError text.Both
	Carrier   string // the delivery inside of which it goes, "" for one of its own
}

// Attempt is one try at a delivery. It is on record before the send begins.
type Attempt struct {
	Number     int
	StartedAt  time.Time
	FinishedAt time.Time // zero while it lasts
	Outcome    Outcome
	Code       int    // what the receiver answered, 0 if nothing
	Answer     string // the beginning of its text
	Error      text.Both
}

// Key identifies what one recipient is told once: the same entry, channel and
// recipient have the same key, on every attempt and every replica.
func Key(entry, channel, recipient string) string {
	sum := sha256.Sum256([]byte(entry + "\x00" + channel + "\x00" + recipient))
	return hex.EncodeToString(sum[:16])
}

// result is what an attempt came to.
type result struct {
	taken      bool
	retryable  bool
	retryAfter time.Duration
	stopped    bool // the server was asked to stop during the send
}

// after is the delivery after an attempt, and the attempt's outcome. Only an
// attempt that was taken over makes it delivered.
func (d Delivery) after(r result, now time.Time) (Delivery, Outcome) {
	d.Claimed = time.Time{}
	switch {
	case r.taken:
		d.State, d.EndedAt, d.NextAt = Delivered, now, time.Time{}
		return d, OutcomeDelivered
	case r.stopped:
		d.NextAt = now
		return d, OutcomeRetry
	case !r.retryable, !now.Before(d.GiveUpAt):
		d.State, d.EndedAt, d.NextAt = Failed, now, time.Time{}
		return d, OutcomeRefused
	}
	d.NextAt = now.Add(max(queue.Backoff(d.Attempts), min(r.retryAfter, maxRetryAfter)))
	return d, OutcomeRetry
}

// again is a delivery that a person wants tried now, with three more days to
// succeed and the same key.
func (d Delivery) again(now time.Time) (Delivery, error) {
	switch d.State {
	case Delivered:
		return d, fault.New(fault.Conflict, "notify.delivered_already",
			text.Say("the message was delivered already", "このメッセージはすでに配信済みです"))
	case Withdrawn:
		return d, fault.New(fault.Conflict, "notify.withdrawn",
			text.Say("the message was withdrawn: somebody answered, or the matter is over", "このメッセージは取り下げられました(応答済み、または解消済み)"))
	case Nobody:
		return d, fault.New(fault.Conflict, "notify.nobody",
			text.Say("no channel heard this message", "このメッセージを受け取るチャンネルがありませんでした")).
			Fix(text.Say("add a channel that matches; it hears the next alert", "条件に合うチャンネルを追加してください。次のアラートから届きます"))
	}
	d.State, d.NextAt, d.EndedAt, d.Carrier = Pending, now, time.Time{}, ""
	d.GiveUpAt = now.Add(keepTrying)
	return d, nil
}

// health is what is known of a channel's receiver.
type health struct {
	lastAttempt   time.Time
	lastDelivered time.Time
	failingSince  time.Time
	failures      int // in a row
	lastError     text.Both
	away          bool
	pacedFrom     time.Time // since when paced messages were begun, where there is a limit
	paced         int
}

// after is the health after an attempt, and whether the receiver went away or
// came back with it.
func (h health) after(r result, why text.Both, now time.Time) (after health, went, back bool) {
	h.lastAttempt = now
	if r.stopped {
		return h, false, false
	}
	if r.taken {
		back = h.away
		h.lastDelivered, h.failingSince, h.failures, h.away, h.lastError = now, time.Time{}, 0, false, text.Both{}
		return h, false, back
	}
	if h.failures == 0 {
		h.failingSince = now
	}
	h.failures++
	h.lastError = why
	if h.failures >= awayAfter && !h.away {
		h.away, went = true, true
	}
	return h, went, false
}

// slots is how many messages may be on their way to the receiver at a time.
func (h health) slots() int {
	if h.away {
		return slotsAway
	}
	return slots
}
