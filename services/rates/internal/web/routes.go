// Package web is rates over HTTP: Frankfurter's v1, a page, probes and
// metrics. It parses a request, asks the table once, and renders the answer.
//
// Numbers and dates it leaves to fx, where they come from to ecb, sockets and
// signals to port.
package web

import (
	"log/slog"
	"net/http"

	"example.com/portpair/services/rates/internal/fx"
	"example.com/portpair/services/twelve/logs"
	"example.com/portpair/services/twelve/port"
	"example.com/portpair/services/twelve/resource"
	"example.com/portpair/services/twelve/telemetry"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
)

// App is what the routes touch.
type App struct {
	Table   func() *fx.Table // the newest; one call per request, so that one table answers it
	Access  resource.Credentials
	Health  *port.Health
	Metrics *telemetry.Metrics
	Log     *slog.Logger
}

// Routes are all that rates answers.
func Routes(a App) http.Handler {
	r := chi.NewRouter()
	r.Use(logs.Requests(a.Log, logs.Options{Route: port.Pattern, Done: a.Metrics.Request}), middleware.GetHead)
	r.NotFound(notFound)
	r.MethodNotAllowed(methodNotAllowed)

	r.Get("/", handle(page(a.Table)))
	r.Get("/style.css", style)
	r.Route("/v1", func(r chi.Router) {
		r.Use(guard(a.Access))
		r.Get("/latest", handle(latest(a.Table)))
		r.Get("/current", handle(latest(a.Table)))
		r.Get("/{date:[0-9]{4}-[0-9]{2}-[0-9]{2}}", handle(day(a.Table)))
		r.Get("/currencies", handle(currencies(a.Table)))
	})
	r.Get("/livez", a.Health.Livez)
	r.Get("/readyz", a.Health.Readyz)
	r.Get("/metrics", a.Metrics.ServeHTTP)
	return r
}

// guard asks for credentials, if there are any to ask for. What it lets
// through is for that client alone to keep.
func guard(access resource.Credentials) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		if access.IsZero() {
			return next
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "private")
			w.Header().Set("Vary", "Authorization, Origin")
			if !access.Match(r) {
				w.Header().Set("WWW-Authenticate", access.Challenge("rates"))
				writeError(w, http.StatusUnauthorized, message{"unauthorized"})
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}
