package fx_test

import (
	"archive/zip"
	"encoding/csv"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"example.com/portpair/services/rates/internal/fx"
)

// facts are the published rates that the contract's examples are about.
var facts = []string{
	`Date,USD,JPY,CZK,DKK,GBP,HUF,PLN,RON,SEK,CHF,ISK,NOK,TRY,AUD,BRL,CAD,CNY,HKD,IDR,ILS,INR,KRW,MXN,MYR,NZD,PHP,SGD,THB,ZAR,
2026-04-13,1.1684,186.75,24.378,7.4727,0.87058,366.9,4.2543,5.092,10.892,0.9242,143.2,11.098,52.2478,1.661,5.874,1.6177,7.9827,9.1507,20082.05,3.5787,109.047,1740.86,20.3203,4.6444,2.0081,70.356,1.4912,37.728,19.3849,`,
	`Date,USD,NZD,MXN,
2017-09-22,1.1961,1.6336,21.2905,`,
	`Date,USD,SKK,CZK,
2006-02-17,1.1863,37.345,28.365,`,
}

// levEnds are the days around the end of the Bulgarian lev, 2025-12-31.
const levEnds = `Date,USD,BGN,GBP,
2026-01-15,1.1624,N/A,0.8674,
2026-01-14,1.1651,N/A,0.8668,
2026-01-02,1.1721,N/A,0.8719,
2025-12-31,1.175,1.9558,0.8726,
2025-12-30,1.1757,1.9558,0.8712,`

// table makes one table of some pieces of CSV, which need not have the same columns.
func table(t testing.TB, pieces ...string) *fx.Table {
	t.Helper()
	var rows []fx.Row
	for _, piece := range pieces {
		rows = append(rows, readRows(t, strings.NewReader(piece))...)
	}
	return newTable(t, rows)
}

func snapshot(t testing.TB) *fx.Table {
	t.Helper()
	f, err := os.Open("../ecb/eurofxref-hist.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return newTable(t, readRows(t, f))
}

// history is all days from 1999 to 2026-04-13, from the zip that the ECB publishes.
func history(t testing.TB) *fx.Table {
	t.Helper()
	feeds := os.Getenv("ECB_FEEDS")
	if feeds == "" {
		t.Skip("ECB_FEEDS does not name a folder with eurofxref-hist.zip")
	}
	readOnce.Do(func() { readTable = readHistory(t, feeds) })
	if readTable == nil {
		t.Fatal("the history was not read")
	}
	return readTable
}

var (
	readOnce  sync.Once
	readTable *fx.Table // of all tests: it takes a while
)

func readHistory(t testing.TB, feeds string) *fx.Table {
	t.Helper()
	z, err := zip.OpenReader(filepath.Join(feeds, "eurofxref-hist.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	f, err := z.Open("eurofxref-hist.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return newTable(t, readRows(t, f))
}

func newTable(t testing.TB, rows []fx.Row) *fx.Table {
	t.Helper()
	table, err := fx.New(rows)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// readRows is a second reader of the ECB's CSV, as plain as can be: this package does not know package ecb.
func readRows(t testing.TB, r io.Reader) []fx.Row {
	t.Helper()
	records, err := csv.NewReader(r).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows []fx.Row
	for _, record := range records[1:] {
		row := fx.Row{Day: day(t, record[0])}
		for i, cell := range record {
			if code := records[0][i]; i > 0 && code != "" && cell != "N/A" {
				row.Rates = append(row.Rates, fx.Rate{Currency: code, Value: decimal(t, cell)})
			}
		}
		rows = append(rows, row)
	}
	return rows
}

func day(t testing.TB, s string) fx.Day {
	t.Helper()
	d, err := fx.ParseDay(s)
	if err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return d
}

func decimal(t testing.TB, s string) fx.Decimal {
	t.Helper()
	whole, fraction, _ := strings.Cut(s, ".")
	coef, err := strconv.ParseUint(whole+fraction, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return fx.NewDecimal(coef, uint8(len(fraction)))
}

// query reads parameters written as in a URL, in the contract's order.
func query(params string) (fx.Query, error) {
	q := fx.DefaultQuery()
	values, err := url.ParseQuery(params)
	if err != nil {
		return q, err
	}
	if values.Has("amount") {
		if q.Amount, err = fx.ParseAmount(values.Get("amount")); err != nil {
			return q, err
		}
	}
	if values.Has("symbols") {
		q.Symbols = fx.SplitSymbols(values.Get("symbols"))
	}
	if values.Has("base") {
		q.Base = fx.ParseBase(values.Get("base"))
		return q, fx.CheckPair(q.Base, q.Symbols)
	}
	return q, nil
}

// ask puts a request to a table and writes the answer, or the refusal, as one line.
func ask(t testing.TB, table *fx.Table, date, params string) string {
	t.Helper()
	q, err := query(params)
	if err != nil {
		return err.Error()
	}
	rates, err := table.On(day(t, date), q)
	if err != nil {
		return err.Error()
	}
	return show(rates)
}

func show(rates fx.Rates) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %v:", rates.Amount.AppendAmount(nil), rates.Base)
	for _, r := range rates.Rates {
		fmt.Fprintf(&b, " %s %v", r.Currency, r.Value)
	}
	fmt.Fprintf(&b, " on %v", rates.Date)
	return b.String()
}
