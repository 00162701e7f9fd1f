package ratesapi

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/portpair/services/quotes/internal/quote"
)

// week is an answer of a range as the contract has it: it begins with the day
// that held when the range began, and lacks a day of which there is none.
const week = `{"amount":1.0,"base":"EUR","start_date":"2026-08-14","end_date":"2026-08-21","rates":{` +
	`"2026-08-14":{"JPY":180,"USD":1.12},` +
	`"2026-08-18":{"JPY":185.66,"USD":1.1699},` +
	`"2026-08-17":{"JPY":184,"USD":1.15},` +
	`"2026-08-20":{"USD":1.1681},` +
	`"2026-08-21":{"JPY":186,"USD":1.2}}}`

// between asks for the days of week, of a pair such as EUR/USD.
func (a *attached) between(t *testing.T, ctx context.Context, pair string) (Series, error) {
	t.Helper()
	source, target, _ := strings.Cut(pair, "/")
	return a.Between(ctx, date(t, "2026-08-15"), date(t, "2026-08-21"), currency(t, source), currency(t, target))
}

func (a *attached) mustBetween(t *testing.T, pair string) Series {
	t.Helper()
	s, err := a.between(t, t.Context(), pair)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// told is a series as a person would read it.
func told(s Series) string {
	var days []string
	for _, d := range s.Days {
		days = append(days, d.Date.String()+" "+d.Rate.String())
	}
	return strings.Join(days, ", ")
}

func TestTheDaysOfAPair(t *testing.T) {
	for pair, tt := range map[string]struct{ asked, days string }{
		"EUR/USD": {"symbols=USD", "2026-08-17 1.15, 2026-08-18 1.1699, 2026-08-20 1.1681, 2026-08-21 1.2"},
		"USD/EUR": {"symbols=USD", "2026-08-17 0.869565217391, 2026-08-18 0.8547739123, 2026-08-20 0.856091088092, 2026-08-21 0.833333333333"},
		"JPY/USD": {"symbols=JPY,USD", "2026-08-17 0.00625, 2026-08-18 0.00630130345793, 2026-08-21 0.00645161290323"},
		"USD/JPY": {"symbols=JPY,USD", "2026-08-17 160, 2026-08-18 158.697324558, 2026-08-21 155"},
	} {
		t.Run(pair, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked := ""
				c := serveInMemory(t, func(w http.ResponseWriter, r *http.Request) {
					asked = r.URL.Path + "?" + r.URL.RawQuery
					answer(week)(w, r)
				}).attach(t, "")
				s := c.mustBetween(t, pair)
				want(t, "asked", asked, "/v1/2026-08-15..2026-08-21?"+tt.asked)
				want(t, "stale", s.Stale, false)
				want(t, "days", told(s), tt.days)
				want(t, "newest day known", c.Status().RateDate, "") // a chart's end is not that
			})
		})
	}
}

func TestTheRatesOfASeriesAreThoseOfItsDays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		days := map[string]string{
			"2026-08-17": `{"JPY":184.013,"KWD":0.3581,"USD":1.1503}`, "2026-08-18": `{"JPY":185.66,"KWD":0.36,"USD":1.1699}`,
			"2026-08-21": `{"JPY":200,"KWD":0.00001,"USD":123456.789}`,
		}
		c := serveInMemory(t, func(w http.ResponseWriter, r *http.Request) {
			day := strings.TrimPrefix(r.URL.Path, "/v1/")
			if rates, ok := days[day]; ok {
				fmt.Fprintf(w, `{"amount":1,"base":"EUR","date":%q,"rates":%s}`, day, rates)
				return
			}
			var all []string
			for day, rates := range days {
				all = append(all, fmt.Sprintf("%q:%s", day, rates))
			}
			fmt.Fprintf(w, `{"amount":1,"base":"EUR","rates":{%s}}`, strings.Join(all, ","))
		}).attach(t, "")
		for _, pair := range []string{"EUR/USD", "USD/EUR", "JPY/KWD", "KWD/JPY", "USD/JPY", "EUR/KWD"} {
			s := c.mustBetween(t, pair)
			want(t, "days of "+pair, len(s.Days), len(days))
			source, target, _ := strings.Cut(pair, "/")
			for _, d := range s.Days {
				rate, err := c.mustOn(t, d.Date).Cross(currency(t, source), currency(t, target))
				if err != nil {
					t.Fatal(err)
				}
				want(t, pair+" on "+d.Date.String(), d.Rate, rate)
			}
		}
	})
}

func TestASeriesIsKeptForMaxAgeAndServedUpToMaxStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := serveInMemory(t, inTurn(answer(week), answer(week), status(500, "")))
		c := u.attach(t, "?max_age=1m&max_stale=1h&attempts=1")
		c.mustBetween(t, "EUR/USD")
		time.Sleep(time.Minute - 1)
		s := c.mustBetween(t, "EUR/USD")
		want(t, "requests", u.requests.Load(), 1)
		want(t, "age", s.Age, time.Minute-1)
		time.Sleep(time.Nanosecond)
		c.mustBetween(t, "EUR/USD")
		want(t, "requests after max_age", u.requests.Load(), 2)
		time.Sleep(time.Hour)
		s = c.mustBetween(t, "EUR/USD")
		want(t, "days", len(s.Days), 4)
		want(t, "stale", s.Stale, true)
		time.Sleep(time.Nanosecond)
		_, err := c.between(t, t.Context(), "EUR/USD")
		wantErr(t, err, quote.ErrRatesTooOld)
	})
}

func TestConcurrentRequestsForASeriesShareOneCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := serveInMemory(t, after(time.Second, answer(week)))
		c := u.attach(t, "")
		first, leave := context.WithCancel(t.Context())
		var waiting sync.WaitGroup
		waiting.Go(func() {
			_, err := c.between(t, first, "EUR/USD")
			wantErr(t, err, context.Canceled)
		})
		synctest.Wait()
		for range 50 {
			waiting.Go(func() {
				s, err := c.between(t, t.Context(), "EUR/USD")
				if err != nil || len(s.Days) != 4 {
					t.Errorf("got %v, %v", told(s), err)
				}
			})
		}
		synctest.Wait()
		leave() // the call goes on without the one who began it
		waiting.Wait()
		want(t, "requests", u.requests.Load(), 1)
	})
}

func TestOtherPairsAndOtherDaysAreOtherSeries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := serveInMemory(t, answer(week))
		c := u.attach(t, "")
		for range 2 {
			for _, pair := range []string{"EUR/USD", "USD/EUR", "USD/JPY"} {
				c.mustBetween(t, pair)
			}
			for _, from := range []string{"2026-08-17", "2026-08-21"} {
				s, err := c.Between(t.Context(), date(t, from), date(t, "2026-08-21"), currency(t, "EUR"), currency(t, "USD"))
				if err != nil || s.Days[0].Date != date(t, from) {
					t.Errorf("from %s: got %v, %v", from, told(s), err)
				}
			}
		}
		want(t, "requests", u.requests.Load(), 5)
	})
}

func Test32SeriesAreKeptAndTheLeastRecentlyUsedGoFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := serveInMemory(t, func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/v1/1980") {
				status(http.StatusNotFound, `{"message":"not found"}`)(w, r)
				return
			}
			answer(week)(w, r)
		})
		c := u.attach(t, "?max_age=1h")
		ask := func(year, n int) error {
			_, err := c.Between(t.Context(), theDay(year, n), date(t, "2026-08-21"), currency(t, "EUR"), currency(t, "USD"))
			return err
		}
		wantAsked := func(what string, n int, requests int64) {
			t.Helper()
			before := u.requests.Load()
			if err := ask(2024, n); err != nil {
				t.Fatal(err)
			}
			want(t, "requests for "+what, u.requests.Load()-before, requests)
		}
		for n := range 32 {
			wantAsked("a new series", n, 1)
		}
		for n := range 32 {
			wantAsked("one of 32", n, 0)
		}
		for n := range 50 { // they have nothing that could be kept
			wantErr(t, ask(1980, n), quote.ErrNoRatesForDate)
		}
		want(t, "series kept", len(c.series.all), 31)
		wantAsked("one that went for those that have none", 0, 1)
		wantAsked("one of 32 again", 1, 0) // now the third is the least recently used
		wantAsked("a 33rd", 32, 1)
		wantAsked("one of those left", 1, 0)
		wantAsked("one that went", 2, 1)
		want(t, "series kept", len(c.series.all), 32)
		want(t, "series kept in order", c.series.used.Len(), 32)
		want(t, "days kept", len(c.days.all), 0)
	})
}

func TestASeriesThatThereIsNotIsNoFailure(t *testing.T) {
	const says = "no rates for this date: the backing service has none for EUR and USD from 2026-08-15 to 2026-08-21"
	for name, h := range map[string]http.HandlerFunc{
		"the contract's 404":       status(404, `{"message":"not found"}`),
		"days before it alone":     answer(`{"amount":1,"base":"EUR","rates":{"2026-08-14":{"USD":1.12}}}`),
		"days without the pair":    answer(`{"amount":1,"base":"EUR","rates":{"2026-08-17":{"JPY":184}}}`),
		"days with the euro alone": answer(`{"amount":1,"base":"EUR","rates":{"2026-08-17":{"EUR":1,"JPY":184}}}`),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := serveInMemory(t, h).attach(t, "")
				_, err := c.between(t, t.Context(), "EUR/USD")
				wantErr(t, err, quote.ErrNoRatesForDate)
				want(t, "error", err.Error(), says)
				want(t, "outcome", c.last(t).Outcome, NoRates)
				want(t, "warnings", len(c.warnings(t)), 0)
			})
		})
	}
}

func TestASeriesThatIsNotWhatTheContractSays(t *testing.T) {
	with := func(old, replacement string) string {
		if !strings.Contains(week, old) {
			t.Fatal("week has no " + old)
		}
		return strings.Replace(week, old, replacement, 1)
	}
	for name, tt := range map[string]struct{ body, says string }{
		"HTML":                        {"<h1>Welcome</h1>", "HTML or XML"},
		"nothing":                     {"", "an empty answer"},
		"half of it":                  {week[:100], "no JSON"},
		"something behind it":         {week + "x", "something behind it"},
		"over 1 MiB":                  {with("{", "{"+strings.Repeat(" ", 1<<20)), "over 1 MiB"},
		"a single day's":              {good, "no JSON of a day's rates"},
		"no days":                     {`{"amount":1,"base":"EUR","rates":{}}`, "no days"},
		"days that are null":          {`{"amount":1,"base":"EUR","rates":null}`, "no days"},
		"another base":                {with(`"EUR"`, `"USD"`), `base "USD" where EUR was asked for`},
		"another amount":              {with("1.0", "100"), `amount "100" where 1 was asked for`},
		"a day that is none":          {with("2026-08-18", "2026-02-30"), `date "2026-02-30"`},
		"a date with markup":          {with("2026-08-18", "<script>"), `date "<script>"`},
		"the day after":               {with("2026-08-18", "2026-08-22"), "the rates of 2026-08-22 where 2026-08-15 to 2026-08-21 was asked for"},
		"a day of the future":         {with("2026-08-18", "2036-08-18"), "a date in the future, 2036-08-18"},
		"a day with no rates":         {with(`{"USD":1.1681}`, "{}"), ""},
		"a rate of 0":                 {with("1.1699", "0"), `a rate of "0" for "USD"`},
		"a negative rate":             {with("1.1699", "-1.1699"), `a rate of "-1.1699" for "USD"`},
		"a rate that is text":         {with("1.1699", `"1.1699"`), `for "USD"`},
		"an absurd rate":              {with("1.1699", "1e300"), `for "USD"`},
		"an absurd rate of another":   {with("184", "0"), `a rate of "0" for "JPY"`},
		"a code that is none":         {with(`"JPY":184`, `"<b>":184`), ""},
		"a rate on a day left out":    {with("1.12", "0"), `a rate of "0" for "USD"`},
		"many currencies on one day":  {with(`"JPY":184`, manyCodes(2000)), ""},
		"rates that are a list":       {`{"amount":1,"base":"EUR","rates":[1.1699]}`, "no JSON"},
		"days nested without an end":  {strings.Repeat(`{"rates":`, 100_000), "no JSON"},
		"a day's rates that are null": {with(`{"USD":1.1681}`, "null"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := serveInMemory(t, inTurn(answer(week), answer(tt.body))).attach(t, "?max_age=1m&attempts=1")
				whole := told(c.mustBetween(t, "EUR/USD"))
				time.Sleep(time.Minute + 1)
				s := c.mustBetween(t, "EUR/USD") // of what was kept
				want(t, "days", told(s), whole)
				want(t, "stale", s.Stale, true)
				want(t, "outcome", c.last(t).Outcome, NoService)
				if text := c.last(t).Error; !strings.Contains(text, tt.says) || len(text) > 1000 {
					t.Errorf("got %q, want it to say %q", text, tt.says)
				}
				_, err := c.Between(t.Context(), date(t, "2026-08-01"), date(t, "2026-08-21"), currency(t, "EUR"), currency(t, "USD"))
				wantErr(t, err, quote.ErrRatesUnavailable) // with nothing kept
			})
		})
	}
}
