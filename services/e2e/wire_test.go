package e2e

import (
	"bytes"
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// wire is the way from quotes to rates. Faults of TCP befall it in toxiproxy,
// those of HTTP in the front:
//
//	quotes ──> meter ──> toxiproxy ──> front ──> rates
type wire struct {
	t     *testing.T
	meter *meter
	proxy *toxiproxy.Proxy
	front *httptest.Server
	sick  atomic.Pointer[http.HandlerFunc] // answers instead of rates
}

func newWire(t *testing.T, rates *app) *wire {
	t.Helper()
	w := &wire{t: t}
	to, err := url.Parse(rates.url)
	if err != nil {
		t.Fatal(err)
	}
	quiet := log.New(io.Discard, "", 0)
	rest := httputil.NewSingleHostReverseProxy(to)
	rest.ErrorLog = quiet
	w.front = httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if sick := w.sick.Load(); sick != nil {
			(*sick)(rw, r)
			return
		}
		rest.ServeHTTP(rw, r)
	}))
	w.front.Config.ErrorLog = quiet
	w.front.Start()
	t.Cleanup(w.front.Close)

	w.lead(w.front.Listener.Addr().String(), "http://", httpCalls)
	return w
}

// newRedisWire is the way over the Redis protocol, which has no front: a fault
// is one of TCP.
func newRedisWire(t *testing.T, rates resp) *wire {
	t.Helper()
	w := &wire{t: t}
	w.lead(rates.addr, "redis://", redisCalls)
	return w
}

// lead leads through meter and toxiproxy.
func (w *wire) lead(to, scheme string, calls func([]byte, int) int) {
	w.t.Helper()
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	w.proxy = toxiproxy.NewProxy(server, "rates", "127.0.0.1:0", to)
	if err := w.proxy.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(w.proxy.Stop)
	w.meter = newMeter(w.t, w.proxy.Listen, scheme, calls)
}

// poison adds a toxic, as toxiproxy's API would have it.
func (w *wire) poison(toxic string) {
	w.t.Helper()
	if _, err := w.proxy.Toxics.AddToxicJson(strings.NewReader(toxic)); err != nil {
		w.t.Fatal(err)
	}
}

// answer has the front answer instead of rates.
func (w *wire) answer(sick http.HandlerFunc) { w.sick.Store(&sick) }

// heal takes the faults away.
func (w *wire) heal() {
	w.sick.Store(nil)
	if w.front != nil {
		w.front.Config.SetKeepAlivesEnabled(true)
	}
	w.proxy.Toxics.ResetToxics(context.Background())
}

// meter is a relay that counts the calls that pass, retries and all.
type meter struct {
	url   string
	to    string
	begun func(b []byte, nth int) int // calls that begin with the nth piece of a connection
	calls atomic.Int64
	all   sync.WaitGroup

	mu       sync.Mutex
	open     map[net.Conn]bool // whether a call waits for its answer there
	inFlight int
	peak     int // of inFlight
}

// httpCalls counts requests: Go sends one of this size in one piece.
func httpCalls(b []byte, _ int) int { return bytes.Count(b, []byte("GET /v1/")) }

// redisCalls counts questions for the newest rates, which are one piece each.
// That of a new connection begins with HELLO.
func redisCalls(b []byte, nth int) int {
	if nth == 0 {
		return 1
	}
	if nth == 1 {
		return 0
	}
	return bytes.Count(b, []byte("rates:latest"))
}

func newMeter(t *testing.T, to, scheme string, begun func([]byte, int) int) *meter {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &meter{url: scheme + l.Addr().String(), to: to, begun: begun, open: map[net.Conn]bool{}}
	m.all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			m.all.Go(func() { m.relay(conn) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		m.mu.Lock()
		for conn := range m.open {
			conn.Close()
		}
		m.mu.Unlock()
		m.all.Wait()
	})
	return m
}

// relay carries a connection until either side ends it. A call is in flight
// from its first byte to its answer's first, or to the connection's end.
func (m *meter) relay(conn net.Conn) {
	defer conn.Close()
	far, err := net.Dial("tcp", m.to)
	if err != nil {
		return
	}
	m.note(conn, false)
	defer m.gone(conn)
	m.all.Go(func() {
		defer conn.Close()
		pass(conn, far, func([]byte) { m.note(conn, false) })
	})
	defer far.Close()
	pieces := 0
	pass(far, conn, func(b []byte) {
		n := m.begun(b, pieces)
		if pieces++; n > 0 {
			m.calls.Add(int64(n))
			m.note(conn, true)
		}
	})
}

// pass copies until an end, telling of each piece before it goes on.
func pass(to io.Writer, from io.Reader, tell func([]byte)) {
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		if n > 0 {
			tell(b[:n])
			if _, err := to.Write(b[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (m *meter) note(conn net.Conn, waits bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.open[conn] = waits
	m.count()
}

func (m *meter) gone(conn net.Conn) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.open, conn)
	m.count()
}

func (m *meter) count() {
	m.inFlight = 0
	for _, waits := range m.open {
		if waits {
			m.inFlight++
		}
	}
	m.peak = max(m.peak, m.inFlight)
}

// waiting is how many calls are in flight; the peak begins anew there.
func (m *meter) waiting() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.peak = m.inFlight
	return m.inFlight
}

// most is the highest that waiting was since.
func (m *meter) most() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.peak
}
