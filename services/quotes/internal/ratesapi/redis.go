package ratesapi

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// poolSize is how many connections there are at most: an exchange over one is
// short, and who finds none free waits.
const poolSize = 64

// overRedis asks over the Redis protocol, of rates or of a Redis that holds
// the same keys.
type overRedis struct {
	*Client
	redis  *redis.Client
	breaks atomic.Int64 // moves when connections at rest are not to be trusted

	// A connection that is new may lead to a server that is: the next question
	// asks for its name along with the rates.
	greet  atomic.Bool
	server atomic.Pointer[string]
}

// go-redis would write to stderr.
var silenceRedis = sync.OnceFunc(logging.Disable)

// newRedis sets go-redis up so that an attempt is one connection's exchange,
// within the timeout: retries are ours, from the same budget as over HTTP.
// Protocol 2 has all that is needed, and fewer ways to answer. An endpoint type
// is given lest it look the host up at once.
func newRedis(c *Client) *overRedis {
	silenceRedis()
	user, password := c.handle.Login()
	timeout := c.options.Timeout
	o := &overRedis{Client: c}
	o.greet.Store(true)
	o.redis = redis.NewClient(&redis.Options{
		Addr: c.handle.Address(), Username: user, Password: password, Dialer: o.open, Protocol: 2,
		DialTimeout: timeout, ReadTimeout: timeout, WriteTimeout: timeout, PoolTimeout: timeout, ContextTimeoutEnabled: true,
		MaxRetries: -1, DialerRetries: 1,
		PoolSize: poolSize, ConnMaxIdleTime: idleTimeout,
		ReadBufferSize: 4 << 10, WriteBufferSize: 4 << 10,
		DisableIdentity:          true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled, EndpointType: maintnotifications.EndpointTypeNone},
	})
	return o
}

// open opens a connection, over TLS if the handle says so.
func (o *overRedis) open(ctx context.Context, network, addr string) (net.Conn, error) {
	since := o.breaks.Load()
	conn, err := o.connect(ctx, network, addr)
	if err == nil && o.handle.OverTLS() {
		conn, err = o.shake(ctx, conn)
	}
	if err != nil {
		return nil, err
	}
	o.greet.Store(true)
	return newGuard(conn, &o.breaks, since, 2*o.options.Timeout, o.handle.Scrub), nil
}

func (o *overRedis) close() { _ = o.redis.Close() }

func (o *overRedis) path(q question) string { return keyPrefix + q.path }

func (o *overRedis) exchange(ctx context.Context, q question, before *kept) (a reply) {
	var days []hash
	for a.attempts = 1; ; a.attempts++ {
		var err error
		days, err = o.attempt(ctx, q)
		if a.status, a.err = o.outcome(err, a.attempts); err == nil {
			break
		}
		if isTimeout(err) || o.handle.OverTLS() { // those at rest may be broken too, and go-redis cannot see it
			o.breaks.Add(1)
		}
		if a.attempts == o.options.Attempts || givenUp(ctx) || !mayHelp(a.err, err) || !o.mayRetry() || !sleep(ctx, backoff(minWait, maxWait, a.attempts-1, nil)) {
			break
		}
	}
	if server := o.server.Load(); server != nil {
		a.server = *server
	}
	if a.err != nil {
		return a
	}
	if a.kept, a.err = o.read(days, q, before); a.outcome() == NoRates {
		a.status = http.StatusNotFound
	}
	return a
}

// attempt asks once, for the days that there are of those that were asked for.
func (o *overRedis) attempt(ctx context.Context, q question) ([]hash, error) {
	ctx, cancel := context.WithTimeout(ctx, o.options.Timeout)
	defer cancel()
	switch {
	case q.isRange():
		return o.askDays(ctx, q)
	case q == newest:
		return o.askLatest(ctx)
	default:
		return o.askDay(ctx, q.date)
	}
}

// mayHelp says whether another attempt may, as checkRetry does.
func mayHelp(why, err error) bool {
	var f *failure
	var certificate *tls.CertificateVerificationError
	if !errors.As(why, &f) || errors.As(err, &certificate) {
		return false
	}
	return f.outcome == Unreachable || f.outcome == TimedOut || f.outcome == Failing
}

// sleep waits, unless ctx ends before.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// outcome is why an attempt brought no answer, in the words that it has over
// HTTP and with the status that would be there.
func (o *overRedis) outcome(err error, attempts int) (status int, why error) {
	var said redis.Error
	var known *failure
	var foreign notRedis
	var refused refusedLogin
	var number *strconv.NumError
	switch {
	case err == nil:
		return http.StatusOK, nil
	case errors.As(err, &known):
		return http.StatusOK, known
	case errors.As(err, &said):
		return o.said(said.Error(), attempts)
	case errors.As(err, &refused):
		return o.said(strings.TrimSpace(string(refused)), attempts)
	case errors.As(err, &foreign), errors.Is(err, errTooLarge), errors.Is(err, errClaims):
		return 0, failf(NoService, "%v", err)
	case errors.Is(err, redis.ErrPoolTimeout):
		return 0, failf(TimedOut, "no connection was free within %v, asked %s", o.options.Timeout, times(attempts))
	case errors.Is(err, redis.ErrClosed): // by close
		return 0, o.unanswered("cannot be reached", context.Canceled, attempts)
	case errors.As(err, &number):
		return http.StatusOK, failf(NoService, "what answers is no rates service: it gives no number where one is")
	case strings.HasPrefix(err.Error(), "redis: "): // go-redis, of what it cannot read
		text, _, _ := strings.Cut(err.Error(), `"`) // what it quotes is cut, and half a password would not be found
		return http.StatusOK, failf(NoService, "what answers is no rates service: %s", strings.TrimRight(text, " :="))
	default:
		return 0, o.unanswered("cannot be reached", err, attempts)
	}
}

// said tells apart what a Redis says instead of an answer.
func (o *overRedis) said(text string, attempts int) (status int, why error) {
	code, _, _ := strings.Cut(text, " ")
	switch code {
	case "WRONGPASS", "NOAUTH", "NOPERM", "DENIED":
		return http.StatusUnauthorized, failf(Refused, "refuses the handle's credentials: %s", text)
	case "LOADING", "BUSY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN":
		return http.StatusServiceUnavailable, failf(Failing, "answered %s, asked %s", text, times(attempts))
	}
	if strings.HasPrefix(text, "ERR max number of clients") {
		return http.StatusServiceUnavailable, failf(Failing, "answered %s, asked %s", text, times(attempts))
	}
	return http.StatusOK, failf(NoService, "what answers is no rates service: it says %s", text)
}
