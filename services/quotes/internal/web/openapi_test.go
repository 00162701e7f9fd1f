package web_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/portpair/services/quotes/internal/store"
	"example.com/portpair/services/quotes/internal/web"
	"example.com/portpair/services/twelve/telemetry"
	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/go-chi/chi/v5"
)

func document(t *testing.T) *openapi3.T {
	t.Helper()
	openapi3filter.RegisterBodyDecoder("text/html", openapi3filter.PlainBodyDecoder)
	openapi3filter.RegisterBodyDecoder("text/css", openapi3filter.PlainBodyDecoder)
	openapi3filter.RegisterBodyDecoder("text/javascript", openapi3filter.PlainBodyDecoder)
	r := open(t, "").get(t, "/openapi.json")
	wantEqual(t, "content type", r.header.Get("Content-Type"), "application/json")
	doc, err := openapi3.NewLoader().LoadFromData([]byte(r.body))
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestTheDocumentHasTheRoutesOfTheCode(t *testing.T) {
	var routed, documented []string
	err := chi.Walk(open(t, "").Handler.(chi.Routes), func(method, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		routed = append(routed, method+" "+route)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for path, item := range document(t).Paths.Map() {
		for method := range item.Operations() {
			documented = append(documented, method+" "+path)
		}
	}
	slices.Sort(routed)
	slices.Sort(documented)
	if !slices.Equal(routed, documented) {
		t.Errorf("got %q in the code, want as documented %q", routed, documented)
	}
}

// world is an app in a state that makes it answer as it is wanted to.
type world func(t *testing.T) *desk

func usual(t *testing.T) *desk { return open(t, "") }

func withoutRates(t *testing.T) *desk {
	d := open(t, "?attempts=1")
	d.becomes(reply(http.StatusInternalServerError, ""))
	return d
}

func withoutDatabase(t *testing.T) *desk {
	return open(t, "", func(_ *web.App, _ *store.Settings, path *string) { *path = "/dev/null/quotes.db" })
}

func withOldRates(t *testing.T) *desk {
	d := open(t, "")
	d.pass(30 * 24 * time.Hour)
	return d
}

func full(t *testing.T) *desk {
	d := open(t, "", func(_ *web.App, s *store.Settings, _ *string) { s.MaxOpen = 1 })
	d.mustLock(t, order)
	return d
}

// broken is an app with a mistake in it: whatever it is asked, it panics.
func broken(t *testing.T) *desk {
	d := open(t, "")
	d.Handler = web.Routes(web.App{Metrics: telemetry.New("quotes", "test"), Log: d.logger, MaxInFlight: 1, Now: func() time.Time { panic("a mistake") }})
	return d
}

// quoteIn is a world with a quote of a fixed id in it, at an age.
func quoteIn(age time.Duration) world {
	return func(t *testing.T) *desk {
		d := open(t, "")
		made := idOf(t, d.mustLock(t, order, "Idempotency-Key", "key"))
		d.rename(t, made, beef)
		d.pass(age)
		return d
	}
}

const beef = "0198c0de-0000-7000-8000-00000000beef"

// provocation makes a route answer with a status, in a world.
type provocation struct {
	want    string
	method  string
	route   string // as in the document
	target  string
	world   world
	body    string
	headers []string
}

func get(want, route, target string, w world) provocation {
	return provocation{want: want, method: http.MethodGet, route: route, target: target, world: w}
}

func post(want, route, target, body string, w world, headers ...string) provocation {
	if len(headers) == 0 {
		headers = []string{"Content-Type", "application/json"}
	}
	return provocation{want, http.MethodPost, route, target, w, body, headers}
}

func lockingProvoked() []provocation {
	const quotes = "/v1/quotes"
	return []provocation{
		post("201", quotes, quotes, order, usual),
		post("201", quotes, quotes, order, quoteIn(0), "Content-Type", "application/json", "Idempotency-Key", "key"),
		post("400", quotes, quotes, `{}`, usual),
		post("400", quotes, quotes, order, usual, "Content-Type", "application/json", "Idempotency-Key", ""),
		post("403", quotes, quotes, order, usual, "Sec-Fetch-Site", "cross-site"),
		post("413", quotes, quotes, strings.Repeat(" ", 5000), usual),
		post("415", quotes, quotes, order, usual, "Content-Type", "text/plain"),
		post("422", quotes, quotes, `{"sourceCurrency":"EUR","targetCurrency":"USD","sourceAmount":"0"}`, usual),
		post("422", quotes, quotes, `{"sourceCurrency":"EUR","targetCurrency":"EUR","sourceAmount":"1"}`, usual),
		post("422", quotes, quotes, `{"sourceCurrency":"EUR","targetCurrency":"XXX","sourceAmount":"1"}`, usual),
		post("422", quotes, quotes, `{"sourceCurrency":"IDR","targetCurrency":"EUR","sourceAmount":"1"}`, usual),
		post("422", quotes, quotes, `{"sourceCurrency":"EUR","targetCurrency":"USD","sourceAmount":"7"}`, quoteIn(0), "Content-Type", "application/json", "Idempotency-Key", "key"),
		post("500", quotes, quotes, order, broken),
		post("503", quotes, quotes, order, withoutRates),
		post("503", quotes, quotes, order, withOldRates),
		post("503", quotes, quotes, order, withoutDatabase),
		post("503", quotes, quotes, order, full),
	}
}

func quotesProvoked() []provocation {
	const quotes, one, accept = "/v1/quotes", "/v1/quotes/{id}", "/v1/quotes/{id}/accept"
	return []provocation{
		get("200", one, quotes+"/"+beef, quoteIn(0)),
		get("200", one, quotes+"/"+beef, quoteIn(time.Hour)),
		get("404", one, quotes+"/"+beef, usual),
		get("404", one, quotes+"/1", usual),
		get("500", one, quotes+"/"+beef, broken),
		get("503", one, quotes+"/"+beef, withoutDatabase),
		post("200", accept, quotes+"/"+beef+"/accept", "", quoteIn(0)),
		post("403", accept, quotes+"/"+beef+"/accept", "", quoteIn(0), "Origin", "https://example.org"),
		post("404", accept, quotes+"/"+beef+"/accept", "", usual),
		post("410", accept, quotes+"/"+beef+"/accept", "", quoteIn(time.Hour)),
		post("500", accept, quotes+"/"+beef+"/accept", "", broken),
		post("503", accept, quotes+"/"+beef+"/accept", "", withoutDatabase),
	}
}

func pagesProvoked() []provocation {
	const quotes, one, accept = "/quotes", "/quotes/{id}", "/quotes/{id}/accept"
	form := func(want, fields string, w world) provocation {
		return post(want, quotes, quotes, fields, w, "Content-Type", formType)
	}
	return []provocation{
		get("303", "/", "/?swap=1", usual),
		get("303", quotes, quotes, usual),
		form("303", lockForm(), usual),
		form("409", lockForm()+"&rate=1.5", usual),
		form("400", lockForm("key", ""), usual),
		post("403", quotes, quotes, lockForm(), usual, "Content-Type", formType, "Sec-Fetch-Site", "cross-site"),
		form("413", strings.Repeat("a=b&", 1024)+lockForm(), usual),
		post("415", quotes, quotes, order, usual),
		form("422", lockForm("amount", "0"), usual),
		form("500", lockForm(), broken),
		form("503", lockForm(), withoutRates),
		form("503", lockForm(), withOldRates),
		form("503", lockForm(), withoutDatabase),
		form("503", lockForm(), full),
		get("200", one, quotes+"/"+beef, quoteIn(0)),
		get("200", one, quotes+"/"+beef, quoteIn(time.Hour)),
		get("404", one, quotes+"/"+beef, usual),
		get("500", one, quotes+"/"+beef, broken),
		get("503", one, quotes+"/"+beef, withoutDatabase),
		get("303", accept, quotes+"/"+beef+"/accept", usual),
		get("404", accept, quotes+"/1/accept", usual),
		post("303", accept, quotes+"/"+beef+"/accept", "", quoteIn(0)),
		post("303", accept, quotes+"/"+beef+"/accept", "", quoteIn(time.Hour)),
		post("403", accept, quotes+"/"+beef+"/accept", "", quoteIn(0), "Origin", "https://example.org"),
		post("404", accept, quotes+"/"+beef+"/accept", "", usual),
		post("500", accept, quotes+"/"+beef+"/accept", "", broken),
		post("503", accept, quotes+"/"+beef+"/accept", "", withoutDatabase),
	}
}

func ratesProvoked() (all []provocation) {
	for route, target := range map[string]string{"/v1/rates": ratesUSD, "/v1/rates.csv": ratesUSDAsCSV} {
		all = append(all,
			get("200", route, target, usual),
			get("400", route, target+"&to=yesterday", usual),
			get("404", route, target+"&to=2027-01-01", usual),
			get("422", route, strings.Replace(target, "USD", "EUR", 1), usual),
			get("500", route, target, broken),
			get("503", route, target, withoutRates))
	}
	asCSV := get("200", "/v1/rates", ratesUSD, usual)
	asCSV.headers = []string{"Accept", "text/csv"}
	return append(all, asCSV)
}

func othersProvoked(assets []string) []provocation {
	all := []provocation{
		get("200", "/v1/currencies", "/v1/currencies", usual),
		get("500", "/v1/currencies", "/v1/currencies", broken),
		get("503", "/v1/currencies", "/v1/currencies", withoutRates),
		get("200", "/v1/backing", "/v1/backing", usual),
		get("200", "/v1/backing", "/v1/backing", withoutRates),
		get("500", "/v1/backing", "/v1/backing", broken),
		get("200", "/problems/{name}", "/problems/overloaded", usual),
		get("404", "/problems/{name}", "/problems/none", usual),
		get("503", "/readyz", "/readyz", withoutDatabase),
	}
	all = append(all, get("404", "/assets/{name}", "/assets/style.css", usual))
	for _, path := range assets {
		all = append(all, get("200", "/assets/{name}", path, usual))
	}
	for _, path := range []string{"/openapi.json", "/livez", "/readyz", "/metrics"} {
		all = append(all, get("200", path, path, usual))
	}
	for path, target := range map[string]string{"/": "/?", "/v1/convert": convert100 + "&"} {
		all = append(all,
			get("200", path, target, usual),
			get("200", path, target+"date=2026-08-20", usual),
			get("400", path, target+"date=yesterday", usual),
			get("404", path, target+"date=2027-01-01", usual),
			get("422", path, strings.Replace(target, "100.00", "0", 1)+map[string]string{"/": "amount=0"}[path], usual),
			get("500", path, target, broken),
			get("503", path, target, withoutRates))
	}
	return all
}

func TestTheDocumentIsTrue(t *testing.T) {
	doc := document(t)
	provoked := map[string]bool{}
	for _, p := range slices.Concat(lockingProvoked(), quotesProvoked(), pagesProvoked(), ratesProvoked(), othersProvoked(allLoaded(t, usual(t)))) {
		provoked[p.method+" "+p.route+" "+p.want] = true
		t.Run(p.want+" "+p.method+" "+p.target, func(t *testing.T) { p.hold(t, doc) })
	}
	for path, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			for status := range operation.Responses.Map() {
				if !provoked[method+" "+path+" "+status] {
					t.Errorf("%s %s %s: is documented, but nothing here provokes it", method, path, status)
				}
			}
		}
	}
}

// hold provokes an answer and holds it against the document.
func (p provocation) hold(t *testing.T, doc *openapi3.T) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), p.method, p.target, strings.NewReader(p.body))
	for i := 0; i+1 < len(p.headers); i += 2 {
		r.Header.Add(p.headers[i], p.headers[i+1])
	}
	got := p.world(t).do(t, r)
	wantEqual(t, "status", fmt.Sprint(got.status), p.want)
	err := openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{
			Request: r,
			Route:   &routers.Route{Spec: doc, Operation: doc.Paths.Value(p.route).GetOperation(p.method), Method: p.method, Path: p.route},
		},
		Status: got.status, Header: got.header, Body: io.NopCloser(strings.NewReader(got.body)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	})
	if err != nil {
		t.Error(err)
	}
}

// The orders that are locked are as the document has them, and those that
// cannot be read are not.
func TestTheDocumentsOrder(t *testing.T) {
	schema := document(t).Components.Schemas["Order"].Value
	for body, fits := range map[string]bool{
		order: true,
		`{"sourceCurrency":"EUR","targetCurrency":"JPY","targetAmount":"5000"}`:                 true,
		`{"sourceCurrency":"EUR","targetCurrency":"USD"}`:                                       false,
		`{"sourceCurrency":"EUR","targetCurrency":"USD","sourceAmount":"1","targetAmount":"1"}`: false,
		`{"sourceCurrency":"EUR","targetCurrency":"USD","sourceAmount":100}`:                    false,
		`{"sourceCurrency":"EUR","targetCurrency":"USD","sourceAmount":"1","rate":"1"}`:         false,
		`{"targetCurrency":"USD","sourceAmount":"1"}`:                                           false,
		`{"sourceCurrency":"eur","targetCurrency":"USD","sourceAmount":"1"}`:                    false,
		`{"sourceCurrency":"EUR","targetCurrency":"USD","sourceAmount":"1,00"}`:                 false,
		`{"sourceCurrency":"EUR","targetCurrency":"USD","sourceAmount":"1000000000000000000"}`:  false,
	} {
		var value any
		if err := json.Unmarshal([]byte(body), &value); err != nil {
			t.Fatal(err)
		}
		if err := schema.VisitJSON(value); (err == nil) != fits {
			t.Errorf("%s: got %v, want that it fits: %v", body, err, fits)
		}
		if got := open(t, "").post(t, "/v1/quotes", body).status == http.StatusCreated; got != fits {
			t.Errorf("%s: locked %v, want %v", body, got, fits)
		}
	}
}

func TestTheDocumentIsTheFile(t *testing.T) {
	text, err := os.ReadFile("openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	r := open(t, "").get(t, "/openapi.json")
	wantEqual(t, "document", r.body, string(text))
	wantEqual(t, "cache control", r.header.Get("Cache-Control"), "public, max-age=3600")
}
