package fx_test

import (
	"slices"
	"strings"
	"testing"

	"example.com/portpair/services/rates/internal/fx"
)

// The examples that the API's contract gives for its arithmetic.
func TestNumbers(t *testing.T) {
	tables := map[string]func(*testing.T) *fx.Table{
		"facts":   func(t *testing.T) *fx.Table { return table(t, facts...) },
		"history": func(t *testing.T) *fx.Table { return history(t) },
	}
	tests := []struct {
		name   string
		day    string
		params string
		want   string
	}{
		{"base EUR and amount 1 are the published digits",
			"2026-04-13", "symbols=IDR,TRY", "1.0 EUR: IDR 20082.05 TRY 52.2478 on 2026-04-13"},
		{"legs are rounded before they are divided",
			"2026-04-13", "base=MXN&symbols=JPY", "1.0 MXN: JPY 9.1905 on 2026-04-13"},
		{"the base's own leg is rounded too",
			"2026-04-13", "base=INR&symbols=JPY", "1.0 INR: JPY 1.7125 on 2026-04-13"},
		{"a tie in a leg goes to the even digit",
			"2017-09-22", "base=NZD&symbols=MXN", "1.0 NZD: MXN 13.0326 on 2017-09-22"},
		{"ties are judged on decimal digits",
			"2006-02-17", "amount=3&symbols=SKK,CZK", "3.0 EUR: CZK 85.1 SKK 112.04 on 2006-02-17"},
		{"over 5000 is an integer",
			"2026-04-13", "base=GBP&symbols=IDR", "1.0 GBP: IDR 23067 on 2026-04-13"},
		{"0.0001 and less has 6 decimals",
			"2026-04-13", "base=IDR&symbols=EUR,USD", "1.0 IDR: EUR 0.00005 USD 0.000058 on 2026-04-13"},
		{"an amount of another base",
			"2026-04-13", "amount=100&base=USD&symbols=EUR,JPY,KRW", "100.0 USD: EUR 85.59 JPY 15983 KRW 148995 on 2026-04-13"},
		{"an amount of euros",
			"2026-04-13", "amount=0.5&symbols=IDR,USD", "0.5 EUR: IDR 10041 USD 0.5842 on 2026-04-13"},
	}
	for name, open := range tables {
		t.Run(name, func(t *testing.T) {
			table := open(t)
			for _, tt := range tests {
				t.Run(tt.name, func(t *testing.T) {
					if got := ask(t, table, tt.day, tt.params); got != tt.want {
						t.Errorf("%s?%s: got %v, want %v", tt.day, tt.params, got, tt.want)
					}
				})
			}
		})
	}
}

func TestParameters(t *testing.T) {
	all := table(t, facts[0])
	tests := []struct {
		name   string
		params string
		want   string
	}{
		{"unknown codes are dropped silently", "symbols=XXX,USD,", "1.0 EUR: USD 1.1684 on 2026-04-13"},
		{"duplicates collapse", "symbols=USD,GBP,USD", "1.0 EUR: GBP 0.87058 USD 1.1684 on 2026-04-13"},
		{"codes ascend", "symbols=USD,CHF", "1.0 EUR: CHF 0.9242 USD 1.1684 on 2026-04-13"},
		{"codes are upper-cased", "base=gbp&symbols=usd", "1.0 GBP: USD 1.3421 on 2026-04-13"},
		{"codes are not trimmed", "symbols=%20USD", "not found"},
		{"the base is taken out of the result", "base=USD&symbols=USD,GBP", "1.0 USD: GBP 0.7451 on 2026-04-13"},
		{"the euro is quoted like any other", "base=USD&symbols=EUR", "1.0 USD: EUR 0.85587 on 2026-04-13"},
		{"symbols is empty", "symbols=", "not found"},
		{"symbols is only commas", "symbols=,,", "not found"},
		{"only unknown codes", "symbols=XXX,YYY", "not found"},
		{"unknown base", "base=XXX", "not found"},
		{"empty base", "base=", "not found"},
		{"amount 1 in other words", "amount=100e-2&symbols=IDR", "1.0 EUR: IDR 20082.05 on 2026-04-13"},
		{"amount 0", "amount=0", "invalid amount"},
		{"one code equal to a given base", "base=usd&symbols=USD", "bad currency pair"},
		{"one code equal to a given base EUR", "base=EUR&symbols=EUR", "bad currency pair"},
		{"symbols=EUR alone", "symbols=EUR", "not found"},
		{"the base twice", "base=USD&symbols=USD,USD", "not found"},
		{"the amount is checked before the pair", "amount=x&base=USD&symbols=USD", "invalid amount"},
		{"an amount without a leg in its base", "amount=0.0000000001&base=USD", "invalid amount"},
		{"an amount that leaves nothing", "amount=0.0000000001&symbols=USD", "0.0000000001 EUR: USD 0 on 2026-04-13"},
		{"the largest amount", "amount=1e15&base=USD&symbols=IDR,GBP",
			"1000000000000000.0 USD: GBP 745104416295789 IDR 17187649777473467990 on 2026-04-13"},
		{"20 digits", "amount=12345678901234.567891&symbols=IDR",
			"12345678901234.567891 EUR: IDR 247926540978537654 on 2026-04-13"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := ask(t, all, "2026-04-13", tt.params); got != tt.want {
				t.Errorf("?%s: got %v, want %v", tt.params, got, tt.want)
			}
		})
	}
}

func TestWithoutSymbolsEveryOtherCurrencyIsQuoted(t *testing.T) {
	all := table(t, facts[0])
	for _, base := range all.Currencies() {
		q := fx.DefaultQuery()
		q.Base = base
		rates, err := all.Latest(q)
		if err != nil {
			t.Fatalf("base %s: %v", base, err)
		}
		var got []string
		for _, r := range rates.Rates {
			got = append(got, r.Currency)
		}
		want := slices.DeleteFunc(all.Currencies(), func(code string) bool { return code == base })
		if !slices.Equal(got, want) {
			t.Errorf("base %s: got %v, want %v", base, got, want)
		}
	}
}

func TestDates(t *testing.T) {
	lev := table(t, levEnds)
	tests := []struct {
		name        string
		day, params string
		want        string
	}{
		{"the day itself", "2026-01-02", "symbols=USD", "1.0 EUR: USD 1.1721 on 2026-01-02"},
		{"a day without rates takes the newest before it", "2026-01-01", "symbols=USD", "1.0 EUR: USD 1.175 on 2025-12-31"},
		{"before the first day", "2025-12-29", "symbols=USD", "not found"},
		{"14 days after the last observation", "2026-01-29", "symbols=USD", "1.0 EUR: USD 1.1624 on 2026-01-15"},
		{"15 days after the last observation", "2026-01-30", "symbols=USD", "not found"},
		{"an ended currency is carried with its last rate", "2026-01-02", "", "1.0 EUR: BGN 1.9558 GBP 0.8719 USD 1.1721 on 2026-01-02"},
		{"for 14 days", "2026-01-14", "symbols=BGN", "1.0 EUR: BGN 1.9558 on 2025-12-31"},
		{"and no longer", "2026-01-15", "symbols=BGN", "not found"},
		{"nor among others", "2026-01-15", "", "1.0 EUR: GBP 0.8674 USD 1.1624 on 2026-01-15"},
		{"the date is the newest of the rates used", "2026-01-14", "base=BGN&symbols=USD", "1.0 BGN: USD 0.59572 on 2026-01-14"},
		{"the base's own leg counts", "2026-01-14", "base=USD&symbols=BGN", "1.0 USD: BGN 1.6787 on 2026-01-14"},
		{"the euro has no leg", "2026-01-14", "base=BGN&symbols=EUR", "1.0 BGN: EUR 0.5113 on 2025-12-31"},
		{"an ended base ends too", "2026-01-15", "base=BGN", "not found"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := ask(t, lev, tt.day, tt.params); got != tt.want {
				t.Errorf("%s?%s: got %v, want %v", tt.day, tt.params, got, tt.want)
			}
		})
	}
}

func TestLatestIsTheNewestDayHoweverOld(t *testing.T) {
	old := table(t, facts...)
	rates, err := old.Latest(fx.DefaultQuery())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := rates.Date, day(t, "2026-04-13"); got != want {
		t.Errorf("date: got %v, want %v", got, want)
	}
	if got, want := len(rates.Rates), 29; got != want {
		t.Errorf("rates: got %d, want %d", got, want)
	}
}

func TestCurrenciesAreThoseOfTheLast14DaysAndTheEuro(t *testing.T) {
	header, rest, _ := strings.Cut(levEnds, "\n")
	_, until14th, _ := strings.Cut(rest, "\n")
	tests := []struct {
		name string
		csv  string
		want []string
	}{
		{"14 days after the last lev", header + "\n" + until14th, []string{"BGN", "EUR", "GBP", "USD"}},
		{"15 days after the last lev", levEnds, []string{"EUR", "GBP", "USD"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := table(t, tt.csv).Currencies(); !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestEveryCurrencyHasAName(t *testing.T) {
	const since1999 = "USD,JPY,BGN,CYP,CZK,DKK,EEK,GBP,HUF,LTL,LVL,MTL,PLN,ROL,RON,SEK,SIT,SKK,CHF,ISK,NOK,HRK,RUB,TRL,TRY," +
		"AUD,BRL,CAD,CNY,HKD,IDR,ILS,INR,KRW,MXN,MYR,NZD,PHP,SGD,THB,ZAR,EUR"
	for code := range strings.SplitSeq(since1999, ",") {
		if got := fx.Name(code); got == code {
			t.Errorf("%s: got no name, want one", code)
		}
	}
	if got, want := fx.Name("USD"), "United States Dollar"; got != want {
		t.Errorf("USD: got %v, want %v", got, want)
	}
	if got, want := fx.Name("QQQ"), "QQQ"; got != want {
		t.Errorf("a code newer than the list: got %v, want %v", got, want)
	}
}
