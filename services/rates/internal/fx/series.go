package fx

import (
	"iter"
	"math"
	"slices"
)

// Series answers a Query for the days of a range. It is as small as a Query: Days reads the table as it goes, so
// a quarter of a century takes no more memory than a day.
type Series struct {
	Amount     Decimal
	Base       string
	Start, End Day // the first and the last day that Days yields

	table       *Table
	asked       asked
	first, last int // rows
}

// Between answers q for the days from start to end, both included. If nothing was published on start, the newest
// day before it is the first, however old; end may lie in the future, start may not.
func (t *Table) Between(start, end, today Day, q Query) (Series, error) {
	a, err := t.resolve(q)
	if err != nil {
		return Series{}, err
	}
	first, last := t.rowAt(start), t.rowAt(end)
	first = max(first, 0) // a range that straddles the first day starts there
	for first <= last && !t.answers(a, first) {
		first++
	}
	for first <= last && !t.answers(a, last) {
		last--
	}
	if start > today || first > last {
		return Series{}, ErrNotFound
	}
	s := Series{
		Amount: a.amount, Base: t.columns[a.base].code, Start: t.days[first], End: t.days[last],
		table: t, asked: a, first: first, last: last,
	}
	if !s.everyDayHasALeg() {
		return Series{}, ErrInvalidAmount
	}
	return s, nil
}

// Days yields each day that any of the rates asked for was published on, ascending, with its rates by code. Nothing
// is carried over from other days. The slice is good until the next day is asked for.
func (s Series) Days() iter.Seq2[Day, []Rate] {
	return func(yield func(Day, []Rate) bool) {
		dst := make([]Rate, 0, len(s.asked.quotes))
		for row := s.first; row <= s.last; row++ {
			rates, err := s.table.answer(dst[:0], s.asked, row, row)
			if err != nil {
				continue // not found: Between has seen to it that no other error can come
			}
			if !yield(rates.Date, rates.Rates) {
				return
			}
		}
	}
}

// Fingerprint is a number that moves when any of the days or rates behind the Series does: a day that is added, or
// published again with another rate. It is the same in every process that has the same rates.
func (s Series) Fingerprint() uint64 {
	// FNV-1a (Fowler, Noll, Vo) over words instead of bytes. Each step can be undone, so no single change is lost.
	sum := uint64(14695981039346656037)
	add := func(word uint32) { sum = (sum ^ uint64(word)) * 1099511628211 }
	for _, day := range s.table.days[s.first : s.last+1] {
		add(uint32(day))
	}
	for _, c := range append([]uint8{uint8(s.asked.base)}, s.asked.quotes...) {
		column := s.table.columns[c]
		for _, letter := range []byte(column.code) {
			add(uint32(letter))
		}
		if column.values == nil {
			continue // the euro
		}
		add(uint32(column.scale))
		for _, value := range column.values[s.first : s.last+1] {
			add(value)
		}
	}
	return sum
}

// everyDayHasALeg reports whether the amount comes to something in the base on each day. Its cheapest day tells.
func (s Series) everyDayHasALeg() bool {
	base := s.table.columns[s.asked.base]
	if base.values == nil {
		return true
	}
	least := uint32(math.MaxUint32)
	for _, value := range base.values[s.first : s.last+1] {
		if value != 0 {
			least = min(least, value)
		}
	}
	return !band(s.Amount, NewDecimal(uint64(least), base.scale), one).isZero()
}

// answers reports whether a row has anything that is asked for, and the base to say it in.
func (t *Table) answers(a asked, row int) bool {
	has := func(c int) bool { return c == t.euro || t.columns[c].values[row] != 0 }
	return has(a.base) && slices.ContainsFunc(a.quotes, func(c uint8) bool { return int(c) != a.base && has(int(c)) })
}
