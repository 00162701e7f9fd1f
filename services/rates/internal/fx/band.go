package fx

import (
	"math/big"
	"math/bits"
	"sync"
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

// bandWords is band in 128 bits. It reports false where the numbers are too long, which takes an amount of 20
// digits, or one of trillions in a currency of small units.
func bandWords(x, y, z Decimal) (Decimal, bool) {
	if x.hi|y.hi|z.hi != 0 {
		return Decimal{}, false
	}
	hi, lo := bits.Mul64(x.lo, y.lo)
	shift := int(z.scale) - int(x.scale) - int(y.scale)
	millionths, rest, div, ok := shifted(hi, lo, z.lo, shift+finest)
	if !ok {
		return Decimal{}, false
	}
	decimals := uint8(finest)
	for _, b := range bands {
		if h, l := bits.Mul64(b.over, div); millionths > h || millionths == h && rest > l {
			decimals = b.decimals
			break
		}
	}
	// From the start, with no more digits than are kept.
	hi, lo, div, ok = shifted(hi, lo, z.lo, shift+int(decimals))
	if !ok || hi >= div { // the quotient would not fit into a word
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

// shifted multiplies hi,lo ÷ div by 10^shift, above or below the line. It reports false where that is too long.
func shifted(hi, lo, div uint64, shift int) (_, _, _ uint64, ok bool) {
	switch {
	case shift >= len(pow10) || -shift >= len(pow10):
		return 0, 0, 0, false
	case shift >= 0:
		over, top := bits.Mul64(hi, pow10[shift])
		low, bottom := bits.Mul64(lo, pow10[shift])
		low, carry := bits.Add64(low, top, 0)
		return low, bottom, div, over|carry == 0
	default:
		over, below := bits.Mul64(div, pow10[-shift])
		return hi, lo, below, over == 0
	}
}

// scratch is what bandBig computes in: a range of 27 years calls it half a million times.
type scratch struct{ num, div, limit, rem big.Int }

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// bandBig is band for numbers of any length.
func bandBig(x, y, z Decimal) Decimal {
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	num, div := &s.num, &s.div
	num.Mul(x.setBig(num), y.setBig(&s.limit))
	z.setBig(div)
	if shift := finest + int(z.scale) - int(x.scale) - int(y.scale); shift >= 0 {
		num.Mul(num, bigPow10[shift])
	} else {
		div.Mul(div, bigPow10[-shift])
	}

	decimals := uint8(finest)
	for _, b := range bands {
		if num.Cmp(s.limit.Mul(s.limit.SetUint64(b.over), div)) > 0 {
			decimals = b.decimals
			break
		}
	}
	div.Mul(div, bigPow10[finest-int(decimals)])
	quo, rem := &s.limit, &s.rem
	quo.QuoRem(num, div, rem)
	if tie := rem.Lsh(rem, 1).Cmp(div); tie > 0 || tie == 0 && (decimals == 0 || quo.Bit(0) == 1) {
		quo.Add(quo, bigPow10[0])
	}
	if quo.IsUint64() {
		return NewDecimal(quo.Uint64(), decimals)
	}
	// Only a number over 5000 is this long, so there are no decimals to tidy. Two words hold it: amounts end at
	// 1e15, rates are 32 bits with at most 9 decimals, and so no cross rate has more than 35 digits.
	lo := rem.And(quo, maxWord).Uint64()
	return Decimal{hi: quo.Rsh(quo, 64).Uint64(), lo: lo}
}

var maxWord = new(big.Int).SetUint64(^uint64(0))

// bigPow10 holds the powers of ten up to the most decimals that two factors or a divisor, and the finest unit, have.
var bigPow10 = func() (p [128]*big.Int) {
	p[0] = big.NewInt(1)
	for i := range len(p) - 1 {
		p[i+1] = new(big.Int).Mul(p[i], big.NewInt(10))
	}
	return p
}()

// setBig sets n to the coefficient.
func (d Decimal) setBig(n *big.Int) *big.Int {
	n.SetUint64(d.hi)
	if d.hi == 0 {
		return n.SetUint64(d.lo)
	}
	lo := new(big.Int).SetUint64(d.lo)
	return n.Or(n.Lsh(n, 64), lo)
}
