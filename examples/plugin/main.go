// Command plugin is a data source for Teiten in one file: it answers how many
// requests a made-up service had in each minute, and how many were good.
//
// Name it in the server's configuration, and read it with
// metricSource: {metricSourceRef: example, type: Plugin, spec: {query: total}}.
// Replace answer by a call of whatever knows your figures.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"os"
)

// request is one question; times are Unix seconds.
type request struct {
	ID     int64   `json:"id"`
	Method string  `json:"method"`
	Query  string  `json:"query"`
	At     float64 `json:"at"`
	From   float64 `json:"from"`
	To     float64 `json:"to"`
	Step   float64 `json:"step"`
}

type series struct {
	Labels map[string]string `json:"labels"`
	Points [][2]float64      `json:"points"`
}

type failure struct {
	Kind    string `json:"kind"`
	Message string `json:"message"`
}

type response struct {
	ID     int64    `json:"id"`
	Series []series `json:"series,omitempty"`
	Error  *failure `json:"error,omitempty"`
}

func main() {
	out := json.NewEncoder(os.Stdout) // one line for each value
	if err := out.Encode(map[string]any{"protocol": 1, "name": "example"}); err != nil {
		os.Exit(1)
	}
	in := bufio.NewScanner(os.Stdin) // ends when the server closes it
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		var q request
		if err := json.Unmarshal(in.Bytes(), &q); err != nil {
			fmt.Fprintln(os.Stderr, "cannot read a request:", err) // appears in the server's log
			continue
		}
		if err := out.Encode(answer(q)); err != nil {
			os.Exit(1)
		}
	}
}

// answer gives each moment on the grid its value.
func answer(q request) response {
	value, known := queries[q.Query]
	if !known {
		return response{ID: q.ID, Error: &failure{"invalid", fmt.Sprintf("there is no query %q; use total or good", q.Query)}}
	}
	if q.Method == "instant" {
		q.From, q.To, q.Step = q.At, q.At, 1
	}
	s := series{Labels: map[string]string{"service": "example"}, Points: [][2]float64{}}
	for t := q.From; t <= q.To; t += q.Step {
		s.Points = append(s.Points, [2]float64{t, value(t)})
	}
	return response{ID: q.ID, Series: []series{s}}
}

// queries are the figures of the minute that ends at t.
var queries = map[string]func(t float64) float64{
	"total": total,
	"good":  func(t float64) float64 { return total(t) - math.Floor(total(t)/100) },
}

// total has a daily rhythm.
func total(t float64) float64 { return math.Floor(500 + 400*math.Sin(2*math.Pi*t/86400)) }
