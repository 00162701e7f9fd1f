package fx

import "time"

// Day is a calendar day, counted from 1970-01-01. It has no time of day and no zone; reference dates are Days.
type Day int32

const daySeconds = 24 * 60 * 60

// ParseDay reads YYYY-MM-DD and nothing else. An impossible day such as 2024-02-30 is ErrInvalidDate too.
func ParseDay(s string) (Day, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, ErrInvalidDate
	}
	return DayOf(t), nil
}

// DayOf is the day that t falls on in UTC.
func DayOf(t time.Time) Day {
	seconds := t.Unix()
	day := seconds / daySeconds
	if seconds%daySeconds < 0 { // division truncates towards 1970; days count downwards before it
		day--
	}
	return Day(day)
}

// Append appends the day as YYYY-MM-DD.
func (d Day) Append(dst []byte) []byte {
	return d.Time().AppendFormat(dst, time.DateOnly)
}

func (d Day) String() string { return string(d.Append(nil)) }

// Time is the midnight, in UTC, that the day begins with.
func (d Day) Time() time.Time { return time.Unix(int64(d)*daySeconds, 0).UTC() }
