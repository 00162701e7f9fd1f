package fx_test

import (
	"math/big"
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
	sum := rat(t, parsed)
	legs := map[string]*big.Rat{fx.EUR: sum}
	for _, r := range published.Rates {
		legs[r.Currency] = ratBand(mul(sum, rat(t, r.Value)))
	}
	for base, baseLeg := range legs {
		if baseLeg.Sign() == 0 || base == fx.EUR && amount == "1" {
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
				want = ratBand(new(big.Rat).Quo(mul(sum, want), baseLeg))
			}
			if rat(t, r.Value).Cmp(want) != 0 {
				t.Errorf("%v, %s %s in %s: got %v, want %v", d, amount, base, r.Currency, r.Value, want.FloatString(6))
			}
		}
	}
}

var ratBands = []struct {
	over     *big.Rat
	decimals int64
}{{big.NewRat(1, 10_000), 5}, {big.NewRat(1, 1), 4}, {big.NewRat(20, 1), 3}, {big.NewRat(80, 1), 2}, {big.NewRat(5000, 1), 0}}

func ratBand(v *big.Rat) *big.Rat {
	decimals := int64(6)
	for _, b := range ratBands {
		if v.Cmp(b.over) > 0 {
			decimals = b.decimals
		}
	}
	shift := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(decimals), nil))
	scaled := mul(v, shift)
	floor := new(big.Int).Quo(scaled.Num(), scaled.Denom())
	rest := new(big.Rat).Sub(scaled, new(big.Rat).SetInt(floor))
	tie := rest.Cmp(big.NewRat(1, 2))
	if tie > 0 || tie == 0 && (decimals == 0 || floor.Bit(0) == 1) {
		floor.Add(floor, big.NewInt(1))
	}
	return new(big.Rat).Quo(new(big.Rat).SetInt(floor), shift)
}

func mul(a, b *big.Rat) *big.Rat { return new(big.Rat).Mul(a, b) }

func rat(t *testing.T, d fx.Decimal) *big.Rat {
	t.Helper()
	r, ok := new(big.Rat).SetString(d.String())
	if !ok {
		t.Fatalf("%v is not a number", d)
	}
	return r
}
