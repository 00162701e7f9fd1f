package e2e

import (
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

const convert100 = "/v1/convert?amount=100.00&source=EUR&target=USD"

// wantConversion asks for 100 EUR in USD.
func wantConversion(t *testing.T, quotes *app, targetAmount, rate string) {
	t.Helper()
	r := get(t, quotes.url+convert100)
	got := r.json(t)
	if r.status != http.StatusOK || got["targetAmount"] != targetAmount || got["rate"] != rate {
		t.Errorf("got %d %s, want %s USD at %s", r.status, r.body, targetAmount, rate)
	}
}

// binaryHash is that of the file the process runs.
func binaryHash(t *testing.T, a *app) [sha256.Size]byte {
	t.Helper()
	f, err := os.Open(a.cmd.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		t.Fatal(err)
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// thirdParty serves the same contract with only the fields that it has to,
// other numbers and none of our headers.
func thirdParty(t *testing.T) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		date := strings.TrimPrefix(r.URL.Path, "/v1/")
		switch date {
		case "latest":
			date = "2026-09-11"
		case "2026-08-21":
		default:
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `{"message":"not found"}`)
			return
		}
		fmt.Fprintf(w, `{"amount":1,"base":"EUR","date":%q,"rates":{"GBP":0.9,"USD":1.25}}`, date)
	}))
	t.Cleanup(s.Close)
	return s
}

// behindProxy puts a reverse proxy with a base path before an app.
func behindProxy(t *testing.T, target, base string) *httptest.Server {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(http.StripPrefix(base, httputil.NewSingleHostReverseProxy(u)))
	t.Cleanup(s.Close)
	return s
}

func TestSameBinaryRunsOnAnyServiceThatItsHandleNames(t *testing.T) {
	t.Parallel()
	open := start(t, "rates")
	guarded := start(t, "rates", "RATES_ACCESS=shop:s3cret pass")
	proxy := behindProxy(t, guarded.url, "/fx/ecb")
	party := thirdParty(t)

	handles := []struct {
		name, handle, targetAmount, rate, rateDate, server string
	}{
		{"one rates", open.url, "116.99", "1.1699", "2026-08-21", "rates/dev"},
		{"another rates behind a proxy with a base path and credentials",
			strings.Replace(proxy.URL, "http://", "http://shop:s3cret%20pass@", 1) + "/fx/ecb", "116.99", "1.1699", "2026-08-21", "rates/dev"},
		{"a third party", party.URL, "125.00", "1.25", "2026-09-11", ""},
	}
	var first *[sha256.Size]byte
	for _, h := range handles {
		t.Run(h.name, func(t *testing.T) {
			quotes := start(t, "quotes", "RATES_URL="+h.handle)
			hash := binaryHash(t, quotes)
			if first == nil {
				first = &hash
			}
			if hash != *first {
				t.Errorf("not the same binary")
			}
			wantConversion(t, quotes, h.targetAmount, h.rate)
			backing := get(t, quotes.url+"/v1/backing").json(t)
			if backing["state"] != "attached" || backing["server"] != h.server || backing["rateDate"] != h.rateDate {
				t.Errorf("got %v, want attached to server %q with rates of %s", backing, h.server, h.rateDate)
			}
			past := get(t, quotes.url+convert100+"&date=2026-08-21")
			if got := past.json(t)["rateDate"]; got != "2026-08-21" {
				t.Errorf("on a past day: got %s", past.body)
			}
			before := get(t, quotes.url+convert100+"&date=1998-12-31")
			if got := before.json(t); before.status != http.StatusNotFound || got["type"] != "/problems/no-rates-for-date" {
				t.Errorf("before the first day: got %d %s", before.status, before.body)
			}
			if code := quotes.stop(syscall.SIGTERM); code != 0 {
				t.Errorf("exit status %d after SIGTERM, want 0", code)
			}
		})
	}
}

func TestQuotesStartsBeforeItsBackingService(t *testing.T) {
	port := freePorts(t)
	quotes := start(t, "quotes", fmt.Sprintf("RATES_URL=http://localhost:%d", port))
	if r := get(t, quotes.url+"/readyz"); r.status != http.StatusOK {
		t.Errorf("readiness without rates: got %d, want 200", r.status)
	}
	r := get(t, quotes.url+convert100)
	if got := r.json(t); r.status != http.StatusServiceUnavailable || got["type"] != "/problems/rates-unavailable" || r.header.Get("Retry-After") == "" {
		t.Errorf("without rates: got %d %s", r.status, r.body)
	}
	if got := get(t, quotes.url+"/v1/backing").json(t); got["state"] != "detached" || !strings.Contains(fmt.Sprint(got["lastError"]), "connection refused") {
		t.Errorf("without rates: backing says %v", got)
	}

	start(t, "rates", fmt.Sprintf("PORT=%d", port))
	wantConversion(t, quotes, "116.99", "1.1699")
	if got := get(t, quotes.url+"/v1/backing").json(t)["state"]; got != "attached" {
		t.Errorf("with rates: state is %v, want attached", got)
	}
}

func TestProducerKilledAndBack(t *testing.T) {
	port := freePorts(t)
	producer := start(t, "rates", fmt.Sprintf("PORT=%d", port))
	quotes := start(t, "quotes", fmt.Sprintf("RATES_URL=http://localhost:%d?max_age=1ms&timeout=200ms", port))
	wantConversion(t, quotes, "116.99", "1.1699")

	producer.kill()
	r := get(t, quotes.url+convert100)
	if got := r.json(t); r.status != http.StatusOK || got["stale"] != true || got["targetAmount"] != "116.99" {
		t.Errorf("producer killed: got %d %s, want the known rate, said to be stale", r.status, r.body)
	}
	if got := get(t, quotes.url+"/v1/backing").json(t)["state"]; got != "stale" {
		t.Errorf("producer killed: state is %v, want stale", got)
	}

	start(t, "rates", fmt.Sprintf("PORT=%d", port))
	r = get(t, quotes.url+convert100)
	if got := r.json(t); r.status != http.StatusOK || got["stale"] != false {
		t.Errorf("producer back: got %d %s, want a fresh rate", r.status, r.body)
	}
	eventually(t, "the state is attached again", func() bool {
		return get(t, quotes.url+"/v1/backing").json(t)["state"] == "attached"
	})
}

func TestHandleThatPointsToQuotesItself(t *testing.T) {
	port := freePorts(t)
	quotes := start(t, "quotes", fmt.Sprintf("PORT=%d", port), fmt.Sprintf("RATES_URL=http://localhost:%d", port))
	const requests = 12 // some over what opens the breaker
	for range requests {
		r := get(t, quotes.url+convert100)
		if got := r.json(t); r.status != http.StatusServiceUnavailable || got["type"] != "/problems/rates-unavailable" {
			t.Errorf("got %d %s, want 503 rates-unavailable", r.status, r.body)
		}
	}
	metrics := get(t, quotes.url+"/metrics").body
	m := regexp.MustCompile(`http_requests_total{route="none",status="404"} (\d+)\n`).FindStringSubmatch(metrics)
	if m == nil {
		t.Fatalf("no outgoing call is counted in\n%s", metrics)
	}
	if calls, _ := strconv.Atoi(m[1]); calls < 1 || calls > requests {
		t.Errorf("got %d outgoing calls of %d incoming ones, want one each at most", calls, requests)
	}
	backing := get(t, quotes.url+"/v1/backing").json(t)
	if lastError := fmt.Sprint(backing["lastError"]); backing["state"] != "detached" || !strings.Contains(lastError, "is no rates service") {
		t.Errorf("backing says %v", backing)
	}
}

func TestOneRequestIDIsFoundInBothLogs(t *testing.T) {
	rates := start(t, "rates")
	quotes := start(t, "quotes", "RATES_URL="+rates.url)
	const id, trace = "order-4711.a_B", "4bf92f3577b34da6a3ce929d0e0e4736"
	r := get(t, quotes.url+convert100, "X-Request-Id", id, "Traceparent", "00-"+trace+"-00f067aa0ba902b7-01")
	if got := r.header.Get("X-Request-Id"); got != id {
		t.Errorf("returned id: got %q, want %q", got, id)
	}
	for _, a := range []*app{quotes, rates} {
		a.await("it served request "+id, func(line map[string]any) (string, bool) {
			return "", line["msg"] == "request" && line["request_id"] == id && line["trace_id"] == trace
		})
	}
}

func TestNoSecretLeavesTheHandle(t *testing.T) {
	t.Parallel()
	const user, password = "shop-user", `p@ss/w:rd%?#`
	guarded := start(t, "rates", "RATES_ACCESS="+user+":"+password)
	var hits atomic.Int64
	hostile := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hits.Add(1)
		http.Redirect(w, r, "http://"+r.Host+"/v1/other?"+r.Header.Get("Authorization"), http.StatusFound)
	}))
	defer hostile.Close()
	userinfo := url.UserPassword(user, password).String()
	handle := func(base string) string { return strings.Replace(base, "http://", "http://"+userinfo+"@", 1) }

	tokenApp := start(t, "rates", "RATES_ACCESS=t0ken-t0ken-t0ken")
	unreachable := fmt.Sprintf("http://localhost:%d", freePorts(t))
	for name, env := range map[string]string{
		"accepted":       handle(guarded.url),
		"token accepted": strings.Replace(tokenApp.url, "http://", "http://t0ken-t0ken-t0ken@", 1),
		"refused":        strings.Replace(guarded.url, "http://", "http://"+user+":wrong-"+url.QueryEscape(password)+"@", 1),
		"unreachable":    handle(unreachable) + "?timeout=100ms",
		"hostile":        handle(hostile.URL),
	} {
		t.Run(name, func(t *testing.T) {
			quotes := start(t, "quotes", "RATES_URL="+env)
			said := quotes.out
			var pages strings.Builder
			for _, path := range []string{"/", convert100, convert100 + "&date=2026-08-20", "/v1/currencies", "/v1/backing", "/metrics", "/nowhere"} {
				r := get(t, quotes.url+path)
				fmt.Fprintf(&pages, "%v %s\n", r.header, r.body)
			}
			if strings.HasSuffix(name, "accepted") {
				wantConversion(t, quotes, "116.99", "1.1699")
			}
			quotes.stop(syscall.SIGTERM)
			for _, text := range []string{said.String(), pages.String(), guarded.out.String(), tokenApp.out.String()} {
				wantNoSecret(t, text, password, "t0ken-t0ken-t0ken", user+":"+password)
			}
		})
	}
	if hits.Load() == 0 {
		t.Error("the hostile service was never asked")
	}
	t.Run("mistyped", func(t *testing.T) {
		for _, raw := range []string{
			"http://" + user + ":" + password + "@localhost:5100", // not percent-encoded
			user + ":" + password + "@localhost",
			handle("http://localhost:5100") + "?password=" + url.QueryEscape(password),
			handle("http://localhost:5100/v1"),
			"postgres://" + userinfo + "@localhost/db",
		} {
			a := launch(t, filepath.Join(binDir, "quotes"), "RATES_URL="+raw)
			if code := a.wait(); code != 1 || !strings.HasPrefix(a.out.String(), "quotes: RATES_URL: ") {
				t.Errorf("got exit status %d and %q, want 1 and a line about RATES_URL", code, a.out)
			}
			wantNoSecret(t, a.out.String(), password, user+":"+password)
		}
	})
}
