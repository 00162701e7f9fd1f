// Package port exports an app by binding a port (factor VII): bind first,
// then serve, with limits against slow and oversized clients, and stop
// without dropping what is in flight (factor IX). It owns the listening
// sockets, the signals and the probes, and gives the garbage collector headroom
// while many come in.
//
// Routes, replies and log lines it leaves to the app.
package port

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
)

// What a client may take of the server before it is cut off. Replies that
// take longer to write move their own deadline (http.ResponseController).
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 15 * time.Second
	writeTimeout      = 30 * time.Second
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 32 << 10 // net/http adds 4 KiB; over it: 431

	// lameDuck is how long kept-alive connections are still served, when the
	// port is closed already.
	lameDuck = 300 * time.Millisecond
)

// ErrInterrupted is returned by Serve when a second Ctrl-C cut the drain short.
var ErrInterrupted = errors.New("interrupted again: ended at once")

// Server is what serves an app on its bound port.
type Server struct {
	Name    string // with Version the Server header, "rates/0.1.0"
	Version string
	Handler http.Handler
	Health  *Health // told of the drain; its probes are routes of Handler
	Log     *slog.Logger

	// DrainDelay is how long readiness says 503 before new connections are
	// refused, for a routing layer to notice; DrainTimeout how long requests
	// in flight may then take.
	DrainDelay   time.Duration
	DrainTimeout time.Duration

	// Second is a further port, of another protocol; nil: none.
	Second *Second
}

// Serve serves until ctx ends or the process gets SIGTERM or SIGINT, then
// drains: readiness 503, DrainDelay, no new connections, requests in flight
// finish within DrainTimeout. It returns when they have: nil, or why not all
// did. A second SIGTERM changes nothing; a second SIGINT ends at once with
// ErrInterrupted.
func (s Server) Serve(ctx context.Context, listeners ...net.Listener) error {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	defer signal.Stop(signals)

	var inFlight atomic.Int64
	var open conns
	var pace pacer
	srv := s.server(&inFlight, &open, &pace)
	defer pace.start()()
	in := entrance{failed: make(chan error, 1)}
	defer in.accepting.Wait() // until the last listener is closed
	in.open(listeners, srv.Serve)
	s.Log.Info("listening", "url", home("http", listeners), "addr", addrs(listeners), "version", s.Version, "pid", os.Getpid())
	if second := s.Second; second != nil {
		in.open(second.Listeners, second.Protocol.Serve)
		s.Log.Info("listening", "url", home(second.Scheme, second.Listeners), "addr", addrs(second.Listeners))
	}

	interrupts := 0
	reason := "context ended"
	select {
	case err := <-in.failed:
		s.Second.cut()
		return errors.Join(fmt.Errorf("serving: %w", err), srv.Close())
	case sig := <-signals:
		defer signal.Ignore(syscall.SIGTERM) // a second one changes nothing on the app's last steps either
		reason = sig.String()
		if sig == os.Interrupt {
			interrupts++
		}
	case <-ctx.Done():
	}

	began := time.Now()
	s.Health.draining.Store(true)
	s.Log.Info("draining", "reason", reason, "delay", s.DrainDelay.String(), "timeout", s.DrainTimeout.String())
	drained := make(chan error, 1)
	go func() { drained <- s.drain(&in, srv, &inFlight, &open) }()
	for {
		select {
		case err := <-drained:
			srv.Close() // who has not ended by now
			if err != nil {
				return err
			}
			s.Log.Info("drained", "duration", time.Since(began).Round(time.Millisecond).String())
			return nil
		case sig := <-signals:
			if sig != os.Interrupt {
				continue
			}
			if interrupts++; interrupts > 1 {
				s.Second.cut()
				srv.Close()
				return ErrInterrupted
			}
		}
	}
}

// server is net/http's with our limits; inFlight counts its requests.
func (s Server) server(inFlight *atomic.Int64, open *conns, pace *pacer) *http.Server {
	return &http.Server{
		ConnState:         open.note,
		Handler:           s.wrap(inFlight, pace),
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug), // clients' broken connections

		DisableGeneralOptionsHandler: true, // OPTIONS * too is named and logged like any other
	}
}

// drain lets nobody in any more, and whoever is in finish, over both ports.
func (s Server) drain(in *entrance, srv *http.Server, inFlight *atomic.Int64, open *conns) error {
	time.Sleep(s.DrainDelay)
	ctx, cancel := context.WithTimeout(context.Background(), s.DrainTimeout)
	defer cancel()
	in.shut()
	second := make(chan error, 1)
	go func() { second <- s.Second.shutdown(ctx) }()
	err := shutdown(ctx, srv, open)
	if n := inFlight.Load(); err != nil && n > 0 {
		err = fmt.Errorf("drain: %d requests still in flight after %v were cut off", n, s.DrainTimeout)
	} else {
		err = nil // Shutdown waited for connections that had asked for nothing yet
	}
	return errors.Join(err, <-second)
}

// shutdown returns what Shutdown returns: Serve returns when Shutdown begins,
// and whoever exits on that cuts the requests in flight. Before, connections
// that are kept alive have a moment: a request may be on its way on one, and
// its answer tells the client to come back over another.
func shutdown(ctx context.Context, srv *http.Server, open *conns) error {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(lameDuck); open.count() > 0 && time.Now().Before(deadline) && ctx.Err() == nil; {
		<-tick.C
	}
	open.closeSilent() // Shutdown would wait 5 s for each to say something
	return srv.Shutdown(ctx)
}

// wrap names the server on every answer and asks clients to come back over a
// new connection while draining, and where this one is in doubt.
func (s Server) wrap(inFlight *atomic.Int64, pace *pacer) http.Handler {
	server := []string{s.Name + "/" + s.Version}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		inFlight.Add(1)
		pace.served.Add(1)
		defer inFlight.Add(-1)
		w.Header()["Server"] = server
		if s.Health.draining.Load() || inDoubt(r) {
			w.Header().Set("Connection", "close")
		}
		s.Handler.ServeHTTP(w, r)
	})
}

// inDoubt reports whether a request's length may have been told in two ways:
// net/http hides a Content-Length beside chunks, and a Transfer-Encoding from
// HTTP/1.0. A proxy may have read it the other way, and what comes next on the
// connection is then not a request of its own (RFC 9112, section 6.1).
func inDoubt(r *http.Request) bool {
	return r.TransferEncoding != nil || r.ContentLength > 0 && !r.ProtoAtLeast(1, 1)
}

func addrs(ls []net.Listener) []string {
	var all []string
	for _, l := range ls {
		all = append(all, l.Addr().String())
	}
	return all
}

// home is where a person on this machine finds the app.
func home(scheme string, ls []net.Listener) string {
	addr := ls[0].Addr().(*net.TCPAddr)
	host := addr.IP.String()
	if addr.IP.IsUnspecified() || len(ls) > 1 {
		host = "localhost"
	}
	return scheme + "://" + net.JoinHostPort(host, strconv.Itoa(addr.Port))
}
