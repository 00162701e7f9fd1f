package fx

import (
	"slices"
	"sort"
)

// Query asks for what an amount of one currency, the base, is in others. The zero Query asks for nothing; the one
// to start from is DefaultQuery.
type Query struct {
	Base string
	// Symbols are the currencies to quote; nil is all of them. Unknown ones, repeated ones and the base itself
	// are passed over.
	Symbols []string
	Amount  Decimal
}

// DefaultQuery asks for one euro in every currency.
func DefaultQuery() Query { return Query{Base: EUR, Amount: one} }

// Rates answer a Query for one day.
type Rates struct {
	Amount Decimal
	Base   string
	// Date is the newest reference date among the rates used: those below and, unless the base is the euro,
	// the base's own.
	Date  Day
	Rates []Rate // by code, ascending; never empty
}

// On answers q with each currency's newest rate of the 14 days up to day and on it. A currency that has ended is
// carried that long with its last rate, and day may lie that far in the future.
func (t *Table) On(day Day, q Query) (Rates, error) { return t.AppendOn(nil, day, q) }

// AppendOn is On with its rates appended to dst, for who has room.
func (t *Table) AppendOn(dst []Rate, day Day, q Query) (Rates, error) {
	a, err := t.resolve(q)
	if err != nil {
		return Rates{}, err
	}
	oldest, newest := t.window(day)
	return t.answer(slices.Grow(dst, len(a.quotes)), a, oldest, newest)
}

// Latest answers q for the newest day, however old that is: a client can judge a date, it can do nothing with an
// error.
func (t *Table) Latest(q Query) (Rates, error) { return t.On(t.Newest(), q) }

// asked is a Query in terms of a table's columns.
type asked struct {
	amount    Decimal
	base      int
	quotes    []uint8 // ascending; the base may be among them
	published bool    // the answer is the published rates, with all their digits
}

func (t *Table) resolve(q Query) (asked, error) {
	if q.Amount.isZero() {
		return asked{}, ErrInvalidAmount
	}
	base, known := t.column(q.Base)
	if !known {
		return asked{}, ErrNotFound
	}
	a := asked{amount: q.Amount, base: base, quotes: t.all, published: base == t.euro && q.Amount == one}
	if q.Symbols != nil {
		a.quotes = make([]uint8, 0, min(len(q.Symbols), len(t.columns)))
		for _, code := range q.Symbols {
			if c, known := t.column(code); known && !slices.Contains(a.quotes, uint8(c)) {
				a.quotes = append(a.quotes, uint8(c))
			}
		}
		slices.Sort(a.quotes)
	}
	return a, nil
}

func (t *Table) column(code string) (int, bool) {
	c := sort.Search(len(t.columns), func(c int) bool { return t.columns[c].code >= code })
	return c, c < len(t.columns) && t.columns[c].code == code
}

// answer appends to dst the rates of what is asked, each from its newest row of the span oldest to newest. A span
// of one row carries nothing over.
func (t *Table) answer(dst []Rate, a asked, oldest, newest int) (Rates, error) {
	out := Rates{Amount: a.amount, Base: t.columns[a.base].code, Rates: dst}
	date := -1 // row
	baseLeg := a.amount
	if a.base != t.euro {
		if date = t.observed(a.base, oldest, newest); date < 0 {
			return Rates{}, ErrNotFound
		}
		if baseLeg = band(a.amount, t.reference(a.base, date), one); baseLeg.isZero() {
			return Rates{}, ErrInvalidAmount
		}
	}
	for _, quote := range a.quotes {
		c := int(quote)
		if c == a.base {
			continue
		}
		leg := a.amount
		if c != t.euro {
			row := t.observed(c, oldest, newest)
			if row < 0 {
				continue
			}
			date = max(date, row)
			if leg = t.reference(c, row); !a.published {
				leg = band(a.amount, leg, one)
			}
		}
		// Rounded a second time, on rounded legs: that is the API's contract, and clients know its digits.
		if a.base != t.euro {
			leg = band(a.amount, leg, baseLeg)
		}
		out.Rates = append(out.Rates, Rate{Currency: t.columns[c].code, Value: leg})
	}
	if len(out.Rates) == 0 {
		return Rates{}, ErrNotFound
	}
	out.Date = t.days[date]
	return out, nil
}
