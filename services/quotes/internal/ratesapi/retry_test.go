package ratesapi

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/portpair/services/quotes/internal/quote"
	"example.com/portpair/services/twelve/resource"
)

func TestAnAttemptEndsAtItsTimeout(t *testing.T) {
	halfway := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "1000")
		io.WriteString(w, good[:20])
		w.(http.Flusher).Flush()
		never(w, r)
	}
	for name, tt := range map[string]struct {
		handler http.HandlerFunc
		dial    func(context.Context, string, string) (net.Conn, error)
	}{
		"no answer":                    {never, nil},
		"a body that does not go on":   {halfway, nil},
		"a connection that never came": {nil, func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := serveInMemory(t, tt.handler)
				if tt.dial != nil {
					u.dial = tt.dial
				}
				c := u.attach(t, "?timeout=3s&attempts=1")
				_, err := c.Latest(t.Context())
				wantErr(t, err, quote.ErrRatesUnavailable)
				last := c.last(t)
				want(t, "duration", last.Duration, 3*time.Second)
				want(t, "attempts", last.Attempts, 1)
				want(t, "outcome", last.Outcome, TimedOut)
				want(t, "error", last.Error, "no answer within 3s, asked once")
			})
		})
	}
}

func TestTheTimeoutIsOfOneAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := serveInMemory(t, inTurn(never, answer(good))).attach(t, "?timeout=500ms")
		want(t, "rate", usd(t, c.mustLatest(t)), "1.1699")
		last := c.last(t)
		want(t, "attempts", last.Attempts, 2)
		if d := last.Duration; d < 500*time.Millisecond || d > 600*time.Millisecond {
			t.Errorf("got it after %v, want a timeout of 500ms and a wait of at most 100ms", d)
		}
	})
}

func TestAnAttemptsTimeIsForItsRedirectsToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hop := after(400*time.Millisecond, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path+"/on", http.StatusFound)
		})
		c := serveInMemory(t, inTurn(hop, hop, hop, answer(good))).attach(t, "?timeout=1s&attempts=1")
		_, err := c.Latest(t.Context())
		wantErr(t, err, quote.ErrRatesUnavailable)
		last := c.last(t)
		want(t, "outcome", last.Outcome, TimedOut)
		want(t, "duration", last.Duration, time.Second)
	})
}

func TestACallIsNoLongerThanItsAttemptsAndWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// Each attempt and the wait after it take nearly two timeouts.
		c := serveInMemory(t, func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(900 * time.Millisecond)
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusServiceUnavailable)
		}).attach(t, "?timeout=1s&attempts=10")
		_, err := c.Latest(t.Context())
		wantErr(t, err, quote.ErrRatesUnavailable)
		time.Sleep(time.Minute)
		last := c.last(t)
		want(t, "duration", last.Duration, 18*time.Second)
		want(t, "attempts", last.Attempts, 10)
		want(t, "outcome", last.Outcome, Failing)
	})
}

func TestWaitsAreExponentialWithFullJitter(t *testing.T) {
	for attempt, ceiling := range []time.Duration{
		100 * time.Millisecond, 200 * time.Millisecond, 400 * time.Millisecond, 800 * time.Millisecond,
		time.Second, time.Second, time.Second, time.Second, time.Second,
	} {
		t.Run(fmt.Sprintf("up to %v before retry %d", ceiling, attempt+1), func(t *testing.T) {
			waits := make([]time.Duration, 2000)
			for i := range waits {
				waits[i] = backoff(minWait, maxWait, attempt, nil)
			}
			shortest, longest := slices.Min(waits), slices.Max(waits)
			if shortest <= 0 || shortest > ceiling/10 || longest > ceiling || longest < ceiling-ceiling/10 {
				t.Errorf("got waits from %v to %v, want them all over the range up to %v", shortest, longest, ceiling)
			}
		})
	}
}

func TestTheClientWaitsThatLongBetweenItsAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var asked []time.Time
		u := serveInMemory(t, func(w http.ResponseWriter, _ *http.Request) {
			mu.Lock()
			asked = append(asked, time.Now())
			mu.Unlock()
			w.WriteHeader(http.StatusBadGateway)
		})
		for range 50 {
			asked = nil
			c := u.attach(t, "?attempts=5") // each its own, or the breaker opens
			_, err := c.Latest(t.Context())
			wantErr(t, err, quote.ErrRatesUnavailable)
			if len(asked) != 5 {
				t.Fatalf("got %d attempts, want 5", len(asked))
			}
			for i := range 4 {
				if wait, most := asked[i+1].Sub(asked[i]), minWait<<i; wait <= 0 || wait > most {
					t.Errorf("got a wait of %v before retry %d, want one up to %v", wait, i+1, most)
				}
			}
		}
	})
}

func TestRetryAfterIsHeededUpToASecond(t *testing.T) {
	const jitter = -1
	for header, wait := range map[string]time.Duration{
		"0":                             0,
		"1":                             time.Second,
		"2":                             time.Second,
		"86400":                         time.Second,
		"4294967295":                    time.Second,
		"99999999999999999999":          jitter,
		"-1":                            jitter,
		"1.5":                           jitter,
		"soon":                          jitter,
		"":                              jitter,
		"Fri, 31 Dec 2100 23:59:59 GMT": jitter,
	} {
		t.Run(header, func(t *testing.T) {
			resp := &http.Response{Header: http.Header{"Retry-After": {header}}}
			for range 100 {
				got := backoff(minWait, maxWait, 0, resp)
				if wait != jitter && got != wait || wait == jitter && (got <= 0 || got > minWait) {
					t.Fatalf("got a wait of %v", got)
				}
			}
		})
	}
}

func TestARetryAfterOfADayMakesNobodyWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		busy := func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "86400")
			w.WriteHeader(http.StatusTooManyRequests)
		}
		c := serveInMemory(t, inTurn(busy, busy, answer(good))).attach(t, "")
		want(t, "rate", usd(t, c.mustLatest(t)), "1.1699")
		want(t, "duration", c.last(t).Duration, 2*time.Second)
	})
}

func TestOnlySafeRequestsAreRetried(t *testing.T) {
	ended, end := context.WithCancel(t.Context())
	end()
	replied := func(method string, code int) *http.Response {
		return &http.Response{StatusCode: code, Request: &http.Request{Method: method}}
	}
	refused := &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	failed := func(op string, err error) error { return &url.Error{Op: op, URL: "http://rates/v1/latest", Err: err} }
	for name, tt := range map[string]struct {
		ctx  context.Context
		resp *http.Response
		err  error
		want bool
	}{
		"GET answered 503":                    {t.Context(), replied("GET", 503), nil, true},
		"HEAD answered 503":                   {t.Context(), replied("HEAD", 503), nil, true},
		"POST answered 503":                   {t.Context(), replied("POST", 503), nil, false},
		"PUT answered 503":                    {t.Context(), replied("PUT", 503), nil, false},
		"DELETE answered 429":                 {t.Context(), replied("DELETE", 429), nil, false},
		"GET could not connect":               {t.Context(), nil, failed("Get", refused), true},
		"HEAD could not connect":              {t.Context(), nil, failed("Head", refused), true},
		"POST could not connect":              {t.Context(), nil, failed("Post", refused), false},
		"GET lost its connection":             {t.Context(), nil, failed("Get", io.ErrUnexpectedEOF), true},
		"POST lost its connection":            {t.Context(), nil, failed("Post", io.ErrUnexpectedEOF), false},
		"GET got half a body":                 {t.Context(), replied("GET", 200), io.ErrUnexpectedEOF, true},
		"POST got half a body":                {t.Context(), replied("POST", 200), io.ErrUnexpectedEOF, false},
		"GET got too large a body":            {t.Context(), replied("GET", 200), errTooLarge, false},
		"GET is led elsewhere":                {t.Context(), replied("GET", 302), failed("Get", resource.ErrRedirect), false},
		"GET trusts no such certificate":      {t.Context(), nil, failed("Get", &tls.CertificateVerificationError{}), false},
		"something failed, nobody knows what": {t.Context(), nil, io.ErrUnexpectedEOF, false},
		"GET out of time":                     {ended, replied("GET", 503), nil, false},
		"GET out of time, and failed":         {ended, nil, failed("Get", refused), false},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := checkRetry(tt.ctx, tt.resp, tt.err)
			if got != tt.want || !errors.Is(err, tt.ctx.Err()) {
				t.Errorf("got %v and error %v, want %v", got, err, tt.want)
			}
		})
	}
}

func TestAStatusIsRetriedWhenAnotherAttemptMayHelp(t *testing.T) {
	for code, attempts := range map[int]int{
		429: 3, 500: 3, 502: 3, 503: 3, 504: 3,
		204: 1, 304: 1, 400: 1, 401: 1, 403: 1, 404: 1, 405: 1, 410: 1, 418: 1, 501: 1, 505: 1,
	} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := serveInMemory(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) })
				c := u.attach(t, "")
				_, err := c.Latest(t.Context())
				wantErr(t, err, quote.ErrRatesUnavailable)
				last := c.last(t)
				want(t, "attempts", last.Attempts, attempts)
				want(t, "requests", int(u.requests.Load()), attempts)
				want(t, "status", last.Status, code)
			})
		})
	}
}

func TestABodyCutShortIsRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := serveInMemory(t, inTurn(cutShort, cutShort, answer(good))).attach(t, "")
		want(t, "rate", usd(t, c.mustLatest(t)), "1.1699")
		want(t, "attempts", c.last(t).Attempts, 3)
	})
	synctest.Test(t, func(t *testing.T) { // but not for ever
		c := serveInMemory(t, cutShort).attach(t, "")
		_, err := c.Latest(t.Context())
		wantErr(t, err, quote.ErrRatesUnavailable)
		last := c.last(t)
		want(t, "attempts", last.Attempts, 3)
		want(t, "outcome", last.Outcome, Unreachable)
		want(t, "status", last.Status, 200)
		want(t, "error", last.Error, "the answer broke off: unexpected EOF")
	})
	synctest.Test(t, func(t *testing.T) { // within its attempts and the waits between them
		slowly := func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(1900 * time.Millisecond)
			w.Header().Set("Retry-After", "1")
			cutShort(w, r)
		}
		c := serveInMemory(t, slowly).attach(t, "?attempts=10")
		_, _ = c.Latest(t.Context())
		time.Sleep(time.Minute)
		want(t, "duration", c.last(t).Duration, 28*time.Second)
	})
}

func TestABrokenConnectionIsRetried(t *testing.T) {
	for name, raw := range map[string]string{
		"closed without an answer":   "",
		"closed within the header":   "HTTP/1.1 200 OK\r\nContent-Le",
		"something other than HTTP":  "SSH-2.0-OpenSSH_9.9\r\n",
		"a header without an end":    "HTTP/1.1 200 OK\r\nServer rates\r\n\r\n",
		"chunks that are no chunks":  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		"gzip that is none":          "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd",
		"a length that is no number": "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n{}",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := serveBytes(t, raw)
				c := u.attach(t, "")
				_, err := c.Latest(t.Context())
				wantErr(t, err, quote.ErrRatesUnavailable)
				last := c.last(t)
				want(t, "attempts", last.Attempts, 3)
				want(t, "requests", u.requests.Load(), 3)
				want(t, "outcome", last.Outcome, Unreachable)
			})
		})
	}
}

func TestAnUntrustedCertificateIsNotRetried(t *testing.T) {
	u := &upstream{}
	u.Server = httptest.NewUnstartedServer(u.counted(answer(good)))
	u.Config.ErrorLog = quiet
	u.StartTLS()
	t.Cleanup(u.Close)
	c := u.attach(t, "")
	_, err := c.Latest(t.Context())
	wantErr(t, err, quote.ErrRatesUnavailable)
	want(t, "attempts", c.last(t).Attempts, 1)
	want(t, "requests", u.requests.Load(), 0)
}
