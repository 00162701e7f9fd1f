package fx_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"example.com/portpair/services/rates/internal/fx"
)

// someDays have numbers that are easy to tell apart, a weekend, a holiday, a currency that has ended (HRK) and one
// that misses a day (GBP).
const someDays = `Date,USD,GBP,HRK,
2024-01-09,1.09,0.9,N/A,
2024-01-08,1.08,N/A,N/A,
2024-01-05,1.05,0.5,N/A,
2024-01-04,1.04,0.4,N/A,
2024-01-03,1.03,0.3,N/A,
2023-12-29,1.29,0.29,7.5,
2023-12-28,1.28,0.28,7.4,`

func TestBetween(t *testing.T) {
	table := table(t, someDays)
	const today = "2024-01-10"
	tests := []struct {
		name       string
		start, end string
		params     string
		want       string
	}{
		{"both ends are included", "2024-01-04", "2024-01-08", "symbols=USD", "04: USD 1.04, 05: USD 1.05, 08: USD 1.08"},
		{"one day", "2024-01-04", "2024-01-04", "symbols=USD", "04: USD 1.04"},
		{"the start snaps back", "2024-01-07", "2024-01-08", "symbols=USD", "05: USD 1.05, 08: USD 1.08"},
		{"over any length", "2024-01-02", "2024-01-02", "symbols=USD", "29: USD 1.29"},
		{"the end does not snap forward", "2024-01-04", "2024-01-07", "symbols=USD", "04: USD 1.04, 05: USD 1.05"},
		{"the end may lie in the future", "2024-01-09", "2100-01-01", "symbols=USD", "09: USD 1.09"},
		{"start is today", today, "2100-01-01", "symbols=USD", "09: USD 1.09"},
		{"start is tomorrow", "2024-01-11", "2100-01-01", "", "not found"},
		{"before the first day", "2023-01-01", "2023-12-27", "", "not found"},
		{"straddling the first day", "2023-01-01", "2023-12-28", "symbols=USD", "28: USD 1.28"},
		{"reversed", "2024-01-08", "2024-01-05", "", "not found"},
		{"reversed, but the start snaps to the end", "2024-01-07", "2024-01-05", "symbols=USD", "05: USD 1.05"},
		{"reversed, and the start snaps over the end", "2024-01-07", "2024-01-06", "symbols=USD", "05: USD 1.05"},
		{"a day without any of the currencies is absent", "2024-01-05", "2024-01-09", "symbols=GBP", "05: GBP 0.5, 09: GBP 0.9"},
		{"a currency is absent on a day of others", "2024-01-05", "2024-01-08", "", "05: GBP 0.5 USD 1.05, 08: USD 1.08"},
		{"the first day has none of them", "2024-01-08", "2024-01-09", "symbols=GBP", "09: GBP 0.9"},
		{"the last day has none of them", "2024-01-05", "2024-01-08", "symbols=GBP", "05: GBP 0.5"},
		{"no day has any of them", "2024-01-03", "2024-01-09", "symbols=HRK", "not found"},
		{"a day without the base is absent", "2024-01-05", "2024-01-09", "base=GBP&symbols=USD", "05: USD 2.1, 09: USD 1.2111"},
		{"no day has the base", "2024-01-03", "2024-01-09", "base=HRK", "not found"},
		{"the base has days, but no quote", "2024-01-03", "2024-01-09", "base=GBP&symbols=HRK", "not found"},
		{"the euro is quoted where the base is", "2024-01-05", "2024-01-09", "base=GBP&symbols=EUR", "05: EUR 2, 09: EUR 1.1111"},
		{"the euro in itself", "2024-01-05", "2024-01-09", "symbols=EUR", "not found"},
		{"an ended currency is not carried over", "2023-12-29", "2024-01-03", "symbols=HRK", "29: HRK 7.5"},
		{"an amount", "2024-01-08", "2024-01-09", "amount=100&symbols=USD", "08: USD 108, 09: USD 109"},
		{"an amount without a leg on one of the days", "2023-12-28", "2024-01-09", "amount=0.0000017&base=GBP", "invalid amount"},
		{"which is not in the range", "2024-01-03", "2024-01-03", "amount=0.0000017&base=GBP&symbols=EUR", "03: EUR 0.000003"},
		{"unknown base", "2024-01-03", "2024-01-09", "base=QQQ", "not found"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			q, err := query(tt.params)
			if err != nil {
				t.Fatal(err)
			}
			s, err := table.Between(day(t, tt.start), day(t, tt.end), day(t, today), q)
			got := showSeries(t, s)
			if err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// showSeries writes days of the month with their rates, and holds the ends against them.
func showSeries(t *testing.T, s fx.Series) string {
	t.Helper()
	if s.Base == "" {
		return ""
	}
	var texts []string
	first, last := fx.Day(0), fx.Day(0)
	for d, rates := range s.Days() {
		if len(texts) == 0 {
			first = d
		}
		last = d
		text := d.String()[8:] + ":"
		for _, r := range rates {
			text += fmt.Sprintf(" %s %v", r.Currency, r.Value)
		}
		texts = append(texts, text)
	}
	if s.Start != first || s.End != last {
		t.Errorf("got %v to %v, want the days that came, %v to %v", s.Start, s.End, first, last)
	}
	return strings.Join(texts, ", ")
}

func TestDaysCanBeLeftAndReadAgain(t *testing.T) {
	table := snapshot(t)
	s, err := table.Between(table.First(), table.Newest(), table.Newest(), fx.DefaultQuery())
	if err != nil {
		t.Fatal(err)
	}
	for range s.Days() {
		break
	}
	n := 0
	for range s.Days() {
		n++
	}
	if n != table.Len() {
		t.Errorf("got %d days, want %d", n, table.Len())
	}
}

// What a range says of a day is what On says of it, but for rates of other days.
func TestASeriesIsItsDays(t *testing.T) {
	for name, table := range map[string]*fx.Table{"lev": table(t, levEnds), "days": table(t, someDays), "snapshot": snapshot(t)} {
		for _, params := range []string{"", "base=USD", "amount=7&base=GBP&symbols=USD,EUR"} {
			q, err := query(params)
			if err != nil {
				t.Fatal(err)
			}
			s, err := table.Between(table.First(), table.Newest(), table.Newest(), q)
			if err != nil {
				t.Fatal(err)
			}
			for d, rates := range s.Days() {
				all, err := table.On(d, q)
				if err != nil {
					t.Fatal(err)
				}
				// A rate that is carried over to d is missing in the range.
				got := slices.DeleteFunc(all.Rates, func(r fx.Rate) bool {
					return !slices.ContainsFunc(rates, func(own fx.Rate) bool { return own.Currency == r.Currency })
				})
				if !slices.Equal(rates, got) {
					t.Errorf("%s?%s, %v: got %v, want %v", name, params, d, rates, got)
				}
			}
		}
	}
}

func TestFingerprint(t *testing.T) {
	of := func(csv, start, end, params string) uint64 {
		t.Helper()
		q, err := query(params)
		if err != nil {
			t.Fatal(err)
		}
		s, err := table(t, csv).Between(day(t, start), day(t, end), day(t, "2024-01-10"), q)
		if err != nil {
			t.Fatal(err)
		}
		return s.Fingerprint()
	}
	const start, end = "2024-01-03", "2024-01-09"
	published := of(someDays, start, end, "")
	moves := map[string]uint64{
		"a rate is published again": of(strings.Replace(someDays, "1.05", "1.051", 1), start, end, ""),
		"a rate is gone":            of(strings.Replace(someDays, "0.5", "N/A", 1), start, end, ""),
		"a day comes":               of(strings.Replace(someDays, "2024-01-05", "2024-01-06,1.06,0.6,N/A,\n2024-01-05", 1), start, end, ""),
		"a day is another":          of(strings.Replace(someDays, "2024-01-05", "2024-01-06", 1), start, end, ""),
		"the end is another":        of(someDays, start, "2024-01-08", ""),
		"the start is another":      of(someDays, "2024-01-04", end, ""),
		"one currency is asked for": of(someDays, start, end, "symbols=USD"),
		"another is":                of(someDays, start, end, "symbols=GBP"),
		"the base is another":       of(someDays, start, end, "base=USD"),
	}
	for what, got := range moves {
		if got == published {
			t.Errorf("when %s: got what it was before", what)
		}
	}
	const twins = "Date,CHF,USD,\n2024-01-09,1.1,1.1,\n2024-01-08,1.2,1.2,"
	if of(twins, start, end, "symbols=CHF") == of(twins, start, end, "symbols=USD") {
		t.Error("two currencies of the same rates: got one fingerprint")
	}
	stays := map[string]uint64{
		"asked again":                      of(someDays, start, end, ""),
		"a day outside is published again": of(strings.Replace(someDays, "1.28", "1.29", 1), start, end, ""),
		"a day outside is gone":            of(strings.Replace(someDays, "2023-12-28,1.28,0.28,7.4,", "", 1), start, end, ""),
	}
	for what, got := range stays {
		if got != published {
			t.Errorf("when %s: got %x, want %x as before", what, got, published)
		}
	}
}

// Any one number that changes moves the fingerprint.
func TestFingerprintOfEveryCell(t *testing.T) {
	rows := readRows(t, strings.NewReader(someDays))
	rnd := rand.New(rand.NewPCG(3, 4))
	seen := map[uint64]string{}
	check := func(what string) {
		table := newTable(t, rows)
		s, err := table.Between(table.First(), table.Newest(), table.Newest(), fx.DefaultQuery())
		if err != nil {
			t.Fatal(err)
		}
		if other, taken := seen[s.Fingerprint()]; taken {
			t.Errorf("%s: got the fingerprint of %s", what, other)
		}
		seen[s.Fingerprint()] = what
	}
	check("the published")
	for i := range rows {
		for j := range rows[i].Rates {
			before := rows[i].Rates[j].Value
			rows[i].Rates[j].Value = fx.NewDecimal(1+rnd.Uint64N(1<<16), 2)
			check(fmt.Sprintf("%v %s", rows[i].Day, rows[i].Rates[j].Currency))
			rows[i].Rates[j].Value = before
		}
	}
}

func BenchmarkSeriesUSD(b *testing.B)     { benchmarkSeries(b, "symbols=USD") }
func BenchmarkSeriesAll(b *testing.B)     { benchmarkSeries(b, "") }
func BenchmarkSeriesRebased(b *testing.B) { benchmarkSeries(b, "base=USD") }

func benchmarkSeries(b *testing.B, params string) {
	table := history(b)
	q, err := query(params)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		s, err := table.Between(table.First(), table.Newest(), table.Newest(), q)
		if err != nil {
			b.Fatal(err)
		}
		for range s.Days() {
		}
		s.Fingerprint()
	}
}
