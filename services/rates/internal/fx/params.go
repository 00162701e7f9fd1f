package fx

import "strings"

const (
	maxAmountDigits = 20  // significant ones
	maxAmountSize   = 16  // digits before the point of 1e15, the largest amount
	minAmountSize   = -14 // of 1e-15, the smallest: its first digit stands 15 places behind the point
)

// ParseAmount reads the number that s begins with: "10", "2.50", ".5", "1e3"; "10abc" is 10. Signs, blanks before
// it and underscores are refused, and so are 0, more than 20 significant digits, and what is over 1e15 or under
// 1e-15.
func ParseAmount(s string) (Decimal, error) {
	whole, rest := cutDigits(s)
	fraction := ""
	if after, ok := strings.CutPrefix(rest, "."); ok {
		if digits, r := cutDigits(after); digits != "" {
			fraction, rest = digits, r
		}
	}
	if whole == "" && fraction == "" {
		return Decimal{}, ErrInvalidAmount
	}
	exp, rest := cutExponent(rest)
	if strings.HasPrefix(rest, "_") { // 1_000 is 1000 to some readers; to answer for 1 would be worse than to refuse
		return Decimal{}, ErrInvalidAmount
	}

	// The number is digits × 10^exp, and also 0.digits × 10^size. Nothing below is longer than its limits allow,
	// whatever the exponent says.
	digits := whole + fraction
	exp -= len(fraction)
	tidy := strings.TrimRight(digits, "0")
	exp += len(digits) - len(tidy)
	digits = strings.TrimLeft(tidy, "0")
	size := len(digits) + exp
	switch {
	case digits == "",
		len(digits) > maxAmountDigits,
		size > maxAmountSize || size == maxAmountSize && digits != "1",
		size < minAmountSize:
		return Decimal{}, ErrInvalidAmount
	}
	var d Decimal
	for _, digit := range []byte(digits) {
		d = d.withDigit(uint64(digit - '0'))
	}
	for range exp {
		d = d.withDigit(0)
	}
	d.scale = uint8(max(0, -exp))
	return d, nil
}

// cutDigits cuts the decimal digits that s begins with off its rest.
func cutDigits(s string) (digits, rest string) {
	rest = strings.TrimLeft(s, "0123456789")
	return s[:len(s)-len(rest)], rest
}

// cutExponent cuts an exponent such as "e3" or "E-3" off the rest of s. Without its digits it is none. A huge one
// stays huge without being computed.
func cutExponent(s string) (exp int, rest string) {
	const huge = 1 << 26
	if s == "" || s[0] != 'e' && s[0] != 'E' {
		return 0, s
	}
	after, negative := strings.CutPrefix(s[1:], "-")
	if !negative {
		after = strings.TrimPrefix(after, "+")
	}
	digits, rest := cutDigits(after)
	if digits == "" {
		return 0, s
	}
	for _, digit := range []byte(digits) {
		if exp < huge {
			exp = exp*10 + int(digit-'0')
		}
	}
	if negative {
		exp = -exp
	}
	return exp, rest
}

// ParseBase reads a base currency's code. Only its case is forgiven.
func ParseBase(s string) string { return upper(s) }

// SplitSymbols reads a comma-separated list of codes, of which only the case is forgiven. Commas at the end add
// nothing; repeated codes are kept, since CheckPair counts them and an answer does not. The result is never nil.
func SplitSymbols(s string) []string {
	s = strings.TrimRight(s, ",")
	if s == "" {
		return []string{}
	}
	return strings.Split(upper(s), ",")
}

// upper is ASCII's alone: Unicode has further letters, as ſ, that become one of A to Z.
func upper(s string) string {
	return strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' {
			r -= 'a' - 'A'
		}
		return r
	}, s)
}

// CheckPair returns ErrBadPair if symbols are exactly one code and that is the base. It is asked only about a base
// that the request names: without one, EUR alone in symbols is not a mistake but just not found.
func CheckPair(base string, symbols []string) error {
	if len(symbols) == 1 && symbols[0] == base {
		return ErrBadPair
	}
	return nil
}
