package metrics

import "github.com/prometheus/client_golang/prometheus"

// Collector reports how the sources are on the program's own /metrics.
func (s *Sources) Collector() prometheus.Collector { return collector{s} }

type collector struct{ s *Sources }

var (
	sourceStatus = prometheus.NewDesc("teiten_metrics_source_status",
		"1 for the status that the data source has now, 0 for the others.", []string{"source", "status"}, nil)
	sourceLatency = prometheus.NewDesc("teiten_metrics_source_latency_seconds",
		"Smoothed time in which the data source answers.", []string{"source"}, nil)
)

// Describe implements prometheus.Collector.
func (collector) Describe(ch chan<- *prometheus.Desc) {
	ch <- sourceStatus
	ch <- sourceLatency
}

// Collect implements prometheus.Collector.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	for _, state := range c.s.States() {
		for _, status := range []Status{Unknown, OK, Slow, Gone, Misconfigured, Full} {
			v := 0.0
			if state.Status == status {
				v = 1
			}
			ch <- prometheus.MustNewConstMetric(sourceStatus, prometheus.GaugeValue, v, state.Name, string(status))
		}
		ch <- prometheus.MustNewConstMetric(sourceLatency, prometheus.GaugeValue, state.Latency.Seconds(), state.Name)
	}
}
