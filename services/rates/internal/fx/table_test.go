package fx_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"example.com/portpair/services/rates/internal/fx"
)

func TestTableSpansItsDays(t *testing.T) {
	table := snapshot(t)
	if got, want := table.First(), day(t, "2026-05-22"); got != want {
		t.Errorf("first: got %v, want %v", got, want)
	}
	if got, want := table.Newest(), day(t, "2026-08-21"); got != want {
		t.Errorf("newest: got %v, want %v", got, want)
	}
	if got, want := table.Len(), 66; got != want {
		t.Errorf("days: got %v, want %v", got, want)
	}
}

func TestRowsMayComeInAnyOrder(t *testing.T) {
	rows := readRows(t, strings.NewReader(levEnds))
	newestFirst := show(latest(t, newTable(t, rows)))
	slices.Reverse(rows)
	if got := show(latest(t, newTable(t, rows))); got != newestFirst {
		t.Errorf("oldest first: got %v, want %v", got, newestFirst)
	}
}

func TestNewKeepsNothingOfItsRows(t *testing.T) {
	rows := readRows(t, strings.NewReader(levEnds))
	table := newTable(t, rows)
	want := show(latest(t, table))
	rows[0].Rates[0].Value = decimal(t, "9")
	if got := show(latest(t, table)); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestCurrenciesIsACopy(t *testing.T) {
	table := table(t, levEnds)
	want := table.Currencies()
	table.Currencies()[0] = "XXX"
	if got := table.Currencies(); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestNewRefusesWhatCannotBe(t *testing.T) {
	tests := []struct {
		name string
		rows []fx.Row
		want string
	}{
		{"no days", nil, "no days"},
		{"a day twice", []fx.Row{row(t, "USD 1.1"), row(t, "USD 1.2")}, "2026-08-21 stands twice"},
		{"a day without rates", []fx.Row{row(t, "")}, "2026-08-21: no rates"},
		{"a code in small letters", []fx.Row{row(t, "usd 1.1")}, `2026-08-21: "usd" is not the code of a quoted currency`},
		{"a code of four letters", []fx.Row{row(t, "USDT 1.1")}, `2026-08-21: "USDT" is not the code of a quoted currency`},
		{"the euro against itself", []fx.Row{row(t, "EUR 1")}, `2026-08-21: "EUR" is not the code of a quoted currency`},
		{"a code twice on a day", []fx.Row{row(t, "USD 1.1 USD 1.1")}, "2026-08-21: USD stands twice"},
		{"a rate of 0", []fx.Row{row(t, "USD 0.0")}, "2026-08-21, USD: a rate is over 0"},
		{"a rate over 32 bits", []fx.Row{row(t, "USD 4294967296")}, "2026-08-21, USD: 4294967296 has too many digits"},
		{"a rate with 10 decimals", []fx.Row{row(t, "USD 0.0000000001")}, "2026-08-21, USD: 0.0000000001 has too many digits"},
		{"a rate over 32 bits with another day's decimals",
			[]fx.Row{row(t, "USD 5000"), {Day: day(t, "2026-08-20"), Rates: row(t, "USD 0.000001").Rates}},
			"2026-08-21, USD: 5000 does not fit with the 6 decimals of other days"},
		{"too many currencies", []fx.Row{row(t, manyCodes(256))}, "256 currencies, at most 255 are kept"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := fx.New(tt.rows)
			if err == nil || err.Error() != tt.want {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestTheMostCurrenciesThatFit(t *testing.T) {
	table := newTable(t, []fx.Row{row(t, manyCodes(255))})
	if got, want := len(latest(t, table).Rates), 255; got != want {
		t.Errorf("got %d rates, want %d", got, want)
	}
}

func TestTableIsReadByManyGoroutines(t *testing.T) {
	table := snapshot(t)
	want := show(latest(t, table))
	var readers sync.WaitGroup
	for range 8 {
		readers.Go(func() {
			rates, err := table.Latest(fx.DefaultQuery())
			if got := show(rates); err != nil || got != want {
				t.Errorf("got %v, %v, want %v", got, err, want)
			}
		})
	}
	readers.Wait()
}

func BenchmarkLatest(b *testing.B) {
	benchmark(b, fx.DefaultQuery())
}

func BenchmarkLatestRebased(b *testing.B) {
	q := fx.DefaultQuery()
	q.Base, q.Symbols = "USD", []string{"EUR", "GBP"}
	benchmark(b, q)
}

func BenchmarkLatestRebasedAll(b *testing.B) {
	q := fx.DefaultQuery()
	q.Base = "USD"
	benchmark(b, q)
}

func benchmark(b *testing.B, q fx.Query) {
	table := snapshot(b)
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		rates, err := table.Latest(q)
		if err != nil {
			b.Fatal(err)
		}
		dst = rates.Amount.AppendAmount(dst[:0])
		for _, r := range rates.Rates {
			dst = r.Value.Append(dst)
		}
	}
}

// row is a row of 2026-08-21, written "USD 1.1699 JPY 185.66".
func row(t testing.TB, s string) fx.Row {
	t.Helper()
	r := fx.Row{Day: day(t, "2026-08-21")}
	for pair := range slices.Chunk(strings.Fields(s), 2) {
		r.Rates = append(r.Rates, fx.Rate{Currency: pair[0], Value: decimal(t, pair[1])})
	}
	return r
}

func manyCodes(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("Q" + string(rune('A'+i/26)) + string(rune('A'+i%26)) + " 1 ")
	}
	return b.String()
}

func latest(t testing.TB, table *fx.Table) fx.Rates {
	t.Helper()
	rates, err := table.Latest(fx.DefaultQuery())
	if err != nil {
		t.Fatal(err)
	}
	return rates
}
