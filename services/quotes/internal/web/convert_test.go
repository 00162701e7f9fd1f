package web_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

// conversion is the JSON of one, all fields in order.
func conversion(source, target, sourceAmount, targetAmount, rate, rateDate string, stale bool, age string) string {
	return fmt.Sprintf(`{"sourceCurrency":%q,"targetCurrency":%q,"sourceAmount":%q,"targetAmount":%q,"rate":%q,"rateDate":%q,"stale":%t,"age":%q}`+"\n",
		source, target, sourceAmount, targetAmount, rate, rateDate, stale, age)
}

func TestConvert(t *testing.T) {
	a := start(t, "")
	for name, tt := range map[string]struct{ query, want string }{
		"a published rate": {query("amount", "100.00", "source", "EUR", "target", "USD"),
			conversion("EUR", "USD", "100.00", "116.99", "1.1699", "2026-08-21", false, "0s")},
		"to the euro": {query("amount", "100.00", "source", "USD", "target", "EUR"),
			conversion("USD", "EUR", "100.00", "85.48", "0.8547739123", "2026-08-21", false, "0s")},
		"a cross rate": {query("amount", "1", "source", "JPY", "target", "IDR"),
			conversion("JPY", "IDR", "1", "111.28", "111.275342023", "2026-08-21", false, "0s")},
		"an amount without decimals": {query("amount", "7", "source", "EUR", "target", "JPY"),
			conversion("EUR", "JPY", "7.00", "1300", "185.66", "2026-08-21", false, "0s")},
		"three decimals": {query("amount", "0.001", "source", "KWD", "target", "JPY"),
			conversion("KWD", "JPY", "0.001", "1", "515.722222222", "2026-08-21", false, "0s")},
		"leading zeros": {query("amount", "0100.5", "source", "EUR", "target", "USD"),
			conversion("EUR", "USD", "100.50", "117.57", "1.1699", "2026-08-21", false, "0s")},
		"the most digits": {query("amount", "999999999999999.99", "source", "EUR", "target", "USD"),
			conversion("EUR", "USD", "999999999999999.99", "1169899999999999.99", "1.1699", "2026-08-21", false, "0s")},
		"a past day": {query("amount", "100.00", "source", "EUR", "target", "USD", "date", "2026-08-20"),
			conversion("EUR", "USD", "100.00", "116.81", "1.1681", "2026-08-20", false, "0s")},
		"today": {query("amount", "100.00", "source", "EUR", "target", "USD", "date", "2026-08-22"),
			conversion("EUR", "USD", "100.00", "116.99", "1.1699", "2026-08-22", false, "0s")},
		"an empty date, as the form sends it": {query("amount", "100.00", "source", "EUR", "target", "USD", "date", ""),
			conversion("EUR", "USD", "100.00", "116.99", "1.1699", "2026-08-21", false, "0s")},
		"a parameter that nobody knows": {query("amount", "100.00", "source", "EUR", "target", "USD", "utm", "1"),
			conversion("EUR", "USD", "100.00", "116.99", "1.1699", "2026-08-21", false, "0s")},
	} {
		t.Run(name, func(t *testing.T) {
			r := a.get(t, "/v1/convert?"+tt.query)
			wantEqual(t, "status", r.status, http.StatusOK)
			wantEqual(t, "body", r.body, tt.want)
			wantEqual(t, "content type", r.header.Get("Content-Type"), "application/json")
			wantEqual(t, "cache control", r.header.Get("Cache-Control"), "no-store")
			wantEqual(t, "type options", r.header.Get("X-Content-Type-Options"), "nosniff")
		})
	}
}

func TestConvertSaysHowOldAndWhetherStale(t *testing.T) {
	a := start(t, "?max_age=5m&max_stale=24h")
	say := func(stale bool, age string) string {
		return conversion("EUR", "USD", "100.00", "116.99", "1.1699", "2026-08-21", stale, age)
	}
	wantEqual(t, "at first", a.get(t, convert100).body, say(false, "0s"))
	a.pass(12*time.Second + 900*time.Millisecond)
	wantEqual(t, "12 s later", a.get(t, convert100).body, say(false, "12s"))

	a.becomes(reply(http.StatusNotFound, "<html>"))
	a.pass(10 * time.Minute)
	wantEqual(t, "when asking fails", a.get(t, convert100).body, say(true, "10m12s"))

	a.pass(24 * time.Hour)
	p := wantProblem(t, a.get(t, convert100), http.StatusServiceUnavailable, "rates-too-old", "")
	wantEqual(t, "detail", p.Detail, "the newest known are 24h10m13s old, and asking for newer ones fails")

	a.becomes(rates)
	wantEqual(t, "when it is back", a.get(t, convert100).body, say(false, "0s"))
}

func TestConvertWithoutTheBackingService(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"another service":  reply(http.StatusOK, "<script>alert('hostile')</script>"),
		"its error page":   reply(http.StatusNotFound, `{"message":"hostile"}`),
		"refusing":         reply(http.StatusUnauthorized, "hostile"),
		"failing":          reply(http.StatusInternalServerError, "hostile"),
		"lying":            reply(http.StatusOK, `{"amount":1,"base":"EUR","date":"2026-08-21","rates":{"USD":0,"hostile":1}}`),
		"hanging up on us": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			a := start(t, "?attempts=1")
			a.becomes(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Server", "hostile")
				h(w, r)
			})
			for _, target := range []string{convert100, convert100 + "&date=2026-08-20", "/v1/currencies"} {
				r := a.get(t, target)
				p := wantProblem(t, r, http.StatusServiceUnavailable, "rates-unavailable", "")
				wantEqual(t, "detail", p.Detail, "the backing service gives no usable rates now, and none are known from before")
				wantNone(t, fmt.Sprint(r), "hostile", "127.0.0.1", "status 4", "no rates service")
			}
		})
	}
}

func TestCurrenciesAreThoseOfBothSides(t *testing.T) {
	a := start(t, "")
	a.becomes(reply(http.StatusOK, `{"amount":1,"base":"EUR","date":"2026-08-21","rates":{"USD":1.1699,"XAU":0.0003,"JPY":185.66,"KWD":0.36,"ZZZ":5}}`))
	r := a.get(t, "/v1/currencies")
	wantEqual(t, "status", r.status, http.StatusOK)
	wantEqual(t, "body", r.body, `{"rateDate":"2026-08-21","currencies":[`+
		`{"code":"EUR","name":"Euro","minorUnits":2},`+
		`{"code":"JPY","name":"Japanese Yen","minorUnits":0},`+
		`{"code":"KWD","name":"Kuwaiti Dinar","minorUnits":3},`+
		`{"code":"USD","name":"US Dollar","minorUnits":2}]}`+"\n")
}

func TestMaxAgeOf0IsOneCallPerRequest(t *testing.T) {
	for name, tt := range map[string]struct {
		target string
		answer http.HandlerFunc
	}{
		"a conversion":                       {convert100, rates},
		"a conversion of a day":              {convert100 + "&date=2026-08-20", rates},
		"the currencies":                     {"/v1/currencies", rates},
		"the backing service":                {"/v1/backing", rates},
		"the page":                           {"/", rates},
		"the page of a day":                  {"/?date=2026-08-20", rates},
		"the page with a mistake":            {"/?amount=-5", rates},
		"the page of a day without rates":    {"/?date=1998-12-31", rates},
		"a conversion while asking fails":    {convert100, reply(http.StatusNotFound, "")},
		"the page while asking fails":        {"/", reply(http.StatusNotFound, "")},
		"the page of a day while it fails":   {"/?date=2026-08-20", reply(http.StatusNotFound, "")},
		"the backing service while it fails": {"/v1/backing", reply(http.StatusNotFound, "")},
	} {
		t.Run(name, func(t *testing.T) {
			a := start(t, "?max_age=0s")
			a.becomes(tt.answer)
			for n := range int64(3) {
				a.get(t, tt.target)
				wantEqual(t, "calls", a.asked.Load(), n+1)
			}
		})
	}
}
