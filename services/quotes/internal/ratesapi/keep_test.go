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

// other is a good answer with another rate of the dollar.
const other = `{"amount":1,"base":"EUR","date":"2026-08-22","rates":{"USD":1.25}}`

// after answers so much later, even when nobody waits for it any more.
func after(d time.Duration, h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(d)
		h(w, r)
	}
}

func TestATableIsKeptForMaxAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := serveInMemory(t, inTurn(answer(good), answer(other)))
		c := u.attach(t, "?max_age=5m")
		began := time.Now()
		for _, tt := range []struct {
			at       time.Duration
			requests int64
			rate     string
			age      time.Duration
		}{
			{0, 1, "1.1699", 0},
			{time.Second, 1, "1.1699", time.Second},
			{5*time.Minute - 1, 1, "1.1699", 5*time.Minute - 1},
			{5 * time.Minute, 2, "1.25", 0},
			{7 * time.Minute, 2, "1.25", 2 * time.Minute},
		} {
			time.Sleep(time.Until(began.Add(tt.at)))
			r := c.mustLatest(t)
			want(t, "requests", u.requests.Load(), tt.requests)
			want(t, "rate", usd(t, r), tt.rate)
			want(t, "age", r.Age, tt.age)
			want(t, "stale", r.Stale, false)
		}
	})
}

func TestConcurrentRequestsShareOneCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := serveInMemory(t, after(time.Second, answer(good)))
		c := u.attach(t, "")
		var waiting sync.WaitGroup
		for range 50 {
			waiting.Go(func() {
				r, err := c.Latest(t.Context())
				if err != nil || r.Date() != date(t, "2026-08-21") {
					t.Errorf("got %v, %v", r.Table, err)
				}
			})
		}
		waiting.Wait()
		want(t, "requests", u.requests.Load(), 1)
	})
}

func TestConcurrentRequestsShareAFailureToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := serveInMemory(t, after(time.Second, status(404, "")))
		c := u.attach(t, "")
		var waiting sync.WaitGroup
		for range 50 {
			waiting.Go(func() {
				_, err := c.Latest(t.Context())
				wantErr(t, err, quote.ErrRatesUnavailable)
			})
		}
		waiting.Wait()
		want(t, "requests", u.requests.Load(), 1)
		want(t, "warnings", len(c.warnings(t)), 1)
		_, _ = c.Latest(t.Context())
		want(t, "requests after the next one", u.requests.Load(), 2)
	})
}

func TestRequestsForDifferentDaysDoNotShareACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := serveInMemory(t, after(time.Second, answer(good)))
		c := u.attach(t, "")
		var waiting sync.WaitGroup
		for _, d := range []string{"2026-08-21", "2026-08-22"} {
			waiting.Go(func() { _, _ = c.On(t.Context(), date(t, d)) })
		}
		waiting.Go(func() { _, _ = c.Latest(t.Context()) })
		waiting.Wait()
		want(t, "requests", u.requests.Load(), 3)
	})
}

func TestTheCallIsNotCancelledWhenItsFirstWaiterLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := serveInMemory(t, after(time.Second, answer(good)))
		c := u.attach(t, "")
		first, leave := context.WithCancel(t.Context())
		var waiting sync.WaitGroup
		waiting.Go(func() {
			_, err := c.Latest(first)
			wantErr(t, err, context.Canceled)
		})
		synctest.Wait() // the first one's call is on its way
		waiting.Go(func() { want(t, "rate", usd(t, c.mustLatest(t)), "1.1699") })
		synctest.Wait()
		leave()
		waiting.Wait()
		want(t, "requests", u.requests.Load(), 1)
		want(t, "attempts", c.last(t).Attempts, 1)
	})
}

func TestTheCallOutlivesAllOfItsWaiters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := serveInMemory(t, after(time.Second, answer(good)))
		c := u.attach(t, "")
		hurried, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, err := c.Latest(hurried)
		wantErr(t, err, context.DeadlineExceeded)
		time.Sleep(time.Second)
		want(t, "rate", usd(t, c.mustLatest(t)), "1.1699")
		want(t, "requests", u.requests.Load(), 1)
	})
}

func TestARequestThatEndsIsNotAnsweredFromAStaleTable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := serveInMemory(t, inTurn(answer(good), never)).attach(t, "?max_age=1m")
		c.mustLatest(t)
		time.Sleep(2 * time.Minute)
		hurried, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, err := c.Latest(hurried)
		wantErr(t, err, context.DeadlineExceeded)
	})
}

// Reading is most of what an answer costs.
func TestTheSameAnswerIsNotReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := serveInMemory(t, inTurn(answer(good), answer(good), answer(other))).attach(t, "?max_age=0s")
		first := c.mustLatest(t)
		time.Sleep(time.Minute)
		same := c.mustLatest(t)
		want(t, "the table is the one that was read", same.Table == first.Table, true)
		want(t, "age of the same answer", same.Age, 0)
		next := c.mustLatest(t)
		want(t, "the table of another answer is the same", next.Table == first.Table, false)
		want(t, "rate in another answer", usd(t, next), "1.25")
	})
}

func TestAMaxAgeOf0AsksEveryTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := serveInMemory(t, after(time.Millisecond, answer(good)))
		c := u.attach(t, "?max_age=0s")
		for i := range int64(3) {
			c.mustLatest(t)
			want(t, "requests one after the other", u.requests.Load(), i+1)
		}
		var waiting sync.WaitGroup
		for range 10 {
			waiting.Go(func() { c.mustLatest(t) })
		}
		waiting.Wait()
		want(t, "requests, ten of them at once", u.requests.Load(), 13)
	})
}

func TestWithAStaleTableARequestWaitsASecondForTheRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := serveInMemory(t, inTurn(answer(good), after(3*time.Second, answer(other))))
		c := u.attach(t, "?max_age=1m&timeout=10s")
		c.mustLatest(t)
		time.Sleep(time.Minute)

		asked := time.Now()
		r := c.mustLatest(t)
		want(t, "waited", time.Since(asked), time.Second)
		want(t, "rate", usd(t, r), "1.1699")
		want(t, "stale", r.Stale, true)
		want(t, "age", r.Age, time.Minute+time.Second)

		time.Sleep(2 * time.Second) // the refresh goes on without it
		synctest.Wait()
		r = c.mustLatest(t)
		want(t, "then waited", time.Since(asked), 3*time.Second)
		want(t, "then the rate", usd(t, r), "1.25")
		want(t, "then stale", r.Stale, false)
		want(t, "requests", u.requests.Load(), 2)
	})
}

func TestARefreshWithinASecondIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := serveInMemory(t, inTurn(answer(good), after(999*time.Millisecond, answer(other))))
		c := u.attach(t, "?max_age=1m")
		c.mustLatest(t)
		time.Sleep(time.Minute)
		r := c.mustLatest(t)
		want(t, "rate", usd(t, r), "1.25")
		want(t, "stale", r.Stale, false)
	})
}

func TestWithoutATableARequestWaits5Seconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := serveInMemory(t, after(7*time.Second, answer(good)))
		c := u.attach(t, "?timeout=10s")
		asked := time.Now()
		_, err := c.Latest(t.Context())
		wantErr(t, err, quote.ErrRatesUnavailable)
		want(t, "waited", time.Since(asked), 5*time.Second)

		r := c.mustLatest(t) // joins the call that goes on
		want(t, "waited in all", time.Since(asked), 7*time.Second)
		want(t, "rate", usd(t, r), "1.1699")
		want(t, "requests", u.requests.Load(), 1)
	})
}

func TestWithATableTooOldARequestWaits5Seconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := serveInMemory(t, inTurn(answer(good), after(4*time.Second, answer(other))))
		c := u.attach(t, "?max_age=1m&max_stale=1h&timeout=10s")
		c.mustLatest(t)
		time.Sleep(time.Hour + 1)
		asked := time.Now()
		want(t, "rate", usd(t, c.mustLatest(t)), "1.25")
		want(t, "waited", time.Since(asked), 4*time.Second)
	})
}

func TestAStaleTableIsServedUpToMaxStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := serveInMemory(t, inTurn(answer(good), status(404, ""))).attach(t, "?max_age=1m&max_stale=1h")
		c.mustLatest(t)
		began := time.Now()
		for _, at := range []time.Duration{time.Minute + 1, 30 * time.Minute, time.Hour} {
			time.Sleep(time.Until(began.Add(at)))
			r := c.mustLatest(t)
			want(t, "rate", usd(t, r), "1.1699")
			want(t, "stale", r.Stale, true)
			want(t, "age", r.Age, at)
		}
		time.Sleep(time.Nanosecond)
		r, err := c.Latest(t.Context())
		wantErr(t, err, quote.ErrRatesTooOld)
		want(t, "error", err.Error(), "rates too old: the newest known are 1h0m0s old, and asking for newer ones fails")
		want(t, "table", r.Table, nil)
	})
}

func TestARefreshEndsStaleness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := serveInMemory(t, inTurn(answer(good), status(404, ""), answer(other))).attach(t, "?max_age=1m")
		c.mustLatest(t)
		time.Sleep(2 * time.Minute)
		want(t, "stale", c.mustLatest(t).Stale, true)
		r := c.mustLatest(t)
		want(t, "then stale", r.Stale, false)
		want(t, "then the rate", usd(t, r), "1.25")
	})
}

func TestTheAgeHeaderIsAdded(t *testing.T) {
	const year = 365 * 24 * time.Hour
	for header, age := range map[string]time.Duration{
		"":                        0,
		"0":                       0,
		"90":                      90 * time.Second,
		"86400":                   24 * time.Hour,
		"31536001":                year,
		"18446744073709551615":    year,
		"99999999999999999999999": year,
		"-90":                     0,
		"1.5":                     0,
		"1e3":                     0,
		"0x10":                    0,
		"a day":                   0,
	} {
		t.Run(header, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := serveInMemory(t, func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Age", header)
					answer(good)(w, r)
				}).attach(t, "?max_age=1m")
				r := c.mustLatest(t)
				want(t, "age", r.Age, age)
				want(t, "stale", r.Stale, false)
				time.Sleep(59 * time.Second)
				r = c.mustLatest(t)
				want(t, "age of what is kept", r.Age, age+59*time.Second)
				want(t, "stale, though no refresh failed", r.Stale, false)
			})
		})
	}
}

func TestLookAsksUnlessThatWasAMomentAgo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := serveInMemory(t, inTurn(answer(good), answer(good), answer(good), never))
		c := u.attach(t, "?max_age=1h")
		c.Look(t.Context())
		want(t, "requests", u.requests.Load(), 1)
		time.Sleep(2*time.Second - 1)
		c.Look(t.Context())
		want(t, "requests within 2 s", u.requests.Load(), 1)
		time.Sleep(time.Nanosecond)
		c.Look(t.Context())
		want(t, "requests after 2 s", u.requests.Load(), 2)
		c.mustLatest(t)
		want(t, "requests after Latest, which is content", u.requests.Load(), 2)
		time.Sleep(time.Hour)
		c.mustLatest(t)
		time.Sleep(2 * time.Second)
		asked := time.Now()
		c.Look(t.Context())
		want(t, "waited", time.Since(asked), time.Second)
		want(t, "stale, which only a table over max_age is", c.mustLatest(t).Stale, false)
	})
}

func TestCloseEndsCallsAndLeavesNoGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // which fails when one is left
		u := serveInMemory(t, never)
		c := u.attach(t, "?timeout=1m")
		var waiting sync.WaitGroup
		waiting.Go(func() { _, _ = c.Latest(t.Context()) })
		waiting.Go(func() { _, _ = c.On(t.Context(), date(t, "2026-08-20")) })
		synctest.Wait()
		closed := time.Now()
		c.Close()
		want(t, "Close took", time.Since(closed), 0)
		want(t, "calls that have ended", len(c.observed), 2)
		waiting.Wait()
		want(t, "the waiters took", time.Since(closed), 0)

		_, err := c.Latest(t.Context())
		wantErr(t, err, quote.ErrRatesUnavailable)
		want(t, "requests", u.requests.Load(), 2)
	})
}

func TestCloseMayMeetRequests(t *testing.T) {
	u := serve(t, answer(good))
	for range 10 {
		c := u.attach(t, "?max_age=0s&max_stale=0s")
		c.mustLatest(t)
		var asking sync.WaitGroup
		for range 4 {
			asking.Go(func() {
				for { // until it is closed
					if _, err := c.Latest(t.Context()); err != nil {
						return
					}
				}
			})
		}
		c.mustLatest(t)
		c.Close()
		asking.Wait()
	}
}
