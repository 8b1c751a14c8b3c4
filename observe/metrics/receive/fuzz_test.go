package receive_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/util/compression"

	"github.com/teiten/teiten/observe/metrics/receive"
	"github.com/teiten/teiten/observe/metrics/receive/receivetest"
)

func labelsOf(name string) labels.Labels {
	return labels.FromStrings("__name__", name, "instance", "a", "job", "shop")
}

func nano(t time.Time) string { return strconv.FormatInt(t.UnixNano(), 10) }

// Whatever is sent, the answer is one that a sender understands.
func FuzzWrite(f *testing.F) {
	w := newWorld(f, receive.Options{MaxBody: 1 << 16, MaxSeries: 1000})
	some := []receivetest.Series{series("x_total", at(w.now, 1), receivetest.Point{T: w.now.UnixMilli() + 1000, V: receivetest.Stale(), ST: 5})}
	for _, m := range []receivetest.Message{receivetest.Write1(some), receivetest.Write2(some)} {
		body, err := compression.Decode(compression.Snappy, m.Body, nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body, true, m.Header.Get("Content-Type"))
		f.Add(m.Body, false, m.Header.Get("Content-Type"))
	}
	f.Fuzz(func(t *testing.T, body []byte, pack bool, kind string) {
		if pack && len(body) > 0 {
			packed, err := compression.Encode(compression.Snappy, body, nil)
			if err != nil {
				t.Skip()
			}
			body = packed
		}
		understood(t, w.send(receivetest.Message{Path: receive.WritePath, Header: http.Header{"Content-Type": {kind}, "Content-Encoding": {"snappy"}}, Body: body}).Code)
	})
}

func FuzzOTLP(f *testing.F) {
	w := newWorld(f, receive.Options{MaxBody: 1 << 16, MaxSeries: 1000})
	f.Add(receivetest.OTLP([]receivetest.Series{series("x_total", at(w.now, 1)), series("up", at(w.now, 1))}).Body, false)
	f.Add(deltas(w.now, w.now.Add(time.Second), map[string]float64{"200": 3}).Body, false)
	f.Add([]byte(`{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"x","exponentialHistogram":{"aggregationTemporality":1,"dataPoints":[{"timeUnixNano":"1795397878421102254","count":"3","scale":2,"positive":{"offset":1,"bucketCounts":["1","2"]}}]}}]}]}]}`), true)
	f.Fuzz(func(t *testing.T, body []byte, text bool) {
		kind := "application/x-protobuf"
		if text {
			kind = "application/json"
		}
		understood(t, w.send(receivetest.Message{Path: receive.OTLPPath, Header: http.Header{"Content-Type": {kind}}, Body: body}).Code)
	})
}

func understood(t *testing.T, status int) {
	t.Helper()
	switch status {
	case http.StatusOK, http.StatusNoContent, http.StatusBadRequest, http.StatusUnsupportedMediaType, http.StatusRequestEntityTooLarge, http.StatusServiceUnavailable:
	default:
		t.Errorf("answered %d", status)
	}
}
