package quote_test

import (
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"example.com/portpair/services/quotes/internal/quote"
)

// The reference: the design's sentences once more, in rationals of any size.

func exact(t testing.TB, text string) *big.Rat {
	t.Helper()
	x, ok := new(big.Rat).SetString(text)
	if !ok {
		t.Fatalf("%q is no number", text)
	}
	return x
}

func tenTo(n int) *big.Rat {
	x := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(n, -n))), nil))
	if n < 0 {
		x.Inv(x)
	}
	return x
}

// halfEven rounds a positive x to an integer.
func halfEven(x *big.Rat) *big.Int {
	whole := new(big.Int).Quo(x.Num(), x.Denom())
	rest := new(big.Rat).Sub(x, new(big.Rat).SetInt(whole))
	switch rest.Cmp(big.NewRat(1, 2)) {
	case 1:
		whole.Add(whole, big.NewInt(1))
	case 0:
		whole.Add(whole, new(big.Int).And(whole, big.NewInt(1)))
	}
	return whole
}

// wantCross rounds target ÷ source half to even to 12 significant digits.
func wantCross(source, target *big.Rat) *big.Rat {
	x := new(big.Rat).Quo(target, source)
	places := 0
	for ; x.Cmp(tenTo(12-places)) >= 0; places-- {
	}
	for ; x.Cmp(tenTo(11-places)) < 0; places++ {
	}
	rounded := halfEven(new(big.Rat).Mul(x, tenTo(places)))
	return x.Mul(new(big.Rat).SetInt(rounded), tenTo(-places))
}

func value(a quote.Amount) *big.Rat {
	return new(big.Rat).Mul(new(big.Rat).SetInt64(a.Minor()), tenTo(-a.Currency().Digits))
}

// checkAmount holds an amount, or the lack of one, against its exact value.
func checkAmount(t *testing.T, got quote.Amount, err error, want *big.Rat, c quote.Currency) {
	t.Helper()
	minor := halfEven(new(big.Rat).Mul(want, tenTo(c.Digits)))
	switch {
	case minor.Sign() == 0:
		wantError(t, err, quote.ErrAmountTooSmall)
	case !minor.IsInt64():
		wantError(t, err, quote.ErrInvalidAmount, "too large")
	case err != nil || got.Minor() != minor.Int64() || got.Currency() != c:
		t.Errorf("got %s %s, %v, want %s minor units of %s", got, got.Currency().Code, err, minor, c.Code)
	}
}

// amounts gives some of a currency: small, everyday, very large, and random.
func amounts(t *testing.T, c quote.Currency, random *rand.Rand) []quote.Amount {
	t.Helper()
	minors := []int64{1, 2, 5, 99, 10000, 123456789, 1e15 - 1, math.MaxInt64}
	for range 4 {
		minors = append(minors, 1+random.Int64N(int64(1)<<(1+random.IntN(62))))
	}
	list := make([]quote.Amount, len(minors))
	for i, minor := range minors {
		var err error
		if list[i], err = quote.NewAmount(minor, c); err != nil {
			t.Fatal(err)
		}
	}
	return list
}

// eachPair calls check for all pairs of currencies of all days.
func eachPair(t *testing.T, check func(t *testing.T, tab *quote.Table, source, target quote.Currency)) {
	t.Helper()
	for _, day := range dates() {
		t.Run(day, func(t *testing.T) {
			tab := table(t, day, days[day])
			for _, source := range tab.Currencies() {
				for _, target := range tab.Currencies() {
					if source != target {
						check(t, tab, source, target)
					}
				}
			}
		})
	}
}

func TestCrossRatesAgreeWithRationals(t *testing.T) {
	eachPair(t, func(t *testing.T, tab *quote.Table, source, target quote.Currency) {
		rates := texts(days[tab.Date().String()])
		rates["EUR"] = "1"
		want := exact(t, rates[target.Code])
		if source.Code != "EUR" {
			want = wantCross(exact(t, rates[source.Code]), want)
		}
		got, err := tab.Cross(source, target)
		if want.Cmp(tenTo(9)) > 0 || want.Cmp(tenTo(-9)) < 0 {
			wantError(t, err, quote.ErrAbsurdRate)
			return
		}
		if err != nil || exact(t, got.String()).Cmp(want) != 0 {
			t.Errorf("%s to %s: got %s, %v, want %s", source.Code, target.Code, got, err, want.FloatString(24))
		}
		digits := strings.TrimLeft(strings.Replace(got.String(), ".", "", 1), "0")
		if source.Code != "EUR" && len(digits) > 12 {
			t.Errorf("%s to %s: got %s of %d significant digits", source.Code, target.Code, got, len(digits))
		}
		if again, err := quote.ParseRate(got.String()); err != nil || again != got {
			t.Errorf("%s to %s: got %s, %v when %s is parsed", source.Code, target.Code, again, err, got)
		}
	})
}

func TestAmountsAgreeWithRationals(t *testing.T) {
	random := rand.New(rand.NewPCG(2026, 8))
	eachPair(t, func(t *testing.T, tab *quote.Table, source, target quote.Currency) {
		rate, err := tab.Cross(source, target)
		if err != nil {
			return // absurd, as the other test makes sure
		}
		x := exact(t, rate.String())
		for _, a := range amounts(t, source, random) {
			got, err := rate.Target(a, target)
			checkAmount(t, got, err, new(big.Rat).Mul(value(a), x), target)
		}
		for _, a := range amounts(t, target, random) {
			got, err := rate.Source(a, source)
			checkAmount(t, got, err, new(big.Rat).Quo(value(a), x), source)
		}
	})
}

// bound is half a minor unit of each side, valued in source at rate x.
func bound(source, target quote.Currency, x *big.Rat) *big.Rat {
	half := big.NewRat(1, 2)
	there := new(big.Rat).Mul(half, tenTo(-target.Digits))
	back := new(big.Rat).Mul(half, tenTo(-source.Digits))
	return back.Add(back, there.Quo(there, x))
}

func TestThereAndBackGainsAtMostHalfAMinorUnitOfEachSide(t *testing.T) {
	random := rand.New(rand.NewPCG(8, 21))
	eachPair(t, func(t *testing.T, tab *quote.Table, source, target quote.Currency) {
		rate, err := tab.Cross(source, target)
		if err != nil {
			return
		}
		most := bound(source, target, exact(t, rate.String()))
		for _, a := range amounts(t, source, random) {
			there, err := rate.Target(a, target)
			if err != nil {
				continue // too small or too large
			}
			back, err := rate.Source(there, source)
			if errors.Is(err, quote.ErrAmountTooSmall) || errors.Is(err, quote.ErrInvalidAmount) {
				continue
			}
			gain := new(big.Rat).Sub(value(back), value(a))
			if err != nil || gain.Abs(gain).Cmp(most) > 0 {
				t.Errorf("%s %s, %s %s, %s: %v", a, source.Code, there, target.Code, back, err)
			}
		}
	})
}

// Back at the opposite cross rate, the roundings of the two rates come on top:
// each is off by half a unit of its twelfth digit, so by 5 × 10^-12 at most.
func TestThereAndBackAtTheOppositeRateGainsNoMoreThanTheRatesRounding(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 22))
	eachPair(t, func(t *testing.T, tab *quote.Table, source, target quote.Currency) {
		rate, err := tab.Cross(source, target)
		opposite, oppositeErr := tab.Cross(target, source)
		if err != nil || oppositeErr != nil {
			return
		}
		for _, a := range amounts(t, source, random) {
			there, err := rate.Target(a, target)
			if err != nil {
				continue
			}
			back, err := opposite.Target(there, source)
			if errors.Is(err, quote.ErrAmountTooSmall) || errors.Is(err, quote.ErrInvalidAmount) {
				continue
			}
			most := bound(source, target, new(big.Rat).Inv(exact(t, opposite.String())))
			most.Add(most, new(big.Rat).Mul(value(a), big.NewRat(101, 1e13)))
			gain := new(big.Rat).Sub(value(back), value(a))
			if err != nil || gain.Abs(gain).Cmp(most) > 0 {
				t.Errorf("%s %s, %s %s, %s: %v", a, source.Code, there, target.Code, back, err)
			}
		}
	})
}
