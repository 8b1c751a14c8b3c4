package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/teiten/teiten/observe/metrics"
)

// rawSeries is one series of raw samples. Its labels stay as they were written:
// most series are known by that already.
type rawSeries struct {
	Metric     json.RawMessage `json:"metric"`
	Values     points          `json:"values"`
	Histograms observations    `json:"histograms"`
}

// labels reads them.
func (s *rawSeries) labels() (labels.Labels, error) {
	names := map[string]string{}
	if err := json.Unmarshal(s.Metric, &names); err != nil {
		return labels.EmptyLabels(), fmt.Errorf("read labels: %w", err)
	}
	return labels.FromMap(names), nil
}

// samples are the values, or how many observations native histograms held.
func (s *rawSeries) samples(count bool) []metrics.Point {
	if count {
		return s.Histograms
	}
	return s.Values
}

// observations reads [[seconds, {"count": "7", …}], …].
type observations []metrics.Point

// UnmarshalJSON implements json.Unmarshaler.
func (o *observations) UnmarshalJSON(b []byte) error {
	var pairs [][2]json.RawMessage
	if err := json.Unmarshal(b, &pairs); err != nil {
		return fmt.Errorf("read histograms: %w", err)
	}
	for _, pair := range pairs {
		var h struct {
			Count string `json:"count"`
		}
		if err := json.Unmarshal(pair[1], &h); err != nil {
			return fmt.Errorf("read a histogram: %w", err)
		}
		p, _, err := readPoint([]byte("[" + string(pair[0]) + "," + strconv.Quote(h.Count) + "]"))
		if err != nil {
			return err
		}
		*o = append(*o, p)
	}
	return nil
}

// maxRaw bounds an answer with raw samples.
const maxRaw = maxResponse

// raw asks for the samples of [from, to], in Unix milliseconds, and yields them
// series by series as they come in.
func (c *Client) raw(ctx context.Context, matchers []*labels.Matcher, from, to int64, yield func(*rawSeries) error) error {
	if from > to {
		return nil
	}
	expr := fmt.Sprintf("%s[%dms]", &parser.VectorSelector{LabelMatchers: matchers}, to-from+1)
	form := url.Values{"query": {expr}, "time": {seconds(to)}, "nocache": {"1"}}
	c.wholeAnswers(form)
	return c.exchange(ctx, request{method: http.MethodPost, path: []string{"query"}, form: form, most: maxRaw,
		read: func(r io.Reader) error { return decodeRaw(r, from, to, yield) }})
}

// decodeRaw reads a matrix of raw samples without keeping it.
func decodeRaw(r io.Reader, from, to int64, yield func(*rawSeries) error) error {
	d := json.NewDecoder(r)
	var a answer
	err := object(d, func(key string) error {
		switch key {
		case "status":
			return d.Decode(&a.Status)
		case "warnings":
			return d.Decode(&a.Warnings)
		case "isPartial":
			return d.Decode(&a.IsPartial)
		case "errorType":
			return d.Decode(&a.ErrorType)
		case "error":
			return d.Decode(&a.Error)
		case "data":
			return object(d, func(key string) error {
				switch key {
				case "resultType":
					return d.Decode(&a.Data.ResultType)
				case "result":
					return matrix(d, from, to, yield)
				}
				return skipValue(d)
			})
		}
		return skipValue(d)
	})
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if a.Status != "success" || a.Data.ResultType != "matrix" {
		return fmt.Errorf("status %q, type %q, error %q: %s", clip(a.Status), clip(a.Data.ResultType), clip(a.ErrorType), clip(a.Error))
	}
	return a.partial()
}

// matrix reads [series, …]. Samples that were not asked for are left out: older
// servers include the moment at which the range begins.
func matrix(d *json.Decoder, from, to int64, yield func(*rawSeries) error) error {
	if err := expect(d, '['); err != nil {
		return err
	}
	for d.More() {
		var s rawSeries
		if err := d.Decode(&s); err != nil {
			return err
		}
		var err error
		if s.Values, err = within(s.Values, from, to); err != nil {
			return err
		}
		if s.Histograms, err = within(s.Histograms, from, to); err != nil {
			return err
		}
		if err := yield(&s); err != nil {
			return err
		}
	}
	return expect(d, ']')
}

func within[T ~[]metrics.Point](points T, from, to int64) (T, error) {
	for len(points) > 0 && points[0].T < from {
		points = points[1:]
	}
	for i, p := range points {
		if p.T > to || (i > 0 && p.T <= points[i-1].T) {
			return nil, fmt.Errorf("a sample at %d, which was not asked for", p.T)
		}
	}
	return points, nil
}

// object reads {key: value, …}; value must be read by the function.
func object(d *json.Decoder, value func(key string) error) error {
	if err := expect(d, '{'); err != nil {
		return err
	}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return err
		}
		key, _ := t.(string)
		if err := value(key); err != nil {
			return err
		}
	}
	return expect(d, '}')
}

var errShape = errors.New("an answer of another shape")

func expect(d *json.Decoder, delim json.Delim) error {
	t, err := d.Token()
	if err != nil {
		return err
	}
	if t != delim {
		return errShape
	}
	return nil
}

func skipValue(d *json.Decoder) error {
	var v json.RawMessage
	return d.Decode(&v)
}
