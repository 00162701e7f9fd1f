package ratesapi

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"

	"example.com/portpair/services/quotes/internal/quote"
	"example.com/portpair/services/twelve/logs"
)

// listener is a backing service that remembers how it was asked.
type listener struct {
	*upstream
	mu    sync.Mutex
	asked []*http.Request
}

func listen(t *testing.T, h http.HandlerFunc) *listener {
	t.Helper()
	l := &listener{}
	l.upstream = serve(t, func(w http.ResponseWriter, r *http.Request) {
		l.mu.Lock()
		l.asked = append(l.asked, r)
		l.mu.Unlock()
		h(w, r)
	})
	return l
}

// only is the one request that came.
func (l *listener) only(t *testing.T) *http.Request {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.asked) != 1 {
		t.Fatalf("got %d requests, want one", len(l.asked))
	}
	return l.asked[0]
}

func TestTheQuestionIsTheContracts(t *testing.T) {
	for name, tt := range map[string]struct{ options, date, want string }{
		"the newest":               {"", "", "/v1/latest"},
		"a day":                    {"", "2026-08-21", "/v1/2026-08-21"},
		"below a base path":        {"/fx/ecb/", "", "/fx/ecb/v1/latest"},
		"below an escaped one":     {"/fx%2Fecb/", "", "/fx%2Fecb/v1/latest"},
		"without handle's options": {"?timeout=1s&max_age=1s", "2026-08-21", "/v1/2026-08-21"},
	} {
		t.Run(name, func(t *testing.T) {
			l := listen(t, answer(good))
			c := l.attach(t, tt.options)
			if tt.date == "" {
				c.mustLatest(t)
			} else {
				c.mustOn(t, date(t, tt.date))
			}
			r := l.only(t)
			want(t, "asked", r.Method+" "+r.RequestURI, "GET "+tt.want)
			want(t, "user agent", r.UserAgent(), "quotes/0.1.0")
			want(t, "accept", r.Header.Get("Accept"), "application/json")
			want(t, "authorization", r.Header.Get("Authorization"), "")
		})
	}
}

func TestCredentialsAreSent(t *testing.T) {
	for userinfo, authorization := range map[string]string{
		"shop:s3cret%20pass@": "Basic c2hvcDpzM2NyZXQgcGFzcw==",
		"t0ken@":              "Bearer t0ken",
		"":                    "",
	} {
		t.Run(userinfo, func(t *testing.T) {
			l := listen(t, answer(good))
			l.attachAs(t, userinfo, "").mustLatest(t)
			want(t, "authorization", l.only(t).Header.Get("Authorization"), authorization)
		})
	}
}

func TestCredentialsAreSentWithEveryAttempt(t *testing.T) {
	l := listen(t, inTurn(cutShort, status(503, ""), answer(good)))
	l.attachAs(t, "t0ken@", "").mustLatest(t)
	for _, r := range l.asked {
		want(t, "authorization", r.Header.Get("Authorization"), "Bearer t0ken")
	}
	want(t, "attempts", len(l.asked), 3)
}

func TestRefusedCredentialsAreReported(t *testing.T) {
	for _, code := range []int{http.StatusUnauthorized, http.StatusForbidden} {
		t.Run(http.StatusText(code), func(t *testing.T) {
			l := listen(t, status(code, `{"message":"unauthorized"}`))
			c := l.attachAs(t, "shop:s3cret@", "")
			_, err := c.Latest(t.Context())
			wantErr(t, err, quote.ErrRatesUnavailable)
			l.only(t)
			s := c.Status()
			want(t, "outcome", c.last(t).Outcome, Refused)
			want(t, "state", s.State, Detached)
			if !strings.HasPrefix(s.LastError, "refuses the handle's credentials: status 40") {
				t.Errorf("got the last error %q", s.LastError)
			}
		})
	}
}

func TestSecretsStayInTheHandle(t *testing.T) {
	echo := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Server", r.Host)
			w.WriteHeader(code)
			io.WriteString(w, "<html>")
		}
	}
	for name, h := range map[string]http.HandlerFunc{
		"accepted":   answer(good),
		"refused":    echo(401),
		"failing":    echo(503),
		"broken off": cutShort,
		"led elsewhere": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://192.0.2.1/", http.StatusFound)
		},
		"not understood": echo(200),
	} {
		t.Run(name, func(t *testing.T) {
			for _, userinfo := range []string{"shop:s3cret@", "s3cret@"} {
				c := serve(t, h).attachAs(t, userinfo, "?attempts=2")
				_, err := c.Latest(t.Context())
				said := c.log.String() + c.Status().LastError + c.Status().Handle
				if err != nil {
					said += err.Error()
				}
				for _, secret := range []string{"s3cret", "czNjcmV0", "c2hvcDpzM2NyZXQ"} {
					if strings.Contains(said, secret) {
						t.Errorf("a secret shows in %s", said)
					}
				}
				if !strings.HasPrefix(c.Status().Handle, "http://***@") {
					t.Errorf("got the handle %s", c.Status().Handle)
				}
			}
		})
	}
}

func TestARedirectWithinTheOriginIsFollowedWithCredentials(t *testing.T) {
	l := listen(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/latest" {
			http.Redirect(w, r, "/moved/latest", http.StatusMovedPermanently)
			return
		}
		io.WriteString(w, good)
	})
	l.attachAs(t, "t0ken@", "").mustLatest(t)
	want(t, "requests", len(l.asked), 2)
	want(t, "path", l.asked[1].URL.Path, "/moved/latest")
	want(t, "authorization", l.asked[1].Header.Get("Authorization"), "Bearer t0ken")
}

func TestARedirectElsewhereIsNotFollowed(t *testing.T) {
	elsewhere := listen(t, answer(good))
	port := strings.TrimPrefix(elsewhere.URL, "http://127.0.0.1")
	for name, location := range map[string]string{
		"another port":             elsewhere.URL + "/v1/latest",
		"another name of the host": "http://localhost" + port + "/v1/latest",
		"without a scheme":         "//127.0.0.1" + port + "/v1/latest",
		"with our credentials":     "http://t0ken@127.0.0.1" + port + "/v1/latest",
		"another scheme":           "ftp://127.0.0.1/v1/latest",
	} {
		t.Run(name, func(t *testing.T) {
			l := listen(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", location)
				w.WriteHeader(http.StatusTemporaryRedirect)
			})
			c := l.attachAs(t, "t0ken@", "")
			_, err := c.Latest(t.Context())
			wantErr(t, err, quote.ErrRatesUnavailable)
			l.only(t) // it is not tried again either
			last := c.last(t)
			want(t, "outcome", last.Outcome, NoService)
			want(t, "status", last.Status, http.StatusTemporaryRedirect)
			want(t, "error", last.Error, "answered with status 307: redirect not followed: it leads to another origin")
			want(t, "requests elsewhere", elsewhere.requests.Load(), 0)
		})
	}
}

func TestRedirectsInACircleEnd(t *testing.T) {
	l := listen(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) })
	c := l.attach(t, "")
	_, err := c.Latest(t.Context())
	wantErr(t, err, quote.ErrRatesUnavailable)
	want(t, "requests", l.requests.Load(), 4)
	want(t, "error", c.last(t).Error, "answered with status 302: redirect not followed: over 3 in a row")
}

// inRequest is the context of a request with these headers.
func inRequest(t *testing.T, headers ...string) context.Context {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	var ctx context.Context
	keep := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { ctx = r.Context() })
	logs.Requests(logs.New(io.Discard, 0, logs.JSON), logs.Options{})(keep).ServeHTTP(httptest.NewRecorder(), r)
	return ctx
}

func TestRequestIDAndTraceAreForwarded(t *testing.T) {
	const id, trace = "order-4711.a_B", "4bf92f3577b34da6a3ce929d0e0e4736"
	l := listen(t, answer("<html>"))
	c := l.attach(t, "")
	_, _ = c.Latest(inRequest(t, "X-Request-Id", id, "Traceparent", "00-"+trace+"-00f067aa0ba902b7-01"))
	r := l.only(t)
	want(t, "request id", r.Header.Get("X-Request-Id"), id)
	if got := r.Header.Get("Traceparent"); !regexp.MustCompile("^00-"+trace+"-[0-9a-f]{16}-01$").MatchString(got) ||
		strings.Contains(got, "00f067aa0ba902b7") {
		t.Errorf("got traceparent %s, want the trace with a span of our own", got)
	}
	if warned := c.warnings(t); len(warned) != 1 || warned[0]["request_id"] != id || warned[0]["trace_id"] != trace {
		t.Errorf("got the warnings %v, want one that names the request", warned)
	}
}

func TestACallThatBelongsToNoRequestHasATraceOfItsOwn(t *testing.T) {
	l := listen(t, answer(good))
	l.attach(t, "").mustLatest(t)
	h := l.only(t).Header
	for name, form := range map[string]string{
		"X-Request-Id": "^[A-Za-z0-9._-]{1,64}$",
		"Traceparent":  "^00-[0-9a-f]{32}-[0-9a-f]{16}-00$",
	} {
		if got := h.Get(name); !regexp.MustCompile(form).MatchString(got) {
			t.Errorf("%s: got %q", name, got)
		}
	}
}
