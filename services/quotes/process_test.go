package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// asApp in the environment makes the test binary the app.
const asApp = "QUOTES_TEST_APP"

func TestMain(m *testing.M) {
	if os.Getenv(asApp) == "" {
		os.Exit(m.Run())
	}
	main()
}

// process is the app as a process, with only the environment that it is given.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdout output
	stderr output
	ended  chan struct{}
}

func launch(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, cmd: exec.Command(exe, args...), ended: make(chan struct{})}
	p.cmd.Dir = t.TempDir()
	p.cmd.Env = append([]string{asApp + "=1", "HOST=localhost", "GORACE=atexit_sleep_ms=0", "GOCOVERDIR=" + p.cmd.Dir}, env...)
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.ended
		if t.Failed() {
			t.Logf("stdout:\n%s\nstderr:\n%s", &p.stdout, &p.stderr)
		}
	})
	return p
}

// exit waits for the end of the process and returns its status.
func (p *process) exit() int {
	p.t.Helper()
	select {
	case <-p.ended:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(patience):
		p.t.Fatalf("got no end within %v", patience)
		return 0
	}
}

// listening waits until the app has logged its URL.
func (p *process) listening() string {
	p.t.Helper()
	url, _ := p.line("listening")["url"].(string)
	return url
}

// line waits for a line of the log with a message that begins like this.
func (p *process) line(msg string) map[string]any {
	p.t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		for _, line := range p.stdout.lines(p.t) {
			if got, _ := line["msg"].(string); strings.HasPrefix(got, msg) {
				return line
			}
		}
		select {
		case <-tick.C:
		case <-p.ended:
			p.t.Fatalf("got exit status %d before a line %q", p.cmd.ProcessState.ExitCode(), msg)
		case <-deadline:
			p.t.Fatalf("got no line %q within %v", msg, patience)
		}
	}
}

// output may be read while it is written.
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

// lines are the whole ones so far, each of which must be JSON.
func (o *output) lines(t *testing.T) []map[string]any {
	t.Helper()
	text := o.String()
	var all []map[string]any
	for s := bufio.NewScanner(strings.NewReader(text[:strings.LastIndexByte(text, '\n')+1])); s.Scan(); {
		var fields map[string]any
		if err := json.Unmarshal(s.Bytes(), &fields); err != nil {
			t.Fatalf("got the line %q, want JSON", s.Text())
		}
		all = append(all, fields)
	}
	return all
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	c := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// wantRefusal checks an exit status of 1, nothing on stdout, and lines on
// stderr that begin like these.
func wantRefusal(t *testing.T, p *process, lines ...string) {
	t.Helper()
	if status := p.exit(); status != 1 {
		t.Errorf("got exit status %d, want 1", status)
	}
	if p.stdout.String() != "" {
		t.Errorf("got %q on stdout", &p.stdout)
	}
	got := strings.Split(strings.TrimSuffix(p.stderr.String(), "\n"), "\n")
	if len(got) != len(lines) {
		t.Fatalf("got %d lines on stderr, want %d:\n%s", len(got), len(lines), &p.stderr)
	}
	for i, line := range lines {
		if !strings.HasPrefix(got[i], line) {
			t.Errorf("got the line %q, want it to begin with %q", got[i], line)
		}
	}
}

func TestHelpListsEveryVariable(t *testing.T) {
	for _, arg := range []string{"--help", "-h", "help", "check --help", "check --json -h"} {
		p := launch(t, nil, strings.Fields(arg)...)
		if status := p.exit(); status != 0 || p.stderr.String() != "" {
			t.Errorf("%s: got exit status %d and %q on stderr", arg, status, &p.stderr)
		}
		for i := range reflect.TypeFor[settings]().NumField() {
			tag := reflect.TypeFor[settings]().Field(i).Tag
			variable, preset, meaning := tag.Get("envconfig"), tag.Get("default"), tag.Get("desc")
			if variable == "" || meaning == "" {
				t.Errorf("field %d has no variable or no meaning: %s", i, tag)
			}
			switch {
			case tag.Get("required") == "true":
				preset = "required"
			case preset == "":
				preset = "-"
			}
			found := false
			for line := range strings.Lines(p.stdout.String()) {
				name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
				value, text, _ := strings.Cut(strings.TrimSpace(rest), " ")
				found = found || name == variable && value == preset && strings.TrimSpace(text) == meaning
			}
			if !found {
				t.Errorf("%s: no line of %s, %s, %s", arg, variable, preset, meaning)
			}
		}
	}
}

func TestVersion(t *testing.T) {
	p := launch(t, nil, "--version")
	if status := p.exit(); status != 0 || p.stdout.String() != "quotes dev\n" || p.stderr.String() != "" {
		t.Errorf("got exit status %d, %q and %q, want 0 and quotes dev", status, &p.stdout, &p.stderr)
	}
}

func TestUnknownArguments(t *testing.T) {
	for name, args := range map[string][]string{
		"an option":               {"--port=5000"},
		"a command":               {"serve"},
		"one too many":            {"probe", "now"},
		"two that make a command": {"--ver", "sion"},
	} {
		t.Run(name, func(t *testing.T) {
			wantRefusal(t, launch(t, []string{"PORT=0", "RATES_URL=http://localhost:1"}, args...),
				"quotes: takes --help, --version, probe, check or nothing; all else is in the environment")
		})
	}
}

func TestBadConfig(t *testing.T) {
	const secret = "s3cret-hunter2"
	for name, tt := range map[string]struct{ env, lines []string }{
		"RATES_URL missing": {nil, []string{"quotes: RATES_URL: required, but not set: the rates service"}},
		"RATES_URL empty":   {[]string{"RATES_URL="}, []string{"quotes: RATES_URL: required, but not set"}},
		"RATES_URL from a file that is not there": {[]string{"RATES_URL_FILE=/nowhere/" + secret},
			[]string{"quotes: RATES_URL_FILE: cannot read the file it names: "}},
		"all mistakes at once": {
			[]string{"PORT=" + secret, "DRAIN_DELAY=-1s", "DRAIN_TIMEOUT=8", "LOG_LEVEL=" + secret, "LOG_FORMAT=xml",
				"RATES_URL=http://user:" + secret + "@localhost:5100/v1", "TRUSTED_PROXIES=10.0.0.0/8,localhost"},
			[]string{"quotes: PORT: ", "quotes: DRAIN_DELAY: ", "quotes: DRAIN_TIMEOUT: ", "quotes: LOG_LEVEL: ", "quotes: LOG_FORMAT: ",
				"quotes: RATES_URL: ", "quotes: TRUSTED_PROXIES: "}},
	} {
		t.Run(name, func(t *testing.T) {
			p := launch(t, tt.env)
			wantRefusal(t, p, tt.lines...)
			if strings.Contains(p.stderr.String(), secret) {
				t.Errorf("a value shows in %s", &p.stderr)
			}
		})
	}
}

func TestATakenPort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, number, _ := net.SplitHostPort(l.Addr().String())
	wantRefusal(t, launch(t, []string{"PORT=" + number, "RATES_URL=http://localhost:1"}), "quotes: PORT "+number+" is taken: free it")
}

// A file is its user's alone from the moment that it is there, not only once it
// has its mode.
func TestWhatItMakesIsForItsUserAlone(t *testing.T) {
	p := launch(t, []string{"PORT=0", "RATES_URL=http://localhost:1"})
	p.listening()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		t.Skip("no /proc to see a umask in")
	}
	if !strings.Contains(string(status), "\nUmask:\t0077\n") {
		t.Errorf("got no umask of 0077 in\n%s", status)
	}
}

func TestSIGTERMEndsItWithStatus0(t *testing.T) {
	p := launch(t, []string{"PORT=0", "RATES_URL=http://localhost:1"})
	p.listening()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if status := p.exit(); status != 0 {
		t.Errorf("got exit status %d, want 0", status)
	}
}

func TestAnEmptyArgumentCountsAsNone(t *testing.T) {
	launch(t, []string{"PORT=0", "RATES_URL=http://localhost:1"}, "").listening()
}

func TestProbe(t *testing.T) {
	p := launch(t, []string{"PORT=0", "RATES_URL=http://localhost:1"})
	at, err := url.Parse(p.listening())
	if err != nil {
		t.Fatal(err)
	}
	env := []string{"PORT=" + at.Port(), "RATES_URL=http://localhost:1"}
	probe := launch(t, env, "probe")
	if status := probe.exit(); status != 0 || probe.stdout.String()+probe.stderr.String() != "" {
		t.Errorf("ready: got exit status %d, %q and %q", status, &probe.stdout, &probe.stderr)
	}
	_ = p.cmd.Process.Kill()
	p.exit()
	wantRefusal(t, launch(t, env, "probe"), "quotes: no") // nothing answers, or another that is not ready has got the port
	wantRefusal(t, launch(t, []string{"PORT=0", "RATES_URL=http://localhost:1"}, "probe"), "quotes: PORT is 0")
}

// TestAllOutputIsJSON has the libraries fail in every way that they might have
// something to say about.
func TestAllOutputIsJSON(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch filepath.Base(r.URL.Path) {
		case "latest":
			w.WriteHeader(http.StatusServiceUnavailable)
		case "2026-08-20":
			panic(http.ErrAbortHandler)
		default: // an answer that nobody asked for, which net/http logs
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				return
			}
			defer conn.Close()
			fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\n\r\n")
		}
	}))
	defer upstream.Close()
	handle := strings.Replace(upstream.URL, "://", "://shop:s3cret@", 1) + "?attempts=2&timeout=10s"
	p := launch(t, []string{"PORT=0", "LOG_FORMAT=json", "LOG_LEVEL=debug", "RATES_URL=" + handle})
	app := p.listening()
	const convert = "/v1/convert?amount=1&source=EUR&target=USD"
	for _, path := range []string{"/", convert, convert + "&date=2026-08-20", convert + "&date=2026-08-19"} {
		get(t, app+path)
	}
	p.line("Unsolicited response") // net/http, by the standard log; a call that came sooner would take it for its own
	for _, path := range []string{"/nowhere", "/v1/backing"} {
		get(t, app+path)
	}
	conn, err := net.Dial("tcp", strings.TrimPrefix(app, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(conn, "this is no HTTP\r\n\r\n")
	_, _ = io.ReadAll(conn)
	conn.Close()
	_, metrics := get(t, app+"/metrics")
	for _, line := range []string{
		`backing_calls_total{outcome="failing"} 3`, `backing_calls_total{outcome="unreachable"} 1`, `backing_calls_total{outcome="no-rates-service"} 1`,
		"backing_attempts_total 6", // one retry is all that the budget begins with
		"backing_call_duration_seconds_count 5",
	} {
		if !strings.Contains(metrics, line+"\n") {
			t.Errorf("got no %s in\n%s", line, metrics)
		}
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.exit()

	if p.stderr.String() != "" {
		t.Errorf("got %q on stderr", &p.stderr)
	}
	seen := map[string]bool{}
	for _, line := range p.stdout.lines(t) { // which are all JSON
		msg, _ := line["msg"].(string)
		seen[msg] = true
		if line["time"] == nil || line["level"] == nil || msg == "" {
			t.Errorf("got the line %v, want time, level and msg", line)
		}
	}
	for _, msg := range []string{"attached", "listening", "backing service failed", "request", "draining", "drained"} {
		if !seen[msg] {
			t.Errorf("got no line %q in\n%s", msg, &p.stdout)
		}
	}
	if strings.Contains(p.stdout.String(), "s3cret") || !strings.HasSuffix(p.stdout.String(), "\n") {
		t.Errorf("got %s", &p.stdout)
	}
}
