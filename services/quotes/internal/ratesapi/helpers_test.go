package ratesapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.com/portpair/services/quotes/internal/quote"
	"example.com/portpair/services/twelve/logs"
	"example.com/portpair/services/twelve/resource"
)

// good is an answer as the contract has it.
const good = `{"amount":1.0,"base":"EUR","date":"2026-08-21","rates":{"JPY":185.66,"USD":1.1699}}`

// start is when every test begins: the day after good's.
var start = time.Date(2026, 8, 22, 9, 0, 0, 0, time.UTC)

func answer(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }
}

func status(code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		_, _ = w.Write([]byte(body))
	}
}

// never answers: it holds the request until its client gives up.
func never(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// cutShort sends half of a good answer and breaks the connection.
func cutShort(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", strconv.Itoa(len(good)))
	_, _ = io.WriteString(w, good[:len(good)/2])
	w.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}

// inTurn answers with one handler after the other, then always with the last.
func inTurn(handlers ...http.HandlerFunc) http.HandlerFunc {
	var n atomic.Int64
	return func(w http.ResponseWriter, r *http.Request) {
		handlers[min(int(n.Add(1)), len(handlers))-1](w, r)
	}
}

// quiet drops what an upstream says of the connections that tests break.
var quiet = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)

// upstream is a fake backing service that counts what it gets.
type upstream struct {
	*httptest.Server
	dial     func(ctx context.Context, network, addr string) (net.Conn, error) // nil: over TCP
	requests atomic.Int64
	accepted atomic.Int64 // connections
}

// serve starts an upstream on a TCP port.
func serve(t *testing.T, h http.HandlerFunc) *upstream {
	t.Helper()
	u := &upstream{}
	u.Server = httptest.NewUnstartedServer(u.counted(h))
	u.begin(t)
	return u
}

// serveInMemory starts an upstream on connections that synctest can see
// through: its answers, timeouts and waits take no real time.
func serveInMemory(t *testing.T, h http.HandlerFunc) *upstream {
	t.Helper()
	l := newPipes()
	u := &upstream{dial: l.dial}
	u.Server = &httptest.Server{Listener: l, Config: &http.Server{Handler: u.counted(h)}}
	u.begin(t)
	return u
}

func (u *upstream) begin(t *testing.T) {
	t.Helper()
	u.Config.ErrorLog = quiet
	u.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			u.accepted.Add(1)
		}
	}
	u.Start()
	t.Cleanup(u.Close)
}

func (u *upstream) counted(h http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u.requests.Add(1)
		h(w, r)
	})
}

// serveBytes answers each connection, in memory, with these very bytes once
// it has asked for something, and closes it.
func serveBytes(t *testing.T, raw string) *upstream {
	t.Helper()
	l := newPipes()
	u := &upstream{dial: l.dial, Server: &httptest.Server{URL: "http://upstream"}}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			u.accepted.Add(1)
			if _, err := conn.Read(make([]byte, 4<<10)); err == nil {
				u.requests.Add(1)
				_, _ = conn.Write([]byte(raw))
			}
			conn.Close()
		}
	})
	t.Cleanup(func() {
		l.Close()
		serving.Wait()
	})
	return u
}

// pipes is a net.Listener in memory.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	close  func()
}

func newPipes() *pipes {
	closed := make(chan struct{})
	return &pipes{make(chan net.Conn), closed, sync.OnceFunc(func() { close(closed) })}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-p.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipes) Close() error { p.close(); return nil }

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 80} }

// attached is a client on an upstream, with what it tells.
type attached struct {
	*Client
	log *output

	mu       sync.Mutex
	observed []Call
}

// attach attaches the upstream, with the options of its handle such as
// "?max_age=0s". The client's clock begins at start.
func (u *upstream) attach(t *testing.T, options string) *attached {
	t.Helper()
	return u.attachAs(t, "", options)
}

// attachAs is attach with userinfo, such as "user:password@".
func (u *upstream) attachAs(t *testing.T, userinfo, options string) *attached {
	t.Helper()
	h, err := resource.Parse(strings.Replace(u.URL, "://", "://"+userinfo, 1) + options)
	if err != nil {
		t.Fatal(err)
	}
	a := &attached{log: &output{}}
	began := time.Now()
	a.Client = New(h, "quotes/0.1.0", logs.New(a.log, slog.LevelDebug, logs.JSON),
		func() time.Time { return start.Add(time.Since(began)) },
		func(c Call) {
			a.mu.Lock()
			defer a.mu.Unlock()
			a.observed = append(a.observed, c)
		})
	if u.dial != nil {
		a.Client.dial = u.dial
	}
	t.Cleanup(a.Close)
	return a
}

// last is the call that was observed last.
func (a *attached) last(t *testing.T) Call {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.observed) == 0 {
		t.Fatal("no call was observed")
	}
	return a.observed[len(a.observed)-1]
}

// warnings are the log's lines at level warn or above.
func (a *attached) warnings(t *testing.T) []map[string]any {
	t.Helper()
	var all []map[string]any
	for line := range strings.Lines(a.log.String()) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatalf("got the log line %q: %v", line, err)
		}
		if l := fields["level"]; l == "WARN" || l == "ERROR" {
			all = append(all, fields)
		}
	}
	return all
}

// output is a log that may be read while it is written.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// usd is the rate of the US dollar, as a person would read it.
func usd(t *testing.T, r Rates) string {
	t.Helper()
	rate, err := r.Cross(currency(t, "EUR"), currency(t, "USD"))
	if err != nil {
		t.Fatal(err)
	}
	return rate.String()
}

func currency(t *testing.T, code string) quote.Currency {
	t.Helper()
	c, err := quote.LookupCurrency(code)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func date(t *testing.T, text string) quote.Date {
	t.Helper()
	d, err := quote.ParseDate(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// mustLatest asks for the newest rates, which must come.
func (a *attached) mustLatest(t *testing.T) Rates {
	t.Helper()
	r, err := a.Latest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// wantErr checks the kind of an error.
func wantErr(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("got error %v, want %v", err, want)
	}
}

func want[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}
