package fx_test

import (
	"testing"
	"time"

	"example.com/portpair/services/rates/internal/fx"
)

func TestParseDay(t *testing.T) {
	tests := []struct {
		in   string
		want fx.Day
		err  error
	}{
		{"1970-01-01", 0, nil},
		{"1970-01-02", 1, nil},
		{"1969-12-31", -1, nil},
		{"1999-01-04", 10595, nil},
		{"2024-02-29", 19782, nil},
		{"0000-01-01", -719528, nil},
		{"9999-12-31", 2932896, nil},
		{"2024-02-30", 0, fx.ErrInvalidDate},
		{"2023-02-29", 0, fx.ErrInvalidDate},
		{"2024-13-01", 0, fx.ErrInvalidDate},
		{"2024-00-01", 0, fx.ErrInvalidDate},
		{"2024-01-00", 0, fx.ErrInvalidDate},
		{"2024-1-1", 0, fx.ErrInvalidDate},
		{"24-01-01", 0, fx.ErrInvalidDate},
		{"2024-01-01 ", 0, fx.ErrInvalidDate},
		{" 2024-01-01", 0, fx.ErrInvalidDate},
		{"2024-01- 1", 0, fx.ErrInvalidDate},
		{"2024/01/01", 0, fx.ErrInvalidDate},
		{"-024-01-01", 0, fx.ErrInvalidDate},
		{"2024-01-01T00:00:00Z", 0, fx.ErrInvalidDate},
		{"", 0, fx.ErrInvalidDate},
	}
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			got, err := fx.ParseDay(tt.in)
			if got != tt.want || err != tt.err {
				t.Errorf("got %d, %v, want %d, %v", got, err, tt.want, tt.err)
			}
			if err == nil && got.String() != tt.in {
				t.Errorf("written back: got %v, want %v", got, tt.in)
			}
			if err == nil && fx.DayOf(got.Time()) != got {
				t.Errorf("as a time: got %v, want its day %v", got.Time(), got)
			}
		})
	}
}

func TestDayOfIsInUTC(t *testing.T) {
	east := time.FixedZone("east", 2*60*60)
	tests := []struct {
		in   time.Time
		want string
	}{
		{time.Date(2026, 8, 21, 0, 0, 0, 0, time.UTC), "2026-08-21"},
		{time.Date(2026, 8, 21, 23, 59, 59, 999, time.UTC), "2026-08-21"},
		{time.Date(2026, 8, 22, 1, 59, 0, 0, east), "2026-08-21"},
		{time.Date(1969, 12, 31, 23, 59, 59, 0, time.UTC), "1969-12-31"},
		{time.Date(1969, 12, 31, 0, 0, 0, 0, time.UTC), "1969-12-31"},
	}
	for _, tt := range tests {
		t.Run(tt.in.String(), func(t *testing.T) {
			if got := fx.DayOf(tt.in).String(); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func FuzzParseDay(f *testing.F) {
	for _, seed := range []string{"2026-08-21", "2024-02-30", "0000-01-01", "9999-12-31", "2024-1-1", "", "2024-01-01T00:00:00Z"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := fx.ParseDay(s)
		if err != nil {
			if err != fx.ErrInvalidDate {
				t.Fatalf("%q: got %v, want %v", s, err, fx.ErrInvalidDate)
			}
			return
		}
		if got := d.String(); got != s {
			t.Errorf("got %v, want %v", got, s)
		}
	})
}
