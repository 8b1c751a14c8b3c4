package slo

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/teiten/teiten/observe/slo/db"
)

// figures are what the room tells of its own work.
type figures struct {
	rounds prometheus.Histogram
	read   prometheus.Counter
}

func (f *figures) init() {
	f.rounds = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "teiten_slo_round_duration_seconds", Help: "Time of one round of evaluation.",
		Buckets: []float64{.001, .005, .01, .05, .1, .5, 1, 5, 10, 30, 60}})
	f.read = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "teiten_slo_evaluations_total", Help: "Objectives that were evaluated."})
}

func (f *figures) round(d time.Duration, objectives int) {
	f.rounds.Observe(d.Seconds())
	f.read.Add(float64(objectives))
}

var resultLabels = []string{"slo", "service", "owner"}

var (
	descObjective = desc("teiten_slo_objective_ratio", "Share of events that must be good.")
	descSLI       = desc("teiten_slo_sli_ratio", "Share of good events in the objective's period.")
	descLeft      = desc("teiten_slo_budget_left_ratio", "Part of the error budget that is left; negative when overspent.")
	descKnown     = desc("teiten_slo_known_ratio", "Share of the period's minutes with data.")
	descGood      = desc("teiten_slo_good_events", "Good events in the objective's period.")
	descTotal     = desc("teiten_slo_total_events", "Events in the objective's period.")
	descBurn      = desc("teiten_slo_burn_rate", "How many times faster than allowed the budget is spent.", "window")
	descStatus    = desc("teiten_slo_status", "1 for the present state of the objective.", "status")
	descEvaluated = desc("teiten_slo_evaluated_timestamp_seconds", "End of the last minute that was evaluated.")
	descAlert     = prometheus.NewDesc("teiten_slo_alert_firing", "1 for each open burn-rate alert.", append(append([]string{}, resultLabels...), "severity"), nil)
)

func desc(name, help string, more ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, append(append([]string{}, resultLabels...), more...), nil)
}

// Collector yields the results of every objective, for dashboards elsewhere.
func (s *Service) Collector() prometheus.Collector { return collector{s} }

type collector struct{ s *Service }

// Describe sends the descriptions of everything that Collect may send.
func (c collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descObjective, descSLI, descLeft, descKnown, descGood, descTotal,
		descBurn, descStatus, descEvaluated, descAlert} {
		ch <- d
	}
	c.s.figures.rounds.Describe(ch)
	c.s.figures.read.Describe(ch)
}

// Collect reads the results from the database, so that every replica tells the
// same.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	c.s.figures.rounds.Collect(ch)
	c.s.figures.read.Collect(ch)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	rows, _, _, err := c.s.list(ctx, filter{})
	if err != nil {
		ch <- prometheus.NewInvalidMetric(descLeft, err)
		return
	}
	for _, r := range rows {
		gauge := func(d *prometheus.Desc, v float64, more ...string) {
			ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, append([]string{r.Name, r.Service, r.Owner}, more...)...)
		}
		gauge(descObjective, r.Objective)
		gauge(descStatus, 1, string(r.Status))
		if r.standing == nil {
			continue
		}
		if r.Total > 0 {
			gauge(descSLI, r.Sli)
		}
		if r.counted {
			gauge(descLeft, r.BudgetLeft)
		}
		gauge(descKnown, r.Known)
		gauge(descGood, r.Good)
		gauge(descTotal, r.Total)
		gauge(descEvaluated, float64(r.Watermark*60))
		for i, w := range shownWindows {
			gauge(descBurn, r.Burn[i], label(w))
		}
	}
	alerts, err := db.New(c.s.db.Read()).AllOpenAlerts(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(descAlert, err)
		return
	}
	for _, a := range alerts {
		ch <- prometheus.MustNewConstMetric(descAlert, prometheus.GaugeValue, 1, a.Slo, a.Service, a.Owner, a.Severity)
	}
}
