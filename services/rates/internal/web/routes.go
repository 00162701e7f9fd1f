// Package web is rates over HTTP: Frankfurter's v1, a page, probes and
// metrics. It parses a request, asks the table once, and renders the answer.
//
// Numbers and dates it leaves to fx, where they come from to ecb, sockets and
// signals to port.
package web

import (
	"cmp"
	"log/slog"
	"net/http"
	"strings"
	"time"

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
	Origin  func() Origin    // of that table, for the page
	Access  resource.Credentials
	Health  *port.Health
	Metrics *telemetry.Metrics
	Log     *slog.Logger

	// Now says which day is today, and how long an answer is good for; nil is
	// time.Now.
	Now func() time.Time

	// Patience is how long a client may take to accept each 32 KiB of a long
	// answer; 0 is 30 seconds.
	Patience time.Duration
}

// Routes are all that rates answers.
func Routes(a App) http.Handler {
	if a.Now == nil {
		a.Now = time.Now
	}
	a.Patience = cmp.Or(a.Patience, 30*time.Second)
	public := caching{"public", a.Now}
	c := public
	if !a.Access.IsZero() {
		c.scope = "private"
	}

	newest := handle(latest(a.Table, c))
	series := handle(between(a.Table, c, a.Patience))

	r := chi.NewRouter()
	r.Use(cors, guard(a.Access), middleware.GetHead)
	r.NotFound(notFound)
	r.MethodNotAllowed(methodNotAllowed)

	r.Get("/v1", handle(fixed(c, versionText)))
	r.Get("/v1/", handle(fixed(c, versionText)))
	r.Get("/v1/latest", newest)
	r.Get("/v1/current", newest)
	r.Get("/v1/{date:"+date+"}", handle(day(a.Table, c)))
	r.Get("/v1/{start:"+date+"}..", series)
	r.Get("/v1/{start:"+date+"}..{end:"+date+"}", series)
	r.Get("/v1/currencies", handle(currencies(a.Table, c)))
	r.Get("/v1/openapi.json", handle(fixed(c, openapiText)))

	r.Get("/", handle(page(a)))
	r.Get("/style.css", style)
	r.Get("/openapi.json", handle(fixed(public, openapiText)))
	r.Get("/livez", a.Health.Livez)
	r.Get("/readyz", a.Health.Readyz)
	r.Get("/metrics", a.Metrics.ServeHTTP)
	return logs.Requests(a.Log, logs.Options{Done: a.Metrics.Request})(r)
}

// date is what is taken for one. Whether the calendar has it, fx says.
const date = "[0-9]{4}-[0-9]{2}-[0-9]{2}"

// guard asks for credentials, if there are any to ask for, wherever a path is
// v1's, a route or not.
func guard(access resource.Credentials) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		if access.IsZero() {
			return next
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/v1" && !strings.HasPrefix(r.URL.Path, "/v1/") {
				next.ServeHTTP(w, r)
				return
			}
			w.Header().Set("Vary", "Authorization, Origin")
			if !access.Match(r) {
				r.Pattern = "/v1/*" // refused before any route is looked for
				w.Header().Set("WWW-Authenticate", access.Challenge("rates"))
				writeError(w, http.StatusUnauthorized, message{"unauthorized"})
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}
