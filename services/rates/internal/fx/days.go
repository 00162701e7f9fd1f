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
