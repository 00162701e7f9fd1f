package web_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"example.com/portpair/services/quotes/internal/store"
	"example.com/portpair/services/quotes/internal/web"
)

func TestMoreRequestsThanMaxInFlight(t *testing.T) {
	d := open(t, "?max_age=0s", func(a *web.App, _ *store.Settings, _ *string) { a.MaxInFlight = 2 })
	asked, answer := make(chan bool, 8), make(chan bool)
	style := loaded(t, d.get(t, "/quotes/none").body)[0]
	d.becomes(func(w http.ResponseWriter, r *http.Request) {
		asked <- true
		<-answer
		rates(w, r)
	})
	done := make(chan result, 2)
	for _, date := range []string{"2026-08-20", "2026-08-21"} {
		go func() { done <- d.do(t, httptest.NewRequest(http.MethodGet, convert100+"&date="+date, nil)) }()
	}
	<-asked
	<-asked

	for _, target := range []string{convert100, ratesUSD, ratesUSDAsCSV, "/v1/currencies", "/v1/quotes/" + beef} {
		r := d.get(t, target)
		p := wantProblem(t, r, http.StatusServiceUnavailable, "overloaded", "")
		wantContains(t, p.Detail, "2 requests are being worked on")
		wantEqual(t, "Retry-After", r.header.Get("Retry-After"), "5")
	}
	wantProblem(t, d.post(t, "/v1/quotes", order), http.StatusServiceUnavailable, "overloaded", "")
	for _, page := range []result{d.get(t, "/"), d.get(t, "/quotes/"+beef), d.form(t, "/quotes", lockForm()), d.form(t, "/quotes/"+beef+"/accept", "")} {
		wantPage(t, page, http.StatusServiceUnavailable)
		wantContains(t, page.body, "<h1>Overloaded</h1>")
	}
	for _, target := range []string{style, "/livez", "/readyz", "/metrics", "/v1/backing", "/openapi.json", "/problems/overloaded"} {
		wantEqual(t, "status of "+target, d.get(t, target).status, http.StatusOK)
	}

	close(answer)
	for range 2 {
		wantEqual(t, "status of one that was let in", (<-done).status, http.StatusOK)
	}
	wantEqual(t, "status when there is room again", d.get(t, convert100).status, http.StatusOK)
	wantEqual(t, "rows", d.rows(t), 0)
}

func TestABodyThatComesSlowlyTakesNoPlace(t *testing.T) {
	d := open(t, "", func(a *web.App, _ *store.Settings, _ *string) { a.MaxInFlight = 1 })
	body, writing := io.Pipe()
	done := make(chan result)
	go func() {
		r := httptest.NewRequest(http.MethodPost, "/v1/quotes", body)
		r.Header.Set("Content-Type", "application/json")
		done <- d.do(t, r)
	}()
	if _, err := io.WriteString(writing, order[:10]); err != nil { // it is being read
		t.Fatal(err)
	}
	wantEqual(t, "status of another request", d.get(t, convert100).status, http.StatusOK)
	if _, err := io.Copy(writing, strings.NewReader(order[10:])); err != nil {
		t.Fatal(err)
	}
	writing.Close()
	wantEqual(t, "status of the slow one", (<-done).status, http.StatusCreated)
}

func TestAPanicLeavesItsPlace(t *testing.T) {
	broken := true
	d := open(t, "", func(a *web.App, _ *store.Settings, _ *string) {
		now := a.Now
		a.MaxInFlight, a.Now = 1, func() time.Time {
			if broken {
				panic("the clock stopped")
			}
			return now()
		}
	})
	wantEqual(t, "status", d.get(t, convert100).status, http.StatusInternalServerError)
	broken = false
	wantEqual(t, "status of the next request", d.get(t, convert100).status, http.StatusOK)
}
