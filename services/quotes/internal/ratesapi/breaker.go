package ratesapi

import (
	"context"
	"errors"
	"fmt"
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
		IsExcluded:   func(error) bool { return c.closing.Err() != nil },
		OnStateChange: func(_ string, from, to gobreaker.State) {
			if from == gobreaker.StateClosed || to == gobreaker.StateClosed { // probes between are the calls' own lines
				c.log.Info("breaker", "from", from.String(), "to", to.String())
			}
		},
	})
}

// guarded makes a call unless the breaker is open.
func (c *Client) guarded(ctx context.Context, path string, date quote.Date) (*kept, error) {
	k, err := c.breaker.Execute(func() (*kept, error) { return c.fetch(ctx, path, date) })
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		err = fmt.Errorf("%w: not asked, since asking failed %d times in a row; it is tried again every %v",
			quote.ErrRatesUnavailable, tripAfter, probeEvery)
	}
	return k, err
}
