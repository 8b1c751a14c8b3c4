package simulator

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"
)

// front is the shop as a customer, or a probe, meets it: pages that fail and
// linger as often as the faults in force say.
func (s *Server) front(mux *http.ServeMux) {
	mux.HandleFunc("GET /services/{service}/health", s.health)
	mux.HandleFunc("POST /services/accounts/sign-in", s.signIn)
	mux.HandleFunc("GET /services/accounts/me", s.me)
}

const visitorToken = "visitor"

func (s *Server) health(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("service")
	if !slices.Contains(Services(), name) {
		http.NotFound(w, r)
		return
	}
	if s.suffer(w, r, name) {
		reply(w, map[string]string{"service": name, "status": "ok"})
	}
}

func (s *Server) signIn(w http.ResponseWriter, r *http.Request) {
	if s.suffer(w, r, "accounts") {
		reply(w, map[string]string{"token": visitorToken})
	}
}

func (s *Server) me(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer "+visitorToken {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if s.suffer(w, r, "accounts") {
		reply(w, map[string]any{"name": "Visitor", "points": 120})
	}
}

// suffer has a request wait and perhaps fail, and reports whether it is to be
// answered.
func (s *Server) suffer(w http.ResponseWriter, r *http.Request, service string) bool {
	now := s.now()
	for _, f := range s.shop.Faults() {
		if f.Service != service || !f.Active(now) {
			continue
		}
		select {
		case <-time.After(f.Latency):
		case <-r.Context().Done():
			return false
		}
		if rand.Float64() < f.Errors {
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprintf(w, "%s is broken\n", service)
			return false
		}
	}
	return true
}

func reply(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body) // the customer went away
}
