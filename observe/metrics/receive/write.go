package receive

import (
	"encoding/binary"
	"mime"
	"net/http"
	"strconv"
	"sync"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"
	writev2 "github.com/prometheus/prometheus/prompb/io/prometheus/write/v2"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/compression"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/kit/text"
)

// The versions of remote write, as senders are shown.
const (
	Write1 = "remote write 1.0"
	Write2 = "remote write 2.0"
)

// serveWrite takes a request of remote write.
func (r *Receiver) serveWrite(w http.ResponseWriter, req *http.Request) {
	if err := r.write(w, req); err != nil {
		r.api.WriteError(w, req, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (r *Receiver) write(w http.ResponseWriter, req *http.Request) error {
	protocol, err := protocolOf(req.Header)
	if err != nil {
		return err
	}
	leave, err := r.enter(req.Context())
	if err != nil {
		return err
	}
	defer leave()
	packed, unpacked := buffer(), unpackers.Get()
	defer release(packed)
	defer unpackers.Put(unpacked)
	if err := httpapi.ReadBody(req, r.o.MaxBody, packed); err != nil {
		return err
	}
	message, err := r.unpack(packed.Bytes(), unpacked.(compression.DecodeBuffer)) //nolint:forcetypeassert // nothing else is there
	if err != nil {
		return err
	}
	who := senderOf(req, protocol)
	t := r.begin(req.Context(), who)
	if protocol == Write2 {
		err = t.takeV2(message)
	} else {
		err = t.takeV1(message)
	}
	if err != nil {
		t.fatal = err
	}
	err = r.end(t, who)
	if protocol == Write2 {
		t.writeHeaders(w.Header())
	}
	return err
}

// writeHeaders says how much was written, as version 2.0 wants it.
func (t *taking) writeHeaders(h http.Header) {
	samples, histograms := t.samples, t.histograms
	if t.fatal != nil {
		samples, histograms = 0, 0
	}
	const prefix = "X-Prometheus-Remote-Write-"
	h.Set(prefix+"Samples-Written", strconv.Itoa(samples))
	h.Set(prefix+"Histograms-Written", strconv.Itoa(histograms))
	h.Set(prefix+"Exemplars-Written", "0")
}

// protocolOf is the version of remote write that a request speaks.
func protocolOf(h http.Header) (string, error) {
	wrong := func(what text.Both) error {
		return httpapi.Status(http.StatusUnsupportedMediaType, fault.New(fault.Invalid, "metrics.write_format", what).
			Fix(text.Say("send application/x-protobuf, compressed with snappy (block format)", "snappy（ブロック形式）で圧縮した application/x-protobuf を送ってください")))
	}
	if e := h.Get("Content-Encoding"); e != "" && e != "snappy" {
		return "", wrong(text.Say("the encoding %q is not taken", "エンコーディング %q には対応していません", e))
	}
	kind := h.Get("Content-Type")
	if kind == "" {
		return Write1, nil
	}
	media, params, err := mime.ParseMediaType(kind)
	switch proto := params["proto"]; {
	case err != nil || media != "application/x-protobuf":
	case proto == "" || proto == "prometheus.WriteRequest":
		return Write1, nil
	case proto == "io.prometheus.write.v2.Request":
		return Write2, nil
	}
	return "", wrong(text.Say("the content type %q is not taken", "コンテントタイプ %q には対応していません", kind))
}

// unpackers are buffers for what is decompressed.
var unpackers = sync.Pool{New: func() any { return compression.NewSyncDecodeBuffer() }}

// unpack decompresses a message into a buffer.
func (r *Receiver) unpack(packed []byte, into compression.DecodeBuffer) ([]byte, error) {
	if size, n := binary.Uvarint(packed); n > 0 && size > uint64(r.o.MaxBody) { //nolint:gosec // the limit is positive
		return nil, httpapi.TooLarge(r.o.MaxBody)
	}
	message, err := compression.Decode(compression.Snappy, packed, into)
	if err != nil || len(packed) == 0 {
		return nil, malformed("snappy", err)
	}
	return message, nil
}

func malformed(what string, err error) error {
	return httpapi.Status(http.StatusBadRequest, fault.New(fault.Invalid, "metrics.write_malformed", text.Say(
		"the request cannot be read: it is no valid %s", "リクエストを読み取れません（%s として正しくありません）", what)).
		Fix(text.Say("check what is between the sender and this server, such as a proxy", "プロキシなど、送信元とこのサーバーの間にあるものを確認してください")).Wrap(err))
}

// takeV1 takes a message of version 1.0. Metadata and exemplars are not kept.
func (t *taking) takeV1(message []byte) error {
	var req prompb.WriteRequest
	if err := req.Unmarshal(message); err != nil {
		return malformed("prometheus.WriteRequest", err)
	}
	b := labels.NewScratchBuilder(0)
	for i := range req.Timeseries {
		ts := &req.Timeseries[i]
		ls := ts.ToLabels(&b, nil)
		if why, ok := checkLabels(ls); !ok {
			t.refuse(why, len(ts.Samples)+len(ts.Histograms), ls.String())
			continue
		}
		var ref storage.SeriesRef
		var err error
		for _, s := range ts.Samples {
			if ref, err = t.Append(ref, ls, 0, s.Timestamp, s.Value, nil, nil, storage.AOptions{}); err != nil {
				return err
			}
		}
		for _, h := range ts.Histograms {
			var whole *histogram.Histogram
			var fractions *histogram.FloatHistogram
			if h.IsFloatHistogram() {
				fractions = h.ToFloatHistogram()
			} else {
				whole = h.ToIntHistogram()
			}
			if ref, err = t.Append(ref, ls, 0, h.Timestamp, 0, whole, fractions, storage.AOptions{}); err != nil {
				return err
			}
		}
	}
	return nil
}

// takeV2 takes a message of version 2.0.
func (t *taking) takeV2(message []byte) error {
	var req writev2.Request
	if err := req.Unmarshal(message); err != nil {
		return malformed("io.prometheus.write.v2.Request", err)
	}
	b := labels.NewScratchBuilder(0)
	for i := range req.Timeseries {
		if err := t.takeSeries(&req.Timeseries[i], req.Symbols, &b); err != nil {
			return err
		}
	}
	return nil
}

// takeSeries takes the samples of one series. When a counter began says that it
// was zero then; other things begin nowhere.
func (t *taking) takeSeries(ts *writev2.TimeSeries, symbols []string, b *labels.ScratchBuilder) error {
	n := len(ts.Samples) + len(ts.Histograms)
	ls, err := ts.ToLabels(b, symbols)
	if err != nil {
		t.refuse(badLabels, max(n, 1), err.Error())
		return nil
	}
	if why, ok := checkLabels(ls); !ok {
		t.refuse(why, max(n, 1), ls.String())
		return nil
	}
	if n == 0 {
		t.refuse(noSamples, 1, ls.String())
		return nil
	}
	begins := ts.Metadata.Type != writev2.Metadata_METRIC_TYPE_GAUGE
	var ref storage.SeriesRef
	for _, s := range ts.Samples {
		st := s.StartTimestamp
		if !begins || !isCount(s.Value) {
			st = 0
		}
		if ref, err = t.Append(ref, ls, st, s.Timestamp, s.Value, nil, nil, storage.AOptions{}); err != nil {
			return err
		}
	}
	for _, h := range ts.Histograms {
		var whole *histogram.Histogram
		var fractions *histogram.FloatHistogram
		if h.IsFloatHistogram() {
			fractions = h.ToFloatHistogram()
		} else {
			whole = h.ToIntHistogram()
		}
		if ref, err = t.Append(ref, ls, h.StartTimestamp, h.Timestamp, 0, whole, fractions, storage.AOptions{}); err != nil {
			return err
		}
	}
	return nil
}
