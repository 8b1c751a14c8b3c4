package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/metrics/pushed"
)

const (
	eventsPath  = "/api/v1/events/counts"
	mostPushed  = 256 << 20 // of standard input
	pushRetries = 4
)

// pushCmd tells how many events happened: one by flags, or many as JSON lines on
// standard input.
type pushCmd struct {
	remote
	Stream     string            `arg:"" optional:"" help:"The stream; - or nothing reads events as JSON, one on each line, from standard input."`
	Good       float64           `help:"How many were good."`
	Total      float64           `help:"How many there were."`
	At         time.Time         `help:"When; now where it is not given." placeholder:"TIME"`
	Label      map[string]string `help:"Labels of the stream." placeholder:"NAME=VALUE"`
	Key        string            `help:"The same each time the same event is told; a new one where it is not given." placeholder:"KEY"`
	Correction bool              `help:"Good and total take back what was told before; they may be negative."`
}

// Run pushes, again where the server is away: the key makes that harmless.
func (c *pushCmd) Run(ctx context.Context, s *streams) error {
	to, err := c.client(s)
	if err != nil {
		return err
	}
	var events []pushed.Event
	if c.Stream == "" || c.Stream == "-" {
		if events, err = readEvents(s.in); err != nil {
			return err
		}
	} else {
		e := pushed.Event{Stream: c.Stream, Good: c.Good, Total: c.Total, At: c.At, Labels: c.Label, Key: c.Key, Correction: c.Correction}
		if e.Key == "" {
			e.Key = uuid.NewString()
		}
		if e.At.IsZero() {
			e.At = time.Now().UTC() // so that a repetition counts in the same minute
		}
		events = []pushed.Event{e}
	}
	var sum pushed.Taken
	for len(events) > 0 {
		n := min(len(events), pushed.MostEvents)
		taken, err := push(ctx, to, events[:n])
		if err != nil {
			return err
		}
		sum.Accepted, sum.Duplicates = sum.Accepted+taken.Accepted, sum.Duplicates+taken.Duplicates
		events = events[n:]
	}
	s.say(text.Say("%d taken, %d known already", "%d 件を記録、%d 件は記録済み", sum.Accepted, sum.Duplicates))
	return nil
}

func push(ctx context.Context, to *client, events []pushed.Event) (taken pushed.Taken, err error) {
	for try := range pushRetries {
		err = to.call(ctx, http.MethodPost, eventsPath, nil, map[string]any{"events": events}, &taken)
		if fault.KindOf(err) != fault.Unavailable && fault.KindOf(err) != fault.Limited {
			break
		}
		select {
		case <-ctx.Done():
			return taken, err
		case <-time.After(time.Second << try):
		}
	}
	return taken, err
}

// readEvents reads one event from each line.
func readEvents(in io.Reader) ([]pushed.Event, error) {
	body, err := io.ReadAll(io.LimitReader(in, mostPushed))
	if err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	var events []pushed.Event
	for i, line := range bytes.Split(body, []byte("\n")) {
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		var e pushed.Event
		d := json.NewDecoder(bytes.NewReader(line))
		d.DisallowUnknownFields()
		if err := d.Decode(&e); err != nil {
			return nil, fault.New(fault.Invalid, "cli.event", text.Say("line %d is not an event: %s", "%d 行目はイベントとして読めません: %s", i+1, err.Error())).
				Fix(text.Say(`write {"stream": "billing", "good": 99, "total": 100, "idempotencyKey": "run-42"}`, `{"stream": "billing", "good": 99, "total": 100, "idempotencyKey": "run-42"} のように書いてください`))
		}
		events = append(events, e)
	}
	if len(events) == 0 {
		return nil, fault.New(fault.Invalid, "cli.no_events", text.Say("there are no events on standard input", "標準入力にイベントがありません")).
			Fix(text.Say("name a stream: teiten push billing --good 99 --total 100", "ストリームを指定してください: teiten push billing --good 99 --total 100"))
	}
	return events, nil
}
