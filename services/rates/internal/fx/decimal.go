package fx

import "math/bits"

// Decimal is an exact decimal number that is not negative: an amount, a reference rate or a cross rate. There is
// one Decimal for each number (no zeros at the end of the decimals), so == compares numbers. The zero value is 0.
type Decimal struct {
	// The coefficient hi·2^64 + lo. An amount may have 20 digits, and 1e15 euro in old Turkish lira have 22:
	// one word is too small for both, and hi is 0 for everything else.
	hi, lo uint64
	scale  uint8 // decimals
}

// NewDecimal is coef × 10^-scale, of 60 decimals at most.
func NewDecimal(coef uint64, scale uint8) Decimal {
	if coef == 0 {
		return Decimal{}
	}
	for scale > 0 && coef%10 == 0 {
		coef /= 10
		scale--
	}
	return Decimal{lo: coef, scale: scale}
}

// Append appends the number as JSON and people write it: no exponent, no zeros at the end of the decimals.
func (d Decimal) Append(dst []byte) []byte {
	var room [64]byte // two words hold 39 digits, and an amount has 34 decimals at most
	at := len(room)
	for digits := uint8(0); d.hi|d.lo != 0 || digits <= d.scale; digits++ { // one stands before the point, be it 0
		if digits == d.scale && digits > 0 {
			at--
			room[at] = '.'
		}
		var digit uint64
		if d.hi == 0 {
			d.lo, digit = d.lo/10, d.lo%10
		} else {
			high := d.hi % 10
			d.hi /= 10
			d.lo, digit = bits.Div64(high, d.lo, 10)
		}
		at--
		room[at] = '0' + byte(digit)
	}
	return append(dst, room[at:]...)
}

// AppendAmount is Append with the ".0" that the API gives a whole amount.
func (d Decimal) AppendAmount(dst []byte) []byte {
	dst = d.Append(dst)
	if d.scale == 0 {
		dst = append(dst, ".0"...)
	}
	return dst
}

func (d Decimal) String() string { return string(d.Append(nil)) }

func (d Decimal) isZero() bool { return d.hi|d.lo == 0 }

// withDigit is the coefficient times 10 plus a digit.
func (d Decimal) withDigit(digit uint64) Decimal {
	over, lo := bits.Mul64(d.lo, 10)
	lo, carry := bits.Add64(lo, digit, 0)
	return Decimal{hi: d.hi*10 + over + carry, lo: lo, scale: d.scale}
}
