package quote_test

import (
	"slices"
	"strings"
	"testing"

	"example.com/portpair/services/quotes/internal/quote"
)

func TestMinorUnitsAreThoseOfISO4217(t *testing.T) {
	for digits, codes := range map[int]string{
		0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF TRL",
		2: "EUR USD GBP CHF CZK HUF IDR IRR LBP MGA MRU PKR RSD RUB TRY UZS XCD XCG ZWG ROL BGN HRK",
		3: "BHD IQD JOD KWD LYD OMR TND",
	} {
		for code := range strings.FieldsSeq(codes) {
			if got := currency(t, code).Digits; got != digits {
				t.Errorf("%s: got %d decimals, want %d", code, got, digits)
			}
		}
	}
	for _, c := range quote.Currencies() {
		if c.Digits != 0 && c.Digits != 2 && c.Digits != 3 {
			t.Errorf("%s has %d decimals", c.Code, c.Digits)
		}
	}
}

func TestAllCurrenciesOfTheECBsHistoryAreKnown(t *testing.T) {
	const header = `USD,JPY,BGN,CYP,CZK,DKK,EEK,GBP,HUF,LTL,LVL,MTL,PLN,ROL,RON,SEK,SIT,SKK,CHF,ISK,NOK,HRK,RUB,TRL,TRY,` +
		`AUD,BRL,CAD,CNY,HKD,IDR,ILS,INR,KRW,MXN,MYR,NZD,PHP,SGD,THB,ZAR`
	for code := range strings.SplitSeq(header, ",") {
		if c := currency(t, code); c.Code != code || c.Name == "" {
			t.Errorf("got %+v for %s", c, code)
		}
	}
}

func TestNamesAreThoseOfMoneyLibraries(t *testing.T) {
	for code, name := range map[string]string{
		"EUR": "Euro", "USD": "US Dollar", "GBP": "British Pound", "JPY": "Japanese Yen", "CNY": "Chinese Yuan",
		"CZK": "Czech Koruna", "ISK": "Icelandic Króna", "ILS": "Israeli New Shekel", "BGN": "Bulgarian Lev",
	} {
		if got := currency(t, code).Name; got != name {
			t.Errorf("%s: got %q, want %q", code, got, name)
		}
	}
}

func TestCurrenciesAreOrderedAndDistinct(t *testing.T) {
	list := quote.Currencies()
	if len(list) != 166 { // 155 active, 11 ended
		t.Errorf("got %d currencies", len(list))
	}
	names := make(map[string]string)
	for i, c := range list {
		if i > 0 && list[i-1].Code >= c.Code {
			t.Errorf("%s stands before %s", list[i-1].Code, c.Code)
		}
		if other, ok := names[c.Name]; ok {
			t.Errorf("%s and %s are both called %s", other, c.Code, c.Name)
		}
		names[c.Name] = c.Code
	}
}

func TestCurrenciesCannotBeChanged(t *testing.T) {
	quote.Currencies()[0].Digits = 9
	if got := quote.Currencies()[0].Digits; got != 2 {
		t.Errorf("got %d decimals after a change from outside", got)
	}
}

func TestUnknownCodes(t *testing.T) {
	for name, tt := range map[string]struct{ code, says string }{
		"no such code":             {"ABC", "ABC"},
		"gold is no money":         {"XAU", "XAU"},
		"no currency at all":       {"XXX", "XXX"},
		"for testing":              {"XTS", "XTS"},
		"a funds code":             {"CHE", "CHE"},
		"replaced before 2026":     {"ANG", "ANG"},
		"lower case":               {"usd", "USD"},
		"mixed case":               {"Eur", "EUR"},
		"lower case of none":       {"abc", "ABC"},
		"empty":                    {"", "three capital letters"},
		"two letters":              {"EU", "three capital letters"},
		"a name":                   {"Euro", "three capital letters"},
		"a blank behind":           {"EUR ", "three capital letters"},
		"a sign":                   {"€", "three capital letters"},
		"three bytes, two letters": {"ſa", "three capital letters"},
		"digits":                   {"978", "three capital letters"},
		"a megabyte":               {strings.Repeat("E", 1<<20), "three capital letters"},
		"not UTF-8":                {"\xff\xfe\xfd", "three capital letters"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := quote.LookupCurrency(tt.code)
			wantError(t, err, quote.ErrUnknownCurrency, tt.says)
		})
	}
}

func TestMadeUpCurrenciesAreRefused(t *testing.T) {
	eur := currency(t, "EUR")
	for name, c := range map[string]quote.Currency{
		"none":              {},
		"unknown code":      {Code: "ABC", Name: "Abracadabra", Digits: 2},
		"other minor units": {Code: "EUR", Name: eur.Name, Digits: 19},
		"negative digits":   {Code: "EUR", Name: eur.Name, Digits: -1},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := quote.ParseAmount("1", c)
			wantError(t, err, quote.ErrUnknownCurrency)
			_, err = quote.NewAmount(1, c)
			wantError(t, err, quote.ErrUnknownCurrency)
			_, err = rate(t, "2").Target(amount(t, "1.00 EUR"), c)
			wantError(t, err, quote.ErrUnknownCurrency)
			_, err = rate(t, "2").Source(amount(t, "1.00 EUR"), c)
			wantError(t, err, quote.ErrUnknownCurrency)
		})
	}
}

func TestACurrencyIsComparable(t *testing.T) {
	if !slices.Contains(quote.Currencies(), currency(t, "EUR")) {
		t.Error("the euro of LookupCurrency is not the one of Currencies")
	}
}
