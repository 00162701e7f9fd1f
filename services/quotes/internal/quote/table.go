package quote

import (
	"fmt"
	"maps"
	"slices"
)

// Base is the currency that a Table's rates are for one unit of.
const Base = "EUR"

// maxRates is far above the number of the world's currencies, and low enough
// that no backing service can fill the memory.
const maxRates = 500

// Table holds the euro foreign exchange reference rates of one reference date,
// as the backing service published them. It never changes, and any number of
// goroutines may share it.
type Table struct {
	date       Date
	rates      map[string]Rate // the base's own among them
	currencies []Currency
}

// DayRate is what a pair is worth on a reference date.
type DayRate struct {
	Date Date
	Rate Rate
}

// NewTable returns the table of a reference date from what one euro is worth in
// each currency, by code. It returns ErrUnusableTable when there is no rate, or
// are too many, when a code is not three capital letters, or when the euro is
// there and not exactly 1. Codes that LookupCurrency lacks are allowed and of
// no use.
func NewTable(date Date, published map[string]Rate) (*Table, error) {
	if date.IsZero() {
		return nil, fmt.Errorf("%w: they have no reference date", ErrUnusableTable)
	}
	if len(published) > maxRates {
		return nil, fmt.Errorf("%w: there are %d, and may be %d", ErrUnusableTable, len(published), maxRates)
	}
	t := &Table{date: date, rates: make(map[string]Rate, len(published)+1)}
	t.rates[Base] = one
	// In order, so that the same mistake always gives the same message.
	for _, code := range slices.Sorted(maps.Keys(published)) {
		rate := published[code]
		switch {
		case !isCode(code):
			return nil, fmt.Errorf("%w: %.9q is no currency code", ErrUnusableTable, code)
		case rate == Rate{}:
			return nil, fmt.Errorf("%w: %s has none", ErrUnusableTable, code)
		case code == Base && rate != one:
			return nil, fmt.Errorf("%w: one %s is said to be %s %s", ErrUnusableTable, Base, rate, Base)
		}
		t.rates[code] = rate
	}
	if len(t.rates) == 1 {
		return nil, fmt.Errorf("%w: there are none", ErrUnusableTable)
	}
	for _, c := range known {
		if _, ok := t.rates[c.Code]; ok {
			t.currencies = append(t.currencies, c)
		}
	}
	return t, nil
}

// Date returns the reference date.
func (t *Table) Date() Date { return t.date }

// Currencies returns the currencies that have a rate and whose minor units are
// known here, the euro among them, ordered by code.
func (t *Table) Currencies() []Currency { return slices.Clone(t.currencies) }

// Unknown returns the codes that have a rate and whose minor units are not
// known here, in order: nothing can be converted from or to them.
func (t *Table) Unknown() []string {
	var codes []string
	for _, code := range slices.Sorted(maps.Keys(t.rates)) {
		if _, err := LookupCurrency(code); err != nil {
			codes = append(codes, code)
		}
	}
	return codes
}

// Cross returns how much of target one unit of source is worth: a published
// rate as it is, any other as a cross rate rounded half to even to 12
// significant digits. That is the rate: nothing is computed from a longer one.
// It returns ErrSameCurrency, or ErrNoRate when the table lacks a side.
func (t *Table) Cross(source, target Currency) (Rate, error) {
	if err := CheckPair(source, target); err != nil {
		return Rate{}, err
	}
	from, ok := t.rates[source.Code]
	if !ok {
		return Rate{}, t.errNoRate(source)
	}
	to, ok := t.rates[target.Code]
	if !ok {
		return Rate{}, t.errNoRate(target)
	}
	if source.Code == Base {
		return to, nil // published, and kept to its last digit
	}
	rate, ok := cross(from, to)
	if !ok {
		return Rate{}, fmt.Errorf("%w: the one from %s to %s on %s is too large or too small",
			ErrAbsurdRate, source.Code, target.Code, t.date)
	}
	return rate, nil
}

// Has reports whether the table has a rate of a currency.
func (t *Table) Has(c Currency) bool {
	_, ok := t.rates[c.Code]
	return ok
}

// Conversion is an amount and what it is worth in another currency.
type Conversion struct {
	Source, Target Amount
	Rate           Rate // published, or a cross rate of 12 significant digits
}

// Convert returns what source is worth in the currency target, by the errors
// of Cross and of Rate.Target.
func (t *Table) Convert(source Amount, target Currency) (Conversion, error) {
	rate, err := t.Cross(source.currency, target)
	if err != nil {
		return Conversion{}, err
	}
	amount, err := rate.Target(source, target)
	if err != nil {
		return Conversion{}, err
	}
	return Conversion{source, amount, rate}, nil
}

func (t *Table) errNoRate(c Currency) error {
	return fmt.Errorf("%w: there is none of %s on %s", ErrNoRate, c.Code, t.date)
}
