package quote

import (
	"fmt"
	"strings"
)

// maxWhole is how many digits an amount may have before its point. With the
// three decimals that no currency exceeds, any such amount fits an int64.
const maxWhole = 15

// Amount is a positive sum of money: an integer of its currency's minor
// units. Amounts are equal when == says so.
type Amount struct {
	minor    int64
	currency Currency
}

// NewAmount returns an amount of so many minor units, or ErrInvalidAmount
// when that is not above zero.
func NewAmount(minor int64, currency Currency) (Amount, error) {
	if err := currency.check(); err != nil {
		return Amount{}, err
	}
	if minor <= 0 {
		return Amount{}, errZeroAmount()
	}
	return Amount{minor, currency}, nil
}

// ParseAmount reads an amount as the API takes it, or returns
// ErrInvalidAmount: digits, then perhaps a point and no more decimals than the
// currency has. Nothing is rounded, and all is checked before any arithmetic.
func ParseAmount(s string, currency Currency) (Amount, error) {
	if err := currency.check(); err != nil {
		return Amount{}, err
	}
	// The length first: no hostile string is read to its end.
	if len(s) > maxWhole+1+currency.Digits {
		return Amount{}, errAmountForm(currency)
	}
	whole, decimals, point := strings.Cut(s, ".")
	if !isDigits(whole) || len(whole) > maxWhole || point && !isDigits(decimals) || len(decimals) > currency.Digits {
		return Amount{}, errAmountForm(currency)
	}
	var minor int64
	for _, part := range [...]string{whole, decimals} {
		for i := range len(part) {
			minor = minor*10 + int64(part[i]-'0')
		}
	}
	minor *= int64(pow10[currency.Digits-len(decimals)])
	if minor == 0 {
		return Amount{}, errZeroAmount()
	}
	return Amount{minor, currency}, nil
}

// Minor returns the number of minor units.
func (a Amount) Minor() int64 { return a.minor }

// Currency returns the currency of a.
func (a Amount) Currency() Currency { return a.currency }

// String returns a with exactly the decimals of its currency, such as 100.00,
// and without the code.
func (a Amount) String() string { return plain(uint64(a.minor), a.currency.Digits) }

func errZeroAmount() error {
	return fmt.Errorf("%w: it must be more than zero", ErrInvalidAmount)
}

// errAmountForm says what would do. It does not repeat what it refuses, which
// may be long, and may look right when it is not.
func errAmountForm(c Currency) error {
	example, decimals := "100", "no decimals"
	if c.Digits > 0 {
		example += "." + strings.Repeat("0", c.Digits)
		decimals = fmt.Sprintf("at most %d decimals", c.Digits)
	}
	return fmt.Errorf("%w: write it like %s, no separators of thousands: up to %d digits, %s for %s", ErrInvalidAmount, example, maxWhole, decimals, c.Code)
}
