package quote_test

import (
	"math"
	"testing"
	"time"

	"example.com/portpair/services/quotes/internal/quote"
)

// The rules that the app has unless its operator says otherwise.
var rules = quote.Rules{MaxAge: 5 * time.Minute, MaxStale: 24 * time.Hour}

// lockMaxDays is its rule about reference dates.
const lockMaxDays = 7

var now = time.Date(2026, 8, 22, 9, 0, 0, 0, time.UTC)

// answered is an answer of so long ago with the reference date of the day
// before; change it as a test needs.
func answered(t testing.TB, ago time.Duration) quote.Answer {
	t.Helper()
	return quote.Answer{Date: date(t, "2026-08-21"), FetchedAt: now.Add(-ago)}
}

func failed(answer quote.Answer) quote.Answer {
	answer.RefreshFailed = true
	return answer
}

func TestAgeIsTheTimeSinceTheBackingServiceAnsweredPlusItsAgeHeader(t *testing.T) {
	for name, tt := range map[string]struct{ ago, header, want time.Duration }{
		"just now":                     {0, 0, 0},
		"12 s ago":                     {12 * time.Second, 0, 12 * time.Second},
		"12 s ago from a cache of 30":  {12 * time.Second, 30 * time.Second, 42 * time.Second},
		"just now from a cache of 30":  {0, 30 * time.Second, 30 * time.Second},
		"an Age header below zero":     {12 * time.Second, -time.Hour, 12 * time.Second},
		"an Age header without bounds": {12 * time.Second, math.MaxInt64, math.MaxInt64},
	} {
		t.Run(name, func(t *testing.T) {
			answer := answered(t, tt.ago)
			answer.AgeHeader = tt.header
			if got := rules.Standing(answer, now).Age; got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestAgeIsNeverNegativeWhenClocksGoBackwards(t *testing.T) {
	for _, back := range []time.Duration{time.Nanosecond, time.Hour, math.MaxInt64} {
		answer := answered(t, -back)
		if got := rules.Standing(answer, now).Age; got != 0 {
			t.Errorf("got %v for an answer from %v ahead", got, back)
		}
		answer.AgeHeader = 10 * time.Second
		if got := rules.Standing(answer, now).Age; got != 10*time.Second {
			t.Errorf("got %v for an answer from %v ahead with Age: 10", got, back)
		}
	}
}

func TestAnAnswerNeverGivenIsAsOldAsCanBe(t *testing.T) {
	got := rules.Standing(failed(quote.Answer{Date: date(t, "2026-08-21")}), now)
	if got.Age < 200*365*24*time.Hour || got.Fresh || !got.Stale || got.Servable || got.LockErr(lockMaxDays) == nil {
		t.Errorf("got %+v", got)
	}
}

func TestUnderMaxAgeAnAnswerIsReusedWithoutAsking(t *testing.T) {
	for name, tt := range map[string]struct {
		ago, maxAge time.Duration
		want        bool
	}{
		"new":                {0, 5 * time.Minute, true},
		"just under max_age": {5*time.Minute - 1, 5 * time.Minute, true},
		"max_age":            {5 * time.Minute, 5 * time.Minute, false},
		"max_age=0s asks":    {time.Nanosecond, 0, false},
		"every time it does": {0, 0, false},
		"max_age of a day":   {23 * time.Hour, 24 * time.Hour, true},
	} {
		t.Run(name, func(t *testing.T) {
			rules := rules
			rules.MaxAge = tt.maxAge
			if got := rules.Standing(answered(t, tt.ago), now).Fresh; got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestACacheOnTheWayIsNotAskedEachTimeBecauseItsAnswerIsOld(t *testing.T) {
	answer := answered(t, time.Second)
	answer.AgeHeader = 12 * time.Hour
	if got := rules.Standing(answer, now); !got.Fresh || got.Stale || got.Age != 12*time.Hour+time.Second {
		t.Errorf("got %+v", got)
	}
}

func TestAnAnswerIsStaleWhenItsAgeIsOverMaxAgeAndTheRefreshFailed(t *testing.T) {
	for name, tt := range map[string]struct {
		age    time.Duration
		failed bool
		want   bool
	}{
		"young, refreshed":             {time.Minute, false, false},
		"young, refresh failed":        {time.Minute, true, false},
		"just max_age, refresh failed": {5 * time.Minute, true, false},
		"over max_age, not asked yet":  {5*time.Minute + 1, false, false},
		"over max_age, refresh failed": {5*time.Minute + 1, true, true},
		"a day old, refresh failed":    {24 * time.Hour, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			answer := answered(t, tt.age)
			answer.RefreshFailed = tt.failed
			if got := rules.Standing(answer, now).Stale; got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestConvertAnswersUpToMaxStaleAndSaysSo(t *testing.T) {
	for name, tt := range map[string]struct {
		age             time.Duration
		servable, stale bool
	}{
		"young":              {time.Minute, true, false},
		"an hour old":        {time.Hour, true, true},
		"just max_stale":     {24 * time.Hour, true, true},
		"over max_stale":     {24*time.Hour + 1, false, true},
		"two days":           {48 * time.Hour, false, true},
		"older than anybody": {math.MaxInt64, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			got := rules.Standing(failed(answered(t, tt.age)), now)
			if got.Servable != tt.servable || got.Stale != tt.stale {
				t.Errorf("got servable %v, stale %v", got.Servable, got.Stale)
			}
		})
	}
}

func TestWhatWasJustAnsweredIsServedWhateverItsAgeHeader(t *testing.T) {
	answer := answered(t, 0)
	answer.AgeHeader = 48 * time.Hour
	got := rules.Standing(answer, now)
	if !got.Servable || got.Stale || got.LockErr(lockMaxDays) == nil {
		t.Errorf("got %+v, want servable, not stale, not to lock on", got)
	}
}

func TestALockNeedsAnAgeUpToMaxStale(t *testing.T) {
	if err := rules.Standing(failed(answered(t, 24*time.Hour)), now).LockErr(lockMaxDays); err != nil {
		t.Errorf("got %v at exactly max_stale", err)
	}
	err := rules.Standing(failed(answered(t, 26*time.Hour)), now).LockErr(lockMaxDays)
	wantError(t, err, quote.ErrRatesTooOld, "answer is 26h0m0s old", "24h0m0s")

	// Whether asking again failed does not matter: old is old.
	answer := answered(t, 0)
	answer.AgeHeader = 26 * time.Hour
	wantError(t, rules.Standing(answer, now).LockErr(lockMaxDays), quote.ErrRatesTooOld, "answer is 26h0m0s old")
}

func TestALockNeedsAReferenceDateAtMostLockMaxDaysBeforeToday(t *testing.T) {
	for name, tt := range map[string]struct {
		date string
		days int
		ok   bool
	}{
		"today's":                       {"2026-08-22", 7, true},
		"a week ago":                    {"2026-08-15", 7, true},
		"eight days ago":                {"2026-08-14", 7, false},
		"tomorrow's":                    {"2026-08-23", 7, true}, // our clock is behind
		"today's, and only today's":     {"2026-08-22", 0, true},
		"yesterday's, and only today's": {"2026-08-21", 0, false},
		"the snapshot's, for a try":     {"2026-05-22", 3650, true},
		"the first of all":              {"1999-01-04", 7, false},
	} {
		t.Run(name, func(t *testing.T) {
			answer := answered(t, time.Second)
			answer.Date = date(t, tt.date)
			err := rules.Standing(answer, now).LockErr(tt.days)
			if tt.ok && err != nil {
				t.Errorf("got %v", err)
			}
			if !tt.ok {
				wantError(t, err, quote.ErrRatesTooOld, "reference date "+tt.date, "before today (2026-08-22, UTC)")
			}
		})
	}
	answer := answered(t, time.Second)
	answer.Date = date(t, "2026-08-10")
	wantError(t, rules.Standing(answer, now).LockErr(lockMaxDays), quote.ErrRatesTooOld, "is 12 days before today", "more than the 7")
}

func TestTodayIsTheDayInUTC(t *testing.T) {
	answer := answered(t, 0)
	answer.Date = date(t, "2026-08-15")
	// Already 23 August in Auckland, where this reads as eight days ago.
	evening := time.Date(2026, 8, 23, 11, 59, 0, 0, time.FixedZone("NZST", 12*60*60))
	answer.FetchedAt = evening
	if err := rules.Standing(answer, evening).LockErr(lockMaxDays); err != nil {
		t.Errorf("got %v on 22 August in UTC", err)
	}
	midnight := evening.Add(time.Minute)
	wantError(t, rules.Standing(answer, midnight).LockErr(lockMaxDays), quote.ErrRatesTooOld, "8 days before today (2026-08-23, UTC)")
}

func TestAStaleAnswerMayBeLockedOn(t *testing.T) {
	got := rules.Standing(failed(answered(t, time.Hour)), now)
	if !got.Stale || got.LockErr(lockMaxDays) != nil {
		t.Errorf("got %+v", got)
	}
}

func TestOldRatesAreServedThoughNotLockedOn(t *testing.T) {
	answer := answered(t, time.Second)
	answer.Date = date(t, "2020-01-02")
	if got := rules.Standing(answer, now); !got.Servable || got.Stale || got.LockErr(lockMaxDays) == nil {
		t.Errorf("got %+v", got)
	}
}
