package remote

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/metrics"
)

// mostSkew is how far the clocks of the server and ours may differ.
const mostSkew = 10 * time.Second

// checkClock compares the server's time with ours. How long the answer took is
// in the server's favour.
func (c *Client) checkClock(ctx context.Context) error {
	asked := c.now()
	var theirs time.Time
	err := c.exchange(ctx, request{
		method: http.MethodPost, path: []string{"query"}, form: url.Values{"query": {"time()"}}, most: maxErrorBody,
		read: func(r io.Reader) error {
			asked = c.now() // of the attempt that was answered, at the latest
			var a answer
			if err := json.NewDecoder(r).Decode(&a); err != nil {
				return fmt.Errorf("read the answer: %w", err)
			}
			if a.Status != "success" {
				return fmt.Errorf("status %q", clip(a.Status))
			}
			var err error
			theirs, err = timeOf(a)
			return err
		},
	})
	if err != nil {
		return err
	}
	ahead := theirs.Sub(asked)
	switch {
	case theirs.IsZero(): // what answers does not know the function
	case ahead > mostSkew:
		return clockFault(text.Say("the clock of %s is %s ahead of ours", "%s の時計がこのサーバーより %s 進んでいます", c.base.Host, ahead.Round(time.Second)))
	case ahead < -mostSkew:
		return clockFault(text.Say("the clock of %s is %s behind ours", "%s の時計がこのサーバーより %s 遅れています", c.base.Host, (-ahead).Round(time.Second)))
	}
	return nil
}

// timeOf reads the answer to time(): a scalar, or a vector of one. It is zero
// where the answer is no time of this century.
func timeOf(a answer) (time.Time, error) {
	var p point
	switch a.Data.ResultType {
	case "scalar":
		if err := json.Unmarshal(a.Data.Result, &p); err != nil {
			return time.Time{}, fmt.Errorf("read a scalar: %w", err)
		}
	case "vector":
		var results []result
		if err := json.Unmarshal(a.Data.Result, &results); err != nil {
			return time.Time{}, fmt.Errorf("read a vector: %w", err)
		}
		if len(results) == 1 && results[0].Value != nil {
			p = *results[0].Value
		}
	default:
		return time.Time{}, fmt.Errorf("a result of type %q", clip(a.Data.ResultType))
	}
	if !(p.V > 1e9 && p.V < 1e11) {
		return time.Time{}, nil
	}
	return time.UnixMilli(int64(p.V * 1000)), nil
}

func clockFault(what text.Both) error {
	return fault.New(fault.Unavailable, metrics.CodeClock, what).
		Fix(text.Say("let both machines follow a time server (NTP); until then events are counted in the wrong minutes",
			"両方のサーバーの時計を NTP で合わせてください。合うまでは、イベントが誤った分に数えられます"))
}
