package exact_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/teiten/teiten/observe/metrics/receive/receivetest"
	"github.com/teiten/teiten/test/program"
	"github.com/teiten/teiten/test/scenario"
)

// Stories that are sent, a day late, shuffled and repeated, while the objectives
// are there already and believed that nothing had happened.
func TestStoriesThatAreSentLateAreCountedToTheLastEvent(t *testing.T) {
	if !*late {
		t.Skip("a day that is sent shuffled while it is read is not yet counted right every time; -exact.late tells its stories")
	}
	w := &world{t: t, dir: t.TempDir()}
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-exact.seed=%d", *seed)
	r := rand.New(rand.NewPCG(*seed, 5)) //nolint:gosec // what can be repeated
	from := time.Now().UTC().Truncate(time.Hour).AddDate(0, 0, -1)
	plans := append(scenario.Plans(from, 1), scenario.Adversities(from, 1)...)
	r.Shuffle(len(plans), func(i, j int) { plans[i], plans[j] = plans[j], plans[i] })
	for i, p := range plans {
		p.Job = fmt.Sprintf("story-%02d", i)
		s := scenario.Make(p, *seed)
		if s.BeginsInGap() || s.InGap(s.To.Unix()/60) {
			continue // what happened before the first scrape nobody knows
		}
		if w.stories = append(w.stories, &story{Scenario: s}); len(w.stories) == 4 {
			break
		}
	}
	bin, err := program.Build(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	w.server = program.New(program.Options{Binary: bin, Data: filepath.Join(w.dir, "data"), Env: []string{"TEITEN_METRICS_EMBEDDED_RECEIVE_OUT_OF_ORDER=2d"}})
	t.Cleanup(func() { _ = w.server.Kill() }) // the test is over
	if err := w.server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	var documents strings.Builder
	fmt.Fprintf(&documents, sources, "http://127.0.0.1:9")
	for i, s := range w.stories {
		o := objective{name: fmt.Sprintf("sent-%02d", i), source: "embedded"}
		s.objectives = append(s.objectives, o)
		documents.WriteString(o.document(s.Scenario))
	}
	if _, err := w.server.Apply(t.Context(), "sent", documents.String()); err != nil {
		t.Fatal(err)
	}
	w.counted()
	messages := w.messages(r)
	for i, m := range messages {
		w.post(m)
		if i == len(messages)/2 {
			if err := w.server.Kill(); err != nil {
				t.Fatal(err)
			}
			if err := w.server.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			w.post(m) // its answer was lost
		}
	}
	w.caughtUp()
	w.compare()
}

// messages are the stories, split by series and two hours, in no order.
func (w *world) messages(r *rand.Rand) (all []receivetest.Message) {
	ways := []func([]receivetest.Series) receivetest.Message{receivetest.Write1, receivetest.Write2, receivetest.OTLP}
	const senders, batch = 2, 2 * time.Hour
	for i, s := range w.stories {
		parts := map[[2]int64]map[int][]receivetest.Point{}
		for _, x := range s.Samples {
			k := [2]int64{int64(x.Series % senders), x.T / batch.Milliseconds()}
			if parts[k] == nil {
				parts[k] = map[int][]receivetest.Point{}
			}
			parts[k][x.Series] = append(parts[k][x.Series], receivetest.Point{T: x.T, V: x.V})
		}
		for _, part := range parts {
			var body []receivetest.Series
			for series, points := range part {
				body = append(body, receivetest.Series{Labels: s.Labels[series], Points: points})
			}
			all = append(all, ways[i%len(ways)](body))
		}
	}
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

func (w *world) post(m receivetest.Message) {
	w.t.Helper()
	a, err := m.Post(w.t.Context(), w.server.URL, w.server.Token)
	if err != nil || a.Status/100 != 2 || a.Status == 200 && a.Body != "" {
		w.t.Fatal(err, a)
	}
}

// caughtUp waits until everything that was sent is counted, or nothing changes any
// more.
func (w *world) caughtUp() {
	w.t.Helper()
	deadline := time.Now().Add(3 * time.Minute)
	for time.Now().Before(deadline) {
		behind := false
		for _, s := range w.stories {
			x := w.standing(s.objectives[0].name)
			behind = behind || !s.same(x.Total, s.Seen(x.Bounds.WindowFrom, s.To.Add(time.Minute)).Total)
		}
		if !behind {
			return
		}
		time.Sleep(500 * time.Millisecond)
	}
}
