package web

import (
	_ "embed"
	"net/http"
	"strconv"
	"sync"
	"time"

	"example.com/portpair/services/rates/internal/fx"
	"github.com/go-chi/chi/v5"
)

// versionText says what this API is. Its documentation is the page.
var versionText = []byte(`{"version":"v1","status":"frozen","openapi":"/v1/openapi.json","docs":"/"}`)

// openapiText describes the routes.
//
//go:embed openapi.json
var openapiText []byte

// fixed answers with what is the same until the next release.
func fixed(c caching, body []byte) handler {
	text := newAnswer(jsonType, body)
	return func(w http.ResponseWriter, r *http.Request) error {
		c.settled(w.Header())
		text.write(w, r)
		return nil
	}
}

// latest answers with the newest day's rates, however old they are.
func latest(table func() *fx.Table, c caching) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		q, err := parseQuery(r.URL.RawQuery)
		if err != nil {
			return err
		}
		if err := q.checkPair(); err != nil {
			return err
		}
		t := table()
		c.current(w.Header(), t)
		return answerOn(w, r, t, t.Newest(), q.Query)
	}
}

// day answers with the rates of a day, or the newest before it.
func day(table func() *fx.Table, c caching) handler {
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
		t := table()
		c.about(w.Header(), day, day, t)
		return answerOn(w, r, t, day, q.Query)
	}
}

// between answers with the rates of every day from start to end; without an
// end that is today.
func between(table func() *fx.Table, c caching, patience time.Duration) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		q, err := parseQuery(r.URL.RawQuery)
		if err != nil {
			return err
		}
		start, err := fx.ParseDay(chi.URLParam(r, "start"))
		if err != nil {
			return err
		}
		today := c.today()
		end := today
		if text := chi.URLParam(r, "end"); text != "" {
			if end, err = fx.ParseDay(text); err != nil {
				return err
			}
		}
		if err := q.checkPair(); err != nil {
			return err
		}
		t := table()
		series, err := t.Between(start, end, today, q.Query)
		if err != nil {
			return err
		}
		c.about(w.Header(), start, end, t)
		writeSeries(&stream{w: w, r: r, patience: patience, fingerprint: series.Fingerprint}, series)
		return nil
	}
}

// currencies answers with the names of those that the newest days have.
func currencies(table func() *fx.Table, c caching) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		t := table()
		body := []byte{'{'}
		for i, code := range t.Currencies() {
			if i > 0 {
				body = append(body, ',')
			}
			body = strconv.AppendQuote(body, code)
			body = append(body, ':')
			body = strconv.AppendQuote(body, fx.Name(code))
		}
		c.current(w.Header(), t)
		newAnswer(jsonType, append(body, '}')).write(w, r)
		return nil
	}
}

// The answers below are rendered by hand: numbers keep their digits, and it
// is a fifth of the time.

// scratch is what the answer about a day is made in.
type scratch struct {
	rates []fx.Rate
	body  []byte
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// answerOn answers with the rates of a day. Cache-Control is set, and is an
// error's own if there are none.
func answerOn(w http.ResponseWriter, r *http.Request, t *fx.Table, day fx.Day, q fx.Query) error {
	s := scratches.Get().(*scratch)
	defer scratches.Put(s) // net/http has copied what was written
	rates, err := t.AppendOn(s.rates[:0], day, q)
	if err != nil {
		return err
	}
	s.rates = rates.Rates
	body := appendQuestion(s.body[:0], rates.Amount, rates.Base)
	body = appendDay(append(body, `,"date":`...), rates.Date)
	body = appendRates(append(body, `,"rates":`...), rates.Rates)
	s.body = append(body, '}')
	newAnswer(jsonType, s.body).write(w, r)
	return nil
}

func writeSeries(s *stream, series fx.Series) {
	s.body = appendQuestion(s.body, series.Amount, series.Base)
	s.body = appendDay(append(s.body, `,"start_date":`...), series.Start)
	s.body = appendDay(append(s.body, `,"end_date":`...), series.End)
	s.body = append(s.body, `,"rates":{`...)
	for day, rates := range series.Days() {
		if day != series.Start {
			s.body = append(s.body, ',')
		}
		s.body = appendDay(s.body, day)
		s.body = appendRates(append(s.body, ':'), rates)
		if !s.flush() {
			return
		}
	}
	s.body = append(s.body, "}}"...)
	s.close()
}

// appendQuestion appends what an answer begins with.
func appendQuestion(dst []byte, amount fx.Decimal, base string) []byte {
	dst = amount.AppendAmount(append(dst, `{"amount":`...))
	dst = append(dst, `,"base":"`...)
	dst = append(dst, base...)
	return append(dst, '"')
}

func appendDay(dst []byte, day fx.Day) []byte {
	return append(day.Append(append(dst, '"')), '"')
}

func appendRates(dst []byte, rates []fx.Rate) []byte {
	dst = append(dst, '{')
	for i, rate := range rates {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, '"')
		dst = append(dst, rate.Currency...)
		dst = append(dst, `":`...)
		dst = rate.Value.Append(dst)
	}
	return append(dst, '}')
}
