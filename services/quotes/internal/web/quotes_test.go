package web_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"example.com/portpair/services/quotes/internal/ratesapi"
	"example.com/portpair/services/quotes/internal/store"
	"example.com/portpair/services/quotes/internal/web"
	"example.com/portpair/services/twelve/port"
	"example.com/portpair/services/twelve/resource"
	"example.com/portpair/services/twelve/telemetry"
)

// desk is an app that keeps quotes, in an SQLite file.
type desk struct {
	*app
	path string
}

// open makes a desk; options are those of its handle, change what is usual.
func open(t testing.TB, options string, change ...func(*web.App, *store.Settings, *string)) *desk {
	t.Helper()
	d := &desk{start(t, options), filepath.Join(t.TempDir(), "var", "quotes.db")}
	routes := web.App{Metrics: telemetry.New("quotes", "test"), Log: d.logger, Now: d.time, LockFor: 30 * time.Minute, LockMaxDays: 7, MaxInFlight: 64}
	settings := store.Settings{TTL: 30 * time.Minute, Retention: 24 * time.Hour, MaxOpen: 100}
	for _, c := range change {
		c(&routes, &settings, &d.path)
	}
	handle, err := resource.Parse(d.upstream.URL + options)
	if err != nil {
		t.Fatal(err)
	}
	routes.Rates = ratesapi.New(handle, "quotes/test", d.logger, d.time, nil)
	t.Cleanup(routes.Rates.Close)
	if routes.Quotes, err = store.OpenSQLite(d.path, d.time, settings); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { routes.Quotes.Close() })
	routes.Health = port.NewHealth(routes.Quotes.Ready)
	d.Handler = web.Routes(routes)
	return d
}

// post sends a body, as JSON unless it says otherwise; headers are name, value, ...
func (d *desk) post(t testing.TB, target, body string, headers ...string) result {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, target, strings.NewReader(body))
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	if r.Header["Content-Type"] == nil {
		r.Header.Set("Content-Type", "application/json")
	}
	return d.do(t, r)
}

// form posts fields as a page's form does.
func (d *desk) form(t *testing.T, target, fields string) result {
	t.Helper()
	return d.post(t, target, fields, "Content-Type", "application/x-www-form-urlencoded")
}

// order is one of 100.00 EUR in USD.
const order = `{"sourceCurrency":"EUR","targetCurrency":"USD","sourceAmount":"100.00"}`

func (d *desk) mustLock(t testing.TB, body string, headers ...string) result {
	t.Helper()
	r := d.post(t, "/v1/quotes", body, headers...)
	if r.status != http.StatusCreated {
		t.Fatalf("got %d %s, want it locked", r.status, r.body)
	}
	return r
}

// rows counts what is in the database; none when there is no file at all.
func (d *desk) rows(t *testing.T) (n int) {
	t.Helper()
	if _, err := os.Stat(d.path); err != nil {
		return 0
	}
	if err := d.database(t).QueryRowContext(t.Context(), "SELECT count(*) FROM quotes").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// rename gives a quote another id.
func (d *desk) rename(t *testing.T, from, to string) {
	t.Helper()
	if _, err := d.database(t).ExecContext(t.Context(), "UPDATE quotes SET id = $1 WHERE id = $2", to, from); err != nil {
		t.Fatal(err)
	}
}

func (d *desk) database(t *testing.T) *sql.DB {
	t.Helper()
	dsn := url.URL{Scheme: "file", Opaque: (&url.URL{Path: d.path}).EscapedPath(), RawQuery: "mode=rw&_pragma=busy_timeout(5000)"}
	db, err := sql.Open("sqlite3", dsn.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

var id = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`)

func idOf(t testing.TB, r result) string {
	t.Helper()
	found := id.FindString(r.body)
	if found == "" {
		t.Fatalf("no UUID of version 7 in %s", r.body)
	}
	return found
}

// as is a quote's JSON, all fields in order. accepted is null or a time.
func as(id, status, source, target, sourceAmount, targetAmount, side, rate string, stale bool, created, expires, accepted string) string {
	if accepted != "null" {
		accepted = `"` + accepted + `"`
	}
	return fmt.Sprintf(`{"id":%q,"status":%q,"sourceCurrency":%q,"targetCurrency":%q,"sourceAmount":%q,"targetAmount":%q,"providedAmountType":%q,`+
		`"rate":%q,"rateDate":"2026-08-21","rateStale":%t,"createdTime":%q,"rateExpirationTime":%q,"acceptedTime":%s}`+"\n",
		id, status, source, target, sourceAmount, targetAmount, side, rate, stale, created, expires, accepted)
}

// The tests' clocks begin at nine.
const nine, halfPast = "2026-08-22T09:00:00Z", "2026-08-22T09:30:00Z"

func wantJSON(t *testing.T, r result, status int, want string) {
	t.Helper()
	wantEqual(t, "status", r.status, status)
	wantEqual(t, "body", r.body, want)
	wantEqual(t, "content type", r.header.Get("Content-Type"), "application/json")
	wantEqual(t, "cache control", r.header.Get("Cache-Control"), "no-store")
	if !json.Valid([]byte(r.body)) {
		t.Errorf("got %s, want JSON", r.body)
	}
}

func TestLockingAQuote(t *testing.T) {
	d := open(t, "")
	for name, tt := range map[string]struct {
		body string
		want func(id string) string
	}{
		"source given": {order, func(id string) string {
			return as(id, "ACTIVE", "EUR", "USD", "100.00", "116.99", "SOURCE", "1.1699", false, nine, halfPast, "null")
		}},
		"target given": {`{"sourceCurrency":"EUR","targetCurrency":"JPY","targetAmount":"5000"}`, func(id string) string {
			return as(id, "ACTIVE", "EUR", "JPY", "26.93", "5000", "TARGET", "185.66", false, nine, halfPast, "null")
		}},
		"a cross rate, fields in any order, blanks": {"\n{ \"targetAmount\": \"0.001\",\"targetCurrency\":\"KWD\" ,\"sourceCurrency\":\"JPY\"}\t", func(id string) string {
			return as(id, "ACTIVE", "JPY", "KWD", "1", "0.001", "TARGET", "0.00193902833136", false, nine, halfPast, "null")
		}},
		"as little as can be written": {`{"sourceCurrency":"EUR","targetCurrency":"USD","sourceAmount":"1"}`, func(id string) string {
			return as(id, "ACTIVE", "EUR", "USD", "1.00", "1.17", "SOURCE", "1.1699", false, nine, halfPast, "null")
		}},
		"escapes in the JSON": {`{"source\u0043urrency":"E\u0055R","targetCurrency":"USD","sourceAmount":"100.00"}`, func(id string) string {
			return as(id, "ACTIVE", "EUR", "USD", "100.00", "116.99", "SOURCE", "1.1699", false, nine, halfPast, "null")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			before := d.rows(t)
			r := d.post(t, "/v1/quotes", tt.body)
			quote := idOf(t, r)
			wantJSON(t, r, http.StatusCreated, tt.want(quote))
			wantEqual(t, "location", r.header.Get("Location"), "/v1/quotes/"+quote)
			wantEqual(t, "replayed", r.header.Get("Idempotent-Replayed"), "")
			wantEqual(t, "rows", d.rows(t), before+1)
			wantJSON(t, d.get(t, r.header.Get("Location")), http.StatusOK, tt.want(quote))
		})
	}
}

func TestReadingAndAccepting(t *testing.T) {
	d := open(t, "")
	accepted, expired := idOf(t, d.mustLock(t, order)), idOf(t, d.mustLock(t, order))
	quote := func(id, status, acceptedTime string) string {
		return as(id, status, "EUR", "USD", "100.00", "116.99", "SOURCE", "1.1699", false, nine, halfPast, acceptedTime)
	}
	d.pass(12*time.Second + 345_678_901*time.Nanosecond)
	d.becomes(reply(http.StatusServiceUnavailable, "")) // which is not asked any more
	asked := d.asked.Load()
	want := quote(accepted, "ACCEPTED", "2026-08-22T09:00:12.345Z")
	wantJSON(t, d.post(t, "/v1/quotes/"+accepted+"/accept", ""), http.StatusOK, want)
	for _, later := range []time.Duration{0, time.Hour, 100 * time.Hour} {
		d.pass(later)
		wantJSON(t, d.post(t, "/v1/quotes/"+accepted+"/accept", ""), http.StatusOK, want)
		wantJSON(t, d.post(t, "/v1/quotes/"+strings.ToUpper(accepted)+"/accept", "{}"), http.StatusOK, want)
		wantJSON(t, d.get(t, "/v1/quotes/"+accepted), http.StatusOK, want)
	}
	wantJSON(t, d.get(t, "/v1/quotes/"+expired), http.StatusOK, quote(expired, "EXPIRED", "null"))
	p := wantProblem(t, d.post(t, "/v1/quotes/"+expired+"/accept", ""), http.StatusGone, "quote-expired", "")
	wantEqual(t, "detail", p.Detail, "its rate held until 2026-08-22T09:30:00Z; lock a new quote")
	wantJSON(t, d.get(t, "/v1/quotes/"+expired), http.StatusOK, quote(expired, "EXPIRED", "null"))
	wantEqual(t, "calls to the backing service", d.asked.Load(), asked)
}

// An id that is none never gets as far as the database, which here is none.
func TestAnIDThatIsNoUUID(t *testing.T) {
	d := open(t, "", func(_ *web.App, _ *store.Settings, path *string) { *path = "/dev/null/quotes.db" })
	for _, id := range []string{
		"1", "quote", "0198c0de", "%27%20OR%201=1%20--", "..", "%00", "0198c0de00007000800000000000beef",
		"urn:uuid:0198c0de-0000-7000-8000-00000000beef", "%7B0198c0de-0000-7000-8000-00000000beef%7D",
		"0198c0de-0000-7000-8000-00000000bee", "0198c0de-0000-7000-8000-00000000beefs", "0198c0de-0000-7000-8000-00000000bexf",
		"%300198c0de-0000-7000-8000-00000000beef", strings.Repeat("a", 4000),
	} {
		for _, r := range []result{d.get(t, "/v1/quotes/"+id), d.post(t, "/v1/quotes/"+id+"/accept", "")} {
			p := wantProblem(t, r, http.StatusNotFound, "quote-not-found", "")
			wantEqual(t, "detail of "+id, p.Detail, "an id is a UUID")
		}
	}
	const unknown = "/v1/quotes/0198c0de-0000-7000-8000-00000000beef"
	wantProblem(t, d.get(t, unknown), http.StatusServiceUnavailable, "database-unavailable", "")
	d = open(t, "")
	wantProblem(t, d.get(t, unknown), http.StatusNotFound, "quote-not-found", "")
	wantProblem(t, d.post(t, unknown+"/accept", ""), http.StatusNotFound, "quote-not-found", "")
}

func TestLocksAndFirstAcceptsAreCounted(t *testing.T) {
	d := open(t, "")
	first := idOf(t, d.mustLock(t, order, "Idempotency-Key", "key"))
	d.mustLock(t, order, "Idempotency-Key", "key") // replayed
	d.mustLock(t, order)
	d.post(t, "/v1/quotes", `{}`)
	for range 3 {
		d.post(t, "/v1/quotes/"+first+"/accept", "")
	}
	wantContains(t, d.get(t, "/metrics").body, "\nquotes_locked_total 2\n", "\nquotes_accepted_total 1\n")
}

func TestAPageOfAnotherOriginMayNotPost(t *testing.T) {
	d := open(t, "")
	quote := idOf(t, d.mustLock(t, order))
	for name, headers := range map[string][]string{
		"says the browser":      {"Sec-Fetch-Site", "cross-site"},
		"of a sibling":          {"Sec-Fetch-Site", "same-site"},
		"says an older browser": {"Origin", "https://example.org"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, target := range []string{"/v1/quotes", "/v1/quotes/" + quote + "/accept"} {
				wantProblem(t, d.post(t, target, order, headers...), http.StatusForbidden, "about:blank", "")
			}
		})
	}
	wantEqual(t, "rows", d.rows(t), 1)
	wantContains(t, d.get(t, "/v1/quotes/"+quote).body, `"status":"ACTIVE"`)
	for name, headers := range map[string][]string{"no browser": nil, "our own page": {"Sec-Fetch-Site", "same-origin", "Origin", "http://example.com"}} {
		t.Run(name, func(t *testing.T) { d.mustLock(t, order, headers...) })
	}
}
