package ratesapi

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/portpair/services/quotes/internal/quote"
)

// giveUp makes a request, with max_age=0s, give up its own call.
func giveUp(t *testing.T, u *upstream) *attached {
	t.Helper()
	c := u.attach(t, "?max_age=0s&timeout=10s")
	c.mustLatest(t)
	asked := time.Now()
	r := c.mustLatest(t)
	want(t, "waited", time.Since(asked), patienceStale)
	want(t, "stale", r.Stale, true)
	want(t, "rate", usd(t, r), "1.1699")
	return c
}

func TestARequestGivesItsOwnCallUpAndOneThatIsSharedGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := serveInMemory(t, inTurn(answer(good), after(3*time.Second, answer(other))))
		c := giveUp(t, u)
		gaveUp := time.Now()
		for range 3 { // nobody else waits
			want(t, "rate", usd(t, c.mustLatest(t)), "1.1699")
		}
		want(t, "the others waited", time.Since(gaveUp), 0)
		synctest.Wait()
		want(t, "requests", u.requests.Load(), 3)
		time.Sleep(3 * time.Second)
		synctest.Wait()
		want(t, "rate", usd(t, c.mustLatest(t)), "1.25")
		want(t, "failures, for the breaker", c.breaker.Counts().TotalFailures, 0)
	})
}

func TestACallThatIsGivenUpIsToldOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := giveUp(t, serveInMemory(t, inTurn(answer(good), never)))
		const why = "no answer within 1s, asked once; given up"
		want(t, "outcome", c.last(t).Outcome, GivenUp)
		want(t, "error", c.last(t).Error, why)
		want(t, "state", c.Status().State, Stale)
		want(t, "last error", c.Status().LastError, why)
		warned := c.warnings(t)
		want(t, "warnings", len(warned), 1)
		want(t, "warned of", warned[0]["outcome"], any("given-up"))
	})
}

func TestACallOverTheRedisProtocolIsGivenUpToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := serveRedis(t, someRates().answer)
		c := f.attach(t, "?max_age=0s&timeout=10s")
		c.mustLatest(t)
		f.deafenAll()
		asked := time.Now()
		want(t, "stale", c.mustLatest(t).Stale, true)
		want(t, "waited", time.Since(asked), patienceStale)
		want(t, "outcome", c.last(t).Outcome, GivenUp)
	})
}

func TestWithoutATableARequestGivesItsOwnCallUpAfter5Seconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := serveInMemory(t, after(7*time.Second, answer(good)))
		c := u.attach(t, "?max_age=0s&timeout=10s")
		asked := time.Now()
		_, err := c.Latest(t.Context())
		wantErr(t, err, quote.ErrRatesUnavailable)
		want(t, "waited", time.Since(asked), patienceNone)

		time.Sleep(4 * time.Second)
		want(t, "rate", usd(t, c.mustLatest(t)), "1.1699") // of the call that goes on
		want(t, "waited in all", time.Since(asked), 12*time.Second)
		want(t, "requests", u.requests.Load(), 2)
	})
}

// A day's place is given up when there is no answer, but not while one comes.
func TestTheAnswerToADayIsKeptWhoeverGaveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := serveInMemory(t, after(6*time.Second, answer(good)))
		c := u.attach(t, "?max_age=0s&timeout=10s")
		day := date(t, "2026-08-21")
		_, err := c.On(t.Context(), day)
		wantErr(t, err, quote.ErrRatesUnavailable)
		time.Sleep(20 * time.Second)
		want(t, "stale", c.mustOn(t, day).Stale, true)
	})
}

func TestAFailureTakesNoPlaceFromACallUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := serveInMemory(t, answer(good)).attach(t, "")
		q := ofDay(date(t, "2026-08-21"))
		s := c.days.of(q)
		s.call = &call{}
		s.mu.Lock()
		c.settle(s, q, nil)
		s.call = nil
		s.mu.Unlock()
		want(t, "the place is the same", c.days.of(q) == s, true)
		s.mu.Lock()
		c.settle(s, q, nil)
		s.mu.Unlock()
		want(t, "the place is the same, with no call under way", c.days.of(q) == s, false)
	})
}

func TestGivingUpCostsNoRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := serveRedis(t, someRates().answer)
		c := f.attach(t, "?max_age=0s&timeout=10s")
		c.mustLatest(t)
		f.deafenAll()
		var asking sync.WaitGroup
		for range 20 {
			asking.Go(func() { _, _ = c.Latest(t.Context()) })
		}
		asking.Wait()
		want(t, "what retries are paid from", c.budget.answers, c.budget.full)
		want(t, "failures, for the breaker", c.breaker.Counts().TotalFailures, 0)
		for _, call := range c.observed[1:] {
			want(t, "outcome", call.Outcome, GivenUp)
		}
	})
}

func TestWhoLeavesDoesNotEndItsOwnCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := serveInMemory(t, after(500*time.Millisecond, answer(good)))
		c := u.attach(t, "?max_age=0s")
		leaving, leave := context.WithCancel(t.Context())
		time.AfterFunc(100*time.Millisecond, leave)
		_, _ = c.Latest(leaving)
		want(t, "outcome", c.last(t).Outcome, OK)
		want(t, "rate date", c.Status().RateDate, "2026-08-21")
		want(t, "requests", u.requests.Load(), 1)
	})
}

func TestWhoLeavesIsToldSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := serveInMemory(t, after(500*time.Millisecond, status(http.StatusNotFound, ""))).attach(t, "?max_age=0s")
		leaving, leave := context.WithCancel(t.Context())
		time.AfterFunc(100*time.Millisecond, leave)
		_, err := c.Latest(leaving)
		wantErr(t, err, context.Canceled)
	})
}

func TestARequestInAHurryWaitsForItsOwnCallNoLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := serveInMemory(t, never).attach(t, "?max_age=0s")
		asked := time.Now()
		hurried, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, err := c.Latest(hurried)
		if err == nil {
			t.Error("got rates of a backing service that does not answer")
		}
		want(t, "waited", time.Since(asked), 100*time.Millisecond)
	})
}

func TestCloseEndsCallsOfRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // which fails when a goroutine is left
		c := serveInMemory(t, inTurn(answer(good), never)).attach(t, "?max_age=0s&timeout=1m")
		c.mustLatest(t)
		var waiting sync.WaitGroup
		waiting.Go(func() { _, _ = c.Latest(t.Context()) })
		synctest.Wait()
		closed := time.Now()
		c.Close()
		want(t, "Close took", time.Since(closed), 0)
		want(t, "calls that have ended", len(c.observed), 2)
		waiting.Wait()
		want(t, "the request took", time.Since(closed), 0)
	})
}

func TestARetryIsGivenUpWhenItsRequestStopsWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := giveUp(t, serveInMemory(t, inTurn(answer(good), after(800*time.Millisecond, status(http.StatusServiceUnavailable, "")), never)))
		want(t, "outcome", c.last(t).Outcome, GivenUp)
	})
}
