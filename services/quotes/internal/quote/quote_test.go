package quote_test

import (
	"testing"
	"time"

	"example.com/portpair/services/quotes/internal/quote"
)

// good is the standing of an answer that may be locked on.
func good(t testing.TB) quote.Standing {
	t.Helper()
	return rules.Standing(answered(t, time.Second), now)
}

// order reads the given amount, "100.00 EUR", and the other currency. given
// says which side it is.
func order(t testing.TB, side quote.Side, given, other string) quote.Order {
	t.Helper()
	a := amount(t, given)
	source, target := a.Currency(), currency(t, other)
	if side == quote.TargetSide {
		source, target = target, source
	}
	o, err := quote.NewOrder(source, target, a)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestAnOrderGivesOneSideOfAPair(t *testing.T) {
	eur, usd, jpy := currency(t, "EUR"), currency(t, "USD"), currency(t, "JPY")
	for name, tt := range map[string]struct {
		source, target quote.Currency
		given          string
		side           quote.Side
		err            error
	}{
		"the source":              {eur, usd, "100.00 EUR", quote.SourceSide, nil},
		"the target":              {eur, usd, "100.00 USD", quote.TargetSide, nil},
		"neither":                 {eur, usd, "100 JPY", "", quote.ErrInvalidAmount},
		"no pair":                 {jpy, jpy, "100 JPY", "", quote.ErrSameCurrency},
		"no pair, and neither":    {eur, eur, "100 JPY", "", quote.ErrSameCurrency},
		"a pair without decimals": {jpy, currency(t, "KRW"), "5 KRW", quote.TargetSide, nil},
	} {
		t.Run(name, func(t *testing.T) {
			o, err := quote.NewOrder(tt.source, tt.target, amount(t, tt.given))
			if tt.err != nil {
				wantError(t, err, tt.err)
				return
			}
			if err != nil || o.Side() != tt.side || o.Source != tt.source || o.Target != tt.target || withCode(o.Given) != tt.given {
				t.Errorf("got %+v of side %s, error %v, want side %s", o, o.Side(), err, tt.side)
			}
		})
	}
}

func TestOrdersAreEqualWhenTheySayTheSame(t *testing.T) {
	first := order(t, quote.SourceSide, "100.00 EUR", "USD")
	for name, tt := range map[string]struct {
		other quote.Order
		equal bool
	}{
		"written otherwise": {order(t, quote.SourceSide, "0100.0 EUR", "USD"), true},
		"another amount":    {order(t, quote.SourceSide, "100.01 EUR", "USD"), false},
		"the other side":    {order(t, quote.TargetSide, "100.00 USD", "EUR"), false},
		"the way back":      {order(t, quote.TargetSide, "100.00 EUR", "USD"), false},
		"another target":    {order(t, quote.SourceSide, "100.00 EUR", "JPY"), false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := first == tt.other; got != tt.equal {
				t.Errorf("got %v, want %v", got, tt.equal)
			}
		})
	}
}

func TestLockKeepsWhatIsGivenAndComputesTheOther(t *testing.T) {
	tab := table(t, "2026-08-21", days["2026-08-21"])
	for name, tt := range map[string]struct {
		side                 quote.Side
		given, other         string
		source, target, rate string
	}{
		"source at a published rate":        {quote.SourceSide, "100.00 EUR", "USD", "100.00 EUR", "116.99 USD", "1.1699"},
		"target at a published rate":        {quote.TargetSide, "116.99 USD", "EUR", "100.00 EUR", "116.99 USD", "1.1699"},
		"target that no source comes to":    {quote.TargetSide, "5000 JPY", "EUR", "26.93 EUR", "5000 JPY", "185.66"},
		"source at a cross rate":            {quote.SourceSide, "100.00 USD", "JPY", "100.00 USD", "15870 JPY", "158.697324558"},
		"target at a cross rate":            {quote.TargetSide, "0.01 USD", "IDR", "176.59 IDR", "0.01 USD", "0.0000566280304636"},
		"a half that is rounded to even":    {quote.SourceSide, "150.00 EUR", "USD", "150.00 EUR", "175.48 USD", "1.1699"},
		"the most that an amount can hold":  {quote.SourceSide, "999999999999999.99 EUR", "USD", "999999999999999.99 EUR", "1169899999999999.99 USD", "1.1699"},
		"the least, of a side with no cent": {quote.TargetSide, "1 JPY", "EUR", "0.01 EUR", "1 JPY", "185.66"},
	} {
		t.Run(name, func(t *testing.T) {
			o := order(t, tt.side, tt.given, tt.other)
			q, err := tab.Lock(o, good(t), lockMaxDays)
			if err != nil {
				t.Fatal(err)
			}
			if withCode(q.Source) != tt.source || withCode(q.Target) != tt.target || q.Rate.String() != tt.rate || q.Provided != tt.side {
				t.Errorf("got %s for %s at %s of side %s, want %s for %s at %s of side %s",
					withCode(q.Source), withCode(q.Target), q.Rate, q.Provided, tt.source, tt.target, tt.rate, tt.side)
			}
			if q.Order() != o {
				t.Errorf("got order %+v, want %+v", q.Order(), o)
			}
			if q.RateDate != date(t, "2026-08-21") || q.RateStale || q.ID != "" || !q.Created.IsZero() || !q.Expires.IsZero() || !q.Accepted.IsZero() {
				t.Errorf("got %+v, want the table's date, and no id or times yet", q)
			}
		})
	}
}

func TestLockRefuses(t *testing.T) {
	tab := table(t, "2026-08-21", days["2026-08-21"]+", BGN 999999999, HRK 0.000000002")
	for name, tt := range map[string]struct {
		side         quote.Side
		given, other string
		err          error
	}{
		"a source that comes to nothing": {quote.SourceSide, "0.01 IDR", "EUR", quote.ErrAmountTooSmall},
		"a target that costs nothing":    {quote.TargetSide, "0.01 IDR", "EUR", quote.ErrAmountTooSmall},
		"a pair without a rate":          {quote.SourceSide, "100.00 EUR", "RUB", quote.ErrNoRate},
		"an absurd cross rate":           {quote.SourceSide, "100.00 HRK", "BGN", quote.ErrAbsurdRate},
		"a target beyond all bounds":     {quote.SourceSide, "999999999999999.99 EUR", "BGN", quote.ErrInvalidAmount},
		"a source beyond all bounds":     {quote.TargetSide, "999999999999999.99 EUR", "BGN", quote.ErrInvalidAmount},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := tab.Lock(order(t, tt.side, tt.given, tt.other), good(t), lockMaxDays)
			wantError(t, err, tt.err)
		})
	}
}

func TestLockObeysTheRulesOfAge(t *testing.T) {
	tab := table(t, "2026-08-21", days["2026-08-21"])
	o := order(t, quote.SourceSide, "100.00 EUR", "USD")
	of := func(day string) quote.Answer {
		answer := answered(t, time.Second)
		answer.Date = date(t, day)
		return answer
	}
	for name, tt := range map[string]struct {
		answer      quote.Answer
		maxDays     int
		stale       bool
		refused     bool
		says, says2 string
	}{
		"a fresh answer":                    {answer: answered(t, time.Second), maxDays: 7},
		"a stale one":                       {answer: failed(answered(t, time.Hour)), maxDays: 7, stale: true},
		"as stale as may be":                {answer: failed(answered(t, 24*time.Hour)), maxDays: 7, stale: true},
		"staler":                            {answer: failed(answered(t, 24*time.Hour+time.Second)), maxDays: 7, refused: true, says: "answer is 24h0m1s old", says2: "24h0m0s"},
		"old, though just answered":         {answer: quote.Answer{Date: date(t, "2026-08-21"), FetchedAt: now, AgeHeader: 25 * time.Hour}, maxDays: 7, refused: true, says: "answer is 25h0m0s old"},
		"the last day that may be":          {answer: of("2026-08-15"), maxDays: 7},
		"a day before it":                   {answer: of("2026-08-14"), maxDays: 7, refused: true, says: "2026-08-14 is 8 days before today", says2: "the 7 to lock on"},
		"only today's":                      {answer: of("2026-08-21"), maxDays: 0, refused: true, says: "1 days before today"},
		"any day":                           {answer: of("1999-01-04"), maxDays: 36500},
		"old, before the pair is looked at": {answer: of("1999-01-04"), maxDays: 7, refused: true},
	} {
		t.Run(name, func(t *testing.T) {
			q, err := tab.Lock(o, rules.Standing(tt.answer, now), tt.maxDays)
			if tt.refused {
				wantError(t, err, quote.ErrRatesTooOld, tt.says, tt.says2)
				if q != (quote.Quote{}) {
					t.Errorf("got %+v and an error", q)
				}
				return
			}
			if err != nil || q.RateStale != tt.stale {
				t.Errorf("got stale %v, error %v, want stale %v", q.RateStale, err, tt.stale)
			}
		})
	}
}

func TestAQuoteIsActiveUntilItIsAcceptedOrExpires(t *testing.T) {
	q := quote.Quote{Created: now, Expires: now.Add(30 * time.Minute)}
	accepted := q
	accepted.Accepted = now.Add(time.Minute)
	for name, tt := range map[string]struct {
		quote quote.Quote
		at    time.Duration
		want  quote.Status
	}{
		"at once":                        {q, 0, quote.Active},
		"a moment before it expires":     {q, 30*time.Minute - 1, quote.Active},
		"when it expires":                {q, 30 * time.Minute, quote.Expired},
		"long after":                     {q, 24 * time.Hour, quote.Expired},
		"accepted":                       {accepted, time.Minute, quote.Accepted},
		"accepted, when it would expire": {accepted, 30 * time.Minute, quote.Accepted},
		"accepted, long after":           {accepted, 10_000 * time.Hour, quote.Accepted},
		"by a clock that is behind":      {q, -time.Hour, quote.Active},
	} {
		t.Run(name, func(t *testing.T) {
			if got := tt.quote.Status(now.Add(tt.at)); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}
