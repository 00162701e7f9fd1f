package fx

import (
	"bytes"
	"math/bits"
	"slices"
	"strconv"
)

// Decimal is an exact decimal number that is not negative: an amount, a reference rate or a cross rate. There is
// one Decimal for each number (no zeros at the end of the decimals), so == compares numbers. The zero value is 0.
type Decimal struct {
	// The coefficient hi·2^64 + lo. An amount may have 20 digits, and 1e15 euro in old Turkish lira have 22:
	// one word is too small for both, and hi is 0 for everything else.
	hi, lo uint64
	scale  uint8 // decimals
}

// NewDecimal is coef × 10^-scale.
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
	begin := len(dst)
	dst = d.appendCoef(dst)
	if d.scale == 0 {
		return dst
	}
	// A digit stands before the point, be it 0.
	for missing := int(d.scale) + 1 - (len(dst) - begin); missing > 0; missing-- {
		dst = slices.Insert(dst, begin, '0')
	}
	point := len(dst) - int(d.scale)
	dst = append(dst, 0)
	copy(dst[point+1:], dst[point:])
	dst[point] = '.'
	return dst
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

func (d Decimal) appendCoef(dst []byte) []byte {
	if d.hi == 0 {
		return strconv.AppendUint(dst, d.lo, 10)
	}
	// Two words in decimal: what is above 10^19, then the 19 digits below it with their leading zeros.
	const e19 = 1e19
	top, rest := bits.Div64(d.hi%e19, d.lo, e19)
	dst = Decimal{hi: d.hi / e19, lo: top}.appendCoef(dst)
	var room [20]byte
	low := strconv.AppendUint(room[:0], rest, 10)
	dst = append(dst, bytes.Repeat([]byte{'0'}, 19-len(low))...)
	return append(dst, low...)
}

// withDigit is the coefficient times 10 plus a digit.
func (d Decimal) withDigit(digit uint64) Decimal {
	over, lo := bits.Mul64(d.lo, 10)
	lo, carry := bits.Add64(lo, digit, 0)
	return Decimal{hi: d.hi*10 + over + carry, lo: lo, scale: d.scale}
}
