package fx

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// EUR is the currency that every reference rate is published against.
const EUR = "EUR"

// lookBack is for how many days after its observation a rate stands for a currency that has no newer one.
const lookBack = 14

const (
	maxQuoted = 255 // currencies: a column's number fits into a byte, the euro's too
	maxScale  = 9   // decimals of a reference rate; the ECB's have at most 6
)

// Rate is so many units of Currency: for one euro where it is a reference rate, for an amount of the base where it
// answers a Query.
type Rate struct {
	Currency string
	Value    Decimal
}

// Row is what was published for one reference date. A currency without a rate on that day is left out.
type Row struct {
	Day   Day
	Rates []Rate
}

// Table holds the reference rates of many days. It never changes, so any number of goroutines may read it.
// New makes one.
type Table struct {
	days       []Day    // ascending
	columns    []column // by code, ascending; the euro's is one of them
	euro       int      // its column
	all        []uint8  // the number of every column, ascending
	currencies []string
	next       time.Time
}

// column keeps one currency's rates as integers: all history is 1.2 MB this way.
type column struct {
	code   string
	scale  uint8
	values []uint32 // one a day, × 10^-scale; 0: none published. nil for the euro
}

// New makes the table of rows, which may come in any order. It refuses what cannot be: no days, a day twice or
// without rates, a code that is malformed, the euro's own or twice on a day, a rate that is not positive or has
// more digits than a column can keep.
func New(rows []Row) (*Table, error) {
	if len(rows) == 0 {
		return nil, errors.New("no days")
	}
	rows = slices.Clone(rows)
	slices.SortFunc(rows, func(a, b Row) int { return cmp.Compare(a.Day, b.Day) })
	found, err := survey(rows)
	if err != nil {
		return nil, err
	}

	t := &Table{days: make([]Day, len(rows))}
	t.makeColumns(found)
	for i, row := range rows {
		t.days[i] = row.Day
		for _, r := range row.Rates {
			c := &t.columns[found[r.Currency].column]
			v := r.Value.lo * pow10[c.scale-r.Value.scale]
			if v > math.MaxUint32 {
				return nil, fmt.Errorf("%v, %s: %v does not fit with the %d decimals of other days",
					row.Day, r.Currency, r.Value, c.scale)
			}
			c.values[i] = uint32(v)
		}
	}
	t.currencies = t.recent()
	t.next = NextPublication(t.Newest())
	return t, nil
}

// found is what a survey of the rows says of one currency.
type found struct {
	scale  uint8 // its most decimals
	row    int   // the last row it stands in
	column int   // where its rates go
}

// survey checks each row by itself. Rows are in order of days.
func survey(rows []Row) (map[string]*found, error) {
	all := make(map[string]*found)
	for i, row := range rows {
		switch {
		case i > 0 && row.Day == rows[i-1].Day:
			return nil, fmt.Errorf("%v stands twice", row.Day)
		case len(row.Rates) == 0:
			return nil, fmt.Errorf("%v: no rates", row.Day)
		}
		for _, r := range row.Rates {
			f := all[r.Currency]
			switch v := r.Value; {
			case f == nil && !IsCode(r.Currency):
				return nil, fmt.Errorf("%v: %.20q is not the code of a quoted currency", row.Day, r.Currency)
			case f != nil && f.row == i:
				return nil, fmt.Errorf("%v: %s stands twice", row.Day, r.Currency)
			case v.isZero():
				return nil, fmt.Errorf("%v, %s: a rate is over 0", row.Day, r.Currency)
			case v.hi != 0 || v.lo > math.MaxUint32 || v.scale > maxScale:
				return nil, fmt.Errorf("%v, %s: %v has too many digits", row.Day, r.Currency, v)
			case f == nil:
				f = new(found)
				all[r.Currency] = f
			}
			f.row = i
			f.scale = max(f.scale, r.Value.scale)
		}
	}
	if len(all) > maxQuoted {
		return nil, fmt.Errorf("%d currencies, at most %d are kept", len(all), maxQuoted)
	}
	return all, nil
}

// IsCode reports whether a reference rate may be for s: three capital letters that are not the euro's, which has
// no rate against itself.
func IsCode(s string) bool {
	return len(s) == 3 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" && s != EUR
}

// makeColumns makes the empty columns, the euro's among them, and notes where each stands.
func (t *Table) makeColumns(all map[string]*found) {
	t.columns = append(t.columns, column{code: EUR})
	for code, f := range all {
		t.columns = append(t.columns, column{code: code, scale: f.scale, values: make([]uint32, len(t.days))})
	}
	slices.SortFunc(t.columns, func(a, b column) int { return strings.Compare(a.code, b.code) })
	for i, c := range t.columns {
		t.all = append(t.all, uint8(i))
		if c.code == EUR {
			t.euro = i
		} else {
			all[c.code].column = i
		}
	}
}

// recent lists the euro and the currencies that still have a rate on the newest day, looking back.
func (t *Table) recent() []string {
	var codes []string
	oldest, newest := t.window(t.Newest())
	for c := range t.columns {
		if c == t.euro || t.observed(c, oldest, newest) >= 0 {
			codes = append(codes, t.columns[c].code)
		}
	}
	return codes
}

// First is the oldest reference date.
func (t *Table) First() Day { return t.days[0] }

// Newest is the newest reference date.
func (t *Table) Newest() Day { return t.days[len(t.days)-1] }

// Len is the number of reference dates.
func (t *Table) Len() int { return len(t.days) }

// NextPublication is that of the newest reference date.
func (t *Table) NextPublication() time.Time { return t.next }

// Currencies lists the codes that have a rate in the 14 days up to the newest one, and EUR, ascending.
func (t *Table) Currencies() []string { return slices.Clone(t.currencies) }

// window is the span of rows, both ends included, that count for a day. oldest > newest: none do.
func (t *Table) window(day Day) (oldest, newest int) {
	oldest, _ = slices.BinarySearch(t.days, day-lookBack)
	return oldest, t.rowAt(day)
}

// rowAt is the newest row that is no later than day, or -1.
func (t *Table) rowAt(day Day) int {
	row, found := slices.BinarySearch(t.days, day)
	if !found {
		row--
	}
	return row
}

// observed is the newest row from oldest to newest that has a rate of column c, or -1.
func (t *Table) observed(c, oldest, newest int) int {
	values := t.columns[c].values
	for row := newest; row >= oldest; row-- {
		if values[row] != 0 {
			return row
		}
	}
	return -1
}

// reference is the rate of column c in a row, as published.
func (t *Table) reference(c, row int) Decimal {
	return NewDecimal(uint64(t.columns[c].values[row]), t.columns[c].scale)
}
