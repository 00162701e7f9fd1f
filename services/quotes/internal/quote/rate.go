package quote

import (
	"fmt"
	"strconv"
	"strings"
)

const (
	maxRateText   = 32 // bytes
	maxRateDigits = 15 // significant ones; the ECB publishes 7 at most
	crossDigits   = 12
)

// Rate is how much of one currency a unit of another is worth: an exact
// decimal from 0.000000001 to 1000000000 of at most 15 significant digits, as
// published, or a cross rate of 12. Rates are equal when == says so. The zero
// Rate is none, and converts nothing.
type Rate struct {
	coefficient uint64 // below 10^15, and no multiple of 10 unless places is 0
	places      int    // at most 23: the rate is coefficient × 10^-places
}

// one is the base's own rate.
var one = Rate{coefficient: 1}

// ParseRate reads a rate from the text of a JSON number, with exponent or
// without, or returns ErrAbsurdRate.
func ParseRate(text string) (Rate, error) {
	if len(text) > maxRateText {
		return Rate{}, fmt.Errorf("%w: it is %d bytes long, and may have %d", ErrAbsurdRate, len(text), maxRateText)
	}
	if coefficient, places, ok := parseNumber(text); ok {
		if rate, ok := newRate(coefficient, places); ok {
			return rate, nil
		}
	}
	return Rate{}, fmt.Errorf("%w: %q is no number from 0.000000001 to 1000000000 of at most %d digits",
		ErrAbsurdRate, text, maxRateDigits)
}

// parseNumber reads a positive JSON number as coefficient × 10^-places, the
// coefficient without trailing zeros; false when it is none, or too long.
func parseNumber(text string) (coefficient uint64, places int, ok bool) {
	exponent := 0
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		var err error
		exponent, err = strconv.Atoi(text[i+1:])
		// Bounded, so that sums with it cannot overflow.
		if err != nil || exponent < -99 || exponent > 99 {
			return 0, 0, false
		}
		text = text[:i]
	}
	whole, decimals, point := strings.Cut(text, ".")
	if !isDigits(whole) || whole[0] == '0' && len(whole) > 1 || point && !isDigits(decimals) {
		return 0, 0, false
	}
	zeros := 0 // read since the last other digit, and trailing unless one follows
	for _, part := range [...]string{whole, decimals} {
		for i := range len(part) {
			if part[i] == '0' {
				zeros++
				continue
			}
			if coefficient == 0 {
				zeros = 0 // they were leading
			}
			if length(coefficient)+zeros+1 > maxRateDigits {
				return 0, 0, false
			}
			coefficient = coefficient*pow10[zeros+1] + uint64(part[i]-'0')
			zeros = 0
		}
	}
	return coefficient, len(decimals) - zeros - exponent, true
}

// newRate returns coefficient × 10^-places in the one form that it has as a
// Rate; false when it is out of bounds. The coefficient has at most 15 digits.
func newRate(coefficient uint64, places int) (Rate, bool) {
	for ; places > 0 && coefficient%10 == 0; places-- {
		coefficient /= 10
	}
	// 10^(size-1) ≤ rate < 10^size
	size := length(coefficient) - places
	if coefficient == 0 || size < -8 || size > 10 {
		return Rate{}, false
	}
	if places < 0 {
		coefficient *= pow10[-places]
		places = 0
	}
	if size == 10 && (coefficient != 1e9 || places != 0) {
		return Rate{}, false
	}
	return Rate{coefficient, places}, true
}

// cross returns target ÷ source rounded half to even to 12 significant digits;
// false when that is out of a Rate's bounds.
func cross(source, target Rate) (Rate, bool) {
	// The two lengths tell the length of the quotient, or one less.
	e := crossDigits - length(target.coefficient) + length(source.coefficient)
	q, _ := scaled(target.coefficient, 1, e, source.coefficient)
	if uint64(q) >= pow10[crossDigits] {
		e--
		// From the start, for what is rounded twice is not rounded well.
		q, _ = scaled(target.coefficient, 1, e, source.coefficient)
	}
	return newRate(uint64(q), e+target.places-source.places)
}

// Target returns what source is worth in the currency target, computed from
// this very rate and rounded once, half to even, to target's minor units. It
// returns ErrAmountTooSmall when that is 0, and ErrInvalidAmount when it is
// more than an amount can hold.
func (r Rate) Target(source Amount, target Currency) (Amount, error) {
	e := target.Digits - source.currency.Digits - r.places
	return r.convert(source, target, r.coefficient, e, 1)
}

// Source returns what it takes in the currency source to come to target: the
// reverse of Target, with the same rate, rounding and errors.
func (r Rate) Source(target Amount, source Currency) (Amount, error) {
	e := source.Digits - target.currency.Digits + r.places
	return r.convert(target, source, 1, e, r.coefficient)
}

// convert returns from × factor × 10^e ÷ divisor, in minor units on both sides.
func (r Rate) convert(from Amount, to Currency, factor uint64, e int, divisor uint64) (Amount, error) {
	if err := to.check(); err != nil {
		return Amount{}, err
	}
	if r == (Rate{}) {
		return Amount{}, fmt.Errorf("%w: there is none to convert by", ErrAbsurdRate)
	}
	minor, ok := scaled(uint64(from.minor), factor, e, divisor)
	switch {
	case !ok:
		return Amount{}, fmt.Errorf("%w: %s %s is too large to be converted to %s",
			ErrInvalidAmount, from, from.currency.Code, to.Code)
	case minor == 0:
		return Amount{}, fmt.Errorf("%w: %s %s comes to %s %s",
			ErrAmountTooSmall, from, from.currency.Code, Amount{0, to}, to.Code)
	}
	return Amount{minor, to}, nil
}

// String returns the rate as a plain decimal: no exponent, no trailing zeros.
func (r Rate) String() string { return plain(r.coefficient, r.places) }
