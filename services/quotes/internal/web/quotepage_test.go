package web_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"example.com/portpair/services/quotes/internal/store"
	"example.com/portpair/services/quotes/internal/web"
)

const formType = "application/x-www-form-urlencoded"

// lockForm is what the page's form sends, with something else in some fields.
func lockForm(changed ...string) string {
	fields := map[string]string{"amount": "100.00", "source": "EUR", "target": "USD", "key": "of the page"}
	for i := 0; i+1 < len(changed); i += 2 {
		fields[changed[i]] = changed[i+1]
	}
	return query("amount", fields["amount"], "source", fields["source"], "target", fields["target"], "key", fields["key"])
}

// wantLed checks that an answer leads to the page of a quote, and returns its
// path.
func wantLed(t *testing.T, r result) string {
	t.Helper()
	to := r.header.Get("Location")
	if r.status != http.StatusSeeOther || !strings.HasPrefix(to, "/quotes/") || len(to) != len("/quotes/"+beef) {
		t.Fatalf("got %d, Location %q, want it to lead to a quote\n%s", r.status, to, r.body)
	}
	return to
}

func TestLockingFromThePage(t *testing.T) {
	d := open(t, "?attempts=1")
	page := d.get(t, "/?amount=100").body
	key := value(t, page, "key")
	wantContains(t, page, `<form class="lock" method="post" action="/quotes">`, `name="amount" value="100.00"`)
	if other := value(t, d.get(t, "/?amount=100").body, "key"); len(key) < 36 || key == other {
		t.Fatalf("got the keys %q and %q, want them unguessable", key, other)
	}

	one := wantLed(t, d.form(t, "/quotes", lockForm("key", key)))
	id := strings.TrimPrefix(one, "/quotes/")
	wantEqual(t, "title", within(t, d.get(t, one).body, "id=quote-title"), "Quote ACTIVE")
	wantJSON(t, d.get(t, "/v1"+one), http.StatusOK, as(id, "ACTIVE", "EUR", "USD", "100.00", "116.99", "SOURCE", "1.1699", false, nine, halfPast, "null"))

	for name, fields := range map[string]string{
		"a second click":     lockForm("key", key),
		"written otherwise":  lockForm("key", key, "amount", "0100"),
		"with a day, unused": lockForm("key", key) + "&date=2026-06-01",
	} {
		wantEqual(t, name, wantLed(t, d.form(t, "/quotes", fields)), one)
	}
	wantEqual(t, "rows", d.rows(t), 1)
	seen := map[string]bool{one: true}
	for name, fields := range map[string]string{
		"another amount":   lockForm("key", key, "amount", "100.01"),
		"another currency": lockForm("key", key, "target", "JPY"),
		"the way back":     lockForm("key", key, "source", "USD", "target", "EUR"),
		"another page":     lockForm("key", key+"2"),
	} {
		at := wantLed(t, d.form(t, "/quotes", fields))
		if seen[at] {
			t.Errorf("%s: got a quote that there was before", name)
		}
		seen[at] = true
	}
	wantEqual(t, "rows", d.rows(t), 5)
	wantContains(t, d.get(t, "/metrics").body, "\nquotes_locked_total 5\n")

	d.becomes(reply(http.StatusInternalServerError, ""))
	wantEqual(t, "a click without the backing service", wantLed(t, d.form(t, "/quotes", lockForm("key", key))), one)
}

func TestWhatThePageCannotLock(t *testing.T) {
	for name, tt := range map[string]struct {
		fields, contentType string
		status              int
		says                string
	}{
		"no key":                 {query("amount", "1", "source", "EUR", "target", "USD"), formType, 400, "Malformed request (key): it is missing"},
		"an empty key":           {lockForm("key", ""), formType, 400, "Malformed request (key): 1 to 255 characters"},
		"a key too long":         {lockForm("key", strings.Repeat("k", 256)), formType, 400, "Malformed request (key): 1 to 255 characters"},
		"two keys":               {lockForm() + "&key=2", formType, 400, "Malformed request (key): it is given 2 times"},
		"two amounts":            {lockForm() + "&amount=2", formType, 400, "Malformed request (amount): it is given 2 times"},
		"no amount":              {query("source", "EUR", "target", "USD", "key", "k"), formType, 400, "Malformed request (amount): it is missing"},
		"nothing":                {"", formType, 400, "Malformed request (source): it is missing"},
		"a negative amount":      {lockForm("amount", "-1"), formType, 422, "Invalid amount (amount): write it like 100.00"},
		"zero":                   {lockForm("amount", "0"), formType, 422, "Invalid amount (amount): it must be more than zero"},
		"a decimal of a yen":     {lockForm("amount", "1.5", "source", "JPY"), formType, 422, "Invalid amount (amount): write it like 100, no separators of thousands: up to 15 digits, no decimals for JPY"},
		"nothing's worth":        {lockForm("amount", "0.01", "source", "IDR"), formType, 422, "Amount too small (amount): 0.01 IDR comes to 0.00 USD"},
		"the same currency":      {lockForm("target", "EUR"), formType, 422, "Same currency (target): source and target are both EUR"},
		"an unknown currency":    {lockForm("target", "XXX"), formType, 422, "Unknown currency (target): XXX is none that is known here"},
		"one that rates lack":    {lockForm("target", "AED"), formType, 422, "Unknown currency (target): the backing service has no rate of AED"},
		"a form that is broken":  {"amount=%zz", formType, 400, "the form cannot be read"},
		"a form that is too big": {strings.Repeat("a=b&", 1024) + lockForm(), formType, 413, "at most 4096 bytes"},
		"JSON":                   {order, "application/json", 415, "send application/x-www-form-urlencoded"},
		"a form as text":         {lockForm(), "text/plain", 415, "send application/x-www-form-urlencoded"},
		"a form in parts":        {lockForm(), "multipart/form-data; boundary=x", 415, "send application/x-www-form-urlencoded"},
		"a type that is none":    {lockForm(), "a form", 415, "send application/x-www-form-urlencoded"},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t, "")
			r := d.post(t, "/quotes", tt.fields, "Content-Type", tt.contentType)
			wantPage(t, r, tt.status)
			wantContains(t, within(t, r.body, "role=alert"), tt.says)
			wantEqual(t, "rows", d.rows(t), 0)
		})
	}
}

func TestWhatIsNotThereToLockFromThePage(t *testing.T) {
	for name, tt := range map[string]struct {
		world world
		says  string
		rows  int
	}{
		"the rates":    {withoutRates, "Rates unavailable: the backing service gives no usable rates now", 0},
		"new rates":    {withOldRates, "Rates too old: the reference date 2026-08-21 is 31 days before today", 0},
		"the database": {withoutDatabase, "Database unavailable: the database cannot be asked now", 0},
		"room":         {full, "Overloaded: ", 1},
	} {
		t.Run(name, func(t *testing.T) {
			d := tt.world(t)
			r := d.form(t, "/quotes", lockForm("amount", "7.50"))
			wantPage(t, r, http.StatusServiceUnavailable)
			wantContains(t, within(t, r.body, "id=answer"), tt.says)
			wantEqual(t, "amount", value(t, r.body, "amount"), "7.50") // to be tried again
			wantEqual(t, "rows", d.rows(t), tt.rows)
		})
	}
}

func TestThePageOfAQuote(t *testing.T) {
	d := open(t, "?max_age=1m&attempts=1")
	path := wantLed(t, d.form(t, "/quotes", lockForm("amount", "1000.00")))
	id := strings.TrimPrefix(path, "/quotes/")
	d.pass(10 * time.Minute)
	r := d.get(t, path)
	wantPage(t, r, http.StatusOK)
	wantContains(t, within(t, r.body, "class=card quote"),
		"Quote ACTIVE 1,000.00 EUR = 1,169.90 USD 1 EUR = 1.1699 USD Holds until 22 August 2026, 09:30:00 UTC Accept ",
		"Given1,000.00 EUR Reference dateFriday 21 August 2026 Locked22 August 2026, 09:00:00 UTC Id"+id)
	wantContains(t, r.body, `data-left="1200000"`, `<progress max="1800000" value="1200000"`, `datetime="2026-08-22T09:30:00Z"`,
		`<form method="post" action="`+path+`/accept">`)
	wantNone(t, r.body, "Source:") // the backing service may be another than then

	d.pass(20 * time.Minute)
	r = d.get(t, path)
	wantPage(t, r, http.StatusOK)
	wantContains(t, within(t, r.body, "class=card quote"), "Quote EXPIRED 1,000.00 EUR = 1,169.90 USD",
		"It held until 22 August 2026, 09:30:00 UTC, and nobody accepted it. Look at the rate of now.")
	wantNone(t, r.body, "<form", "<progress")

	d.becomes(reply(http.StatusInternalServerError, ""))
	stale := idOf(t, d.mustLock(t, `{"sourceCurrency":"EUR","targetCurrency":"JPY","targetAmount":"5000"}`))
	r = d.get(t, "/quotes/"+strings.ToUpper(stale))
	wantContains(t, within(t, r.body, "class=card quote"), "26.93 EUR = 5,000 JPY", "Given5,000 JPY", "Friday 21 August 2026, stale when it was locked")
}

// A page may stand open while a newer day is published: what it locks is what
// it shows.
func TestTheRateThatIsLockedIsTheOneThatWasSeen(t *testing.T) {
	d := open(t, "")
	wantContains(t, d.get(t, "/?amount=100.00").body, `<input type="hidden" name="rate" value="1.1699">`)
	r := d.form(t, "/quotes", lockForm()+"&rate=1.25")
	wantPage(t, r, http.StatusConflict)
	wantContains(t, within(t, r.body, "id=answer"), "100.00 EUR = 116.99 USD", "Lock this rate",
		"The rate has changed: it was 1.25 when you looked; nothing was locked.")
	wantEqual(t, "rows", d.rows(t), 0)

	one := wantLed(t, d.form(t, "/quotes", lockForm()+"&rate=1.1699"))
	wantEqual(t, "a second click, after the newer day came", wantLed(t, d.form(t, "/quotes", lockForm()+"&rate=1.25")), one)
	wantEqual(t, "rows", d.rows(t), 1)
}

func TestAcceptingFromThePage(t *testing.T) {
	d := open(t, "")
	one, late := wantLed(t, d.form(t, "/quotes", lockForm())), wantLed(t, d.form(t, "/quotes", lockForm("key", "2")))
	d.pass(5 * time.Minute)
	for range 2 { // a second click
		wantEqual(t, "leads to", wantLed(t, d.form(t, one+"/accept", "")), one)
		r := d.get(t, one)
		wantPage(t, r, http.StatusOK)
		wantContains(t, within(t, r.body, "class=card quote"), "Quote ACCEPTED", "Accepted on 22 August 2026, 09:05:00 UTC.")
		wantNone(t, r.body, "<form", "<progress")
		d.pass(time.Hour)
	}
	wantEqual(t, "too late, leads to", wantLed(t, d.form(t, late+"/accept", "")), late)
	wantEqual(t, "title", within(t, d.get(t, late).body, "id=quote-title"), "Quote EXPIRED")
	wantContains(t, d.get(t, "/metrics").body, "\nquotes_accepted_total 1\n")
}

func TestTheFormsOfAnotherOriginAreRefused(t *testing.T) {
	d := open(t, "")
	one := wantLed(t, d.form(t, "/quotes", lockForm()))
	for name, headers := range map[string][]string{
		"says the browser":      {"Sec-Fetch-Site", "cross-site"},
		"of a sibling":          {"Sec-Fetch-Site", "same-site"},
		"says an older browser": {"Origin", "https://example.org"},
	} {
		t.Run(name, func(t *testing.T) {
			headers := append(headers, "Content-Type", formType)
			wantProblem(t, d.post(t, "/quotes", lockForm("key", "another"), headers...), http.StatusForbidden, "about:blank", "")
			wantProblem(t, d.post(t, one+"/accept", "", headers...), http.StatusForbidden, "about:blank", "")
		})
	}
	wantEqual(t, "rows", d.rows(t), 1)
	wantEqual(t, "title", within(t, d.get(t, one).body, "id=quote-title"), "Quote ACTIVE")
}

func TestAQuoteThatThereIsNotIsAPage(t *testing.T) {
	d := open(t, "")
	for _, id := range []string{beef, "1", "%3Cscript%3E", "%00", "urn:uuid:" + beef} {
		for _, r := range []result{d.get(t, "/quotes/"+id), d.form(t, "/quotes/"+id+"/accept", "")} {
			wantPage(t, r, http.StatusNotFound)
			wantContains(t, r.body, "<h1>Quote not found</h1>", `<a href="/">`)
		}
	}
}

func TestWithoutADatabaseAQuoteIsAPageThatSaysSo(t *testing.T) {
	d := withoutDatabase(t)
	for _, r := range []result{d.get(t, "/quotes/"+beef), d.form(t, "/quotes/"+beef+"/accept", "")} {
		wantPage(t, r, http.StatusServiceUnavailable)
		wantContains(t, within(t, r.body, "role=alert"), "the database cannot be asked now")
	}
	wantPage(t, d.get(t, "/"), http.StatusOK) // which needs none
}

func TestThePageOfAQuoteSurvivesARestart(t *testing.T) {
	d := open(t, "")
	one := wantLed(t, d.form(t, "/quotes", lockForm()))
	again := open(t, "", func(_ *web.App, _ *store.Settings, path *string) { *path = d.path })
	again.becomes(reply(http.StatusInternalServerError, "")) // nor does it need the backing service
	wantEqual(t, "title", within(t, again.get(t, one).body, "id=quote-title"), "Quote ACTIVE")
	wantLed(t, again.form(t, one+"/accept", ""))
	wantEqual(t, "title", within(t, d.get(t, one).body, "id=quote-title"), "Quote ACCEPTED")
}

func TestTheFormsArePosted(t *testing.T) {
	d := open(t, "")
	one := wantLed(t, d.form(t, "/quotes", lockForm()))
	for path, leads := range map[string]string{"/quotes": "/", one + "/accept": one} {
		r := d.get(t, path) // where a browser is after a form that failed
		wantEqual(t, "status", r.status, http.StatusSeeOther)
		wantEqual(t, "leads to", r.header.Get("Location"), leads)
		for _, method := range []string{"PUT", "DELETE"} {
			r := d.do(t, httptest.NewRequestWithContext(t.Context(), method, path, nil))
			wantEqual(t, "status of "+method+" "+path, r.status, http.StatusMethodNotAllowed)
			wantEqual(t, "Allow", r.header.Get("Allow"), "GET, HEAD, POST")
		}
	}
	wantEqual(t, "title", within(t, d.get(t, one).body, "id=quote-title"), "Quote ACTIVE")
}
