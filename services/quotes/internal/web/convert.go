package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"example.com/portpair/services/quotes/internal/quote"
	"example.com/portpair/services/quotes/internal/ratesapi"
)

type conversionReply struct {
	SourceCurrency string
	TargetCurrency string
	SourceAmount   string
	TargetAmount   string
	Rate           string
	RateDate       string
	Stale          bool
	Age            string
}

func (r conversionReply) appendTo(o object) object {
	return o.text("sourceCurrency", r.SourceCurrency).text("targetCurrency", r.TargetCurrency).
		text("sourceAmount", r.SourceAmount).text("targetAmount", r.TargetAmount).
		text("rate", r.Rate).text("rateDate", r.RateDate).flag("stale", r.Stale).text("age", r.Age)
}

func convert(rates *ratesapi.Client, now func() time.Time) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		query, err := parseQuery(r)
		if err != nil {
			return err
		}
		q, err := parseQuestion(query, now())
		if err != nil {
			return err
		}
		known, err := q.rates(r.Context(), rates)
		if err != nil {
			return err
		}
		reply, err := q.convert(known)
		if err != nil {
			return err
		}
		return writeObject(w, http.StatusOK, reply.appendTo)
	}
}

// parseQuery reads the parameters; beside its error come those that can be
// read.
func parseQuery(r *http.Request) (url.Values, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return query, fmt.Errorf("%w: the query cannot be read; a %% in it is written %%25, a ; %%3B", errMalformed)
	}
	return query, nil
}

// question is what the API and the page are asked, in the parameters amount,
// source, target and date.
type question struct {
	amount         quote.Amount
	source, target quote.Currency
	date           quote.Date // zero: the newest rates
}

// parseQuestion refuses what needs no rates to be refused, before any are
// asked for.
func parseQuestion(query url.Values, now time.Time) (question, error) {
	source, target, err := pairParams(query)
	if err != nil {
		return question{}, err
	}
	text, err := param(query, "amount")
	if err != nil {
		return question{}, err
	}
	amount, err := quote.ParseAmount(text, source)
	if err != nil {
		return question{}, inField("amount", err)
	}
	date, err := dateParam(query, "date", now)
	if err != nil {
		return question{}, err
	}
	return question{amount, source, target, date}, nil
}

// pairParams are the parameters source and target, two currencies.
func pairParams(query url.Values) (source, target quote.Currency, err error) {
	if source, err = currencyParam(query, "source"); err != nil {
		return source, target, err
	}
	if target, err = currencyParam(query, "target"); err != nil {
		return source, target, err
	}
	return source, target, inField("target", quote.CheckPair(source, target))
}

// rates gets those of the question's day, or the newest.
func (q question) rates(ctx context.Context, rates *ratesapi.Client) (ratesapi.Rates, error) {
	if q.date.IsZero() {
		return rates.Latest(ctx)
	}
	known, err := rates.On(ctx, q.date)
	if errors.Is(err, quote.ErrNoRatesForDate) {
		err = inField("date", err)
	}
	return known, err
}

func (q question) convert(known ratesapi.Rates) (conversionReply, error) {
	c, err := known.Convert(q.amount, q.target)
	if err != nil {
		return conversionReply{}, refused(err, !q.date.IsZero(), q.source, q.target, known, fieldNames{"source", "target", "amount"})
	}
	return conversionReply{
		SourceCurrency: q.source.Code,
		TargetCurrency: q.target.Code,
		SourceAmount:   c.Source.String(),
		TargetAmount:   c.Target.String(),
		Rate:           c.Rate.String(),
		RateDate:       known.Date().String(),
		Stale:          known.Stale,
		Age:            known.Age.Truncate(time.Second).String(),
	}, nil
}

// fieldNames are what a request calls its currencies and its amount.
type fieldNames struct{ source, target, amount string }

// refused names the field that a failed conversion, or lock, is about. A
// currency that the rates lack is unknown here, or, on a given day, has no
// rate then.
func refused(err error, dated bool, source, target quote.Currency, known ratesapi.Rates, names fieldNames) error {
	switch {
	case errors.Is(err, quote.ErrNoRate) && dated:
		return inField("date", fmt.Errorf("%w: there is none from %s to %s on %v", quote.ErrNoRatesForDate, source.Code, target.Code, known.Date()))
	case errors.Is(err, quote.ErrNoRate):
		field, code := names.source, source.Code
		if known.Has(source) {
			field, code = names.target, target.Code
		}
		return inField(field, fmt.Errorf("%w: the backing service has no rate of %s; /v1/currencies lists those it has", quote.ErrUnknownCurrency, code))
	case errors.Is(err, quote.ErrAbsurdRate):
		return fmt.Errorf("%w: %w", quote.ErrRatesUnavailable, err)
	case errors.Is(err, quote.ErrRatesTooOld):
		return err
	default:
		return inField(names.amount, err)
	}
}

// param is a parameter that must be there, once.
func param(query url.Values, name string) (string, error) {
	switch values := query[name]; len(values) {
	case 0:
		return "", inField(name, fmt.Errorf("%w: it is missing; write ?amount=100.00&source=EUR&target=USD", errMalformed))
	case 1:
		return values[0], nil
	default:
		return "", inField(name, fmt.Errorf("%w: it is given %d times; once will do", errMalformed, len(values)))
	}
}

func currencyParam(query url.Values, name string) (quote.Currency, error) {
	code, err := param(query, name)
	if err != nil {
		return quote.Currency{}, err
	}
	c, err := quote.LookupCurrency(code)
	return c, inField(name, err)
}

// dateParam is a day, or none when it is missing, or empty as the page's form
// sends it.
func dateParam(query url.Values, name string, now time.Time) (quote.Date, error) {
	if values := query[name]; len(values) == 0 || len(values) == 1 && values[0] == "" {
		return quote.Date{}, nil
	}
	text, err := param(query, name)
	if err != nil {
		return quote.Date{}, err
	}
	date, err := quote.ParseDate(text)
	if err != nil {
		return quote.Date{}, inField(name, err)
	}
	if today := quote.DateOf(now); date.DaysSince(today) > 0 {
		return quote.Date{}, inField(name, fmt.Errorf("%w: %v is in the future; today is %v (UTC)", quote.ErrNoRatesForDate, date, today))
	}
	return date, nil
}

type currencyReply struct {
	Code       string `json:"code"`
	Name       string `json:"name"`
	MinorUnits int    `json:"minorUnits"`
}

type currenciesReply struct {
	RateDate   string          `json:"rateDate"`
	Currencies []currencyReply `json:"currencies"`
}

// currencies lists those that the backing service has and whose minor units
// are known here.
func currencies(rates *ratesapi.Client) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		known, err := rates.Latest(r.Context())
		if err != nil {
			return err
		}
		reply := currenciesReply{RateDate: known.Date().String()}
		for _, c := range known.Currencies() {
			reply.Currencies = append(reply.Currencies, currencyReply{c.Code, c.Name, c.Digits})
		}
		return writeJSON(w, http.StatusOK, reply)
	}
}
