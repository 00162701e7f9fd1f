package ratesapi

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode"
	"unicode/utf8"

	"example.com/portpair/services/quotes/internal/quote"
)

// with is a good answer with something else in one place.
func with(old, replacement string) string {
	if !strings.Contains(good, old) {
		panic("good has no " + old)
	}
	return strings.Replace(good, old, replacement, 1)
}

// manyCodes are so many rates.
func manyCodes(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"%c%c%c":2,`, 'A'+i/676, 'A'+i/26%26, 'A'+i%26)
	}
	return strings.TrimSuffix(b.String(), ",")
}

const rates = `{"JPY":185.66,"USD":1.1699}`

// foreign are answers, with status 200, that are not what the contract says.
var foreign = map[string]struct{ body, says string }{
	"HTML":                         {"<!doctype html><h1>Welcome to nginx!</h1>", "HTML or XML"},
	"XML":                          {"\n <gesmes:Envelope/>", "HTML or XML"},
	"nothing":                      {"", "an empty answer"},
	"blanks":                       {" \r\n\t", "an empty answer"},
	"plain text":                   {"ok", "no JSON"},
	"null":                         {"null", "base"},
	"an array":                     {"[" + good + "]", "no JSON of a day's rates"},
	"a number":                     {"1.1699", "no JSON of a day's rates"},
	"an empty object":              {"{}", "base"},
	"the shape of another API":     {`{"success":true,"timestamp":1,"quotes":{"USD":1.1699}}`, "base"},
	"half of it":                   {good[:60], "no JSON"},
	"something behind it":          {good + "x", "something behind it"},
	"twice":                        {good + good, "something behind it"},
	"a byte order mark":            {"\uFEFF" + good, "no JSON"},
	"nested 100,000 deep":          {strings.Repeat(`{"rates":`, 100_000), "no JSON"},
	"1 MiB and more":               {padded(1<<20 + 1), "over 1 MiB"},
	"base USD":                     {with(`"EUR"`, `"USD"`), `base "USD" where EUR was asked for`},
	"base eur":                     {with(`"EUR"`, `"eur"`), `base "eur"`},
	"no base":                      {with(`"base":"EUR",`, ""), `base ""`},
	"a base that is no text":       {with(`"EUR"`, "978"), "no JSON of a day's rates"},
	"amount 2":                     {with("1.0", "2"), `amount "2" where 1 was asked for`},
	"amount 100":                   {with("1.0", "100"), `amount "100"`},
	"amount 0":                     {with("1.0", "0"), `amount "0"`},
	"an amount of a little more":   {with("1.0", "1.00000000000001"), `amount "1.00000000000001"`},
	"an amount in quotes":          {with("1.0", `"1.0"`), `amount "\"1.0\""`},
	"no amount":                    {with(`"amount":1.0,`, ""), `amount ""`},
	"no date":                      {with(`"date":"2026-08-21",`, ""), `date ""`},
	"an impossible date":           {with("2026-08-21", "2026-02-30"), `date "2026-02-30"`},
	"a date of another form":       {with("2026-08-21", "21.08.2026"), `date "21.08.2026"`},
	"a date with a time":           {with("2026-08-21", "2026-08-21T00:00:00Z"), "date"},
	"a date that is a number":      {with(`"2026-08-21"`, "1787270400"), "no JSON of a day's rates"},
	"the day after tomorrow":       {with("2026-08-21", "2026-08-24"), "a date in the future, 2026-08-24"},
	"a date in the far future":     {with("2026-08-21", "9999-12-31"), "a date in the future"},
	"no rates":                     {with(","+`"rates":`+rates, ""), "there are none"},
	"rates null":                   {with(rates, "null"), "there are none"},
	"rates empty":                  {with(rates, "{}"), "there are none"},
	"rates of the euro alone":      {with(rates, `{"EUR":1}`), "there are none"},
	"rates in an array":            {with(rates, "[1.1699]"), "no JSON of a day's rates"},
	"rates by day":                 {with(rates, `{"2026-08-21":{"USD":1.1699}}`), `a rate of`},
	"a rate of 0":                  {with("1.1699", "0"), `a rate of "0" for "USD"`},
	"a rate of 0.000":              {with("1.1699", "0.000"), `a rate of "0.000"`},
	"a rate below 0":               {with("1.1699", "-1.1699"), `a rate of "-1.1699"`},
	"a rate of 1e400":              {with("1.1699", "1e400"), `a rate of "1e400"`},
	"a rate of 1e-400":             {with("1.1699", "1e-400"), `a rate of "1e-400"`},
	"a rate of 1e20000000":         {with("1.1699", "1e20000000"), `a rate of "1e20000000"`},
	"an absurdly large rate":       {with("1.1699", "1000000001"), `a rate of "1000000001"`},
	"an absurdly small rate":       {with("1.1699", "0.0000000001"), `a rate of "0.0000000001"`},
	"a rate of 100,000 digits":     {with("1.1699", strings.Repeat("1", 100_000)), "a rate of"},
	"a rate of 100,000 places":     {with("1.1699", "1."+strings.Repeat("1", 100_000)), "a rate of"},
	"a rate of NaN":                {with("1.1699", "NaN"), "no JSON"},
	"a rate of Infinity":           {with("1.1699", "Infinity"), "no JSON"},
	"a rate in quotes":             {with("1.1699", `"1.1699"`), `a rate of "\"1.1699\""`},
	"a rate that is NaN in quotes": {with("1.1699", `"NaN"`), `a rate of "\"NaN\""`},
	"a rate of null":               {with("1.1699", "null"), `a rate of "null" for "USD"`},
	"a rate of true":               {with("1.1699", "true"), `a rate of "true"`},
	"a rate that is an object":     {with("1.1699", "{}"), `a rate of "{}"`},
	"one bad rate of many":         {with(`"JPY"`, manyCodes(40)+`,"ZZZ":0,"JPY"`), `a rate of "0" for "ZZZ"`},
	"a euro that is not 1":         {with("USD", "EUR"), "one EUR is said to be 1.1699 EUR"},
	"a code in lower case":         {with("USD", "usd"), `"usd" is no currency code`},
	"a code with a sign in it":     {with("USD", "U$D"), `"U$D" is no currency code`},
	"a code of two letters":        {with("USD", "US"), `"US" is no currency code`},
	"an empty code":                {with("USD", ""), `"" is no currency code`},
	"a code of 100,000 letters":    {with("USD", strings.Repeat("U", 100_000)), `"UUUUUUUUU" is no currency code`},
	"501 codes":                    {with(rates, "{"+manyCodes(501)+"}"), "there are 501, and may be 500"},
	"10,000 codes":                 {with(rates, "{"+manyCodes(10_000)+"}"), "there are 10000, and may be 500"},
	"control characters":           {with(`"EUR"`, `"\u001b[31mEUR\u0000\r\n\u202e"`), "base"},
	"broken UTF-8":                 {with(`"EUR"`, "\"\xff\xfe\""), "base"},
	"a hostile code":               {with("USD", `\u001b[2J\nlevel=ERROR`), "is no currency code"},
	"a hostile date":               {with("2026-08-21", `\u001b]0;pwned\u0007`+strings.Repeat("A", 5000)), "date"},
}

func TestAnAnswerThatIsNotWhatTheContractSays(t *testing.T) {
	for name, tt := range foreign {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { wantNoService(t, answer(tt.body), tt.says) })
		})
	}
}

func TestAStatusThatIsNotWhatTheContractSays(t *testing.T) {
	for name, tt := range map[string]struct {
		handler http.HandlerFunc
		says    string
	}{
		"201":            {status(201, good), "gave status 201"},
		"204":            {status(204, ""), "gave status 204 with no content type"},
		"206":            {status(206, good), "gave status 206"},
		"304":            {status(304, ""), "gave status 304"},
		"404 of a page":  {status(404, "<html>"), "gave status 404 with text/html"},
		"422":            {status(422, `{"message":"invalid date"}`), "gave status 422"},
		"302 to nowhere": {status(302, ""), "gave status 302"},
		"a hostile type": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/\u202e\x9b31m"+strings.Repeat("x", 5000))
			w.WriteHeader(404)
		}, "gave status 404 with text/"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { wantNoService(t, tt.handler, tt.says) })
		})
	}
}

// wantNoService checks that an answer is an error of the backing service:
// logged, counted, never shown as a number.
func wantNoService(t *testing.T, h http.HandlerFunc, says string) {
	t.Helper()
	// With nothing known from before.
	u := serveInMemory(t, h)
	c := u.attach(t, "")
	r, err := c.Latest(t.Context())
	wantErr(t, err, quote.ErrRatesUnavailable)
	want(t, "table", r.Table, nil)
	want(t, "requests", u.requests.Load(), 1) // asking again would not help
	want(t, "state", c.Status().State, Detached)

	// With rates known from before.
	c = serveInMemory(t, inTurn(answer(good), h)).attach(t, "?max_age=1m")
	c.mustLatest(t)
	time.Sleep(2 * time.Minute)
	r = c.mustLatest(t)
	want(t, "rate", usd(t, r), "1.1699")
	want(t, "stale", r.Stale, true)
	want(t, "state", c.Status().State, Stale)

	want(t, "outcome", c.last(t).Outcome, NoService)
	warned := c.warnings(t)
	if len(warned) != 1 || warned[0]["msg"] != "backing service failed" || warned[0]["outcome"] != string(NoService) {
		t.Fatalf("got the warnings %v, want one", warned)
	}
	logged, _ := warned[0]["error"].(string)
	want(t, "last error", c.Status().LastError, logged)
	want(t, "error of the last call", c.last(t).Error, logged)
	if !strings.Contains(logged, says) {
		t.Errorf("got the reason %q, want it to say %q", logged, says)
	}
	wantClean(t, logged)
	wantClean(t, err.Error())
}

// wantClean checks that a text may be shown in a terminal.
func wantClean(t *testing.T, text string) {
	t.Helper()
	if len(text) > 250 || !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsGraphic(r) }) {
		t.Errorf("got a text of %d bytes that is not clean: %q", len(text), text)
	}
}

func TestADayThatIsNotWhatWasAskedFor(t *testing.T) {
	for name, tt := range map[string]struct{ asked, says string }{
		"a later day":       {"2026-08-20", "the rates of 2026-08-21 where 2026-08-20 was asked for"},
		"over 14 days back": {"2026-09-05", "the rates of 2026-08-21, over 14 days before 2026-09-05"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := serveInMemory(t, answer(good)).attach(t, "")
				_, err := c.On(t.Context(), date(t, tt.asked))
				wantErr(t, err, quote.ErrRatesUnavailable)
				want(t, "outcome", c.last(t).Outcome, NoService)
				if got := c.last(t).Error; !strings.Contains(got, tt.says) {
					t.Errorf("got the reason %q, want it to say %q", got, tt.says)
				}
			})
		})
	}
}

func TestWhatTheContractLeavesOpenIsTaken(t *testing.T) {
	for name, body := range map[string]string{
		"fields that we do not read":    with(`{"amount"`, `{"docs":{"a":[1,2]},"amount"`),
		"an amount of 1":                with("1.0", "1"),
		"an amount of 1e0":              with("1.0", "1e0"),
		"the euro's own rate":           with(`"JPY"`, `"EUR":1.0,"JPY"`),
		"a currency that we lack":       with("JPY", "XTS"),
		"blanks around it":              "\r\n " + good + "\n",
		"500 codes":                     with(`"JPY":185.66,"USD"`, strings.Replace(manyCodes(499), `"USD":2,`, "", 1)+`,"USD"`),
		"tomorrow's date, east of here": with("2026-08-21", "2026-08-23"),
		"a date of long ago":            with("2026-08-21", "1999-01-04"),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				want(t, "rate", usd(t, serveInMemory(t, answer(body)).attach(t, "").mustLatest(t)), "1.1699")
			})
		})
	}
}

func FuzzDecodeDay(f *testing.F) {
	f.Add([]byte(good))
	for _, tt := range foreign {
		if len(tt.body) < 1000 {
			f.Add([]byte(tt.body))
		}
	}
	today := quote.DateOf(start)
	usd, err := quote.LookupCurrency("USD")
	if err != nil {
		f.Fatal(err)
	}
	eur, err := quote.LookupCurrency("EUR")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		table, err := decodeDay(body, today, today)
		if (table == nil) == (err == nil) {
			t.Fatalf("got %v, %v", table, err)
		}
		if err != nil {
			wantClean(t, failf(NoService, "%v", err).Error())
			return
		}
		if back := today.DaysSince(table.Date()); back < 0 || back > lookBack {
			t.Errorf("got the rates of %v", table.Date())
		}
		if rate, err := table.Cross(eur, usd); err == nil {
			if again, err := quote.ParseRate(rate.String()); err != nil || again != rate {
				t.Errorf("got a rate of %v", rate)
			}
		}
		saysNotFound(body)
	})
}
