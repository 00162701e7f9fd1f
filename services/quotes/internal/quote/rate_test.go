package quote_test

import (
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"example.com/portpair/services/quotes/internal/quote"
)

func TestParseRate(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"1.1699", "1.1699"},
		{"185.66", "185.66"},
		{"20659.38", "20659.38"},
		{"1.0", "1"},
		{"1", "1"},
		{"142", "142"},
		{"1.10", "1.1"},
		{"0.5", "0.5"},
		{"5.0e-05", "0.00005"},
		{"5.8E-5", "0.000058"},
		{"1e9", "1000000000"},
		{"1e+9", "1000000000"},
		{"1000000000", "1000000000"},
		{"1000000000.000", "1000000000"},
		{"999999999.999999", "999999999.999999"},
		{"1e-9", "0.000000001"},
		{"0.1e-8", "0.000000001"},
		{"1.00000000000001e-9", "0.00000000100000000000001"},
		{"123456789012345e-14", "1.23456789012345"},
		{"1836200", "1836200"},
		{"1.8362e6", "1836200"},
		{"1.00000000000000000000000000000", "1"},
		{"0.00000000123456789012345", "0.00000000123456789012345"},
		{"100000000000000000000000000e-26", "1"},
		{"1e-0000000000000000000000000009", "0.000000001"},
	} {
		t.Run(tt.text, func(t *testing.T) {
			got, err := quote.ParseRate(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			if got.String() != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			if again := rate(t, got.String()); again != got {
				t.Errorf("got %#v again, want %#v", again, got)
			}
		})
	}
}

func TestAbsurdRatesAreRefused(t *testing.T) {
	for name, text := range map[string]string{
		"empty":                     "",
		"zero":                      "0",
		"zero with decimals":        "0.000",
		"zero with exponent":        "0e5",
		"negative":                  "-1.1699",
		"negative zero":             "-0",
		"a plus":                    "+1.1699",
		"too large":                 "1000000001",
		"too large by a hair":       "1000000000.00001",
		"far too large":             "1e10",
		"enormous":                  "1e20000000",
		"beyond any integer":        "1e99999999999999999999999",
		"too small":                 "0.0000000009",
		"too small by a hair":       "9.99999999999999e-10",
		"minute":                    "1e-20000000",
		"beyond any integer, small": "1e-9223372036854775808",
		"sixteen digits":            "1.000000000000001",
		"thirty-three bytes":        "1." + strings.Repeat("0", 31),
		"a megabyte":                strings.Repeat("9", 1<<20),
		"a leading zero":            "01.5",
		"no digit before the point": ".5",
		"no digit behind the point": "5.",
		"no digit in the exponent":  "5e",
		"a sign for an exponent":    "5e-",
		"a point in the exponent":   "5e1.0",
		"two exponents":             "5e1e1",
		"not a number":              "NaN",
		"infinite":                  "Infinity",
		"a string":                  `"1.1699"`,
		"null":                      "null",
		"hexadecimal":               "0x1p-2",
		"underscores":               "1_000",
		"a fraction":                "1/2",
		"a decimal comma":           "1,1699",
		"a blank":                   "1.1 ",
		"control characters":        "1\x1b[2J",
	} {
		t.Run(name, func(t *testing.T) {
			got, err := quote.ParseRate(text)
			wantError(t, err, quote.ErrAbsurdRate)
			if got != (quote.Rate{}) {
				t.Errorf("got %v with an error", got)
			}
			if strings.ContainsRune(err.Error(), '\x1b') {
				t.Errorf("got control characters in %q", err)
			}
		})
	}
}

func TestTargetIsRoundedOnceHalfToEven(t *testing.T) {
	for _, tt := range []struct{ source, rate, target string }{
		{"100.00 EUR", "1.1699", "116.99 USD"},
		{"100.00 EUR", "185.66", "18566 JPY"},
		{"0.01 EUR", "185.66", "2 JPY"},
		{"1 JPY", "0.00538618981", "0.01 EUR"},
		{"10000 JPY", "0.00538618981", "53.86 EUR"},
		{"0.03 EUR", "0.5", "0.02 USD"},  // 0.015
		{"0.05 EUR", "0.5", "0.02 USD"},  // 0.025
		{"0.07 EUR", "0.5", "0.04 USD"},  // 0.035
		{"2.50 EUR", "1", "2 JPY"},       // 2.5
		{"3.50 EUR", "1", "4 JPY"},       // 3.5
		{"2.50 EUR", "1.00001", "3 JPY"}, // just over 2.5
		{"1.00 EUR", "1.4999", "1 JPY"},
		{"1.00 EUR", "0.3625", "0.362 KWD"},
		{"1.00 EUR", "0.3635", "0.364 KWD"},
		{"1.000 KWD", "2.75", "2.75 EUR"},
		{"1836200 TRL", "0.000000544603", "1.00 EUR"},
		{"999999999999999.99 EUR", "1.1699", "1169899999999999.99 USD"},
		{"0.01 EUR", "1000000000", "10000000.00 USD"},
		{"92233720368547758.07 EUR", "1", "92233720368547758.07 USD"},
	} {
		t.Run(tt.source+" at "+tt.rate, func(t *testing.T) {
			source := large(t, tt.source)
			_, code, _ := strings.Cut(tt.target, " ")
			got, err := rate(t, tt.rate).Target(source, currency(t, code))
			if err != nil || withCode(got) != tt.target {
				t.Errorf("got %s, %v, want %s", withCode(got), err, tt.target)
			}
		})
	}
}

func TestSourceIsRoundedOnceHalfToEven(t *testing.T) {
	for _, tt := range []struct{ target, rate, source string }{
		{"116.99 USD", "1.1699", "100.00 EUR"},
		{"100.00 USD", "1.1699", "85.48 EUR"}, // 85.4774…
		{"18566 JPY", "185.66", "100.00 EUR"},
		{"1 JPY", "185.66", "0.01 EUR"},  // 0.0053…
		{"0.03 USD", "2", "0.02 EUR"},    // 0.015
		{"0.05 USD", "2", "0.02 EUR"},    // 0.025
		{"1.00 USD", "0.4", "2 JPY"},     // 2.5
		{"1.40 USD", "0.4", "4 JPY"},     // 3.5
		{"1.00 USD", "0.39999", "3 JPY"}, // just over 2.5
		{"0.003 KWD", "0.2", "0.02 EUR"}, // 0.015
		{"1.00 USD", "3", "0.333 KWD"},   // 0.333…
		{"2.00 USD", "3", "0.667 KWD"},   // 0.666…
		{"1.00 EUR", "0.000000544603", "1836200 TRL"},
	} {
		t.Run(tt.target+" at "+tt.rate, func(t *testing.T) {
			_, code, _ := strings.Cut(tt.source, " ")
			got, err := rate(t, tt.rate).Source(amount(t, tt.target), currency(t, code))
			if err != nil || withCode(got) != tt.source {
				t.Errorf("got %s, %v, want %s", withCode(got), err, tt.source)
			}
		})
	}
}

func TestAnAmountThatRoundsToZeroIsTooSmall(t *testing.T) {
	for _, tt := range []struct{ source, rate, says string }{
		{"0.01 TRY", "0.0177835317525", "0.01 TRY comes to 0.00 EUR"},
		{"0.01 IDR", "0.0000484041631", "0.01 IDR comes to 0.00 EUR"},
		{"0.01 EUR", "0.5", "0.01 EUR comes to 0.00 EUR"}, // half to even is 0
		{"1 JPY", "0.000000001", "1 JPY comes to 0.00 EUR"},
	} {
		t.Run(tt.source, func(t *testing.T) {
			_, err := rate(t, tt.rate).Target(amount(t, tt.source), currency(t, "EUR"))
			wantError(t, err, quote.ErrAmountTooSmall, tt.says)
		})
	}
	_, err := rate(t, "20659.38").Source(amount(t, "0.01 IDR"), currency(t, "EUR"))
	wantError(t, err, quote.ErrAmountTooSmall, "0.01 IDR comes to 0.00 EUR")
	_, err = rate(t, "0.2").Source(amount(t, "0.001 KWD"), currency(t, "EUR"))
	wantError(t, err, quote.ErrAmountTooSmall, "0.001 KWD comes to 0.00 EUR") // half to even is 0
	_, err = rate(t, "2").Target(quote.Amount{}, currency(t, "EUR"))
	wantError(t, err, quote.ErrAmountTooSmall)
}

func TestAnAmountThatNoAmountCanHoldIsTooLarge(t *testing.T) {
	const says = "too large to be converted to "
	_, err := rate(t, "20659.38").Target(amount(t, "999999999999999.99 EUR"), currency(t, "IDR"))
	wantError(t, err, quote.ErrInvalidAmount, "999999999999999.99 EUR is "+says+"IDR")
	_, err = rate(t, "1.0000000000001").Target(large(t, "92233720368547758.07 EUR"), currency(t, "USD"))
	wantError(t, err, quote.ErrInvalidAmount, says+"USD")
	_, err = rate(t, "1000000000").Target(large(t, "92233720368547758.07 EUR"), currency(t, "KWD"))
	wantError(t, err, quote.ErrInvalidAmount, says+"KWD")
	_, err = rate(t, "0.00000000123456789012345").Source(large(t, "92233720368547758.07 EUR"), currency(t, "KWD"))
	wantError(t, err, quote.ErrInvalidAmount, says+"KWD")
}

func TestNoRateConvertsNothing(t *testing.T) {
	_, err := quote.Rate{}.Target(amount(t, "1.00 EUR"), currency(t, "USD"))
	wantError(t, err, quote.ErrAbsurdRate)
	_, err = quote.Rate{}.Source(amount(t, "1.00 EUR"), currency(t, "USD"))
	wantError(t, err, quote.ErrAbsurdRate)
}

// large is amount for more digits than ParseAmount takes.
func large(t testing.TB, text string) quote.Amount {
	t.Helper()
	number, code, _ := strings.Cut(text, " ")
	minor, err := strconv.ParseInt(strings.Replace(number, ".", "", 1), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	a, err := quote.NewAmount(minor, currency(t, code))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

var (
	rateForm     = regexp.MustCompile(`^(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)
	hugeExponent = regexp.MustCompile(`[eE][+-]?0*[1-9][0-9]{2}`)
)

// FuzzParseRate holds ParseRate against a plain reading of its rules.
func FuzzParseRate(f *testing.F) {
	for _, s := range []string{"1.1699", "5.0e-05", "1e9", "1e-9", "0", "-1", "1e309", "1e20000000", "1.000000000000001",
		"100000000000000e-14", "0.00000000123456789012345", "1000000000.00001", "01", "1.", ".1", "1e", "NaN", "+1", "",
		strings.Repeat("\x9a", 32)} {
		f.Add(s)
	}
	least, most := big.NewRat(1, 1e9), big.NewRat(1e9, 1)
	f.Fuzz(func(t *testing.T, s string) {
		got, err := quote.ParseRate(s)
		want := new(big.Rat)
		if len(s) <= 32 && rateForm.MatchString(s) && !hugeExponent.MatchString(s) {
			want.SetString(s)
		}
		mantissa, _, _ := strings.Cut(strings.ToLower(s), "e")
		digits := strings.Trim(strings.Replace(mantissa, ".", "", 1), "0")
		ok := len(digits) <= 15 && want.Cmp(least) >= 0 && want.Cmp(most) <= 0
		if ok != (err == nil) {
			t.Fatalf("got %v, %v for %q", got, err, s)
		}
		if err != nil {
			wantError(t, err, quote.ErrAbsurdRate)
			return
		}
		if value, _ := new(big.Rat).SetString(got.String()); value.Cmp(want) != 0 {
			t.Errorf("got %s for %q", got, s)
		}
		if again, err := quote.ParseRate(got.String()); err != nil || again != got {
			t.Errorf("got %v, %v when %v is parsed again", again, err, got)
		}
	})
}
