package web

import (
	"net/http"
	"strings"
)

var (
	varyOrigin  = []string{"Origin"}
	anyOrigin   = []string{"*"}
	corsMethods = []string{"GET, OPTIONS"}
	corsMaxAge  = []string{"7200"} // what browsers keep a preflight for at most
)

// cors lets pages of any origin read any answer, errors too, and answers
// their preflights, which come without credentials.
func cors(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h["Vary"] = varyOrigin
		if r.Header["Origin"] == nil {
			next.ServeHTTP(w, r)
			return
		}
		h["Access-Control-Allow-Origin"] = anyOrigin
		h["Access-Control-Allow-Methods"] = corsMethods
		h["Access-Control-Max-Age"] = corsMaxAge
		if r.Method != http.MethodOptions || r.Header["Access-Control-Request-Method"] == nil {
			next.ServeHTTP(w, r)
			return
		}
		if names := r.Header.Get("Access-Control-Request-Headers"); areHeaderNames(names) {
			h.Set("Access-Control-Allow-Headers", names)
		}
		w.WriteHeader(http.StatusOK)
	})
}

// areHeaderNames reports whether a list from outside may be repeated in an
// answer.
func areHeaderNames(list string) bool {
	const names = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_, "
	return list != "" && len(list) <= 1024 && strings.Trim(list, names) == ""
}
