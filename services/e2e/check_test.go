package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// checked is what quotes check said, with --json.
type checked struct {
	exit   int
	took   time.Duration
	stdout string
	stderr string

	OK        bool
	Config    []struct{ Name, Value, Source string }
	Resources []struct {
		Variable string
		Lines    []struct{ Requirement, Verdict, Seen, Advice string }
	}
}

// runCheck runs quotes check to its end.
func runCheck(t *testing.T, args, env []string) (c checked) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(binDir, "quotes"), append([]string{"check"}, args...)...)
	cmd.Env = append([]string{"DATABASE_URL=" + sqliteURL(t), "LOCK_MAX_DAYS=36500", "GORACE=atexit_sleep_ms=10"}, env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	began := time.Now()
	err := cmd.Run()
	if exited := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exited) {
		t.Fatal(err)
	}
	return checked{exit: cmd.ProcessState.ExitCode(), took: time.Since(began), stdout: stdout.String(), stderr: stderr.String()}
}

// check asks quotes about a backing service, for scripts, in under 5 seconds: in
// one of three rounds, for this machine has its stalls.
func check(t *testing.T, handle string, env ...string) (c checked) {
	t.Helper()
	for range 3 {
		c = runCheck(t, []string{handle, "--json"}, env)
		if c.took < 5*time.Second {
			break
		}
	}
	if c.took >= 5*time.Second {
		t.Errorf("took %v, want under 5s", c.took)
	}
	if err := json.Unmarshal([]byte(c.stdout), &c); err != nil {
		t.Fatalf("%v in:\n%s%s", err, c.stdout, c.stderr)
	}
	return c
}

// of lists the lines about the backing service with a verdict.
func (c checked) of(verdict string) (names []string) {
	for _, l := range c.Resources[0].Lines {
		if l.Verdict == verdict {
			names = append(names, l.Requirement)
		}
	}
	return names
}

// seen is what was seen of a requirement of the backing service's.
func (c checked) seen(requirement string) string {
	for _, l := range c.Resources[0].Lines {
		if l.Requirement == requirement {
			return l.Seen
		}
	}
	return ""
}

// silent takes connections and says nothing.
func silent(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { conn.Close() })
		}
	}()
	return l.Addr().String()
}

// overTLS serves what the stand-in does under a certificate for example.com and 127.0.0.1 that
// nobody knows, and writes that to a file.
func overTLS(t *testing.T) (s *httptest.Server, file string) {
	t.Helper()
	s = httptest.NewUnstartedServer(thirdParty(t).Config.Handler)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	file = filepath.Join(t.TempDir(), "certificate.pem")
	block := &pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}
	if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	return s, file
}

func TestCheckOfServicesThatQuotesCanRunOn(t *testing.T) {
	t.Parallel()
	const password = "s3cret pass"
	guarded := start(t, "rates", "RATES_ACCESS=shop:"+password)
	secure, certificate := overTLS(t)
	missing := []string{"a past day", "a range", "currencies", "errors", "caching headers"}
	for _, tt := range []struct {
		name, handle string
		env          []string
		warn         []string
	}{
		{"our rates", start(t, "rates").url, nil, nil},
		{"our rates, with credentials", strings.Replace(guarded.url, "://", "://shop:s3cret%20pass@", 1), nil, nil},
		{"our rates, whose date is too old to lock on", start(t, "rates").url, []string{"LOCK_MAX_DAYS=7"}, []string{"date to lock on"}},
		{"the stand-in, which has what it must", thirdParty(t).URL, nil, missing},
		{"the stand-in over TLS", secure.URL, []string{"SSL_CERT_FILE=" + certificate}, missing},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.handle == secure.URL && runtime.GOOS == "darwin" {
				t.Skip("macOS takes authorities from its keychain alone")
			}
			var c checked
			for range 3 { // one of which is quick enough for latency to pass
				if c = check(t, tt.handle, tt.env...); slices.Equal(c.of("warn"), tt.warn) {
					break
				}
			}
			if c.exit != 0 || !c.OK || c.stderr != "" || !slices.Equal(c.of("warn"), tt.warn) || c.of("fail") != nil || c.of("skip") != nil {
				t.Errorf("exit status %d, want 0 and warnings of %q alone:\n%s%s", c.exit, tt.warn, c.stdout, c.stderr)
			}
			wantNoSecret(t, c.stdout+c.stderr, password)
		})
	}
}

func TestCheckOfWhatIsNoBackingService(t *testing.T) {
	t.Parallel()
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<!doctype html>\n<title>Welcome</title>")
	}))
	defer page.Close()
	loop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.Path, http.StatusFound)
	}))
	defer loop.Close()
	const password = "wr0ng-p@ss"
	guarded := strings.Replace(start(t, "rates", "RATES_ACCESS=shop:s3cret").url, "://", "://shop:wr0ng-p%40ss@", 1)
	port := freePorts(t)
	itself := fmt.Sprintf("http://localhost:%d", port)
	start(t, "quotes", fmt.Sprintf("PORT=%d", port), "RATES_URL="+itself)
	secure, certificate := overTLS(t)
	otherName := strings.Replace(secure.URL, "127.0.0.1", "localhost", 1)

	for _, tt := range []struct {
		name, handle string
		env          []string
		fails        string // this line alone, and none after it is asked
		seen         string
	}{
		{"an HTML page", page.URL, nil, "latest", "GET /v1/latest gave HTML or XML"},
		{"a redirect loop", loop.URL, nil, "latest", "status 302: redirect not followed: over 3 in a row"},
		{"a certificate of an unknown authority", secure.URL, nil, "TLS", "an authority that this machine does not know"},
		{"a certificate for another host", otherName, []string{"SSL_CERT_FILE=" + certificate}, "TLS", "for another host: certificate is valid for example.com"},
		{"a port that accepts and says nothing", "http://" + silent(t), nil, "latest", "no answer within"}, // 4 seconds
		{"the same, asked for TLS", "https://" + silent(t) + "?timeout=1s", nil, "TLS", "says nothing in the handshake"},
		{"the same, asked with all patience", "http://" + silent(t) + "?timeout=1m&attempts=10", nil, "latest", "all the time that a check has"},
		{"plain HTTP where TLS is asked for", strings.Replace(page.URL, "http:", "https:", 1), nil, "TLS", "does not speak TLS"},
		{"a closed port", fmt.Sprintf("http://localhost:%d", freePorts(t)), nil, "reachable", "connection refused"},
		{"wrong credentials", guarded, nil, "credentials", "refuses the handle's credentials: status 401"},
		{"no credentials", strings.Replace(guarded, "shop:wr0ng-p%40ss@", "", 1), nil, "credentials", "the handle has none"},
		{"quotes itself", itself, nil, "latest", "application/problem+json, Server: quotes/dev"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if strings.Contains(tt.handle, "timeout=1m") && !full() {
				t.Skip("takes a check's whole time")
			}
			c := check(t, tt.handle, tt.env...)
			if c.exit != 1 || c.OK || !slices.Equal(c.of("fail"), []string{tt.fails}) || !strings.Contains(c.seen(tt.fails), tt.seen) {
				t.Errorf("exit status %d, want 1 for %s: %q:\n%s", c.exit, tt.fails, tt.seen, c.stdout)
			}
			if last := c.Resources[0].Lines[len(c.Resources[0].Lines)-1]; last.Verdict != "skip" {
				t.Errorf("%s: got %s, want it not asked", last.Requirement, last.Verdict)
			}
			if strings.Count(c.stderr, "\n") != 1 || !strings.HasPrefix(c.stderr, "quotes: cannot run on what is checked") {
				t.Errorf("got %q on stderr", c.stderr)
			}
			wantNoSecret(t, c.stdout+c.stderr, password, "shop:"+password)
		})
	}
}

// TestCheckForPeople takes the URL of the environment, by name or from a file.
func TestCheckForPeople(t *testing.T) {
	t.Parallel()
	rates := start(t, "rates", "RATES_ACCESS=t0ken-t0ken")
	handle := strings.Replace(rates.url, "://", "://t0ken-t0ken@", 1)
	file := filepath.Join(t.TempDir(), "url")
	if err := os.WriteFile(file, []byte(handle+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	database := "DATABASE_URL=sqlite:" + filepath.Join(dir, "var", "quotes.db")
	for source, env := range map[string]string{"environment": "RATES_URL=" + handle, "file": "RATES_URL_FILE=" + file} {
		c := runCheck(t, nil, []string{env, database})
		if c.exit != 0 || c.stderr != "" {
			t.Errorf("exit status %d:\n%s%s", c.exit, c.stdout, c.stderr)
		}
		wantNoSecret(t, c.stdout, "t0ken-t0ken")
		redacted := strings.Replace(rates.url, "://", "://***@", 1)
		for _, want := range [][]string{
			{"RATES_URL", source, redacted}, {"LOCK_MAX_DAYS", "environment", "36500"}, {"QUOTE_TTL", "default", "30m"}, {"HOST", "unset"},
			{"RATES_URL", redacted, "?timeout=2s&attempts=3&max_age=5m0s&max_stale=24h0m0s"},
			{"pass", "credentials", "sent,", "and", "not", "refused"}, {"pass", "writable", "the", "directory", "takes", "files"},
		} {
			if !slices.ContainsFunc(strings.Split(c.stdout, "\n"), func(line string) bool { return slices.Equal(strings.Fields(line), want) }) {
				t.Errorf("no line %q in:\n%s", want, c.stdout)
			}
		}
		for line := range strings.Lines(c.stdout) {
			if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > 100 && !strings.Contains(line, "://") {
				t.Errorf("a line of %d columns: %s", n, line)
			}
		}
	}
	if made, err := os.ReadDir(dir); err != nil || len(made) != 0 {
		t.Errorf("the check left %v in the database's directory, error %v", made, err)
	}
}
