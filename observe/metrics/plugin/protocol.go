package plugin

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/metrics"
)

// Version is the version of the protocol that this package speaks.
const Version = 1

// hello is the first line of a plug-in.
type hello struct {
	Protocol int    `json:"protocol"`
	Name     string `json:"name"`
}

// request is one line to a plug-in. Times are Unix seconds; step is in seconds.
type request struct {
	ID     int64   `json:"id"`
	Method string  `json:"method"` // instant or range
	Query  string  `json:"query"`
	At     float64 `json:"at,omitempty"`
	From   float64 `json:"from,omitempty"`
	To     float64 `json:"to,omitempty"`
	Step   float64 `json:"step,omitempty"`
}

// response is one line from a plug-in.
type response struct {
	ID     int64      `json:"id"`
	Series []series   `json:"series"`
	Error  *complaint `json:"error"`
}

// complaint is why a plug-in has no answer.
type complaint struct {
	Kind    string `json:"kind"` // invalid, limited or unavailable
	Message string `json:"message"`
}

type series struct {
	Labels map[string]string `json:"labels"`
	Points []point           `json:"points"`
}

// point is [time, value]; a value that JSON cannot write is a text: "NaN",
// "+Inf", "-Inf".
type point struct {
	at, value float64
}

// UnmarshalJSON reads a pair.
func (p *point) UnmarshalJSON(b []byte) error {
	var pair []any
	if err := json.Unmarshal(b, &pair); err != nil {
		return err
	}
	if len(pair) != 2 {
		return fmt.Errorf("a point has %d parts instead of 2", len(pair))
	}
	at, ok := pair[0].(float64)
	if !ok || math.Abs(at) > 1e11 {
		return fmt.Errorf("%v is not a time in Unix seconds", pair[0])
	}
	p.at = at
	switch v := pair[1].(type) {
	case float64:
		p.value = v
	case string:
		f, err := strconv.ParseFloat(v, 64)
		if err != nil {
			return fmt.Errorf("%q is not a value", v)
		}
		p.value = f
	default:
		return fmt.Errorf("%v is not a value", pair[1])
	}
	return nil
}

// seconds is a moment as the protocol writes it.
func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// answer turns a response into series, or into the fault it tells of. Points
// that are out of order, or outside what was asked for, are a mistake of the
// plug-in.
func (r *response) answer(name string, q request) ([]metrics.Series, error) {
	if r.Error != nil {
		return nil, r.Error.fault(name)
	}
	from, to := q.From, q.To
	if q.Method == "instant" {
		from, to = q.At, q.At
	}
	out := make([]metrics.Series, 0, len(r.Series))
	for _, s := range r.Series {
		x := metrics.Series{Labels: s.Labels, Points: make([]metrics.Point, 0, len(s.Points))}
		if x.Labels == nil {
			x.Labels = map[string]string{}
		}
		last := math.Inf(-1)
		for _, p := range s.Points {
			if p.at <= last || p.at < from || p.at > to {
				return nil, nonsense(name, text.Say("a point at %v is out of order or outside the range", "%v の点が順序どおりでないか、範囲の外です", p.at))
			}
			last = p.at
			x.Points = append(x.Points, metrics.Point{T: int64(math.Round(p.at * 1000)), V: p.value})
		}
		out = append(out, x)
	}
	return out, nil
}

const mostMessage = 300

func (c *complaint) fault(name string) error {
	message := c.Message
	if r := []rune(message); len(r) > mostMessage {
		message = string(r[:mostMessage]) + "…"
	}
	kind, code := fault.Unavailable, metrics.CodeGone
	switch c.Kind {
	case "invalid":
		kind, code = fault.Invalid, "metrics.plugin_query"
	case "limited":
		kind, code = fault.Limited, "metrics.plugin_limited"
	}
	return fault.New(kind, code, text.Say("the plug-in %s says: %s", "プラグイン %s の応答: %s", name, message))
}

func nonsense(name string, what text.Both) error {
	return fault.New(fault.Unavailable, metrics.CodeNonsense, text.Say("the plug-in %s does not keep to the protocol: %s", "プラグイン %s がプロトコルに従っていません: %s", name, what)).
		Fix(text.Say("compare it with docs/guides/plugins.md; what it wrote is in the server's log", "docs/guides/plugins.ja.md と照らし合わせてください。出力はサーバーのログにあります"))
}

// read parses one line of a plug-in.
func read(line []byte) (response, error) {
	var r response
	err := json.Unmarshal(line, &r)
	if err == nil && r.ID <= 0 {
		err = fmt.Errorf("id %d was never asked", r.ID)
	}
	return r, err
}
