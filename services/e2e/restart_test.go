package e2e

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// full says whether the long versions run: make faults sets FAULTS=1.
func full() bool { return os.Getenv("FAULTS") != "" }

// traffic is a steady load of GETs by some clients, until it is stopped.
type traffic struct {
	stop     chan struct{}
	wg       sync.WaitGroup
	asked    atomic.Int64
	answered atomic.Int64
	mu       sync.Mutex
	failures []string
	slowest  time.Duration
}

// load starts clients that ask a URL, each a moment after its last answer, over
// kept-alive connections or a new one each time. Any answer but 200 is a
// failure, and nothing is tried twice.
func load(t *testing.T, url string, clients int, keepAlive bool) *traffic {
	t.Helper()
	return loadEvery(t, pause(), url, clients, keepAlive)
}

// pause is what a client of a load makes between two requests.
func pause() time.Duration {
	if full() {
		return time.Millisecond
	}
	return 5 * time.Millisecond
}

// loadEvery is load with another pause.
func loadEvery(t *testing.T, pause time.Duration, url string, clients int, keepAlive bool) *traffic {
	t.Helper()
	return loadWith(t, pause, clients, keepAlive, func(c *http.Client) error {
		resp, err := c.Get(url)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			return err
		}
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("status %d", resp.StatusCode)
		}
		return nil
	})
}

// loadWith is load of whatever the clients ask.
func loadWith(t *testing.T, pause time.Duration, clients int, keepAlive bool, ask func(*http.Client) error) *traffic {
	t.Helper()
	l := &traffic{stop: make(chan struct{})}
	for range clients {
		transport := &http.Transport{DisableKeepAlives: !keepAlive, DialContext: dialLocalhost}
		c := &http.Client{Transport: transport, Timeout: patience}
		l.wg.Go(func() {
			defer transport.CloseIdleConnections()
			tick := time.NewTicker(pause)
			defer tick.Stop()
			for {
				select {
				case <-l.stop:
					return
				case <-tick.C:
				}
				began := time.Now()
				l.asked.Add(1)
				err := ask(c)
				l.note(time.Since(began), err)
			}
		})
	}
	t.Cleanup(l.end)
	return l
}

// dialLocalhost finds *.localhost where browsers do (RFC 6761, section 6.3).
func dialLocalhost(ctx context.Context, network, addr string) (net.Conn, error) {
	if host, port, err := net.SplitHostPort(addr); err == nil && strings.HasSuffix(host, ".localhost") {
		addr = net.JoinHostPort("127.0.0.1", port)
	}
	var d net.Dialer
	return d.DialContext(ctx, network, addr)
}

func (l *traffic) note(took time.Duration, err error) {
	l.answered.Add(1)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.slowest = max(l.slowest, took)
	if err != nil {
		l.failures = append(l.failures, err.Error())
	}
}

// end stops the load, once.
func (l *traffic) end() {
	select {
	case <-l.stop:
	default:
		close(l.stop)
	}
	l.wg.Wait()
}

// more waits until n more requests were answered.
func (l *traffic) more(t *testing.T, n int64) {
	t.Helper()
	until := l.answered.Load() + n
	eventually(t, "the load was answered", func() bool { return l.answered.Load() >= until })
}

// want ends the load and checks that nothing failed or took longer.
func (l *traffic) want(t *testing.T, limit time.Duration) {
	t.Helper()
	l.end()
	if len(l.failures) > 0 {
		t.Errorf("%d of %d requests failed, the first: %s", len(l.failures), l.answered.Load(), l.failures[0])
	}
	if l.slowest > limit {
		t.Errorf("the slowest of %d requests took %v, want at most %v", l.answered.Load(), l.slowest, limit)
	}
	t.Logf("%d requests, the slowest took %v", l.answered.Load(), l.slowest)
}

func TestProducerRestartsUnnoticedUnderLoad(t *testing.T) {
	port := freePorts(t)
	restartUnderLoad(t, 5, fmt.Sprintf("http://localhost:%d", port), fmt.Sprintf("PORT=%d", port))
}

// restartUnderLoad restarts rates, of this environment, some times or 20, while
// two quotes that are attached to it by a handle are under load.
func restartUnderLoad(t *testing.T, restarts int, handle string, env ...string) {
	t.Helper()
	pace := time.Second / 2
	if full() {
		restarts, pace = 20, 3*time.Second
	}
	producer := start(t, "rates", env...)
	asking := start(t, "quotes", "RATES_URL="+handle+"?max_age=0s", "LOG_LEVEL=info")
	keeping := start(t, "quotes", "RATES_URL="+handle+"?max_age=10ms", "LOG_LEVEL=info")
	var loads []*traffic
	for _, quotes := range []*app{asking, keeping} {
		get(t, quotes.url+convert100) // something is known from now on
		loads = append(loads, load(t, quotes.url+convert100, 4, true), load(t, quotes.url+convert100, 2, false))
	}
	began := time.Now()
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for range restarts {
		if code := producer.stop(syscall.SIGTERM); code != 0 {
			t.Errorf("exit status %d after SIGTERM, want 0", code)
		}
		loads[0].more(t, 4) // without it
		producer = start(t, "rates", env...)
		for _, l := range loads {
			l.more(t, 50)
		}
		<-tick.C
	}
	t.Logf("%d restarts in %v", restarts, time.Since(began).Round(time.Millisecond))
	for _, l := range loads {
		l.want(t, 1500*time.Millisecond)
	}
}
