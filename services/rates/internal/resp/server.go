// Package resp is rates over the Redis protocol, RESP2 and RESP3: the same
// table as over HTTP, in keys that a real Redis can hold as well, which
// Export fills. It reads; whatever writes is refused.
//
// It is written on the standard library so that no byte that a client sends
// is believed: there are limits on what a request holds, on how long it and
// the taking of its answer may take, and on connections, and a length that a
// client claims reserves nothing.
//
// Numbers and dates it leaves to fx, listening and signals to port.
package resp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"example.com/portpair/services/rates/internal/fx"
	"example.com/portpair/services/twelve/resource"
	"example.com/portpair/services/twelve/telemetry"
)

// App is what the commands touch.
type App struct {
	Table   func() *fx.Table // the newest; one call per command, so that one table answers it
	Access  resource.Credentials
	Metrics *telemetry.Metrics
	Log     *slog.Logger
	Version string
	Limits  Limits
}

// Limits are what a client may take; zero is the default.
type Limits struct {
	Conns   int           // at once: 1000
	Idle    time.Duration // between requests: 5 minutes
	Request time.Duration // for one request to arrive: 15 seconds
	Write   time.Duration // to accept each 16 KiB of answers: 10 seconds
}

// When the server drains, a connection ends once nothing has come over it for
// quiet, or, if its client goes on and on, at the last call.
const (
	quiet    = 100 * time.Millisecond
	lastCall = 500 * time.Millisecond
	atHand   = 20 * time.Millisecond // after the last call, for what has arrived already
)

// Server serves the Redis protocol.
type Server struct {
	App
	ctx      context.Context
	commands commandSet
	took     func(time.Duration) // is told how long each batch of requests took
	lastCall atomic.Pointer[time.Time]

	mu      sync.Mutex
	clients map[*client]struct{}
	ids     int
}

// New makes a server, which serves once Serve is called.
func New(a App) *Server {
	a.Limits = Limits{
		Conns:   cmp.Or(a.Limits.Conns, 1000),
		Idle:    cmp.Or(a.Limits.Idle, 5*time.Minute),
		Request: cmp.Or(a.Limits.Request, 15*time.Second),
		Write:   cmp.Or(a.Limits.Write, 10*time.Second),
	}
	s := &Server{App: a, ctx: context.Background(), clients: map[*client]struct{}{}}
	s.commands = newCommandSet(func(command, outcome string) func() {
		return a.Metrics.GetOrCreateCounter(fmt.Sprintf("resp_commands_total{command=%q,outcome=%q}", command, outcome)).Inc
	})
	a.Metrics.NewGauge("resp_connections", func() float64 { return float64(s.open()) })
	batches := a.Metrics.GetOrCreatePrometheusHistogramExt("resp_batch_duration_seconds",
		[]float64{.00001, .000025, .00005, .0001, .00025, .0005, .001, .0025, .005, .01, .1, 1, 10})
	s.took = func(d time.Duration) { batches.Update(d.Seconds()) }
	return s
}

// Serve serves the connections of a listener until that is closed.
func (s *Server) Serve(l net.Listener) error {
	refused := s.Metrics.GetOrCreateCounter("resp_connections_refused_total")
	for {
		conn, err := l.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return err
		case err != nil: // out of file descriptors, say: others may close some
			s.Log.Warn("accept failed", "error", err.Error())
			time.Sleep(100 * time.Millisecond)
			continue
		}
		c, ok := s.admit(conn)
		if !ok {
			refused.Inc()
			_ = conn.SetWriteDeadline(time.Now().Add(time.Second)) // a new connection has room for this
			_, _ = io.WriteString(conn, "-ERR max number of clients reached\r\n")
			conn.Close()
			s.Log.Info("connection", "client", conn.RemoteAddr().String(), "commands", 0, "errors", 1, "duration", "0s", "end", "one too many")
			continue
		}
		go func() {
			defer s.forget(c)
			c.serve()
		}()
	}
}

func (s *Server) admit(conn net.Conn) (*client, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.clients) >= s.Limits.Conns {
		return nil, false
	}
	s.ids++
	c := newClient(s, conn, s.ids)
	s.clients[c] = struct{}{}
	return c, true
}

func (s *Server) forget(c *client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.clients, c)
}

// open is the number of open connections.
func (s *Server) open() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.clients)
}

// each calls f with every client.
func (s *Server) each(f func(*client)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.clients {
		f(c)
	}
}

// Shutdown ends the connections once what was sent over them is answered. It
// returns nil when all have ended, or cuts off the others when ctx ends. The
// listeners are to be closed before.
func (s *Server) Shutdown(ctx context.Context) error {
	last := time.Now().Add(lastCall)
	s.lastCall.Store(&last)
	s.each(func(c *client) { c.hurry(last) })
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for s.open() > 0 {
		select {
		case <-ctx.Done():
			n := s.open()
			s.each(func(c *client) { c.Close() })
			return fmt.Errorf("%d connections were cut off that took no answer", n)
		case <-tick.C:
		}
	}
	return nil
}
