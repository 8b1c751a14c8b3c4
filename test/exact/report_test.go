package exact_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/teiten/teiten/test/scenario"
)

// report writes which share of the budget each story consumed: in truth, as the
// program says, and as rules that average ratios say, evaluated by Prometheus over
// the same samples.
func (w *world) report() {
	if *file == "" {
		return
	}
	var b strings.Builder
	b.WriteString("| story | truth | embedded store | Prometheus as source | average of ratios | one long increase |\n|---|--:|--:|--:|--:|--:|\n")
	for _, s := range w.stories {
		from := w.standing(s.objectives[0].name).Bounds.WindowFrom
		if from.Before(s.From) {
			from = s.From
		}
		truth := s.Seen(from, s.To.Add(time.Minute))
		fmt.Fprintf(&b, "| %s | %s |", s.Name, percent(truth.Bad/(0.001*truth.Total)))
		for _, o := range s.objectives {
			if x := w.standing(o.name); strings.HasSuffix(o.name, "-bad") || strings.HasSuffix(o.name, "-remote") {
				fmt.Fprintf(&b, " %s |", percent(1-deref(x.BudgetLeft)))
			}
		}
		average, long := "–", "–"
		if w.prometheus != "" {
			average, long = w.averageOfRatios(s, from), w.longIncrease(s, from)
		}
		fmt.Fprintf(&b, " %s | %s |\n", average, long)
	}
	if err := os.WriteFile(*file, []byte(b.String()), 0o600); err != nil {
		w.t.Error(err)
	}
}

func deref(v *float64) float64 {
	if v == nil {
		return math.NaN()
	}
	return *v
}

func percent(v float64) string {
	if math.IsNaN(v) {
		return "NaN"
	}
	return fmt.Sprintf("%.2f %%", 100*v)
}

// ratio is the share of errors of a story over a range, as rules take it.
func ratio(s *story, function, window string) string {
	return fmt.Sprintf("sum(%[1]s(%[2]s{job=%[3]q,code=~\"5..\"}[%[4]s])) / sum(%[1]s(%[2]s{job=%[3]q}[%[4]s]))", function, scenario.Metric, s.JobName(), window)
}

// averageOfRatios is what a rule says that records the ratio of five minutes and
// averages the records of the period.
func (w *world) averageOfRatios(s *story, begin time.Time) string {
	const step, points = 30 * time.Second, 10_000
	var sum, n float64
	for from := begin.Add(step); !from.After(s.To); from = from.Add(points * step) {
		to := from.Add((points - 1) * step)
		if to.After(s.To) {
			to = s.To
		}
		values, err := w.ask("query_range", url.Values{"query": {ratio(s, "rate", "5m")},
			"start": {strconv.FormatInt(from.Unix(), 10)}, "end": {strconv.FormatInt(to.Unix(), 10)}, "step": {"30"}})
		if err != nil {
			w.t.Error(err)
			return "–"
		}
		for _, v := range values {
			sum, n = sum+v, n+1
		}
	}
	if n == 0 {
		return "no result"
	}
	return percent(sum / n / 0.001)
}

// longIncrease is what one increase over the whole period says.
func (w *world) longIncrease(s *story, begin time.Time) string {
	values, err := w.ask("query", url.Values{"query": {ratio(s, "increase", fmt.Sprintf("%ds", int(s.To.Sub(begin).Seconds())))}, "time": {strconv.FormatInt(s.To.Unix(), 10)}})
	if err != nil {
		w.t.Error(err)
		return "–"
	}
	if len(values) == 0 {
		return "no result"
	}
	return percent(values[0] / 0.001)
}

// ask evaluates an expression with one series at most.
func (w *world) ask(operation string, form url.Values) ([]float64, error) {
	ctx, cancel := context.WithTimeout(w.t.Context(), 2*time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, w.prometheus+"/api/v1/"+operation+"?"+form.Encode(), nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var answer struct {
		Error string
		Data  struct {
			Result []struct {
				Value  [2]any
				Values [][2]any
			}
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return nil, err
	}
	if answer.Error != "" {
		return nil, errors.New(answer.Error)
	}
	var values []float64
	for _, x := range answer.Data.Result {
		if x.Value[1] != nil {
			x.Values = append(x.Values, x.Value)
		}
		for _, v := range x.Values {
			text, _ := v[1].(string)
			f, err := strconv.ParseFloat(text, 64)
			if err != nil {
				return nil, err
			}
			values = append(values, f)
		}
	}
	return values, nil
}
