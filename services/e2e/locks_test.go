package e2e

import (
	"fmt"
	"net/http"
	"net/url"
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

const order100 = `{"sourceCurrency":"EUR","targetCurrency":"USD","sourceAmount":"100.00"}`

// startQuotes starts a quotes that locks on the built-in rates, however old.
func startQuotes(t *testing.T, rates *app, env ...string) *app {
	t.Helper()
	return start(t, "quotes", append([]string{"RATES_URL=" + rates.url, "LOCK_MAX_DAYS=36500"}, env...)...)
}

// post sends JSON; headers are name, value, ...
func post(t *testing.T, url, body string, headers ...string) reply {
	t.Helper()
	r, err := tryPost(url, body, headers...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func tryPost(url, body string, headers ...string) (reply, error) {
	return trySend(http.MethodPost, url, strings.NewReader(body), append([]string{"Content-Type", "application/json"}, headers...))
}

// lock locks 100 EUR in USD and returns the quote's URL and JSON.
func lock(t *testing.T, quotes *app, headers ...string) (url, body string) {
	t.Helper()
	r := post(t, quotes.url+"/v1/quotes", order100, headers...)
	if r.status != http.StatusCreated {
		t.Fatalf("got %d %s, want it locked", r.status, r.body)
	}
	return r.header.Get("Location"), r.body
}

// databaseURL is that of a PostgreSQL for tests.
func databaseURL(t *testing.T) string {
	t.Helper()
	raw := os.Getenv("TEST_DATABASE_URL")
	switch {
	case raw == "" && os.Getenv("CI") != "":
		t.Fatal("TEST_DATABASE_URL is not set, and CI must have a PostgreSQL")
	case raw == "":
		t.Skip("TEST_DATABASE_URL is not set: no PostgreSQL to test on (deploy/test-postgres gives one)")
	}
	return raw
}

// counter reads a counter from an app's metrics.
func counter(t *testing.T, a *app, name string) int {
	t.Helper()
	m := regexp.MustCompile(`(?m)^` + name + ` (\d+)$`).FindStringSubmatch(get(t, a.url+"/metrics").body)
	if m == nil {
		t.Fatalf("%s has no metric %s", a.name, name)
	}
	n, _ := strconv.Atoi(m[1])
	return n
}

func TestTwoProcessesOnOnePostgresAcceptEachQuoteOnce(t *testing.T) {
	t.Parallel()
	const quotes, each = 100, 10
	database := databaseURL(t)
	rates := start(t, "rates")
	apps := []*app{startQuotes(t, rates, "DATABASE_URL="+database), startQuotes(t, rates, "DATABASE_URL="+database)}
	var paths [quotes]string
	for i := range paths {
		paths[i], _ = lock(t, apps[i%2])
	}
	var replies [quotes][each]reply
	var all sync.WaitGroup
	begin := make(chan struct{})
	for n := range quotes {
		for k := range each {
			all.Go(func() {
				<-begin
				// 503 is no answer: a thousand at once may be too many for a
				// busy machine, and to accept again does no harm.
				for deadline := time.Now().Add(patience); ; {
					var err error
					if replies[n][k], err = tryPost(apps[k%2].url+paths[n]+"/accept", ""); err != nil {
						t.Errorf("accepting: %v", err)
					}
					if replies[n][k].status != http.StatusServiceUnavailable || time.Now().After(deadline) {
						return
					}
				}
			})
		}
	}
	close(begin)
	all.Wait()
	for n, path := range paths {
		first := replies[n][0]
		for k, r := range replies[n] {
			if r.status != http.StatusOK || r.body != first.body {
				t.Errorf("answer %d: got %d %s, want as the first %s", k, r.status, r.body, first.body)
			}
		}
		if first.json(t)["status"] != "ACCEPTED" || first.json(t)["acceptedTime"] == nil {
			t.Errorf("got %s, want it accepted", first.body)
		}
		if again := get(t, apps[n%2].url+path).body; again != first.body {
			t.Errorf("got %s when read, want %s", again, first.body)
		}
	}
	if sum := counter(t, apps[0], "quotes_accepted_total") + counter(t, apps[1], "quotes_accepted_total"); sum != quotes {
		t.Errorf("the processes counted %d accepts, want %d", sum, quotes)
	}
}

// The database is an attached resource: quotes runs on another when its URL
// says so, and on the old one again with all that it had.
func TestDatabaseSwap(t *testing.T) {
	t.Parallel()
	rates := start(t, "rates")
	databases := map[string]string{"one file": sqliteURL(t), "another file": sqliteURL(t)}
	if os.Getenv("TEST_DATABASE_URL") != "" || os.Getenv("CI") != "" {
		databases["PostgreSQL"] = databaseURL(t)
	}
	kept := map[string]string{} // URL of the quote → its JSON, by database
	of := map[string]string{}
	for name, url := range databases {
		quotes := startQuotes(t, rates, "DATABASE_URL="+url)
		path, body := lock(t, quotes)
		kept[path], of[path] = body, name
		if code := quotes.stop(syscall.SIGTERM); code != 0 {
			t.Errorf("%s: exit status %d after SIGTERM, want 0", name, code)
		}
	}
	for name, url := range databases {
		quotes := startQuotes(t, rates, "DATABASE_URL="+url)
		for path, body := range kept {
			r := get(t, quotes.url+path)
			if of[path] == name && (r.status != http.StatusOK || r.body != body) {
				t.Errorf("%s: got %d %s, want %s", name, r.status, r.body, body)
			}
			if of[path] != name && r.status != http.StatusNotFound {
				t.Errorf("%s has a quote of %s: got %d %s", name, of[path], r.status, r.body)
			}
		}
	}
}

// cluster is a PostgreSQL of the test's own, which it may stop.
type cluster struct {
	t   *testing.T
	dir string
	url string
}

func startCluster(t *testing.T) *cluster {
	t.Helper()
	installed, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if _, err := exec.LookPath("initdb"); err != nil && installed == nil {
		if os.Getenv("CI") != "" {
			t.Fatal("PostgreSQL is missing, and CI must have it")
		}
		t.Skip("PostgreSQL is not installed (Debian: postgresql)")
	}
	dir, err := os.MkdirTemp("", "portpair-postgres-") // t.TempDir's parents are closed to other users
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	c := &cluster{t: t, dir: dir}
	c.start()
	t.Cleanup(func() { _ = exec.Command("../../deploy/test-postgres", "stop", dir).Run() })
	return c
}

func (c *cluster) start() {
	c.t.Helper()
	out, err := exec.Command("../../deploy/test-postgres", "start", c.dir).Output()
	if err != nil {
		c.t.Fatalf("starting PostgreSQL: %v", err)
	}
	c.url = strings.TrimSpace(string(out))
}

func (c *cluster) stop() {
	c.t.Helper()
	if out, err := exec.Command("../../deploy/test-postgres", "stop", c.dir).CombinedOutput(); err != nil {
		c.t.Fatalf("stopping PostgreSQL: %v\n%s", err, out)
	}
}

func TestPostgresComesLateAndGoesAndComesBack(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	c.stop()
	quotes := startQuotes(t, start(t, "rates"), "DATABASE_URL="+c.url)
	if r := get(t, quotes.url+"/readyz"); r.status != http.StatusServiceUnavailable {
		t.Errorf("readiness before its database: got %d, want 503", r.status)
	}
	c.start()
	ready := func() bool { return get(t, quotes.url+"/readyz").status == http.StatusOK }
	eventually(t, "quotes is ready", ready)
	path, body := lock(t, quotes, "Idempotency-Key", "key")
	for range 2 {
		c.stop()
		for what, r := range map[string]reply{
			"locking": post(t, quotes.url+"/v1/quotes", order100), "replaying": post(t, quotes.url+"/v1/quotes", order100, "Idempotency-Key", "key"),
			"reading": get(t, quotes.url+path), "accepting": post(t, quotes.url+path+"/accept", ""),
		} {
			wantUnavailable(t, what+" while it is stopped", r)
		}
		if ready() {
			t.Error("ready while it is stopped")
		}
		if r := get(t, quotes.url+convert100); r.status != http.StatusOK {
			t.Errorf("a conversion while it is stopped: got %d %s", r.status, r.body)
		}
		c.start()
		eventually(t, "quotes is ready again", ready)
		eventually(t, "the quote is read again", func() bool { return get(t, quotes.url+path).body == body })
		lock(t, quotes)
	}
	wantNoSecret(t, quotes.out.String(), password(t, c.url))
}

// wantUnavailable checks that an answer says that the database is down.
func wantUnavailable(t *testing.T, what string, r reply) {
	t.Helper()
	if r.status != http.StatusServiceUnavailable || r.json(t)["type"] != "/problems/database-unavailable" || r.header.Get("Retry-After") == "" {
		t.Errorf("%s: got %d %s, want 503 database-unavailable", what, r.status, r.body)
	}
}

func password(t *testing.T, databaseURL string) string {
	t.Helper()
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	p, ok := u.User.Password()
	if !ok {
		t.Log("the database asks for no password")
		return "no password at all"
	}
	return p
}

func TestNoSecretLeavesTheDatabaseURL(t *testing.T) {
	t.Parallel()
	const user, secret = "shop-user", `p@ss/w:rd%?#`
	userinfo := url.UserPassword(user, secret).String()
	rates := start(t, "rates")
	u := "postgres://" + userinfo + "@127.0.0.1:1/quotes?sslmode=disable&application_name=" + url.QueryEscape(secret)
	databases := map[string]string{"unreachable": u}
	if os.Getenv("TEST_DATABASE_URL") != "" || os.Getenv("CI") != "" {
		there, err := url.Parse(databaseURL(t))
		if err != nil {
			t.Fatal(err)
		}
		there.User = url.UserPassword(user, secret)
		databases["refused"] = there.String()
	}
	for name, database := range databases {
		t.Run(name, func(t *testing.T) {
			quotes := startQuotes(t, rates, "DATABASE_URL="+database)
			var said strings.Builder
			for _, path := range []string{"/", "/v1/quotes/0198c0de-0000-7000-8000-00000000beef", "/readyz", "/metrics", "/v1/backing", "/openapi.json"} {
				r := get(t, quotes.url+path)
				fmt.Fprintf(&said, "%v %s\n", r.header, r.body)
			}
			r := post(t, quotes.url+"/v1/quotes", order100)
			fmt.Fprintf(&said, "%v %s\n", r.header, r.body)
			if r.status != http.StatusServiceUnavailable {
				t.Errorf("got %d %s, want 503", r.status, r.body)
			}
			quotes.stop(syscall.SIGTERM)
			for _, text := range []string{said.String(), quotes.out.String()} {
				wantNoSecret(t, text, secret, user)
			}
		})
	}
	t.Run("mistyped", func(t *testing.T) {
		for _, raw := range []string{
			"postgres://" + user + ":" + secret + "@localhost/quotes", // not percent-encoded
			"mysql://" + userinfo + "@localhost/quotes",
			"postgres://" + userinfo + "@localhost:port/quotes",
			"postgres://" + userinfo + "@localhost/quotes?sslmode=" + url.QueryEscape(secret),
			user + ":" + secret + "@localhost",
		} {
			a := launch(t, filepath.Join(binDir, "quotes"), "RATES_URL="+rates.url, "DATABASE_URL="+raw)
			if code := a.wait(); code != 1 || !strings.Contains(a.out.String(), "quotes: DATABASE_URL: ") {
				t.Errorf("got exit status %d and %q, want 1 and a line about DATABASE_URL", code, a.out)
			}
			wantNoSecret(t, a.out.String(), secret, user)
		}
	})
}
