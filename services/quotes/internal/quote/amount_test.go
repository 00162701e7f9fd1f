package quote_test

import (
	"math"
	"math/big"
	"regexp"
	"strings"
	"testing"

	"example.com/portpair/services/quotes/internal/quote"
)

func TestParseAmount(t *testing.T) {
	for _, tt := range []struct {
		text, code string
		minor      int64
		written    string
	}{
		{"100.00", "EUR", 10000, "100.00"},
		{"100", "EUR", 10000, "100.00"},
		{"100.5", "EUR", 10050, "100.50"},
		{"0.01", "EUR", 1, "0.01"},
		{"0.1", "EUR", 10, "0.10"},
		{"007.50", "EUR", 750, "7.50"},
		{"100", "JPY", 100, "100"},
		{"1", "TRL", 1, "1"},
		{"100", "KWD", 100000, "100.000"},
		{"0.001", "BHD", 1, "0.001"},
		{"12.345", "TND", 12345, "12.345"},
		{"1.25", "HUF", 125, "1.25"},
		{"999999999999999", "JPY", 999999999999999, "999999999999999"},
		{"999999999999999.99", "EUR", 99999999999999999, "999999999999999.99"},
		{"999999999999999.999", "KWD", 999999999999999999, "999999999999999.999"},
		{"000000000000001", "EUR", 100, "1.00"},
	} {
		t.Run(tt.text+" "+tt.code, func(t *testing.T) {
			got, err := quote.ParseAmount(tt.text, currency(t, tt.code))
			if err != nil {
				t.Fatal(err)
			}
			if got.Minor() != tt.minor || got.Currency().Code != tt.code || got.String() != tt.written {
				t.Errorf("got %d minor units of %s, written %s", got.Minor(), got.Currency().Code, got)
			}
		})
	}
}

func TestAnAmountThatWouldNotDoIsToldWhatWould(t *testing.T) {
	const (
		euros  = "write it like 100.00, no separators of thousands: up to 15 digits, at most 2 decimals for EUR"
		yen    = "write it like 100, no separators of thousands: up to 15 digits, no decimals for JPY"
		dinars = "write it like 100.000, no separators of thousands: up to 15 digits, at most 3 decimals for KWD"
		zero   = "more than zero"
	)
	for name, tt := range map[string]struct{ text, code, says string }{
		"empty":                       {"", "EUR", euros},
		"a word":                      {"NaN", "EUR", euros},
		"infinite":                    {"Infinity", "EUR", euros},
		"an exponent":                 {"1e5", "EUR", euros},
		"a large exponent":            {"1e309", "EUR", euros},
		"an enormous exponent":        {"1e20000000", "EUR", euros},
		"hexadecimal":                 {"0x10", "EUR", euros},
		"a plus":                      {"+5", "EUR", euros},
		"a minus":                     {"-5", "EUR", euros},
		"a minus of typographers":     {"−5", "EUR", euros},
		"a blank before":              {" 5", "EUR", euros},
		"a blank behind":              {"5 ", "EUR", euros},
		"a line feed behind":          {"5\n", "EUR", euros},
		"a NUL behind":                {"5\x00", "EUR", euros},
		"no digit before the point":   {".5", "EUR", euros},
		"no digit behind the point":   {"5.", "EUR", euros},
		"a point alone":               {".", "EUR", euros},
		"two points":                  {"1.2.3", "EUR", euros},
		"a decimal comma":             {"1,50", "EUR", euros},
		"a thousands separator":       {"1_000", "EUR", euros},
		"Arabic digits":               {"٣", "EUR", euros},
		"three decimals of a euro":    {"1.000", "EUR", euros},
		"sixteen digits":              {"1000000000000000", "EUR", euros},
		"sixteen digits, the first 0": {"0000000000000001", "EUR", euros},
		"a megabyte of digits":        {strings.Repeat("9", 1<<20), "EUR", euros},
		"a megabyte of decimals":      {"0." + strings.Repeat("0", 1<<20), "EUR", euros},
		"a decimal of a yen":          {"1.5", "JPY", yen},
		"a point behind a yen":        {"1.", "JPY", yen},
		"no yen, with a decimal":      {"100.0", "JPY", yen},
		"four decimals of a dinar":    {"1.0000", "KWD", dinars},
		"zero":                        {"0", "EUR", zero},
		"zero with decimals":          {"0.00", "EUR", zero},
		"many zeros":                  {"000000000000000.00", "EUR", zero},
		"zero yen":                    {"0", "JPY", zero},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := quote.ParseAmount(tt.text, currency(t, tt.code))
			wantError(t, err, quote.ErrInvalidAmount, tt.says)
			if got != (quote.Amount{}) {
				t.Errorf("got %v with an error", got)
			}
		})
	}
}

func TestNewAmount(t *testing.T) {
	got, err := quote.NewAmount(11699, currency(t, "USD"))
	if err != nil || got != amount(t, "116.99 USD") {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err = quote.NewAmount(math.MaxInt64, currency(t, "KWD")); err != nil || got.String() != "9223372036854775.807" {
		t.Errorf("got %v, %v", got, err)
	}
	for _, minor := range []int64{0, -1, math.MinInt64} {
		_, err := quote.NewAmount(minor, currency(t, "USD"))
		wantError(t, err, quote.ErrInvalidAmount, "more than zero")
	}
}

var amountForm = regexp.MustCompile(`^[0-9]{1,15}(\.[0-9]+)?$`)

// FuzzParseAmount holds ParseAmount against the design's own words.
func FuzzParseAmount(f *testing.F) {
	for _, s := range []string{"100.00", "0", "0.00", "0.01", "5.", ".5", "+5", "-5", "−5", " 5", "", "NaN", "1e309",
		"1e20000000", "999999999999999.999", "1000000000000000", "00000000000000000001", "1,5", "1.2.3", "٣"} {
		f.Add(s, uint16(0))
		f.Add(s, uint16(75))
	}
	list := quote.Currencies()
	f.Fuzz(func(t *testing.T, s string, i uint16) {
		c := list[int(i)%len(list)]
		_, decimals, _ := strings.Cut(s, ".")
		want := new(big.Rat)
		if amountForm.MatchString(s) && len(decimals) <= c.Digits {
			want.SetString(s)
		}
		got, err := quote.ParseAmount(s, c)
		if (err == nil) != (want.Sign() > 0) {
			t.Fatalf("got %v, %v for %q %s", got, err, s, c.Code)
		}
		if err != nil {
			wantError(t, err, quote.ErrInvalidAmount)
			return
		}
		if text := got.String(); text != want.FloatString(c.Digits) {
			t.Errorf("got %s for %q %s", text, s, c.Code)
		}
		if again, err := quote.ParseAmount(got.String(), c); err != nil || again != got {
			t.Errorf("got %v, %v when %v is parsed again", again, err, got)
		}
	})
}
