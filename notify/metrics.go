package notify

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// stats counts what this process delivered; the database knows the rest.
type stats struct {
	deliveries *prometheus.CounterVec
	seconds    *prometheus.HistogramVec
}

func newStats() *stats {
	return &stats{
		deliveries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "teiten_notify_deliveries_total", Help: "Deliveries that ended, by channel and state.",
		}, []string{"channel", "state"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "teiten_notify_delivery_seconds", Help: "Time from what happened to its delivery.",
			Buckets: []float64{0.1, 0.5, 1, 2, 5, 15, 60, 300, 3600, 21600, 86400},
		}, []string{"channel"}),
	}
}

func (s *stats) ended(channel string, state State, took time.Duration) {
	s.deliveries.WithLabelValues(channel, string(state)).Inc()
	if state == Delivered {
		s.seconds.WithLabelValues(channel).Observe(max(took, 0).Seconds())
	}
}

var (
	pendingDesc = prometheus.NewDesc("teiten_notify_pending", "Deliveries that wait or are being sent.", []string{"channel"}, nil)
	oldestDesc  = prometheus.NewDesc("teiten_notify_oldest_pending_seconds", "Age of the oldest pending message.", []string{"channel"}, nil)
	awayDesc    = prometheus.NewDesc("teiten_notify_receiver_away", "1 while the channel's receiver takes no messages.", []string{"channel"}, nil)
)

// collector answers scrapes from the database.
type collector struct{ s *Service }

var _ prometheus.Collector = collector{}

// Collector returns the room's own metrics.
func (s *Service) Collector() prometheus.Collector { return collector{s} }

// Describe names the metrics.
func (c collector) Describe(ch chan<- *prometheus.Desc) {
	c.s.stats.deliveries.Describe(ch)
	c.s.stats.seconds.Describe(ch)
	ch <- pendingDesc
	ch <- oldestDesc
	ch <- awayDesc
}

const scrapeTimeout = 2 * time.Second

// Collect reads the metrics. A database that does not answer leaves out what
// comes from it.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	c.s.stats.deliveries.Collect(ch)
	c.s.stats.seconds.Collect(ch)
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	channels, err := c.s.Channels(ctx)
	if err != nil {
		c.s.log.WarnContext(ctx, "metrics of notify unavailable", "error", err)
		return
	}
	gauge := func(d *prometheus.Desc, v float64, channel string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, channel)
	}
	for _, st := range channels {
		away, age := 0.0, 0.0
		if st.Away {
			away = 1
		}
		if st.Pending > 0 {
			age = max(c.s.now().Sub(st.Oldest), 0).Seconds()
		}
		gauge(pendingDesc, float64(st.Pending), st.Channel.Name)
		gauge(oldestDesc, age, st.Channel.Name)
		gauge(awayDesc, away, st.Channel.Name)
	}
}
