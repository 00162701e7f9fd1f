package e2e

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
)

var ages = regexp.MustCompile(`"age":"[^"]*"`)

// TestTheSameAnswersOverEveryProtocol swaps by the environment alone: rates
// over HTTP, rates over the Redis protocol, a real Redis of the same keys. One
// difference is README's: what a day carries of days before is in a range too,
// since it is in the day's key.
func TestTheSameAnswersOverEveryProtocol(t *testing.T) {
	t.Parallel()
	feed := ended(t)
	env := "FEED_URL=file://" + feed
	rates, second := startRESP(t, env, "RATES_ACCESS=shop:s3cret pass")
	rates.await("it has read the feed", func(line map[string]any) (string, bool) {
		return "", line["msg"] == "table" && line["source"] == "feed"
	})
	answers := func(t *testing.T, handle, server string) map[string]string {
		t.Helper()
		quotes := start(t, "quotes", "RATES_URL="+handle)
		all := map[string]string{}
		for _, path := range []string{
			"/v1/convert?amount=100.00&source=EUR&target=USD", "/v1/convert?amount=5&source=GBP&target=JPY", "/v1/convert?amount=1&source=BGN&target=EUR",
			convert100 + "&date=2026-01-14", convert100 + "&date=2026-01-11", convert100 + "&date=2026-01-16", convert100 + "&date=2025-12-31",
			convert100 + "&date=2025-12-29", convert100 + "&date=1998-12-31", "/v1/convert?amount=1&source=EUR&target=BGN&date=2026-01-03",
			"/v1/convert?amount=1&source=EUR&target=JPY&date=2026-01-05", "/v1/currencies", "/v1/currencies?date=2025-12-31",
			"/v1/rates?source=EUR&target=USD&from=2025-12-01&to=2026-01-20", "/v1/rates?source=USD&target=GBP&from=2025-12-31&to=2026-01-15",
			"/v1/rates?source=EUR&target=BGN&from=2025-12-01&to=2025-12-31", "/v1/rates?source=EUR&target=USD&from=2020-01-01&to=2020-02-01",
		} {
			r := get(t, quotes.url+path)
			all[path] = fmt.Sprint(r.status, " ", ages.ReplaceAllString(r.body, `"age":""`))
		}
		if got := get(t, quotes.url+"/v1/backing").json(t); got["state"] != "attached" || !strings.HasPrefix(fmt.Sprint(got["server"]), server) {
			t.Errorf("got %v, want it attached to %s", got, server)
		}
		return all
	}
	want := answers(t, strings.Replace(rates.url, "://", "://shop:s3cret%20pass@", 1), "rates/dev")
	for status, least := range map[string]int{"200 ": 9, "404 ": 2} {
		n := 0
		for _, answer := range want {
			if strings.HasPrefix(answer, status) {
				n++
			}
		}
		if n < least {
			t.Errorf("got %d answers of %s, want %d at least: %q", n, status, least, want)
		}
	}
	same := func(t *testing.T, got map[string]string) {
		t.Helper()
		for path, answer := range want {
			if got[path] != answer {
				t.Errorf("%s: got\n%s\nover HTTP\n%s", path, got[path], answer)
			}
		}
	}
	t.Run("rates over the Redis protocol", func(t *testing.T) {
		same(t, answers(t, "redis://shop:s3cret%20pass@"+second.addr, "rates/dev"))
	})
	t.Run("a real Redis", func(t *testing.T) {
		real, _ := startRedis(t)
		real.fill(t, env)
		same(t, answers(t, "redis://"+real.addr, "redis/"))
	})
}

// TestARealRedisRestarts, empty, as one without a disk does: what was known
// serves until it is filled again, and then nobody need tell quotes.
func TestARealRedisRestarts(t *testing.T) {
	t.Parallel()
	port := freePorts(t)
	redis, keys := startRedisOn(t, port)
	keys.fill(t)
	quotes := start(t, "quotes", "RATES_URL=redis://"+keys.addr+"?max_age=0s")
	serves := func(stale bool, state, lastError string) {
		t.Helper()
		eventually(t, fmt.Sprintf("quotes serves (stale: %v) and says %s, %q", stale, state, lastError), func() bool {
			answer := get(t, quotes.url+convert100)
			backing := get(t, quotes.url+"/v1/backing").json(t)
			if answer.status != 200 || answer.json(t)["targetAmount"] != "116.99" {
				t.Errorf("got %d %s", answer.status, answer.body)
			}
			return answer.json(t)["stale"] == stale && backing["state"] == state && strings.Contains(fmt.Sprint(backing["lastError"]), lastError)
		})
	}
	serves(false, "attached", "<nil>")
	redis.stop(syscall.SIGTERM)
	serves(true, "stale", "connection refused")
	_, keys = startRedisOn(t, port)
	serves(true, "stale", "it holds no rates:latest")
	keys.fill(t)
	serves(false, "attached", "<nil>")
}

func TestProducerRestartsUnnoticedUnderLoadOverTheRedisProtocol(t *testing.T) {
	port := freePorts(t, 1)
	restartUnderLoad(t, 2, fmt.Sprintf("redis://localhost:%d", port+1), fmt.Sprintf("PORT=%d", port), fmt.Sprintf("RESP_PORT=%d", port+1))
}

// overTLSTo carries what comes over TLS on to an address, under the certificate of
// a test server that file names.
func overTLSTo(t *testing.T, s *httptest.Server, to string) (addr string) {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: s.TLS.Certificates})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer near.Close()
				far, err := net.Dial("tcp", to)
				if err != nil {
					return
				}
				defer far.Close()
				go func() { _, _ = io.Copy(near, far); near.Close() }()
				_, _ = io.Copy(far, near)
			}()
		}
	}()
	return l.Addr().String()
}

func TestCheckOverTheRedisProtocol(t *testing.T) {
	t.Parallel()
	rates, second := startRESP(t, "RATES_ACCESS=shop:s3cret")
	open, openSecond := startRESP(t)
	page := httptest.NewServer(http.NotFoundHandler())
	defer page.Close()
	secure, certificate := overTLS(t)
	secured := overTLSTo(t, secure, second.addr)
	type row struct {
		name, handle string
		env          []string
		fails, seen  string // this line alone; empty: none
	}
	rows := []row{
		{"rates", "redis://" + openSecond.addr, nil, "", "rates/dev"},
		{"rates, with credentials", "redis://shop:s3cret@" + second.addr, nil, "", "rates/dev"},
		{"rates over TLS", "rediss://shop:s3cret@" + secured, []string{"SSL_CERT_FILE=" + certificate}, "", "rates/dev"},
		{"a certificate of an unknown authority", "rediss://shop:s3cret@" + secured, nil, "TLS", "an authority that this machine does not know"},
		{"a wrong password", "redis://shop:wr0ng-pass@" + second.addr, nil, "credentials", "WRONGPASS"},
		{"no password", "redis://" + second.addr, nil, "credentials", "the handle has none"},
		{"an HTTP server", strings.Replace(page.URL, "http", "redis", 1), nil, "latest", "does not speak the Redis protocol: it says \"HTTP/1.1 400"},
		{"rates' other port", strings.Replace(open.url, "http", "redis", 1), nil, "latest", "does not speak the Redis protocol"},
		{"http:// on the Redis protocol's port", "http://" + openSecond.addr, nil, "latest", "does not speak HTTP"},
		{"a port that accepts and says nothing", "redis://" + silent(t) + "?timeout=500ms", nil, "latest", "no answer within 500ms, asked 3 times"},
		{"a closed port", fmt.Sprintf("redis://localhost:%d", freePorts(t)), nil, "reachable", "connection refused"},
	}
	check := func(t *testing.T, tt row) {
		if tt.env != nil && runtime.GOOS == "darwin" {
			t.Skip("macOS takes authorities from its keychain alone")
		}
		c := check(t, tt.handle, tt.env...)
		wantNoSecret(t, c.stdout+c.stderr, "s3cret", "wr0ng-pass")
		if tt.fails == "" {
			if c.exit != 0 || c.of("fail") != nil || !slices.Equal(c.of("skip"), []string{"currencies", "caching headers"}) || !strings.Contains(c.seen("latest"), "Server: "+tt.seen) {
				t.Errorf("exit status %d, want 0:\n%s", c.exit, c.stdout)
			}
			return
		}
		if c.exit != 1 || !slices.Equal(c.of("fail"), []string{tt.fails}) || !strings.Contains(c.seen(tt.fails), tt.seen) {
			t.Errorf("exit status %d, want 1 for %s: %q:\n%s", c.exit, tt.fails, tt.seen, c.stdout)
		}
	}
	for _, tt := range rows {
		t.Run(tt.name, func(t *testing.T) { check(t, tt) })
	}
	t.Run("a real Redis", func(t *testing.T) {
		real, _ := startRedis(t)
		check(t, row{handle: "redis://" + real.addr, fails: "latest", seen: "it holds no rates:latest"})
		check(t, row{handle: "redis://shop:s3cret@" + real.addr, fails: "credentials", seen: "WRONGPASS"})
		real.fill(t)
		check(t, row{handle: "redis://" + real.addr, seen: "redis/"})
		check(t, row{handle: "http://" + real.addr, fails: "latest", seen: "cannot be reached"})
	})
	if said := rates.out.String(); strings.Contains(said, "s3cret") {
		t.Errorf("the producer's log has the password:\n%s", said)
	}
}
