package quote_test

import (
	"errors"
	"math/big"
	"math/rand/v2"
	"testing"

	"example.com/portpair/services/quotes/internal/quote"
)

// locked locks an order of the given amount; nil when it is refused for its
// size, or when the pair's rate is absurd.
func locked(t *testing.T, tab *quote.Table, source, target quote.Currency, given quote.Amount) *quote.Quote {
	t.Helper()
	o, err := quote.NewOrder(source, target, given)
	if err != nil {
		t.Fatal(err)
	}
	q, err := tab.Lock(o, good(t), lockMaxDays)
	switch {
	case errors.Is(err, quote.ErrAmountTooSmall), errors.Is(err, quote.ErrInvalidAmount), errors.Is(err, quote.ErrAbsurdRate):
		return nil
	case err != nil:
		t.Fatalf("%s to %s, given %s: %v", source.Code, target.Code, withCode(given), err)
	}
	return &q
}

// Every quote, of all pairs on all days, says what the design's sentences say
// in rationals: what is given is kept, the other side is that at the rate,
// rounded once, half to even, and nothing that rounds to 0 is locked.
func TestQuotesAgreeWithRationals(t *testing.T) {
	random := rand.New(rand.NewPCG(4, 1))
	eachPair(t, func(t *testing.T, tab *quote.Table, source, target quote.Currency) {
		rate, err := tab.Cross(source, target)
		if err != nil {
			return
		}
		x := exact(t, rate.String())
		lock := func(given quote.Amount) (quote.Quote, error) {
			o, err := quote.NewOrder(source, target, given)
			if err != nil {
				t.Fatal(err)
			}
			q, err := tab.Lock(o, good(t), lockMaxDays)
			if err == nil && (q.Rate != rate || q.RateDate != tab.Date() || q.Order() != o) {
				t.Errorf("got %+v of order %+v at %s", q, o, rate)
			}
			return q, err
		}
		for _, given := range amounts(t, source, random) {
			q, err := lock(given)
			checkAmount(t, q.Target, err, new(big.Rat).Mul(value(given), x), target)
			if err == nil && (q.Source != given || q.Provided != quote.SourceSide) {
				t.Errorf("given the source %s: got %s", withCode(given), withCode(q.Source))
			}
		}
		for _, given := range amounts(t, target, random) {
			q, err := lock(given)
			checkAmount(t, q.Source, err, new(big.Rat).Quo(value(given), x), source)
			if err == nil && (q.Target != given || q.Provided != quote.TargetSide) {
				t.Errorf("given the target %s: got %s", withCode(given), withCode(q.Target))
			}
		}
	})
}

// What is stored is the rate and the amounts as texts and integers: from these
// the same quote comes again.
func TestAQuoteRecomputedFromWhatIsStoredIsTheSame(t *testing.T) {
	random := rand.New(rand.NewPCG(4, 2))
	eachPair(t, func(t *testing.T, tab *quote.Table, source, target quote.Currency) {
		for i, given := range append(amounts(t, source, random), amounts(t, target, random)...) {
			q := locked(t, tab, source, target, given)
			if q == nil {
				continue
			}
			stored, err := quote.ParseRate(q.Rate.String())
			if err != nil || stored != q.Rate {
				t.Fatalf("got rate %s, error %v, want %s", stored, err, q.Rate)
			}
			sourceAgain, err1 := quote.NewAmount(q.Source.Minor(), currency(t, q.Source.Currency().Code))
			targetAgain, err2 := quote.NewAmount(q.Target.Minor(), currency(t, q.Target.Currency().Code))
			if q.Provided == quote.SourceSide {
				targetAgain, err = stored.Target(sourceAgain, target)
			} else {
				sourceAgain, err = stored.Source(targetAgain, source)
			}
			if err := errors.Join(err, err1, err2); err != nil || sourceAgain != q.Source || targetAgain != q.Target {
				t.Errorf("%d: got %s and %s, error %v, want %s and %s", i, sourceAgain, targetAgain, err, q.Source, q.Target)
			}
		}
	})
}

// Whoever locks there, and then locks what that came to the other way about,
// gains at most half a minor unit of each side, valued in the other.
func TestLockingThereAndBackGainsAtMostHalfAMinorUnitOfEachSide(t *testing.T) {
	random := rand.New(rand.NewPCG(4, 3))
	eachPair(t, func(t *testing.T, tab *quote.Table, source, target quote.Currency) {
		rate, err := tab.Cross(source, target)
		if err != nil {
			return
		}
		x := exact(t, rate.String())
		inSource := bound(source, target, x)
		inTarget := new(big.Rat).Mul(inSource, x) // the same, valued in the target
		for _, given := range amounts(t, source, random) {
			there := locked(t, tab, source, target, given)
			if there == nil {
				continue
			}
			if back := locked(t, tab, source, target, there.Target); back != nil {
				wantGain(t, given, there.Target, back.Source, inSource)
			}
		}
		for _, given := range amounts(t, target, random) {
			there := locked(t, tab, source, target, given)
			if there == nil {
				continue
			}
			if back := locked(t, tab, source, target, there.Source); back != nil {
				wantGain(t, given, there.Source, back.Target, inTarget)
			}
		}
	})
}

func wantGain(t *testing.T, given, there, back quote.Amount, most *big.Rat) {
	t.Helper()
	gain := new(big.Rat).Sub(value(back), value(given))
	if gain.Abs(gain).Cmp(most) > 0 {
		t.Errorf("%s, %s, %s: gained %s, want at most %s", withCode(given), withCode(there), withCode(back), gain.FloatString(9), most.FloatString(9))
	}
}
