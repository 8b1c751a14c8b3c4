package simulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Help texts and types of the metric families, in the order of exposition.
var families = []struct{ name, kind, help string }{
	{"http_requests_total", "counter", "HTTP requests answered."},
	{"http_request_duration_seconds", "histogram", "Time to answer an HTTP request."},
	{"deployments_total", "counter", "Releases that went out, rollbacks included."},
	{"container_cpu_usage_ratio", "gauge", "CPU used, as a share of the limit."},
	{"container_memory_working_set_bytes", "gauge", "Memory in use."},
	{"queue_depth", "gauge", "Messages that wait in a queue."},
	{"db_connections_in_use", "gauge", "Connections of a database pool that are busy."},
}

// Server shows a shop over HTTP: /metrics for a scraper, and /control/ for
// the one who wants to see it fail. Control answers loopback only.
type Server struct {
	shop *Shop
	now  func() time.Time
	save func([]Fault) error
	log  *slog.Logger

	changing sync.Mutex // held while faults change and are stored
}

// NewServer returns the server of a shop. save is called with all faults
// before a change of them is confirmed; when it fails, the change is taken back.
func NewServer(shop *Shop, now func() time.Time, save func([]Fault) error, log *slog.Logger) *Server {
	return &Server{shop: shop, now: now, save: save, log: log}
}

// Handler serves the shop.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", s.metrics)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	s.front(mux)
	mux.Handle("POST /control/break", local(s.breakService))
	mux.Handle("POST /control/heal", local(s.heal))
	mux.Handle("GET /control/status", local(s.status))
	return mux
}

// local refuses callers that are not on this machine, and browsers that were
// lured here by a name that resolves to this machine.
func local(h http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from, _, err := net.SplitHostPort(r.RemoteAddr)
		if err != nil || !net.ParseIP(from).IsLoopback() || !loopbackHost(r.Host) || r.Header.Get("Origin") != "" {
			refuse(w, http.StatusForbidden, errors.New("the shop is controlled from its own machine only"))
			return
		}
		h(w, r)
	})
}

func loopbackHost(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	if host == "localhost" {
		return true
	}
	return net.ParseIP(strings.Trim(host, "[]")).IsLoopback()
}

func (s *Server) metrics(w http.ResponseWriter, r *http.Request) {
	open := strings.Contains(r.Header.Get("Accept"), "application/openmetrics-text")
	kind := "text/plain; version=0.0.4; charset=utf-8"
	if open {
		kind = "application/openmetrics-text; version=1.0.0; charset=utf-8"
	}
	w.Header().Set("Content-Type", kind)
	values, _ := s.shop.Values(s.now())
	if err := Write(w, s.shop.Series(), values, open); err != nil {
		s.log.DebugContext(r.Context(), "scraper went away", "error", err)
	}
}

// Write writes values in Prometheus' text format, or in OpenMetrics' when open
// is true. The labels that a scraper adds itself (job, instance) are left out.
func Write(to io.Writer, series []map[string]string, values []float64, open bool) error {
	var page []byte
	for _, f := range families {
		name := f.name
		if open {
			name = strings.TrimSuffix(name, "_total")
		}
		page = fmt.Appendf(page, "# HELP %s %s\n# TYPE %s %s\n", name, f.help, name, f.kind)
		for i, labels := range series {
			if !belongs(labels["__name__"], f.name, f.kind) {
				continue
			}
			page = append(page, labels["__name__"]...)
			page = append(appendLabels(page, labels), ' ')
			page = append(strconv.AppendFloat(page, values[i], 'g', -1, 64), '\n')
		}
	}
	if open {
		page = append(page, "# EOF\n"...)
	}
	_, err := to.Write(page)
	return err
}

// belongs reports whether a series is of a family.
func belongs(series, family, kind string) bool {
	if kind != "histogram" {
		return series == family
	}
	suffix, found := strings.CutPrefix(series, family)
	return found && (suffix == "_bucket" || suffix == "_sum" || suffix == "_count")
}

// labelOrder holds every label name the shop uses, in the order of exposition.
var labelOrder = []string{"service", "code", "le", "queue", "pool"}

func appendLabels(page []byte, labels map[string]string) []byte {
	open := byte('{')
	for _, name := range labelOrder {
		value, ok := labels[name]
		if !ok {
			continue
		}
		page = append(page, open)
		open = ','
		page = append(page, name+`="`+value+`"`...)
	}
	return append(page, '}')
}

// BreakRequest is the body of POST /control/break.
type BreakRequest struct {
	Service  string  `json:"service"`
	Errors   float64 `json:"errors"`   // 0 to 1
	Latency  string  `json:"latency"`  // a Go duration; empty for none
	Duration string  `json:"duration"` // a Go duration
}

// HealRequest is the body of POST /control/heal. An empty service means all.
type HealRequest struct {
	Service string `json:"service"`
}

// Status is the answer of every control request: the faults that are in force
// or about to be, and what there is to break.
type Status struct {
	Now      time.Time `json:"now"`
	Services []string  `json:"services"`
	Faults   []Fault   `json:"faults"`
	Changed  []Fault   `json:"changed,omitempty"` // by this request
	Problem  string    `json:"problem,omitempty"`
}

func (s *Server) breakService(w http.ResponseWriter, r *http.Request) {
	var in BreakRequest
	if !read(w, r, &in) {
		return
	}
	latency, err := parseDuration(in.Latency)
	if err != nil {
		refuse(w, http.StatusUnprocessableEntity, err)
		return
	}
	lasting, err := parseDuration(in.Duration)
	if err != nil {
		refuse(w, http.StatusUnprocessableEntity, err)
		return
	}
	s.change(w, func() ([]Fault, error) {
		fault, err := s.shop.Break(s.now(), in.Service, in.Errors, latency, lasting)
		return []Fault{fault}, err
	})
}

func (s *Server) heal(w http.ResponseWriter, r *http.Request) {
	var in HealRequest
	if !read(w, r, &in) {
		return
	}
	if _, ok := serviceIndex[in.Service]; !ok && in.Service != "" {
		refuse(w, http.StatusUnprocessableEntity, fmt.Errorf("there is no service %q", in.Service))
		return
	}
	s.change(w, func() ([]Fault, error) { return s.shop.Heal(s.now(), in.Service), nil })
}

// change alters the faults, stores them and answers with the state of the shop.
func (s *Server) change(w http.ResponseWriter, do func() ([]Fault, error)) {
	s.changing.Lock()
	defer s.changing.Unlock()
	before := s.shop.Faults()
	changed, err := do()
	if err != nil {
		refuse(w, http.StatusUnprocessableEntity, err)
		return
	}
	if err := s.save(s.shop.Faults()); err != nil {
		s.shop.restore(before)
		s.log.Error("faults could not be stored", "error", err)
		refuse(w, http.StatusInsufficientStorage, errors.New("the change could not be stored"))
		return
	}
	s.log.Info("faults changed", "faults", changed)
	s.answer(w, changed)
}

func (s *Server) status(w http.ResponseWriter, _ *http.Request) { s.answer(w, nil) }

func (s *Server) answer(w http.ResponseWriter, changed []Fault) {
	now := s.now()
	out := Status{Now: now.UTC(), Services: Services(), Faults: []Fault{}, Changed: changed}
	for _, f := range s.shop.Faults() {
		if f.Until.After(now) && f.Until.After(f.From) {
			out.Faults = append(out.Faults, f)
		}
	}
	write(w, http.StatusOK, out)
}

func parseDuration(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	return time.ParseDuration(text)
}

func read(w http.ResponseWriter, r *http.Request, into any) bool {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4096))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		refuse(w, http.StatusBadRequest, err)
		return false
	}
	return true
}

func refuse(w http.ResponseWriter, code int, err error) {
	write(w, code, Status{Services: Services(), Problem: err.Error()})
}

func write(w http.ResponseWriter, code int, body Status) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
}
