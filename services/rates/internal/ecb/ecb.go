// Package ecb reads the euro foreign exchange reference rates as the European Central Bank publishes them: the CSV
// of the full history, eurofxref-hist.csv, or the zip of it. One reader serves the feed, a file and the snapshot that
// is built in; a Feed fetches and keeps what is newest.
//
// What the rates mean and what may be asked of them is left to package fx. The other layouts that the ECB
// publishes (the one-day CSV, XML, SDMX) are told apart, so that an operator who took the wrong one is told so,
// but they are not read.
package ecb

import (
	_ "embed"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"sync"

	"example.com/portpair/services/rates/internal/fx"
)

// Limits on what is foreign input. All history to 2026 is 1.9 MB, 7,091 days and 41 currencies.
const (
	maxBytes   = 8 << 20
	maxDays    = 20_000
	maxColumns = 64
)

// Parse reads the CSV of the history: a header "Date,USD,JPY,…,", then one row a day, the newest first, each with a
// comma at its end; N/A where nothing was published. Columns are found by name: one has moved before.
// An error names the line and the column; foreign text in it is quoted and short.
func Parse(r io.Reader) (*fx.Table, error) {
	text, err := readAll(r)
	if err != nil {
		return nil, err
	}
	text = strings.TrimPrefix(text, "\ufeff")
	if err := refuseForeign(text); err != nil {
		return nil, err
	}
	header, text, _ := strings.Cut(text, "\n")
	codes, err := parseHeader(strings.TrimSuffix(header, "\r"))
	if err != nil {
		return nil, err
	}
	rows, err := parseRows(codes, text)
	if err != nil {
		return nil, err
	}
	return fx.New(rows)
}

//go:embed eurofxref-hist.csv
var snapshotCSV string

var snapshot = sync.OnceValue(func() *fx.Table {
	t, err := Parse(strings.NewReader(snapshotCSV))
	if err != nil {
		panic("ecb: the snapshot in this binary: " + err.Error()) // tested, so a broken build
	}
	return t
})

// Snapshot is the table that is built in, for a start without a feed: the last weeks before a release.
func Snapshot() *fx.Table { return snapshot() }

// parseHeader returns the columns' currency codes.
func parseHeader(line string) ([]string, error) {
	list, ok := strings.CutPrefix(line, "Date,")
	if !ok {
		return nil, fmt.Errorf("line 1: %s is not the header of the history (Date,USD,JPY,…)", quote(line))
	}
	list, ok = strings.CutSuffix(list, ",")
	if !ok {
		return nil, errors.New("line 1: no comma at the end")
	}
	codes := strings.Split(list, ",")
	if len(codes) > maxColumns {
		return nil, fmt.Errorf("line 1: %d currencies, at most %d are read", len(codes), maxColumns)
	}
	seen := make(map[string]bool)
	for i, code := range codes {
		if !fx.IsCode(code) {
			return nil, fmt.Errorf("line 1, column %d: %s is not the code of a quoted currency", i+2, quote(code))
		}
		if seen[code] {
			return nil, fmt.Errorf("line 1, column %d: %s stands twice", i+2, code)
		}
		seen[code] = true
		codes[i] = strings.Clone(code) // the table keeps it, and with it the text that it is a piece of
	}
	return codes, nil
}

func parseRows(codes []string, text string) ([]fx.Row, error) {
	lines := strings.Count(text, "\n") + 1
	if lines > maxDays {
		return nil, fmt.Errorf("%d lines, at most %d are read", lines, maxDays)
	}
	rows := make([]fx.Row, 0, lines)
	for number := 2; strings.Trim(text, "\r\n") != ""; number++ {
		var line string
		line, text, _ = strings.Cut(text, "\n")
		row, err := parseRow(codes, number, strings.TrimSuffix(line, "\r"))
		if err != nil {
			return nil, err
		}
		if n := len(rows); n > 0 && row.Day >= rows[n-1].Day {
			return nil, fmt.Errorf("line %d, Date: %v stands below %v; the newest day comes first",
				number, row.Day, rows[n-1].Day)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func parseRow(codes []string, number int, line string) (fx.Row, error) {
	if got, want := strings.Count(line, ",")+1, len(codes)+2; got != want {
		return fx.Row{}, fmt.Errorf("line %d: %d fields, the header has %d", number, got, want)
	}
	date, list, _ := strings.Cut(line, ",")
	// The field after the last comma is empty. Were a row without it read, a file cut off within its last rate
	// would end in a wrong rate that looks right.
	list, ok := strings.CutSuffix(list, ",")
	if !ok {
		return fx.Row{}, fmt.Errorf("line %d: no comma at the end", number)
	}
	day, err := fx.ParseDay(date)
	if err != nil {
		return fx.Row{}, fmt.Errorf("line %d, Date: %s is not a date", number, quote(date))
	}
	row := fx.Row{Day: day, Rates: make([]fx.Rate, 0, len(codes))}
	for _, code := range codes {
		var cell string
		cell, list, _ = strings.Cut(list, ",")
		if cell == "N/A" {
			continue
		}
		rate, ok := parseRate(cell)
		if !ok {
			return fx.Row{}, fmt.Errorf("line %d, %s: %s is not a rate", number, code, quote(cell))
		}
		row.Rates = append(row.Rates, fx.Rate{Currency: code, Value: rate})
	}
	if len(row.Rates) == 0 {
		return fx.Row{}, fmt.Errorf("line %d: no rates", number)
	}
	return row, nil
}

// parseRate reads digits, with or without a point between them, that are over 0 and fit into 32 bits.
func parseRate(s string) (fx.Decimal, bool) {
	whole, fraction, point := strings.Cut(s, ".")
	if whole == "" || point && fraction == "" || len(s) > 16 {
		return fx.Decimal{}, false
	}
	var coef uint64
	for _, part := range [...]string{whole, fraction} {
		for _, digit := range []byte(part) {
			if digit < '0' || digit > '9' {
				return fx.Decimal{}, false
			}
			coef = coef*10 + uint64(digit-'0')
		}
	}
	if coef == 0 || coef > math.MaxUint32 {
		return fx.Decimal{}, false
	}
	return fx.NewDecimal(coef, uint8(len(fraction))), true
}
