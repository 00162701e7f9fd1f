package ecb

import (
	"testing"
	"time"
)

func TestWait(t *testing.T) {
	due := time.Date(2026, 8, 24, 14, 0, 0, 0, time.UTC)
	tests := []struct {
		name        string
		fromDue     time.Duration // now, seen from due
		every       time.Duration
		failures    int
		least, most time.Duration // with a jitter of 0 and of nearly 1
	}{
		{"long before", -48 * time.Hour, time.Hour, 0, 45 * time.Minute, time.Hour},
		{"before: not past the publication", -30 * time.Minute, time.Hour, 0, 30 * time.Minute, 31 * time.Minute},
		{"right before", -time.Second, time.Hour, 0, time.Second, 61 * time.Second},
		{"before, but every is shorter", -30 * time.Minute, 5 * time.Minute, 0, 225 * time.Second, 5 * time.Minute},
		{"when it is due", 0, time.Hour, 0, 45 * time.Second, time.Minute},
		{"a minute late", time.Minute, time.Hour, 0, 45 * time.Second, time.Minute},
		{"ten minutes late", 10 * time.Minute, time.Hour, 0, 225 * time.Second, 5 * time.Minute},
		{"an hour late", time.Hour, time.Hour, 0, 1350 * time.Second, 30 * time.Minute},
		{"months late", 2000 * time.Hour, time.Hour, 0, 45 * time.Minute, time.Hour},
		{"late, but every is shorter", time.Minute, 10 * time.Second, 0, 7500 * time.Millisecond, 10 * time.Second},
		{"one failure", -48 * time.Hour, time.Hour, 1, 11250 * time.Millisecond, 15 * time.Second},
		{"two", -48 * time.Hour, time.Hour, 2, 22500 * time.Millisecond, 30 * time.Second},
		{"five", -48 * time.Hour, time.Hour, 5, 3 * time.Minute, 4 * time.Minute},
		{"a thousand: every", -48 * time.Hour, 30 * time.Minute, 1000, 1350 * time.Second, 30 * time.Minute},
		{"a thousand: an hour", -48 * time.Hour, 24 * time.Hour, 1000, 45 * time.Minute, time.Hour},
		{"failures when it is late", time.Minute, time.Hour, 3, 45 * time.Second, time.Minute},
		{"failures before it is due", -10 * time.Minute, time.Hour, 20, 10 * time.Minute, 11 * time.Minute},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			now := due.Add(tt.fromDue)
			if got := wait(now, due, tt.every, tt.failures, 0); got != tt.least {
				t.Errorf("at least: got %v, want %v", got, tt.least)
			}
			almost := wait(now, due, tt.every, tt.failures, 1-1e-9)
			if got := almost.Round(time.Millisecond); got != tt.most {
				t.Errorf("at most: got %v, want %v", got, tt.most)
			}
		})
	}
}

// A day that comes an hour late costs its source some fetches, not sixty.
func TestWaitForALateDay(t *testing.T) {
	due := time.Date(2026, 8, 24, 14, 0, 0, 0, time.UTC)
	fetches := 0
	for now := due.Add(30 * time.Second); now.Before(due.Add(time.Hour)); fetches++ {
		now = now.Add(wait(now, due, time.Hour, 0, 0.5))
	}
	if fetches < 6 || fetches > 15 {
		t.Errorf("got %d fetches in an hour, want about ten", fetches)
	}
}
