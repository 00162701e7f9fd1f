package fx_test

import (
	"math/big"
	"strings"
	"testing"

	"example.com/portpair/services/rates/internal/fx"
)

// All pairs of all days of the snapshot, against the contract's arithmetic written down with fractions.
func TestEveryCrossRateOfTheSnapshot(t *testing.T) {
	table := snapshot(t)
	for d := table.First(); d <= table.Newest(); d++ {
		crossCheck(t, table, d, "1")
	}
	for _, amount := range []string{"3", "0.5", "100", "0.0001", "1234567.89", "999999999999.99", "1e15", "1234567890.1234567891"} {
		crossCheck(t, table, table.Newest(), amount)
	}
}

func TestEveryCrossRateOfSomeDaysOfHistory(t *testing.T) {
	table := history(t)
	for d := table.First(); d <= table.Newest(); d += 199 {
		crossCheck(t, table, d, "1")
		crossCheck(t, table, d, "7e12")
	}
}

func crossCheck(t *testing.T, table *fx.Table, d fx.Day, amount string) {
	t.Helper()
	published, err := table.On(d, fx.DefaultQuery())
	if err != nil {
		t.Fatalf("%v: %v", d, err)
	}
	parsed, err := fx.ParseAmount(amount)
	if err != nil {
		t.Fatalf("%s: %v", amount, err)
	}
	sum := fractionOf(t, parsed)
	legs := map[string]fraction{fx.EUR: sum}
	for _, r := range published.Rates {
		legs[r.Currency] = sum.times(fractionOf(t, r.Value)).band()
	}
	for base, baseLeg := range legs {
		if baseLeg.num.Sign() == 0 || base == fx.EUR && amount == "1" {
			continue
		}
		got, err := table.On(d, fx.Query{Base: base, Amount: parsed})
		if err != nil {
			t.Fatalf("%v, %s %s: %v", d, amount, base, err)
		}
		if got, want := len(got.Rates), len(legs)-1; got != want {
			t.Fatalf("%v, %s %s: got %d rates, want %d", d, amount, base, got, want)
		}
		for _, r := range got.Rates {
			want := legs[r.Currency]
			if base != fx.EUR {
				want = sum.times(want).over(baseLeg).band()
			}
			if fractionOf(t, r.Value).cmp(want) != 0 {
				t.Errorf("%v, %s %s in %s: got %v, want %v", d, amount, base, r.Currency, r.Value, new(big.Rat).SetFrac(want.num, want.den).FloatString(6))
			}
		}
	}
}

// fraction is num/den, den over 0. It is not in lowest terms, which is most of
// what a big.Rat costs.
type fraction struct{ num, den *big.Int }

func fractionOf(t *testing.T, d fx.Decimal) fraction {
	t.Helper()
	whole, decimals, _ := strings.Cut(d.String(), ".")
	num, ok := new(big.Int).SetString(whole+decimals, 10)
	if !ok {
		t.Fatalf("%v is not a number", d)
	}
	return fraction{num, tenTo(len(decimals))}
}

func (f fraction) times(g fraction) fraction { return fraction{mul(f.num, g.num), mul(f.den, g.den)} }

func (f fraction) over(g fraction) fraction { return fraction{mul(f.num, g.den), mul(f.den, g.num)} }

func (f fraction) cmp(g fraction) int { return mul(f.num, g.den).Cmp(mul(g.num, f.den)) }

var bands = []struct {
	over     fraction
	decimals int
}{
	{fraction{big.NewInt(1), big.NewInt(10_000)}, 5},
	{fraction{big.NewInt(1), big.NewInt(1)}, 4},
	{fraction{big.NewInt(20), big.NewInt(1)}, 3},
	{fraction{big.NewInt(80), big.NewInt(1)}, 2},
	{fraction{big.NewInt(5000), big.NewInt(1)}, 0},
}

// band rounds as the contract says.
func (f fraction) band() fraction {
	decimals := 6
	for _, b := range bands {
		if f.cmp(b.over) > 0 {
			decimals = b.decimals
		}
	}
	floor, rest := new(big.Int).QuoRem(mul(f.num, tenTo(decimals)), f.den, new(big.Int))
	tie := rest.Lsh(rest, 1).Cmp(f.den)
	if tie > 0 || tie == 0 && (decimals == 0 || floor.Bit(0) == 1) {
		floor.Add(floor, big.NewInt(1))
	}
	return fraction{floor, tenTo(decimals)}
}

func mul(a, b *big.Int) *big.Int { return new(big.Int).Mul(a, b) }

func tenTo(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }
