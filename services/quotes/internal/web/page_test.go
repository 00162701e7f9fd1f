package web_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestThePageConverts(t *testing.T) {
	a := start(t, "")
	for name, tt := range map[string]struct {
		target                       string
		amount, source, target2, day string
		says                         string
	}{
		"as it is first seen": {"/", "100.00", "EUR", "USD", "",
			"100.00 EUR = 116.99 USD 1 EUR = 1.1699 USD 1 USD = 0.8547739123 EUR " +
				"Reference rate of Friday 21 August 2026, the newest published day, 1 day ago. Lock this rate for 30 minutes"},
		"as the form sends it": {"/?" + query("amount", "250", "source", "JPY", "target", "IDR", "date", ""), "250", "JPY", "IDR", "",
			"250 JPY = 27,818.84 IDR 1 JPY = 111.275342023 IDR 1 IDR = 0.00898671692955 JPY " +
				"Reference rate of Friday 21 August 2026, the newest published day, 1 day ago. Lock this rate for 30 minutes"},
		"on a past day": {"/?date=2026-08-20", "100.00", "EUR", "USD", "2026-08-20",
			"100.00 EUR = 116.81 USD 1 EUR = 1.1681 USD 1 USD = 0.856091088092 EUR " +
				"Reference rate of Thursday 20 August 2026, 2 days ago. A quote locks the rate of the newest day alone."},
		"much": {"/?amount=1234567.89", "1234567.89", "EUR", "USD", "",
			"1,234,567.89 EUR = 1,444,320.97 USD 1 EUR = 1.1699 USD 1 USD = 0.8547739123 EUR " +
				"Reference rate of Friday 21 August 2026, the newest published day, 1 day ago. Lock this rate for 30 minutes"},
	} {
		t.Run(name, func(t *testing.T) {
			r := a.get(t, tt.target)
			wantPage(t, r, http.StatusOK)
			wantEqual(t, "amount", value(t, r.body, "amount"), tt.amount)
			wantEqual(t, "source", value(t, r.body, "source"), tt.source)
			wantEqual(t, "target", value(t, r.body, "target"), tt.target2)
			wantEqual(t, "date", value(t, r.body, "date"), tt.day)
			wantEqual(t, "answer", within(t, r.body, "id=answer"), tt.says)
			wantContains(t, within(t, r.body, "id=source"), "for information only; cross rates and rounding are ours")
		})
	}
}

// Scripts write numbers as the reader does; the digits are beside for them.
func TestNumbersAreAsInEnglishWithTheirDigitsBeside(t *testing.T) {
	a := start(t, "")
	for amount, written := range map[string]string{
		"0.01": "0.01", "999.99": "999.99", "1000.00": "1,000.00", "123456.00": "123,456.00", "1234567.00": "1,234,567.00",
		"999999999999999.99": "999,999,999,999,999.99",
	} {
		wantContains(t, a.get(t, "/?amount="+amount).body, fmt.Sprintf(`<data value="%s">%s</data> EUR =`, amount, written))
	}
	wantContains(t, a.get(t, "/?source=JPY&amount=1000000").body, `<data value="1000000">1,000,000</data> JPY =`)
}

func TestThePageSaysHowOldItsRatesAre(t *testing.T) {
	const lock = " Lock this rate for 30 minutes"
	const tooOld = " These rates are too old to lock a quote on."
	const friday, warning = "Reference rate of Friday 21 August 2026, ", "These are old rates: the backing service has published none for "
	for days, says := range map[int]string{
		0:  friday + "the newest published day, today's." + lock,
		1:  friday + "the newest published day, 1 day ago." + lock,
		7:  friday + "the newest published day, 7 days ago." + lock,
		8:  friday + "the newest published day, 8 days ago. " + warning + "8 days." + tooOld,
		93: friday + "the newest published day, 93 days ago. " + warning + "93 days." + tooOld,
	} {
		t.Run(fmt.Sprint(days), func(t *testing.T) {
			a := start(t, "")
			a.pass(time.Duration(days-1) * 24 * time.Hour)
			_, after, _ := strings.Cut(within(t, a.get(t, "/").body, "id=answer"), " EUR Ref")
			wantEqual(t, "words", "Ref"+after, says)
		})
	}
	t.Run("a day without rates of its own", func(t *testing.T) {
		a := start(t, "")
		a.becomes(func(w http.ResponseWriter, r *http.Request) {
			r.URL.Path = strings.Replace(r.URL.Path, "2026-06-21", "2026-06-19", 1)
			rates(w, r)
		})
		answer := within(t, a.get(t, "/?date=2026-06-21").body, "id=answer")
		wantContains(t, answer, "Reference rate of Friday 19 June 2026, the last day with rates before Sunday 21 June 2026, 64 days ago.")
		wantNone(t, answer, "old rates", "Lock this") // it is what was asked for
	})
}

func TestThePageOffersTheCurrenciesOfTheDayTheCommonOnesFirst(t *testing.T) {
	a := start(t, "")
	for target, offered := range map[string][]string{
		"/":                 {"Common", "EUR", "USD", "JPY", "Others", "IDR", "KWD"},
		"/?date=2026-08-20": {"Common", "EUR", "USD"},
		"/?date=2026-08-20&source=KWD&target=JPY": {"Common", "EUR", "USD", "JPY", "Others", "KWD"}, // a mistake, which is shown
	} {
		var got []string
		elements, _ := markup(t, a.get(t, target).body)
		for _, e := range elements {
			switch e.Name.Local {
			case "optgroup":
				got = append(got, attributes(e)["label"])
			case "option":
				got = append(got, attributes(e)["value"])
			}
		}
		if want := slices.Concat(offered, offered); !slices.Equal(got, want) { // source and target
			t.Errorf("%s: got the options %v, want %v", target, got, want)
		}
	}
	_, text := markup(t, a.get(t, "/").body)
	wantContains(t, text, "EUR Euro", "USD US Dollar", "JPY Japanese Yen")
}

func TestSwappingTheSidesWithoutScripts(t *testing.T) {
	a := start(t, "")
	for sent, leads := range map[string]string{
		query("amount", "5", "source", "EUR", "target", "JPY", "date", "2026-08-19", "swap", "1"): query("amount", "5", "source", "JPY", "target", "EUR", "date", "2026-08-19"),
		query("amount", "5", "source", "EUR", "target", "JPY", "date", "", "swap", "1"):           query("amount", "5", "source", "JPY", "target", "EUR", "date", ""),
		query("swap", "1"): query("amount", "100.00", "source", "USD", "target", "EUR"),
		query("amount", hostile, "source", "\r\nSet-Cookie: a=b", "target", "//example.org", "swap", hostile): query("amount", hostile, "source", "//example.org", "target", "\r\nSet-Cookie: a=b"),
	} {
		r := a.get(t, "/?"+sent)
		wantEqual(t, "status", r.status, http.StatusSeeOther)
		wantEqual(t, "location", r.header.Get("Location"), "/?"+leads)
	}
	wantEqual(t, "calls to the backing service", a.asked.Load(), 0)
}

func TestThePageShowsTheBackingService(t *testing.T) {
	a := start(t, "?max_age=1m&attempts=1")
	panel := func() string { return within(t, a.get(t, "/").body, "id=backing") }
	handle := "Handle" + a.upstream.URL + " "
	attached := panel()
	wantContains(t, attached, "attached It answers. ",
		handle+"Answered byrates/0.1.0 Newest day2026-08-21 Answer's age0s Breakerclosed Last errornone ",
		"Swap it and restart: make quotes RATES_URL=https://api.frankfurter.dev")

	a.pass(time.Hour)
	a.becomes(reply(http.StatusUnauthorized, ""))
	r := a.get(t, "/")
	wantPage(t, r, http.StatusOK)
	wantContains(t, within(t, r.body, "id=answer"), "100.00 EUR = 116.99 USD", "These rates are stale: asking the backing service for newer ones fails.")
	wantContains(t, within(t, r.body, "id=backing"), "stale Asking it fails. What it said before still serves. ",
		handle+"Answered bynobody named Newest day2026-08-21 Answer's age1h0m0s Breakerclosed Last errorrefuses the handle's credentials: status 401 ",
		"Swap it")
	wantEqual(t, "calls", within(t, r.body, "class=calls"), "10:00:00 401 0s09:00:00 200 0s")
	wantContains(t, r.body, `<li class="failed">`, `<li class="fine">`)

	a.upstream.Close()
	for range 5 {
		panel()
	}
	down := panel()
	wantContains(t, strings.Replace(down, "half-open", "open", 1), "Breakeropen", "no answer", "cannot be reached") // a second later it is tried
}

func TestThePageNamesWhoseRatesTheseAre(t *testing.T) {
	for server, says := range map[string]string{
		"rates/0.1.0": "Source: European Central Bank. ",
		"rates":       "", "Rates/1": "", "rates-not/1": "", "nginx": "", "": "", "<b>rates/": "",
	} {
		t.Run(server, func(t *testing.T) {
			a := start(t, "")
			a.becomes(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Server", server)
				reply(http.StatusOK, fmt.Sprintf(`{"amount":1,"base":"EUR","date":%q,"rates":{"USD":1.1699}}`, newestDay))(w, r)
			})
			if says == "" {
				says = "Source: " + strings.TrimPrefix(a.upstream.URL, "http://") + ". "
			}
			wantEqual(t, "source", within(t, a.get(t, "/").body, "id=source"), says+"Reference rates are for information only; cross rates and rounding are ours.")
		})
	}
}

func TestThePageWithoutABackingService(t *testing.T) {
	a := start(t, "?attempts=1")
	a.becomes(reply(http.StatusServiceUnavailable, ""))
	r := a.get(t, "/?"+query("amount", "5", "source", "GBP", "target", "CHF"))
	wantPage(t, r, http.StatusServiceUnavailable)
	wantEqual(t, "answer", within(t, r.body, "id=answer"),
		"Rates unavailable: the backing service gives no usable rates now, and none are known from before.")
	wantContains(t, within(t, r.body, "id=backing"), "detached Asking it fails, and nothing known from before is fresh enough.",
		"Newest daynone known Answer's agenothing known", "Last erroranswered with status 503, asked once")
	wantEqual(t, "amount", value(t, r.body, "amount"), "5")
	wantEqual(t, "source", value(t, r.body, "source"), "GBP")
	wantEqual(t, "target", value(t, r.body, "target"), "CHF")
}

func TestThePageShowsAMistakeAndKeepsWhatWasSent(t *testing.T) {
	for name, tt := range map[string]struct {
		query         string
		status        int
		says          string
		field, stands string
	}{
		"a negative amount":   {query("amount", "-5"), 422, "Invalid amount (amount): write it like 100.00", "amount", "-5"},
		"an empty amount":     {query("amount", ""), 422, "Invalid amount (amount): write it like 100.00", "amount", ""},
		"the same currency":   {query("source", "USD", "target", "USD"), 422, "Same currency (target): source and target are both USD", "target", "USD"},
		"a code of no use":    {query("source", "XXX"), 422, "Unknown currency (source): XXX is none that is known here", "source", "(none)"},
		"one that rates lack": {query("source", "AED"), 422, "Unknown currency (source): the backing service has no rate of AED", "source", "AED"},
		"an impossible day":   {query("date", "2026-02-30"), 400, "Malformed request (date): write a day of the calendar like 2026-08-21", "date", "2026-02-30"},
		"a day to come":       {query("date", "2027-01-01"), 404, "No rates for this date (date): 2027-01-01 is in the future", "date", "2027-01-01"},
		"a day before all":    {query("date", "1998-12-31"), 404, "No rates for this date (date): the backing service has none for 1998-12-31", "date", "1998-12-31"},
		"two amounts":         {"amount=1&amount=2", 400, "Malformed request (amount): it is given 2 times", "amount", "1"},
		"broken encoding":     {"amount=5%&target=JPY", 400, "Malformed request: the query cannot be read", "target", "JPY"},
	} {
		t.Run(name, func(t *testing.T) {
			a := start(t, "")
			r := a.get(t, "/?"+tt.query)
			wantPage(t, r, tt.status)
			answer := within(t, r.body, "id=answer")
			wantContains(t, answer, tt.says)
			wantNone(t, answer, "Reference rate of", " = ", "Lock")
			wantContains(t, within(t, r.body, "id=backing"), "attached")
			wantEqual(t, tt.field, value(t, r.body, tt.field), tt.stands)
		})
	}
}

func TestWhatOthersWroteIsEscaped(t *testing.T) {
	t.Run("in the form", func(t *testing.T) {
		d := open(t, "")
		for _, field := range []string{"amount", "source", "target", "date", "key"} {
			fields := []string{"amount", "100.00", "source", "EUR", "target", "USD", "key", "a key", "date", ""}
			fields[slices.Index(fields, field)+1] = hostile
			for _, r := range []result{d.get(t, "/?"+query(fields...)), d.form(t, "/quotes", query(fields...))} {
				wantHarmless(t, r.body)
				if field == "amount" {
					wantEqual(t, field, value(t, r.body, field), hostile)
				}
			}
		}
		wantEqual(t, "date", value(t, d.get(t, "/?"+query("date", hostile)).body, "date"), hostile)
	})
	t.Run("by the backing service", func(t *testing.T) {
		const day = `{"amount":1,"base":"EUR","date":"2026-08-21","rates":{"USD":1.1699}}`
		for name, h := range map[string]http.HandlerFunc{
			"which answers":     reply(http.StatusOK, day),
			"as its type":       typed(hostile, reply(http.StatusTeapot, "")),
			"as its base":       reply(http.StatusOK, strings.Replace(day, `"EUR"`, `"\"><script>alert(1)</script>"`, 1)),
			"as its date":       reply(http.StatusOK, strings.Replace(day, "2026-08-21", "<script>alert(1)</script>", 1)),
			"as a currency":     reply(http.StatusOK, strings.Replace(day, "USD", "<script>", 1)),
			"as its error page": reply(http.StatusInternalServerError, hostile),
		} {
			t.Run(name, func(t *testing.T) {
				a := start(t, "?attempts=1")
				a.becomes(func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Server", hostile)
					h(w, r)
				})
				r := a.get(t, "/")
				wantHarmless(t, r.body)
				wantContains(t, within(t, r.body, "id=backing"), "Answered by"+hostile)
			})
		}
	})
}

func typed(contentType string, h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", contentType)
		h(w, r)
	}
}
