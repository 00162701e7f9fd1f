package port

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// short is a limit that a test waits for.
const short = 50 * time.Millisecond

// limited serves h with the limits that set lowers.
func limited(t *testing.T, h http.Handler, set func(*http.Server)) string {
	t.Helper()
	srv := server(t, h).server(new(atomic.Int64), new(conns), new(pacer))
	set(srv)
	l := listenLocal(t, "127.0.0.1")[0]
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(l) }()
	t.Cleanup(func() {
		srv.Close()
		if err := within(t, ended, "the server's end"); !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("got error %v, want %v", err, http.ErrServerClosed)
		}
	})
	return "http://" + l.Addr().String()
}

// lower checks that there is a limit, and makes it short.
func lower(t *testing.T, limit *time.Duration) {
	t.Helper()
	if *limit <= 0 || *limit > 2*time.Minute {
		t.Errorf("got a limit of %v, want one", *limit)
	}
	*limit = short
}

func TestASlowClientIsCutOff(t *testing.T) {
	t.Parallel()
	hello := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") })
	for _, tt := range []struct {
		name string
		set  func(*testing.T, *http.Server)
		sent string
	}{
		{"that sends nothing", func(t *testing.T, s *http.Server) { lower(t, &s.ReadHeaderTimeout) }, ""},
		{"in its header", func(t *testing.T, s *http.Server) { lower(t, &s.ReadHeaderTimeout) }, "GET / HTTP/1.1\r\nHost: app\r\nX-Slow:"},
		{"that is idle after an answer", func(t *testing.T, s *http.Server) { lower(t, &s.IdleTimeout) }, "GET / HTTP/1.1\r\nHost: app\r\n\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			url := limited(t, hello, func(s *http.Server) { tt.set(t, s) })
			conn := dial(t, url)
			io.WriteString(conn, tt.sent)
			answer, err := io.ReadAll(conn) // to the end of the connection
			if err != nil {
				t.Errorf("got error %v, want the connection closed", err)
			}
			if got, want := strings.Contains(string(answer), "hello"), strings.HasSuffix(tt.sent, "\r\n\r\n"); got != want {
				t.Errorf("got %q, want hello in it: %v", answer, want)
			}
		})
	}
}

func TestASlowBodyIsCutOff(t *testing.T) {
	t.Parallel()
	failed := make(chan error, 1)
	url := limited(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		failed <- err
	}), func(s *http.Server) { lower(t, &s.ReadTimeout) })
	conn := dial(t, url)
	io.WriteString(conn, "POST / HTTP/1.1\r\nHost: app\r\nContent-Length: 10\r\n\r\nhalf")
	if err := within(t, failed, "the end of reading"); err == nil {
		t.Error("got the whole body, want an error")
	}
}

func TestAClientThatDoesNotReadIsCutOff(t *testing.T) {
	t.Parallel()
	failed := make(chan error, 1)
	url := limited(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		var err error
		for chunk := make([]byte, 1<<20); err == nil; {
			_, err = w.Write(chunk)
		}
		failed <- err
	}), func(s *http.Server) { lower(t, &s.WriteTimeout) })
	conn := dial(t, url)
	io.WriteString(conn, "GET / HTTP/1.1\r\nHost: app\r\n\r\n")
	within(t, failed, "the end of writing")
}

func TestHeaderOverTheLimitIs431(t *testing.T) {
	t.Parallel()
	at := start(t, server(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") })))
	for _, tt := range []struct {
		name string
		size int
		want int
	}{
		{"30 KiB pass", 30 << 10, http.StatusOK},
		{"40 KiB do not", 40 << 10, http.StatusRequestHeaderFieldsTooLarge},
	} {
		t.Run(tt.name, func(t *testing.T) {
			conn := dial(t, at.url)
			io.WriteString(conn, "GET / HTTP/1.1\r\nHost: app\r\nX-Large: "+strings.Repeat("x", tt.size)+"\r\n\r\n")
			if r := readReply(conn); r.err != nil || r.StatusCode != tt.want {
				t.Errorf("got %+v, want %d", r, tt.want)
			}
		})
	}
}

// A second request stands behind each, and is answered only where it cannot
// be a part of the first.
func TestALengthToldInTwoWaysEndsTheConnection(t *testing.T) {
	t.Parallel()
	at := start(t, server(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) })))
	const chunks = "5\r\nhello\r\n0\r\n\r\n"
	for _, tt := range []struct {
		name    string
		version string
		headers string
		body    string
		answers int
	}{
		{"one length", "1.1", "Content-Length: 5\r\n", "hello", 2},
		{"no body", "1.1", "", "", 2},
		{"chunks", "1.1", "Transfer-Encoding: chunked\r\n", chunks, 1},
		{"chunks and a length", "1.1", "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", chunks, 1},
		{"HTTP/1.0 without a body", "1.0", "Connection: keep-alive\r\n", "", 2},
		{"HTTP/1.0 with one", "1.0", "Connection: keep-alive\r\nContent-Length: 5\r\n", "hello", 1},
		{"HTTP/1.0 with chunks and a length", "1.0", "Connection: keep-alive\r\nTransfer-Encoding: chunked\r\nContent-Length: 15\r\n", chunks, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			conn := dial(t, at.url)
			io.WriteString(conn, "POST / HTTP/"+tt.version+"\r\nHost: app\r\n"+tt.headers+"\r\n"+tt.body+
				"POST / HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n")
			answers, err := io.ReadAll(conn)
			if n := strings.Count(string(answers), "HTTP/1."); err != nil || n != tt.answers {
				t.Errorf("got %d answers, error %v, want %d:\n%s", n, err, tt.answers, answers)
			}
			if hello := strings.Contains(string(answers), "hello"); hello != (tt.body != "") {
				t.Errorf("got the body back: %v\n%s", hello, answers)
			}
		})
	}
}
