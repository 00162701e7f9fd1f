package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is the longest that a test waits for anything.
const patience = 20 * time.Second

var (
	buildFlags []string
	binDir     string
)

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "portpair-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binDir = dir
	os.Setenv("GORACE", "atexit_sleep_ms=10") // a second at the end of each process, else
	defer endBrowser()
	args := append([]string{"build", "-trimpath", "-ldflags=-s -w", "-o", dir}, buildFlags...)
	if out, err := exec.Command("go", append(args, "../rates", "../quotes")...).CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building the apps: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// app is a running process of rates or quotes.
type app struct {
	t    *testing.T
	name string
	url  string // where it listens, as it logged
	cmd  *exec.Cmd
	out  *output
	done chan struct{} // closed when the process has ended
	err  error         // how, once done is closed
}

// start runs a binary with just these variables (unless they say otherwise
// PORT=0, the loopbacks, no feed and a database of its own) and waits until it
// has logged where it listens.
func start(t *testing.T, name string, env ...string) *app {
	t.Helper()
	a := launch(t, filepath.Join(binDir, name), env...)
	a.url = a.listening()
	return a
}

// startSilent is start of a binary that logs no more than errors: under a heavy
// load its lines would be a load on us. It is asked until it answers.
func startSilent(t *testing.T, binary string, env ...string) *app {
	t.Helper()
	port := freePorts(t)
	a := launch(t, binary, append(env, "LOG_LEVEL=error", fmt.Sprint("PORT=", port))...)
	a.url = fmt.Sprint("http://localhost:", port)
	eventually(t, a.name+" answers", func() bool {
		r, err := tryGet(a.url + "/livez")
		return err == nil && r.status == http.StatusOK
	})
	return a
}

// launch runs a binary without waiting for it to listen.
func launch(t *testing.T, binary string, env ...string) *app {
	t.Helper()
	return launchCommand(t, filepath.Base(binary), exec.Command(binary), env...)
}

// launchCommand is launch of an app that something else starts, or that starts
// as somebody else.
func launchCommand(t *testing.T, name string, cmd *exec.Cmd, env ...string) *app {
	t.Helper()
	a := &app{t: t, name: name, cmd: cmd, out: newOutput(), done: make(chan struct{})}
	a.cmd.Env = append([]string{"PORT=0", "HOST=localhost", "LOG_LEVEL=debug", "FEED_URL=none", "DATABASE_URL=" + sqliteURL(t),
		"GORACE=" + os.Getenv("GORACE")}, env...)
	a.cmd.Stdout, a.cmd.Stderr = a.out, a.out
	if err := a.cmd.Start(); err != nil {
		t.Fatalf("starting %s: %v", a.name, err)
	}
	go func() {
		a.err = a.cmd.Wait()
		close(a.done)
	}()
	t.Cleanup(func() {
		a.kill()
		if t.Failed() {
			t.Logf("%s said at last:\n%s", a.name, a.out.last(200))
		}
	})
	return a
}

// sqliteURL names a database that is not there yet.
func sqliteURL(t *testing.T) string {
	t.Helper()
	return "sqlite:" + filepath.Join(t.TempDir(), "quotes.db")
}

// listening waits for the log line that says where the app listens.
func (a *app) listening() string {
	a.t.Helper()
	return a.await("it listens", func(line map[string]any) (string, bool) {
		url, ok := line["url"].(string)
		return url, ok && line["msg"] == "listening"
	})
}

// await waits for a JSON log line that find likes.
func (a *app) await(what string, find func(map[string]any) (string, bool)) string {
	a.t.Helper()
	found := ""
	ended := false
	eventually(a.t, fmt.Sprintf("%s logs that %s", a.name, what), func() bool {
		for _, line := range a.out.lines() {
			var fields map[string]any
			if json.Unmarshal([]byte(line), &fields) != nil {
				continue
			}
			if s, ok := find(fields); ok {
				found = s
				return true
			}
		}
		select {
		case <-a.done: // and one more look, for what it said last
			if ended {
				a.t.Fatalf("%s ended before it logged that %s: %v\n%s", a.name, what, a.err, a.out)
			}
			ended = true
		default:
		}
		return false
	})
	return found
}

// kill ends the process at once, if it still runs, and waits for that.
func (a *app) kill() {
	_ = a.cmd.Process.Kill()
	<-a.done
}

// stop asks the process to end and returns its exit status.
func (a *app) stop(sig os.Signal) int {
	a.t.Helper()
	if err := a.cmd.Process.Signal(sig); err != nil {
		a.t.Fatalf("signalling %s: %v", a.name, err)
	}
	return a.wait()
}

// wait waits for the process to end and returns its exit status.
func (a *app) wait() int {
	a.t.Helper()
	select {
	case <-a.done:
	case <-time.After(patience):
		a.t.Fatalf("%s has not ended:\n%s", a.name, a.out)
	}
	return a.cmd.ProcessState.ExitCode()
}

// reply is an answer, read whole.
type reply struct {
	status int
	header http.Header
	body   string
}

// json decodes the answer's body.
func (r reply) json(t *testing.T) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(r.body), &v); err != nil {
		t.Fatalf("not JSON: %v\n%d %s", err, r.status, r.body)
	}
	return v
}

// client follows nothing and keeps nothing, so that a test sees what is there.
var client = &http.Client{
	Timeout:       patience,
	Transport:     &http.Transport{DisableKeepAlives: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// get asks an app; headers are name, value, ...
func get(t *testing.T, url string, headers ...string) reply {
	t.Helper()
	r, err := tryGet(url, headers...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func tryGet(url string, headers ...string) (reply, error) {
	return trySend(http.MethodGet, url, nil, headers)
}

func trySend(method, url string, body io.Reader, headers []string) (reply, error) {
	req, err := http.NewRequest(method, url, body)
	if err != nil {
		return reply{}, err
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if req.Header.Set(headers[i], headers[i+1]); headers[i] == "Host" {
			req.Host = headers[i+1]
		}
	}
	resp, err := client.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return reply{resp.StatusCode, resp.Header, string(text)}, err
}

// eventually polls until ok, and fails the test when it never is.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	eventuallyWithin(t, patience, what, ok)
}

// eventuallyWithin is eventually where an app's own limit is over patience.
func eventuallyWithin(t *testing.T, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for pause := 2 * time.Millisecond; !ok(); pause = min(pause*3/2, 50*time.Millisecond) { // a look at a page is not for nothing
		if time.Now().After(deadline) {
			t.Fatalf("waited %v in vain until %s", limit, what)
		}
		<-time.After(pause)
	}
}

// freePorts finds a port that is free with all of its offsets. It looks below
// the range that the system takes ports from by itself, so that nothing else
// comes to hold one in the meantime.
func freePorts(t *testing.T, offsets ...int) int {
	t.Helper()
	for range 100 {
		base := 10000 + rand.IntN(20000)
		free := true
		for _, offset := range append([]int{0}, offsets...) {
			for _, host := range []string{"", "127.0.0.1", "::1"} {
				l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(base+offset)))
				if err == nil {
					l.Close()
				}
				free = free && !errors.Is(err, syscall.EADDRINUSE)
			}
		}
		if free {
			return base
		}
	}
	t.Fatal("no free ports")
	return 0
}

// output is what a process wrote, line by line while it still writes.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func newOutput() *output { return &output{} }

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

// lines are the whole lines so far.
func (o *output) lines() []string {
	text := o.String()
	text = text[:strings.LastIndexByte(text, '\n')+1]
	var all []string
	for s := bufio.NewScanner(strings.NewReader(text)); s.Scan(); {
		all = append(all, s.Text())
	}
	return all
}

// last are the last n lines so far.
func (o *output) last(n int) string {
	all := o.lines()
	return strings.Join(all[max(0, len(all)-n):], "\n")
}
