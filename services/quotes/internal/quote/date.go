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
	// The length first, for time.Parse repeats all that it refuses.
	if len(s) == len(time.DateOnly) {
		if t, err := time.Parse(time.DateOnly, s); err == nil && t.Year() > 0 {
			return DateOf(t), nil
		}
	}
	return Date{}, fmt.Errorf("%w: write a day of the calendar like 2026-08-21", ErrInvalidDate)
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
