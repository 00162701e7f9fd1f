package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is the longest that a test waits for anything.
const patience = 20 * time.Second

// asApp in the environment makes the test binary the app instead.
const asApp = "RATES_TEST_APP"

func TestMain(m *testing.M) {
	if os.Getenv(asApp) == "" {
		os.Exit(m.Run())
	}
	main()
}

// command is the app with just these variables: any free port, the loopbacks, and no feed unless they name one.
func command(t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, args...)
	cmd.Env = append([]string{
		asApp + "=1", "GORACE=atexit_sleep_ms=0", // else the race detector sleeps for a second
		"PORT=0", "HOST=localhost", "LOG_LEVEL=debug", "FEED_URL=none",
	}, env...)
	return cmd
}

// tell runs the app until it ends by itself.
func tell(t *testing.T, env []string, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	cmd := command(t, env, args...)
	var out, err strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &err
	var exit *exec.ExitError
	if e := cmd.Run(); e != nil && !errors.As(e, &exit) {
		t.Fatal(e)
	}
	return out.String(), err.String(), cmd.ProcessState.ExitCode()
}

// app is a running process.
type app struct {
	t     *testing.T
	cmd   *exec.Cmd
	out   output // stdout and stderr
	ended chan struct{}
	url   string
}

// start runs the app and waits until it has logged where it listens. When the test ends so must the app, with status 0
// and nothing but JSON lines behind it.
func start(t *testing.T, env ...string) *app {
	t.Helper()
	a := &app{t: t, cmd: command(t, env), ended: make(chan struct{})}
	a.cmd.Stdout, a.cmd.Stderr = &a.out, &a.out
	if err := a.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = a.cmd.Wait() // its status is looked at where the app is stopped
		close(a.ended)
	}()
	t.Cleanup(func() {
		a.stop()
		if t.Failed() {
			t.Logf("the app said:\n%v", &a.out)
		}
	})
	a.url = a.listens("http://")
	return a
}

// listens waits until the app has logged that it listens at a URL that begins
// so.
func (a *app) listens(scheme string) (url string) {
	a.t.Helper()
	a.eventually("it listens at "+scheme, func() bool {
		for _, line := range a.out.lines(a.t) {
			if at, _ := line["url"].(string); line["msg"] == "listening" && strings.HasPrefix(at, scheme) {
				url = at
			}
		}
		return url != ""
	})
	return url
}

// stop sends SIGTERM and checks the end.
func (a *app) stop() {
	a.t.Helper()
	select {
	case <-a.ended:
		return
	default:
	}
	if err := a.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		a.t.Errorf("SIGTERM: %v", err)
	}
	select {
	case <-a.ended:
	case <-time.After(patience):
		a.t.Errorf("got no end within %v", patience)
		_ = a.cmd.Process.Kill()
		<-a.ended
	}
	if got := a.cmd.ProcessState.ExitCode(); got != 0 {
		a.t.Errorf("exit status: got %v, want 0", got)
	}
	a.out.lines(a.t)
}

// line waits for a line of the log that has these values.
func (a *app) line(msg string, values map[string]any) map[string]any {
	a.t.Helper()
	var found map[string]any
	a.eventually(fmt.Sprintf("a line %q with %v", msg, values), func() bool {
		for _, line := range a.out.lines(a.t) {
			same := line["msg"] == msg
			for name, value := range values {
				same = same && line[name] == value
			}
			if same {
				found = line
			}
		}
		return found != nil
	})
	return found
}

// count is how many lines have a value.
func (a *app) count(name, value string) int {
	n := 0
	for _, line := range a.out.lines(a.t) {
		if line[name] == value {
			n++
		}
	}
	return n
}

// get asks the app.
func (a *app) get(path string) (status int, body string) {
	a.t.Helper()
	client := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(a.url + path)
	if err != nil {
		a.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// answers waits until the app answers so.
func (a *app) answers(path, want string) {
	a.t.Helper()
	got := ""
	a.eventually(fmt.Sprintf("%s answered with %s", path, want), func() bool {
		_, got = a.get(path)
		return strings.Contains(got, want)
	})
}

func (a *app) eventually(what string, ok func() bool) {
	a.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); !ok(); <-tick.C {
		if time.Now().After(deadline) {
			a.t.Fatalf("waited %v for %s\n%v", patience, what, &a.out)
		}
	}
}

// output is what a process wrote, while it still writes.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// lines are the log's lines so far. What is not JSON is an error.
func (o *output) lines(t *testing.T) []map[string]any {
	t.Helper()
	var all []map[string]any
	for line := range strings.Lines(o.String()) {
		if !strings.HasSuffix(line, "\n") {
			break // it is still being written
		}
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Errorf("got a line %q, want JSON", line)
		}
		all = append(all, fields)
	}
	return all
}
