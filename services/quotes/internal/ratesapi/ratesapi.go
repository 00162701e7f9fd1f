// Package ratesapi attaches a rates service by its handle. Any server that
// answers Frankfurter's v1 will do, or holds rates' keys over the Redis
// protocol: it asks for the newest day, a day or a range in euro, so that every
// number it gets is a published one, checks what comes back as the hostile
// input it is, and keeps it for as long as the handle says. Its errors are
// those of quote: callers see neither HTTP nor Redis.
//
// What a rate is worth, and how old one may be, it leaves to quote.
package ratesapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"example.com/portpair/services/quotes/internal/quote"
	"example.com/portpair/services/twelve/resource"
	"github.com/sony/gobreaker/v2"
)

const (
	// How long a request waits for an answer: with a table at hand that can
	// serve instead (not at all while the backing service limps), and with
	// none. A call goes on without it, or one in its place.
	patienceStale = 1 * time.Second
	patienceNone  = 5 * time.Second

	// maxDays is how many past days are kept; the least recently used go first.
	maxDays = 400

	// maxSeries is how many pairs' days are kept: at most 7,000 days each.
	maxSeries = 32

	// lookAge is how fresh /v1/backing wants to know the backing service.
	lookAge = 2 * time.Second
)

var errEnds = fmt.Errorf("%w: the app ends", quote.ErrRatesUnavailable)

// Rates are one day's rates and where they stand now.
type Rates struct {
	*quote.Table
	quote.Standing
}

// Series is what a pair was worth, a day at a time, and where that stands now.
type Series struct {
	Days []quote.DayRate // oldest first, one at least
	quote.Standing
}

// Client is an attached rates service. Its methods are safe for concurrent
// use.
type Client struct {
	handle  resource.Handle
	options resource.Options
	agent   string
	log     *slog.Logger
	now     func() time.Time
	observe func(Call)
	status  history

	protocol protocol
	dial     func(ctx context.Context, network, addr string) (net.Conn, error)

	breaker *gobreaker.CircuitBreaker[*kept]
	budget  *budget

	latest slot
	days   *slots
	series *slots
	calls  *underway
}

// New attaches the rates service that h names. agent is sent as User-Agent;
// observe, which may be nil, is told of every call. Nothing is asked until
// the first request needs it.
func New(h resource.Handle, agent string, log *slog.Logger, now func() time.Time, observe func(Call)) *Client {
	if observe == nil {
		observe = func(Call) {}
	}
	c := &Client{
		handle: h, options: h.Options(), agent: agent, log: log, now: now, observe: observe,
		days: newSlots(maxDays), series: newSlots(maxSeries), calls: newUnderway(),
	}
	c.breaker = c.newBreaker()
	c.budget = newBudget(c.options.Attempts)
	c.dial = (&net.Dialer{}).DialContext
	if h.IsRedis() {
		c.protocol = newRedis(c)
	} else {
		c.protocol = newHTTP(c)
	}
	return c
}

// Close ends calls that are still under way and waits for them. There are no
// new ones after it, though requests may come that the drain has cut off.
func (c *Client) Close() {
	c.calls.stop()
	c.protocol.close()
	c.calls.wait()
}

// Latest returns the newest rates. The error wraps quote.ErrRatesUnavailable
// or quote.ErrRatesTooOld, or is ctx's.
func (c *Client) Latest(ctx context.Context) (Rates, error) {
	return ratesOf(c.answer(ctx, &c.latest, newest, c.options.MaxAge))
}

// On returns the rates of a day, or of the newest before it that the backing
// service answers with. Beside Latest's errors it may be
// quote.ErrNoRatesForDate.
func (c *Client) On(ctx context.Context, date quote.Date) (Rates, error) {
	q := ofDay(date)
	return ratesOf(c.answer(ctx, c.days.of(q), q, c.options.MaxAge))
}

func ratesOf(k *kept, standing quote.Standing, err error) (Rates, error) {
	if err != nil {
		return Rates{}, err
	}
	return Rates{k.table, standing}, nil
}

// Between returns what one unit of source is worth in target on the published
// days from one to another, by On's errors.
func (c *Client) Between(ctx context.Context, from, to quote.Date, source, target quote.Currency) (Series, error) {
	q := ofDays(span{from, to}, source, target)
	k, standing, err := c.answer(ctx, c.series.of(q), q, c.options.MaxAge)
	if err != nil {
		return Series{}, err
	}
	return Series{k.days, standing}, nil
}

// Look asks for the newest rates unless that was done a moment ago, whatever
// max_age says, so that Status tells how the backing service is now.
func (c *Client) Look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, patienceStale)
	defer cancel()
	_, _, _ = c.answer(ctx, &c.latest, newest, min(lookAge, c.options.MaxAge)) // Status has the error
}

// answer answers from what is kept if that is under maxAge, else asks, and
// falls back to what is kept when asking fails.
func (c *Client) answer(ctx context.Context, s *slot, q question, maxAge time.Duration) (*kept, quote.Standing, error) {
	k := s.kept.Load()
	if k != nil {
		if standing := c.standing(k, maxAge, false); standing.Fresh {
			return k, standing, nil
		}
	}
	limps := c.limps()
	patience := patienceNone
	if k != nil && c.standing(k, maxAge, true).Servable {
		if patience = patienceStale; limps {
			patience = 0
		}
	}
	ask := c.own
	if maxAge > 0 || limps {
		ask = c.shared
	}
	fresh, err := ask(ctx, s, q, maxAge, patience)
	if err == nil {
		return fresh, c.standing(fresh, maxAge, false), nil
	}
	if k == nil || errors.Is(err, quote.ErrNoRatesForDate) || ctx.Err() != nil {
		return nil, quote.Standing{}, err
	}
	standing := c.standing(k, c.options.MaxAge, true)
	if !standing.Servable {
		return nil, quote.Standing{}, fmt.Errorf("%w: the newest known are %v old, and asking for newer ones fails", quote.ErrRatesTooOld, standing.Age.Round(time.Second))
	}
	return k, standing, nil
}

// standing is how far an answer may be trusted now; failed says that asking
// for a newer one failed, or was not answered in time.
func (c *Client) standing(k *kept, maxAge time.Duration, failed bool) quote.Standing {
	rules := quote.Rules{MaxAge: maxAge, MaxStale: c.options.MaxStale}
	return rules.Standing(quote.Answer{Date: k.date(), FetchedAt: k.answered, AgeHeader: k.age, RefreshFailed: failed}, c.now())
}

// own makes a call for one request, as max_age=0s has it, in the request's
// goroutine: to hand it to another and the answer back is a tenth of what it
// costs. It ends when the request stops waiting, and one that is shared goes
// on in its place.
func (c *Client) own(ctx context.Context, s *slot, q question, maxAge, patience time.Duration) (k *kept, err error) {
	if !c.calls.begin() {
		return nil, errEnds
	}
	defer c.calls.done()
	if end, ok := ctx.Deadline(); ok {
		patience = min(patience, time.Until(end))
	}
	waiting, end := context.WithTimeout(outliving{c.calls.ctx, ctx}, patience)
	defer end()
	k, err = c.guarded(waiting, q, s.kept.Load())
	if err != nil && givenUp(waiting) {
		c.ask(ctx, s, q, maxAge)
	} else {
		s.mu.Lock()
		c.settle(s, q, k)
		s.mu.Unlock()
	}
	if err != nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	return k, err
}

// givenUp says whether a request has stopped waiting for its own call. No other
// has a deadline. What reads from a connection may notice before ctx does.
func givenUp(ctx context.Context) bool {
	end, ok := ctx.Deadline()
	return ok && !time.Now().Before(end)
}

// shared waits for the one call of all requests that come meanwhile.
func (c *Client) shared(ctx context.Context, s *slot, q question, maxAge, patience time.Duration) (*kept, error) {
	call := c.ask(ctx, s, q, maxAge)
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-call.done:
		return call.kept, call.err
	case <-timer.C:
		return nil, fmt.Errorf("%w: no answer within %v", quote.ErrRatesUnavailable, patience)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// ask starts a call, or joins the one under way. It outlives the request that
// started it.
func (c *Client) ask(ctx context.Context, s *slot, q question, maxAge time.Duration) *call {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.kept.Load(); k != nil && c.standing(k, maxAge, false).Fresh { // answered while we waited for the lock
		done := make(chan struct{})
		close(done)
		return &call{done: done, kept: k}
	}
	if s.call != nil {
		return s.call
	}
	one := &call{done: make(chan struct{})}
	if !c.calls.begin() {
		one.err = errEnds
		close(one.done)
		return one
	}
	s.call = one
	go func() {
		defer c.calls.done()
		one.kept, one.err = c.guarded(outliving{c.calls.ctx, ctx}, q, s.kept.Load())
		s.mu.Lock()
		s.call = nil
		c.settle(s, q, one.kept)
		s.mu.Unlock()
		close(one.done)
	}()
	return one
}

// settle keeps what a call brought, if it did, or else gives up the place of a
// question that has no answer and none on its way. It is called with s locked.
func (c *Client) settle(s *slot, q question, k *kept) {
	if k != nil {
		s.kept.Store(k)
	} else if s.kept.Load() == nil && s.call == nil {
		c.days.forget(q, s)
		c.series.forget(q, s)
	}
}

// outliving is the context of a call: its end is the client's, its request id
// and trace are those of the request that started it.
type outliving struct {
	context.Context
	request context.Context
}

func (o outliving) Value(key any) any {
	if v := o.Context.Value(key); v != nil {
		return v
	}
	return o.request.Value(key)
}
