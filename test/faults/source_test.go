package faults_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// behaviour is how the source answers.
type behaviour int32

const (
	well behaviour = iota
	nonsense
	endless
	silent
)

// source speaks Prometheus' HTTP API and answers from a formula, so that what
// any minute must have been counted as is known without asking anybody. It can
// also behave badly.
type source struct {
	*httptest.Server
	behaviour atomic.Int32
	delay     atomic.Int64
	asked     atomic.Int64
}

func startSource(t *testing.T) *source {
	s := &source{}
	mux := http.NewServeMux()
	mux.HandleFunc("/api/v1/query", s.answer(func(r *http.Request) string {
		at := seconds(r.FormValue("time"))
		if strings.Contains(r.FormValue("query"), "anchored") {
			return `{"status":"error","errorType":"bad_data","error":"parse error"}`
		}
		return fmt.Sprintf(`{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[%d,"%g"]}]}}`, at, value(r.FormValue("query"), at))
	}))
	mux.HandleFunc("/api/v1/query_range", s.answer(func(r *http.Request) string {
		var b bytes.Buffer
		b.WriteString(`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[`)
		from, to, step := seconds(r.FormValue("start")), seconds(r.FormValue("end")), seconds(r.FormValue("step"))
		for at := from; at <= to; at += step {
			if at > from {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, `[%d,"%g"]`, at, value(r.FormValue("query"), at))
		}
		b.WriteString(`]}]}}`)
		return b.String()
	}))
	s.Server = httptest.NewServer(mux)
	t.Cleanup(func() {
		s.behaviour.Store(int32(well)) // lets go who still waits
		s.CloseClientConnections()
		s.Close()
	})
	return s
}

func (s *source) answer(body func(*http.Request) string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.asked.Add(1)
		_ = r.ParseForm()
		time.Sleep(time.Duration(s.delay.Load()))
		switch behaviour(s.behaviour.Load()) {
		case nonsense:
			fmt.Fprint(w, `<html>It works!</html>`)
			return
		case endless:
			fmt.Fprint(w, `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[`)
			for line := []byte(strings.Repeat(`[1,"1"],`, 1000)); r.Context().Err() == nil; {
				if _, err := w.Write(line); err != nil {
					return
				}
			}
			return
		case silent:
			<-r.Context().Done()
			return
		}
		body := body(r)
		w.Header().Set("Content-Type", "application/json")
		if strings.Contains(body, `"status":"error"`) {
			w.WriteHeader(http.StatusBadRequest)
		}
		fmt.Fprint(w, body)
	}
}

func seconds(s string) int64 {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return 0
	}
	return int64(v)
}

// value is what a query answers at the end of a minute.
func value(query string, at int64) float64 {
	total, bad := counts(at/60-1, strings.Contains(query, "burning"))
	if strings.Contains(query, "bad") {
		return bad
	}
	return total
}

// counts is what happened in a minute: whole numbers that differ from minute to
// minute, so that one that is missing or there twice shows in every sum.
func counts(minute int64, burning bool) (total, bad float64) {
	total = float64(100 + minute%7)
	if burning {
		return total, 50
	}
	if minute%11 == 0 {
		bad = 1
	}
	return total, bad
}

// dataSource is the document that makes the source known.
func (s *source) dataSource() string {
	return fmt.Sprintf(`apiVersion: openslo/v1
kind: DataSource
metadata: {name: source, annotations: {teiten.dev/default: "true"}}
spec:
  type: Prometheus
  connectionDetails: {url: %q, timeout: 2s}
`, s.URL)
}

// promises are several objectives that are alike.
func promises(n int, window string, burning bool) string {
	kind := "calm"
	if burning {
		kind = "burning"
	}
	var b strings.Builder
	for i := range n {
		b.WriteString(objective(fmt.Sprintf("%s-%02d", kind, i), window, burning))
	}
	return b.String()
}

// service is the document of a service.
func service(name string) string {
	return fmt.Sprintf("---\napiVersion: openslo/v1\nkind: Service\nmetadata: {name: %s}\nspec: {description: Made for a test.}\n", name)
}

// objective are the documents of a promise on the source. Each has a service of
// its own, because alerts of one service are told as one cause.
func objective(name, window string, burning bool) string {
	kind := "calm"
	if burning {
		kind = "burning"
	}
	return service(name) + fmt.Sprintf(`---
apiVersion: openslo/v1
kind: SLO
metadata: {name: %[1]s, annotations: {teiten.dev/settle: 1s, teiten.dev/minimum-events: "10"}}
spec:
  service: %[1]s
  indicator:
    metadata: {name: %[1]s}
    spec:
      ratioMetric:
        counter: false
        bad:
          metricSource: {metricSourceRef: source, type: Prometheus, spec: {query: 'sum(bad_events{kind="%[3]s",slo="%[1]s"})'}}
        total:
          metricSource: {metricSourceRef: source, type: Prometheus, spec: {query: 'sum(total_events{kind="%[3]s",slo="%[1]s"})'}}
  timeWindow: [{duration: %[2]s, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.99}]
`, name, window, kind)
}
