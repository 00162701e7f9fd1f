package port

import (
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"
)

// Allow is the Allow header of a 405: the methods that the request's path
// does answer. chi loses it when the 405 is the app's own.
func Allow(r *http.Request) string {
	ctx := chi.RouteContext(r.Context())
	path := r.URL.RawPath
	if path == "" {
		path = r.URL.Path
	}
	var methods []string
	for _, m := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions} {
		routed := m
		if m == http.MethodHead {
			routed = http.MethodGet // middleware.GetHead
		}
		if ctx.Routes.Match(chi.NewRouteContext(), routed, path) {
			methods = append(methods, m)
		}
	}
	return strings.Join(methods, ", ")
}
