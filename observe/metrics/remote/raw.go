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
	"github.com/teiten/teiten/observe/metrics/increase"
	"github.com/teiten/teiten/observe/metrics/promexpr"
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

// sample is a value at a time, or why it is not known.
type sample struct {
	metrics.Point
	err error
}

// samples are the values, or how many observations native histograms held.
func (s *rawSeries) samples(of promexpr.Observed) []sample {
	if !of.Histogram {
		all := make([]sample, len(s.Values))
		for i, p := range s.Values {
			all[i].Point = p
		}
		return all
	}
	all := make([]sample, len(s.Histograms))
	for i, h := range s.Histograms {
		all[i].Point = h.Point
		if of.Bounded {
			all[i].V, all[i].err = h.upTo(of.UpTo)
		}
	}
	return all
}

// observations reads [[seconds, {"count": "7", "buckets": […]}], …].
type observations []observation

// observation is a native histogram: how many observations it holds, and its
// buckets as they were written.
type observation struct {
	metrics.Point
	buckets json.RawMessage
}

// UnmarshalJSON implements json.Unmarshaler.
func (o *observations) UnmarshalJSON(b []byte) error {
	var pairs [][2]json.RawMessage
	if err := json.Unmarshal(b, &pairs); err != nil {
		return fmt.Errorf("read histograms: %w", err)
	}
	for _, pair := range pairs {
		var h struct {
			Count   string          `json:"count"`
			Buckets json.RawMessage `json:"buckets"`
		}
		if err := json.Unmarshal(pair[1], &h); err != nil {
			return fmt.Errorf("read a histogram: %w", err)
		}
		p, _, err := readPoint([]byte("[" + string(pair[0]) + "," + strconv.Quote(h.Count) + "]"))
		if err != nil {
			return err
		}
		*o = append(*o, observation{p, h.Buckets})
	}
	return nil
}

// upTo counts the observations from 0 up to a bound. A bucket is written as which
// of its ends belong to it, its ends, and what it holds.
func (o observation) upTo(bound float64) (float64, error) {
	var written [][4]any
	if len(o.buckets) > 0 {
		if err := json.Unmarshal(o.buckets, &written); err != nil {
			return 0, fmt.Errorf("read the buckets of a histogram: %w", err)
		}
	}
	buckets := make([]increase.Bucket, len(written))
	negative := false
	for i, w := range written {
		var ok [3]bool
		b := &buckets[i]
		b.Lower, ok[0] = numeral(w[1])
		b.Upper, ok[1] = numeral(w[2])
		b.Count, ok[2] = numeral(w[3])
		if !ok[0] || !ok[1] || !ok[2] {
			return 0, errPoint
		}
		negative = negative || b.Upper <= 0 && b.Lower < 0
	}
	return increase.UpTo(func(yield func(increase.Bucket) bool) {
		for _, b := range buckets {
			if b.Upper <= 0 && b.Lower < 0 {
				continue
			}
			if b.Lower < 0 && !negative {
				b.Lower = 0 // the bucket of zeros, of what is never negative
			}
			if !yield(b) {
				return
			}
		}
	}, bound)
}

func numeral(v any) (float64, bool) {
	s, ok := v.(string)
	f, err := strconv.ParseFloat(s, 64)
	return f, ok && err == nil
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
		if s.Values, err = within(s.Values, func(p metrics.Point) int64 { return p.T }, from, to); err != nil {
			return err
		}
		if s.Histograms, err = within(s.Histograms, func(o observation) int64 { return o.T }, from, to); err != nil {
			return err
		}
		if err := yield(&s); err != nil {
			return err
		}
	}
	return expect(d, ']')
}

func within[P any](points []P, at func(P) int64, from, to int64) ([]P, error) {
	for len(points) > 0 && at(points[0]) < from {
		points = points[1:]
	}
	for i, p := range points {
		if t := at(p); t > to || (i > 0 && t <= at(points[i-1])) {
			return nil, fmt.Errorf("a sample at %d, which was not asked for", t)
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
