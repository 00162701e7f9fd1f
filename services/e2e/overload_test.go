package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// held is a URL of rates where each answer comes later.
func held(t *testing.T, rates *app, by time.Duration) string {
	t.Helper()
	to, err := url.Parse(rates.url)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	proxy.Transport = &http.Transport{MaxIdleConnsPerHost: 100, DialContext: dialLocalhost}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(by)
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// shot is one request of an open load: how it ended, and how long after it was
// due.
type shot struct {
	due    time.Time
	status int
	retry  string
	took   time.Duration
	err    error
}

// openLoad sends GETs at a rate, whether or not those before were answered, as
// a crowd does. It keeps to some connections and writes to them itself: what is
// measured is the app, and it shares the machine with us.
func openLoad(t *testing.T, addr, path string, perSecond int, period time.Duration) []shot {
	t.Helper()
	const conns = 256
	shots := make([]shot, int(period.Seconds()*float64(perSecond)))
	due := make(chan *shot, len(shots))
	request := []byte("GET " + path + " HTTP/1.1\r\nHost: quotes\r\n\r\n")
	var all sync.WaitGroup
	for range conns {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		all.Go(func() {
			defer conn.Close()
			r := bufio.NewReader(conn)
			for s := range due {
				s.err = s.fire(conn, r, request)
				s.took = time.Since(s.due)
			}
		})
	}
	began := time.Now()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for i := range shots {
		shots[i].due = began.Add(time.Duration(i) * time.Second / time.Duration(perSecond))
		for time.Now().Before(shots[i].due) {
			<-tick.C
		}
		due <- &shots[i]
	}
	close(due)
	all.Wait()
	return shots
}

func (s *shot) fire(conn net.Conn, r *bufio.Reader, request []byte) error {
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := conn.Write(request); err != nil {
		return err
	}
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	s.status, s.retry = resp.StatusCode, resp.Header.Get("Retry-After")
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

const (
	inFlight = 64
	delay    = 200 * time.Millisecond
	capacity = inFlight * int(time.Second/delay) // requests a second
)

// Ten times what its backing service has the capacity for: the work goes on
// at nearly that capacity, and who is too many is told so at once.
func TestOverloadIsShed(t *testing.T) {
	period := 2 * time.Second
	if full() {
		period = 30 * time.Second
	}
	dir, err := checkout()
	if err != nil {
		t.Fatal(err)
	}
	rates := start(t, "rates", "LOG_LEVEL=info")
	// As it ships: the race detector has a memory of its own.
	quotes := startSilent(t, filepath.Join(dir, "bin", "quotes"), "RATES_URL="+held(t, rates, delay)+"?max_age=0s", fmt.Sprint("MAX_IN_FLIGHT=", inFlight))
	get(t, quotes.url+convert100)

	// The best of some rounds: the machine is not ours. One in which others had
	// a good part of it tells nothing.
	failed := 0
	for range 6 {
		before := cpuTimes(t, os.Getpid(), rates.cmd.Process.Pid, quotes.cmd.Process.Pid)
		missed := overload(t, quotes, period)
		others := cpuTimes(t, os.Getpid(), rates.cmd.Process.Pid, quotes.cmd.Process.Pid).others(before)
		switch {
		case missed == nil:
			return
		case others < .15:
			failed++
		}
		t.Logf("missed: %v; others had %.2f of the machine", missed, others)
	}
	if failed > 0 {
		t.Errorf("missed in all rounds, %d times though the machine was quiet", failed)
	}
}

// overload is one round; it returns the number that was missed.
func overload(t *testing.T, quotes *app, period time.Duration) error {
	before := residentMemory(t, quotes.cmd.Process.Pid)
	w := watch(t, quotes)
	began := time.Now()
	shots := openLoad(t, strings.TrimPrefix(quotes.url, "http://"), convert100, 10*capacity, period)
	took := time.Since(began)
	w.end()

	var shed []time.Duration
	answered := 0
	for _, s := range shots {
		switch {
		case s.err != nil:
			t.Fatalf("a request failed: %v", s.err)
		case s.status == http.StatusOK:
			answered++
		case s.status == http.StatusServiceUnavailable && s.retry != "":
			shed = append(shed, s.took)
		default:
			t.Fatalf("got %d with Retry-After %q, want 200, or 503 with it", s.status, s.retry)
		}
	}
	slices.Sort(shed)
	share, late, grown := float64(answered)/took.Seconds()/float64(capacity), shed[len(shed)*95/100], w.memory-before
	t.Logf("%d requests in %v: %d answered, %.2f of capacity; 95%% of %d shed within %v; probes within %v; %.1f MB more",
		len(shots), took.Round(time.Millisecond), answered, share, len(shed), late, w.slowest, float64(grown)/(1<<20))
	if grown > 50<<20 {
		t.Errorf("memory grew by %d bytes, want under 50 MB", grown)
	}
	eventually(t, "it answers as ever", func() bool {
		began := time.Now()
		r, err := tryGet(quotes.url + convert100)
		return err == nil && r.status == http.StatusOK && time.Since(began) < delay+100*time.Millisecond
	})
	recovered := time.Since(began) - took
	switch {
	case share < 0.8:
		return fmt.Errorf("%.2f of the capacity was answered, want 0.8", share)
	case late > 50*time.Millisecond:
		return fmt.Errorf("what was shed took up to %v, want 50ms", late)
	case w.slowest > time.Second:
		return fmt.Errorf("a probe took %v", w.slowest)
	case recovered > 2*time.Second:
		return fmt.Errorf("latency was normal after %v, want 2s", recovered)
	}
	return nil
}

// watcher probes an app, and looks at its memory, until it is ended.
type watcher struct {
	stop, done chan bool
	slowest    time.Duration
	memory     int64 // the highest
}

func watch(t *testing.T, a *app) *watcher {
	w := &watcher{stop: make(chan bool), done: make(chan bool)}
	go func() {
		defer close(w.done)
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-w.stop:
				return
			case <-tick.C:
			}
			for _, path := range []string{"/livez", "/readyz"} {
				began := time.Now()
				if r, err := tryGet(a.url + path); err != nil || r.status != http.StatusOK {
					t.Errorf("%s under load: got %d, %v", path, r.status, err)
				}
				w.slowest = max(w.slowest, time.Since(began))
			}
			w.memory = max(w.memory, residentMemory(t, a.cmd.Process.Pid))
		}
	}()
	return w
}

func (w *watcher) end() {
	close(w.stop)
	<-w.done
}

// cpuTime is what the machine's cores did so far, in ticks.
type cpuTime struct{ all, idle, ours float64 }

// cpuTimes tells what some processes had of it.
func cpuTimes(t *testing.T, pids ...int) (c cpuTime) {
	t.Helper()
	machine := strings.Fields(procFile(t, "stat"))
	for i, text := range machine[1:9] { // user nice system idle iowait irq softirq steal
		ticks, _ := strconv.ParseFloat(text, 64)
		c.all += ticks
		if i == 3 || i == 4 {
			c.idle += ticks
		}
	}
	for _, pid := range pids {
		_, rest, _ := strings.Cut(procFile(t, fmt.Sprint(pid, "/stat")), ") ")
		for _, text := range strings.Fields(rest)[11:13] { // utime stime
			ticks, _ := strconv.ParseFloat(text, 64)
			c.ours += ticks
		}
	}
	return c
}

// others is the share that nobody of those had, since before.
func (c cpuTime) others(before cpuTime) float64 {
	return ((c.all - c.idle - c.ours) - (before.all - before.idle - before.ours)) / (c.all - before.all)
}

func procFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("/proc/" + name)
	if err != nil {
		t.Skip("what others have of the machine is read from /proc: ", err)
	}
	return string(text)
}
