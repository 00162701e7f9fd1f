package fx

import (
	"sync"
	"time"
	_ "time/tzdata" // a static binary may run where no zones are installed
)

// NextPublication is when the rates of the first working day after newest are expected: 16:00 in Frankfurt, some
// minutes after the ECB mostly publishes them. It lies in the past when a day's rates are overdue.
func NextPublication(newest Day) time.Time {
	const hour = 16
	next := newest + 1
	for !next.isWorking() {
		next++
	}
	year, month, day := next.Time().Date()
	return time.Date(year, month, day, hour, 0, 0, 0, frankfurt())
}

var frankfurt = sync.OnceValue(func() *time.Location {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		panic("fx: " + err.Error()) // tzdata is linked in, so a broken build
	}
	return zone
})

// isWorking reports whether the day is one of TARGET's, the payment system by whose calendar the ECB publishes.
func (d Day) isWorking() bool {
	t := d.Time()
	if w := t.Weekday(); w == time.Saturday || w == time.Sunday {
		return false
	}
	year, month, day := t.Date()
	switch month {
	case time.January:
		return day != 1
	case time.March, time.April:
		goodFriday, easterMonday := easter(year)-2, easter(year)+1
		return d != goodFriday && d != easterMonday
	case time.May:
		return day != 1
	case time.December:
		return day != 25 && day != 26
	}
	return true
}

// easter is Easter Sunday of a year, by the rule of the Gregorian calendar in the form that Nature printed in 1876
// ("To find Easter", vol. 13, p. 487), with its letters.
func easter(year int) Day {
	a := year % 19
	b, c := year/100, year%100
	d, e := b/4, b%4
	f := (b + 8) / 25
	g := (b - f + 1) / 3
	h := (19*a + b - d - g + 15) % 30
	i, k := c/4, c%4
	l := (32 + 2*e + 2*i - h - k) % 7
	m := (a + 11*h + 22*l) / 451
	n := h + l - 7*m + 114
	return DayOf(time.Date(year, time.Month(n/31), n%31+1, 0, 0, 0, 0, time.UTC))
}
