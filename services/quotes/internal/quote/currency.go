package quote

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Currency is a currency of ISO 4217. Only those of LookupCurrency and
// Currencies are of use; others are refused with ErrUnknownCurrency.
type Currency struct {
	Code   string // such as EUR
	Name   string // in English
	Digits int    // decimals of its minor unit: 2 for EUR, 0 for JPY
}

// known lists all currencies by code, the ended ones among them.
var known = slices.SortedFunc(slices.Values(slices.Concat(active, ended)), func(a, b Currency) int { return cmp.Compare(a.Code, b.Code) })

var byCode = index(known)

func index(list []Currency) map[string]Currency {
	m := make(map[string]Currency, len(list))
	for _, c := range list {
		m[c.Code] = c
	}
	return m
}

// CheckPair returns ErrSameCurrency when the sides are one.
func CheckPair(source, target Currency) error {
	if source.Code != target.Code {
		return nil
	}
	return fmt.Errorf("%w: source and target are both %s", ErrSameCurrency, source.Code)
}

// Currencies returns all currencies known here, ordered by code.
func Currencies() []Currency { return slices.Clone(known) }

// LookupCurrency returns the currency of an ISO 4217 code, or
// ErrUnknownCurrency.
func LookupCurrency(code string) (Currency, error) {
	if c, ok := byCode[code]; ok {
		return c, nil
	}
	if isCode(code) {
		return Currency{}, fmt.Errorf("%w: %s is none that is known here", ErrUnknownCurrency, code)
	}
	// The length first: a long string is not copied just to be refused.
	if len(code) == 3 {
		if upper := strings.ToUpper(code); isCode(upper) {
			return Currency{}, fmt.Errorf("%w: write it in capital letters, like %s", ErrUnknownCurrency, upper)
		}
	}
	return Currency{}, fmt.Errorf("%w: a code is three capital letters, like EUR", ErrUnknownCurrency)
}

// check keeps out currencies that somebody made up: the arithmetic relies on
// the table's number of digits.
func (c Currency) check() error {
	if listed, ok := byCode[c.Code]; !ok || listed != c {
		return fmt.Errorf("%w: the currency was not looked up", ErrUnknownCurrency)
	}
	return nil
}

func isCode(s string) bool {
	return len(s) == 3 && isCapital(s[0]) && isCapital(s[1]) && isCapital(s[2])
}

func isCapital(b byte) bool { return 'A' <= b && b <= 'Z' }
