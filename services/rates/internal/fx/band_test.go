package fx

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestBand(t *testing.T) {
	tests := []struct {
		name string
		in   Decimal
		want string
	}{
		{"over 5000 has no decimals", NewDecimal(50000001, 4), "5000"},
		{"5000 itself has 2", NewDecimal(5000, 0), "5000"},
		{"just under 5000 rounds up to it", NewDecimal(4999996, 3), "5000"},
		{"over 80 has 2", NewDecimal(80001234, 6), "80"},
		{"80 itself has 3", NewDecimal(80, 0), "80"},
		{"under 80 has 3", NewDecimal(79123456, 6), "79.123"},
		{"over 20 has 3", NewDecimal(20123456, 6), "20.123"},
		{"20 and less has 4", NewDecimal(19123456, 6), "19.1235"},
		{"over 1 has 4", NewDecimal(1123456, 6), "1.1235"},
		{"1 and less has 5", NewDecimal(123456, 6), "0.12346"},
		{"over 0.0001 has 5", NewDecimal(1001, 7), "0.0001"},
		{"0.0001 and less has 6", NewDecimal(655, 7), "0.000066"},
		{"the smallest", NewDecimal(51, 8), "0.000001"},
		{"less is nothing", NewDecimal(49, 8), "0"},
		{"a tie goes to the even digit, down", NewDecimal(112025, 3), "112.02"},
		{"a tie goes to the even digit, up", NewDecimal(112035, 3), "112.04"},
		{"a tie of the smallest goes to 0", NewDecimal(5, 7), "0"},
		{"a tie of integers goes up from even", NewDecimal(50025, 1), "5003"},
		{"a tie of integers goes up from odd", NewDecimal(50015, 1), "5002"},
		{"a tie that is over 5000 rounds to an integer", NewDecimal(50005, 1), "5001"},
		{"the largest word", NewDecimal(math.MaxUint64, 0), "18446744073709551615"},
		{"the largest word that rounds up", NewDecimal(math.MaxUint64, 1), "1844674407370955162"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := band(tt.in, one, one).String(); got != tt.want {
				t.Errorf("%v: got %v, want %v", tt.in, got, tt.want)
			}
			if got := bandBig(tt.in, one, one).String(); got != tt.want {
				t.Errorf("%v the long way: got %v, want %v", tt.in, got, tt.want)
			}
		})
	}
}

func TestBandBeyondOneWord(t *testing.T) {
	largest, err := ParseAmount("1e15")
	if err != nil {
		t.Fatal(err)
	}
	longest, err := ParseAmount("999999999999999.99999")
	if err != nil {
		t.Fatal(err)
	}
	oldLira := NewDecimal(1912400, 0)
	tests := []struct {
		name    string
		x, y, z Decimal
		want    string
	}{
		{"1e15 euro in old lira", largest, oldLira, one, "1912400000000000000000"},
		{"20 digits in old lira", longest, oldLira, one, "1912399999999999999981"},
		{"1e15 of the dearest in the cheapest", largest, NewDecimal(math.MaxUint32, 0), NewDecimal(1, 9), "4294967295000000000000000000000000"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := band(tt.x, tt.y, tt.z).String(); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// The short way and the long way agree wherever the short one answers.
func TestBandBothWays(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	number := func() Decimal {
		return NewDecimal(rnd.Uint64()>>rnd.IntN(64)|1, uint8(rnd.IntN(22)))
	}
	short := 0
	const rounds = 20_000
	for range rounds {
		x, y, z := number(), number(), number()
		got, ok := bandWords(x, y, z)
		if !ok {
			continue
		}
		short++
		if want := bandBig(x, y, z); got != want {
			t.Errorf("%v × %v / %v: got %v, want %v", x, y, z, got, want)
		}
	}
	if short < rounds/10 {
		t.Errorf("the short way answered %d times of %d, too few to compare", short, rounds)
	}
}

func TestDecimalAppend(t *testing.T) {
	tests := []struct {
		in           Decimal
		want, amount string
	}{
		{Decimal{}, "0", "0.0"},
		{NewDecimal(0, 4), "0", "0.0"},
		{NewDecimal(1, 0), "1", "1.0"},
		{NewDecimal(100, 0), "100", "100.0"},
		{NewDecimal(1000, 3), "1", "1.0"},
		{NewDecimal(5, 1), "0.5", "0.5"},
		{NewDecimal(58, 6), "0.000058", "0.000058"},
		{NewDecimal(11500, 4), "1.15", "1.15"},
		{NewDecimal(math.MaxUint64, 19), "1.8446744073709551615", "1.8446744073709551615"},
		{Decimal{hi: 1}, "18446744073709551616", "18446744073709551616.0"},
		{Decimal{hi: 1, scale: 21}, "0.018446744073709551616", "0.018446744073709551616"},
		{Decimal{hi: 5, lo: 7766279631452241920}, "100000000000000000000", "100000000000000000000.0"},
		{Decimal{hi: math.MaxUint64, lo: math.MaxUint64}, "340282366920938463463374607431768211455",
			"340282366920938463463374607431768211455.0"},
	}
	for _, tt := range tests {
		t.Run(tt.want, func(t *testing.T) {
			if got := tt.in.String(); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
			if got := string(tt.in.AppendAmount([]byte("x"))); got != "x"+tt.amount {
				t.Errorf("as an amount: got %v, want x%v", got, tt.amount)
			}
		})
	}
}

func TestOneDecimalForEachNumber(t *testing.T) {
	if a, b := NewDecimal(11500, 4), NewDecimal(115, 2); a != b {
		t.Errorf("1.1500: got %#v, want %#v", a, b)
	}
}

// Half a million of these are in a range of 27 years.
func TestBandAllocatesLittleForWhateverAmount(t *testing.T) {
	for _, text := range []string{"1", "123456.78", "123456789012345", "1e15", "999999999999.12345678", "9.9999999999999999999"} {
		amount, err := ParseAmount(text)
		if err != nil {
			t.Fatal(err)
		}
		leg, base := NewDecimal(2065938, 2), NewDecimal(11699, 4)
		least := math.Inf(1) // the race detector drops what goes back to a pool, now and then
		for range 100 {
			least = min(least, testing.AllocsPerRun(1, func() { band(amount, leg, base) }))
		}
		if least > 3 { // for 20 digits
			t.Errorf("%s: got %v allocations", text, least)
		}
	}
}
