package port

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
)

// routes answers with the request's pattern, and a 405 with its Allow.
func routes() http.Handler {
	pattern := func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, Pattern(r)) }
	r := chi.NewRouter()
	r.Use(middleware.GetHead)
	r.MethodNotAllowed(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", Allow(r))
		w.WriteHeader(http.StatusMethodNotAllowed)
	})
	r.NotFound(pattern)
	r.Get("/", pattern)
	r.Get("/v1/{date}", pattern)
	r.Post("/quotes", pattern)
	r.Get("/quotes/{id}", pattern)
	r.Delete("/quotes/{id}", pattern)
	r.Route("/sub", func(r chi.Router) { r.Get("/{name}", pattern) })
	return r
}

func TestPattern(t *testing.T) {
	for _, tt := range []struct{ name, path, want string }{
		{"the root", "/", "/"},
		{"a parameter", "/v1/2026-08-21", "/v1/{date}"},
		{"an escaped parameter", "/v1/a%2Fb", "/v1/{date}"},
		{"a route in a route", "/sub/x", "/sub/{name}"},
		{"none", "/nothing/here", "none"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			routes().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, tt.path, nil))
			if got := w.Body.String(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	t.Run("of a request outside the router", func(t *testing.T) {
		if got := Pattern(httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)); got != "none" {
			t.Errorf("got %q, want none", got)
		}
	})
}

func TestAllow(t *testing.T) {
	for _, tt := range []struct{ name, method, path, want string }{
		{"HEAD works where GET does", http.MethodPut, "/", "GET, HEAD"},
		{"a parameter", http.MethodPost, "/v1/2026-08-21", "GET, HEAD"},
		{"an escaped parameter", http.MethodPost, "/v1/a%2Fb", "GET, HEAD"},
		{"several methods", http.MethodPut, "/quotes/1", "GET, HEAD, DELETE"},
		{"no GET, no HEAD", http.MethodGet, "/quotes", "POST"},
		{"a route in a route", http.MethodDelete, "/sub/x", "GET, HEAD"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			routes().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), tt.method, tt.path, nil))
			if w.Code != http.StatusMethodNotAllowed {
				t.Fatalf("got %d, want 405", w.Code)
			}
			if got := w.Header().Get("Allow"); got != tt.want {
				t.Errorf("got Allow %q, want %q", got, tt.want)
			}
		})
	}
}
