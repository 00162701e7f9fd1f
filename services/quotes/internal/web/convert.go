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
	SourceCurrency string `json:"sourceCurrency"`
	TargetCurrency string `json:"targetCurrency"`
	SourceAmount   string `json:"sourceAmount"`
	TargetAmount   string `json:"targetAmount"`
	Rate           string `json:"rate"`
	RateDate       string `json:"rateDate"`
	Stale          bool   `json:"stale"`
	Age            string `json:"age"`
}

func convert(rates *ratesapi.Client, now func() time.Time) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		query, err := url.ParseQuery(r.URL.RawQuery)
		if err != nil {
			return fmt.Errorf("%w: the query cannot be read; a %% in it is written %%25", errMalformed)
		}
		reply, err := conversion(r.Context(), rates, query, now())
		if err != nil {
			return err
		}
		return writeJSON(w, reply)
	}
}

// conversion answers the parameters amount, source, target and date, for the
// API and the page alike.
func conversion(ctx context.Context, rates *ratesapi.Client, query url.Values, now time.Time) (conversionReply, error) {
	source, err := currencyParam(query, "source")
	if err != nil {
		return conversionReply{}, err
	}
	target, err := currencyParam(query, "target")
	if err != nil {
		return conversionReply{}, err
	}
	if source == target {
		return conversionReply{}, inField("target", fmt.Errorf("%w: source and target are both %s", quote.ErrSameCurrency, source.Code))
	}
	text, err := param(query, "amount")
	if err != nil {
		return conversionReply{}, err
	}
	amount, err := quote.ParseAmount(text, source)
	if err != nil {
		return conversionReply{}, inField("amount", err)
	}

	known, dated, err := ratesFor(ctx, rates, query, now)
	if err != nil {
		return conversionReply{}, err
	}
	c, err := known.Convert(amount, target)
	if err != nil {
		return conversionReply{}, refused(err, dated, source, target, known)
	}
	return conversionReply{
		SourceCurrency: source.Code,
		TargetCurrency: target.Code,
		SourceAmount:   c.Source.String(),
		TargetAmount:   c.Target.String(),
		Rate:           c.Rate.String(),
		RateDate:       known.Date().String(),
		Stale:          known.Stale,
		Age:            known.Age.Truncate(time.Second).String(),
	}, nil
}

// ratesFor gets the rates of the date parameter, or the newest.
func ratesFor(ctx context.Context, rates *ratesapi.Client, query url.Values, now time.Time) (known ratesapi.Rates, dated bool, err error) {
	if !query.Has("date") || query.Get("date") == "" && len(query["date"]) == 1 { // an empty field of the page's form
		known, err = rates.Latest(ctx)
		return known, false, err
	}
	text, err := param(query, "date")
	if err != nil {
		return known, true, err
	}
	date, err := quote.ParseDate(text)
	if err != nil {
		return known, true, inField("date", err)
	}
	if today := quote.DateOf(now); date.DaysSince(today) > 0 {
		return known, true, inField("date", fmt.Errorf("%w: %v is in the future; today is %v (UTC)", quote.ErrNoRatesForDate, date, today))
	}
	known, err = rates.On(ctx, date)
	if errors.Is(err, quote.ErrNoRatesForDate) {
		err = inField("date", err)
	}
	return known, true, err
}

// refused names the field that a failed conversion is about. A currency that
// the rates lack is unknown here, or, on a given day, has no rate then.
func refused(err error, dated bool, source, target quote.Currency, known ratesapi.Rates) error {
	switch {
	case errors.Is(err, quote.ErrNoRate) && dated:
		return inField("date", fmt.Errorf("%w: there is none from %s to %s on %v", quote.ErrNoRatesForDate, source.Code, target.Code, known.Date()))
	case errors.Is(err, quote.ErrNoRate):
		field, code := "source", source.Code
		if known.Has(source) {
			field, code = "target", target.Code
		}
		return inField(field, fmt.Errorf("%w: the backing service has no rate of %s; /v1/currencies lists those it has", quote.ErrUnknownCurrency, code))
	case errors.Is(err, quote.ErrAbsurdRate):
		return fmt.Errorf("%w: %w", quote.ErrRatesUnavailable, err)
	default:
		return inField("amount", err)
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
		return writeJSON(w, reply)
	}
}
