package receive_test

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/metrics/receive"
	"github.com/teiten/teiten/observe/metrics/receive/receivetest"
)

func series(name string, points ...receivetest.Point) receivetest.Series {
	return receivetest.Series{Labels: map[string]string{"__name__": name, "job": "shop", "instance": "a"}, Points: points}
}

func at(t time.Time, v float64) receivetest.Point { return receivetest.Point{T: t.UnixMilli(), V: v} }

// counted is what a selector counted in the minutes of a span.
func (w *world) counted(expr string, from, to time.Time) float64 {
	w.t.Helper()
	counts, err := w.store.Counts(w.t.Context(), []metrics.Selection{{Expr: expr}}, from.Unix()/60-1, to.Unix()/60+1)
	if err != nil || counts[0].Err != nil {
		w.t.Fatal(err, counts[0].Err)
	}
	total := 0.0
	for _, v := range counts[0].Values {
		if v == v { //nolint:gocritic // not where nothing is known
			total += v
		}
	}
	return total
}

func TestBadSamplesAreLeftOutAndNamedAndTheOthersStored(t *testing.T) {
	w := newWorld(t, receive.Options{OutOfOrder: time.Hour, MaxSeries: 3})
	w.take(receivetest.Write1([]receivetest.Series{series("known_total", at(w.now, 5)), series("old_total", at(w.now, 1))}))
	for name, write := range map[string]func([]receivetest.Series) receivetest.Message{"1.0": receivetest.Write1, "2.0": receivetest.Write2} {
		w.now = w.now.Add(time.Minute)
		rec := w.send(write([]receivetest.Series{
			series("old_total", at(w.now.Add(-2*time.Hour), 1)),
			series("known_total", at(w.now, 7), at(w.now.Add(time.Hour), 9)),
			{Labels: map[string]string{"job": "nameless"}, Points: []receivetest.Point{at(w.now, 1)}},
			series("third_total", at(w.now, 1)), series("fourth_total", at(w.now, 1)),
		}))
		body := rec.Body.String()
		if rec.Code != http.StatusBadRequest {
			t.Fatalf("%s: %d %s", name, rec.Code, body)
		}
		for _, part := range []string{"2 samples were stored and 4 were not", "older than the newest metrics by more than 1h", "old_total", "in the future", "has no name", "holds 3 series already", "outOfOrder"} {
			if !strings.Contains(body, part) {
				t.Errorf("%s: the answer does not say %q: %s", name, part, body)
			}
		}
		if got := rec.Header().Get("X-Prometheus-Remote-Write-Samples-Written"); (got == "2") != (name == "2.0") {
			t.Errorf("%s: %q samples are said to be written", name, got)
		}
		if last, err := w.store.Last(labelsOf("known_total"), 0); err != nil || last.At != w.now.UnixMilli() || last.Value != 7 {
			t.Error(name, "the good sample is not stored", last, err)
		}
	}
	senders := w.receiver.Senders()
	if len(senders) != 2 || senders[0].State != metrics.SenderRefused || senders[0].Refused != 4 || senders[0].Trouble.JA == "" {
		t.Errorf("%+v", senders)
	}
}

func TestWhatCannotBeReadIsRefusedForGood(t *testing.T) {
	w := newWorld(t, receive.Options{MaxBody: 1000})
	good := receivetest.Write1([]receivetest.Series{series("x_total", at(w.now, 1))})
	header := func(k, v string) receivetest.Message {
		m := good
		m.Header = m.Header.Clone()
		m.Header.Set(k, v)
		return m
	}
	long := make([]receivetest.Point, 2000)
	for i := range long {
		long[i] = at(w.now.Add(time.Duration(i)*time.Millisecond), 1)
	}
	otlp := receivetest.OTLP([]receivetest.Series{series("x_total", at(w.now, 1))})
	for name, c := range map[string]struct {
		m      receivetest.Message
		status int
		says   string
	}{
		"another encoding":  {header("Content-Encoding", "gzip"), 415, "gzip"},
		"another type":      {header("Content-Type", "text/plain"), 415, "text/plain"},
		"another message":   {header("Content-Type", "application/x-protobuf;proto=x"), 415, "proto=x"},
		"no snappy":         {receivetest.Message{Path: good.Path, Header: good.Header, Body: []byte("hello there")}, 400, "snappy"},
		"nothing":           {receivetest.Message{Path: good.Path, Header: good.Header}, 400, "snappy"},
		"too much unpacked": {receivetest.Write1([]receivetest.Series{series("x_total", long...)}), 413, "1000 bytes"},
		"OTLP as text":      {receivetest.Message{Path: otlp.Path, Header: http.Header{"Content-Type": {"text/plain"}}, Body: otlp.Body}, 415, "text/plain"},
		"OTLP cut short":    {receivetest.Message{Path: otlp.Path, Header: otlp.Header, Body: otlp.Body[:len(otlp.Body)-3]}, 400, "ExportMetricsServiceRequest"},
		"OTLP too long":     {receivetest.Message{Path: otlp.Path, Header: otlp.Header, Body: make([]byte, 2000)}, 413, "1000 bytes"},
	} {
		if rec := w.send(c.m); rec.Code != c.status || !strings.Contains(rec.Body.String(), c.says) {
			t.Errorf("%s: %d %q, not %d with %q", name, rec.Code, rec.Body.String(), c.status, c.says)
		}
	}
	if n := w.store.Series(); n != 0 {
		t.Errorf("%d series were stored", n)
	}
}

func TestTwoSendersOfTheSameSeriesAreNamed(t *testing.T) {
	w := newWorld(t, receive.Options{})
	for i := range 4 {
		w.now = w.now.Add(15 * time.Second)
		m := receivetest.Write1([]receivetest.Series{series("x_total", at(w.now, float64(i)))})
		m.Header.Set("User-Agent", []string{"one", "another"}[i%2])
		w.take(m)
	}
	for _, s := range w.receiver.Senders() {
		if s.State != metrics.SenderClashing || !strings.Contains(s.Clash, "x_total") {
			t.Errorf("%+v", s)
		}
	}
}

// deltas is a request of OTLP with an increase of each series over an interval.
func deltas(from, to time.Time, increases map[string]float64) receivetest.Message {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", "shop")
	rm.Resource().Attributes().PutStr("service.instance.id", "a")
	to2 := rm.ScopeMetrics().AppendEmpty().Metrics()
	for code, v := range increases {
		m := to2.AppendEmpty()
		m.SetName("orders")
		sum := m.SetEmptySum()
		sum.SetIsMonotonic(true)
		sum.SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
		p := sum.DataPoints().AppendEmpty()
		p.Attributes().PutStr("code", code)
		p.SetStartTimestamp(pcommon.NewTimestampFromTime(from))
		p.SetTimestamp(pcommon.NewTimestampFromTime(to))
		p.SetDoubleValue(v)
	}
	return receivetest.Pack(md)
}

func TestDeltasAreCountedOnceAcrossRetriesAndRestarts(t *testing.T) {
	w := newWorld(t, receive.Options{})
	began := w.now
	total := 0.0
	for i := range 12 {
		from := w.now
		w.now = w.now.Add(30 * time.Second)
		increases := map[string]float64{"200": float64(i + 1)}
		if i%5 == 3 {
			increases["500"] = 2
		}
		for _, v := range increases {
			total += v
		}
		m := deltas(from, w.now, increases)
		w.take(m)
		if i%3 == 1 { // the server went down before the answer was read
			if err := w.store.Close(); err != nil {
				t.Fatal(err)
			}
			w.open()
		}
		if i%2 == 1 {
			w.take(m)
		}
	}
	if got := w.counted("sum(orders_total)", began, w.now); got != total {
		t.Errorf("%v were counted of %v", got, total)
	}
	for i := range 6 {
		from := w.now
		w.now = w.now.Add(30 * time.Second)
		increases := map[string]float64{"200": 1}
		if i == 0 {
			increases["500"] = 1
		}
		w.take(deltas(from, w.now, increases))
	}
	// Who sends other things says that nothing more of this happened.
	counts, err := w.store.Counts(t.Context(), []metrics.Selection{{Expr: `sum(orders_total{code="500"})`}}, w.now.Unix()/60-1, w.now.Unix()/60)
	if err != nil || counts[0].Values[0] != 0 {
		t.Error("a minute without failures is not known", counts, err)
	}
	late := deltas(began, began.Add(45*time.Second), map[string]float64{"200": 1})
	if rec := w.send(late); rec.Code != http.StatusOK || !strings.Contains(rec.Body.String(), "comes after a later one") {
		t.Error(rec.Code, rec.Body.String())
	}
}

func TestOTLPIsTakenAsJSONAndCompressed(t *testing.T) {
	w := newWorld(t, receive.Options{Promote: []string{"deployment.environment.name"}})
	text := `{"resourceMetrics":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}},
		{"key":"deployment.environment.name","value":{"stringValue":"test"}},{"key":"host.name","value":{"stringValue":"h"}}]},
		"scopeMetrics":[{"metrics":[{"name":"http.server.duration","unit":"ms","histogram":{"aggregationTemporality":2,"dataPoints":[
		{"startTimeUnixNano":"` + nano(w.now.Add(-time.Minute)) + `","timeUnixNano":"` + nano(w.now) + `","count":"5","sum":12,"bucketCounts":["2","3"],"explicitBounds":[10]}]}}]}]}]}`
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write([]byte(text))
	_ = z.Close()
	rec := w.send(receivetest.Message{Path: receive.OTLPPath, Body: packed.Bytes(),
		Header: http.Header{"Content-Type": {"application/json; charset=utf-8"}, "Content-Encoding": {"gzip"}}})
	if rec.Code != 200 || rec.Body.String() != "{}" || rec.Header().Get("Content-Type") != "application/json" {
		t.Fatal(rec.Code, rec.Body.String())
	}
	if got := w.counted(`sum(http_server_duration_milliseconds_count{job="shop",deployment_environment_name="test"})`, w.now.Add(-5*time.Minute), w.now); got != 5 {
		t.Errorf("%v observations were counted, not 5", got)
	}
	found, err := w.store.Instant(t.Context(), `target_info{host_name="h"}`, w.now)
	if err != nil || len(found) != 1 {
		t.Error("what else is known of the target is missing", found, err)
	}
}
