package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"

	"example.com/portpair/services/quotes/internal/quote"
	"example.com/portpair/services/twelve/logs"
	"example.com/portpair/services/twelve/port"
)

// problem is an error as clients see it (RFC 9457), with the name of the
// request's field that it is about.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	Field  string `json:"field,omitempty"`
}

// errMalformed is a request that cannot be parsed.
var errMalformed = errors.New("malformed request")

// errRateMoved is a lock of a rate that is not the newest any more.
var errRateMoved = errors.New("rate changed")

// unavailable is all that a client is told of a backing service that fails:
// what it really said may be hostile, or nobody's business.
const unavailable = "the backing service gives no usable rates now, and none are known from before"

// databaseDown is likewise all that a client is told of the database.
const databaseDown = "the database cannot be asked now; ask again soon, a POST with its Idempotency-Key"

// problems maps the errors of the field to replies. What it lacks is a 500.
var problems = []struct {
	err    error
	name   string
	title  string
	status int
	detail string // instead of the error's own text
}{
	{errMalformed, "malformed-request", "Malformed request", http.StatusBadRequest, ""},
	{quote.ErrInvalidDate, "malformed-request", "Malformed request", http.StatusBadRequest, ""},
	{quote.ErrInvalidAmount, "invalid-amount", "Invalid amount", http.StatusUnprocessableEntity, ""},
	{quote.ErrAmountTooSmall, "amount-too-small", "Amount too small", http.StatusUnprocessableEntity, ""},
	{quote.ErrSameCurrency, "same-currency", "Same currency", http.StatusUnprocessableEntity, ""},
	{quote.ErrUnknownCurrency, "unknown-currency", "Unknown currency", http.StatusUnprocessableEntity, ""},
	{quote.ErrNoRatesForDate, "no-rates-for-date", "No rates for this date", http.StatusNotFound, ""},
	{quote.ErrQuoteNotFound, "quote-not-found", "Quote not found", http.StatusNotFound, ""},
	{quote.ErrQuoteExpired, "quote-expired", "Quote expired", http.StatusGone, ""},
	{quote.ErrKeyReused, "idempotency-key-reused", "Idempotency key reused", http.StatusUnprocessableEntity, ""},
	{errRateMoved, "rate-changed", "The rate has changed", http.StatusConflict, ""},
	{errTooLarge, "malformed-request", "Malformed request", http.StatusRequestEntityTooLarge, ""},
	{errMediaType, "malformed-request", "Malformed request", http.StatusUnsupportedMediaType, ""},
	{quote.ErrDatabaseUnavailable, "database-unavailable", "Database unavailable", http.StatusServiceUnavailable, databaseDown},
	{quote.ErrOverloaded, "overloaded", "Overloaded", http.StatusServiceUnavailable, ""},
	{quote.ErrRatesTooOld, "rates-too-old", "Rates too old", http.StatusServiceUnavailable, ""},
	{quote.ErrRatesUnavailable, "rates-unavailable", "Rates unavailable", http.StatusServiceUnavailable, unavailable},
}

// retryAfter is what a 503 asks of clients, in seconds: about as long as it
// takes a backing service to restart.
const retryAfter = 5

// fieldError says which field of the request an error is about.
type fieldError struct {
	field string
	err   error
}

func (e *fieldError) Error() string { return e.field + ": " + e.err.Error() }
func (e *fieldError) Unwrap() error { return e.err }

func inField(field string, err error) error {
	if err == nil {
		return nil
	}
	return &fieldError{field, err}
}

// problemOf finds the reply to an error.
func problemOf(err error) problem {
	p := problem{Type: "about:blank", Title: http.StatusText(http.StatusInternalServerError), Status: http.StatusInternalServerError}
	for _, row := range problems {
		if !errors.Is(err, row.err) {
			continue
		}
		p = problem{Type: "/problems/" + row.name, Title: row.title, Status: row.status, Detail: row.detail}
		var fe *fieldError
		if errors.As(err, &fe) {
			p.Field, err = fe.field, fe.err
		}
		if p.Detail == "" {
			p.Detail = strings.TrimPrefix(err.Error(), row.err.Error()+": ")
		}
		break
	}
	return p
}

// statusClientLeft is what the log says of a request whose client did not wait
// for the answer; nginx calls it so. Nobody gets to see it.
const statusClientLeft = 499

// handler answers a request or returns why it cannot.
type handler func(http.ResponseWriter, *http.Request) error

// handleAs turns a handler's error, or its panic, into a reply and a word in
// the request's log line.
func handleAs(h handler, reply func(http.ResponseWriter, *http.Request, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		err := func() (err error) {
			defer func() {
				if v := recover(); v != nil {
					err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
				}
			}()
			return h(w, r)
		}()
		if err == nil {
			return
		}
		attach(r.Context(), err)
		if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
			w.WriteHeader(statusClientLeft)
			return
		}
		reply(w, r, err)
	}
}

// attach gives the request's line its error. That the backing service fails
// has been told with the call.
func attach(ctx context.Context, err error) {
	if errors.Is(err, quote.ErrRatesUnavailable) {
		logs.AttachTold(ctx, err)
		return
	}
	logs.Attach(ctx, err)
}

func writeProblem(w http.ResponseWriter, _ *http.Request, err error) { writeReply(w, problemOf(err)) }

func writeReply(w http.ResponseWriter, p problem) {
	body := encode(p)
	header(w, []string{"application/problem+json"}, len(body))
	if p.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
	}
	w.WriteHeader(p.Status)
	_, _ = w.Write(body) // a client that left is no error of ours
}

// encode is JSON as people can read it, < > & as they are: a problem's text
// is ours.
func encode(p problem) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(p) // strings and a number
	return b.Bytes()
}

func notFound(w http.ResponseWriter, _ *http.Request) {
	writeReply(w, problem{Type: "about:blank", Title: "Not Found", Status: http.StatusNotFound, Detail: "there is nothing at this path"})
}

func crossOrigin(w http.ResponseWriter, _ *http.Request) {
	writeReply(w, problem{Type: "about:blank", Title: "Forbidden", Status: http.StatusForbidden, Detail: "a page of another origin may not post here"})
}

func methodNotAllowed(w http.ResponseWriter, r *http.Request) {
	allow := port.Allow(r)
	if allow == "" { // a method that no path knows, on a path that is none
		notFound(w, r)
		return
	}
	w.Header().Set("Allow", allow)
	writeReply(w, problem{Type: "about:blank", Title: "Method Not Allowed", Status: http.StatusMethodNotAllowed, Detail: "allowed here: " + allow})
}
