package ratesapi

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/portpair/services/quotes/internal/quote"
)

func TestRetriesOfAFailingProducerComeFromABudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f failing
		u := serveInMemory(t, func(w http.ResponseWriter, r *http.Request) {
			if f.sick.Load() {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			answer(good)(w, r)
		})
		c := u.attach(t, "?max_age=0s")
		c.mustLatest(t)
		f.sick.Store(true)
		before := u.requests.Load()
		for range tripAfter - 1 { // the breaker stays closed
			c.mustLatest(t)
		}
		want(t, "calls, one of them retried twice", u.requests.Load()-before, tripAfter-1+2)

		for _, tt := range []struct{ answers, attempts int }{{4, 1}, {5, 2}, {9, 2}, {10, 3}, {100, 3}} {
			f.sick.Store(false)
			for range tt.answers {
				c.mustLatest(t)
			}
			f.sick.Store(true)
			c.mustLatest(t)
			want(t, "attempts after some good answers", c.last(t).Attempts, tt.attempts)
			c.budget.answers = 0 // the next row begins without any
		}
	})
}

func TestOneInTenThatFailsIsRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		c := serveInMemory(t, func(w http.ResponseWriter, r *http.Request) {
			if n++; n%10 == 0 {
				panic(http.ErrAbortHandler)
			}
			answer(good)(w, r)
		}).attach(t, "?max_age=0s")
		const requests = 1000
		for range requests {
			want(t, "stale", c.mustLatest(t).Stale, false)
		}
		if n >= requests*12/10 {
			t.Errorf("got %d calls of %d requests, want under 1.2 each", n, requests)
		}
	})
}

func TestAnAnswerThatIsNotRetriedTellsItsStatusWhateverItsBody(t *testing.T) {
	u := serve(t, status(http.StatusServiceUnavailable, strings.Repeat("x", 2*maxBody)))
	c := u.attach(t, "?attempts=2")
	for range 2 { // the first call is retried, for the second there is no budget
		_, err := c.Latest(t.Context())
		wantErr(t, err, quote.ErrRatesUnavailable)
		want(t, "outcome", c.last(t).Outcome, Failing)
	}
	want(t, "calls", u.requests.Load(), 3)
}

func TestAProbeIsOneAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := serveInMemory(t, inTurn(answer(good), status(http.StatusServiceUnavailable, "")))
		c := u.attach(t, "?max_age=0s&attempts=10") // retries enough for the probes too
		c.mustLatest(t)
		for c.breaker.Counts().ConsecutiveFailures < tripAfter-1 {
			c.budget.answers = 0
			c.mustLatest(t)
		}
		c.mustLatest(t)
		c.budget.answers = c.budget.full
		for range 3 {
			time.Sleep(probeEvery + 1)
			before := u.requests.Load()
			c.mustLatest(t)
			time.Sleep(probeEvery)
			want(t, "calls", u.requests.Load()-before, 1)
		}
	})
}

func TestNobodyWaitsTwiceForALateAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := serveInMemory(t, inTurn(answer(good), after(1500*time.Millisecond, answer(other))))
		c := u.attach(t, "?max_age=0s")
		c.mustLatest(t)
		asked := time.Now()
		var waiting sync.WaitGroup
		for range 10 {
			waiting.Go(func() {
				want(t, "rate", usd(t, c.mustLatest(t)), "1.1699")
				want(t, "the first waited", time.Since(asked), patienceStale)
			})
		}
		waiting.Wait()
		synctest.Wait()
		want(t, "calls, one each, and one of them all", u.requests.Load(), 12)
		for time.Since(asked) < 30*time.Second {
			before := time.Now()
			r := c.mustLatest(t)
			if most := 1600 * time.Millisecond; r.Age > most && time.Since(asked) > patienceStale+most {
				t.Errorf("got rates that are %v old", r.Age)
			}
			want(t, "the others waited", time.Since(before), 0)
			time.Sleep(10 * time.Millisecond)
		}
		if n := u.requests.Load(); n < 12+17 || n > 12+19 {
			t.Errorf("got %d calls in 29 s, want one after the other", n-12)
		}
	})
}

func TestAfterATimeoutTheNextAttemptIsOnANewConnection(t *testing.T) {
	const many = 8
	var f failing
	var dead sync.Map // connections that were there when the producer's machine went away
	group := together(many)
	u := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if !f.sick.Load() {
			dead.Store(r.RemoteAddr, true)
			group(w, r)
		} else if _, ok := dead.Load(r.RemoteAddr); ok {
			never(w, r)
		} else {
			answer(good)(w, r)
		}
	})
	c := u.attach(t, "?max_age=0s&timeout=200ms")
	askTogether(t, c, many)
	f.sick.Store(true)
	c.mustLatest(t)
	want(t, "attempts", c.last(t).Attempts, 2)
}
