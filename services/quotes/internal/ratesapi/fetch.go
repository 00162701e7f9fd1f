package ratesapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"example.com/portpair/services/quotes/internal/quote"
	"example.com/portpair/services/twelve/logs"
	"example.com/portpair/services/twelve/resource"
	"github.com/hashicorp/go-retryablehttp"
)

// Outcome is what became of a call, for metrics.
type Outcome string

// The outcomes.
const (
	OK          Outcome = "ok"
	NoRates     Outcome = "no-rates"    // a 404 as the contract says it
	Unreachable Outcome = "unreachable" // no connection, or it broke
	TimedOut    Outcome = "timed-out"
	Refused     Outcome = "refused"          // 401, 403: our credentials
	Failing     Outcome = "failing"          // 429, 5xx
	NoService   Outcome = "no-rates-service" // what answers does not speak the contract
)

// Outcomes are all of them.
var Outcomes = []Outcome{OK, NoRates, Unreachable, TimedOut, Refused, Failing, NoService}

// failure is why a call brought no rates. Its text may quote the backing
// service: for logs and Status, not for clients. fetch makes it safe to show.
type failure struct {
	outcome Outcome
	text    string
}

func (f *failure) Error() string { return f.text }

func failf(o Outcome, format string, args ...any) error {
	return &failure{o, fmt.Sprintf(format, args...)}
}

// clean makes safe to show what the backing service said: it may be hostile,
// and it may say our credentials back.
func (c *Client) clean(text string) string { return logs.Clean(c.handle.Scrub(text)) }

// fetch makes one call, tells Status, log and metrics of it, and returns what
// to keep; before is what is kept now, or nil.
func (c *Client) fetch(ctx context.Context, q question, before *kept) (*kept, error) {
	began, attempts := c.now(), 0
	defer c.status.begin(began)()
	ctx = context.WithValue(ctx, attemptsKey{}, &attempts)
	resp, body, err := c.get(ctx, q.path)
	var k *kept
	if err == nil {
		k, err = c.read(resp, body, q, before)
	}

	done := Call{Time: began, Duration: c.now().Sub(began), Attempts: attempts, Outcome: OK}
	server := ""
	if resp != nil {
		done.Status, server = resp.StatusCode, c.clean(resp.Header.Get("Server"))
	}
	var f *failure
	switch {
	case errors.As(err, &f):
		f.text = c.clean(f.text)
		done.Outcome, done.Error = f.outcome, f.text
		err = fmt.Errorf("%w: %w", quote.ErrRatesUnavailable, err)
		c.log.LogAttrs(ctx, slog.LevelWarn, "backing service failed", callAttrs(ctx, q.path, done)...)
	case errors.Is(err, quote.ErrNoRatesForDate):
		done.Outcome = NoRates
		fallthrough
	default:
		c.budget.earn()
		c.log.LogAttrs(ctx, slog.LevelDebug, "backing service answered", callAttrs(ctx, q.path, done)...)
	}
	c.status.add(done, server)
	c.observe(done)
	return k, err
}

// get asks for /v1/path, which may have a query; a resp comes with its whole
// body.
func (c *Client) get(ctx context.Context, path string) (*http.Response, []byte, error) {
	path, query, _ := strings.Cut(path, "?")
	u := c.handle.URL("v1", path)
	u.RawQuery = query
	req, err := retryablehttp.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, nil, failf(Unreachable, "cannot ask: %v", cause(err))
	}
	c.handle.Authorize(req.Request)
	logs.Forward(ctx, req.Header)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", c.agent)
	var body []byte
	req.SetResponseHandler(func(resp *http.Response) error { // its error may be retried, resp's end is in it
		if retryableStatus(resp.StatusCode) { // not retried any more
			return nil
		}
		defer resp.Body.Close()
		body, err = readBody(resp.Body)
		return err
	})
	resp, err := c.http.Do(req)
	switch {
	case err == nil && resp != nil:
		_, _ = io.CopyN(io.Discard, resp.Body, maxDrain) // a last 503 is unread yet, and its connection worth keeping
		resp.Body.Close()
		return resp, body, nil
	case errors.Is(err, errTooLarge):
		return resp, nil, failf(NoService, "%v", err)
	case errors.Is(err, resource.ErrRedirect) && resp != nil:
		return resp, nil, failf(NoService, "answered with status %d: %v", resp.StatusCode, cause(err))
	case c.closing.Err() != nil:
		return nil, nil, failf(Unreachable, "not waited for: the app ends")
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), isTimeout(err):
		return nil, nil, failf(TimedOut, "no answer within %v, asked %s", c.options.Timeout, times(ctx))
	case resp != nil:
		return resp, nil, failf(Unreachable, "the answer broke off: %v", cause(err))
	default:
		return nil, nil, failf(Unreachable, "cannot be reached: %v", cause(err))
	}
}

// read turns an answer into what to keep, or into why it is none. The answer
// that is kept already, byte by byte, was read then: on most days all are.
func (c *Client) read(resp *http.Response, body []byte, q question, before *kept) (*kept, error) {
	now := c.now()
	switch status := resp.StatusCode; {
	case status == http.StatusOK:
		k := &kept{body: body, answered: now, age: ageHeader(resp.Header.Get("Age"))}
		var err error
		if before != nil && bytes.Equal(before.body, body) {
			k.table, k.days, k.body = before.table, before.days, before.body
		} else if q.isRange() {
			k.days, err = decodeRange(body, q.days, q.pair[0], q.pair[1])
		} else {
			k.table, err = decodeDay(body, q.date, quote.DateOf(now))
		}
		if err != nil {
			return nil, failf(NoService, "what answers is no rates service: GET /v1/%s gave %v", q.path, err)
		}
		if q.isRange() && len(k.days) == 0 {
			return nil, errNone(q)
		}
		return k, nil
	case status == http.StatusNotFound && q != newest && saysNotFound(body):
		return nil, errNone(q)
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return nil, failf(Refused, "refuses the handle's credentials: status %d", status)
	case retryableStatus(status):
		return nil, failf(Failing, "answered with status %d, asked %s", status, times(resp.Request.Context()))
	default:
		return nil, failf(NoService, "what answers is no rates service: GET /v1/%s gave status %d with %s",
			q.path, status, contentType(resp))
	}
}

func errNone(q question) error {
	return fmt.Errorf("%w: the backing service has none for %s", quote.ErrNoRatesForDate, q.what())
}

func contentType(resp *http.Response) string {
	if t := resp.Header.Get("Content-Type"); t != "" {
		return t
	}
	return "no content type"
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

func times(ctx context.Context) string {
	n, _ := ctx.Value(attemptsKey{}).(*int)
	if n == nil || *n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", *n)
}

func isTimeout(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}

// cause strips what net/http and net wrap around an error: method, URL and
// addresses, which the reader of the log knows from the handle.
func cause(err error) error {
	var ue *url.Error
	if errors.As(err, &ue) {
		err = ue.Err
	}
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	var sys *os.SyscallError
	if errors.As(err, &sys) {
		err = sys.Err
	}
	return err
}
