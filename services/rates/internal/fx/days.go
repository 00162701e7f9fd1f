package fx

import "slices"

// Lacks lists the days of other that t has no rates for, ascending: a newer table of the same source has none.
func (t *Table) Lacks(other *Table) []Day {
	var days []Day
	for _, day := range other.days {
		if _, found := slices.BinarySearch(t.days, day); !found {
			days = append(days, day)
		}
	}
	return days
}

// LacksCurrencies lists the codes of other that t has no rate for on any day, ascending: a newer table of the same
// source has none, since a currency that has ended keeps its rates.
func (t *Table) LacksCurrencies(other *Table) []string {
	var codes []string
	for _, c := range other.columns {
		if !slices.ContainsFunc(t.columns, func(own column) bool { return own.code == c.code }) {
			codes = append(codes, c.code)
		}
	}
	return codes
}
