package receive

import (
	"compress/gzip"
	"context"
	"encoding/binary"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/storage/remote/otlptranslator/prometheusremotewrite"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/kit/text"
)

// OTLP is the protocol's name, as senders are shown.
const OTLP = "OTLP"

const (
	protobuf = "application/x-protobuf"
	asJSON   = "application/json"

	// lookback is how far a target_info reaches.
	lookback = 5 * time.Minute
)

// serveOTLP takes a request of OTLP over HTTP. Its answers are as OTLP has them:
// what was left out of a good request is told in a partial success.
func (r *Receiver) serveOTLP(w http.ResponseWriter, req *http.Request) {
	media, _, err := mime.ParseMediaType(req.Header.Get("Content-Type"))
	if err != nil || media != protobuf && media != asJSON {
		r.api.WriteError(w, req, httpapi.Status(http.StatusUnsupportedMediaType, fault.New(fault.Invalid, "metrics.otlp_format",
			text.Say("the content type %q is not taken", "コンテントタイプ %q には対応していません", req.Header.Get("Content-Type"))).
			Fix(text.Say("send application/x-protobuf or application/json", "application/x-protobuf か application/json で送ってください"))))
		return
	}
	left, f, err := r.takeOTLP(req, media)
	if err != nil {
		r.refuseOTLP(w, req, media, err)
		return
	}
	body, err := answerOTLP(media, left, f, text.LangFrom(req.Context()))
	if err != nil {
		r.api.WriteError(w, req, err)
		return
	}
	w.Header().Set("Content-Type", media)
	_, _ = w.Write(body) // the sender may be gone
}

// answerOTLP says that a request was taken, and what of it was not. Where all was,
// the answer must not have the part that says so.
func answerOTLP(media string, left int, why *fault.Error, lang text.Lang) ([]byte, error) {
	if why == nil && media == asJSON {
		return []byte("{}"), nil
	}
	if why == nil {
		return nil, nil
	}
	answer := pmetricotlp.NewExportResponse()
	answer.PartialSuccess().SetRejectedDataPoints(int64(left))
	answer.PartialSuccess().SetErrorMessage(why.In(lang))
	if media == asJSON {
		return answer.MarshalJSON()
	}
	return answer.MarshalProto()
}

// takeOTLP stores a request, and returns how many data points were left out and
// why. An error says that none was stored.
func (r *Receiver) takeOTLP(req *http.Request, media string) (left int, why *fault.Error, err error) {
	leave, err := r.enter(req.Context())
	if err != nil {
		return 0, nil, err
	}
	defer leave()
	md, err := r.readOTLP(req, media)
	if err != nil {
		return 0, nil, err
	}
	who := senderOf(req, OTLP)
	points := md.DataPointCount()
	t := r.begin(req.Context(), who)
	deltas := split(md)
	r.convert(req.Context(), t, md, cumulative{t})
	if deltas.MetricCount() > 0 {
		turn := r.deltas.begin(t)
		defer turn.end()
		r.convert(req.Context(), t, deltas, turn)
		turn.carryOn()
		err = r.end(t, who)
		turn.stored = err == nil || isRefusal(err)
	} else {
		err = r.end(t, who)
	}
	if isRefusal(err) {
		why, _ = fault.As(err)
		return min(t.refused, points), why, nil
	}
	return 0, nil, err
}

// isRefusal reports whether an error tells only of what was left out.
func isRefusal(err error) bool {
	f, ok := fault.As(err)
	return ok && f.Code == codeRefused
}

// readOTLP reads a request.
func (r *Receiver) readOTLP(req *http.Request, media string) (pmetric.Metrics, error) {
	packed, body := buffer(), buffer()
	defer release(packed)
	defer release(body)
	none := pmetric.NewMetrics()
	if err := httpapi.ReadBody(req, r.o.MaxBody, packed); err != nil {
		return none, err
	}
	switch e := req.Header.Get("Content-Encoding"); e {
	case "", "identity":
		body, packed = packed, body
	case "gzip":
		z, err := gzip.NewReader(packed)
		if err == nil {
			_, err = body.ReadFrom(io.LimitReader(z, r.o.MaxBody+1))
		}
		if err != nil {
			return none, malformed("gzip", err)
		}
		if int64(body.Len()) > r.o.MaxBody {
			return none, httpapi.TooLarge(r.o.MaxBody)
		}
	default:
		return none, httpapi.Status(http.StatusUnsupportedMediaType, fault.New(fault.Invalid, "metrics.otlp_format",
			text.Say("the encoding %q is not taken", "エンコーディング %q には対応していません", e)).
			Fix(text.Say("compress with gzip, or not at all", "gzip で圧縮するか、圧縮せずに送ってください")))
	}
	x := pmetricotlp.NewExportRequest()
	var err error
	if media == asJSON {
		err = x.UnmarshalJSON(body.Bytes())
	} else {
		err = x.UnmarshalProto(body.Bytes())
	}
	if err != nil {
		return none, malformed("ExportMetricsServiceRequest", err)
	}
	return x.Metrics(), nil
}

// split moves what counts from one point to the next, and not from its start on,
// out of a request.
func split(md pmetric.Metrics) pmetric.Metrics {
	deltas := pmetric.NewMetrics()
	for _, rm := range md.ResourceMetrics().All() {
		var toResource pmetric.ResourceMetrics
		found := false
		for _, sm := range rm.ScopeMetrics().All() {
			var to pmetric.MetricSlice
			moved := false
			sm.Metrics().RemoveIf(func(m pmetric.Metric) bool {
				if !isDelta(m) {
					return false
				}
				if !found {
					toResource = deltas.ResourceMetrics().AppendEmpty()
					rm.Resource().CopyTo(toResource.Resource())
					found = true
				}
				if !moved {
					scope := toResource.ScopeMetrics().AppendEmpty()
					sm.Scope().CopyTo(scope.Scope())
					to, moved = scope.Metrics(), true
				}
				m.MoveTo(to.AppendEmpty())
				return true
			})
		}
	}
	return deltas
}

func isDelta(m pmetric.Metric) bool {
	switch m.Type() {
	case pmetric.MetricTypeSum:
		return m.Sum().AggregationTemporality() == pmetric.AggregationTemporalityDelta
	case pmetric.MetricTypeHistogram:
		return m.Histogram().AggregationTemporality() == pmetric.AggregationTemporalityDelta
	case pmetric.MetricTypeExponentialHistogram:
		return m.ExponentialHistogram().AggregationTemporality() == pmetric.AggregationTemporalityDelta
	}
	return false
}

// convert names and writes metrics as Prometheus does out of the box.
func (r *Receiver) convert(ctx context.Context, t *taking, md pmetric.Metrics, into storage.AppenderV2) {
	c := config.DefaultOTLPConfig
	c.PromoteResourceAttributes = r.o.Promote
	_, err := prometheusremotewrite.NewPrometheusConverter(into).FromMetrics(ctx, md, prometheusremotewrite.Settings{
		AddMetricSuffixes:                    c.TranslationStrategy.ShouldAddSuffixes(),
		AllowUTF8:                            !c.TranslationStrategy.ShouldEscape(),
		PromoteResourceAttributes:            prometheusremotewrite.NewPromoteResourceAttributes(c),
		AllowDeltaTemporality:                true, // here they are made cumulative
		LookbackDelta:                        lookback,
		LabelNameUnderscoreSanitization:      c.LabelNameUnderscoreSanitization,
		LabelNamePreserveMultipleUnderscores: c.LabelNamePreserveMultipleUnderscores,
	})
	if err != nil && t.fatal == nil {
		if ctx.Err() != nil {
			t.fatal = ctx.Err()
			return
		}
		t.refuse(cause{
			text.Say("a metric that Prometheus' model has no place for", "Prometheus のモデルで表せないメトリクス"),
			text.Say("look at what the sender's exporter is set to, such as the temporality", "テンポラリティなど、送信元のエクスポーターの設定を確認してください"),
		}, 1, err.Error())
	}
}

// cumulative takes what counts from its start on.
type cumulative struct{ *taking }

// Append implements storage.AppenderV2. When something began says that it was zero
// then, of what is counted.
func (c cumulative) Append(ref storage.SeriesRef, ls labels.Labels, st, at int64, v float64, h *histogram.Histogram, fh *histogram.FloatHistogram, o storage.AOptions) (storage.SeriesRef, error) {
	switch o.Metadata.Type {
	case model.MetricTypeCounter, model.MetricTypeHistogram, model.MetricTypeSummary:
	default:
		st = 0
	}
	return c.taking.Append(ref, ls, st, at, v, h, fh, o)
}

// refuseOTLP answers that nothing was stored, as OTLP wants it.
func (r *Receiver) refuseOTLP(w http.ResponseWriter, req *http.Request, media string, err error) {
	p := r.api.Problem(req.Context(), err)
	message := p.Detail
	if p.Remedy != "" {
		message += ": " + p.Remedy
	}
	for k, v := range p.GetHeaders() {
		w.Header()[k] = v
	}
	w.Header().Set("Content-Type", media)
	w.WriteHeader(p.Status)
	_, _ = w.Write(status(p.Status, message, media)) // the sender may be gone
}

// The codes of google.rpc.Status that answers have.
const (
	rpcInvalid     = 3
	rpcUnavailable = 14
)

// status is a google.rpc.Status.
func status(httpStatus int, message, media string) []byte {
	code := byte(rpcInvalid)
	if httpStatus >= http.StatusInternalServerError {
		code = rpcUnavailable
	}
	if media == asJSON {
		b, _ := json.Marshal(map[string]any{"code": code, "message": message}) // text and a number always can be
		return b
	}
	b := append([]byte{1 << 3, code, 2<<3 | 2}, binary.AppendUvarint(nil, uint64(len(message)))...)
	return append(b, message...)
}
