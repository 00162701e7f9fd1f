package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// dial connects to an app, for a test that speaks HTTP by hand.
func dial(t *testing.T, url string) net.Conn {
	t.Helper()
	conn, err := net.DialTimeout("tcp", strings.TrimPrefix(url, "http://"), patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	return conn
}

// after is a good request that stands behind a hostile one, on the same
// connection. To get its answer, or see the connection end, is to know that
// there are no more.
const after = "GET /livez HTTP/1.1\r\nHost: app\r\nX-Request-Id: after\r\n\r\n"

// speak sends bytes with the good request behind them, and returns the answers
// and how it went: "200 open" where the good request was answered too, "400
// closed" where the connection ended.
func speak(t *testing.T, url, raw string) (answers []reply, summary string) {
	t.Helper()
	conn := dial(t, url)
	defer conn.Close()
	_, _ = io.WriteString(conn, raw+after) // a server that refuses may not read to the end
	in := bufio.NewReader(conn)
	for {
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			if n, ok := err.(net.Error); ok && n.Timeout() {
				t.Errorf("got %v", err)
			}
			return answers, summary + "closed"
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Errorf("got an answer %d that is cut short: %v", resp.StatusCode, err)
		}
		if resp.Header.Get("X-Request-Id") == "after" {
			return answers, summary + "open"
		}
		answers = append(answers, reply{resp.StatusCode, resp.Header, string(body)})
		summary += fmt.Sprint(resp.StatusCode, " ")
	}
}

// pair starts both apps, for clients of either.
func startBoth(t *testing.T, env ...string) (rates, quotes *app) {
	t.Helper()
	rates = start(t, "rates")
	return rates, startQuotes(t, rates, env...)
}

// goodPath is one that the app answers with its own work.
var goodPath = map[string]string{"rates": "/v1/latest", "quotes": convert100}

// wantPrompt checks that an app answers a good request as if nobody else were
// there: the best of three, for the machine is not ours.
func wantPrompt(t *testing.T, a *app) {
	t.Helper()
	const prompt = time.Second
	best := patience
	for range 3 {
		began := time.Now()
		if r := get(t, a.url+goodPath[a.name]); r.status != http.StatusOK {
			t.Errorf("%s: a good request got %d %s", a.name, r.status, r.body)
		}
		best = min(best, time.Since(began))
	}
	if best > prompt {
		t.Errorf("%s: a good request took %v, want at most %v", a.name, best, prompt)
	}
}

// near is how far two tolls may differ by connections of the tests' own, which
// come and go.
const near = 5

// toll is what clients cost a process.
type toll struct {
	goroutines, files int
	memory            int64
}

func tollOf(t *testing.T, a *app) toll {
	t.Helper()
	memory := residentMemory(t, a.cmd.Process.Pid)
	dir := fmt.Sprintf("/proc/%d/fd", a.cmd.Process.Pid)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := 0
	for _, e := range entries {
		// The database's own stay open for the next who come, as many as its
		// pool may hold.
		if to, err := os.Readlink(filepath.Join(dir, e.Name())); err == nil && !strings.Contains(to, "quotes.db") {
			files++
		}
	}
	return toll{counter(t, a, "go_goroutines"), files, memory}
}

// baseline notes what a process costs, and returns a check that this is all it
// costs once its clients have left, and that they did it no harm.
func baseline(t *testing.T, a *app) (check func()) {
	t.Helper()
	wantPrompt(t, a) // it has opened what it keeps open
	before := tollOf(t, a)
	return func() {
		t.Helper()
		var now toll
		eventually(t, a.name+" has let go of those who left", func() bool {
			now = tollOf(t, a)
			return now.goroutines <= before.goroutines+near && now.files <= before.files+near
		})
		t.Logf("%s: before %+v, after %+v", a.name, before, now)
		wantPrompt(t, a)
		wantUnharmed(t, a)
	}
}

// wantUnharmed checks that each line of an app's log is one of its own making,
// and none of a panic or a race.
func wantUnharmed(t *testing.T, a *app) {
	t.Helper()
	for _, line := range a.out.lines() {
		if !json.Valid([]byte(line)) || strings.Contains(line, "panic") || strings.Contains(line, `"level":"ERROR"`) {
			t.Errorf("%s said %q", a.name, line)
		}
	}
}

func TestOddRequestsGetAClearStatus(t *testing.T) {
	t.Parallel()
	const get, host = "GET /livez HTTP/1.1\r\n", "Host: app\r\n"
	large := strings.Repeat("x", 40<<10)
	rates, quotes := startBoth(t)
	for _, a := range []*app{rates, quotes} {
		check := baseline(t, a)
		for _, tt := range []struct{ name, raw, want string }{
			{"HTTP/1.0", "GET /livez HTTP/1.0\r\n\r\n", "200 closed"},
			{"HTTP/1.0, kept alive", "GET /livez HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "200 open"},
			{"HTTP/0.9", "GET /livez\r\n\r\n", "400 closed"},
			{"HTTP/2.0", "GET /livez HTTP/2.0\r\n" + host + "\r\n", "505 closed"},
			{"HTTP/2.0's preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "404 closed"},
			{"an upgrade to HTTP/2", get + host + "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n", "200 open"},
			{"TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + strings.Repeat("\x00", 500) + "\r\n\r\n", "400 closed"},
			{"nonsense", "\x00\xff\xfe\r\n\r\n", "400 closed"},

			{"a header over the limit", get + host + "X-Large: " + large + "\r\n\r\n", "431 closed"},
			{"many headers", get + host + strings.Repeat("X: y\r\n", 8000) + "\r\n", "431 closed"},
			{"a path over the limit", "GET /" + large + " HTTP/1.1\r\n" + host + "\r\n", "431 closed"},
			{"a long path", "GET /" + large[:30<<10] + " HTTP/1.1\r\n" + host + "\r\n", "404 open"},
			{"no Host", get + "\r\n", "400 closed"},
			{"two Hosts", get + host + "Host: evil.example\r\n\r\n", "400 closed"},
			{"a Host that is none", get + "Host: a b\r\n\r\n", "400 closed"},
			{"a control character in a header", get + host + "X-Request-Id: a\x1bb\r\n\r\n", "400 closed"},
			{"an expectation of no kind known", get + host + "Expect: 200-maybe\r\n\r\n", "417 closed"},

			{"an absolute target", "GET http://evil.example/livez HTTP/1.1\r\n" + host + "\r\n", "200 open"},
			{"an absolute target with userinfo", "GET http://user:pass@evil.example/livez HTTP/1.1\r\n" + host + "\r\n", "200 open"},
			{"an absolute target of another scheme", "GET ftp://evil.example/livez HTTP/1.1\r\n" + host + "\r\n", "200 open"},
			{"an absolute target of no path here", "GET http://evil.example/evil HTTP/1.1\r\n" + host + "\r\n", "404 open"},
			{"a target with two slashes", "GET //evil.example/livez HTTP/1.1\r\n" + host + "\r\n", "404 open"},
			{"CONNECT", "CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n", "404 open"},
			{"CONNECT to a path", "CONNECT /livez HTTP/1.1\r\n" + host + "\r\n", "405 open"},
			{"OPTIONS *", "OPTIONS * HTTP/1.1\r\n" + host + "\r\n", "404 open"},
			{"TRACE", "TRACE /livez HTTP/1.1\r\n" + host + "X-Secret: mine\r\n\r\n", "405 open"},
		} {
			t.Run(a.name+": "+tt.name, func(t *testing.T) {
				answers, got := speak(t, a.url, tt.raw)
				if got != tt.want {
					t.Errorf("got %s, want %s", got, tt.want)
				}
				for _, r := range answers {
					text := fmt.Sprint(r.header, r.body)
					if strings.Contains(text, "evil.example") || strings.Contains(text, "mine") || r.header.Get("Location") != "" {
						t.Errorf("got what was sent back, or a redirect: %s", text)
					}
				}
			})
		}
		check()
	}
}

func TestPipelinedRequestsAreAnsweredInOrder(t *testing.T) {
	const requests = 10
	rates, quotes := startBoth(t)
	all := ""
	for n := range requests {
		all += fmt.Sprintf("GET /livez HTTP/1.1\r\nHost: app\r\nX-Request-Id: number-%d\r\n\r\n", n)
	}
	for _, a := range []*app{rates, quotes} {
		answers, got := speak(t, a.url, all)
		if got != strings.Repeat("200 ", requests)+"open" {
			t.Errorf("%s: got %s", a.name, got)
		}
		for n, r := range answers {
			if id := r.header.Get("X-Request-Id"); id != fmt.Sprint("number-", n) {
				t.Errorf("%s: answer %d is to %s", a.name, n, id)
			}
		}
	}
}

// TestPipelinedLocksDuringTheDrain: what is not answered was not done, so a
// client may send the rest again elsewhere.
func TestPipelinedLocksDuringTheDrain(t *testing.T) {
	t.Parallel()
	const requests = 10
	database := sqliteURL(t)
	rates, quotes := startBoth(t, "DATABASE_URL="+database, "DRAIN_DELAY=200ms")
	conn := dial(t, quotes.url)
	in := bufio.NewReader(conn)
	io.WriteString(conn, after)
	if resp, err := http.ReadResponse(in, nil); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("got %v, %v", resp, err)
	} else if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
	if err := quotes.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	quotes.await("it drains", func(line map[string]any) (string, bool) { return "", line["msg"] == "draining" })
	for n := range requests {
		fmt.Fprintf(conn, "POST /v1/quotes HTTP/1.1\r\nHost: app\r\nIdempotency-Key: number-%d\r\n%s", n, orderOf(order100))
	}
	resp, err := http.ReadResponse(in, nil)
	if err != nil || resp.StatusCode != http.StatusCreated || !resp.Close {
		t.Errorf("got %+v, %v, want one locked and the connection closed", resp, err)
	}
	if code := quotes.wait(); code != 0 {
		t.Errorf("exit status %d after SIGTERM, want 0", code)
	}
	if n := rowsOf(t, database); n != 1 {
		t.Errorf("the database holds %d quotes, want the one that was answered", n)
	}
	quotes = startQuotes(t, rates, "DATABASE_URL="+database)
	for n := range requests {
		r := post(t, quotes.url+"/v1/quotes", order100, "Idempotency-Key", fmt.Sprint("number-", n))
		if replayed := r.header.Get("Idempotent-Replayed") == "true"; r.status != http.StatusCreated || replayed != (n == 0) {
			t.Errorf("number %d sent again: got %d %s, replayed %v", n, r.status, r.body, replayed)
		}
	}
}

// orderOf is the rest of a POST with that body.
func orderOf(body string) string {
	return fmt.Sprintf("Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// TestForgedAddressesAndIDs: what a client says of itself is in the log only
// where it may say so, and never breaks a line.
func TestForgedAddressesAndIDs(t *testing.T) {
	t.Parallel()
	rates, quotes := startBoth(t)
	proxied := startQuotes(t, rates, "TRUSTED_PROXIES=127.0.0.1/32,::1/128")
	elsewhere := startQuotes(t, rates, "TRUSTED_PROXIES=10.0.0.0/8")
	ours := regexp.MustCompile(`^(127\.0\.0\.1|::1)$`)
	for _, tt := range []struct {
		name, header, value string
		client              string // as a trusted proxy's word; empty: the proxy itself
		id                  string // as it is taken; empty: one that was made
	}{
		{"an address", "X-Forwarded-For", "203.0.113.9", "203.0.113.9", ""},
		{"addresses", "X-Forwarded-For", "6.6.6.6, 203.0.113.9, 127.0.0.1", "203.0.113.9", ""},
		{"an address with a zone", "X-Forwarded-For", "fe80::1%\xffevil", "fe80::1", ""},
		{"no address", "X-Forwarded-For", "203.0.113.9, evil", "", ""},
		{"an address before another script", "X-Forwarded-For", "203.0.113.9, größe", "", ""},
		{"10 KB of addresses", "X-Forwarded-For", strings.Repeat("127.0.0.1,", 1000) + "127.0.0.1", "", ""},
		{"10 KB of something", "X-Forwarded-For", strings.Repeat("evil", 2500), "", ""},
		{"other headers of proxies", "X-Real-Ip", "203.0.113.9\r\nForwarded: for=203.0.113.9\r\nTrue-Client-Ip: 203.0.113.9", "", ""},
		{"an id", "X-Request-Id", "an-id", "", "an-id"},
		{"an id of 10 KB", "X-Request-Id", strings.Repeat("evil", 2500), "", ""},
		{"an id of another script", "X-Request-Id", "evil-größe", "", ""},
		{"an id with bytes of no script", "X-Request-Id", "evil\xff\xfe", "", ""},
		{"an id that ends a line of JSON", "X-Request-Id", `evil","level":"ERROR`, "", ""},
		{"an id folded over lines", "X-Request-Id", "evil\r\n {\"msg\":\"evil\"}", "", ""},
		{"a path with newlines", "X", "\r\n\r\nGET /%0a%7b%22msg%22:%22evil%22%7d%1b[2J HTTP/1.1\r\nHost: app", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, a := range []*app{rates, quotes, proxied, elsewhere} {
				said := len(a.out.lines())
				answers, got := speak(t, a.url, "GET /livez HTTP/1.1\r\nHost: app\r\n"+tt.header+": "+tt.value+"\r\n\r\n")
				if !strings.HasPrefix(got, "200 ") || !strings.HasSuffix(got, " open") {
					t.Fatalf("%s: got %s", a.name, got)
				}
				id := answers[0].header.Get("X-Request-Id")
				if tt.id != "" && id != tt.id || tt.id == "" && !regexp.MustCompile(`^[0-9a-f]{16}$`).MatchString(id) {
					t.Errorf("%s: got id %q, want %q", a.name, id, tt.id)
				}
				client := a.await("it served the request", func(line map[string]any) (string, bool) {
					client, _ := line["client"].(string)
					return client, line["msg"] == "request" && line["request_id"] == id
				})
				if want := tt.client; a == proxied && want != "" && client != want || (a != proxied || want == "") && !ours.MatchString(client) {
					t.Errorf("%s: got client %q logged, forged %q", a.name, client, tt.value)
				}
				for _, line := range a.out.lines()[said:] {
					if len(line) > 1000 || tt.header != "X" && strings.Contains(line, "evil") {
						t.Errorf("%s said %q", a.name, line)
					}
				}
				wantUnharmed(t, a)
			}
		})
	}
}
