package web

import (
	"bytes"
	"cmp"
	_ "embed"
	"html/template"
	"net/http"
	"strconv"
	"time"

	"example.com/portpair/services/quotes/internal/quote"
	"example.com/portpair/services/quotes/internal/ratesapi"
)

//go:embed page.html
var pageText string

//go:embed style.css
var styleText []byte

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// policy allows what the page has: one style sheet and a form of its own.
const policy = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

type pageData struct {
	Amount, Source, Target, Date string // the form as it was sent
	Currencies                   []quote.Currency
	Result                       *conversionReply
	Problem                      *problem
	Backing                      *backingReply
}

// page converts by a plain form and shows which backing service answered.
func page(rates *ratesapi.Client, now func() time.Time) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		query, err := parseQuery(r)
		for name, first := range map[string]string{"amount": "100.00", "source": "EUR", "target": "USD"} {
			if !query.Has(name) {
				query.Set(name, first)
			}
		}
		data := pageData{
			Amount: query.Get("amount"), Source: query.Get("source"), Target: query.Get("target"), Date: query.Get("date"),
			Currencies: quote.Currencies(),
		}
		var q question
		if err == nil {
			q, err = parseQuestion(query, now())
		}
		// Asked once, of a mistaken question too: the page shows how the backing
		// service does.
		known, failed := q.rates(r.Context(), rates)
		var reply conversionReply
		if err = cmp.Or(err, failed); err == nil {
			reply, err = q.convert(known)
		}
		status := http.StatusOK
		if err != nil {
			p := problemOf(err)
			if p.Status == http.StatusInternalServerError {
				return err
			}
			attach(r.Context(), err)
			data.Problem, status = &p, p.Status
		} else {
			data.Result, data.Currencies = &reply, known.Currencies()
		}
		b := newBackingReply(rates.Status())
		data.Backing = &b
		return writePage(w, status, data)
	}
}

func writePage(w http.ResponseWriter, status int, data pageData) error {
	var body bytes.Buffer
	if err := pageTemplate.Execute(&body, data); err != nil {
		return err
	}
	header(w, "text/html; charset=utf-8", body.Len())
	w.Header().Set("Content-Security-Policy", policy)
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
	}
	w.WriteHeader(status)
	_, _ = body.WriteTo(w)
	return nil
}

// pageProblem is the page's answer to what it did not expect.
func pageProblem(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(err)
	if writePage(w, p.Status, pageData{Problem: &p, Currencies: quote.Currencies()}) != nil {
		writeReply(w, p)
	}
}

func style(w http.ResponseWriter, _ *http.Request) {
	header(w, "text/css; charset=utf-8", len(styleText))
	w.Header().Set("Cache-Control", "public, max-age=3600")
	_, _ = w.Write(styleText)
}
