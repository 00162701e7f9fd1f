package quote_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/portpair/services/quotes/internal/quote"
)

func TestParseDate(t *testing.T) {
	for _, s := range []string{"2026-08-21", "1999-01-04", "2024-02-29", "2000-02-29", "0001-01-01", "9999-12-31"} {
		if got := date(t, s); got.String() != s || got.IsZero() {
			t.Errorf("got %v for %s", got, s)
		}
	}
}

func TestAnImpossibleDateIsRefused(t *testing.T) {
	for name, s := range map[string]string{
		"empty":                 "",
		"31 June":               "2026-06-31",
		"29 February, no leap":  "2026-02-29",
		"29 February of 1900":   "1900-02-29",
		"month 13":              "2026-13-01",
		"month 0":               "2026-00-10",
		"day 0":                 "2026-01-00",
		"year 0":                "0000-01-01",
		"one digit":             "2026-8-21",
		"one digit and a blank": "2026- 8-21",
		"slashes":               "2026/08/21",
		"day first":             "21-08-2026",
		"with a time":           "2026-08-21T00:00:00Z",
		"a blank before":        " 2026-08-21",
		"a blank behind":        "2026-08-21 ",
		"a minus":               "-026-08-21",
		"a plus":                "+026-08-21",
		"five digits":           "20260-8-21",
		"a word":                "latest",
		"a megabyte":            strings.Repeat("2026-08-21", 1<<17),
	} {
		t.Run(name, func(t *testing.T) {
			got, err := quote.ParseDate(s)
			wantError(t, err, quote.ErrInvalidDate, "2026-08-21")
			if !got.IsZero() {
				t.Errorf("got %v with an error", got)
			}
		})
	}
}

func TestADateIsTheDayInUTC(t *testing.T) {
	kiritimati := time.FixedZone("", 14*60*60)
	for want, at := range map[string]time.Time{
		"2026-08-21": time.Date(2026, 8, 21, 23, 59, 59, 999999999, time.UTC),
		"2026-08-22": time.Date(2026, 8, 22, 0, 0, 0, 0, time.UTC),
		"2026-12-31": time.Date(2027, 1, 1, 13, 59, 0, 0, kiritimati),
		"2027-01-01": time.Date(2027, 1, 1, 14, 0, 0, 0, kiritimati),
	} {
		if got := quote.DateOf(at); got != date(t, want) {
			t.Errorf("got %v at %v, want %v", got, at, want)
		}
	}
}

func TestDaysSince(t *testing.T) {
	for _, tt := range []struct {
		day, other string
		want       int
	}{
		{"2026-08-21", "2026-08-21", 0},
		{"2026-08-22", "2026-08-21", 1},
		{"2026-08-20", "2026-08-21", -1},
		{"2024-03-01", "2024-02-28", 2},
		{"2026-03-01", "2026-02-28", 1},
		{"2026-03-30", "2026-03-28", 2}, // summer time begins between them
		{"2027-01-01", "2026-01-01", 365},
		{"9999-12-31", "0001-01-01", 3652058},
	} {
		if got := date(t, tt.day).DaysSince(date(t, tt.other)); got != tt.want {
			t.Errorf("got %s %d days after %s, want %d", tt.day, got, tt.other, tt.want)
		}
	}
}

func TestAddDays(t *testing.T) {
	for _, tt := range []struct {
		day  string
		n    int
		want string
	}{
		{"2026-08-21", 0, "2026-08-21"},
		{"2026-08-21", -10, "2026-08-11"},
		{"2026-03-01", -1, "2026-02-28"},
		{"2024-02-28", 1, "2024-02-29"},
		{"1999-12-31", 1, "2000-01-01"},
	} {
		if got := date(t, tt.day).AddDays(tt.n); got != date(t, tt.want) {
			t.Errorf("got %v %d days from %s, want %s", got, tt.n, tt.day, tt.want)
		}
	}
}

func TestDatesAreOrdered(t *testing.T) {
	want := []quote.Date{{}, date(t, "1999-12-31"), date(t, "2025-09-30"), date(t, "2026-08-21"), date(t, "2026-08-22"),
		date(t, "2026-09-01")}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, quote.Date.Compare)
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if date(t, "2026-08-21").Compare(date(t, "2026-08-21")) != 0 {
		t.Error("a day is before or after itself")
	}
}

func FuzzParseDate(f *testing.F) {
	for _, s := range []string{"2026-08-21", "2024-02-29", "2026-02-29", "0000-01-01", "2026- 8-21", "+026-08-21", "",
		"2026-08-21T00:00:00Z", "9999-12-31", "２０26-08"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := quote.ParseDate(s)
		if err != nil {
			wantError(t, err, quote.ErrInvalidDate)
		} else if got.String() != s {
			t.Errorf("got %v for %q", got, s)
		}
		at, timeErr := time.Parse(time.DateOnly, s)
		if (err == nil) != (timeErr == nil && at.Year() > 0) {
			t.Errorf("got %v for %q, and package time says %v", err, s, timeErr)
		}
	})
}
