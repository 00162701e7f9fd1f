package fx

import (
	"iter"
	"slices"
)

// Find is the row of a reference date: its place among the days, from 0 for the first one.
func (t *Table) Find(day Day) (row int, found bool) { return slices.BinarySearch(t.days, day) }

// Day is the reference date of a row.
func (t *Table) Day(row int) Day { return t.days[row] }

// Published yields what one euro is in every currency on the day of a row, by code: what On answers DefaultQuery
// with, read from the table as it goes.
func (t *Table) Published(row int) iter.Seq2[string, Decimal] {
	return func(yield func(string, Decimal) bool) {
		oldest, newest := t.window(t.days[row])
		for c := range t.columns {
			if c == t.euro {
				continue
			}
			if at := t.observed(c, oldest, newest); at >= 0 && !yield(t.columns[c].code, t.reference(c, at)) {
				return
			}
		}
	}
}

// Reference is one of those that Published yields.
func (t *Table) Reference(row int, code string) (Decimal, bool) {
	c, known := t.column(code)
	if !known || c == t.euro {
		return Decimal{}, false
	}
	oldest, newest := t.window(t.days[row])
	at := t.observed(c, oldest, newest)
	if at < 0 {
		return Decimal{}, false
	}
	return t.reference(c, at), true
}

// Ended lists the codes that have no rate in the 14 days up to the newest one, and had one before, ascending.
func (t *Table) Ended() []string {
	var codes []string
	for _, c := range t.columns {
		if !slices.Contains(t.currencies, c.code) {
			codes = append(codes, c.code)
		}
	}
	return codes
}
