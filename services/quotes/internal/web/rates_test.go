package web_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// series is an answer of /v1/rates, as a client reads it.
type series struct {
	Stale bool
	Age   string
	Rates []struct{ Date, Rate string }
}

func (a *app) mustSeries(t *testing.T, parameters ...string) series {
	t.Helper()
	r := a.get(t, "/v1/rates?"+query(parameters...))
	var s series
	if err := json.Unmarshal([]byte(r.body), &s); err != nil || r.status != http.StatusOK {
		t.Fatalf("got %d %s", r.status, r.body)
	}
	return s
}

func TestTheRatesOfAPair(t *testing.T) {
	a := start(t, "")
	for name, tt := range map[string]struct{ source, target, rates string }{
		"from the euro": {"EUR", "USD", `{"date":"2026-08-19","rate":"1.10819"},{"date":"2026-08-20","rate":"1.1681"},{"date":"2026-08-21","rate":"1.1699"}`},
		"to the euro":   {"USD", "EUR", `{"date":"2026-08-19","rate":"0.902372336874"},{"date":"2026-08-20","rate":"0.856091088092"},{"date":"2026-08-21","rate":"0.8547739123"}`},
		"a cross rate, and a day that has none": {"JPY", "USD",
			`{"date":"2026-08-19","rate":"0.00598756550478"},{"date":"2026-08-21","rate":"0.00630130345793"}`},
	} {
		t.Run(name, func(t *testing.T) {
			r := a.get(t, "/v1/rates?"+query("source", tt.source, "target", tt.target, "from", "2026-08-19", "to", "2026-08-21"))
			wantJSON(t, r, http.StatusOK, fmt.Sprintf(`{"sourceCurrency":%q,"targetCurrency":%q,"stale":false,"age":"0s","rates":[%s]}`+"\n", tt.source, tt.target, tt.rates))
			wantEqual(t, "Vary", r.header.Get("Vary"), "Accept")
		})
	}
}

func TestTheRatesOfAPairAsCSV(t *testing.T) {
	a := start(t, "")
	const want = "date,EUR/USD\n2026-08-18,1.10818\n2026-08-19,1.10819\n2026-08-20,1.1681\n2026-08-21,1.1699\n"
	for name, tt := range map[string]struct{ path, accept string }{
		"by its path":         {ratesUSDAsCSV, "*/*"},
		"by its path, always": {ratesUSDAsCSV, "application/json"},
		"by Accept":           {ratesUSD, "text/csv"},
		"by Accept, first":    {ratesUSD, "text/csv;q=0.9, */*;q=0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, tt.path, nil)
			request.Header.Set("Accept", tt.accept)
			r := a.do(t, request)
			wantEqual(t, "status", r.status, http.StatusOK)
			wantEqual(t, "body", r.body, want)
			for name, value := range map[string]string{
				"Content-Type": "text/csv; charset=utf-8", "Content-Disposition": `attachment; filename="EUR-USD.csv"`,
				"Vary": "Accept", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
			} {
				wantEqual(t, name, r.header.Get(name), value)
			}
			if _, err := csv.NewReader(strings.NewReader(r.body)).ReadAll(); err != nil {
				t.Error(err)
			}
		})
	}
	for _, accept := range []string{"", "*/*", "application/json", "text/html", "application/json, text/csv"} {
		request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, ratesUSD, nil)
		request.Header.Set("Accept", accept)
		wantEqual(t, "content type for "+accept, a.do(t, request).header.Get("Content-Type"), "application/json")
	}
}

func TestTheRatesAreOfAllDaysUnlessToldOtherwise(t *testing.T) {
	a := start(t, "")
	asked := make(chan string, 1)
	a.becomes(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.RequestURI()
		rates(w, r)
	})
	for name, tt := range map[string]struct {
		from, to, asked string
		first, last     string
		days            int
	}{
		"all":      {"", "", "1999-01-04..2026-08-22", firstDay, newestDay, 82},
		"since":    {"2026-08-01", "", "2026-08-01..2026-08-22", "2026-08-01", newestDay, 21},
		"until":    {"", "2026-06-03", "1999-01-04..2026-06-03", firstDay, "2026-06-03", 3},
		"between":  {"2026-07-01", "2026-07-31", "2026-07-01..2026-07-31", "2026-07-01", "2026-07-31", 31},
		"a day":    {"2026-07-01", "2026-07-01", "2026-07-01..2026-07-01", "2026-07-01", "2026-07-01", 1},
		"long ago": {"0001-01-01", "2026-06-01", "0001-01-01..2026-06-01", firstDay, firstDay, 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := a.mustSeries(t, "source", "EUR", "target", "USD", "from", tt.from, "to", tt.to)
			wantEqual(t, "asked for", <-asked, "/v1/"+tt.asked+"?symbols=USD")
			if len(s.Rates) != tt.days || s.Rates[0].Date != tt.first || s.Rates[tt.days-1].Date != tt.last {
				t.Errorf("got %v, want %d days from %s to %s", s.Rates, tt.days, tt.first, tt.last)
			}
		})
	}
}

// A chart shows what a conversion on each of its days says.
func TestTheRatesAreThoseOfConversions(t *testing.T) {
	a := start(t, "")
	for _, pair := range [][2]string{{"EUR", "USD"}, {"USD", "EUR"}, {"EUR", "IDR"}, {"IDR", "KWD"}, {"KWD", "JPY"}, {"JPY", "USD"}} {
		for _, d := range a.mustSeries(t, "source", pair[0], "target", pair[1], "from", "2026-08-01").Rates {
			var c struct{ Rate, RateDate string }
			r := a.get(t, "/v1/convert?"+query("amount", "1000000", "source", pair[0], "target", pair[1], "date", d.Date))
			if err := json.Unmarshal([]byte(r.body), &c); err != nil {
				t.Fatal(err)
			}
			wantEqual(t, "date", c.RateDate, d.Date)
			wantEqual(t, strings.Join(pair[:], "/")+" on "+d.Date, d.Rate, c.Rate)
		}
	}
}

func TestTheRatesAreKeptLikeAnyAnswer(t *testing.T) {
	a := start(t, "?max_age=1m&max_stale=1h&attempts=1")
	of := []string{"source", "EUR", "target", "USD"}
	first := a.mustSeries(t, of...)
	a.pass(time.Minute - time.Second)
	wantEqual(t, "age", a.mustSeries(t, of...).Age, "59s")
	a.get(t, "/v1/rates.csv?"+query(of...))
	wantEqual(t, "calls within max_age", a.asked.Load(), 1)
	a.pass(time.Second)
	wantEqual(t, "age", a.mustSeries(t, of...).Age, "0s")
	wantEqual(t, "calls after max_age", a.asked.Load(), 2)

	a.becomes(reply(http.StatusInternalServerError, ""))
	a.pass(time.Hour)
	s := a.mustSeries(t, of...)
	wantEqual(t, "stale", s.Stale, true)
	wantEqual(t, "age", s.Age, "1h0m0s")
	wantEqual(t, "days", len(s.Rates), len(first.Rates))
	wantProblem(t, a.get(t, "/v1/rates?source=EUR&target=JPY"), http.StatusServiceUnavailable, "rates-unavailable", "")
	a.pass(time.Second)
	for _, path := range []string{"/v1/rates?", "/v1/rates.csv?"} {
		wantProblem(t, a.get(t, path+query(of...)), http.StatusServiceUnavailable, "rates-too-old", "")
	}
}

func TestRatesThatCannotBe(t *testing.T) {
	const future = "2026-08-23 is in the future; today is 2026-08-22 (UTC)"
	pair := func(more ...string) string {
		return query(append([]string{"source", "EUR", "target", "USD"}, more...)...)
	}
	for name, tt := range map[string]struct {
		query   string
		status  int
		problem string
		field   string
		says    string
		calls   int64
	}{
		"no source":            {query("target", "USD"), 400, "malformed-request", "source", "it is missing", 0},
		"no target":            {query("source", "USD"), 400, "malformed-request", "target", "it is missing", 0},
		"two targets":          {pair("target", "JPY"), 400, "malformed-request", "target", "it is given 2 times", 0},
		"an unknown currency":  {query("source", "EUR", "target", "XXX"), 422, "unknown-currency", "target", "XXX is none that is known here", 0},
		"a path":               {query("source", "../latest", "target", "USD"), 422, "unknown-currency", "source", "a code is three capital letters", 0},
		"more parameters":      {query("source", "EUR", "target", "USD&base=JPY"), 422, "unknown-currency", "target", "a code is three capital letters", 0},
		"the same currency":    {query("source", "EUR", "target", "EUR"), 422, "same-currency", "target", "source and target are both EUR", 0},
		"no day":               {pair("from", "yesterday"), 400, "malformed-request", "from", "write a day of the calendar", 0},
		"no day, at the end":   {pair("to", "2026-02-30"), 400, "malformed-request", "to", "write a day of the calendar", 0},
		"two ends":             {pair("to", "2026-08-20", "to", "2026-08-21"), 400, "malformed-request", "to", "it is given 2 times", 0},
		"an end before it all": {pair("to", "1998-01-01"), 400, "malformed-request", "to", "it is before from", 0},
		"the end first":        {pair("from", "2026-08-20", "to", "2026-08-19"), 400, "malformed-request", "to", "it is before from", 0},
		"a day to come":        {pair("from", "2026-08-23"), 404, "no-rates-for-date", "from", future, 0},
		"an end to come":       {pair("to", "2026-08-23"), 404, "no-rates-for-date", "to", future, 0},
		"broken encoding":      {pair() + "&from=%", 400, "malformed-request", "", "the query cannot be read", 0},
		"days before all":      {pair("from", "1980-01-01", "to", "1980-12-31"), 404, "no-rates-for-date", "", "the backing service has none for EUR and USD from 1980-01-01 to 1980-12-31", 1},
		"a pair without a day": {query("source", "JPY", "target", "USD", "from", "2026-08-20", "to", "2026-08-20"), 404, "no-rates-for-date", "", "the backing service has none for JPY and USD from 2026-08-20 to 2026-08-20", 1},
		"one that rates lack":  {query("source", "EUR", "target", "AED", "from", "2026-08-20"), 404, "no-rates-for-date", "", "the backing service has none for EUR and AED", 1},
	} {
		t.Run(name, func(t *testing.T) {
			a := start(t, "")
			for _, path := range []string{"/v1/rates?", "/v1/rates.csv?"} {
				p := wantProblem(t, a.get(t, path+tt.query), tt.status, tt.problem, tt.field)
				wantContains(t, p.Detail, tt.says)
			}
			wantEqual(t, "calls to the backing service", a.asked.Load(), 2*tt.calls)
		})
	}
}
