package ratesapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"example.com/portpair/services/quotes/internal/quote"
	"example.com/portpair/services/twelve/logs"
)

// Outcome is what became of a call, for metrics.
type Outcome string

// The outcomes.
const (
	OK          Outcome = "ok"
	NoRates     Outcome = "no-rates"    // none for what was asked for, as the contract says it
	Unreachable Outcome = "unreachable" // no connection, or it broke
	TimedOut    Outcome = "timed-out"
	GivenUp     Outcome = "given-up"         // its request would not wait any longer
	Refused     Outcome = "refused"          // 401, 403, WRONGPASS: our credentials
	Failing     Outcome = "failing"          // 429, 5xx, LOADING
	NoService   Outcome = "no-rates-service" // what answers does not speak the contract
)

// Outcomes are all of them.
var Outcomes = []Outcome{OK, NoRates, Unreachable, TimedOut, GivenUp, Refused, Failing, NoService}

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

// reply is what one call came to.
type reply struct {
	status   int         // 0: no answer
	server   string      // how it names itself
	header   http.Header // over HTTP
	body     []byte      // over HTTP
	kept     *kept
	err      error // why kept is none
	attempts int
	took     time.Duration
}

// outcome is OK, the failure's, or that there are no rates for what was asked.
func (a reply) outcome() Outcome {
	var f *failure
	switch {
	case errors.As(a.err, &f):
		return f.outcome
	case a.err != nil:
		return NoRates
	}
	return OK
}

// protocol is what the backing service is asked over.
type protocol interface {
	// exchange makes one call, its retries included. before is what is kept of
	// the same question, or nil: an answer that says the same is not read again.
	exchange(ctx context.Context, q question, before *kept) reply

	// path names what a question asks for, in the log.
	path(q question) string

	// close ends connections.
	close()
}

// fetch makes one call, tells Status, log and metrics of it, and returns what
// to keep; before is what is kept now, or nil.
func (c *Client) fetch(ctx context.Context, q question, before *kept) (*kept, error) {
	began := c.now()
	defer c.status.begin(began)()
	a := c.protocol.exchange(ctx, q, before)
	took := c.now().Sub(began)
	var f *failure
	if errors.As(a.err, &f) && (f.outcome == TimedOut || f.outcome == Unreachable) && givenUp(ctx) {
		*f = failure{GivenUp, fmt.Sprintf("no answer within %v, asked %s; given up", took.Round(10*time.Millisecond), times(a.attempts))}
	}
	err := a.err

	done := Call{Time: began, Duration: took, Status: a.status, Attempts: a.attempts, Outcome: a.outcome()}
	path := c.protocol.path(q)
	if f != nil {
		f.text = c.clean(f.text)
		done.Error = f.text
		err = fmt.Errorf("%w: %w", quote.ErrRatesUnavailable, err)
		c.log.LogAttrs(ctx, slog.LevelWarn, "backing service failed", callAttrs(ctx, path, done)...)
	} else {
		c.budget.earn()
		if c.log.Enabled(ctx, slog.LevelDebug) {
			c.log.LogAttrs(ctx, slog.LevelDebug, "backing service answered", callAttrs(ctx, path, done)...)
		}
	}
	c.status.add(done, c.clean(a.server))
	c.observe(done)
	return a.kept, err
}

func errNone(q question) error {
	return fmt.Errorf("%w: the backing service has none for %s", quote.ErrNoRatesForDate, q.what())
}

// unanswered says why no answer came after so many attempts: what happened,
// unless we would not wait any more.
func (c *Client) unanswered(what string, err error, attempts int) error {
	switch {
	case c.calls.ctx.Err() != nil:
		return failf(Unreachable, "not waited for: the app ends")
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), isTimeout(err):
		return failf(TimedOut, "no answer within %v, asked %s", c.options.Timeout, times(attempts))
	default:
		return failf(Unreachable, "%s: %v", what, cause(err))
	}
}

func times(attempts int) string {
	if attempts == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", attempts)
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
