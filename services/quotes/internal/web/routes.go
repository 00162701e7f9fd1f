// Package web is quotes over HTTP: it parses a request, calls one verb of
// quote, and renders the result as JSON, as a page or as a problem (RFC 9457).
//
// Arithmetic and rules it leaves to quote, calls to the backing service to
// ratesapi, rows to store, sockets and signals to port.
package web

import (
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"time"

	"example.com/portpair/services/quotes/internal/ratesapi"
	"example.com/portpair/services/quotes/internal/store"
	"example.com/portpair/services/twelve/logs"
	"example.com/portpair/services/twelve/port"
	"example.com/portpair/services/twelve/telemetry"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
)

// App is what the routes touch.
type App struct {
	Rates   *ratesapi.Client
	Quotes  *store.Store
	Health  *port.Health
	Metrics *telemetry.Metrics
	Log     *slog.Logger
	Now     func() time.Time

	// LockFor is how long a lock holds, for the page to say.
	LockFor time.Duration

	// LockMaxDays is the oldest reference date to lock on, in days before today.
	LockMaxDays int

	// MaxInFlight is how many requests are worked on at once, probes not counted.
	MaxInFlight int

	// TrustedProxies are those whose X-Forwarded-For counts.
	TrustedProxies []netip.Prefix

	locked, accepted func() // counted
}

// Routes are all that quotes answers.
func Routes(a App) http.Handler {
	a.locked, a.accepted = a.Metrics.NewCounter("quotes_locked_total").Inc, a.Metrics.NewCounter("quotes_accepted_total").Inc
	r := chi.NewRouter()
	origin := http.NewCrossOriginProtection()
	origin.SetDenyHandler(http.HandlerFunc(crossOrigin))
	r.Use(middleware.GetHead, origin.Handler)
	r.NotFound(notFound)
	r.MethodNotAllowed(methodNotAllowed)

	places := make(gate, a.MaxInFlight)
	handle := func(h handler) http.HandlerFunc { return handleAs(places.admit(h), writeProblem) }
	show := func(h handler) http.HandlerFunc { return handleAs(places.admit(h), pageProblem) }
	r.Get("/", show(a.page))
	r.Post("/quotes", show(a.lockFromPage))
	r.Get("/quotes", http.RedirectHandler("/", http.StatusSeeOther).ServeHTTP) // a form that failed leaves a browser here
	r.Get("/quotes/{id}", show(a.quotePage))
	r.Get("/quotes/{id}/accept", handleAs(leadToQuote, pageProblem))
	r.Post("/quotes/{id}/accept", show(a.acceptFromPage))
	r.Get("/assets/{name}", serveAsset)

	r.Get("/v1/convert", handle(convert(a.Rates, a.Now)))
	r.Get("/v1/rates", handle(a.series(false)))
	r.Get("/v1/rates.csv", handle(a.series(true)))
	r.Get("/v1/currencies", handle(currencies(a.Rates)))
	r.Post("/v1/quotes", handle(a.lockQuote))
	r.Get("/v1/quotes/{id}", handle(a.getQuote))
	r.Post("/v1/quotes/{id}/accept", handle(a.acceptQuote))
	r.Get("/v1/backing", handleAs(backing(a.Rates), writeProblem))
	r.Get("/openapi.json", openapi)
	r.Get("/problems/{name}", explain)
	r.Get("/livez", a.Health.Livez)
	r.Get("/readyz", a.Health.Readyz)
	r.Get("/metrics", a.Metrics.ServeHTTP)
	if len(a.TrustedProxies) == 0 {
		return logs.Requests(a.Log, logs.Options{Done: a.Metrics.Request})(r)
	}
	logged := logs.Requests(a.Log, logs.Options{Client: client, Done: a.Metrics.Request})(r)
	return middleware.ClientIPFromXFF(texts(a.TrustedProxies)...)(logged)
}

// client is the address that a trusted proxy's X-Forwarded-For names; the
// proxy's own when there is none, as in its health checks, or none to be read.
func client(r *http.Request) string {
	if ip := middleware.GetClientIP(r.Context()); ip != "" {
		return ip
	}
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	return host
}

func texts(prefixes []netip.Prefix) []string {
	var all []string
	for _, p := range prefixes {
		all = append(all, p.String())
	}
	return all
}
