package ecb

import (
	"compress/gzip"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// secrets are in the URL of every server that is asked here, and nowhere else.
const (
	password  = "geheim-password"
	signature = "geheim-signature"
)

// serve starts a server of the feed. Its URL has credentials and a query.
func serve(t testing.TB, h http.HandlerFunc) Source {
	t.Helper()
	return attached(t, started(t, httptest.NewUnstartedServer(h), (*httptest.Server).Start))
}

func started(t testing.TB, s *httptest.Server, start func(*httptest.Server)) string {
	t.Helper()
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	start(s)
	t.Cleanup(s.Close)
	return s.URL
}

func attached(t testing.TB, url string) Source {
	t.Helper()
	return source(t, strings.Replace(url, "://", "://user:"+password+"@", 1)+"/feed.zip?sig="+signature)
}

// noSecret checks that a text holds neither secret, in no spelling.
func noSecret(t testing.TB, text string) {
	t.Helper()
	for _, s := range []string{password, signature, base64.StdEncoding.EncodeToString([]byte("user:" + password))} {
		if strings.Contains(text, s) {
			t.Errorf("got %q in %q", s, text)
		}
	}
}

func TestFetchAsks(t *testing.T) {
	var asked *http.Request
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked = r
		w.Header().Set("ETag", `"1"`)
		w.Header().Set("Last-Modified", "Thu, 23 Oct 2025 13:55:00 GMT")
		if r.Header.Get("If-None-Match") == `"1"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		io.WriteString(w, current)
	})
	f := newFetcher(s, "rates/0.1.0")
	e, err := f.fetch(t.Context(), version{})
	if err != nil || e.data != current {
		t.Fatalf("got %q, %v, want the feed", e.data, err)
	}
	if got, want := e.version, (version{`"1"`, "Thu, 23 Oct 2025 13:55:00 GMT"}); got != want {
		t.Errorf("got version %v, want %v", got, want)
	}
	user, pass, _ := asked.BasicAuth()
	for name, tt := range map[string]struct{ got, want string }{
		"method":            {asked.Method, http.MethodGet},
		"kept alive":        {fmt.Sprint(!asked.Close), "false"}, // for an hour, else
		"path and query":    {asked.RequestURI, "/feed.zip?sig=" + signature},
		"credentials":       {user + ":" + pass, "user:" + password},
		"User-Agent":        {asked.UserAgent(), "rates/0.1.0"},
		"If-None-Match":     {asked.Header.Get("If-None-Match"), ""},
		"If-Modified-Since": {asked.Header.Get("If-Modified-Since"), ""},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: got %q, want %q", name, tt.got, tt.want)
		}
	}

	if _, err := f.fetch(t.Context(), e.version); !errors.Is(err, errUnchanged) {
		t.Errorf("a second time: got %v, want %v", err, errUnchanged)
	}
	if got, want := asked.Header.Get("If-Modified-Since"), e.Modified; got != want {
		t.Errorf("If-Modified-Since: got %q, want %q", got, want)
	}
}

func TestFetchFollowsRedirectsWithinTheOrigin(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/feed.zip" {
			http.Redirect(w, r, "/moved.zip", http.StatusMovedPermanently)
			return
		}
		if _, pass, _ := r.BasicAuth(); pass == password {
			io.WriteString(w, current)
		}
	})
	if e, err := newFetcher(s, "").fetch(t.Context(), version{}); err != nil || e.data != current {
		t.Errorf("got %q, %v, want the feed", e.data, err)
	}
}

// failing is a source of which no feed comes, and what the reason begins with.
type failing struct {
	name   string
	source Source
	want   string
}

func (tt failing) test(t *testing.T) {
	f := newFetcher(tt.source, "rates/0.1.0")
	switch {
	case strings.HasPrefix(tt.want, "nothing came"):
		f.stall = 50 * time.Millisecond
	case strings.HasPrefix(tt.want, "not done"):
		f.timeout = 50 * time.Millisecond
	}
	e, err := f.fetch(t.Context(), version{})
	if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
		t.Fatalf("got %d bytes, %v, want %v", len(e.data), err, tt.want)
	}
	for e := err; e != nil; e = errors.Unwrap(e) {
		noSecret(t, e.Error())
	}
}

func TestFetchOfAnotherStatus(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("got another origin asked, want it never asked")
	}))
	defer elsewhere.Close()
	status := func(n int) Source {
		return serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(n) })
	}
	redirect := func(to string) Source {
		return serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", to)
			w.WriteHeader(http.StatusFound)
		})
	}
	for _, tt := range []failing{
		{"404", status(404), "answered with status 404"},
		{"500", status(500), "answered with status 500"},
		{"204", status(204), "answered with status 204"},
		{"304 though nothing was known", status(304), "answered with status 304"},
		{"401", status(401), "refuses the credentials: status 401"},
		{"403", status(403), "refuses the credentials: status 403"},
		{"a redirect to nowhere", status(302), "answered with status 302"},
		{"a redirect loop", redirect("/feed.zip"), "redirect not followed: over 3 in a row"},
		{"a redirect to another origin", redirect(elsewhere.URL), "redirect not followed: it leads to another origin"},
		{"a redirect that quotes the query", redirect("http://[::1?sig=" + signature), "gave no proper HTTP answer"},
	} {
		t.Run(tt.name, tt.test)
	}
}

func TestFetchOverABadConnection(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	server := func(start func(*httptest.Server)) string {
		return started(t, httptest.NewUnstartedServer(http.NotFoundHandler()), start)
	}
	for _, tt := range []failing{
		{"nobody listens", attached(t, gone.URL), "the connection failed: connect: connection refused"},
		{"HTTPS with a certificate of its own", attached(t, server((*httptest.Server).StartTLS)),
			"its certificate is not trusted: x509: certificate signed by unknown authority"},
		{"HTTP where HTTPS is asked", attached(t, strings.Replace(server((*httptest.Server).Start), "http:", "https:", 1)),
			"speaks HTTP, not HTTPS"},
		{"closed without an answer", serve(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }),
			"cut the connection before its answer's end"},
		{"a body cut short", serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, current[:50])
		}), "cut the connection before its answer's end"},
		{"what is not HTTP", serve(t, func(w http.ResponseWriter, _ *http.Request) {
			conn, _, _ := http.NewResponseController(w).Hijack()
			io.WriteString(conn, "SSH-2.0-"+signature+"\r\n\r\n")
			conn.Close()
		}), "gave no proper HTTP answer"},
	} {
		t.Run(tt.name, tt.test)
	}
}

func TestFetchOfTooMuchOrTooSlow(t *testing.T) {
	for _, tt := range []failing{
		{"a header as long as a book", serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Book", strings.Repeat(signature, 1<<14))
		}), "gave no proper HTTP answer"},
		{"100 MB of zeros, packed for the transfer", serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z, _ := gzip.NewWriterLevel(w, gzip.BestSpeed)
			writeZeros(z, 100<<20)
		}), "over 8 MiB long"},
		{"an answer that never begins", serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }),
			"nothing came for 50ms"},
		{"a body that stalls", serve(t, func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, current[:50])
			http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}), "nothing came for 50ms"},
		{"a body that drips", serve(t, func(w http.ResponseWriter, r *http.Request) {
			for tick := time.NewTicker(5 * time.Millisecond); r.Context().Err() == nil; <-tick.C {
				io.WriteString(w, "2")
				http.NewResponseController(w).Flush()
			}
		}), "not done after 50ms"},
	} {
		t.Run(tt.name, tt.test)
	}
}

// writeZeros writes until it has, or nobody listens.
func writeZeros(w io.Writer, n int) {
	zeros := make([]byte, 1<<20)
	for range n / len(zeros) {
		if _, err := w.Write(zeros); err != nil {
			return
		}
	}
}

func TestFetchEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	if _, err := newFetcher(s, "").fetch(ctx, version{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}
