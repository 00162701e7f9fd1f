package port

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.com/portpair/services/twelve/logs"
)

// served is a Server at work in the test's own process. Its context is the
// test's to end: a signal would end all tests.
type served struct {
	url    string
	cancel context.CancelFunc
	done   chan error
}

func (s served) wait(t *testing.T) error {
	t.Helper()
	return within(t, s.done, "the end of Serve")
}

func quietLog(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func server(t *testing.T, h http.Handler) Server {
	t.Helper()
	return Server{Name: "app", Version: "0.1.0", Handler: h, Health: NewHealth(nil), Log: quietLog(t), DrainTimeout: patience}
}

func listenLocal(t *testing.T, host string) []net.Listener {
	t.Helper()
	ls, err := Listen(t.Context(), host, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, l := range ls {
			l.Close()
		}
	})
	return ls
}

// start serves on the listeners, or on one of its own.
func start(t *testing.T, s Server, ls ...net.Listener) served {
	t.Helper()
	if len(ls) == 0 {
		ls = listenLocal(t, "127.0.0.1")
	}
	ctx, cancel := context.WithCancel(context.Background())
	at := served{"http://" + ls[0].Addr().String(), cancel, make(chan error, 1)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		at.done <- s.Serve(ctx, ls...)
	}()
	t.Cleanup(func() {
		cancel()
		within(t, ended, "the end of Serve")
	})
	return at
}

func TestTheEndOfItsContextDrains(t *testing.T) {
	t.Parallel()
	var ended atomic.Bool
	held, release := make(chan struct{}), make(chan struct{})
	s := server(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(held)
		<-release
		ended.Store(true)
		io.WriteString(w, strings.Repeat("x", 1<<20))
	}))
	at := start(t, s)
	c, replied := client(t), make(chan reply, 1)
	go func() { replied <- get(t, c, at.url) }()
	within(t, held, "the request")
	at.cancel()
	closes(t, at.url)
	select {
	case err := <-at.done:
		t.Errorf("got Serve's end, error %v, while a request was in flight", err)
	default:
	}
	close(release)
	if err := at.wait(t); err != nil {
		t.Errorf("got error %v, want none", err)
	}
	if !ended.Load() {
		t.Error("got Serve's end before that of a request in flight")
	}
	if r := within(t, replied, "the answer"); r.err != nil || len(r.body) != 1<<20 {
		t.Errorf("got error %v, %d bytes, want the whole body", r.err, len(r.body))
	}
}

func TestConnectionsThatAskForNothingEndWithTheDrain(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, sent string }{
		{"one opened ahead, as browsers do", ""},
		{"half a header", "GET / HTTP/1.1\r\nHost:"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := server(t, http.NotFoundHandler())
			s.DrainTimeout = 50 * time.Millisecond
			at := start(t, s)
			conn := dial(t, at.url)
			io.WriteString(conn, tt.sent)
			if r := get(t, client(t), at.url); r.err != nil { // so the other was accepted too
				t.Fatal(r.err)
			}
			at.cancel()
			if err := at.wait(t); err != nil {
				t.Errorf("got error %v, want none: no request was in flight", err)
			}
			if n, err := conn.Read(make([]byte, 1)); err == nil {
				t.Errorf("got %d bytes, want the connection closed", n)
			}
		})
	}
}

func TestAnIdleConnectionDoesNotHoldTheDrain(t *testing.T) {
	t.Parallel()
	s := server(t, http.NotFoundHandler())
	s.DrainTimeout = time.Hour
	at := start(t, s)
	if r := get(t, client(t), at.url); r.err != nil || r.Close {
		t.Fatalf("got %+v, want an answer on a connection kept alive", r)
	}
	at.cancel()
	if err := at.wait(t); err != nil {
		t.Errorf("got error %v, want none", err)
	}
}

func TestServeLeavesItsPortFree(t *testing.T) {
	t.Parallel()
	ls := listenLocal(t, "127.0.0.1")
	at := start(t, server(t, http.NotFoundHandler()), ls...)
	at.cancel() // maybe before it serves
	if err := at.wait(t); err != nil {
		t.Fatalf("got error %v, want none", err)
	}
	if conn, err := ls[0].Accept(); err == nil {
		conn.Close()
		t.Error("got a listener that still accepts")
	}
}

func TestServeSaysWhyItCannotServe(t *testing.T) {
	t.Parallel()
	ls := listenLocal(t, "127.0.0.1")
	other := listenLocal(t, "127.0.0.1")
	ls[0].Close()
	at := start(t, server(t, http.NotFoundHandler()), ls[0], other[0])
	if err := at.wait(t); err == nil || !strings.HasPrefix(err.Error(), "serving: ") {
		t.Errorf("got error %v, want one of serving", err)
	}
	closes(t, other[0].Addr().String())
}

func TestEveryListenerIsServed(t *testing.T) {
	t.Parallel()
	ls := append(listenLocal(t, "localhost"), listenLocal(t, "127.0.0.1")...)
	at := start(t, server(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") })), ls...)
	for _, l := range ls {
		t.Run(l.Addr().String(), func(t *testing.T) {
			if r := get(t, client(t), "http://"+l.Addr().String()); r.err != nil || r.body != "hello" {
				t.Errorf("got %+v, want hello", r)
			}
		})
	}
	at.cancel()
	if err := at.wait(t); err != nil {
		t.Errorf("got error %v, want none", err)
	}
	for _, l := range ls {
		closes(t, l.Addr().String())
	}
}

func TestEveryAnswerNamesTheServer(t *testing.T) {
	t.Parallel()
	health := NewHealth(nil)
	s := server(t, appRoutes(health, quietLog(t)))
	s.Name, s.Version, s.Health = "rates", "0.1.0", health
	at := start(t, s)
	for _, tt := range []struct {
		name, method, path string
		status             int
	}{
		{"200", http.MethodGet, "/", http.StatusOK},
		{"HEAD", http.MethodHead, "/", http.StatusOK},
		{"404", http.MethodGet, "/nothing", http.StatusNotFound},
		{"405", http.MethodPut, "/", http.StatusMethodNotAllowed},
		{"readiness", http.MethodGet, "/readyz", http.StatusOK},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := ask(t, client(t), tt.method, at.url+tt.path, nil)
			if r.err != nil || r.StatusCode != tt.status {
				t.Fatalf("got %+v, want %d", r, tt.status)
			}
			if got := r.Header["Server"]; len(got) != 1 || got[0] != "rates/0.1.0" {
				t.Errorf("got Server %q, want rates/0.1.0", got)
			}
		})
	}
	t.Run("OPTIONS *", func(t *testing.T) {
		conn := dial(t, at.url)
		io.WriteString(conn, "OPTIONS * HTTP/1.1\r\nHost: app\r\n\r\n")
		if r := readReply(conn); r.err != nil || r.Header.Get("Server") != "rates/0.1.0" {
			t.Errorf("got %+v, want Server rates/0.1.0", r)
		}
	})
}

// syncBuffer is a log that is read while it is written.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) firstLine() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	line, _, _ := strings.Cut(s.b.String(), "\n")
	return line
}

func TestTheAddressWeLogIsTheOneWeGot(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, host, want string }{
		{"localhost", "localhost", "http://localhost:"},
		{"all interfaces", "", "http://localhost:"},
		{"one address", "127.0.0.1", "http://127.0.0.1:"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var log syncBuffer
			ls := listenLocal(t, tt.host)
			s := server(t, http.NotFoundHandler())
			s.Log = logs.New(&log, slog.LevelInfo, logs.JSON)
			start(t, s, ls...)
			eventually(t, "a line", func() bool { return log.firstLine() != "" })
			var line struct {
				Msg, URL, Version string
				Addr              []string
				PID               int
			}
			if err := json.Unmarshal([]byte(log.firstLine()), &line); err != nil {
				t.Fatal(err)
			}
			_, port, _ := net.SplitHostPort(ls[0].Addr().String())
			if want := tt.want + port; line.Msg != "listening" || line.URL != want {
				t.Errorf("got %+v, want listening at %s", line, want)
			}
			if len(line.Addr) != len(ls) || line.Addr[0] != ls[0].Addr().String() {
				t.Errorf("got addr %q, want those of %d listeners", line.Addr, len(ls))
			}
		})
	}
}
