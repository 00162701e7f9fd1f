package quote_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"example.com/portpair/services/quotes/internal/quote"
)

func currency(t testing.TB, code string) quote.Currency {
	t.Helper()
	c, err := quote.LookupCurrency(code)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// amount reads "100.00 EUR".
func amount(t testing.TB, text string) quote.Amount {
	t.Helper()
	number, code, _ := strings.Cut(text, " ")
	a, err := quote.ParseAmount(number, currency(t, code))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func withCode(a quote.Amount) string { return a.String() + " " + a.Currency().Code }

func rate(t testing.TB, text string) quote.Rate {
	t.Helper()
	r, err := quote.ParseRate(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func date(t testing.TB, text string) quote.Date {
	t.Helper()
	d, err := quote.ParseDate(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// table reads a day's rates written as "USD 1.1699, JPY 185.66".
func table(t testing.TB, day, rates string) *quote.Table {
	t.Helper()
	tab, err := quote.NewTable(date(t, day), published(t, rates))
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

func published(t testing.TB, rates string) map[string]quote.Rate {
	t.Helper()
	m := make(map[string]quote.Rate)
	for code, text := range texts(rates) {
		m[code] = rate(t, text)
	}
	return m
}

func texts(rates string) map[string]string {
	m := make(map[string]string)
	for pair := range strings.SplitSeq(rates, ",") {
		code, text, _ := strings.Cut(strings.TrimSpace(pair), " ")
		m[code] = text
	}
	return m
}

// wantError checks the kind of an error and what a person would read in it.
func wantError(t testing.TB, err, kind error, says ...string) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Fatalf("got error %v, want %v", err, kind)
	}
	for _, s := range says {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("got %q, want it to say %q", err, s)
		}
	}
	if n := len(err.Error()); n > 256 {
		t.Errorf("got a message of %d bytes", n)
	}
}

// days are days as the European Central Bank published them, by date; the last
// one is made up of what a hostile backing service might say.
var days = map[string]string{
	"2026-08-21": `USD 1.1699, JPY 185.66, CZK 24.116, DKK 7.4758, GBP 0.8567, HUF 362.78, PLN 4.3078, RON 5.2563,
		SEK 11.0625, CHF 0.9353, ISK 141.6, NOK 10.8675, TRY 56.2318, AUD 1.6321, BRL 6.0518, CAD 1.6074, CNY 7.8624,
		HKD 9.1726, IDR 20659.38, ILS 3.4917, INR 111.9595, KRW 1619.41, MXN 19.769, MYR 4.7246, NZD 1.9541,
		PHP 72.136, SGD 1.4838, THB 38.226, ZAR 18.7236`,
	"2026-05-22": `USD 1.1595, JPY 184.53, GBP 0.86418, HUF 359.08, ISK 143.6, IDR 20516.54, KRW 1759.6, TRY 53.0067`,
	"2022-03-01": `USD 1.1162, BGN 1.9558, HRK 7.567, RUB 117.201, TRY 15.5509, JPY 128.15, ISK 142, GBP 0.8329`,
	"2004-12-31": `USD 1.3621, JPY 139.65, CYP 0.58, EEK 15.6466, HUF 245.97, LTL 3.4528, LVL 0.6979, MTL 0.4343,
		ROL 39390, SIT 239.76, SKK 38.745, TRL 1836200, ISK 83.6, KRW 1410.05, ZAR 7.6897`,
	"2099-12-31": `USD 1.00000000000001, KWD 0.333333333333333, BHD 0.000123456789012345, IRR 999999.999999999,
		VND 123456789, LBP 0.03, SEK 7, NOK 1, XTS 3, EUR 1.0`,
}

func dates() []string { return slices.Sorted(maps.Keys(days)) }
