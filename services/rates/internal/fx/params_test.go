package fx_test

import (
	"errors"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"testing"

	"example.com/portpair/services/rates/internal/fx"
)

func TestParseAmount(t *testing.T) {
	tests := []struct {
		in, want string
	}{
		{"1", "1.0"},
		{"100", "100.0"},
		{"0.5", "0.5"},
		{".5", "0.5"},
		{"5.", "5.0"},
		{"2.50", "2.5"},
		{"007", "7.0"},
		{"10abc", "10.0"},
		{"10 000", "10.0"},
		{"1,5", "1.0"},
		{"1e3", "1000.0"},
		{"1E3", "1000.0"},
		{"1e+3", "1000.0"},
		{"25e-1", "2.5"},
		{"1e", "1.0"},
		{"1e-", "1.0"},
		{"1.e3", "1.0"},
		{"1.2.3", "1.2"},
		{"1e15", "1000000000000000.0"},
		{"1000000000000000.0", "1000000000000000.0"},
		{"0.1e16", "1000000000000000.0"},
		{"999999999999999.99999", "999999999999999.99999"},
		{"1.0000000000000000000000000000", "1.0"},
		{"0.0000000000000000000000000001e28", "1.0"},
		{"1e-15", "0.000000000000001"},
		{"1.2345678901234567891e-15", "0.0000000000000012345678901234567891"},
		{"1" + strings.Repeat("0", 1_000_000) + "e-1000000", "1.0"},
		{"." + strings.Repeat("0", 1_000_000) + "1e1000001", "1.0"},
	}
	for _, tt := range tests {
		t.Run(short(tt.in), func(t *testing.T) {
			d, err := fx.ParseAmount(tt.in)
			if got := string(d.AppendAmount(nil)); err != nil || got != tt.want {
				t.Errorf("got %v, %v, want %v", got, err, tt.want)
			}
		})
	}
}

func TestParseAmountRefuses(t *testing.T) {
	tests := []string{
		"0x10",
		"1000000000000000.1",
		"1e16",
		"2e15",
		"999999999999999.999999",
		"9e-16",
		"0",
		"0.000",
		"0e5",
		"",
		".",
		"e3",
		"abc",
		"-1",
		"+1",
		" 1",
		"\t1",
		"_1",
		"1_000",
		"1.5_0",
		"1e1_0",
		"Infinity",
		"NaN",
		"٣",
		"1e20000000",
		"1e-20000000",
		"1e99999999999999999999999999",
		"0e99999999999999999999999999",
		strings.Repeat("9", 1_000_000),
	}
	for _, in := range tests {
		t.Run(short(in), func(t *testing.T) {
			if d, err := fx.ParseAmount(in); err != fx.ErrInvalidAmount {
				t.Errorf("got %v, %v, want %v", d, err, fx.ErrInvalidAmount)
			}
		})
	}
}

func short(s string) string { return s[:min(len(s), 40)] }

func TestSplitSymbols(t *testing.T) {
	tests := []struct {
		in   string
		want []string
	}{
		{"USD", []string{"USD"}},
		{"usd,gbp", []string{"USD", "GBP"}},
		{"uſd,ıdr", []string{"UſD", "ıDR"}}, // no letters of ASCII
		{"USD,USD", []string{"USD", "USD"}},
		{"USD, GBP", []string{"USD", " GBP"}},
		{"USD,,", []string{"USD"}},
		{",USD", []string{"", "USD"}},
		{",", []string{}},
		{"", []string{}},
	}
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			got := fx.SplitSymbols(tt.in)
			if got == nil || !slices.Equal(got, tt.want) {
				t.Errorf("got %#v, want %#v", got, tt.want)
			}
		})
	}
}

func TestCheckPair(t *testing.T) {
	tests := []struct {
		base, symbols string
		want          error
	}{
		{"USD", "USD", fx.ErrBadPair},
		{"USD", "usd,", fx.ErrBadPair},
		{"USD", "EUR", nil},
		{"USD", "USD,USD", nil},
		{"USD", "USD,EUR", nil},
		{"USD", "", nil},
		{"", "", nil},
	}
	for _, tt := range tests {
		t.Run(tt.base+" in "+tt.symbols, func(t *testing.T) {
			if got := fx.CheckPair(tt.base, fx.SplitSymbols(tt.symbols)); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

var leadingNumber = regexp.MustCompile(`^([0-9]+(\.[0-9]+)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?`)

func FuzzParseAmount(f *testing.F) {
	for _, seed := range []string{"1", "10abc", ".5", "1e3", "1e-3", "1e20000000", "1_000", "-1", "", "0.1e16",
		"999999999999999.99999", "1.2345678901234567891e-15"} {
		f.Add(seed)
	}
	smallest, largest := big.NewRat(1, 1e15), big.NewRat(1e15, 1)
	f.Fuzz(func(t *testing.T, s string) {
		d, err := fx.ParseAmount(s)
		if err != nil {
			if !errors.Is(err, fx.ErrInvalidAmount) {
				t.Fatalf("%q: got %v, want %v", s, err, fx.ErrInvalidAmount)
			}
			return
		}
		got, ok := new(big.Rat).SetString(d.String())
		if !ok {
			t.Fatalf("%q: got %v, which is no number", s, d)
		}
		if got.Cmp(smallest) < 0 || got.Cmp(largest) > 0 {
			t.Errorf("%q: got %v, which is out of bounds", s, d)
		}
		if again, err := fx.ParseAmount(d.String()); err != nil || again != d {
			t.Errorf("%q: got %v, and from that %v, %v", s, d, again, err)
		}
		number := leadingNumber.FindString(s)
		if rest := s[len(number):]; rest != "" && strings.ContainsAny(rest[:1], "0123456789eE") {
			return // the oracle's exponent is shorter
		}
		if want, ok := new(big.Rat).SetString(number); !ok || got.Cmp(want) != 0 {
			t.Errorf("%q: got %v, want %v", s, d, number)
		}
	})
}
