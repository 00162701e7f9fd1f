package e2e

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// checkout is a copy of the project's files with bin/ built as `make build`
// does, for tests that run make there.
var checkout = sync.OnceValues(func() (string, error) {
	dir := filepath.Join(binDir, "checkout")
	root, err := filepath.Abs("../..")
	if err != nil {
		return "", err
	}
	for _, name := range []string{"Makefile", "Procfile", ".env.example", "go.work", "services", "deploy"} {
		if err := copyTree(filepath.Join(root, name), filepath.Join(dir, name)); err != nil {
			return "", err
		}
	}
	build := exec.Command("make", "-C", dir, "build", "bin/goreman")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("make build: %v\n%s", err, out)
	}
	return dir, nil
})

func copyTree(from, to string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return os.CopyFS(to, os.DirFS(from))
	}
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, b, 0o644)
}

// addToDotenv gives the checkout's .env a further line until the test ends.
func addToDotenv(t *testing.T, line string) {
	t.Helper()
	dir, err := checkout()
	if err != nil {
		t.Fatal(err)
	}
	path, preset := filepath.Join(dir, ".env"), readFile(t, filepath.Join(dir, ".env.example"))
	write := func(content string) {
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(preset + line + "\n")
	t.Cleanup(func() { write(preset) }) // what make puts there
}

// pair is a runner of the Procfile with both apps under it.
type pair struct {
	*app
	pids map[string]int // of rates and quotes
}

// up runs a command in a fresh checkout and waits until both apps listen.
func up(t *testing.T, env []string, command ...string) *pair {
	t.Helper()
	p := &pair{app: runIn(t, env, command...), pids: map[string]int{}}
	started := regexp.MustCompile(`(?m)(quotes|rates)(?:\.1)?\s+\|.*msg=listening.* pid=(\d+)`)
	eventually(t, strings.Join(command, " ")+" has both apps listening", func() bool {
		select {
		case <-p.done:
			t.Fatalf("ended: %v\n%s", p.err, p.out)
		default:
		}
		for _, m := range started.FindAllStringSubmatch(p.out.String(), -1) {
			p.pids[m[1]], _ = strconv.Atoi(m[2])
		}
		return len(p.pids) == 2
	})
	t.Cleanup(func() {
		for _, pid := range p.pids {
			if alive(pid) {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		}
	})
	return p
}

// runIn starts a command in a process group of its own, as a terminal does.
func runIn(t *testing.T, env []string, command ...string) *app {
	t.Helper()
	dir, err := checkout()
	if err != nil {
		t.Fatal(err)
	}
	a := &app{t: t, name: command[0], cmd: exec.Command(command[0], command[1:]...), out: newOutput(), done: make(chan struct{})}
	a.cmd.Dir = dir
	a.cmd.Env = append(append(os.Environ(), "FEED_URL=none", "DATABASE_URL="+sqliteURL(t)), env...)
	a.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	a.cmd.Stdout, a.cmd.Stderr = a.out, a.out
	a.cmd.WaitDelay = time.Second // an orphan would hold our pipe open
	if err := a.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		a.err = a.cmd.Wait()
		close(a.done)
	}()
	t.Cleanup(func() {
		select {
		case <-a.done:
		default:
			_ = syscall.Kill(-a.cmd.Process.Pid, syscall.SIGKILL)
			<-a.done
		}
	})
	return a
}

func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := bytes.Cut(stat, []byte(") "))
	return !bytes.HasPrefix(rest, []byte("Z")) // a zombie has ended
}

// wantNoOrphan waits until neither app runs any more.
func (p *pair) wantNoOrphan() {
	p.t.Helper()
	for name, pid := range p.pids {
		eventually(p.t, name+" has ended too", func() bool { return !alive(pid) })
	}
}

// ctrlC does what the terminal does: the signal goes to the foreground group.
func (p *pair) ctrlC() {
	p.t.Helper()
	if err := syscall.Kill(-p.cmd.Process.Pid, syscall.SIGINT); err != nil {
		p.t.Fatal(err)
	}
}

// oneMake has the tests that make something in the checkout, whose .env they
// write, follow each other.
func oneMake(t *testing.T) {
	makes.Lock()
	t.Cleanup(makes.Unlock)
}

var makes sync.Mutex

func TestMakeUp(t *testing.T) {
	t.Parallel()
	oneMake(t)
	t.Run("gives quotes PORT and rates PORT+100, and the handle follows", func(t *testing.T) {
		base := freePorts(t, 100, 101)
		p := up(t, []string{"RATES_URL="}, "make", "up", fmt.Sprintf("PORT=%d", base))
		r := get(t, fmt.Sprintf("http://localhost:%d%s", base, convert100))
		if r.status != http.StatusOK || r.json(t)["targetAmount"] != "116.99" {
			t.Errorf("got %d %s", r.status, r.body)
		}
		if r := get(t, fmt.Sprintf("http://localhost:%d/v1/latest", base+100)); r.status != http.StatusOK || r.header.Get("Server") != "rates/"+version(p.out.String()) {
			t.Errorf("rates: got %d %v", r.status, r.header)
		}
		if got := (resp{fmt.Sprint("localhost:", base+101)}).dial(t).ask(t, "GET rates:EUR:USD"); got != "$6\r\n1.1699\r\n" {
			t.Errorf("rates over the Redis protocol: got %q", got)
		}
		for _, want := range []string{fmt.Sprintf("http://localhost:%d/", base), fmt.Sprintf("http://localhost:%d/", base+100)} {
			if !strings.Contains(p.out.String(), want) {
				t.Errorf("does not print where to look: no %s in\n%s", want, p.out)
			}
		}
		p.ctrlC()
		p.wait()
		p.wantNoOrphan()
		if !strings.Contains(p.out.String(), "msg=drained") {
			t.Errorf("no clean end:\n%s", p.out)
		}
	})
	party := thirdParty(t)
	for _, tt := range []struct{ name, dotenv, shell string }{ // the default is above
		{"shell before default", "", "RATES_URL=" + party.URL},
		{".env before default", "RATES_URL=" + party.URL, "-uRATES_URL"},
		{"shell before .env", "RATES_URL=http://localhost:1", "RATES_URL=" + party.URL},
	} {
		t.Run(tt.name+": RATES_URL swaps", func(t *testing.T) {
			addToDotenv(t, tt.dotenv)
			base := freePorts(t, 100, 101)
			p := up(t, nil, "env", tt.shell, "make", "up", fmt.Sprintf("PORT=%d", base))
			if got := get(t, fmt.Sprintf("http://localhost:%d%s", base, convert100)).json(t)["targetAmount"]; got != "125.00" {
				t.Errorf("got %v, want the third party's 125.00", got)
			}
			p.ctrlC()
			p.wait()
			p.wantNoOrphan()
		})
	}
	for _, victim := range []string{"quotes", "rates"} {
		t.Run("ends non-zero and leaves no orphan after a crash of "+victim, func(t *testing.T) {
			p := up(t, nil, "make", "up", fmt.Sprintf("PORT=%d", freePorts(t, 100, 101)))
			if err := syscall.Kill(p.pids[victim], syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			if code := p.wait(); code == 0 {
				t.Errorf("exit status 0, want another")
			}
			p.wantNoOrphan()
		})
	}
	for offset, taken := range map[int]string{0: "quotes: PORT", 100: "rates: PORT", 101: "rates: RESP_PORT"} {
		t.Run("ends non-zero when it is taken: "+taken, func(t *testing.T) {
			base := freePorts(t, 100, 101)
			l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", base+offset))
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			a := runIn(t, nil, "make", "up", fmt.Sprintf("PORT=%d", base))
			if code := a.wait(); code == 0 {
				t.Errorf("exit status 0, want another")
			}
			if want := fmt.Sprintf("%s %d is taken", taken, base+offset); !strings.Contains(a.out.String(), want) {
				t.Errorf("no %q in\n%s", want, a.out)
			}
			for _, m := range regexp.MustCompile(`pid=(\d+)`).FindAllStringSubmatch(a.out.String(), -1) {
				pid, _ := strconv.Atoi(m[1])
				eventually(t, "the other has ended too", func() bool { return !alive(pid) })
			}
		})
	}
}

func TestMakeRunsOneAppAlone(t *testing.T) {
	t.Parallel()
	oneMake(t)
	base := freePorts(t, 100, 101)
	listens := func(a *app, port int) {
		eventually(t, fmt.Sprintf("%d is bound", port), func() bool {
			select {
			case <-a.done:
				t.Fatalf("ended: %v\n%s", a.err, a.out)
			default:
			}
			_, err := tryGet(fmt.Sprintf("http://localhost:%d/readyz", port))
			return err == nil
		})
	}
	rates := runIn(t, nil, "make", "rates", fmt.Sprintf("PORT=%d", base))
	listens(rates, base+100)
	for range 2 { // the consumer is restarted, the producer runs on
		quotes := runIn(t, nil, "make", "quotes", fmt.Sprintf("PORT=%d", base))
		listens(quotes, base)
		if got := get(t, fmt.Sprintf("http://localhost:%d%s", base, convert100)).json(t)["targetAmount"]; got != "116.99" {
			t.Errorf("got %v, want 116.99", got)
		}
		(&pair{app: quotes}).ctrlC()
		quotes.wait()
	}
	(&pair{app: rates}).ctrlC()
	rates.wait()
}

func TestProcfileUnderForeman(t *testing.T) {
	if _, err := exec.LookPath("foreman"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("foreman is missing, and CI must have it")
		}
		t.Skip("foreman is not installed (Debian: ruby-foreman)")
	}
	if _, err := checkout(); err != nil {
		t.Fatal(err)
	}
	base := freePorts(t, 100, 101)
	p := up(t, []string{"LOG_FORMAT=text", "HOST=localhost"}, "foreman", "start", "-p", strconv.Itoa(base))
	if got := (resp{fmt.Sprint("localhost:", base+101)}).dial(t).ask(t, "PING"); got != "+PONG\r\n" {
		t.Errorf("rates over the Redis protocol: got %q", got)
	}
	if got := get(t, fmt.Sprintf("http://localhost:%d%s", base, convert100)).json(t)["targetAmount"]; got != "116.99" {
		t.Errorf("got %v, want 116.99", got)
	}
	p.ctrlC()
	p.wait()
	p.wantNoOrphan()
}

// version is what the log says the apps are.
func version(log string) string {
	m := regexp.MustCompile(`msg=listening.* version=(\S+)`).FindStringSubmatch(log)
	if m == nil {
		return ""
	}
	return m[1]
}
