package ratesapi

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"example.com/portpair/services/twelve/resource"
	"github.com/hashicorp/go-retryablehttp"
)

const (
	minWait   = 100 * time.Millisecond // before the first retry, at most
	maxWait   = 1 * time.Second        // before any retry, and of Retry-After
	maxBody   = 1 << 20                // bytes; a day's rates are about 600
	maxHeader = 32 << 10               // bytes
	maxDrain  = 4 << 10                // bytes read of an answer that nobody wants, to keep its connection
	idleConns = 64

	// idleTimeout is under the 5 s of servers that do not wait long (Node's,
	// Apache's), so that it is us who close; and what a burst has left open
	// is soon gone.
	idleTimeout = 3 * time.Second
)

var errTooLarge = errors.New("the answer is over 1 MiB")

// newHTTP sets go-retryablehttp up by hand: its defaults retry POST, sleep as
// long as Retry-After says, bound no single attempt, log URLs to stderr, keep
// GOMAXPROCS+1 idle connections, close them all after one failure, and do not
// retry a body cut short.
//
// It knows no proxy: the handle alone says where the traffic goes. mayRetry is
// asked before each retry.
func newHTTP(h resource.Handle, mayRetry func() bool) *retryablehttp.Client {
	o := h.Options()
	transport := &http.Transport{
		DialContext:            (&net.Dialer{Timeout: o.Timeout}).DialContext,
		TLSHandshakeTimeout:    o.Timeout,
		MaxIdleConns:           idleConns,
		MaxIdleConnsPerHost:    idleConns,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxHeader,
		ForceAttemptHTTP2:      true,
	}
	return &retryablehttp.Client{
		HTTPClient: &http.Client{
			Transport:     keepIdle{transport},
			CheckRedirect: h.CheckRedirect,
			Timeout:       o.Timeout, // of one attempt, body included
		},
		RetryMax:     o.Attempts - 1,
		RetryWaitMin: minWait,
		RetryWaitMax: maxWait,
		CheckRetry: func(ctx context.Context, resp *http.Response, err error) (bool, error) {
			if isTimeout(err) { // the idle ones may be half-open too: dial anew
				transport.CloseIdleConnections()
			}
			again, err := checkRetry(ctx, resp, err)
			return again && mayRetry(), err
		},
		Backoff:        backoff,
		ErrorHandler:   retryablehttp.PassthroughErrorHandler,
		RequestLogHook: countAttempt,
	}
}

// keepIdle hides the transport's CloseIdleConnections, which go-retryablehttp
// calls whenever one call gives up: the other calls' connections are fine.
type keepIdle struct{ transport *http.Transport }

func (k keepIdle) RoundTrip(r *http.Request) (*http.Response, error) { return k.transport.RoundTrip(r) }

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

type attemptsKey struct{}

// countAttempt is called before each attempt.
func countAttempt(_ retryablehttp.Logger, r *http.Request, n int) {
	if attempts, ok := r.Context().Value(attemptsKey{}).(*int); ok {
		*attempts = n + 1
	}
}

// readBody reads an answer whole, or says that it is too large or cut short.
func readBody(r io.Reader) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, maxBody+1))
	if err == nil && len(body) > maxBody {
		err = errTooLarge
	}
	return body, err
}
