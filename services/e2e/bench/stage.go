package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// patience is the longest that anything is waited for.
const patience = 10 * time.Second

// stage starts servers and ends them.
type stage struct {
	bin, dir string
	conns    int // of a load of GETs
	running  []*server
	files    int
}

// server is a running process.
type server struct {
	url      string
	cmd      *exec.Cmd
	profiles string // where it shows them, if it does
}

type starter = func() (*server, error)

func (s *stage) end() {
	for _, server := range s.running {
		_ = server.cmd.Process.Kill()
		_ = server.cmd.Wait()
	}
}

// start runs a binary with its stdout in a file and waits until it answers.
// bare says where it listens; the apps are told, since with LOG_LEVEL=warn
// they do not say.
func (s *stage) start(args []string, env ...string) (*server, error) {
	s.files++
	name := filepath.Join(s.dir, fmt.Sprint(s.files, ".log"))
	out, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	profiles, err := freeAddr()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(filepath.Join(s.bin, args[0]), args[1:]...)
	cmd.Env = append([]string{fmt.Sprint("PORT=", addr.Port), "PROFILE_ADDR=" + profiles.String(), "HOST=127.0.0.1", "FEED_URL=none", "LOCK_MAX_DAYS=36500",
		fmt.Sprintf("DATABASE_URL=sqlite:%s/%d.db", s.dir, s.files)}, env...)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	server := &server{"http://" + addr.String(), cmd, profiles.String()}
	s.running = append(s.running, server)
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if args[0] == "bare" {
			server.profiles = ""
			text, err := os.ReadFile(name)
			if url, ok := strings.CutSuffix(string(text), "\n"); err == nil && ok {
				server.url = url
				return server, nil
			}
		} else if conn, err := net.Dial("tcp", addr.String()); err == nil {
			return server, conn.Close()
		}
	}
	text, _ := os.ReadFile(name)
	return nil, fmt.Errorf("%v does not listen:\n%s", args, text)
}

// freeAddr is one that nobody listens on, on the loopback.
func freeAddr() (*net.TCPAddr, error) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return free.Addr().(*net.TCPAddr), free.Close()
}

// once starts an app when it is first asked for.
func (s *stage) once(app string, env ...string) starter {
	var started *server
	return func() (_ *server, err error) {
		if started == nil {
			started, err = s.start([]string{app}, env...)
		}
		return started, err
	}
}

// onceQuotes is quotes attached to rates, with options of the handle.
func (s *stage) onceQuotes(rates starter, options string, env ...string) starter {
	var started *server
	return func() (*server, error) {
		if started != nil {
			return started, nil
		}
		producer, err := rates()
		if err != nil {
			return nil, err
		}
		started, err = s.start([]string{"quotes"}, append(env, "RATES_URL="+producer.url+options)...)
		return started, err
	}
}

// onceQuotesOverRedis is quotes attached to rates by its second port.
func (s *stage) onceQuotesOverRedis(options string, env ...string) starter {
	var started *server
	return func() (_ *server, err error) {
		if started != nil {
			return started, nil
		}
		port, err := s.freePort()
		if err != nil {
			return nil, err
		}
		if _, err := s.start([]string{"rates"}, "LOG_LEVEL=info", "RESP_PORT="+port); err != nil {
			return nil, err
		}
		started, err = s.start([]string{"quotes"}, append(env, "RATES_URL=redis://127.0.0.1:"+port+options)...)
		return started, err
	}
}

// bytesOf is bare, answering with the bytes that an app answers at a path.
func (s *stage) bytesOf(app starter, path string) starter { return s.answerOf("bytes", app, path) }

// bodyOf is bare, answering with the body of them alone.
func (s *stage) bodyOf(app starter, path string) starter { return s.answerOf("body", app, path) }

func (s *stage) answerOf(mode string, app starter, path string) starter {
	return func() (*server, error) {
		of, err := app()
		if err != nil {
			return nil, err
		}
		return s.start([]string{"bare", mode, of.url + path})
	}
}

func (s *stage) relayOf(app starter, path string) starter {
	return func() (*server, error) {
		of, err := app()
		if err != nil {
			return nil, err
		}
		return s.start([]string{"bare", "relay", of.url + path})
	}
}

func (s *stage) committer() starter {
	return func() (*server, error) {
		s.files++
		return s.start([]string{"bare", "commit", filepath.Join(s.dir, fmt.Sprint(s.files, "-bare.db"))})
	}
}

// oneQuote is an app at the path of a quote that was just locked.
func (s *stage) oneQuote(app starter, order string) starter {
	return func() (*server, error) {
		of, err := app()
		if err != nil {
			return nil, err
		}
		path, err := lock(of, order)
		if err != nil {
			return nil, err
		}
		return &server{of.url + path, of.cmd, of.profiles}, nil
	}
}

func (s *stage) bytesOfQuote(app starter, order string) starter {
	return func() (*server, error) {
		of, err := app()
		if err != nil {
			return nil, err
		}
		path, err := lock(of, order)
		if err != nil {
			return nil, err
		}
		return s.bytesOf(app, path)()
	}
}

func lock(of *server, order string) (path string, err error) {
	resp, err := http.Post(of.url+"/v1/quotes", "application/json", strings.NewReader(order))
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	var q struct{ ID string }
	if err := json.NewDecoder(resp.Body).Decode(&q); err != nil || resp.StatusCode != http.StatusCreated {
		return "", fmt.Errorf("locking a quote: status %d", resp.StatusCode)
	}
	return "/v1/quotes/" + q.ID, nil
}

func fetch(url string) ([]byte, error) {
	resp, err := http.Get(url)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s: status %d", url, resp.StatusCode)
	}
	return body, err
}

// footprint prints each app's size, the time from exec to its first answer
// (the median of some) and its memory then.
func (s *stage) footprint() error {
	rates, err := s.start([]string{"rates"})
	if err != nil {
		return err
	}
	fmt.Printf("%-10s %10s %14s %12s\n", "", "binary", "first answer", "idle memory")
	for _, app := range []struct{ name, path string }{{"rates", "/v1/latest"}, {"quotes", "/v1/convert?amount=100.00&source=EUR&target=USD"}} {
		info, err := os.Stat(filepath.Join(s.bin, app.name))
		if err != nil {
			return err
		}
		var millis []float64
		var idle int64
		for range 11 {
			began := time.Now()
			server, err := s.start([]string{app.name}, "RATES_URL="+rates.url)
			if err != nil {
				return err
			}
			if _, err := fetch(server.url + app.path); err != nil {
				return err
			}
			millis = append(millis, float64(time.Since(began).Microseconds())/1000)
			if idle, err = resident(server.cmd.Process.Pid); err != nil {
				return err
			}
			_ = server.cmd.Process.Kill()
		}
		fmt.Printf("%-10s %7.1f MB %11.0f ms %9.1f MB\n", app.name, float64(info.Size())/(1<<20), quantile(millis, .5), float64(idle)/(1<<20))
	}
	return nil
}

// resident is a process's memory, in bytes.
func resident(pid int) (int64, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if kb, ok := strings.CutPrefix(lines.Text(), "VmRSS:"); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(kb, "kB")), 10, 64)
			return n << 10, err
		}
	}
	return 0, errors.New("no VmRSS")
}
