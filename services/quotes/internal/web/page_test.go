package web_test

import (
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// hostile is what a hostile backing service, or visitor, writes everywhere.
const hostile = `"><script>alert('x')</script><b onclick=x>&amp;`

// markup is what a page is made of: its elements, and its text.
func markup(t *testing.T, page string) (elements []xml.StartElement, text string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(page))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	var b strings.Builder
	for {
		token, err := d.Token()
		switch token := token.(type) {
		case xml.StartElement:
			elements = append(elements, token.Copy())
		case xml.CharData:
			b.Write(token)
		}
		if errors.Is(err, io.EOF) {
			return elements, strings.Join(strings.Fields(b.String()), " ")
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, page)
		}
	}
}

// wantHarmless checks that a page has the elements and attributes that its
// template has, and no others.
func wantHarmless(t *testing.T, page string) {
	t.Helper()
	elements, _ := markup(t, page)
	for _, e := range elements {
		if e.Name.Local == "script" || e.Name.Local == "b" {
			t.Errorf("got the element %s in\n%s", e.Name.Local, page)
		}
		for _, a := range e.Attr {
			if strings.HasPrefix(a.Name.Local, "on") {
				t.Errorf("got the attribute %s in\n%s", a.Name.Local, page)
			}
		}
	}
}

// value is that of the form's field.
func value(t *testing.T, page, field string) string {
	t.Helper()
	elements, _ := markup(t, page)
	in := ""
	for _, e := range elements {
		attr := map[string]string{}
		for _, a := range e.Attr {
			attr[a.Name.Local] = a.Value
		}
		switch {
		case e.Name.Local == "input" && attr["name"] == field:
			return attr["value"]
		case e.Name.Local == "select":
			in = attr["name"]
		case e.Name.Local == "option" && in == field:
			if _, ok := attr["selected"]; ok {
				return attr["value"]
			}
		}
	}
	return "(none)"
}

func TestThePageConverts(t *testing.T) {
	a := start(t, "")
	for name, tt := range map[string]struct {
		target                       string
		amount, source, target2, day string
		says                         []string
	}{
		"as it is first seen": {"/", "100.00", "EUR", "USD", "",
			[]string{"100.00 EUR = 116.99 USD", "1 EUR = 1.1699 USD, reference rate of 2026-08-21, answered 0s ago."}},
		"as the form sends it": {"/?" + query("amount", "250", "source", "JPY", "target", "IDR", "date", ""), "250", "JPY", "IDR", "",
			[]string{"250 JPY = 27818.84 IDR", "1 JPY = 111.275342023 IDR, reference rate of 2026-08-21"}},
		"on a past day": {"/?date=2026-08-20", "100.00", "EUR", "USD", "2026-08-20",
			[]string{"100.00 EUR = 116.81 USD", "reference rate of 2026-08-20"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := a.get(t, tt.target)
			wantEqual(t, "status", r.status, http.StatusOK)
			wantEqual(t, "content type", r.header.Get("Content-Type"), "text/html; charset=utf-8")
			wantEqual(t, "policy", r.header.Get("Content-Security-Policy"),
				"default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
			wantEqual(t, "cache control", r.header.Get("Cache-Control"), "no-store")
			wantEqual(t, "amount", value(t, r.body, "amount"), tt.amount)
			wantEqual(t, "source", value(t, r.body, "source"), tt.source)
			wantEqual(t, "target", value(t, r.body, "target"), tt.target2)
			wantEqual(t, "date", value(t, r.body, "date"), tt.day)
			_, text := markup(t, r.body)
			wantContains(t, text, tt.says...)
			wantContains(t, text, "Source: European Central Bank.", "for information only; cross rates and rounding are ours")
			wantNone(t, text, "stale")
		})
	}
}

func TestThePageOffersTheCurrenciesOfTheDay(t *testing.T) {
	a := start(t, "")
	for target, offered := range map[string][]string{
		"/":                 {"EUR", "IDR", "JPY", "KWD", "USD"},
		"/?date=2026-08-20": {"EUR", "USD"},
	} {
		var got []string
		elements, _ := markup(t, a.get(t, target).body)
		for _, e := range elements {
			if e.Name.Local == "option" {
				got = append(got, e.Attr[0].Value)
			}
		}
		if want := append(offered, offered...); !slices.Equal(got, want) { // source and target
			t.Errorf("%s: got the options %v, want %v", target, got, want)
		}
	}
}

func TestThePageShowsTheBackingService(t *testing.T) {
	a := start(t, "?max_age=1m")
	state := func(target string) string {
		_, text := markup(t, a.get(t, target).body)
		return text[strings.Index(text, "Handle"):strings.Index(text, "Swap it")]
	}
	handle := "Handle" + a.upstream.URL + " "
	wantEqual(t, "attached", state("/"), handle+"Stateattached Serverrates/0.1.0 Newest day2026-08-21 ")

	a.pass(time.Hour)
	a.becomes(reply(http.StatusUnauthorized, ""))
	r := a.get(t, "/")
	wantEqual(t, "status", r.status, http.StatusOK)
	_, text := markup(t, r.body)
	wantContains(t, text, "100.00 EUR = 116.99 USD", "answered 1h0m0s ago. These rates are stale: asking the backing service for newer ones fails.")
	wantEqual(t, "stale", state("/"), handle+"Statestale Serverdoes not say Newest day2026-08-21 Last errorrefuses the handle's credentials: status 401 ")
}

func TestThePageWithoutABackingService(t *testing.T) {
	a := start(t, "?attempts=1")
	a.becomes(reply(http.StatusServiceUnavailable, ""))
	r := a.get(t, "/?"+query("amount", "5", "source", "GBP", "target", "CHF"))
	wantEqual(t, "status", r.status, http.StatusServiceUnavailable)
	wantEqual(t, "Retry-After", r.header.Get("Retry-After"), "5")
	_, text := markup(t, r.body)
	wantContains(t, text,
		"Rates unavailable: the backing service gives no usable rates now, and none are known from before.",
		"Statedetached", "Newest daynone known", "Last erroranswered with status 503, asked once")
	wantNone(t, text, "5.00 GBP =")
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
			wantEqual(t, "status", r.status, tt.status)
			wantEqual(t, "content type", r.header.Get("Content-Type"), "text/html; charset=utf-8")
			_, text := markup(t, r.body)
			wantContains(t, text, tt.says, "Stateattached")
			wantNone(t, text, "reference rate of 2", " = ")
			wantEqual(t, tt.field, value(t, r.body, tt.field), tt.stands)
		})
	}
}

func TestWhatOthersWroteIsEscaped(t *testing.T) {
	t.Run("in the form", func(t *testing.T) {
		a := start(t, "")
		for _, field := range []string{"amount", "source", "target", "date"} {
			r := a.get(t, "/?"+query(field, hostile))
			wantHarmless(t, r.body)
			if field == "amount" || field == "date" {
				wantEqual(t, field, value(t, r.body, field), hostile)
			}
		}
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
				_, text := markup(t, r.body)
				wantContains(t, text, "Server"+hostile)
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

func TestTheStyleSheet(t *testing.T) {
	r := start(t, "").get(t, "/style.css")
	wantEqual(t, "status", r.status, http.StatusOK)
	wantEqual(t, "content type", r.header.Get("Content-Type"), "text/css; charset=utf-8")
	wantContains(t, r.body, ".result", ".problem")
}
