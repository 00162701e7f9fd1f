package quote

import (
	"cmp"
	"fmt"
	"time"
)

// Date is a calendar day. The zero Date is no day.
type Date struct {
	year  int
	month time.Month
	day   int
}

// ParseDate reads a day written as 2026-08-21, or returns ErrInvalidDate.
func ParseDate(s string) (Date, error) {
	if len(s) == len(time.DateOnly) && s[4] == '-' && s[7] == '-' {
		year, month, day := digits(s[:4]), digits(s[5:7]), digits(s[8:])
		d := Date{year, time.Month(month), day}
		if year > 0 && month > 0 && day > 0 && DateOf(d.Midnight()) == d { // as it is in the calendar
			return d, nil
		}
	}
	return Date{}, fmt.Errorf("%w: write a day of the calendar like 2026-08-21", ErrInvalidDate)
}

// digits is the number that s is, 0 when it has anything but digits.
func digits(s string) (n int) {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0
		}
		n = 10*n + int(c-'0')
	}
	return n
}

// DateOf returns the day that it is in UTC at t.
func DateOf(t time.Time) Date {
	year, month, day := t.UTC().Date()
	return Date{year, month, day}
}

// IsZero says whether d is no day.
func (d Date) IsZero() bool { return d == Date{} }

// Compare is negative when d is before other, positive when it is after.
func (d Date) Compare(other Date) int {
	return cmp.Or(cmp.Compare(d.year, other.year), cmp.Compare(d.month, other.month), cmp.Compare(d.day, other.day))
}

// DaysSince returns how many days d is after other, negative when before.
func (d Date) DaysSince(other Date) int {
	// In seconds: time.Duration ends after 292 years. UTC has days of 24 hours.
	return int((d.Midnight().Unix() - other.Midnight().Unix()) / (24 * 60 * 60))
}

// AddDays returns the day that is n days after d, before it when n is negative.
func (d Date) AddDays(n int) Date { return DateOf(d.Midnight().AddDate(0, 0, n)) }

// String returns d as YYYY-MM-DD. It is in every answer, and time.Format would
// take ten times as long.
func (d Date) String() string {
	digit := func(n int) byte { return '0' + byte(n%10) }
	y, m, day := d.year, int(d.month), d.day
	return string([]byte{
		digit(y / 1000), digit(y / 100), digit(y / 10), digit(y), '-',
		digit(m / 10), digit(m), '-', digit(day / 10), digit(day),
	})
}

// Midnight is when the day begins, in UTC.
func (d Date) Midnight() time.Time {
	return time.Date(d.year, d.month, d.day, 0, 0, 0, 0, time.UTC)
}
