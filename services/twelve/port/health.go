package port

import (
	"context"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// checkTimeout bounds a readiness check, so that a probe is always answered.
const checkTimeout = time.Second

// Health answers the probes of a platform: alive, and ready for traffic.
// Readiness is about the app itself, not about the services it calls: an app
// that cannot reach its backing service is still the one to say so.
type Health struct {
	check    func(context.Context) error
	draining atomic.Bool
}

// NewHealth makes probes of an app that is ready when check returns nil; nil
// for an app that is ready once it serves.
func NewHealth(check func(context.Context) error) *Health {
	if check == nil {
		check = func(context.Context) error { return nil }
	}
	return &Health{check: check}
}

// Livez answers 200 as long as the process answers at all.
func (h *Health) Livez(w http.ResponseWriter, _ *http.Request) { probeReply(w, http.StatusOK, "alive") }

// Readyz answers 200 when the app wants traffic, else 503: from the first
// moment of the drain, and while its check fails.
func (h *Health) Readyz(w http.ResponseWriter, r *http.Request) {
	if h.draining.Load() {
		probeReply(w, http.StatusServiceUnavailable, "draining")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), checkTimeout)
	defer cancel()
	if h.check(ctx) != nil {
		probeReply(w, http.StatusServiceUnavailable, "not ready")
		return
	}
	probeReply(w, http.StatusOK, "ready")
}

func probeReply(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	io.WriteString(w, text+"\n")
}
