package remote

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/metrics"
)

// grid is the moments that were asked for, in Unix milliseconds.
type grid struct{ from, to, step int64 }

// split cuts the grid into parts of at most n moments.
func (g grid) split(n int64) []grid {
	var parts []grid
	for from := g.from; from <= g.to; from += n * g.step {
		parts = append(parts, grid{from: from, to: min(from+(n-1)*g.step, g.to), step: g.step})
	}
	return parts
}

// holds reports whether t was asked for; servers round to milliseconds.
func (g grid) holds(t int64) bool {
	if t < g.from || t > g.to {
		return false
	}
	off := (t - g.from) % g.step
	return off <= 1 || g.step-off <= 1
}

// merger joins the parts of a range, in order of time.
type merger struct {
	series []metrics.Series
	index  map[string]int
}

func (m *merger) add(part []metrics.Series) {
	if m.index == nil {
		m.series, m.index = part, make(map[string]int, len(part))
		for i, s := range part {
			m.index[s.Name()] = i
		}
		return
	}
	for _, s := range part {
		i, known := m.index[s.Name()]
		if !known {
			m.index[s.Name()] = len(m.series)
			m.series = append(m.series, s)
			continue
		}
		m.series[i].Points = append(m.series[i].Points, s.Points...)
	}
}

// answer is the body of a successful query.
type answer struct {
	Status string `json:"status"`
	Data   struct {
		ResultType string          `json:"resultType"`
		Result     json.RawMessage `json:"result"`
	} `json:"data"`
	ErrorType string   `json:"errorType"`
	Error     string   `json:"error"`
	Warnings  []string `json:"warnings"`
	IsPartial bool     `json:"isPartial"`
}

// result is one series of an answer.
type result struct {
	Metric     map[string]string `json:"metric"`
	Value      *point            `json:"value"`
	Values     points            `json:"values"`
	Histogram  json.RawMessage   `json:"histogram"`
	Histograms json.RawMessage   `json:"histograms"`
}

// decode reads an answer. Whatever is not an answer to what was asked is an
// error: another shape, moments nobody asked for, parts that are missing.
func decode(r io.Reader, g grid) ([]metrics.Series, error) {
	var a answer
	d := json.NewDecoder(r)
	if err := d.Decode(&a); err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	if a.Status != "success" {
		return nil, fmt.Errorf("status %q, error %q: %s", clip(a.Status), clip(a.ErrorType), clip(a.Error))
	}
	if err := a.partial(); err != nil {
		return nil, err
	}
	switch a.Data.ResultType {
	case "scalar":
		var p point
		if err := json.Unmarshal(a.Data.Result, &p); err != nil {
			return nil, fmt.Errorf("read a scalar: %w", err)
		}
		return []metrics.Series{{Points: []metrics.Point{metrics.Point(p)}}}, nil
	case "vector", "matrix":
		var results []result
		if err := json.Unmarshal(a.Data.Result, &results); err != nil {
			return nil, fmt.Errorf("read a %s: %w", a.Data.ResultType, err)
		}
		return toSeries(results, g)
	}
	return nil, fmt.Errorf("a result of type %q", clip(a.Data.ResultType))
}

// partial refuses an answer that the server itself calls incomplete: counts from
// half the data are wrong, unknown ones are only unknown. Remarks of the query
// engine about the expression do not make an answer incomplete.
func (a answer) partial() error {
	said := slices.DeleteFunc(a.Warnings, func(w string) bool { return strings.HasPrefix(w, "PromQL ") })
	if !a.IsPartial && len(said) == 0 {
		return nil
	}
	return fault.New(fault.Unavailable, metrics.CodePartial, text.Say(
		"the answer is incomplete: %s", "応答が不完全です: %s", clip(strings.Join(said, "; ")))).
		Fix(text.Say("look at the parts of the server that did not answer", "応答しなかったサーバーの構成要素を確認してください"))
}

func toSeries(results []result, g grid) ([]metrics.Series, error) {
	out := make([]metrics.Series, 0, len(results))
	for _, r := range results {
		if len(r.Histogram) > 0 || len(r.Histograms) > 0 {
			return nil, metrics.HistogramFault()
		}
		s := metrics.Series{Labels: r.Metric, Points: r.Values}
		if r.Value != nil {
			s.Points = []metrics.Point{metrics.Point(*r.Value)}
		}
		last := int64(math.MinInt64)
		for _, p := range s.Points {
			if !g.holds(p.T) || p.T <= last {
				return nil, fmt.Errorf("a value at %d, which was not asked for", p.T)
			}
			last = p.T
		}
		if len(s.Points) > 0 {
			out = append(out, s)
		}
	}
	return out, nil
}

// point is one value, written [seconds, "value"].
type point metrics.Point

// UnmarshalJSON implements json.Unmarshaler.
func (p *point) UnmarshalJSON(b []byte) error {
	got, rest, err := readPoint(b)
	if err == nil && len(skipSpace(rest)) > 0 {
		err = errPoint
	}
	*p = point(got)
	return err
}

// points is the values of a series. A month of minutes has 43,200 of them, so
// that they are read by hand: the decoder has checked the syntax already.
type points []metrics.Point

// UnmarshalJSON implements json.Unmarshaler.
func (ps *points) UnmarshalJSON(b []byte) error {
	b = skipSpace(b)
	if string(b) == "null" {
		return nil
	}
	if len(b) < 2 || b[0] != '[' {
		return errPoint
	}
	const shortest = len(`[0,"0"],`)
	*ps = make(points, 0, len(b)/(2*shortest))
	for b = skipSpace(b[1:]); len(b) > 0 && b[0] != ']'; {
		p, rest, err := readPoint(b)
		if err != nil {
			return err
		}
		*ps = append(*ps, p)
		b = skipSpace(rest)
		if len(b) > 0 && b[0] == ',' {
			b = skipSpace(b[1:])
		}
	}
	return nil
}

var errPoint = errors.New(`a value is not written [seconds, "value"]`)

// readPoint reads [seconds, "value"] from the front of b.
func readPoint(b []byte) (p metrics.Point, rest []byte, err error) {
	r := reader{rest: b}
	r.expect('[')
	seconds := r.until(",] \t\r\n")
	r.expect(',')
	r.expect('"')
	value := r.until(`"`)
	r.skip(1)
	r.expect(']')
	if r.failed {
		return p, nil, errPoint
	}
	sec, err := strconv.ParseFloat(seconds, 64)
	if err != nil || math.IsNaN(sec) || math.Abs(sec) > math.MaxInt64/1e6 {
		return p, nil, errPoint
	}
	v, err := strconv.ParseFloat(value, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) { // out of range is infinite
		return p, nil, errPoint
	}
	return metrics.Point{T: int64(math.Round(sec * 1000)), V: v}, r.rest, nil
}

// reader takes pieces from the front of a text and remembers a failure.
type reader struct {
	rest   []byte
	failed bool
}

func (r *reader) skip(n int) {
	if r.failed = r.failed || len(r.rest) < n; !r.failed {
		r.rest = r.rest[n:]
	}
}

// expect takes white space and then the character c.
func (r *reader) expect(c byte) {
	r.rest = skipSpace(r.rest)
	r.failed = r.failed || len(r.rest) == 0 || r.rest[0] != c
	r.skip(1)
	if c != '"' {
		r.rest = skipSpace(r.rest)
	}
}

// until takes what is before the first of the stops; it must not be empty.
func (r *reader) until(stops string) string {
	n := bytes.IndexAny(r.rest, stops)
	if r.failed = r.failed || n <= 0; r.failed {
		return ""
	}
	piece := r.rest[:n]
	r.rest = r.rest[n:]
	return string(piece)
}

func skipSpace(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\n' || b[0] == '\t' || b[0] == '\r') {
		b = b[1:]
	}
	return b
}
