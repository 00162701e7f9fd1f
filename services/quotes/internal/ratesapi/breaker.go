package ratesapi

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"example.com/portpair/services/quotes/internal/quote"
	"github.com/sony/gobreaker/v2"
)

const (
	// tripAfter so many calls in a row that failed, retries and all, nobody
	// waits for the backing service any more, and it is left in peace.
	tripAfter = 5

	// probeEvery is how often a single call then finds out how it does.
	probeEvery = time.Second
)

// newBreaker stands outside the retries: what it counts are whole calls.
func (c *Client) newBreaker() *gobreaker.CircuitBreaker[*kept] {
	return gobreaker.NewCircuitBreaker[*kept](gobreaker.Settings{
		MaxRequests:  1,
		Timeout:      probeEvery,
		ReadyToTrip:  func(n gobreaker.Counts) bool { return n.ConsecutiveFailures >= tripAfter },
		IsSuccessful: func(err error) bool { return err == nil || errors.Is(err, quote.ErrNoRatesForDate) },
		IsExcluded: func(err error) bool { // ended by us
			var f *failure
			return c.calls.ctx.Err() != nil || errors.As(err, &f) && f.outcome == GivenUp
		},
		OnStateChange: func(_ string, from, to gobreaker.State) {
			switch gobreaker.StateClosed { // probes between are the calls' own lines
			case from: // nobody is asked now, and so no call warns
				c.log.Warn("breaker", "from", from.String(), "to", to.String(), "resource", "rates")
			case to:
				c.log.Info("breaker", "from", from.String(), "to", to.String(), "resource", "rates")
			}
		},
	})
}

// guarded makes a call unless the breaker is open.
func (c *Client) guarded(ctx context.Context, q question, before *kept) (*kept, error) {
	k, err := c.breaker.Execute(func() (*kept, error) { return c.fetch(ctx, q, before) })
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		err = fmt.Errorf("%w: not asked, since asking failed %d times in a row; it is tried again every %v",
			quote.ErrRatesUnavailable, tripAfter, probeEvery)
	}
	return k, err
}

// limps says whether the backing service fails or answers late. Nobody waits
// for it then who can do without, and calls are shared whatever max_age says:
// requests that do not wait would start any number of them.
func (c *Client) limps() bool {
	return c.breaker.State() != gobreaker.StateClosed || c.status.late(c.now())
}

// mayRetry says whether a failed attempt may be made again. A probe is one
// attempt.
func (c *Client) mayRetry() bool {
	return c.breaker.State() == gobreaker.StateClosed && c.budget.spend()
}

// answersPerRetry bounds calls to 1.2 a request, however often they fail.
const answersPerRetry = 5

// budget is what retries are paid from, so that they help with the odd failure
// and do not treble the calls to a backing service that fails altogether. It
// begins full, which is one call's retries; each good answer pays a fifth of
// one back.
type budget struct {
	mu            sync.Mutex
	answers, full int
}

func newBudget(attempts int) *budget {
	full := (attempts - 1) * answersPerRetry
	return &budget{answers: full, full: full}
}

func (b *budget) earn() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answers = min(b.answers+1, b.full)
}

func (b *budget) spend() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.answers < answersPerRetry {
		return false
	}
	b.answers -= answersPerRetry
	return true
}
