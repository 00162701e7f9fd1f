package ratesapi

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/portpair/services/quotes/internal/quote"
)

// archive answers for the days from 2020 on with that very day's rates, says
// the contract's 404 of days before, and counts how often each was asked for.
type archive struct {
	mu    sync.Mutex
	asked map[string]int
}

func (a *archive) serve(w http.ResponseWriter, r *http.Request) {
	day := strings.TrimPrefix(r.URL.Path, "/v1/")
	a.mu.Lock()
	if a.asked == nil {
		a.asked = map[string]int{}
	}
	a.asked[day]++
	a.mu.Unlock()
	if day < "2020" {
		status(http.StatusNotFound, `{"message":"not found"}`)(w, r)
		return
	}
	fmt.Fprintf(w, `{"amount":1,"base":"EUR","date":%q,"rates":{"USD":1.25}}`, day)
}

// times is how often a day was asked for.
func (a *archive) times(d quote.Date) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.asked[d.String()]
}

// theDay is the nth day since the beginning of a year.
func theDay(year, n int) quote.Date {
	return quote.DateOf(time.Date(year, 1, 1+n, 0, 0, 0, 0, time.UTC))
}

func (a *attached) mustOn(t *testing.T, d quote.Date) Rates {
	t.Helper()
	r, err := a.On(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAPastDayIsKeptForMaxAgeAndServedUpToMaxStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := serveInMemory(t, inTurn(answer(good), answer(good), status(500, "")))
		c := u.attach(t, "?max_age=1m&max_stale=1h&attempts=1")
		day := date(t, "2026-08-21")
		want(t, "date", c.mustOn(t, day).Date(), day)
		time.Sleep(time.Minute - 1)
		c.mustOn(t, day)
		want(t, "requests", u.requests.Load(), 1)
		time.Sleep(time.Nanosecond)
		c.mustOn(t, day)
		want(t, "requests after max_age", u.requests.Load(), 2)
		time.Sleep(time.Hour)
		r := c.mustOn(t, day)
		want(t, "rate", usd(t, r), "1.1699")
		want(t, "stale", r.Stale, true)
		time.Sleep(time.Nanosecond)
		_, err := c.On(t.Context(), day)
		wantErr(t, err, quote.ErrRatesTooOld)
	})
}

func TestADayAndTheNewestAreKeptApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := serveInMemory(t, inTurn(answer(other), answer(good)))
		c := u.attach(t, "")
		for range 2 {
			want(t, "the newest", usd(t, c.mustLatest(t)), "1.25")
			want(t, "the day", usd(t, c.mustOn(t, date(t, "2026-08-21"))), "1.1699")
		}
		want(t, "requests", u.requests.Load(), 2)
	})
}

func Test400PastDaysAreKeptAndTheLeastRecentlyUsedGoFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a archive
		c := serveInMemory(t, a.serve).attach(t, "")
		for n := range 400 {
			c.mustOn(t, theDay(2024, n))
		}
		for n := range 400 {
			c.mustOn(t, theDay(2024, n))
			want(t, "requests of one of 400 days", a.times(theDay(2024, n)), 1)
		}
		c.mustOn(t, theDay(2024, 0)) // used again: now the second is the least recently used
		c.mustOn(t, theDay(2024, 400))
		for n, requests := range map[int]int{0: 1, 2: 1, 399: 1, 400: 1} {
			c.mustOn(t, theDay(2024, n))
			want(t, fmt.Sprintf("requests of day %d", n), a.times(theDay(2024, n)), requests)
		}
		c.mustOn(t, theDay(2024, 1))
		want(t, "requests of the day that went", a.times(theDay(2024, 1)), 2)
		want(t, "days kept", len(c.days.all), 400)
		want(t, "days kept in order", c.days.used.Len(), 400)
	})
}

func TestDaysWithoutRatesDoNotPushOutThoseThatHaveSome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a archive
		c := serveInMemory(t, a.serve).attach(t, "")
		c.mustOn(t, theDay(2024, 0))
		for n := range 500 {
			_, err := c.On(t.Context(), theDay(1980, n))
			wantErr(t, err, quote.ErrNoRatesForDate)
		}
		c.mustOn(t, theDay(2024, 0))
		want(t, "requests of the day that has", a.times(theDay(2024, 0)), 1)
		want(t, "days kept", len(c.days.all), 1)
		want(t, "days kept in order", c.days.used.Len(), 1)
	})
}

func TestADayThatWasKeptStaysWhenAskingAgainFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := serveInMemory(t, inTurn(answer(good), status(418, ""))).attach(t, "?max_age=1m")
		c.mustOn(t, date(t, "2026-08-21"))
		for range 3 {
			time.Sleep(time.Minute)
			want(t, "rate", usd(t, c.mustOn(t, date(t, "2026-08-21"))), "1.1699")
		}
	})
}

func TestADayThatWasKeptIsGoneWhenTheBackingServiceHasNoneAnyMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := serveInMemory(t, inTurn(answer(good), status(404, `{"message":"not found"}`))).attach(t, "?max_age=1m")
		c.mustOn(t, date(t, "2026-08-21"))
		time.Sleep(time.Minute)
		_, err := c.On(t.Context(), date(t, "2026-08-21"))
		wantErr(t, err, quote.ErrNoRatesForDate)
	})
}

func TestA404IsADayWithoutRatesOnlyWhenItIsTheContracts(t *testing.T) {
	for name, tt := range map[string]struct {
		status int
		body   string
		want   error
	}{
		"the contract's":                      {404, `{"message":"not found"}`, quote.ErrNoRatesForDate},
		"the contract's, and a field more":    {404, `{"message":"not found","docs":"/"}`, quote.ErrNoRatesForDate},
		"the contract's of an unknown route":  {404, `{"status":404,"message":"not found"}`, quote.ErrRatesUnavailable},
		"a problem, such as quotes' own":      {404, `{"type":"about:blank","title":"Not Found","status":404}`, quote.ErrRatesUnavailable},
		"a gateway that knows no such route":  {404, `{"message":"no Route matched with those values"}`, quote.ErrRatesUnavailable},
		"a gateway of another make":           {404, `{"message":"Not Found"}`, quote.ErrRatesUnavailable},
		"a web server's":                      {404, "<html><h1>Not Found</h1></html>", quote.ErrRatesUnavailable},
		"net/http's":                          {404, "404 page not found\n", quote.ErrRatesUnavailable},
		"none of it":                          {404, "", quote.ErrRatesUnavailable},
		"an array":                            {404, `["not found"]`, quote.ErrRatesUnavailable},
		"a message that is no text":           {404, `{"message":404}`, quote.ErrRatesUnavailable},
		"the contract's, but with status 410": {410, `{"message":"not found"}`, quote.ErrRatesUnavailable},
		"the contract's, but with status 200": {200, `{"message":"not found"}`, quote.ErrRatesUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := serveInMemory(t, status(tt.status, tt.body))
				c := u.attach(t, "")
				_, err := c.On(t.Context(), date(t, "1998-12-31"))
				wantErr(t, err, tt.want)
				want(t, "requests", u.requests.Load(), 1)
				if tt.want == quote.ErrNoRatesForDate {
					want(t, "error", err.Error(), "no rates for this date: the backing service has none for 1998-12-31")
					want(t, "outcome", c.last(t).Outcome, NoRates)
					want(t, "warnings", len(c.warnings(t)), 0)
				} else {
					want(t, "outcome", c.last(t).Outcome, NoService)
					want(t, "warnings", len(c.warnings(t)), 1)
				}
			})
		})
	}
	t.Run("of the newest rates it is never", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := serveInMemory(t, status(404, `{"message":"not found"}`)).attach(t, "")
			_, err := c.Latest(t.Context())
			wantErr(t, err, quote.ErrRatesUnavailable)
			want(t, "outcome", c.last(t).Outcome, NoService)
		})
	})
}

func TestADayIsAnsweredWithTheNewestWithin14DaysBefore(t *testing.T) {
	for asked, want := range map[string]error{
		"2026-08-21": nil,
		"2026-08-22": nil,
		"2026-09-04": nil,                       // 14 days after
		"2026-09-05": quote.ErrRatesUnavailable, // 15 days after
		"2026-08-20": quote.ErrRatesUnavailable, // the day before
	} {
		t.Run(asked, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := serveInMemory(t, answer(good)).attach(t, "")
				_, err := c.On(t.Context(), date(t, asked))
				wantErr(t, err, want)
			})
		})
	}
}
