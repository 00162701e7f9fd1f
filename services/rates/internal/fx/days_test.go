package fx_test

import (
	"slices"
	"testing"

	"example.com/portpair/services/rates/internal/fx"
)

func TestLacks(t *testing.T) {
	const header = "Date,USD,\n"
	const mon, tue, wed = "2026-08-17,1.17,\n", "2026-08-18,1.18,\n", "2026-08-19,1.19,\n"
	tests := []struct {
		name     string
		t, other string
		want     []string
	}{
		{"nothing of itself", tue + mon, tue + mon, nil},
		{"nothing of an older one", wed + tue + mon, mon, nil},
		{"the newest day of a newer one", tue + mon, wed + tue + mon, []string{"2026-08-19"}},
		{"the oldest", wed + tue, wed + tue + mon, []string{"2026-08-17"}},
		{"one in between", wed + mon, wed + tue + mon, []string{"2026-08-18"}},
		{"all of them", wed, tue + mon, []string{"2026-08-17", "2026-08-18"}},
		{"a corrected rate is no day", "2026-08-17,1.71,\n", mon, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var want []fx.Day
			for _, s := range tt.want {
				want = append(want, day(t, s))
			}
			if got := table(t, header+tt.t).Lacks(table(t, header+tt.other)); !slices.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

func TestLacksCurrencies(t *testing.T) {
	const old = "Date,USD,HRK,NOK,\n2026-08-18,1.18,N/A,11.6,\n2022-12-30,1.07,7.5365,N/A,\n"
	tests := []struct {
		name, t string
		want    []string
	}{
		{"none of itself", old, nil},
		{"none when one begins", "Date,USD,HRK,NOK,XAU,\n2026-08-19,1.19,7.5,11.6,0.1,\n", nil},
		{"none when columns move", "Date,NOK,USD,HRK,\n2026-08-19,11.6,1.19,7.5,\n", nil},
		{"one that is gone", "Date,USD,HRK,\n2026-08-19,1.19,7.5,\n", []string{"NOK"}},
		{"one that had ended", "Date,USD,NOK,\n2026-08-19,1.19,11.6,\n", []string{"HRK"}},
		{"those without a rate", "Date,USD,HRK,NOK,\n2026-08-19,1.19,N/A,N/A,\n", []string{"HRK", "NOK"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := table(t, tt.t).LacksCurrencies(table(t, old)); !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}
