package remote

import (
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"pgregory.net/rapid"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/metrics/promexpr"
)

// raws is a server that answers range vectors from samples in memory, as
// Prometheus does: without the marks of series that are gone.
type raws struct {
	mu      sync.Mutex
	series  map[string][]metrics.Point // by labels
	asked   []string
	samples int
}

func (s *raws) put(ls labels.Labels, at int64, v float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.series[ls.String()] = append(s.series[ls.String()], metrics.Point{T: at, V: v})
}

func (s *raws) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tree, err := parser.NewParser(promexpr.Options).ParseExpr(r.FormValue("query"))
	m, ok := tree.(*parser.MatrixSelector)
	if err != nil || !ok {
		http.Error(w, `{"status":"error","errorType":"bad_data","error":"no range"}`, http.StatusBadRequest)
		return
	}
	s.asked = append(s.asked, r.FormValue("query"))
	at, _ := strconv.ParseFloat(r.FormValue("time"), 64)
	to := int64(at * 1000)
	from := to - m.Range.Milliseconds()
	var out []string
	for name, points := range s.series {
		ls, err := promexpr.Selector(name)
		if err != nil {
			panic(err)
		}
		var names []string
		b := labels.NewScratchBuilder(4)
		for _, l := range ls {
			b.Add(l.Name, l.Value)
			names = append(names, fmt.Sprintf("%q:%q", l.Name, l.Value))
		}
		b.Sort()
		all := b.Labels()
		if slices.ContainsFunc(m.VectorSelector.(*parser.VectorSelector).LabelMatchers, func(x *labels.Matcher) bool { return !x.Matches(all.Get(x.Name)) }) {
			continue
		}
		var values []string
		for _, p := range points {
			if p.T >= from && p.T <= to { // older servers include the beginning
				values = append(values, fmt.Sprintf(`[%.3f,"%g"]`, float64(p.T)/1000, p.V))
			}
		}
		s.samples += len(values)
		if len(values) > 0 {
			out = append(out, `{"metric":{`+strings.Join(names, ",")+`},"values":[`+strings.Join(values, ",")+"]}")
		}
	}
	fmt.Fprintf(w, `{"status":"success","data":{"resultType":"matrix","result":[%s]}}`, strings.Join(out, ","))
}

// told is a client of such a server with a clock of its own.
type told struct {
	*raws
	*Client
	at int64 // Unix milliseconds
}

func tell(t testing.TB) *told {
	t.Helper()
	s := &told{raws: &raws{series: map[string][]metrics.Point{}}, at: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).UnixMilli()}
	srv := httptest.NewServer(s.raws)
	t.Cleanup(srv.Close)
	c, err := New(metrics.Connection{URL: srv.URL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	c.now = func() time.Time { return time.UnixMilli(s.at) }
	s.Client = c
	return s
}

// scrape stores what one target shows now.
func (s *told) scrape(instance string, at int64, up float64, rows map[string]float64) {
	s.put(labels.FromStrings("__name__", "up", "job", "shop", "instance", instance), at, up)
	for code, v := range rows {
		s.put(labels.FromStrings("__name__", "events_total", "job", "shop", "instance", instance, "code", code), at, v)
	}
}

var objectives = []metrics.Selection{
	{Expr: `sum(events_total{job="shop"})`}, {Expr: `sum(events_total{job="shop",code=~"5.."})`},
	{Expr: `sum(events_total{instance="0"})`}, {Expr: `sum(events_total{instance="1"})`}, {Expr: `sum(events_total{instance="2",code="200"})`},
}

// TestWhatIsFollowedIsWhatIsReadAgain: pods that come and go, restart and do not
// answer, errors that are born late, polls at any time. Minute by minute, what is
// followed is what reading the past gives, and both add up to what was shown.
func TestWhatIsFollowedIsWhatIsReadAgain(t *testing.T) {
	compared := 0
	rapid.Check(t, func(r *rapid.T) {
		s := tell(t)
		pods := map[int]map[string]float64{}
		interval := rapid.SampledFrom([]int64{15_000, 30_000, 60_000}).Draw(r, "interval")
		began := s.at
		shown := 0.0
		for i := range 3 { // there before anybody looked
			pods[i] = map[string]float64{"200": 1000}
		}
		rounds := rapid.IntRange(10, 60).Draw(r, "rounds")
		for round := range rounds {
			for i := range 3 {
				at := s.at + int64(i)*1000
				id := strconv.Itoa(i)
				what := rapid.IntRange(0, 15).Draw(r, "pod")
				if round < 4 {
					what = 15
				}
				switch what {
				case 0: // another process, which began at zero
					pods[i] = map[string]float64{"200": 0}
				case 1: // does not answer
					s.scrape(id, at, 0, nil)
					continue
				case 2:
					if _, there := pods[i]["500"]; !there {
						pods[i]["500"] = 0
					}
				}
				for _, code := range slices.Sorted(maps.Keys(pods[i])) {
					n := float64(rapid.IntRange(0, 9).Draw(r, "events"))
					pods[i][code] += n
					if round > 0 {
						shown += n
					}
				}
				s.scrape(id, at, 1, pods[i])
			}
			s.at += interval
			if round == 2 {
				s.Watch(objectives)
			}
			if rapid.IntRange(0, 2).Draw(r, "poll") > 0 || round < 6 {
				continue
			}
			to := metrics.MinuteOf(s.at - 20_000)
			from := to - rapid.Int64Range(1, 3).Draw(r, "span")
			got, err := s.Counts(t.Context(), objectives, from, to)
			if err != nil {
				r.Fatal(err)
			}
			again := s.again(r, from, to)
			compared++
			for i := range got { // polled too early to know that a minute had nothing
				for k, v := range got[i].Values {
					if math.IsNaN(v) && again[i].Values[k] == 0 {
						got[i].Values[k] = 0
					}
				}
			}
			if d := cmp.Diff(again, got, cmpopts.EquateNaNs(), cmpopts.EquateEmpty()); d != "" {
				r.Fatalf("minutes %d to %d: read again − followed: %s", from-began/minute, to-began/minute, d)
			}
		}
		s.at += 20 * minute
		all := s.again(r, metrics.MinuteOf(began), metrics.MinuteOf(s.at))
		if got := sumOf(all[0]); got > shown {
			r.Fatalf("counted %v of %v", got, shown)
		}
	})
	if compared < 100 {
		t.Errorf("only %d comparisons", compared)
	}
}

// again reads the past with a client that follows nothing.
func (s *told) again(r *rapid.T, from, to int64) []metrics.Counts {
	c, err := New(metrics.Connection{URL: s.base.String()})
	if err != nil {
		r.Fatal(err)
	}
	defer c.Close()
	c.now = s.now
	got, err := c.Counts(r.Context(), objectives, from, to)
	if err != nil {
		r.Fatal(err)
	}
	return got
}

func sumOf(c metrics.Counts) (sum float64) {
	for _, v := range c.Values {
		if !math.IsNaN(v) {
			sum += v
		}
	}
	return sum
}

func TestErrorsThatAreBornLateAndTargetsThatAreNewCount(t *testing.T) {
	s := tell(t)
	began := metrics.MinuteAfter(s.at)
	for i := range int64(20) {
		at := s.at + i*30_000 + 1000
		rows := map[string]float64{"200": 1000 + float64(i)}
		if i >= 10 {
			rows["500"] = float64(3 * (i - 9)) // 3 at once
		}
		s.scrape("a", at, 1, rows)
		if i >= 12 {
			s.scrape("b", at+500, 1, map[string]float64{"200": 50})
		}
	}
	s.at += 30 * minute
	got, err := s.Counts(t.Context(), objectives[:2], began, began+20)
	if err != nil {
		t.Fatal(err)
	}
	if all, failed := sumOf(got[0]), sumOf(got[1]); failed != 30 || all != 19+30+50 {
		t.Errorf("%v of %v", failed, all)
	}
}

// TestASeriesWithOneSampleBeforeTheSpanIsJudgedByItsUsualInterval: of a pod that
// was away, came back for one scrape and stayed away for ten minutes more, the
// span begins with a single sample, which does not tell how often it is scraped.
func TestASeriesWithOneSampleBeforeTheSpanIsJudgedByItsUsualInterval(t *testing.T) {
	s := tell(t)
	began := metrics.MinuteOf(s.at)
	there := func(i int64) bool { return i < 5 || i == 20 || i >= 30 }
	for i := range int64(35) {
		at := s.at + i*minute + 1000
		if rows := map[string]float64{"200": float64(10 + i)}; there(i) {
			s.scrape("a", at, 1, rows)
		} else {
			s.scrape("a", at, 1, nil) // another process, which has none yet
		}
	}
	s.at += 60 * minute
	whole, err := s.Counts(t.Context(), objectives[:1], began, began+40)
	if err != nil {
		t.Fatal(err)
	}
	for i := range int64(40) {
		part, err := s.Counts(t.Context(), objectives[:1], began+i, began+i+1)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(whole[0].Values[i:i+1], part[0].Values, cmpopts.EquateNaNs()); d != "" {
			t.Errorf("minute %d: in the whole − alone: %s", i, d)
		}
	}
	if got := whole[0].Values[21]; got != 30 {
		t.Errorf("the pod that came back with 30 counted %v", got)
	}
}

// TestASeriesWithOneSampleBeforeItIsFollowedIsReadAgain: the same where following
// begins between the single sample and the next one.
func TestASeriesWithOneSampleBeforeItIsFollowedIsReadAgain(t *testing.T) {
	s := tell(t)
	began := metrics.MinuteOf(s.at)
	for i := range int64(35) {
		s.scrape("a", s.at+1000, 1, nil)
		if i < 5 || i == 20 || i >= 30 {
			s.put(labels.FromStrings("__name__", "events_total", "job", "shop", "instance", "a"), s.at+1000, float64(10+i))
		}
		s.at += minute
		if i == 25 {
			s.Watch(objectives)
		}
	}
	got, err := s.Counts(t.Context(), objectives[:1], began+31, began+33)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]float64{40, 1}, got[0].Values); d != "" { // another process showed 40
		t.Error(d)
	}
}

// TestSeriesThatAppearTogetherAreLookedForTogether: a gateway shows a hundred pods,
// and was silent for longer than any interval. What was there of them long before
// is asked in a few questions, and the minutes are what one for each would give.
func TestSeriesThatAppearTogetherAreLookedForTogether(t *testing.T) {
	s := tell(t)
	began := metrics.MinuteOf(s.at)
	const pods = 100
	for i := range int64(20) {
		if i < 2 || i >= 18 {
			s.put(labels.FromStrings("__name__", "up", "job", "shop", "instance", "gateway"), s.at+1000, 1)
			for pod := range pods {
				s.put(labels.FromStrings("__name__", "events_total", "job", "shop", "instance", "gateway", "pod", fmt.Sprint(pod)), s.at+1000, float64(i))
			}
		}
		s.at += minute
	}
	count := func(expr string) (float64, int) {
		t.Helper()
		s.asked = nil
		got, err := s.Counts(t.Context(), []metrics.Selection{{Expr: expr}}, began+18, began+20)
		if err != nil {
			t.Fatal(err)
		}
		return got[0].Values[1], len(s.asked)
	}
	together, questions := count(`sum(events_total{job="shop"})`)
	if questions > 15 {
		t.Errorf("%d questions for %d pods", questions, pods)
	}
	var alone float64
	for pod := range pods {
		one, _ := count(fmt.Sprintf(`sum(events_total{pod="%d"})`, pod))
		alone += one
	}
	if together != alone || alone == 0 {
		t.Errorf("%v together, %v one by one", together, alone)
	}
}

func TestASampleIsReadOnceForAllThatWatchIt(t *testing.T) {
	s := tell(t)
	s.Watch(objectives)
	count := func() {
		t.Helper()
		to := metrics.MinuteOf(s.at - 20_000)
		for range 3 {
			if _, err := s.Counts(t.Context(), objectives, to-1, to); err != nil {
				t.Fatal(err)
			}
		}
	}
	i := int64(0)
	scrapes := func(n int64) {
		for ; n > 0; n-- {
			i++
			s.scrape("0", s.at, 1, map[string]float64{"200": float64(i)})
			s.at += 30_000
		}
	}
	scrapes(10)
	count()
	scrapes(2)
	count()
	s.asked, s.samples = nil, 0
	scrapes(2)
	count()
	if len(s.asked) > 3 || s.samples > 4 {
		t.Errorf("%d questions for %d samples: %v", len(s.asked), s.samples, s.asked)
	}
}

func TestTheClockOfTheServerIsCompared(t *testing.T) {
	for _, c := range []struct {
		off   time.Duration
		wrong bool
	}{{0, false}, {8 * time.Second, false}, {time.Minute, true}, {-time.Minute, true}} {
		s := server(t, metrics.Connection{}, func(w http.ResponseWriter, r *http.Request) {
			if r.FormValue("query") == "time()" {
				at := float64(time.Now().Add(c.off).UnixMilli()) / 1000
				fmt.Fprintf(w, `{"status":"success","data":{"resultType":"scalar","result":[%.3f,"%.3f"]}}`, at, at)
				return
			}
			fmt.Fprint(w, `{"status":"success","data":{"resultType":"vector","result":[]}}`)
		})
		err := s.Check(t.Context())
		if f, ok := fault.As(err); ok != c.wrong || (ok && (f.Code != metrics.CodeClock || f.Remedy.JA == "")) {
			t.Errorf("%s: %v", c.off, err)
		}
	}
}

// TestObservationsUpToAThresholdAreCountedFromBuckets reads two samples of a
// native histogram as a server writes them.
func TestObservationsUpToAThresholdAreCountedFromBuckets(t *testing.T) {
	read := func(bound float64) (all []sample) {
		t.Helper()
		body := `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"d"},"histograms":[
			[1,{"count":"7","sum":"3","buckets":[[3,"-0.001","0.001","2"],[0,"0.25","0.5","4"],[0,"0.5","1","1"]]}],
			[2,{"count":"9","sum":"4","buckets":[[3,"-0.001","0.001","2"],[0,"0.25","0.5","5"],[0,"0.5","1","2"]]}]]}]}}`
		err := decodeRaw(strings.NewReader(body), 0, 10_000, func(s *rawSeries) error {
			all = s.samples(promexpr.Observed{Histogram: true, Bounded: true, UpTo: bound})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	for bound, want := range map[float64][2]float64{0.5: {6, 7}, 0.25: {2, 2}, 0.1: {2, 2}, 1: {7, 9}} {
		if got := read(bound); got[0].V != want[0] || got[1].V != want[1] || got[0].err != nil {
			t.Errorf("up to %g: %v", bound, got)
		}
	}
	f, ok := fault.As(read(0.3)[0].err)
	if !ok || f.Code != "metrics.between_buckets" || !strings.Contains(f.What.EN, "between 0.25 and 0.5") || f.Remedy.JA == "" {
		t.Errorf("within a bucket: %v", f)
	}
}

func FuzzDecodeRaw(f *testing.F) {
	for _, s := range []string{
		`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":"b"},"values":[[1,"2"],[3,"4"]]}]}}`,
		`{"data":{"result":[{"metric":{},"histograms":[[1.5,{"count":"7","sum":"3"}]]}],"resultType":"matrix"},"status":"success","warnings":["x"]}`,
		`{"data":{"result":[{"metric":{},"histograms":[[1,{"count":"7","buckets":[[3,"-0.001","0.001","2"],[0,"0.25","0.5","5"]]}]]}],"resultType":"matrix"},"status":"success"}`,
		`{"status":"error"}`, `[]`, `{"data":[]}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		_ = decodeRaw(strings.NewReader(body), 0, 10_000, func(s *rawSeries) error {
			for _, of := range []promexpr.Observed{{}, {Histogram: true}, {Histogram: true, Bounded: true, UpTo: 0.5}} {
				points := s.samples(of)
				for i, p := range points {
					if p.T < 0 || p.T > 10_000 || (i > 0 && p.T <= points[i-1].T) {
						t.Fatalf("%v", points)
					}
				}
			}
			_, _ = s.labels()
			return nil
		})
	})
}
