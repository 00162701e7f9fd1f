package logs

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
)

// router says what chi tells its handlers, and the request's id.
func router() *chi.Mux {
	answer := func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, chi.URLParam(r, "date")+chi.URLParam(r, "name"), " ", FromContext(r.Context()).ID)
	}
	r := chi.NewRouter()
	r.Use(middleware.GetHead)
	r.Get("/", answer)
	r.Get("/v1/{date}", answer)
	r.Route("/sub", func(r chi.Router) { r.Get("/{name}", answer) })
	return r
}

func TestARequestsRouteIsItsPattern(t *testing.T) {
	for _, tt := range []struct{ name, method, path, route, body string }{
		{"the root", http.MethodGet, "/", "/", " id"},
		{"a parameter", http.MethodGet, "/v1/2026-08-21", "/v1/{date}", "2026-08-21 id"},
		{"an escaped parameter", http.MethodGet, "/v1/a%2Fb", "/v1/{date}", "a%2Fb id"},
		{"HEAD", http.MethodHead, "/v1/2026-08-21", "/v1/{date}", "2026-08-21 id"},
		{"a route in a route", http.MethodGet, "/sub/x", "/sub/{name}", "x id"},
		{"none", http.MethodGet, "/nothing/here", "none", "404 page not found\n"},
		{"another method", http.MethodPost, "/v1/2026-08-21", "none", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var told string
			s := make(stream, 1)
			o := Options{Done: func(route string, _ int, _ time.Duration) { told = route }}
			w, r := httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), tt.method, tt.path, nil)
			r.Header.Set("X-Request-Id", "id")
			Requests(New(s, slog.LevelInfo, JSON), o)(router()).ServeHTTP(w, r)
			if got := s.line(t).values["route"]; got != tt.route || told != tt.route {
				t.Errorf("got %v in the log, %s for metrics, want %s", got, told, tt.route)
			}
			if got := w.Body.String(); got != tt.body {
				t.Errorf("got %q, want %q", got, tt.body)
			}
		})
	}
}

// What one request's routing leaves behind, the next must not find.
func TestRequestsAtOnceKeepTheirRoutesApart(t *testing.T) {
	handler := Requests(New(io.Discard, slog.LevelInfo, JSON), Options{})(router())
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			for i := range 200 {
				path, want := fmt.Sprintf("/v1/%d-%d", n, i), fmt.Sprintf("%d-%d id", n, i)
				if i%3 == 0 {
					path, want = "/", " id"
				}
				w, r := httptest.NewRecorder(), httptest.NewRequestWithContext(context.Background(), http.MethodGet, path, nil)
				r.Header.Set("X-Request-Id", "id")
				handler.ServeHTTP(w, r)
				if got := w.Body.String(); got != want {
					t.Errorf("%s: got %q, want %q", path, got, want)
				}
			}
		})
	}
	all.Wait()
}
