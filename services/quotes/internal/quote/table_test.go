package quote_test

import (
	"fmt"
	"slices"
	"testing"

	"example.com/portpair/services/quotes/internal/quote"
)

func TestCross(t *testing.T) {
	for _, tt := range []struct{ day, source, target, want string }{
		{"2026-08-21", "EUR", "USD", "1.1699"},
		{"2026-08-21", "EUR", "IDR", "20659.38"},
		{"2026-08-21", "EUR", "ISK", "141.6"},
		{"2026-08-21", "USD", "EUR", "0.8547739123"},
		{"2026-08-21", "USD", "JPY", "158.697324558"},
		{"2026-08-21", "JPY", "USD", "0.00630130345793"},
		{"2026-08-21", "GBP", "IDR", "24115.0694526"},
		{"2026-08-21", "IDR", "GBP", "0.0000414678465665"},
		{"2026-05-22", "USD", "GBP", "0.745304010349"},
		{"2004-12-31", "TRL", "MTL", "0.000000236521076135"},
		{"2004-12-31", "MTL", "TRL", "4227953.02786"},
		{"2004-12-31", "ROL", "CYP", "0.000014724549378"},
		{"2099-12-31", "SEK", "NOK", "0.142857142857"},
		{"2099-12-31", "NOK", "SEK", "7"},
	} {
		t.Run(tt.day+" "+tt.source+" to "+tt.target, func(t *testing.T) {
			got, err := table(t, tt.day, days[tt.day]).Cross(currency(t, tt.source), currency(t, tt.target))
			if err != nil || got.String() != tt.want {
				t.Errorf("got %s, %v, want %s", got, err, tt.want)
			}
		})
	}
}

func TestACrossRateIsRoundedHalfToEvenTo12SignificantDigits(t *testing.T) {
	for _, tt := range []struct{ source, target, want string }{
		{"2", "2.00000000001", "1"},               // 1.000000000005
		{"2", "2.00000000003", "1.00000000002"},   // 1.000000000015
		{"2", "2.00000000002", "1.00000000001"},   // 1.00000000001
		{"2", "1.999999999999", "1"},              // 0.9999999999995, and up to the next power of ten
		{"4", "2.000000000022", "0.500000000006"}, // 0.5000000000055
		{"4", "2.000000000018", "0.500000000004"}, // 0.5000000000045
		{"3", "1", "0.333333333333"},
		{"3", "2", "0.666666666667"},
		{"0.000000001", "0.000000003", "3"},
		{"123456789.012345", "987654321.098765", "8.0000000729"},
	} {
		t.Run(tt.target+" over "+tt.source, func(t *testing.T) {
			tab := table(t, "2026-08-21", "USD "+tt.source+", GBP "+tt.target)
			got, err := tab.Cross(currency(t, "USD"), currency(t, "GBP"))
			if err != nil || got.String() != tt.want {
				t.Errorf("got %s, %v, want %s", got, err, tt.want)
			}
		})
	}
}

func TestAPublishedRateIsKeptToItsLastDigit(t *testing.T) {
	tab := table(t, "2026-08-21", "USD 1.00000000000001, GBP 1")
	for source, want := range map[string]string{"EUR": "1.00000000000001", "GBP": "1"} {
		got, err := tab.Cross(currency(t, source), currency(t, "USD"))
		if err != nil || got.String() != want {
			t.Errorf("%s: got %s, %v, want %s", source, got, err, want)
		}
	}
}

func TestAPairWithoutARate(t *testing.T) {
	tab := table(t, "2026-05-22", days["2026-05-22"])
	for _, tt := range []struct {
		source, target string
		want           error
		says           string
	}{
		{"EUR", "ZAR", quote.ErrNoRate, "none of ZAR on 2026-05-22"},
		{"ZAR", "EUR", quote.ErrNoRate, "none of ZAR on 2026-05-22"},
		{"USD", "BGN", quote.ErrNoRate, "none of BGN on 2026-05-22"},
		{"BGN", "TRL", quote.ErrNoRate, "none of BGN on 2026-05-22"},
		{"EUR", "EUR", quote.ErrSameCurrency, "both EUR"},
		{"USD", "USD", quote.ErrSameCurrency, "both USD"},
		{"ZAR", "ZAR", quote.ErrSameCurrency, "both ZAR"},
	} {
		t.Run(tt.source+" to "+tt.target, func(t *testing.T) {
			_, err := tab.Cross(currency(t, tt.source), currency(t, tt.target))
			wantError(t, err, tt.want, tt.says)
		})
	}
	_, err := tab.Cross(quote.Currency{}, currency(t, "EUR"))
	wantError(t, err, quote.ErrNoRate)
}

func TestACrossRateCanBeAbsurd(t *testing.T) {
	tab := table(t, "2026-08-21", "LBP 0.03, VND 123456789")
	_, err := tab.Cross(currency(t, "LBP"), currency(t, "VND"))
	wantError(t, err, quote.ErrAbsurdRate, "from LBP to VND on 2026-08-21")
	tab = table(t, "2026-08-21", "LBP 0.000000001, VND 1000000000")
	for _, pair := range [][2]string{{"LBP", "VND"}, {"VND", "LBP"}} {
		_, err := tab.Cross(currency(t, pair[0]), currency(t, pair[1]))
		wantError(t, err, quote.ErrAbsurdRate)
	}
}

func TestNewTableRefusesWhatIsNoDaysRates(t *testing.T) {
	crowd := make(map[string]quote.Rate)
	for i := range 501 {
		crowd[fmt.Sprintf("%c%c%c", 'A'+i/676, 'A'+i/26%26, 'A'+i%26)] = rate(t, "2")
	}
	for name, tt := range map[string]struct {
		date  quote.Date
		rates map[string]quote.Rate
		says  string
	}{
		"no map":          {date(t, "2026-08-21"), nil, "none"},
		"no rate":         {date(t, "2026-08-21"), map[string]quote.Rate{}, "none"},
		"the euro alone":  {date(t, "2026-08-21"), published(t, "EUR 1"), "none"},
		"a euro of 1.01":  {date(t, "2026-08-21"), published(t, "EUR 1.01, USD 1.1699"), "EUR is said to be 1.01"},
		"an empty rate":   {date(t, "2026-08-21"), map[string]quote.Rate{"USD": {}}, "USD has none"},
		"no day":          {quote.Date{}, published(t, "USD 1.1699"), "no reference date"},
		"501 rates":       {date(t, "2026-08-21"), crowd, "there are 501"},
		"an empty code":   {date(t, "2026-08-21"), map[string]quote.Rate{"": rate(t, "2")}, `""`},
		"lower case":      {date(t, "2026-08-21"), published(t, "USD 1.1699, usd 1.1699"), `"usd"`},
		"four letters":    {date(t, "2026-08-21"), published(t, "USDT 1.1699"), `"USDT"`},
		"the first of 2":  {date(t, "2026-08-21"), published(t, "b 1, USD 1.1699, a 1"), `"a"`},
		"a control code":  {date(t, "2026-08-21"), published(t, "\x1b[m 1"), `"\x1b[m"`},
		"a very long one": {date(t, "2026-08-21"), map[string]quote.Rate{string(make([]byte, 1<<20)): rate(t, "2")}, `\x00`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := quote.NewTable(tt.date, tt.rates)
			wantError(t, err, quote.ErrUnusableTable, tt.says)
			if got != nil {
				t.Errorf("got a table with an error")
			}
		})
	}
	delete(crowd, "AAA")
	if _, err := quote.NewTable(date(t, "2026-08-21"), crowd); err != nil {
		t.Errorf("got %v for 500 rates", err)
	}
}

func TestCurrenciesAreThoseWithARateWhoseMinorUnitsAreKnown(t *testing.T) {
	for name, rates := range map[string]string{
		"without the euro": "USD 1.1699, XAU 0.0003, JPY 185.66, ABC 5, BGN 1.9558",
		"with the euro":    "USD 1.1699, XAU 0.0003, JPY 185.66, ABC 5, BGN 1.9558, EUR 1.000",
	} {
		t.Run(name, func(t *testing.T) {
			tab := table(t, "2025-12-31", rates)
			var got []string
			for _, c := range tab.Currencies() {
				got = append(got, c.Code)
			}
			if want := []string{"BGN", "EUR", "JPY", "USD"}; !slices.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

func TestUnknownAreTheCodesWithARateAlone(t *testing.T) {
	for rates, want := range map[string][]string{
		"USD 1.1699, JPY 185.66":         nil,
		"XYZ 2, USD 1.1699, BTC 0.00001": {"BTC", "XYZ"},
	} {
		if got := table(t, "2026-08-21", rates).Unknown(); !slices.Equal(got, want) {
			t.Errorf("got %q of %s, want %q", got, rates, want)
		}
	}
}

func TestATableNeverChanges(t *testing.T) {
	rates := published(t, "USD 1.1699, GBP 0.8567")
	tab, err := quote.NewTable(date(t, "2026-08-21"), rates)
	if err != nil {
		t.Fatal(err)
	}
	rates["USD"] = rate(t, "5")
	delete(rates, "GBP")
	tab.Currencies()[0] = quote.Currency{}
	got, err := tab.Cross(currency(t, "EUR"), currency(t, "USD"))
	if err != nil || got != rate(t, "1.1699") {
		t.Errorf("got %s, %v", got, err)
	}
	if _, err := tab.Cross(currency(t, "GBP"), currency(t, "USD")); err != nil {
		t.Error(err)
	}
	if got := tab.Currencies()[0].Code; got != "EUR" {
		t.Errorf("got %q for the first currency", got)
	}
	if tab.Date() != date(t, "2026-08-21") {
		t.Errorf("got the date %s", tab.Date())
	}
}

func TestConvertIsTheCrossRateAndTheAmountComputedFromIt(t *testing.T) {
	tab := table(t, "2026-08-21", days["2026-08-21"])
	for _, tt := range []struct{ source, target, want, rate string }{
		{"100.00 EUR", "USD", "116.99", "1.1699"},
		{"100.00 USD", "EUR", "85.48", "0.854773912300"},
		{"1 JPY", "IDR", "111.28", "111.275342023"},
	} {
		t.Run(tt.source+" in "+tt.target, func(t *testing.T) {
			source := amount(t, tt.source)
			got, err := tab.Convert(source, currency(t, tt.target))
			if err != nil {
				t.Fatal(err)
			}
			if got.Source != source || got.Target.String() != tt.want || got.Rate != rate(t, tt.rate) {
				t.Errorf("got %s at %s, want %s at %s", got.Target, got.Rate, tt.want, tt.rate)
			}
		})
	}
	_, err := tab.Convert(amount(t, "0.01 IDR"), currency(t, "EUR"))
	wantError(t, err, quote.ErrAmountTooSmall)
	_, err = tab.Convert(amount(t, "1.00 EUR"), currency(t, "EUR"))
	wantError(t, err, quote.ErrSameCurrency)
}
