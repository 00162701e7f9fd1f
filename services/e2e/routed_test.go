package e2e

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// route starts the routing layer in front of processes on these ports and
// returns its own.
func route(t *testing.T, quotes []int, rates int) int {
	t.Helper()
	caddy, err := exec.LookPath("caddy")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("caddy is missing, and CI must have it")
		}
		t.Skip("caddy is not installed (Debian: caddy)")
	}
	port := freePorts(t)
	var backends []string
	for _, p := range quotes {
		backends = append(backends, fmt.Sprintf("localhost:%d", p))
	}
	config, err := filepath.Abs("../../deploy/Caddyfile")
	if err != nil {
		t.Fatal(err)
	}
	a := &app{t: t, name: "caddy", cmd: exec.Command(caddy, "run", "--config", config, "--adapter", "caddyfile"), out: newOutput(), done: make(chan struct{})}
	a.cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "XDG_CONFIG_HOME="+t.TempDir(), "XDG_DATA_HOME="+t.TempDir(), fmt.Sprint("ROUTER_PORT=", port),
		"QUOTES="+strings.Join(backends, " "), fmt.Sprintf("RATES=localhost:%d", rates))
	a.cmd.Stdout, a.cmd.Stderr = a.out, a.out
	if err := a.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		a.err = a.cmd.Wait()
		close(a.done)
	}()
	t.Cleanup(func() {
		a.kill()
		if t.Failed() {
			t.Logf("caddy said:\n%s", a.out)
		}
	})
	eventually(t, "the routing layer answers", func() bool {
		r, err := tryGet(fmt.Sprintf("http://127.0.0.1:%d/", port), "Host", "quotes.localhost")
		return err == nil && r.status == http.StatusOK
	})
	return port
}

func TestRoutedConsumersRestartUnnoticedUnderLoad(t *testing.T) {
	restarts := 2
	if full() {
		restarts = 10
	}
	rates := start(t, "rates")
	ports := []int{freePorts(t), freePorts(t)}
	var quotes []*app
	env := func(i int) []string {
		return []string{fmt.Sprint("PORT=", ports[i]), "RATES_URL=" + rates.url, "TRUSTED_PROXIES=127.0.0.1/32,::1/128", "LOG_LEVEL=info"}
	}
	for i := range ports {
		quotes = append(quotes, start(t, "quotes", env(i)...))
	}
	router := route(t, ports, portOf(t, rates))
	url := fmt.Sprintf("http://quotes.localhost:%d%s", router, convert100)
	loads := []*traffic{load(t, url, 4, true), load(t, url, 2, false)}
	for range restarts {
		for i := range quotes {
			if code := quotes[i].stop(syscall.SIGTERM); code != 0 {
				t.Errorf("exit status %d after SIGTERM, want 0", code)
			}
			loads[0].more(t, 20)
			quotes[i] = start(t, "quotes", env(i)...)
			loads[0].more(t, 100)
		}
	}
	for _, l := range loads {
		l.want(t, 1500*time.Millisecond)
	}
}

func TestRoutingLayer(t *testing.T) {
	rates := start(t, "rates")
	port := freePorts(t)
	quotes := start(t, "quotes", fmt.Sprint("PORT=", port), "RATES_URL="+rates.url, "TRUSTED_PROXIES=127.0.0.1/32,::1/128")
	router := fmt.Sprintf("http://127.0.0.1:%d", route(t, []int{port}, portOf(t, rates)))

	t.Run("names lead to the apps", func(t *testing.T) {
		if r := get(t, router+"/v1/latest", "Host", "rates.localhost"); r.status != http.StatusOK || !strings.Contains(r.body, `"base":"EUR"`) {
			t.Errorf("rates.localhost: got %d %s", r.status, r.body)
		}
		if r := get(t, router+convert100, "Host", "quotes.localhost"); r.status != http.StatusOK {
			t.Errorf("quotes.localhost: got %d %s", r.status, r.body)
		}
	})
	t.Run("the platform's paths are not reachable from outside", func(t *testing.T) {
		for _, path := range []string{"/metrics", "/v1/backing", "/livez", "/readyz"} {
			for _, host := range []string{"quotes.localhost", "rates.localhost"} {
				if r := get(t, router+path, "Host", host); r.status != http.StatusNotFound {
					t.Errorf("%s%s: got %d, want 404", host, path, r.status)
				}
			}
		}
	})
	t.Run("the request id passes, a forged address does not", func(t *testing.T) {
		get(t, router+convert100, "Host", "quotes.localhost", "X-Request-Id", "through-the-router", "X-Forwarded-For", "203.0.113.9")
		client := quotes.await("it served the request", func(line map[string]any) (string, bool) {
			client, _ := line["client"].(string)
			return client, line["msg"] == "request" && line["request_id"] == "through-the-router"
		})
		if client != "127.0.0.1" {
			t.Errorf("logged client %s, want the one that connected, 127.0.0.1", client)
		}
	})
}

func TestRoutingLayerHoldsAPostWithAKeyUntilAProcessIsReady(t *testing.T) {
	rates := start(t, "rates")
	port := fmt.Sprint("PORT=", freePorts(t))
	quotes := startQuotes(t, rates, port)
	router := fmt.Sprintf("http://127.0.0.1:%d", route(t, []int{portOf(t, quotes)}, portOf(t, rates)))
	lock := func(headers ...string) (reply, error) {
		return tryPost(router+"/v1/quotes", order100, append(headers, "Host", "quotes.localhost")...)
	}

	quotes.stop(syscall.SIGTERM)
	eventually(t, "one without a key is refused", func() bool {
		r, err := lock()
		return err == nil && r.status == http.StatusServiceUnavailable
	})
	var held sync.WaitGroup
	held.Go(func() {
		if r, err := lock("Idempotency-Key", "nobody is ready yet"); err != nil || r.status != http.StatusCreated {
			t.Errorf("got %d %s (%v), want 201", r.status, r.body, err)
		}
	})
	startQuotes(t, rates, port)
	held.Wait()
}

func portOf(t *testing.T, a *app) int {
	t.Helper()
	var port int
	if _, err := fmt.Sscanf(a.url, "http://localhost:%d", &port); err != nil {
		t.Fatalf("%s: %v", a.url, err)
	}
	return port
}
