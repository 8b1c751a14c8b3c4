// Package receive takes metrics that others send into the embedded store: by
// Prometheus' remote write, versions 1.0 and 2.0, and by OTLP over HTTP.
//
// A request is answered with 2xx once what it holds is on the disk. Samples that
// will never be accepted are left out, and the answer says how many, why, and what
// to do; the others of the request are stored. Where nothing can be stored now the
// answer is 503 with Retry-After, and nothing of the request is. The package knows
// nothing of what is counted: the store does that with all samples alike.
package receive

import (
	"bytes"
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/prometheus/storage"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/metrics/embedded"
)

// Where senders send to.
const (
	WritePath = "/api/v1/write"
	OTLPPath  = "/api/v1/otlp/v1/metrics"
)

const scopeWrite httpapi.Scope = "metrics:write"

// Defaults of Options.
const (
	DefaultMaxBody = 16 << 20
	atOnce         = 8 // requests that are worked on; others wait
	waitLimit      = 10 * time.Second
	aheadOfTime    = 10 * time.Minute // how far in the future samples may lie
)

// Options says where samples go.
type Options struct {
	Store      *embedded.Store
	OutOfOrder time.Duration // how late they may be, as the store has it
	MaxSeries  int           // as the store has it
	MaxBody    int64         // bytes of a request, once it is unpacked
	Promote    []string      // attributes of OTLP resources that become labels
	Log        *slog.Logger
	Now        func() time.Time
}

// Receiver takes requests of senders. It is safe for concurrent use.
type Receiver struct {
	o       Options
	api     *httpapi.API
	slots   chan struct{}
	deltas  deltas
	senders senders
}

// New returns a receiver that is not reachable yet.
func New(o Options) *Receiver {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.MaxBody, o.MaxSeries = cmp.Or(o.MaxBody, DefaultMaxBody), cmp.Or(o.MaxSeries, embedded.DefaultMaxSeries)
	o.OutOfOrder = cmp.Or(o.OutOfOrder, embedded.DefaultOutOfOrder)
	r := &Receiver{o: o, slots: make(chan struct{}, atOnce)}
	r.deltas.store, r.deltas.now = o.Store, o.Now
	return r
}

// Register makes the receiver reachable.
func (r *Receiver) Register(a *httpapi.API) {
	r.api = a
	a.HandleSteady("POST "+WritePath, scopeWrite, http.HandlerFunc(r.serveWrite))
	a.HandleSteady("POST "+OTLPPath, scopeWrite, http.HandlerFunc(r.serveOTLP))
}

// enter waits for one of the places for requests. It is a fault to try again
// later where none becomes free.
func (r *Receiver) enter(ctx context.Context) (leave func(), err error) {
	timer := time.NewTimer(waitLimit)
	defer timer.Stop()
	select {
	case r.slots <- struct{}{}:
		return func() { <-r.slots }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-timer.C:
		return nil, fault.New(fault.Unavailable, "metrics.receive_busy", text.Say(
			"too many senders send metrics at the moment", "メトリクスの受信が混み合っています")).
			Fix(text.Say("send the same again later", "しばらくしてから同じ内容を送り直してください")).After(waitLimit)
	}
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// buffer is one to be given back with release.
func buffer() *bytes.Buffer {
	b, _ := buffers.Get().(*bytes.Buffer)
	b.Reset()
	return b
}

// mostKept is the size of buffer that is worth being kept.
const mostKept = 4 << 20

func release(b *bytes.Buffer) {
	if b.Cap() <= mostKept {
		buffers.Put(b)
	}
}

// begin starts taking the samples of one request.
func (r *Receiver) begin(ctx context.Context, who sender) *taking {
	now := r.o.Now()
	return &taking{
		app: r.o.Store.Receive(ctx), latest: now.Add(aheadOfTime).UnixMilli(), now: now,
		clashes: r.senders.clashes(who), tally: tally{outOfOrder: r.o.OutOfOrder, maxSeries: r.o.MaxSeries},
	}
}

// end stores what was taken, so that it is on the disk, and notes who sent it.
// What was left out is a fault, and the rest is stored nevertheless.
func (r *Receiver) end(t *taking, who sender) error {
	err := t.fatal
	if err == nil {
		err = t.app.Commit()
	} else if e := t.app.Rollback(); e != nil {
		r.o.Log.Warn("samples not taken back", "error", e)
	}
	if err == nil {
		err = r.o.Store.Sync()
	}
	if err != nil {
		t.fatal = storeFault(err)
		r.senders.note(who, t, t.fatal)
		return t.fatal
	}
	var refused error
	if f := t.refusal(); f != nil {
		refused = httpapi.Status(http.StatusBadRequest, f)
	}
	r.senders.note(who, t, refused)
	return refused
}

// storeFault says that nothing was stored and the same may be sent again.
func storeFault(err error) error {
	if _, ok := fault.As(err); ok {
		return err
	}
	return fault.New(fault.Unavailable, "metrics.not_stored", text.Say(
		"the samples could not be stored", "サンプルを保存できませんでした")).
		Fix(text.Say("send the same again; the server's log says more", "同じ内容を送り直してください（詳細はサーバーのログを確認してください）")).
		After(5 * time.Second).Wrap(err)
}

var _ storage.AppenderV2 = (*taking)(nil)
