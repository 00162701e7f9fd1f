package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// shipped starts an app as it is shipped: the race detector multiplies what a
// connection costs.
func shipped(t *testing.T, name string, env ...string) *app {
	t.Helper()
	dir, err := checkout()
	if err != nil {
		t.Fatal(err)
	}
	a := launch(t, filepath.Join(dir, "bin", name), env...)
	a.url = a.listening()
	return a
}

// crowd is many clients who each have sent the same, and read nothing.
type crowd []net.Conn

// gather connects so many, or skips where the system allows fewer.
func gather(t *testing.T, a *app, size int, raw string) crowd {
	t.Helper()
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil || files.Cur < uint64(size)+200 {
		t.Skipf("%d connections need more open files than the system allows, %d", size, files.Cur)
	}
	// A small window, set before the handshake: what is not read soon backs up.
	small := net.Dialer{Timeout: patience, Control: func(_, _ string, c syscall.RawConn) (err error) {
		_ = c.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4<<10) })
		return err
	}}
	var c crowd
	t.Cleanup(func() { c.leave() })
	for range size {
		conn, err := small.Dial("tcp", strings.TrimPrefix(a.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		c = append(c, conn)
		if _, err := io.WriteString(conn, raw); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func (c crowd) leave() {
	for _, conn := range c {
		conn.Close()
	}
}

// ended reads all that each is told, to the end of its connection, and returns
// the first lines that came, with how often.
func (c crowd) ended(t *testing.T, limit time.Duration) map[string]int {
	t.Helper()
	var mu sync.Mutex
	var all sync.WaitGroup
	said := map[string]int{}
	for _, conn := range c {
		all.Go(func() {
			conn.SetDeadline(time.Now().Add(limit))
			text, err := io.ReadAll(conn)
			first, _, _ := strings.Cut(string(text), "\r\n")
			if n, ok := err.(net.Error); ok && n.Timeout() {
				first = "not ended"
			}
			mu.Lock()
			defer mu.Unlock()
			said[first]++
		})
	}
	all.Wait()
	return said
}

// TestIdleConnections: what they cost, that others are served beside them,
// that nothing of them stays, and that they do not hold the drain.
func TestIdleConnections(t *testing.T) {
	t.Parallel()
	size := 500
	if full() {
		size = 5000
	}
	rates := shipped(t, "rates", "LOG_LEVEL=info")
	quotes := shipped(t, "quotes", "LOG_LEVEL=info", "RATES_URL="+rates.url)
	for _, a := range []*app{quotes, rates} { // rates last: quotes asks it
		t.Run(a.name, func(t *testing.T) {
			check := baseline(t, a)
			before := tollOf(t, a)
			c := idle(t, a, size)
			wantPrompt(t, a)
			peak := tollOf(t, a)
			cost := peak.memory - before.memory
			t.Logf("%d idle connections cost %d KiB each, %d MiB in all", size, cost>>10/int64(size), cost>>20)
			if n := peak.files - before.files; n < size-near {
				t.Errorf("%d connections are held, want %d", n, size)
			}
			if cost/int64(size) > 64<<10 {
				t.Errorf("%d idle connections cost %d bytes, want at most 64 KiB each", size, cost)
			}
			c.leave()
			check()
			// The runtime collects once as much again has been allocated, here by
			// those who come next, and then gives back in its own time.
			eventuallyWithin(t, time.Minute, "memory is back", func() bool {
				for range 20 {
					get(t, a.url+"/metrics")
				}
				return tollOf(t, a).memory-before.memory < cost/4+8<<20
			})
			wantDrained(t, a, append(idle(t, a, size), gather(t, a, 50, "")...), gather(t, a, 50, "GET /livez HTTP/1.1\r\nX-Half:"))
		})
	}
}

// idle is a crowd whose connections have each served one request.
func idle(t *testing.T, a *app, size int) crowd {
	t.Helper()
	c := gather(t, a, size, "GET /livez HTTP/1.1\r\nHost: app\r\n\r\n")
	for _, conn := range c {
		conn.SetDeadline(time.Now().Add(patience))
		if resp, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("got %+v, %v", resp, err)
		}
	}
	return c
}

// wantDrained stops an app that has nothing in flight, and checks that it ends
// long before it must, and ends its connections.
func wantDrained(t *testing.T, a *app, crowds ...crowd) {
	t.Helper()
	began := time.Now()
	if code := a.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("exit status %d after SIGTERM, want 0", code)
	}
	took := time.Since(began)
	t.Logf("drained in %v", took.Round(time.Millisecond))
	if took > 4*time.Second {
		t.Errorf("drained in %v, want at most 4s", took)
	}
	for _, c := range crowds {
		if said := c.ended(t, patience); said["not ended"] > 0 {
			t.Errorf("connections ended as %v", said)
		}
	}
}

// slow are clients who stop within a request, or send on a byte a second, and
// when that ends how.
type slow struct {
	crowd
	name  string
	raw   string
	drop  string
	limit time.Duration
	told  string
}

// cut waits until they are all cut off.
func (s slow) cut(t *testing.T) {
	t.Helper()
	var all sync.WaitGroup
	gone := make(chan struct{})
	all.Go(func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-gone:
				return
			case <-tick.C:
			}
			for _, conn := range s.crowd {
				_, _ = io.WriteString(conn, s.drop)
			}
		}
	})
	began := time.Now()
	if told := s.ended(t, s.limit+5*time.Second); told[s.told] != len(s.crowd) {
		t.Errorf("clients who are slow %s were told %v, want %q", s.name, told, s.told)
	}
	t.Logf("clients who are slow %s were cut off after %v", s.name, time.Since(began).Round(time.Millisecond))
	close(gone)
	all.Wait()
}

// TestSlowRequests: who sends a request slowly holds nobody up, and is cut off
// in the end.
func TestSlowRequests(t *testing.T) {
	t.Parallel()
	const each = 100
	const header, body = 5 * time.Second, 15 * time.Second // the server's patience
	const order = "POST /v1/quotes HTTP/1.1\r\nHost: app\r\nContent-Type: application/json\r\n"
	rates, quotes := startBoth(t)
	for a, refused := range map[*app]string{rates: "HTTP/1.1 404 Not Found", quotes: "HTTP/1.1 400 Bad Request"} {
		t.Run(a.name, func(t *testing.T) {
			check := baseline(t, a)
			all := []slow{
				{name: "to say anything", limit: header},
				{name: "in the first line", raw: "GET /livez", drop: "x", limit: header, told: "HTTP/1.1 400 Bad Request"},
				{name: "in a header", raw: "GET /livez HTTP/1.1\r\nHost: app\r\nX-Slow: ", drop: "x", limit: header},
				{name: "in the body", raw: order + "Content-Length: 1000\r\n\r\n{", drop: "x", limit: body, told: refused},
				{name: "in a chunk", raw: order + "Transfer-Encoding: chunked\r\n\r\n100\r\n{", drop: "x", limit: body, told: refused},
				{name: "in a chunk's size", raw: order + "Transfer-Encoding: chunked\r\n\r\n0", drop: "0", limit: body, told: refused},
			}
			for i := range all {
				all[i].crowd = gather(t, a, each, all[i].raw)
			}
			wantPrompt(t, a)
			if full() {
				var cut sync.WaitGroup
				for _, s := range all {
					cut.Go(func() { s.cut(t) })
				}
				cut.Wait()
			}
			for _, s := range all {
				s.leave()
			}
			check()
		})
	}
}

// longHistory is a feed of 25 years: all of it is more than the system keeps
// for a client who does not read.
func longHistory(t *testing.T) string {
	t.Helper()
	codes := strings.Fields("USD JPY CZK DKK GBP HUF PLN RON SEK CHF ISK NOK TRY AUD BRL CAD CNY HKD IDR ILS INR KRW MXN MYR NZD PHP SGD THB ZAR")
	var csv strings.Builder
	csv.WriteString("Date," + strings.Join(codes, ",") + ",\n")
	for day := time.Date(2026, 8, 21, 0, 0, 0, 0, time.UTC); day.Year() > 2000; day = day.AddDate(0, 0, -1) {
		csv.WriteString(day.Format(time.DateOnly) + ",")
		for n := range codes {
			fmt.Fprintf(&csv, "%d.%04d,", 1+n, day.YearDay()*(n+7)%10000)
		}
		csv.WriteString("\n")
	}
	path := filepath.Join(t.TempDir(), "eurofxref-hist.csv")
	if err := os.WriteFile(path, []byte(csv.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestClientsWhoDoNotRead: an answer that nobody takes costs little, holds
// nobody up, and is cut off in the end.
func TestClientsWhoDoNotRead(t *testing.T) {
	t.Parallel()
	const readers, most = 100, 320 << 10
	const part = "the client took only a part"
	rates := shipped(t, "rates", "FEED_URL=file://"+longHistory(t))
	rates.await("the feed is there", func(line map[string]any) (string, bool) { return "", line["source"] == "feed" })
	check := baseline(t, rates)
	if r := get(t, rates.url+"/v1/2001-01-01.."); len(r.body) < 1<<20 {
		t.Fatalf("the whole is %d bytes, too few for this test", len(r.body))
	}
	before := tollOf(t, rates)
	c := gather(t, rates, readers, "GET /v1/2001-01-01.. HTTP/1.1\r\nHost: app\r\n\r\n")
	for range 3 { // others who ask for the same, and read
		if r := get(t, rates.url+"/v1/2001-01-01.."); r.status != http.StatusOK || !strings.HasSuffix(r.body, "}}") {
			t.Errorf("another client got %d and %d bytes", r.status, len(r.body))
		}
	}
	wantPrompt(t, rates)
	now := tollOf(t, rates)
	each := (now.memory - before.memory) / readers
	t.Logf("%d clients who do not read cost %d KiB each", readers, each>>10)
	if n := now.goroutines - before.goroutines; n < readers-near {
		t.Errorf("%d are being answered, want %d", n, readers)
	}
	if each > most {
		t.Errorf("a client who does not read costs %d bytes, want at most %d", each, most)
	}
	cut := func() bool { return strings.Count(rates.out.String(), part) == readers }
	if full() {
		eventuallyWithin(t, time.Minute, "they are cut off", cut)
	}
	c.leave()
	eventually(t, "each was in the middle of its answer", cut)
	check()
}

// TestClientsWhoAskAndDoNotRead: likewise of small answers, to many requests
// on a connection.
func TestClientsWhoAskAndDoNotRead(t *testing.T) {
	t.Parallel()
	const clients, requests, most = 20, 2000, 1 << 20
	rates := shipped(t, "rates", "LOG_LEVEL=info")
	quotes := shipped(t, "quotes", "LOG_LEVEL=info", "RATES_URL="+rates.url)
	for _, a := range []*app{rates, quotes} {
		check := baseline(t, a)
		before := tollOf(t, a)
		c := gather(t, a, clients, strings.Repeat("GET /openapi.json HTTP/1.1\r\nHost: app\r\n\r\n", requests))
		const answered = `http_requests_total\{route="/openapi.json",status="200"\}`
		last, same := 0, 0
		eventually(t, a.name+" answers no more", func() bool {
			n := counter(t, a, answered)
			if same++; n != last {
				last, same = n, 0
			}
			return same == 20
		})
		now := tollOf(t, a)
		each := (now.memory - before.memory) / clients
		t.Logf("%s: %d of %d requests answered, %d KiB for each client", a.name, last, clients*requests, each>>10)
		if last >= clients*requests {
			t.Errorf("%s: answered all, which proves nothing", a.name)
		}
		if each > most {
			t.Errorf("%s: each costs %d bytes, want at most %d", a.name, each, most)
		}
		wantPrompt(t, a)
		if full() {
			eventuallyWithin(t, time.Minute, "they are cut off", func() bool { return tollOf(t, a).goroutines <= before.goroutines+near })
		}
		c.leave()
		check()
	}
}

// TestClientsWhoLeave: at any byte of a request, or of its answer, with a
// goodbye or without. A lock is either made or not, and asked for again it is
// made once.
func TestClientsWhoLeave(t *testing.T) {
	t.Parallel()
	const path = "/v1/2001-01-01.."
	database := sqliteURL(t)
	rates := start(t, "rates", "FEED_URL=file://"+longHistory(t))
	quotes := startQuotes(t, rates, "DATABASE_URL="+database)
	rates.await("the feed is there", func(line map[string]any) (string, bool) { return "", line["source"] == "feed" })
	checkRates, checkQuotes := baseline(t, rates), baseline(t, quotes)
	leave := func(a *app, raw string, abruptly bool, read int64) {
		conn := dial(t, a.url)
		if _, err := io.WriteString(conn, raw); err != nil {
			t.Error(err)
		}
		if _, err := io.CopyN(io.Discard, conn, read); err != nil {
			t.Error(err)
		}
		if abruptly {
			_ = conn.(*net.TCPConn).SetLinger(0) // a reset in place of the end
		}
		conn.Close()
	}
	get := "GET " + path + " HTTP/1.1\r\nHost: app\r\n\r\n"
	for at := range get {
		leave(rates, get[:at+1], at%2 == 0, 0)
	}
	for n := range int64(20) {
		leave(rates, get, n%2 == 0, 1+n*4000)
	}

	order := func(n int) (key, raw string) {
		key = fmt.Sprintf("leaver-%04d", n)
		return key, "POST /v1/quotes HTTP/1.1\r\nHost: app\r\nIdempotency-Key: " + key + "\r\n" + orderOf(order100)
	}
	var keys []string
	_, whole := order(0)
	for at := range len(whole) - 1 {
		_, raw := order(at)
		leave(quotes, raw[:at+1], at%2 == 0, 0)
	}
	if n := rowsOf(t, database); n != 0 {
		t.Errorf("the database holds %d quotes, want none of half an order", n)
	}
	for n := range 100 {
		key, raw := order(n)
		leave(quotes, raw, n%2 == 0, int64(n%4)/3) // some once the answer began
		keys = append(keys, key)
	}
	wantOneEach(t, quotes, database, keys)
	checkRates()
	checkQuotes()
}
