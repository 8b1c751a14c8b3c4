package receive_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/metrics/embedded"
	"github.com/teiten/teiten/observe/metrics/receive"
	"github.com/teiten/teiten/observe/metrics/receive/receivetest"
	"github.com/teiten/teiten/test/scenario"
)

var (
	storySeed = flag.Uint64("receive.seed", 0, "tells the stories of this seed again")
	stories   = flag.Int("receive.stories", 6, "how many stories are told, of those that there are")
)

// world is a store that is sent metrics, with a clock of its own.
type world struct {
	t        testing.TB
	dir      string
	now      time.Time
	store    *embedded.Store
	receiver *receive.Receiver
	handler  http.Handler
	options  receive.Options
}

func newWorld(t testing.TB, o receive.Options) *world {
	w := &world{t: t, dir: t.TempDir(), now: time.Now(), options: o}
	w.open()
	t.Cleanup(func() {
		if err := w.store.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

func (w *world) open() {
	w.t.Helper()
	clock := func() time.Time { return w.now }
	store, err := embedded.Open(context.Background(), embedded.Options{Dir: w.dir, RetentionTime: 3650 * 24 * time.Hour,
		OutOfOrder: w.options.OutOfOrder, MaxSeries: w.options.MaxSeries, Now: clock})
	if err != nil {
		w.t.Fatal(err)
	}
	o := w.options
	o.Store, o.Now = store, clock
	w.store, w.receiver = store, receive.New(o)
	api := httpapi.New(httpapi.Options{Title: "T", Authorizer: httpapi.AuthorizerFunc(func(r *http.Request, _ httpapi.Scope) (context.Context, error) {
		return httpapi.WithCaller(r.Context(), httpapi.Caller{Kind: "token", ID: "t"}), nil
	})})
	w.receiver.Register(api)
	w.handler = api.Handler()
}

// send posts a message.
func (w *world) send(m receivetest.Message) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, m.Path, bytes.NewReader(m.Body))
	r.Header = m.Header
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	return rec
}

// take posts a message that is to be taken as a whole.
func (w *world) take(m receivetest.Message) {
	w.t.Helper()
	if rec := w.send(m); rec.Code/100 != 2 || m.Path == receive.OTLPPath && rec.Body.Len() > 0 {
		w.t.Fatal(rec.Code, rec.Body.String())
	}
}

// delivery is a request and when it arrives.
type delivery struct {
	at      time.Time
	message receivetest.Message
}

// deliveries splits a story over requests of several senders, each with some of
// the series. Requests come a little late, sometimes twice, sometimes after the
// next one; and one sender is away for two hours, and delivers all of it then.
func deliveries(s *scenario.Scenario, write func([]receivetest.Series) receivetest.Message, r *rand.Rand) []delivery {
	const senders, batch = 3, 6 * time.Minute
	away := s.From.Add(time.Duration(r.Int64N(int64(s.To.Sub(s.From)))))
	type key struct {
		sender int
		batch  int64
	}
	parts := map[key]map[int][]receivetest.Point{}
	for _, x := range s.Samples {
		k := key{x.Series % senders, x.T / batch.Milliseconds()}
		if parts[k] == nil {
			parts[k] = map[int][]receivetest.Point{}
		}
		parts[k][x.Series] = append(parts[k][x.Series], receivetest.Point{T: x.T, V: x.V})
	}
	var all []delivery
	for k, series := range parts {
		var body []receivetest.Series
		for i, points := range series {
			body = append(body, receivetest.Series{Labels: s.Labels[i], Points: points})
		}
		end := time.UnixMilli((k.batch + 1) * batch.Milliseconds())
		at := end.Add(time.Duration(r.Int64N(int64(3 * time.Second))))
		switch d := end.Sub(away); {
		case k.sender == 0 && d > 0 && d < 2*time.Hour:
			at = away.Add(2*time.Hour + d/100)
		case r.IntN(20) == 0: // after the next ones
			at = at.Add(batch + batch/2)
		}
		x := delivery{at, write(body)}
		all = append(all, x)
		if r.IntN(20) == 0 { // the answer was lost
			x.at = x.at.Add(time.Duration(r.Int64N(int64(10 * time.Minute))))
			all = append(all, x)
		}
	}
	slices.SortFunc(all, func(a, b delivery) int { return a.at.Compare(b.at) })
	return all
}

// reader reads each minute once it is over for two minutes, and again when the
// store says that it learned of it: as those do who count objectives.
type reader struct {
	w          *world
	selections []metrics.Selection
	first      int64
	read       int64       // the first minute that was not read
	values     [][]float64 // by selection and minute since first
	passes     int
}

func newReader(w *world, s *scenario.Scenario) *reader {
	selector := fmt.Sprintf("%s{job=%q", scenario.Metric, s.JobName())
	r := &reader{w: w, first: s.From.Unix()/60 - 1, selections: []metrics.Selection{{Expr: "sum(" + selector + "})"}, {Expr: "sum(" + selector + `,code="500"})`}}}
	r.read = r.first
	r.values = [][]float64{nil, nil}
	w.store.Watch(r.selections)
	return r
}

func (r *reader) look() {
	if until := metrics.MinuteOf(r.w.now.Add(-2 * time.Minute).UnixMilli()); until > r.read {
		r.take(r.read, until)
		r.read = until
	}
}

// hear reads what came late.
func (r *reader) hear() {
	changed, mark := r.w.store.Late()
	spans := map[int64]bool{}
	for _, c := range changed {
		if c.Selection.Expr == "" && !c.All {
			continue
		}
		for m := max(c.From, r.first); m < min(c.To, r.read); m++ {
			spans[m] = true
		}
	}
	for m := r.first; m < r.read; m++ {
		if from := m; spans[m] {
			for spans[m] {
				m++
			}
			r.take(from, m)
			r.passes++
		}
	}
	if err := r.w.store.LateTaken(mark); err != nil {
		r.w.t.Fatal(err)
	}
}

func (r *reader) take(from, to int64) {
	r.w.t.Helper()
	counts, err := r.w.store.Counts(context.Background(), r.selections, from, to)
	if err != nil || counts[0].Err != nil || counts[1].Err != nil {
		r.w.t.Fatal(err, counts)
	}
	for i := range r.values {
		for m := from; m < to; m++ {
			for int64(len(r.values[i])) <= m-r.first {
				r.values[i] = append(r.values[i], math.NaN())
			}
			if v := counts[i].Values[m-from]; !math.IsNaN(v) {
				r.values[i][m-r.first] = v
			}
		}
	}
}

func (r *reader) sum(from, to int64) (c scenario.Count) {
	for m := from; m < to; m++ {
		for i, into := range []*float64{&c.Total, &c.Bad} {
			if at := m - r.first; at >= 0 && at < int64(len(r.values[i])) && !math.IsNaN(r.values[i][at]) {
				*into += r.values[i][at]
			}
		}
	}
	return c
}

// What is sent counts as what is scraped does: whatever way it comes in, however
// late, out of order, split and repeated, read as it comes and read again where the
// store says so.
func TestWhatIsSentIsCountedToTheLastEventByWhateverWay(t *testing.T) {
	from := time.Now().UTC().Truncate(time.Hour).Add(-48 * time.Hour)
	seed := *storySeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-receive.seed=%d", seed)
	ways := []struct {
		name  string
		write func([]receivetest.Series) receivetest.Message
	}{{"remote write 1.0", receivetest.Write1}, {"remote write 2.0", receivetest.Write2}, {"OTLP", receivetest.OTLP}}
	r := rand.New(rand.NewPCG(seed, 4)) //nolint:gosec // which stories are told
	plans := append(scenario.Plans(from, 1), scenario.Adversities(from, 1)...)
	r.Shuffle(len(plans), func(i, j int) { plans[i], plans[j] = plans[j], plans[i] })
	for i, p := range plans[:min(*stories, len(plans))] {
		way := ways[i%3]
		t.Run(p.Name+" by "+way.name, func(t *testing.T) {
			w := newWorld(t, receive.Options{OutOfOrder: 36 * time.Hour})
			s := scenario.Make(p, seed)
			tell(t, w, s, way.write, seed)
		})
	}
}

func tell(t *testing.T, w *world, s *scenario.Scenario, write func([]receivetest.Series) receivetest.Message, seed uint64) {
	t.Helper()
	r := newReader(w, s)
	for i, d := range deliveries(s, write, rand.New(rand.NewPCG(seed, 3))) { //nolint:gosec // what can be repeated
		for ; i > 0 && d.at.Sub(w.now) > time.Minute; w.now = w.now.Add(time.Minute) {
			r.look()
			r.hear()
		}
		w.now = d.at
		w.take(d.message)
	}
	w.now = s.To.Add(5 * time.Minute)
	r.look()
	r.hear()
	compare(t, s, "read as it came", r.sum)
	whole := newReader(w, s)
	whole.take(s.From.Unix()/60-1, s.To.Unix()/60+2)
	compare(t, s, "read at the end", whole.sum)
}

func compare(t *testing.T, s *scenario.Scenario, what string, sum func(from, to int64) scenario.Count) {
	t.Helper()
	wrong := 0
	for from := s.From; from.Before(s.To); from = from.Add(time.Hour) {
		a, b := from.Unix()/60, from.Unix()/60+60
		if s.InGap(a) || s.InGap(b) {
			continue
		}
		if got, want := sum(a, b), s.Seen(from, from.Add(time.Hour)); got != want {
			if wrong++; wrong < 4 {
				t.Errorf("%s, the hour of %s: counted %v, the scrapes saw %v", what, from.Format(time.DateTime), got, want)
			}
		}
	}
	if s.BeginsInGap() || s.InGap(s.To.Unix()/60) {
		return
	}
	if got, want := sum(s.From.Unix()/60-1, s.To.Unix()/60+2), s.Seen(s.From, s.To.Add(time.Minute)); got != want {
		t.Errorf("%s: counted %v in all, the scrapes saw %v", what, got, want)
	}
}
