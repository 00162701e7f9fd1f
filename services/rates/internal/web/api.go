package web

import (
	"net/http"
	"strconv"

	"example.com/portpair/services/rates/internal/fx"
	"github.com/go-chi/chi/v5"
)

// latest answers with the newest day's rates, however old they are.
func latest(table func() *fx.Table) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		q, err := parseQuery(r.URL.RawQuery)
		if err != nil {
			return err
		}
		if err := q.checkPair(); err != nil {
			return err
		}
		rates, err := table().Latest(q.Query)
		if err != nil {
			return err
		}
		writeRates(w, rates)
		return nil
	}
}

// day answers with the rates of a day, or the newest before it.
func day(table func() *fx.Table) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		q, err := parseQuery(r.URL.RawQuery)
		if err != nil {
			return err
		}
		day, err := fx.ParseDay(chi.URLParam(r, "date"))
		if err != nil {
			return err
		}
		if err := q.checkPair(); err != nil {
			return err
		}
		rates, err := table().On(day, q.Query)
		if err != nil {
			return err
		}
		writeRates(w, rates)
		return nil
	}
}

// currencies answers with the names of those that the newest days have.
func currencies(table func() *fx.Table) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		body := []byte{'{'}
		for i, code := range table().Currencies() {
			if i > 0 {
				body = append(body, ',')
			}
			body = strconv.AppendQuote(body, code)
			body = append(body, ':')
			body = strconv.AppendQuote(body, fx.Name(code))
		}
		write(w, "application/json; charset=utf-8", append(body, '}'))
		return nil
	}
}

// writeRates renders by hand: numbers keep their digits, and it is a fifth of
// the time.
func writeRates(w http.ResponseWriter, rates fx.Rates) {
	body := make([]byte, 0, 64+20*len(rates.Rates))
	body = append(body, `{"amount":`...)
	body = rates.Amount.AppendAmount(body)
	body = append(body, `,"base":"`...)
	body = append(body, rates.Base...)
	body = append(body, `","date":"`...)
	body = rates.Date.Append(body)
	body = append(body, `","rates":{`...)
	for i, rate := range rates.Rates {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, '"')
		body = append(body, rate.Currency...)
		body = append(body, `":`...)
		body = rate.Value.Append(body)
	}
	write(w, "application/json; charset=utf-8", append(body, "}}"...))
}
