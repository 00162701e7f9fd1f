package port

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
)

// routes answers a 405 with its Allow.
func routes() http.Handler {
	answer := func(http.ResponseWriter, *http.Request) {}
	r := chi.NewRouter()
	r.Use(middleware.GetHead)
	r.MethodNotAllowed(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", Allow(r))
		w.WriteHeader(http.StatusMethodNotAllowed)
	})
	r.NotFound(answer)
	r.Get("/", answer)
	r.Get("/v1/{date}", answer)
	r.Post("/quotes", answer)
	r.Get("/quotes/{id}", answer)
	r.Delete("/quotes/{id}", answer)
	r.Route("/sub", func(r chi.Router) { r.Get("/{name}", answer) })
	return r
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
