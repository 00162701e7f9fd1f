package fx

import (
	"math/big"
	"math/bits"
)

// bands say how many decimals a rounded rate keeps: the first whose limit the unrounded rate exceeds, else 6.
// Limits are in millionths, the finest unit that any band keeps.
var bands = [...]struct {
	over     uint64
	decimals uint8
}{
	{5000_000000, 0},
	{80_000000, 2},
	{20_000000, 3},
	{1_000000, 4},
	{100, 5}, // 0.0001
}

const finest = 6 // decimals

// one turns band into the rounding of a plain product.
var one = Decimal{lo: 1}

// pow10 holds the powers of ten that fit into a word.
var pow10 = func() (p [20]uint64) {
	p[0] = 1
	for i := range len(p) - 1 {
		p[i+1] = p[i] * 10
	}
	return p
}()

// band rounds x·y/z, once, to the decimals of its band. A tie goes to the even digit, but up where no decimals are
// kept: the API's first implementation rounded integers with another function, and its clients have its numbers.
// z must not be 0.
func band(x, y, z Decimal) Decimal {
	if d, ok := bandWords(x, y, z); ok {
		return d
	}
	return bandBig(x, y, z)
}

// bandWords is band in 128 bits. It reports false where the numbers are too long, which takes an amount of
// billions or one with many decimals.
func bandWords(x, y, z Decimal) (Decimal, bool) {
	if x.hi|y.hi|z.hi != 0 {
		return Decimal{}, false
	}
	// hi,lo ÷ div is the rate in millionths.
	hi, lo := bits.Mul64(x.lo, y.lo)
	div := z.lo
	switch shift := finest + int(z.scale) - int(x.scale) - int(y.scale); {
	case shift >= len(pow10) || -shift >= len(pow10):
		return Decimal{}, false
	case shift >= 0:
		over, top := bits.Mul64(hi, pow10[shift])
		if over != 0 {
			return Decimal{}, false
		}
		hi, lo = bits.Mul64(lo, pow10[shift])
		var carry uint64
		if hi, carry = bits.Add64(hi, top, 0); carry != 0 {
			return Decimal{}, false
		}
	default:
		var over uint64
		if over, div = bits.Mul64(div, pow10[-shift]); over != 0 {
			return Decimal{}, false
		}
	}

	decimals := uint8(finest)
	for _, b := range bands {
		if h, l := bits.Mul64(b.over, div); hi > h || hi == h && lo > l {
			decimals = b.decimals
			break
		}
	}
	over, div := bits.Mul64(div, pow10[finest-decimals])
	if over != 0 || hi >= div { // the quotient would not fit into a word
		return Decimal{}, false
	}
	quo, rem := bits.Div64(hi, lo, div)
	if up := div - rem; rem > up || rem == up && (decimals == 0 || quo%2 == 1) {
		if quo++; quo == 0 {
			return Decimal{}, false
		}
	}
	return NewDecimal(quo, decimals), true
}

// bandBig is band for numbers of any length.
func bandBig(x, y, z Decimal) Decimal {
	num := new(big.Int).Mul(x.big(), y.big())
	div := z.big()
	if shift := finest + int(z.scale) - int(x.scale) - int(y.scale); shift >= 0 {
		num.Mul(num, bigPow10(shift))
	} else {
		div.Mul(div, bigPow10(-shift))
	}

	decimals := uint8(finest)
	for _, b := range bands {
		limit := new(big.Int).SetUint64(b.over)
		if num.Cmp(limit.Mul(limit, div)) > 0 {
			decimals = b.decimals
			break
		}
	}
	div.Mul(div, bigPow10(finest-int(decimals)))
	quo, rem := num.QuoRem(num, div, new(big.Int))
	if tie := rem.Lsh(rem, 1).Cmp(div); tie > 0 || tie == 0 && (decimals == 0 || quo.Bit(0) == 1) {
		quo.Add(quo, big.NewInt(1))
	}
	if quo.IsUint64() {
		return NewDecimal(quo.Uint64(), decimals)
	}
	// Only a number over 5000 is this long, so there are no decimals to tidy. Two words hold it: amounts end at
	// 1e15, rates are 32 bits with at most 9 decimals, and so no cross rate has more than 35 digits.
	lo := new(big.Int).And(quo, new(big.Int).SetUint64(^uint64(0)))
	return Decimal{hi: quo.Rsh(quo, 64).Uint64(), lo: lo.Uint64()}
}

func (d Decimal) big() *big.Int {
	n := new(big.Int).SetUint64(d.hi)
	return n.Lsh(n, 64).Or(n, new(big.Int).SetUint64(d.lo))
}

func bigPow10(n int) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil)
}
