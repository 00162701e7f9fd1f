// Package web is quotes over HTTP: it parses a request, calls one verb of
// quote, and renders the result as JSON, as a page or as a problem (RFC 9457).
//
// Arithmetic and rules it leaves to quote, calls to the backing service to
// ratesapi, sockets and signals to port.
package web

import (
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"example.com/portpair/services/quotes/internal/ratesapi"
	"example.com/portpair/services/twelve/logs"
	"example.com/portpair/services/twelve/port"
	"example.com/portpair/services/twelve/telemetry"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
)

// App is what the routes touch.
type App struct {
	Rates   *ratesapi.Client
	Health  *port.Health
	Metrics *telemetry.Metrics
	Log     *slog.Logger
	Now     func() time.Time

	// TrustedProxies are those whose X-Forwarded-For counts.
	TrustedProxies []netip.Prefix
}

// Routes are all that quotes answers.
func Routes(a App) http.Handler {
	requests := logs.Options{Route: port.Pattern, Done: a.Metrics.Request}
	r := chi.NewRouter()
	if len(a.TrustedProxies) > 0 {
		r.Use(middleware.ClientIPFromXFF(texts(a.TrustedProxies)...))
		requests.Client = func(r *http.Request) string { return middleware.GetClientIP(r.Context()) }
	}
	r.Use(logs.Requests(a.Log, requests), middleware.GetHead)
	r.NotFound(notFound)
	r.MethodNotAllowed(methodNotAllowed)

	r.Get("/", handleAs(page(a.Rates, a.Now), pageProblem))
	r.Get("/style.css", style)
	r.Get("/v1/convert", handle(convert(a.Rates, a.Now)))
	r.Get("/v1/currencies", handle(currencies(a.Rates)))
	r.Get("/v1/backing", handle(backing(a.Rates)))
	r.Get("/livez", a.Health.Livez)
	r.Get("/readyz", a.Health.Readyz)
	r.Get("/metrics", a.Metrics.ServeHTTP)
	return r
}

func texts(prefixes []netip.Prefix) []string {
	var all []string
	for _, p := range prefixes {
		all = append(all, p.String())
	}
	return all
}
