package ratesapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"example.com/portpair/services/quotes/internal/quote"
)

// lookBack is how many days before the one asked for an answer may be from
// (Frankfurter's v1).
const lookBack = 14

// dayReply holds just the fields of a day's rates that are read. Its numbers
// are kept as they are written: json.Number would take one in quotes too.
type dayReply struct {
	Amount json.RawMessage            `json:"amount"`
	Base   string                     `json:"base"`
	Date   string                     `json:"date"`
	Rates  map[string]json.RawMessage `json:"rates"`
}

// decodeDay reads a day's rates and holds them against what was asked: one
// euro, the date if one was asked for or a day before it, not after tomorrow
// (the backing service's clock or time zone may be ahead), rates that can be.
func decodeDay(body []byte, asked, today quote.Date) (*quote.Table, error) {
	var reply dayReply
	if err := decodeJSON(body, &reply); err != nil {
		return nil, err
	}
	return reply.table(asked, today)
}

// decodeJSON reads a body that is one JSON value and nothing else.
func decodeJSON(body []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	if err := d.Decode(v); err != nil {
		return notJSON(body, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("JSON with something behind it")
	}
	return nil
}

func (reply dayReply) table(asked, today quote.Date) (*quote.Table, error) {
	if reply.Base != "EUR" {
		return nil, fmt.Errorf("base %q where EUR was asked for", reply.Base)
	}
	if one, err := quote.ParseRate(string(reply.Amount)); err != nil || one.String() != "1" {
		return nil, fmt.Errorf("amount %q where 1 was asked for", reply.Amount)
	}
	date, err := quote.ParseDate(reply.Date)
	switch {
	case err != nil:
		return nil, fmt.Errorf("date %q", reply.Date)
	case date.DaysSince(today) > 1:
		return nil, fmt.Errorf("a date in the future, %v", date)
	case !asked.IsZero() && date.DaysSince(asked) > 0:
		return nil, fmt.Errorf("the rates of %v where %v was asked for", date, asked)
	case !asked.IsZero() && asked.DaysSince(date) > lookBack:
		return nil, fmt.Errorf("the rates of %v, over %d days before %v", date, lookBack, asked)
	}
	rates := make(map[string]quote.Rate, len(reply.Rates))
	for code, number := range reply.Rates {
		rate, err := quote.ParseRate(string(number))
		if err != nil {
			return nil, fmt.Errorf("a rate of %q for %q: %w", number, code, err)
		}
		rates[code] = rate
	}
	return quote.NewTable(date, rates)
}

// decodeRange reads the rates of the days from one to another, for what a pair
// is worth on them.
func decodeRange(body []byte, r span, source, target quote.Currency) ([]quote.DayRate, error) {
	var reply struct {
		Amount json.RawMessage                       `json:"amount"`
		Base   string                                `json:"base"`
		Rates  map[string]map[string]json.RawMessage `json:"rates"`
	}
	if err := decodeJSON(body, &reply); err != nil {
		return nil, err
	}
	if len(reply.Rates) == 0 {
		return nil, errors.New("no days")
	}
	all := make([]dayReply, 0, len(reply.Rates))
	for date, rates := range reply.Rates {
		all = append(all, dayReply{reply.Amount, reply.Base, date, rates})
	}
	return pairDays(all, r, source, target)
}

// pairDays reads days, each as strictly as a single one. The first may be from
// before the range, what held when it began: it is left out, as is a day that
// lacks a side.
func pairDays(all []dayReply, r span, source, target quote.Currency) ([]quote.DayRate, error) {
	days := make([]quote.DayRate, 0, len(all))
	for _, reply := range all {
		table, err := reply.table(quote.Date{}, r.to)
		if err == nil && table.Date().DaysSince(r.to) > 0 {
			err = fmt.Errorf("the rates of %v where %v to %v was asked for", table.Date(), r.from, r.to)
		}
		if err != nil {
			return nil, err
		}
		rate, err := table.Cross(source, target)
		switch {
		case err == nil && table.Date().DaysSince(r.from) >= 0:
			days = append(days, quote.DayRate{Date: table.Date(), Rate: rate})
		case err != nil && !errors.Is(err, quote.ErrNoRate):
			return nil, err
		}
	}
	slices.SortFunc(days, func(a, b quote.DayRate) int { return a.Date.Compare(b.Date) })
	return days, nil
}

func notJSON(body []byte, err error) error {
	if trimmed := bytes.TrimSpace(body); len(trimmed) == 0 {
		return errors.New("an empty answer")
	} else if trimmed[0] == '<' {
		return errors.New("HTML or XML")
	}
	return fmt.Errorf("no JSON of a day's rates: %w", err)
}

// saysNotFound tells the contract's 404 of a route that exists,
// {"message":"not found"}, from any other server's.
func saysNotFound(body []byte) bool {
	var reply struct {
		Status  *int   `json:"status"`
		Message string `json:"message"`
	}
	return json.Unmarshal(body, &reply) == nil && reply.Message == "not found" && reply.Status == nil
}
