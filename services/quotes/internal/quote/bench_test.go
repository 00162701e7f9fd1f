package quote_test

import (
	"testing"

	"example.com/portpair/services/quotes/internal/quote"
)

func TestTheWayOfAConversionAllocatesNothing(t *testing.T) {
	tab := table(t, "2026-08-21", days["2026-08-21"])
	usd := currency(t, "USD")
	for name, f := range map[string]func() error{
		"LookupCurrency": func() error { _, err := quote.LookupCurrency("JPY"); return err },
		"ParseAmount":    func() error { _, err := quote.ParseAmount("100.00", usd); return err },
		"ParseRate":      func() error { _, err := quote.ParseRate("1.1699"); return err },
		"Cross":          func() error { _, err := tab.Cross(usd, currency(t, "IDR")); return err },
		"Target":         func() error { _, err := rate(t, "158.697324558").Target(amount(t, "100.00 USD"), usd); return err },
		"Source":         func() error { _, err := rate(t, "158.697324558").Source(amount(t, "100.00 USD"), usd); return err },
		"Standing":       func() error { return rules.Standing(answered(t, 0), now).LockErr(lockMaxDays) },
	} {
		t.Run(name, func(t *testing.T) {
			if err := f(); err != nil {
				t.Fatal(err)
			}
			if got := testing.AllocsPerRun(100, func() { _ = f() }); got != 0 {
				t.Errorf("got %v allocations", got)
			}
		})
	}
}

func BenchmarkLookupCurrency(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := quote.LookupCurrency("USD"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseAmount(b *testing.B) {
	usd := currency(b, "USD")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := quote.ParseAmount("12345.67", usd); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseRate(b *testing.B) {
	for _, text := range []string{"1.1699", "20659.38", "5.0e-05", "1.23456789012345"} {
		b.Run(text, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := quote.ParseRate(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCross(b *testing.B) {
	for _, day := range []struct{ name, rates, source, target string }{
		{"published", days["2026-08-21"], "EUR", "USD"},
		{"cross", days["2026-08-21"], "GBP", "IDR"},
		{"big", "USD 123456.789012345, KRW 2", "USD", "KRW"},
	} {
		b.Run(day.name, func(b *testing.B) {
			tab := table(b, "2026-08-21", day.rates)
			source, target := currency(b, day.source), currency(b, day.target)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := tab.Cross(source, target); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkConvert(b *testing.B) {
	for _, bench := range []struct{ name, rate, given string }{
		{"everyday", "158.697324558", "100.00 USD"},
		{"big", "0.00000000123456789012345", "999999999999999.99 USD"},
	} {
		r, given, jpy := rate(b, bench.rate), amount(b, bench.given), currency(b, "JPY")
		b.Run("target/"+bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.Target(given, jpy); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	r, given, eur := rate(b, "158.697324558"), amount(b, "15870 JPY"), currency(b, "EUR")
	b.Run("source/everyday", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := r.Source(given, eur); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkNewTable(b *testing.B) {
	rates, day := published(b, days["2026-08-21"]), date(b, "2026-08-21")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := quote.NewTable(day, rates); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAmountString(b *testing.B) {
	a := amount(b, "12345.67 USD")
	b.ReportAllocs()
	for b.Loop() {
		_ = a.String()
	}
}

func BenchmarkRateString(b *testing.B) {
	r := rate(b, "0.0000414678465665")
	b.ReportAllocs()
	for b.Loop() {
		_ = r.String()
	}
}
