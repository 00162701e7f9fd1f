package web_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.com/portpair/services/twelve/port"
)

// paths are all that GET answers without a quote.
var paths = []string{"/", convert100, ratesUSD, ratesUSDAsCSV, "/v1/currencies", "/v1/backing", "/livez", "/readyz", "/metrics"}

func TestAMethodThatAPathDoesNotKnow(t *testing.T) {
	a := start(t, "")
	for _, path := range paths {
		for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "BREW", "get"} {
			t.Run(method+" "+path, func(t *testing.T) {
				r := a.do(t, httptest.NewRequestWithContext(t.Context(), method, path, nil))
				p := wantProblem(t, r, http.StatusMethodNotAllowed, "about:blank", "")
				wantEqual(t, "detail", p.Detail, "allowed here: GET, HEAD")
				wantEqual(t, "Allow", r.header.Get("Allow"), "GET, HEAD")
			})
		}
	}
	for _, method := range []string{"POST", "BREW"} {
		t.Run(method+" of a path that is none", func(t *testing.T) {
			r := a.do(t, httptest.NewRequestWithContext(t.Context(), method, "/nowhere", nil))
			wantProblem(t, r, http.StatusNotFound, "about:blank", "")
		})
	}
	t.Run("OPTIONS *", func(t *testing.T) {
		r := httptest.NewRequestWithContext(t.Context(), "OPTIONS", "/", nil)
		r.URL.Path, r.RequestURI = "*", "*"
		wantProblem(t, a.do(t, r), http.StatusNotFound, "about:blank", "")
	})
	wantEqual(t, "calls to the backing service", a.asked.Load(), 0)
}

// serve binds the app to a port, as main does.
func (a *app) serve(t *testing.T) string {
	t.Helper()
	listeners, err := port.Listen(t.Context(), "127.0.0.1", 0)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	server := port.Server{
		Name: "quotes", Version: "test", Handler: a, Health: port.NewHealth(nil), Log: a.logger,
		DrainTimeout: 10 * time.Second,
	}
	go func() { ended <- server.Serve(ctx, listeners...) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return listeners[0].Addr().String()
}

// exchange sends bytes over a connection of its own and reads one answer.
func exchange(t *testing.T, addr, method, request string) (result, error) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	go io.WriteString(conn, request) // a server that has read enough does not read it all
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		return result{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return result{resp.StatusCode, resp.Header, string(body)}, err
}

func ask(t *testing.T, addr, method, target, header string) result {
	t.Helper()
	r, err := exchange(t, addr, method, method+" "+target+" HTTP/1.1\r\nHost: quotes\r\nConnection: close\r\n"+header+"\r\n")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestHEADIsGETWithoutABody(t *testing.T) {
	a := start(t, "")
	a.get(t, convert100) // so that what is shown of the backing service does not change
	addr := a.serve(t)
	for _, path := range append(paths, "/v1/convert?amount=-5&source=EUR&target=USD", "/nowhere") {
		t.Run(path, func(t *testing.T) {
			get, head := ask(t, addr, "GET", path, ""), ask(t, addr, "HEAD", path, "")
			wantEqual(t, "status", head.status, get.status)
			wantEqual(t, "body", head.body, "")
			if get.body == "" {
				t.Error("GET has no body either")
			}
			if path != "/metrics" { // which is as long as it turns out
				wantEqual(t, "length", get.header.Get("Content-Length"), strconv.Itoa(len(get.body)))
			}
			for _, h := range []http.Header{get.header, head.header} {
				wantEqual(t, "server", h.Get("Server"), "quotes/test")
				for _, changing := range []string{"Date", "X-Request-Id"} {
					h.Del(changing)
				}
				if path == "/metrics" || path == "/v1/backing" { // whose texts change from one to the next
					h.Del("Content-Length")
				}
			}
			if !maps.EqualFunc(get.header, head.header, func(a, b []string) bool { return fmt.Sprint(a) == fmt.Sprint(b) }) {
				t.Errorf("got the headers\n%v, want\n%v", head.header, get.header)
			}
		})
	}
}

func TestOversizedRequests(t *testing.T) {
	a := start(t, "")
	addr := a.serve(t)
	long := func(n int) string { return "/v1/convert?source=EUR&target=USD&amount=" + strings.Repeat("9", n) }
	fields := func(n int) string { return strings.Repeat("X-Field: 0123456789\r\n", n) }
	for name, tt := range map[string]struct {
		target, header string
		status         int
	}{
		"an amount of 16 KB":           {long(16 << 10), "", 422},
		"an amount of 40 KB":           {long(40 << 10), "", 431},
		"an amount of 1 MB":            {long(1 << 20), "", 431},
		"a header field of 16 KB":      {convert100, "X-Field: " + strings.Repeat("x", 16<<10) + "\r\n", 200},
		"a header field of 1 MB":       {convert100, "X-Field: " + strings.Repeat("x", 1<<20) + "\r\n", 431},
		"10,000 header fields":         {convert100, fields(10_000), 431},
		"a request id of 16 KB":        {convert100, "X-Request-Id: " + strings.Repeat("x", 16<<10) + "\r\n", 200},
		"an X-Forwarded-For of 16 KB":  {convert100, "X-Forwarded-For: " + strings.Repeat("1.1.1.1,", 2<<10) + "\r\n", 200},
		"a path of 16 KB":              {"/" + strings.Repeat("x", 16<<10), "", 404},
		"a query without an end, 1 MB": {"/?" + strings.Repeat("a&", 1<<19), "", 431},
	} {
		t.Run(name, func(t *testing.T) {
			r := ask(t, addr, "GET", tt.target, tt.header)
			wantEqual(t, "status", r.status, tt.status)
			if len(r.body) > 8<<10 {
				t.Errorf("got an answer of %d bytes", len(r.body))
			}
		})
	}
	wantEqual(t, "status of the next request", ask(t, addr, "GET", convert100, "").status, http.StatusOK)
	for _, line := range a.lines(t) {
		if text := fmt.Sprint(line); len(text) > 1000 {
			t.Errorf("got a log line of %d bytes", len(text))
		}
	}
}

func TestAPanicIsAProblemWithoutItsText(t *testing.T) {
	for _, target := range []string{convert100, "/"} {
		t.Run(target, func(t *testing.T) {
			a := start(t, "")
			a.panics(true)
			r := a.get(t, target)
			wantEqual(t, "status", r.status, http.StatusInternalServerError)
			wantNone(t, r.body, "the clock", "panic", "goroutine", ".go:")
			if target == convert100 {
				p := wantProblem(t, r, http.StatusInternalServerError, "about:blank", "")
				wantEqual(t, "title", p.Title, "Internal Server Error")
			} else {
				wantPage(t, r, http.StatusInternalServerError)
				wantContains(t, r.body, "<h1>Internal Server Error</h1>", "Something went wrong here; it is in the log.")
			}
			lines := a.lines(t)
			if len(lines) != 1 {
				t.Fatalf("got the log %v, want one line", lines)
			}
			wantEqual(t, "level", fmt.Sprint(lines[0]["level"]), "ERROR")
			wantEqual(t, "status logged", fmt.Sprint(lines[0]["status"]), "500")
			wantContains(t, fmt.Sprint(lines[0]["error"]), "panic: the clock stopped", "goroutine", "helpers_test.go:")

			a.panics(false)
			wantEqual(t, "status of the next request", a.get(t, target).status, http.StatusOK)
		})
	}
}

func TestAClientThatDidNotWaitIsNoErrorOfOurs(t *testing.T) {
	for _, target := range []string{convert100, "/"} {
		t.Run(target, func(t *testing.T) {
			a := start(t, "")
			ctx, leave := context.WithCancel(t.Context())
			a.becomes(func(w http.ResponseWriter, r *http.Request) {
				leave()
				<-r.Context().Done()
			})
			r := a.do(t, httptest.NewRequestWithContext(ctx, http.MethodGet, target, nil))
			wantEqual(t, "body", r.body, "")
			lines := a.lines(t)
			if len(lines) != 1 {
				t.Fatalf("got the log %v, want one line", lines)
			}
			wantEqual(t, "level", fmt.Sprint(lines[0]["level"]), "INFO")
			wantEqual(t, "status logged", fmt.Sprint(lines[0]["status"]), "499")
		})
	}
}
