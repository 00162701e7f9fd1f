package ecb

import "time"

const (
	firstRetry = 15 * time.Second // after one failure; doubled with each
	lastRetry  = time.Hour
	soonest    = time.Minute // between two looks for a day that is due
)

// wait is how long to wait from now to the next fetch: every at most, less after failures and around due, when the
// next day is to be published. An overdue day is looked for after a minute, then less and less often, since it may not
// come at all. jitter in [0,1) keeps many that run this from asking at once.
func wait(now, due time.Time, every time.Duration, failures int, jitter float64) time.Duration {
	longest := every
	late := now.Sub(due)
	switch {
	case failures > 0:
		longest = min(every, lastRetry, firstRetry<<min(failures-1, 10))
	case late >= 0:
		longest = min(every, max(soonest, late/2))
	}
	spread := longest / 4
	next := longest - spread + scale(spread, jitter)
	if late < 0 {
		next = min(next, -late+scale(soonest, jitter))
	}
	return next
}

func scale(d time.Duration, by float64) time.Duration { return time.Duration(float64(d) * by) }
