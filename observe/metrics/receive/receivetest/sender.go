// Package receivetest sends metrics as other programs do, for tests.
package receivetest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"slices"

	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/prompb"
	writev2 "github.com/prometheus/prometheus/prompb/io/prometheus/write/v2"
	"github.com/prometheus/prometheus/util/compression"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"

	"github.com/teiten/teiten/observe/metrics/receive"
)

// Point is one sample: when, how much, and when its counter began, all times in
// Unix milliseconds; 0 where that is not said.
type Point struct {
	T  int64
	V  float64
	ST int64
}

// Series is one series of a request.
type Series struct {
	Labels map[string]string
	Points []Point
}

// Message is a request's body with its headers.
type Message struct {
	Path   string
	Header http.Header
	Body   []byte
}

// Stale marks the end of a series.
func Stale() float64 { return math.Float64frombits(value.StaleNaN) }

// Write1 is a message of remote write 1.0.
func Write1(all []Series) Message {
	var req prompb.WriteRequest
	for _, s := range all {
		ts := prompb.TimeSeries{}
		for _, name := range slices.Sorted(maps.Keys(s.Labels)) {
			ts.Labels = append(ts.Labels, prompb.Label{Name: name, Value: s.Labels[name]})
		}
		for _, p := range s.Points {
			ts.Samples = append(ts.Samples, prompb.Sample{Timestamp: p.T, Value: p.V})
		}
		req.Timeseries = append(req.Timeseries, ts)
	}
	body, err := req.Marshal()
	return snappy(body, err, "application/x-protobuf", "0.1.0")
}

// Write2 is a message of remote write 2.0.
func Write2(all []Series) Message {
	symbols := writev2.NewSymbolTable()
	var req writev2.Request
	for _, s := range all {
		ts := writev2.TimeSeries{Metadata: writev2.Metadata{Type: writev2.Metadata_METRIC_TYPE_COUNTER}}
		for _, name := range slices.Sorted(maps.Keys(s.Labels)) {
			ts.LabelsRefs = append(ts.LabelsRefs, symbols.Symbolize(name), symbols.Symbolize(s.Labels[name]))
		}
		for _, p := range s.Points {
			ts.Samples = append(ts.Samples, writev2.Sample{Timestamp: p.T, Value: p.V, StartTimestamp: p.ST})
		}
		req.Timeseries = append(req.Timeseries, ts)
	}
	req.Symbols = symbols.Symbols()
	body, err := req.Marshal()
	return snappy(body, err, "application/x-protobuf;proto=io.prometheus.write.v2.Request", "2.0.0")
}

func snappy(body []byte, err error, kind, version string) Message {
	if err == nil {
		body, err = compression.Encode(compression.Snappy, body, nil)
	}
	if err != nil {
		panic(err) // what the tests made up cannot be written
	}
	return Message{receive.WritePath, http.Header{"Content-Type": {kind}, "Content-Encoding": {"snappy"}, "X-Prometheus-Remote-Write-Version": {version}}, body}
}

// OTLP is a message of OTLP: one resource for each job and instance, a cumulative
// sum for each series named …_total, and a gauge for each other one.
func OTLP(all []Series) Message {
	md := pmetric.NewMetrics()
	resources := map[[2]string]pmetric.MetricSlice{}
	for _, s := range all {
		key := [2]string{s.Labels["job"], s.Labels["instance"]}
		to, ok := resources[key]
		if !ok {
			rm := md.ResourceMetrics().AppendEmpty()
			rm.Resource().Attributes().PutStr("service.name", key[0])
			rm.Resource().Attributes().PutStr("service.instance.id", key[1])
			to = rm.ScopeMetrics().AppendEmpty().Metrics()
			resources[key] = to
		}
		m := to.AppendEmpty()
		m.SetName(s.Labels["__name__"])
		points := func() pmetric.NumberDataPointSlice { return m.SetEmptyGauge().DataPoints() }
		if bare, ok := cutTotal(m.Name()); ok {
			m.SetName(bare)
			points = func() pmetric.NumberDataPointSlice {
				sum := m.SetEmptySum()
				sum.SetIsMonotonic(true)
				sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
				return sum.DataPoints()
			}
		}
		put(points(), s)
	}
	return Pack(md)
}

func cutTotal(name string) (string, bool) {
	const suffix = "_total"
	if len(name) > len(suffix) && name[len(name)-len(suffix):] == suffix {
		return name[:len(name)-len(suffix)], true
	}
	return name, false
}

func put(to pmetric.NumberDataPointSlice, s Series) {
	for _, p := range s.Points {
		dp := to.AppendEmpty()
		dp.SetTimestamp(pcommon.Timestamp(p.T * 1e6))       //nolint:gosec // times are after 1970
		dp.SetStartTimestamp(pcommon.Timestamp(p.ST * 1e6)) //nolint:gosec // as above
		dp.SetDoubleValue(p.V)
		if value.IsStaleNaN(p.V) {
			dp.SetFlags(pmetric.DefaultDataPointFlags.WithNoRecordedValue(true))
		}
		for k, v := range s.Labels {
			if k != "__name__" && k != "job" && k != "instance" {
				dp.Attributes().PutStr(k, v)
			}
		}
	}
}

// Pack is a message of OTLP metrics, as protobuf.
func Pack(md pmetric.Metrics) Message {
	body, err := pmetricotlp.NewExportRequestFromMetrics(md).MarshalProto()
	if err != nil {
		panic(err) // what the tests made up cannot be written
	}
	return Message{receive.OTLPPath, http.Header{"Content-Type": {"application/x-protobuf"}}, body}
}

// Answer is what the server said.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// Post sends a message to a server, with a token.
func (m Message) Post(ctx context.Context, server, token string) (Answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, server+m.Path, bytes.NewReader(m.Body))
	if err != nil {
		return Answer{}, err
	}
	req.Header = m.Header.Clone()
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return Answer{}, err
	}
	body, err := io.ReadAll(resp.Body)
	if e := resp.Body.Close(); err == nil {
		err = e
	}
	if err != nil {
		return Answer{}, fmt.Errorf("read the answer: %w", err)
	}
	return Answer{resp.StatusCode, resp.Header, string(body)}, nil
}
