package scenario

import (
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
)

// Shape is how the simulated service counts.
type Shape int

const (
	// Codes is one counter for each code of an answer.
	Codes Shape = iota
	// Split is a counter of requests and another of those that failed.
	Split
	// ManyCodes is ten counters, of which some are born late.
	ManyCodes
	// Classic is a histogram of delays with counters for its buckets; what takes
	// longer than a quarter of a second is bad.
	Classic
	// Native is a native histogram of delays.
	Native
)

// The metrics of the simulated service.
const (
	Metric    = "http_requests_total"
	Failed    = "http_requests_failed_total"
	Histogram = "http_request_duration_seconds"
	Job       = "checkout"
)

// moved ends the name of a job that a pod is scraped under later.
const moved = "-moved"

// JobName is the job of the plan's series: Job, unless the plan has one of its
// own.
func (p *Plan) JobName() string {
	if p.Job != "" {
		return p.Job
	}
	return Job
}

// selector selects what is counted of a metric.
func (p *Plan) selector(metric, more string) string {
	all := []string{`job=~"` + p.JobName() + "(" + moved + `)?"`}
	if p.Target == nil {
		all[0] = `job="` + p.JobName() + `"`
	}
	if len(p.Twins) > 0 {
		for _, name := range slices.Sorted(maps.Keys(p.Twins[0])) {
			all = append(all, name+`="`+p.Twins[0][name]+`"`)
		}
	}
	if more != "" {
		all = append(all, more)
	}
	return metric + "{" + strings.Join(all, ",") + "}"
}

// Total is the expression of all events.
func (p *Plan) Total() string {
	switch p.Shape {
	case Classic:
		return "sum(" + p.selector(Histogram+"_count", "") + ")"
	case Native:
		return "histogram_count(sum(" + p.selector(Histogram, "") + "))"
	}
	return "sum(" + p.selector(Metric, "") + ")"
}

// Bad is the expression of bad events, and empty where the service counts none.
func (p *Plan) Bad() string {
	switch p.Shape {
	case Classic, Native:
		return ""
	case Split:
		return "sum(" + p.selector(Failed, "") + ")"
	}
	return "sum(" + p.selector(Metric, `code=~"5.."`) + ")"
}

// Good is the expression of good events, and empty where the service counts none.
func (p *Plan) Good() string {
	switch p.Shape {
	case Classic:
		return "sum(" + p.selector(Histogram+"_bucket", `le="0.25"`) + ")"
	case Native:
		all := "sum(" + p.selector(Histogram, "") + ")"
		return "histogram_fraction(0, 0.25, " + all + ") * histogram_count(" + all + ")"
	case Split:
		return ""
	}
	return "sum(" + p.selector(Metric, `code!~"5.."`) + ")"
}

// value is what a process shows of one series.
type value struct {
	name, label, of string
	v               float64
	h               *histogram.Histogram
}

// values are what a process shows now.
func (s *simulation) values(p *process, at time.Time) []value {
	switch s.Shape {
	case Split:
		return []value{{name: Metric, v: p.good + p.bad}, {name: Failed, v: p.bad}}
	case Classic:
		return []value{
			{Histogram + "_bucket", "le", "0.1", math.Floor(p.good * 0.6), nil}, {Histogram + "_bucket", "le", "0.25", p.good, nil},
			{Histogram + "_bucket", "le", "1", p.good + math.Floor(p.bad/2), nil}, {Histogram + "_bucket", "le", "+Inf", p.good + p.bad, nil},
			{Histogram + "_count", "", "", p.good + p.bad, nil}, {Histogram + "_sum", "", "", 0.15*p.good + 0.5*p.bad, nil},
		}
	case Native:
		schema := int32(0)
		if s.Schema != nil {
			schema = s.Schema(p.pod, at)
		}
		return []value{{name: Histogram, h: native(schema, p.good, p.bad)}}
	case ManyCodes:
		all := []value{{Metric, "code", "500", p.bad - math.Floor(p.bad/5), nil}, {Metric, "code", "503", math.Floor(p.bad / 5), nil}}
		rest := p.good
		for i, code := range []string{"201", "202", "204", "301", "302", "400", "404"} {
			n := math.Floor(p.good / math.Pow(5, float64(i+1)))
			all = append(all, value{Metric, "code", code, n, nil})
			rest -= n
		}
		return append(all, value{Metric, "code", "200", rest, nil})
	}
	return []value{{Metric, "code", "200", p.good, nil}, {Metric, "code", "500", p.bad, nil}}
}

// native is a histogram of delays of 0.1 and 0.2 seconds, and, for what is bad, of
// 0.3 and 0.9.
func native(schema int32, good, bad float64) *histogram.Histogram {
	counts := map[int32]int64{}
	quick, slow := math.Floor(good*0.6), math.Floor(bad/2)
	for delay, n := range map[float64]float64{0.1: quick, 0.2: good - quick, 0.3: slow, 0.9: bad - slow} {
		if n > 0 {
			counts[int32(math.Ceil(math.Log2(delay)*math.Pow(2, float64(schema))))] += int64(n)
		}
	}
	h := &histogram.Histogram{Schema: schema, ZeroThreshold: 1e-9, Count: uint64(good + bad), Sum: 0.15*good + 0.5*bad}
	var next int32
	var last int64
	for i, at := range slices.Sorted(maps.Keys(counts)) {
		offset := at - next
		if i == 0 || offset > 0 {
			h.PositiveSpans = append(h.PositiveSpans, histogram.Span{Offset: offset})
		}
		h.PositiveSpans[len(h.PositiveSpans)-1].Length++
		h.PositiveBuckets = append(h.PositiveBuckets, counts[at]-last)
		last, next = counts[at], at+1
	}
	return h
}

// visit writes what one pod shows.
func (s *simulation) visit(p *process, planned, at time.Time) {
	twin := map[string]string{}
	if len(s.Twins) > 0 {
		twin = s.Twins[0]
	}
	if !s.write(p, planned, at, 0, twin) {
		return
	}
	// A scrape on a full minute belongs to the minute that ends there.
	minute := int64((at.Sub(s.From) - 1) / time.Minute)
	s.seen[minute].Total += (p.good - p.goodSeen) + (p.bad - p.badSeen)
	s.seen[minute].Bad += p.bad - p.badSeen
	p.goodSeen, p.badSeen = p.good, p.bad
}

// scrapeTwins writes what others see that is not counted.
func (s *simulation) scrapeTwins(planned time.Time, alone bool) {
	for i, twin := range s.Twins {
		if i == 0 {
			continue
		}
		for n, p := range s.pods() {
			at := planned.Add(time.Duration(1000*i+7919*n%9000) * time.Millisecond)
			if alone {
				at = at.Add(time.Second)
			}
			s.write(p, planned, at, i, twin)
		}
	}
}

// write writes what a pod shows under some labels, and reports false where it
// cannot be reached.
func (s *simulation) write(p *process, planned, at time.Time, nth int, twin map[string]string) bool {
	away := s.Away != nil && s.Away(p.pod, planned)
	labels := map[string]string{"job": s.JobName(), "instance": p.pod}
	if s.Target != nil {
		labels = s.Target(p.pod, planned)
		labels["job"] = s.JobName() + labels["job"]
	}
	maps.Copy(labels, twin)
	key := p.pod + "\x00" + string(rune('0'+nth))
	if !s.Bare {
		up := 1.0
		if away {
			up = 0
		}
		s.sample(at, value{name: "up", v: up}, labels, "")
	}
	if away {
		s.show(key, at, nil)
		return false
	}
	shown := map[int]bool{}
	if s.Tells {
		shown[s.sample(at, value{name: "process_start_time_seconds", v: float64(p.began.Unix())}, labels, "")] = true
	}
	for _, v := range s.values(p, at) {
		if v.v > 0 || v.h != nil || s.Born || v.label != "code" || v.of == "200" {
			shown[s.sample(at, v, labels, p.version)] = true
		}
	}
	s.show(key, at, shown)
	return true
}

// forget marks what a pod showed as gone.
func (s *simulation) forget(pod string, at time.Time) {
	for key := range s.shown {
		if strings.HasPrefix(key, pod+"\x00") {
			s.show(key, at, nil)
		}
	}
}

// show keeps which series a scrape of a pod held, and marks those as gone that the
// former one held and this one does not.
func (s *simulation) show(key string, at time.Time, shown map[int]bool) {
	if s.Marked {
		for _, i := range slices.Sorted(maps.Keys(s.shown[key])) {
			if !shown[i] {
				s.Samples = append(s.Samples, Sample{Series: i, T: at.UnixMilli(), V: math.Float64frombits(staleBits)})
			}
		}
	}
	s.shown[key] = shown
}

// staleBits are those of the NaN that marks a series as gone.
const staleBits = 0x7ff0000000000002

func (s *simulation) sample(at time.Time, v value, target map[string]string, version string) int {
	labels := map[string]string{"__name__": v.name}
	maps.Copy(labels, target)
	if v.label != "" {
		labels[v.label] = v.of
	}
	if version != "" {
		labels["version"] = version
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		b.WriteString(name + "\x00" + labels[name] + "\x00")
	}
	i, ok := s.index[b.String()]
	if !ok {
		i = len(s.Labels)
		s.index[b.String()] = i
		s.Labels = append(s.Labels, labels)
	}
	s.Samples = append(s.Samples, Sample{Series: i, T: at.UnixMilli(), V: v.v, H: v.h})
	return i
}
