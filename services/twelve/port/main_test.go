package port

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.com/portpair/services/twelve/logs"
)

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// asApp in the environment makes the test binary an app instead.
const asApp = "PORT_TEST_APP"

func TestMain(m *testing.M) {
	if os.Getenv(asApp) == "" {
		os.Exit(m.Run())
	}
	if err := runApp(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// runApp is an app as main.go has it: listen, then serve. Its last step is to
// read stdin to the end.
func runApp() error {
	log := logs.New(os.Stdout, slog.LevelInfo, logs.JSON)
	listeners, err := Listen(context.Background(), "localhost", 0)
	if err != nil {
		return err
	}
	delay, err := time.ParseDuration(os.Getenv("DRAIN_DELAY"))
	if err != nil {
		return err
	}
	timeout, err := time.ParseDuration(os.Getenv("DRAIN_TIMEOUT"))
	if err != nil {
		return err
	}
	health := NewHealth(nil)
	s := Server{
		Name: "app", Version: "0.1.0", Handler: appRoutes(health, log), Health: health, Log: log,
		DrainDelay: delay, DrainTimeout: timeout,
	}
	if err := s.Serve(context.Background(), listeners...); err != nil {
		return err
	}
	log.Info("served")
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		log.Info("read")
	}
	return lines.Err()
}

// appRoutes are the probes, a page, and /held, which is in flight until its
// client has sent the whole body, and then answers with it.
func appRoutes(health *Health, log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", health.Livez)
	mux.HandleFunc("GET /readyz", health.Readyz)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") })
	mux.HandleFunc("POST /held", func(w http.ResponseWriter, r *http.Request) {
		log.Info("held")
		body, err := io.ReadAll(r.Body)
		if err != nil {
			log.Info("cut")
			return
		}
		w.Write(body)
	})
	return mux
}

// child is a running app.
type child struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stderr strings.Builder
	lines  chan map[string]any
	url    string
}

func startApp(t *testing.T, delay, timeout time.Duration) *child {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := &child{cmd: exec.CommandContext(t.Context(), exe), lines: make(chan map[string]any, 100)}
	c.cmd.Env = append(os.Environ(), asApp+"=1", "DRAIN_DELAY="+delay.String(), "DRAIN_TIMEOUT="+timeout.String(),
		"GORACE=atexit_sleep_ms=0") // else the race detector sleeps for a second
	c.cmd.Stderr = &c.stderr
	if c.stdin, err = c.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	stdout, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c.cmd.Stdout = w
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	read := make(chan struct{})
	go func() {
		defer close(read)
		defer close(c.lines)
		for s := bufio.NewScanner(stdout); s.Scan(); {
			line := map[string]any{}
			if err := json.Unmarshal(s.Bytes(), &line); err != nil {
				line["msg"] = "not JSON: " + s.Text()
			}
			c.lines <- line
		}
	}()
	t.Cleanup(func() { // t.Context has ended and the app been killed, if it still ran
		c.cmd.Wait()
		<-read
		stdout.Close()
	})
	c.url, _ = c.line(t, "listening")["url"].(string)
	return c
}

// line waits for a line of the app's log.
func (c *child) line(t *testing.T, msg string) map[string]any {
	t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case line, ok := <-c.lines:
			if !ok {
				t.Fatalf("got the end of the log, want a line %q", msg)
			}
			if line["msg"] == msg {
				return line
			}
		case <-deadline:
			t.Fatalf("got no line %q within %v", msg, patience)
		}
	}
}

func (c *child) signal(t *testing.T, sig syscall.Signal) {
	t.Helper()
	if err := c.cmd.Process.Signal(sig); err != nil {
		t.Fatalf("sending %v: %v", sig, err)
	}
}

// exit closes the app's stdin, waits for its end and returns its status, -1
// if a signal ended it.
func (c *child) exit(t *testing.T) int {
	t.Helper()
	c.stdin.Close()
	ended := make(chan struct{})
	go func() {
		c.cmd.Wait()
		close(ended)
	}()
	within(t, ended, "the app's end")
	return c.cmd.ProcessState.ExitCode()
}

// within waits for a channel.
func within[T any](t *testing.T, ch <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		t.Fatalf("got nothing within %v, want %s", patience, what)
		panic("unreachable")
	}
}

// eventually polls until ok.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); !ok(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("got nothing within %v, want %s", patience, what)
		}
	}
}

// reply is an answer, its body read.
type reply struct {
	*http.Response
	body string
	err  error
}

// client keeps connections alive, as browsers do.
func client(t *testing.T) *http.Client {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: patience}
}

func ask(t *testing.T, c *http.Client, method, url string, body io.Reader) reply {
	t.Helper()
	r, err := http.NewRequest(method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(r)
	if err != nil {
		return reply{err: err}
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return reply{resp, string(b), err}
}

func get(t *testing.T, c *http.Client, url string) reply {
	t.Helper()
	return ask(t, c, http.MethodGet, url, nil)
}

// inFlight is a request of /held.
type inFlight struct {
	conn    net.Conn
	replied chan reply
}

// hold sends a request and the first half of its body.
func hold(t *testing.T, url string) inFlight {
	t.Helper()
	f := inFlight{dial(t, url), make(chan reply, 1)}
	io.WriteString(f.conn, "POST /held HTTP/1.1\r\nHost: app\r\nContent-Length: 23\r\n\r\nfirst half, ")
	go func() { f.replied <- readReply(f.conn) }()
	return f
}

// readReply reads an answer off a connection.
func readReply(conn net.Conn) reply {
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return reply{err: err}
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return reply{resp, string(b), err}
}

// dial connects to an app, for a test that speaks HTTP by hand.
func dial(t *testing.T, url string) net.Conn {
	t.Helper()
	conn, err := (&net.Dialer{Timeout: patience}).Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	return conn
}

// finish sends the rest and checks that the whole comes back.
func (f inFlight) finish(t *testing.T) {
	t.Helper()
	io.WriteString(f.conn, "second half")
	r := within(t, f.replied, "the answer to the request in flight")
	if r.err != nil || r.StatusCode != http.StatusOK || r.body != "first half, second half" {
		t.Errorf("got %+v, want 200 with the whole body", r)
	}
}

// closes waits until new connections to addr are refused. A process that
// another test starts may hold a listener for a moment more than we do, until
// it is the other program.
func closes(t *testing.T, addr string) {
	t.Helper()
	eventually(t, "no connection to "+addr, func() bool {
		conn, err := (&net.Dialer{Timeout: patience}).Dial("tcp", strings.TrimPrefix(addr, "http://"))
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
}
