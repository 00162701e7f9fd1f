package ratesapi

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"example.com/portpair/services/quotes/internal/quote"
	"example.com/portpair/services/twelve/logs"
	"example.com/portpair/services/twelve/resource"
	"github.com/hashicorp/go-retryablehttp"
)

const (
	minWait   = 100 * time.Millisecond // before the first retry, at most
	maxWait   = 1 * time.Second        // before any retry, and of Retry-After
	maxBody   = 1 << 20                // bytes; a day's rates are about 600
	maxHeader = 32 << 10               // bytes
	maxDrain  = 4 << 10                // bytes read of an answer that nobody wants, to keep its connection

	// idleConns is what MAX_IN_FLIGHT is unless set, for with max_age=0s each
	// request that is worked on has one: more would be dialed anew each time.
	idleConns = 512

	// idleTimeout is under the 5 s of servers that do not wait long (Node's,
	// Apache's), so that it is us who close; and what a burst has left open
	// is soon gone.
	idleTimeout = 3 * time.Second
)

var errTooLarge = errors.New("the answer is over 1 MiB")

// overHTTP asks a service of Frankfurter's v1.
type overHTTP struct {
	*Client
	v1        *url.URL // to its last slash
	transport *http.Transport
	http      *retryablehttp.Client
}

// newHTTP sets go-retryablehttp up by hand: its defaults retry POST, sleep as
// long as Retry-After says, bound no single attempt, log URLs to stderr, keep
// GOMAXPROCS+1 idle connections, close them all after one failure, and do not
// retry a body cut short.
//
// It knows no proxy: the handle alone says where the traffic goes.
func newHTTP(c *Client) overHTTP {
	o := c.options
	transport := &http.Transport{
		DialContext:            c.connect,
		TLSHandshakeTimeout:    o.Timeout,
		MaxIdleConns:           idleConns,
		MaxIdleConnsPerHost:    idleConns,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxHeader,
		ForceAttemptHTTP2:      true,
	}
	return overHTTP{c, c.handle.URL("v1", "/"), transport, &retryablehttp.Client{
		HTTPClient: &http.Client{
			Transport:     timed{transport, o.Timeout},
			CheckRedirect: c.handle.CheckRedirect,
		},
		RetryMax:     o.Attempts - 1,
		RetryWaitMin: minWait,
		RetryWaitMax: maxWait,
		CheckRetry: func(ctx context.Context, resp *http.Response, err error) (bool, error) {
			if isTimeout(err) { // the idle ones may be half-open too: dial anew
				transport.CloseIdleConnections()
			}
			again, err := checkRetry(ctx, resp, err)
			return again && attemptOf(ctx).number < o.Attempts && c.mayRetry(), err
		},
		Backoff:        backoff,
		ErrorHandler:   retryablehttp.PassthroughErrorHandler,
		RequestLogHook: countAttempt,
	}}
}

func (o overHTTP) close() { o.transport.CloseIdleConnections() }

func (o overHTTP) path(q question) string { return "/v1/" + q.path }

func (o overHTTP) exchange(ctx context.Context, q question, before *kept) (a reply) {
	last := attempt{Context: ctx}
	resp, body, err := o.get(&last, q.path)
	a.attempts = last.number
	what := "cannot be reached"
	switch {
	case err != nil && strings.Contains(err.Error(), "malformed HTTP"): // net/http has no type for it
		what = "what answers does not speak HTTP"
	case resp != nil:
		what = "the answer broke off"
	}
	if resp != nil {
		a.status, a.header, a.server, a.body = resp.StatusCode, resp.Header, resp.Header.Get("Server"), body
	}
	switch {
	case err == nil:
		a.kept, a.err = o.read(a, q, before)
	case errors.Is(err, errTooLarge):
		a.err = failf(NoService, "%v", err)
	case errors.Is(err, resource.ErrRedirect) && resp != nil:
		a.err = failf(NoService, "answered with status %d: %v", resp.StatusCode, cause(err))
	default:
		a.err = o.unanswered(what, err, a.attempts)
	}
	return a
}

// get asks for /v1/path, which may have a query. A resp comes with its whole
// body, or with an error.
func (o overHTTP) get(ctx context.Context, path string) (resp *http.Response, body []byte, err error) {
	path, query, _ := strings.Cut(path, "?")
	u := *o.v1 // to join it each time is a hundredth of a call
	u.Path += path
	if u.RawPath != "" {
		u.RawPath += path
	}
	u.RawQuery = query
	header := http.Header{"Accept": {"application/json"}, "User-Agent": {o.agent}}
	req := retryablehttp.Request{Request: (&http.Request{Method: http.MethodGet, URL: &u, Header: header}).WithContext(ctx)}
	o.handle.Authorize(req.Request)
	logs.Forward(ctx, req.Header)
	req.SetResponseHandler(func(resp *http.Response) (err error) { // its error may be retried, resp's end is in it
		if retryableStatus(resp.StatusCode) { // not retried any more
			return nil
		}
		defer resp.Body.Close()
		body, err = readBody(resp.Body)
		return err
	})
	if resp, err = o.http.Do(&req); err == nil && retryableStatus(resp.StatusCode) {
		_, _ = io.CopyN(io.Discard, resp.Body, maxDrain) // a last 503 is unread yet, and its connection worth keeping
		resp.Body.Close()
	}
	return resp, body, err
}

// read turns an answer into what to keep, or into why it is none. The answer
// that is kept already, byte by byte, was read then: on most days all are.
func (o overHTTP) read(a reply, q question, before *kept) (*kept, error) {
	switch {
	case a.status == http.StatusOK:
		k := &kept{body: a.body, answered: o.now(), age: ageHeader(a.header.Get("Age"))}
		var err error
		if k.same(before) {
			return k, nil
		} else if q.isRange() {
			k.days, err = decodeRange(a.body, q.days, q.pair[0], q.pair[1])
		} else {
			k.table, err = decodeDay(a.body, q.date, quote.DateOf(k.answered))
		}
		if err != nil {
			return nil, failf(NoService, "what answers is no rates service: GET /v1/%s gave %v", q.path, err)
		}
		if q.isRange() && len(k.days) == 0 {
			return nil, errNone(q)
		}
		return k, nil
	case a.saysNotFound() && q != newest:
		return nil, errNone(q)
	case a.status == http.StatusUnauthorized, a.status == http.StatusForbidden:
		return nil, failf(Refused, "refuses the handle's credentials: status %d", a.status)
	case retryableStatus(a.status):
		return nil, failf(Failing, "answered with status %d, asked %s", a.status, times(a.attempts))
	default:
		return nil, failf(NoService, "what answers is no rates service: GET /v1/%s gave status %d with %s",
			q.path, a.status, a.contentType())
	}
}

// saysNotFound is the contract's 404.
func (a reply) saysNotFound() bool { return a.status == http.StatusNotFound && saysNotFound(a.body) }

func (a reply) contentType() string {
	return cmp.Or(a.header.Get("Content-Type"), "no content type")
}

// ageHeader reads Age (RFC 9111, section 5.1), seconds; what cannot be read
// is 0, what is over a year is a year.
func ageHeader(s string) time.Duration {
	seconds, err := strconv.ParseUint(s, 10, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) { // then seconds is the largest there is
		return 0
	}
	return time.Duration(min(seconds, 365*24*3600)) * time.Second
}

// timed gives each attempt a time, redirects and body included. http.Client's
// Timeout would take a goroutine for it, since this is not the transport it
// knows: it hides CloseIdleConnections, which go-retryablehttp calls whenever
// one call gives up, and the other calls' connections are fine.
type timed struct {
	transport *http.Transport
	timeout   time.Duration
}

func (t timed) RoundTrip(r *http.Request) (*http.Response, error) {
	end := attemptOf(r.Context()).began.Add(t.timeout)
	if sooner, ok := r.Context().Deadline(); ok && sooner.Before(end) {
		return t.transport.RoundTrip(r)
	}
	ctx, cancel := context.WithDeadline(r.Context(), end)
	resp, err := t.transport.RoundTrip(r.WithContext(ctx))
	if err != nil {
		cancel()
		return nil, err
	}
	resp.Body = timedBody{resp.Body, cancel}
	return resp, nil
}

type timedBody struct {
	io.ReadCloser
	end context.CancelFunc
}

func (b timedBody) Close() error {
	defer b.end()
	return b.ReadCloser.Close()
}

// checkRetry retries safe requests only, when another attempt may help: not
// after an answer that says no, a redirect we do not follow, a certificate we
// do not trust, an answer over the limit. A body cut short comes here as err.
func checkRetry(ctx context.Context, resp *http.Response, err error) (bool, error) {
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if err == nil {
		return isSafe(resp.Request.Method) && retryableStatus(resp.StatusCode), nil
	}
	method := ""
	var ue *url.Error
	switch {
	case resp != nil && resp.Request != nil:
		method = resp.Request.Method
	case errors.As(err, &ue):
		method = ue.Op // "Get": net/url spells the method so
	}
	var certificate *tls.CertificateVerificationError
	final := errors.Is(err, resource.ErrRedirect) || errors.Is(err, errTooLarge) || errors.As(err, &certificate)
	return isSafe(method) && !final, nil
}

func isSafe(method string) bool {
	switch method {
	case http.MethodGet, "Get", http.MethodHead, "Head":
		return true
	}
	return false
}

func retryableStatus(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// backoff is exponential with full jitter, so that clients that failed
// together do not come back together. Retry-After is heeded up to maxWait: it
// is the backing service's wish, and our clients wait meanwhile.
func backoff(low, high time.Duration, attempt int, resp *http.Response) time.Duration {
	if resp != nil {
		if wish, ok := retryAfter(resp.Header.Get("Retry-After")); ok {
			return min(wish, high)
		}
	}
	ceiling := min(low<<attempt, high)
	return rand.N(ceiling) + 1
}

// retryAfter reads the header's seconds; its other form, a date, is left to
// the jitter.
func retryAfter(header string) (time.Duration, bool) {
	seconds, err := strconv.ParseUint(header, 10, 32)
	return time.Duration(seconds) * time.Second, err == nil
}

// attempt is the last one of a call, whose context it is.
type attempt struct {
	context.Context
	number int
	began  time.Time
}

type attemptKey struct{}

func (a *attempt) Value(key any) any {
	if key == (attemptKey{}) {
		return a
	}
	return a.Context.Value(key)
}

func attemptOf(ctx context.Context) *attempt { return ctx.Value(attemptKey{}).(*attempt) }

// countAttempt is called before each attempt.
func countAttempt(_ retryablehttp.Logger, r *http.Request, n int) {
	a := attemptOf(r.Context())
	a.number, a.began = n+1, time.Now()
}

// readBody reads an answer whole, or says that it is too large or cut short.
func readBody(r io.Reader) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, maxBody+1))
	if err == nil && len(body) > maxBody {
		err = errTooLarge
	}
	return body, err
}
