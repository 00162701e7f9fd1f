package port

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

func TestHealth(t *testing.T) {
	secret := errors.New("database at postgres://user:hunter2@host: refused")
	for _, tt := range []struct {
		name     string
		check    func(context.Context) error
		draining bool
		ready    int
		body     string
	}{
		{"an app without a check is ready once it serves", nil, false, http.StatusOK, "ready\n"},
		{"an app whose check is content", func(context.Context) error { return nil }, false, http.StatusOK, "ready\n"},
		{"an app whose check fails is not, and says no more", func(context.Context) error { return secret }, false, http.StatusServiceUnavailable, "not ready\n"},
		{"an app that drains is not", nil, true, http.StatusServiceUnavailable, "draining\n"},
		{"whatever its check says", func(context.Context) error { return secret }, true, http.StatusServiceUnavailable, "draining\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := NewHealth(tt.check)
			h.draining.Store(tt.draining)
			ready, alive := httptest.NewRecorder(), httptest.NewRecorder()
			h.Readyz(ready, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/readyz", nil))
			h.Livez(alive, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/livez", nil))
			if ready.Code != tt.ready || ready.Body.String() != tt.body {
				t.Errorf("got readiness %d %q, want %d %q", ready.Code, ready.Body, tt.ready, tt.body)
			}
			if alive.Code != http.StatusOK || alive.Body.String() != "alive\n" {
				t.Errorf("got liveness %d %q, want 200 alive", alive.Code, alive.Body)
			}
			for _, w := range []*httptest.ResponseRecorder{ready, alive} {
				if got := w.Header().Get("Cache-Control"); got != "no-store" {
					t.Errorf("got Cache-Control %q, want no-store", got)
				}
			}
		})
	}
}

func TestAProbeIsAnsweredWithinASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHealth(func(ctx context.Context) error {
			<-ctx.Done() // as of a database that hangs
			return ctx.Err()
		})
		began, w := time.Now(), httptest.NewRecorder()
		h.Readyz(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/readyz", nil))
		if got := time.Since(began); got != time.Second || w.Code != http.StatusServiceUnavailable {
			t.Errorf("got %d after %v, want 503 after 1s", w.Code, got)
		}
	})
}
