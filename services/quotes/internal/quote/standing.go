package quote

import (
	"fmt"
	"math"
	"time"
)

// Rules are a handle's rules about age. MaxStale is not below MaxAge.
type Rules struct {
	MaxAge   time.Duration // an answer up to this age is reused without asking; 0: ask every time
	MaxStale time.Duration // up to this age it is served when asking fails, and locked on
}

// Answer is what there is to know of the backing service's last good answer.
type Answer struct {
	Date          Date          // reference date of its rates
	FetchedAt     time.Time     // when it was given
	AgeHeader     time.Duration // how old it was already then
	RefreshFailed bool          // asking again failed, or was not answered in time
}

// Standing is how far an answer may be trusted.
type Standing struct {
	Age      time.Duration // since the backing service answered, plus its Age header
	Fresh    bool          // may be reused without asking
	Stale    bool          // over MaxAge, and the refresh failed
	Servable bool          // conversions may be answered from it, saying so when stale

	rules       Rules
	date, today Date
}

// Standing judges an answer. All that the app says or does about age and
// staleness, it says and does by this.
func (r Rules) Standing(answer Answer, now time.Time) Standing {
	age := answerAge(answer, now)
	return Standing{
		Age: age,
		// Counted from when we asked: a cache on the way that may itself be
		// older than MaxAge would answer the same if asked each time. No age
		// is young enough for a MaxAge of 0, not even none.
		Fresh: now.Sub(answer.FetchedAt) < r.MaxAge,
		Stale: age > r.MaxAge && answer.RefreshFailed,
		// What was just given is served, whatever its Age says: MaxStale is
		// about asking that fails.
		Servable: !answer.RefreshFailed || age <= r.MaxStale,
		rules:    r, date: answer.Date, today: DateOf(now),
	}
}

// LockErr is why no quote may be locked on the answer, an ErrRatesTooOld; nil
// when one may. maxDays is the oldest reference date to lock on, in days
// before today.
func (s Standing) LockErr(maxDays int) error {
	if s.Age > s.rules.MaxStale {
		return fmt.Errorf("%w: the backing service's answer is %s old, and to lock on it may be %s",
			ErrRatesTooOld, s.Age.Round(time.Second), s.rules.MaxStale)
	}
	if days := s.today.DaysSince(s.date); days > maxDays {
		return fmt.Errorf("%w: the reference date %s is %d days before today (%s, UTC), more than the %d to lock on",
			ErrRatesTooOld, s.date, days, s.today, maxDays)
	}
	return nil
}

// answerAge is never negative, though clocks go backwards, and never wraps,
// though an Age header may say anything.
func answerAge(answer Answer, now time.Time) time.Duration {
	since := max(0, now.Sub(answer.FetchedAt))
	header := max(0, answer.AgeHeader)
	if since > math.MaxInt64-header {
		return math.MaxInt64
	}
	return since + header
}
