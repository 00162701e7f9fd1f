package fx_test

import (
	"slices"
	"testing"

	"example.com/portpair/services/rates/internal/fx"
)

func TestPublishedIsWhatOneEuroIs(t *testing.T) {
	for name, table := range map[string]*fx.Table{"the snapshot": snapshot(t), "a currency's end": table(t, levEnds)} {
		t.Run(name, func(t *testing.T) {
			for row := range table.Len() {
				day := table.Day(row)
				if got, found := table.Find(day); got != row || !found {
					t.Errorf("%v: got row %d, %v, want %d", day, got, found, row)
				}
				want, err := table.On(day, fx.DefaultQuery())
				if err != nil || want.Date != day {
					t.Fatalf("%v: got %v, error %v", day, want.Date, err)
				}
				var got []fx.Rate
				for code, value := range table.Published(row) {
					got = append(got, fx.Rate{Currency: code, Value: value})
					if one, ok := table.Reference(row, code); !ok || one != value {
						t.Errorf("%v, %s: got %v, %v, want %v", day, code, one, ok, value)
					}
				}
				if !slices.Equal(got, want.Rates) {
					t.Errorf("%v: got %v, want %v", day, got, want.Rates)
				}
			}
		})
	}
}

func TestWhatIsNotPublished(t *testing.T) {
	table := table(t, levEnds)
	newest := table.Len() - 1
	for _, code := range []string{"BGN", fx.EUR, "XXX", "", "usd"} { // the lev's last rate is 15 days old
		if got, ok := table.Reference(newest, code); ok {
			t.Errorf("%q: got %v, want none", code, got)
		}
	}
	if got := table.Ended(); !slices.Equal(got, []string{"BGN"}) {
		t.Errorf("ended: got %v, want BGN alone", got)
	}
	if row, found := table.Find(day(t, "2026-01-10")); found {
		t.Errorf("got row %d of a day without rates", row)
	}
	for range table.Published(newest) {
		break // nothing is yielded after
	}
}
