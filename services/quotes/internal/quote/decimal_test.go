package quote

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestScaledIsTheSameInBothSizes(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	some := func() uint64 { return max(1, random.Uint64()>>random.IntN(64)) }
	check := func(a, b uint64, e int, d uint64) {
		t.Helper()
		got, ok := scaled(a, b, e, d)
		want, wantOK := bigScaled(a, b, e, d)
		if ok != wantOK || ok && got != want {
			t.Errorf("got %d, %v for %d × %d × 10^%d ÷ %d, want %d, %v", got, ok, a, b, e, d, want, wantOK)
		}
	}
	for range 50_000 {
		check(some(), some(), random.IntN(53)-26, some())
	}
	edges := []uint64{1, 2, 3, 5, 9, 10, 1<<32 - 1, 1 << 32, 1e15 - 1, 1e15, math.MaxInt64 - 1, math.MaxInt64,
		math.MaxInt64 + 1, math.MaxUint64 - 1, math.MaxUint64}
	for _, a := range edges {
		for _, b := range edges {
			for _, d := range edges {
				for e := -26; e <= 26; e++ {
					check(a, b, e, d)
				}
			}
		}
	}
}

func TestScaledRoundsHalfToEven(t *testing.T) {
	for _, tt := range []struct {
		a    uint64
		e    int
		d    uint64
		want int64
	}{
		{1, 0, 2, 0}, {3, 0, 2, 2}, {5, 0, 2, 2}, {7, 0, 2, 4},
		{5, -1, 1, 0}, {15, -1, 1, 2}, {25, -1, 1, 2}, {26, -1, 1, 3}, {24, -1, 1, 2},
		{5, -25, 1, 0}, {math.MaxInt64, 0, 1, math.MaxInt64}, {1, 1, 3, 3}, {2, 1, 3, 7},
	} {
		if got, ok := scaled(tt.a, 1, tt.e, tt.d); !ok || got != tt.want {
			t.Errorf("got %d, %v for %d × 10^%d ÷ %d, want %d", got, ok, tt.a, tt.e, tt.d, tt.want)
		}
	}
}

func TestLength(t *testing.T) {
	for n, want := range map[uint64]int{0: 0, 1: 1, 9: 1, 10: 2, 99: 2, 100: 3, 1e15 - 1: 15, 1e15: 16, math.MaxUint64: 20} {
		if got := length(n); got != want {
			t.Errorf("got %d for %d, want %d", got, n, want)
		}
	}
}

func TestPlain(t *testing.T) {
	for _, tt := range []struct {
		n      uint64
		places int
		want   string
	}{
		{0, 0, "0"}, {0, 2, "0.00"}, {1, 2, "0.01"}, {10, 2, "0.10"}, {100, 2, "1.00"}, {12345, 3, "12.345"},
		{7, 0, "7"}, {1, 23, "0.00000000000000000000001"}, {math.MaxInt64, 3, "9223372036854775.807"},
	} {
		if got := plain(tt.n, tt.places); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}
