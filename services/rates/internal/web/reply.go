package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strconv"

	"example.com/portpair/services/rates/internal/fx"
	"example.com/portpair/services/twelve/logs"
	"example.com/portpair/services/twelve/port"
)

// message is an error as clients of v1 know it.
type message struct {
	Message string `json:"message"`
}

// routeMessage is the error of a path that is no route.
type routeMessage struct {
	Status  int    `json:"status"`
	Message string `json:"message"`
}

// errQuery is a query string whose percent-encoding is broken.
var errQuery = errors.New("malformed query")

// statuses maps the errors of the field to statuses. What it lacks is a 500.
var statuses = []struct {
	err    error
	status int
}{
	{errQuery, http.StatusBadRequest},
	{fx.ErrNotFound, http.StatusNotFound},
	{fx.ErrBadPair, http.StatusUnprocessableEntity},
	{fx.ErrInvalidAmount, http.StatusUnprocessableEntity},
	{fx.ErrInvalidDate, http.StatusUnprocessableEntity},
}

// handler answers a request or returns why it cannot.
type handler func(http.ResponseWriter, *http.Request) error

// handle turns a handler's error, or its panic, into a reply; what is no
// client's fault goes into the request's log line.
func handle(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		err := func() (err error) {
			defer func() {
				switch v := recover(); {
				case v == nil:
				case w.Header()["Content-Type"] != nil:
					panic(v) // part of an answer is out: net/http cuts it off, or it would pass for a whole one
				default:
					err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
				}
			}()
			return h(w, r)
		}()
		if err == nil {
			return
		}
		for _, row := range statuses {
			if errors.Is(err, row.err) {
				logs.Attach(r.Context(), row.err)
				writeError(w, row.status, message{row.err.Error()})
				return
			}
		}
		logs.Attach(r.Context(), err)
		writeError(w, http.StatusInternalServerError, message{"internal server error"})
	}
}

func notFound(w http.ResponseWriter, _ *http.Request) {
	writeError(w, http.StatusNotFound, routeMessage{http.StatusNotFound, "not found"})
}

func methodNotAllowed(w http.ResponseWriter, r *http.Request) {
	allow := port.Allow(r)
	if allow == "" { // a method that no path knows, on a path that is none
		notFound(w, r)
		return
	}
	w.Header().Set("Allow", allow)
	writeError(w, http.StatusMethodNotAllowed, routeMessage{http.StatusMethodNotAllowed, "method not allowed"})
}

func writeError(w http.ResponseWriter, status int, v any) {
	body, _ := json.Marshal(v)
	h := w.Header()
	h["Content-Type"] = jsonType
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	h["X-Content-Type-Options"] = noSniff
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that left is no error of ours
}
