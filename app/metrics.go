package app

import (
	"context"
	"runtime"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/teiten/teiten/kit/queue"
)

// selfMetrics is what the server says of itself, besides what the rooms say of
// theirs.
type selfMetrics struct {
	requests *prometheus.HistogramVec
}

// newSelfMetrics registers the server's own figures.
func (a *App) newSelfMetrics() selfMetrics {
	m := selfMetrics{requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "teiten_http_request_duration_seconds", Help: "Time to answer requests, by operation and status class. Live streams are left out.",
		Buckets: []float64{.005, .02, .1, .5, 2, 10},
	}, []string{"operation", "status"})}
	a.metrics.MustRegister(
		m.requests, queueCollector{a.queue},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "teiten_build_info", Help: "Always 1, with the version of the server as a label.",
			ConstLabels: prometheus.Labels{"version": Version, "goversion": runtime.Version()},
		}, func() float64 { return 1 }),
	)
	return m
}

const streamPattern = "GET /api/v1/journal/stream"

// observe counts one answer. What no operation answered is counted together, so
// that strangers cannot make up series.
func (m selfMetrics) observe(pattern string, status int, took time.Duration) {
	if pattern == streamPattern {
		return
	}
	if pattern == "" {
		pattern = "none"
	}
	m.requests.WithLabelValues(pattern, strconv.Itoa(status/100)+"xx").Observe(took.Seconds())
}

// queueCollector tells how long the queue of jobs is.
type queueCollector struct{ queue *queue.Queue }

var queueJobs = prometheus.NewDesc("teiten_queue_jobs", "Jobs by state: waiting, running, retrying, discarded.", []string{"state"}, nil)

const collectTimeout = 2 * time.Second

// Describe implements prometheus.Collector.
func (queueCollector) Describe(c chan<- *prometheus.Desc) { c <- queueJobs }

// Collect implements prometheus.Collector. A database that does not answer makes
// the figures absent, not zero.
func (q queueCollector) Collect(c chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), collectTimeout)
	defer cancel()
	n, err := q.queue.Counts(ctx)
	if err != nil {
		c <- prometheus.NewInvalidMetric(queueJobs, err)
		return
	}
	for state, count := range map[string]int64{"waiting": n.Waiting, "running": n.Running, "retrying": n.Retrying, "discarded": n.Discarded} {
		c <- prometheus.MustNewConstMetric(queueJobs, prometheus.GaugeValue, float64(count), state)
	}
}
