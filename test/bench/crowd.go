package main

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/teiten/teiten/test/program"
)

const (
	scrapeEvery = 30 * time.Second
	pods        = 5 // of each service; two series each
	perTarget   = 1000
	perApply    = 1000
)

// crowd serves ten series for each of many services: a good and a bad counter of
// each of its pods. What a counter says follows from the time alone, so that a
// history made beforehand goes on in it.
type crowd struct {
	services int
	base     time.Time
}

func newCrowd(services int) crowd { return crowd{services, time.Now().AddDate(0, 0, -90)} }

// row is one counter.
type row struct {
	service, pod int
	code         string
}

// rows are the counters of the services from the first to before the last.
func (c crowd) rows(first, last int) iter.Seq[row] {
	return func(yield func(row) bool) {
		for s := first; s < min(last, c.services); s++ {
			for p := range pods {
				if !yield(row{s, p, "200"}) || !yield(row{s, p, "500"}) {
					return
				}
			}
		}
	}
}

func (c crowd) at(r row, t time.Time) int64 {
	seconds := int64(t.Sub(c.base) / time.Second)
	if r.code == "200" {
		// Each scrape sees more or less by up to half of what is usual.
		each := int64(scrapeEvery/time.Second) * int64(1+r.service%7)
		return seconds*int64(1+r.service%7) + int64(mix(uint64(seconds/30)^uint64(r.service*pods+r.pod)<<32)%uint64(each/2))
	}
	return seconds / int64(2000+100*r.pod)
}

// mix makes a number that looks random of another.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func (r row) labels(name string) map[string]string {
	return map[string]string{"__name__": name, "job": "bench", "service": fmt.Sprintf("s%04d", r.service),
		"pod": fmt.Sprintf("p%d", r.pod), "code": r.code, "instance": "INSTANCE"}
}

// serve answers scrapes: /metrics/0 of the first thousand services, and so on.
func (c crowd) serve() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := strconv.Atoi(filepath.Base(r.URL.Path))
		if err != nil {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		body := []byte("# TYPE bench_requests_total counter\n")
		now := time.Now()
		for x := range c.rows(n*perTarget, (n+1)*perTarget) {
			body = fmt.Appendf(body, "bench_requests_total{service=\"s%04d\",pod=\"p%d\",code=%q} %d\n", x.service, x.pod, x.code, c.at(x, now))
		}
		_, _ = w.Write(body) // the scraper may be gone
	}))
}

// scrapes is how a scraper is told to read all of them.
func (c crowd) scrapes(s *httptest.Server) string {
	var b strings.Builder
	for n := 0; n*perTarget < c.services; n++ {
		fmt.Fprintf(&b, "  - job_name: bench-%d\n    scrape_interval: %s\n    metrics_path: /metrics/%[1]d\n    static_configs: [{targets: [%[3]q], labels: {job: bench}}]\n",
			n, scrapeEvery, strings.TrimPrefix(s.URL, "http://"))
	}
	return b.String()
}

// server is Teiten that scrapes the crowd into its own store, with further
// settings.
func (b *bench) server(c crowd, s *httptest.Server, name string, env ...string) (*program.Server, error) {
	file := filepath.Join(b.dir, name+".yaml")
	if err := os.WriteFile(file, []byte("scrape_configs:\n"+c.scrapes(s)), 0o600); err != nil {
		return nil, err
	}
	return program.New(program.Options{Binary: b.teiten, Data: filepath.Join(b.dir, name),
		Env: append(env, "TEITEN_METRICS_EMBEDDED_SCRAPE_CONFIG_FILE="+file)}), nil
}

// applyCrowd has objectives for the services from the first to before the last, a
// thousand in each set.
func (b *bench) applyCrowd(ctx context.Context, s *program.Server, first, last int) error {
	for ; first < last; first += perApply {
		if _, err := s.Apply(ctx, fmt.Sprintf("bench-%d", first), objectivesOf(first, min(first+perApply, last))); err != nil {
			return err
		}
	}
	return nil
}
