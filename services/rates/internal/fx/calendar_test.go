package fx_test

import (
	"testing"
	"time"

	"example.com/portpair/services/rates/internal/fx"
)

func TestNextPublication(t *testing.T) {
	tests := []struct {
		name   string
		newest string
		want   string
	}{
		{"the next day, in winter", "2026-01-13", "2026-01-14T16:00:00+01:00"},
		{"the next day, in summer", "2026-08-19", "2026-08-20T16:00:00+02:00"},
		{"over a weekend", "2026-08-21", "2026-08-24T16:00:00+02:00"},
		{"from a day that is none", "2026-08-22", "2026-08-24T16:00:00+02:00"},
		{"over a weekend in which summer begins", "2026-03-27", "2026-03-30T16:00:00+02:00"},
		{"over a weekend in which winter begins", "2026-10-23", "2026-10-26T16:00:00+01:00"},
		{"over Easter", "2026-04-02", "2026-04-07T16:00:00+02:00"},
		{"over Easter in March", "2024-03-28", "2024-04-02T16:00:00+02:00"},
		{"over 1 May", "2025-04-30", "2025-05-02T16:00:00+02:00"},
		{"over 1 May and a weekend", "2026-04-30", "2026-05-04T16:00:00+02:00"},
		{"over Christmas", "2025-12-24", "2025-12-29T16:00:00+01:00"},
		{"over Christmas and a weekend", "2026-12-24", "2026-12-28T16:00:00+01:00"},
		{"over New Year", "2025-12-31", "2026-01-02T16:00:00+01:00"},
		{"over New Year and a weekend", "2026-12-31", "2027-01-04T16:00:00+01:00"},
		{"the days off of one country count", "2025-10-02", "2025-10-03T16:00:00+02:00"},
		{"Whit Monday counts", "2026-05-22", "2026-05-25T16:00:00+02:00"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := fx.NextPublication(day(t, tt.newest)).Format(time.RFC3339); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// Easter Sundays from 1990 to 2037 as calendars print them, by their Good Fridays and Easter Mondays.
func TestEaster(t *testing.T) {
	sundays := []string{
		"1990-04-15", "1991-03-31", "1992-04-19", "1993-04-11", "1994-04-03", "1995-04-16", "1996-04-07", "1997-03-30",
		"1998-04-12", "1999-04-04", "2000-04-23", "2001-04-15", "2002-03-31", "2003-04-20", "2004-04-11", "2005-03-27",
		"2006-04-16", "2007-04-08", "2008-03-23", "2009-04-12", "2010-04-04", "2011-04-24", "2012-04-08", "2013-03-31",
		"2014-04-20", "2015-04-05", "2016-03-27", "2017-04-16", "2018-04-01", "2019-04-21", "2020-04-12", "2021-04-04",
		"2022-04-17", "2023-04-09", "2024-03-31", "2025-04-20", "2026-04-05", "2027-03-28", "2028-04-16", "2029-04-01",
		"2030-04-21", "2031-04-13", "2032-03-28", "2033-04-17", "2034-04-09", "2035-03-25", "2036-04-13", "2037-04-05",
	}
	for _, sunday := range sundays {
		easter := day(t, sunday)
		next := fx.DayOf(fx.NextPublication(easter - 3)) // the Thursday before
		if want := easter + 2; next != want {
			t.Errorf("after the Thursday before %s: got %v, want %v", sunday, next, want)
		}
	}
}

// Since 2002 the calendar is TARGET's of today: the history has its days, and no others.
func TestTheCalendarIsTheHistorys(t *testing.T) {
	table := history(t)
	newest := day(t, "2002-01-02")
	for newest < table.Newest() {
		next := fx.DayOf(fx.NextPublication(newest))
		rates, err := table.On(next, fx.DefaultQuery())
		if err != nil {
			t.Fatal(err)
		}
		if rates.Date != next {
			t.Errorf("after %v: got %v, which the history lacks", newest, next)
		}
		for off := newest + 1; off < next; off++ {
			if rates, err := table.On(off, fx.DefaultQuery()); err != nil || rates.Date == off {
				t.Errorf("after %v: got %v, want %v, which the history has, %v", newest, next, off, err)
			}
		}
		newest = next
	}
}

func BenchmarkNextPublication(b *testing.B) {
	newest := day(b, "2026-08-21")
	b.ReportAllocs()
	for b.Loop() {
		fx.NextPublication(newest)
	}
}
