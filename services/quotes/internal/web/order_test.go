package web_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"example.com/portpair/services/quotes/internal/store"
	"example.com/portpair/services/quotes/internal/web"
)

// bad is an order that is refused, and what the problem says.
type bad struct {
	body    string
	status  int
	problem string
	field   string
}

const pair = `"sourceCurrency":"EUR","targetCurrency":"USD"`

func given(amount string) string { return `{` + pair + `,"sourceAmount":` + amount + `}` }

// wantRefused posts bad orders, and checks that each is refused without asking
// either the backing service or the database.
func wantRefused(t *testing.T, orders map[string]bad) {
	t.Helper()
	d := open(t, "?max_age=0s")
	for name, tt := range orders {
		t.Run(name, func(t *testing.T) {
			r := d.post(t, "/v1/quotes", tt.body, "Idempotency-Key", "key of "+strings.Map(ascii, name))
			wantProblem(t, r, tt.status, tt.problem, tt.field)
			wantNone(t, r.body, "DROP", "script", "SELECT", "\x00")
		})
	}
	wantEqual(t, "rows", d.rows(t), 0)
	wantEqual(t, "calls to the backing service", d.asked.Load(), 0)
	if _, err := os.Stat(d.path); err == nil {
		t.Error("the database was asked")
	}
}

func TestOrdersThatCannotBeRead(t *testing.T) {
	wantRefused(t, map[string]bad{
		"nothing":                       {``, 400, "malformed-request", ""},
		"no JSON":                       {`amount=100`, 400, "malformed-request", ""},
		"cut short":                     {order[:len(order)-1], 400, "malformed-request", ""},
		"cut in a string":               {order[:len(order)-3], 400, "malformed-request", ""},
		"two objects":                   {order + order, 400, "malformed-request", ""},
		"something after it":            {order + "x", 400, "malformed-request", ""},
		"null":                          {`null`, 400, "malformed-request", ""},
		"a list":                        {`[` + order + `]`, 400, "malformed-request", ""},
		"a string":                      {`"` + pair + `"`, 400, "malformed-request", ""},
		"an empty object":               {`{}`, 400, "malformed-request", "sourceCurrency"},
		"a byte order mark":             {"\ufeff" + order, 400, "malformed-request", ""},
		"an unknown field":              {`{` + pair + `,"sourceAmount":"1","rate":"9"}`, 400, "malformed-request", "rate"},
		"an unknown field, deep":        {`{"x":` + strings.Repeat(`{"x":`, 200) + `1` + strings.Repeat(`}`, 201), 400, "malformed-request", "x"},
		"an unknown field, hostile":     {`{"<script>alert(1)</script>":1}`, 400, "malformed-request", ""},
		"an unknown field, long":        {`{"` + strings.Repeat("x", 3000) + `":1}`, 400, "malformed-request", ""},
		"a field in another case":       {`{"SourceCurrency":"EUR","targetCurrency":"USD","sourceAmount":"1"}`, 400, "malformed-request", "SourceCurrency"},
		"a field without a name":        {`{"":"EUR"}`, 400, "malformed-request", ""},
		"a field twice":                 {`{` + pair + `,"sourceAmount":"1","sourceAmount":"2"}`, 400, "malformed-request", "sourceAmount"},
		"no source":                     {`{"targetCurrency":"USD","sourceAmount":"1"}`, 400, "malformed-request", "sourceCurrency"},
		"no target":                     {`{"sourceCurrency":"EUR","sourceAmount":"1"}`, 400, "malformed-request", "targetCurrency"},
		"no amount":                     {`{` + pair + `}`, 400, "malformed-request", "sourceAmount"},
		"two amounts":                   {`{` + pair + `,"sourceAmount":"1","targetAmount":"1"}`, 400, "malformed-request", "targetAmount"},
		"a number":                      {given(`100.00`), 400, "malformed-request", "sourceAmount"},
		"a number for a currency":       {`{"sourceCurrency":978,"targetCurrency":"USD","sourceAmount":"1"}`, 400, "malformed-request", "sourceCurrency"},
		"an amount of null":             {given(`null`), 400, "malformed-request", "sourceAmount"},
		"an amount of true":             {given(`true`), 400, "malformed-request", "sourceAmount"},
		"an amount that is an object":   {given(`{"value":"1"}`), 400, "malformed-request", "sourceAmount"},
		"an amount that is a deep list": {given(strings.Repeat(`[`, 1500) + strings.Repeat(`]`, 1500)), 400, "malformed-request", "sourceAmount"},
		"4 KiB and a byte":              {order + strings.Repeat(" ", 4<<10+1-len(order)), 413, "malformed-request", ""},
		"1 MB":                          {`{"sourceCurrency":"` + strings.Repeat("E", 1<<20) + `"}`, 413, "malformed-request", ""},
		"1 MB of depth":                 {strings.Repeat(`{"x":`, 200_000), 413, "malformed-request", ""},
		"SQL for a name":                {`{"'; DROP TABLE quotes; --":"EUR"}`, 400, "malformed-request", ""},
	})
}

func TestOrdersThatAreRefused(t *testing.T) {
	wantRefused(t, map[string]bad{
		"not UTF-8":           {given("\"1\xff\""), 422, "invalid-amount", "sourceAmount"},
		"an unknown currency": {`{"sourceCurrency":"EUR","targetCurrency":"XXX","sourceAmount":"1"}`, 422, "unknown-currency", "targetCurrency"},
		"lower case":          {`{"sourceCurrency":"eur","targetCurrency":"USD","sourceAmount":"1"}`, 422, "unknown-currency", "sourceCurrency"},
		"no code at all":      {`{"sourceCurrency":"","targetCurrency":"USD","sourceAmount":"1"}`, 422, "unknown-currency", "sourceCurrency"},
		"a NUL":               {`{"sourceCurrency":"EU\u0000","targetCurrency":"USD","sourceAmount":"1"}`, 422, "unknown-currency", "sourceCurrency"},
		"the same twice":      {`{"sourceCurrency":"EUR","targetCurrency":"EUR","sourceAmount":"1"}`, 422, "same-currency", "targetCurrency"},
		"zero":                {given(`"0.00"`), 422, "invalid-amount", "sourceAmount"},
		"below zero":          {given(`"-1"`), 422, "invalid-amount", "sourceAmount"},
		"three decimals":      {given(`"1.000"`), 422, "invalid-amount", "sourceAmount"},
		"decimals of a yen":   {`{"sourceCurrency":"EUR","targetCurrency":"JPY","targetAmount":"1.0"}`, 422, "invalid-amount", "targetAmount"},
		"16 digits":           {given(`"1000000000000000"`), 422, "invalid-amount", "sourceAmount"},
		"an exponent":         {given(`"1e2"`), 422, "invalid-amount", "sourceAmount"},
		"other digits":        {given(`"１００"`), 422, "invalid-amount", "sourceAmount"},
		"blanks":              {given(`" 1"`), 422, "invalid-amount", "sourceAmount"},
		"SQL in an amount":    {given(`"1'; DROP TABLE quotes; --"`), 422, "invalid-amount", "sourceAmount"},
		"SQL in a currency":   {`{"sourceCurrency":"EUR' OR '1'='1","targetCurrency":"USD","sourceAmount":"1"}`, 422, "unknown-currency", "sourceCurrency"},
	})
}

func ascii(r rune) rune {
	if r < ' ' || r > '~' {
		return '-'
	}
	return r
}

func TestOrdersOfAnotherMediaTypeAreRefused(t *testing.T) {
	d := open(t, "")
	for _, media := range []string{"", "text/plain", "application/x-www-form-urlencoded", "application/jsonx", "application/json, text/plain", "json", "application/problem+json", ";"} {
		t.Run(media, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/quotes", strings.NewReader(order))
			r.Header["Content-Type"] = []string{media}
			wantProblem(t, d.do(t, r), http.StatusUnsupportedMediaType, "malformed-request", "Content-Type")
		})
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/quotes", strings.NewReader(order))
	wantProblem(t, d.do(t, r), http.StatusUnsupportedMediaType, "malformed-request", "Content-Type")
	wantEqual(t, "rows", d.rows(t), 0)
	for _, media := range []string{"application/json", "application/json; charset=utf-8", "Application/JSON"} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/quotes", strings.NewReader(order))
		r.Header.Set("Content-Type", media)
		wantEqual(t, media, d.do(t, r).status, http.StatusCreated)
	}
}

func TestOrdersThatOnlyTheRatesCanRefuse(t *testing.T) {
	d := open(t, "")
	for name, tt := range map[string]struct{ body, problem, field, says string }{
		"a source that the service lacks": {`{"sourceCurrency":"GBP","targetCurrency":"USD","sourceAmount":"1"}`, "unknown-currency", "sourceCurrency", "no rate of GBP"},
		"a target that the service lacks": {`{"sourceCurrency":"EUR","targetCurrency":"GBP","sourceAmount":"1"}`, "unknown-currency", "targetCurrency", "no rate of GBP"},
		"a source that comes to nothing":  {`{"sourceCurrency":"IDR","targetCurrency":"EUR","sourceAmount":"1"}`, "amount-too-small", "sourceAmount", "comes to 0.00 EUR"},
		"a target that costs nothing":     {`{"sourceCurrency":"EUR","targetCurrency":"IDR","targetAmount":"1"}`, "amount-too-small", "targetAmount", "comes to 0.00 EUR"},
		"too much to be converted":        {`{"sourceCurrency":"EUR","targetCurrency":"IDR","sourceAmount":"999999999999999.99"}`, "invalid-amount", "sourceAmount", "too large"},
	} {
		t.Run(name, func(t *testing.T) {
			p := wantProblem(t, d.post(t, "/v1/quotes", tt.body), http.StatusUnprocessableEntity, tt.problem, tt.field)
			wantContains(t, p.Detail, tt.says)
		})
	}
	wantEqual(t, "rows", d.rows(t), 0)
}

func TestLockingObeysTheRulesOfAge(t *testing.T) {
	d := open(t, "?max_age=5m&max_stale=24h&attempts=1")
	lock := func() result { return d.post(t, "/v1/quotes", order) }
	d.becomes(reply(http.StatusInternalServerError, "hostile"))
	p := wantProblem(t, lock(), http.StatusServiceUnavailable, "rates-unavailable", "")
	wantNone(t, p.Detail, "hostile", "500")

	d.becomes(rates)
	wantContains(t, lock().body, `"rateStale":false`)
	d.becomes(reply(http.StatusInternalServerError, "hostile"))
	d.pass(time.Hour)
	wantContains(t, lock().body, `"rateStale":true`)
	rows := d.rows(t)
	d.pass(23*time.Hour + time.Second)
	wantProblem(t, lock(), http.StatusServiceUnavailable, "rates-too-old", "")

	// An answer of now with a reference date of more than LOCK_MAX_DAYS ago.
	d.becomes(rates)
	d.pass(6 * 24 * time.Hour)
	p = wantProblem(t, lock(), http.StatusServiceUnavailable, "rates-too-old", "")
	wantContains(t, p.Detail, "2026-08-21 is 8 days before today")
	wantEqual(t, "a conversion goes on", d.get(t, convert100).status, http.StatusOK)
	d.becomes(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Age", fmt.Sprint(25*3600))
		fmt.Fprint(w, `{"amount":1,"base":"EUR","date":"2026-08-28","rates":{"USD":1.1699}}`)
	})
	d.pass(6 * time.Minute)
	p = wantProblem(t, lock(), http.StatusServiceUnavailable, "rates-too-old", "")
	wantContains(t, p.Detail, "answer is 25h0m0s old")
	wantEqual(t, "rows: none of these", d.rows(t), rows)
}

func TestWithoutTheDatabase(t *testing.T) {
	d := open(t, "")
	dir := strings.TrimSuffix(d.path, "/quotes.db")
	if err := os.WriteFile(dir, nil, 0o600); err != nil { // in the directory's place
		t.Fatal(err)
	}
	const quote = "/v1/quotes/0198c0de-0000-7000-8000-00000000beef"
	for name, r := range map[string]result{
		"locking": d.post(t, "/v1/quotes", order), "with a key": d.post(t, "/v1/quotes", order, "Idempotency-Key", "key"),
		"reading": d.get(t, quote), "accepting": d.post(t, quote+"/accept", ""),
	} {
		t.Run(name, func(t *testing.T) {
			p := wantProblem(t, r, http.StatusServiceUnavailable, "database-unavailable", "")
			wantNone(t, p.Detail, dir, "directory", "SQL", "quotes.db")
		})
	}
	wantEqual(t, "readiness", d.get(t, "/readyz").status, http.StatusServiceUnavailable)
	wantEqual(t, "liveness", d.get(t, "/livez").status, http.StatusOK)
	wantEqual(t, "a conversion goes on", d.get(t, convert100).status, http.StatusOK)
	wantContains(t, d.log.String(), "database unavailable: mkdir "+dir+": not a directory")

	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	wantEqual(t, "readiness when it is back", d.get(t, "/readyz").status, http.StatusOK)
	d.mustLock(t, order)
	wantEqual(t, "rows", d.rows(t), 1)
}

func TestTooManyOpenQuotes(t *testing.T) {
	d := open(t, "", func(_ *web.App, s *store.Settings, _ *string) { s.MaxOpen = 2 })
	d.mustLock(t, order)
	first := idOf(t, d.mustLock(t, order))
	p := wantProblem(t, d.post(t, "/v1/quotes", order), http.StatusServiceUnavailable, "overloaded", "")
	wantContains(t, p.Detail, "2 quotes are open")
	wantEqual(t, "reading goes on", d.get(t, "/v1/quotes/"+first).status, http.StatusOK)
	wantEqual(t, "accepting goes on", d.post(t, "/v1/quotes/"+first+"/accept", "").status, http.StatusOK)
	d.mustLock(t, order)
	wantEqual(t, "rows", d.rows(t), 3)
	d.pass(30 * time.Minute)
	d.mustLock(t, order)
}
