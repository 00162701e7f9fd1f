package quote

import (
	"math"
	"math/big"
	"math/bits"
	"slices"
	"strconv"
)

// pow10 holds the powers of ten that fit 64 bits.
var pow10 = func() (p [20]uint64) {
	p[0] = 1
	for i := 1; i < len(p); i++ {
		p[i] = p[i-1] * 10
	}
	return p
}()

// scaled returns a × b × 10^e ÷ d rounded once, half to even, or false when
// that does not fit an int64. Numbers of everyday size take the way of 128
// bits, which allocates nothing.
func scaled(a, b uint64, e int, d uint64) (int64, bool) {
	hi, lo := bits.Mul64(a, b)
	divisor, fits := d, true
	switch {
	case e >= len(pow10) || -e >= len(pow10):
		fits = false
	case e > 0:
		hi, lo, fits = times(hi, lo, pow10[e])
	case e < 0:
		var over uint64
		over, divisor = bits.Mul64(d, pow10[-e])
		fits = over == 0
	}
	if !fits {
		return bigScaled(a, b, e, d)
	}
	if hi >= divisor {
		return 0, false // the quotient takes more than 64 bits
	}
	q, rest := bits.Div64(hi, lo, divisor)
	if q > math.MaxInt64 {
		return 0, false
	}
	if missing := divisor - rest; rest > missing || rest == missing && q%2 == 1 {
		q++
	}
	return int64(q), q <= math.MaxInt64
}

// times multiplies the 128 bits of hi and lo by m; false when it takes more.
func times(hi, lo, m uint64) (uint64, uint64, bool) {
	over, high := bits.Mul64(hi, m)
	carry, low := bits.Mul64(lo, m)
	high, more := bits.Add64(high, carry, 0)
	return high, low, over == 0 && more == 0
}

// bigScaled is scaled for numbers of any size.
func bigScaled(a, b uint64, e int, d uint64) (int64, bool) {
	n := new(big.Int).SetUint64(a)
	n.Mul(n, new(big.Int).SetUint64(b))
	divisor := new(big.Int).SetUint64(d)
	power := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(e, -e))), nil)
	if e > 0 {
		n.Mul(n, power)
	} else {
		divisor.Mul(divisor, power)
	}
	q, rest := new(big.Int).QuoRem(n, divisor, new(big.Int))
	half := rest.Lsh(rest, 1).Cmp(divisor)
	if half > 0 || half == 0 && q.Bit(0) == 1 {
		q.Add(q, big.NewInt(1))
	}
	return q.Int64(), q.IsInt64()
}

// length returns how many decimal digits n has; 0 has none.
func length(n uint64) int {
	digits := 0
	for digits < len(pow10) && n >= pow10[digits] {
		digits++
	}
	return digits
}

// plain writes n × 10^-places with exactly that many decimals.
func plain(n uint64, places int) string {
	text := strconv.AppendUint(make([]byte, 0, 48), n, 10)
	if places == 0 {
		return string(text)
	}
	for len(text) <= places {
		text = slices.Insert(text, 0, '0')
	}
	return string(slices.Insert(text, len(text)-places, '.'))
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || '9' < s[i] {
			return false
		}
	}
	return s != ""
}
