package logs

import (
	"cmp"
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/go-chi/chi/v5"
)

// Request is what the log knows of a request while it is served.
type Request struct {
	ID      string // X-Request-Id, taken or made
	TraceID string // of the W3C trace context, taken or made
	flags   string
	err     error
	told    bool // err has a warning of its own
}

type ctxKey struct{}

// FromContext returns the request that ctx belongs to, or nil.
func FromContext(ctx context.Context) *Request {
	r, _ := ctx.Value(ctxKey{}).(*Request)
	return r
}

// Attach gives the request's line an error: for what a client is not told.
func Attach(ctx context.Context, err error) {
	if r := FromContext(ctx); r != nil {
		r.err = err
	}
}

// AttachTold is Attach of an error that has warned in a line of its own, once
// for all requests that it hits: their 503s are no warnings.
func AttachTold(ctx context.Context, err error) {
	if r := FromContext(ctx); r != nil {
		r.err, r.told = err, true
	}
}

// Forward puts the request id and the trace of ctx on a request to a backing
// service. A ctx that belongs to no request gets a trace of its own.
func Forward(ctx context.Context, h http.Header) {
	r := FromContext(ctx)
	if r == nil {
		r = &Request{ID: randomHex(8), TraceID: randomHex(16), flags: "00"}
	}
	h.Set("X-Request-Id", r.ID)
	h.Set("Traceparent", "00-"+r.TraceID+"-"+randomHex(8)+"-"+r.flags)
}

// Options of Requests; each func may be nil.
type Options struct {
	Client func(*http.Request) string                      // the client's address; the peer's otherwise
	Done   func(route string, status int, d time.Duration) // told of every request, for metrics
}

// quiet are asked by machines every few seconds: their lines are for debugging.
var quiet = map[string]bool{"/livez": true, "/readyz": true, "/metrics": true}

// unrouted stands where a request's route would, for logs and metrics.
const unrouted = "none"

// routings are what chi's routers keep of a request.
var routings = sync.Pool{New: func() any { return chi.NewRouteContext() }}

// Requests is the middleware: request id, trace, one line per request, also
// of one whose handler panics; the panic then goes on its way to net/http,
// which cuts the connection.
//
// A router of chi's is handed its routing context, so that it copies no
// request: a twentieth of what a short answer costs. What comes back then
// lists the router's routes, and stands outside all other routers.
func Requests(log *slog.Logger, o Options) func(http.Handler) http.Handler {
	if o.Client == nil {
		o.Client = peer
	}
	if o.Done == nil {
		o.Done = func(string, int, time.Duration) {}
	}
	return func(next http.Handler) http.Handler {
		router, _ := next.(chi.Routes)
		serve := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			e := &exchange{Context: r.Context(), began: time.Now(), recorder: recorder{ResponseWriter: w}}
			identify(&e.request, r.Header)
			e.id[0] = e.request.ID
			w.Header()["X-Request-Id"] = e.id[:]
			if router != nil {
				e.routing = routings.Get().(*chi.Context)
				e.routing.Reset()
				e.routing.Routes = router
				defer routings.Put(e.routing)
			}
			r = r.WithContext(e)
			defer func() {
				v := recover()
				if v != nil {
					e.status, e.request.err = http.StatusInternalServerError, fmt.Errorf("panic: %v", v)
				}
				o.finish(log, r, e)
				if v != nil {
					panic(v)
				}
			}()
			next.ServeHTTP(&e.recorder, r)
		})
		if router == nil {
			return serve
		}
		return routed{serve, router}
	}
}

// routed is a handler that has a router's routes.
type routed struct {
	http.Handler
	routes
}

type routes interface{ chi.Routes }

// exchange is a request, its reply and its context, in one piece for the
// allocator.
type exchange struct {
	context.Context
	request Request
	recorder
	routing *chi.Context // nil: no router's
	began   time.Time
	id      [1]string // a header's value
}

func (e *exchange) Value(key any) any {
	switch {
	case key == (ctxKey{}):
		return &e.request
	case key == chi.RouteCtxKey && e.routing != nil:
		return e.routing
	}
	return e.Context.Value(key)
}

// finish counts a request that was served and writes its line.
func (o Options) finish(log *slog.Logger, r *http.Request, e *exchange) {
	took := time.Since(e.began)
	status, route := e.status, cmp.Or(r.Pattern, unrouted)
	if status == 0 {
		status = http.StatusOK // what net/http sends when a handler wrote nothing
	}
	o.Done(route, status, took)
	if r.Method == http.MethodHead {
		e.bytes = 0 // net/http sends none of them
	}
	req := &e.request
	level := levelOf(status, r.URL.Path, req.told)
	if !log.Enabled(r.Context(), level) {
		return
	}
	l := requestLine{
		level: level, time: e.began.Add(took),
		method: Clean(r.Method), path: Clean(r.URL.Path), route: route,
		status: status, bytes: e.bytes, took: took,
		requestID: req.ID, traceID: req.TraceID, client: o.Client(r), err: req.err,
	}
	if h, ok := log.Handler().(*jsonHandler); ok {
		l.write(h.w)
		return
	}
	log.LogAttrs(r.Context(), level, "request", l.attrs()...)
}

func levelOf(status int, path string, told bool) slog.Level {
	switch {
	case quiet[path] && (status < 500 || status == http.StatusServiceUnavailable):
		return slog.LevelDebug
	case status == http.StatusServiceUnavailable && told:
		return slog.LevelInfo
	case status == http.StatusServiceUnavailable:
		return slog.LevelWarn
	case status >= 500:
		return slog.LevelError
	default:
		return slog.LevelInfo
	}
}

// identify takes the caller's request id and trace if they are well-formed
// and makes them otherwise.
func identify(req *Request, h http.Header) {
	var traced bool
	req.ID = h.Get("X-Request-Id")
	req.TraceID, req.flags, traced = parseTraceparent(h.Get("Traceparent"))
	named := validID(req.ID)
	if named && traced {
		return
	}
	made := randomHex(24)
	if !named {
		req.ID = made[:16]
	}
	if !traced {
		req.TraceID, req.flags = made[16:], "00"
	}
}

// validID keeps to [A-Za-z0-9._-]{1,64}: what may stand in any log unquoted.
func validID(s string) bool {
	if len(s) < 1 || len(s) > 64 {
		return false
	}
	for _, c := range []byte(s) {
		switch {
		case c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '.', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}

// parseTraceparent reads version 00 of the W3C Trace Context header:
// 00-{32 hex}-{16 hex}-{2 hex}, lower case, ids not all zero.
func parseTraceparent(s string) (traceID, flags string, ok bool) {
	const zeros = "00000000000000000000000000000000"
	if len(s) != 55 || s[:3] != "00-" || s[35] != '-' || s[52] != '-' {
		return "", "", false
	}
	traceID, parent, flags := s[3:35], s[36:52], s[53:]
	if !isHex(traceID) || !isHex(parent) || !isHex(flags) || traceID == zeros || parent == zeros[:16] {
		return "", "", false
	}
	return traceID, flags, true
}

func isHex(s string) bool {
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// randomHex returns n random bytes in hex, 24 at most. Ids name requests and guard
// nothing, so the fast generator does.
func randomHex(n int) string {
	var b [24]byte
	for i := 0; i < n; i += 8 {
		binary.LittleEndian.PutUint64(b[i:], rand.Uint64()|1) // never all zero
	}
	var text [2 * len(b)]byte
	return string(text[:hex.Encode(text[:], b[:n])])
}

func peer(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// recorder remembers the status and the size of a reply.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && status >= 200 { // 1xx are not the answer
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(b)
	r.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
