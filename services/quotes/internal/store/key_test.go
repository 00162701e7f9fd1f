package store

import (
	"context"
	"testing"
	"time"

	"example.com/portpair/services/quotes/internal/quote"
)

func TestAKeyAndTheSameOrderGiveTheQuoteAsItIsNow(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		clock := newClock()
		s := db.open(roomy, clock)
		first := mustLock(t, s, aQuote(t, "100.00"), "key")
		another := newQuote(t, "100.0", true) // the same order on other rates
		replay := func(when string, want Kept) {
			t.Helper()
			got, replayed, err := s.Lock(t.Context(), another, "key")
			if err != nil || !replayed || got != want {
				t.Errorf("%s: got %+v, replayed %v, error %v, want %+v", when, got, replayed, err, want)
			}
			got, err = s.ByKey(t.Context(), "key", another.Order())
			if err != nil || got != want {
				t.Errorf("%s, by key: got %+v, error %v, want %+v", when, got, err, want)
			}
		}
		replay("at once", first)
		accepted := mustAccept(t, s, first.ID)
		replay("accepted", accepted)
		clock.pass(31 * time.Minute)
		replay("accepted, and later", accepted)

		mustLock(t, s, aQuote(t, "100.00"), "other key")
		clock.pass(30 * time.Minute)
		got, _, err := s.Lock(t.Context(), aQuote(t, "100.00"), "other key")
		if err != nil || got.Status != quote.Expired {
			t.Errorf("expired: got %+v, error %v, want it expired", got, err)
		}
		want(t, "rows", rows(t, s), 2)
	})
}

func TestAKeyAndAnotherOrderAreRefused(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		s := db.open(roomy, newClock())
		first := mustLock(t, s, aQuote(t, "100.00"), "key")
		target := aQuote(t, "100.00")
		target.Provided = quote.TargetSide // the same amounts, but the other one was given
		for name, q := range map[string]quote.Quote{"another amount": aQuote(t, "100.01"), "another side": target} {
			_, _, err := s.Lock(t.Context(), q, "key")
			wantErr(t, name, err, quote.ErrKeyReused)
			_, err = s.ByKey(t.Context(), "key", q.Order())
			wantErr(t, name+", by key", err, quote.ErrKeyReused)
		}
		want(t, "rows", rows(t, s), 1)
		want(t, "the first one", mustRead(t, s, first.ID), first)
	})
}

func TestAKeyThatNobodyUsed(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		s := db.open(roomy, newClock())
		mustLock(t, s, aQuote(t, "100.00"), "key")
		for _, key := range []string{"Key", "key ", "' OR 1=1 --", "%"} {
			_, err := s.ByKey(t.Context(), key, aQuote(t, "100.00").Order())
			wantErr(t, key, err, quote.ErrQuoteNotFound)
		}
	})
}

func TestWithoutAKeyEveryLockIsANewQuote(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		s := db.open(roomy, newClock())
		ids := map[string]bool{}
		for range 3 {
			ids[mustLock(t, s, aQuote(t, "100.00"), "").ID] = true
		}
		want(t, "quotes", len(ids), 3)
	})
}

func TestAKeyLivesUntilADayAfterItsQuotesExpiry(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		for name, accepted := range map[string]bool{"accepted": true, "expired": false} {
			clock := newClock()
			s := db.open(roomy, clock)
			first := mustLock(t, s, aQuote(t, "100.00"), name)
			if accepted {
				mustAccept(t, s, first.ID)
			}
			clock.pass(30*time.Minute + 24*time.Hour - time.Millisecond)
			got, replayed, err := s.Lock(t.Context(), aQuote(t, "100.00"), name)
			if err != nil || !replayed || got.ID != first.ID {
				t.Errorf("%s, in its last moment: got %s, replayed %v, error %v", name, got.ID, replayed, err)
			}
			clock.pass(time.Millisecond)
			_, err = s.ByKey(t.Context(), name, first.Order())
			wantErr(t, name+", by key after that", err, quote.ErrQuoteNotFound)
			second := mustLock(t, s, aQuote(t, "7.00"), name) // free, for any order
			if second.ID == first.ID {
				t.Errorf("%s: got the old quote %s", name, first.ID)
			}
			want(t, name+": the old quote is there still", mustRead(t, s, first.ID).Created, first.Created)
			got, replayed, err = s.Lock(t.Context(), aQuote(t, "7.00"), name)
			if err != nil || !replayed || got != second {
				t.Errorf("%s, the key's second life: got %+v, replayed %v, error %v", name, got, replayed, err)
			}
		}
	})
}

func TestTheSameKeyAtOnceCreatesOneQuote(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		stores := []*Store{db.open(roomy, nil), db.open(roomy, nil)}
		mustReady(t, stores[0])
		for round, key := range []string{"one", "two", "three", "four", "five"} {
			const callers = 20
			var kept [callers]Kept
			var replayed [callers]bool
			var errs [callers]error
			together(callers, func(i int) {
				kept[i], replayed[i], errs[i] = stores[i%2].Lock(t.Context(), aQuote(t, "100.00"), key)
			})
			created := 0
			for i := range callers {
				if errs[i] != nil || kept[i] != kept[0] {
					t.Errorf("got %+v, error %v, want %+v", kept[i], errs[i], kept[0])
				}
				if !replayed[i] {
					created++
				}
			}
			want(t, "not replayed", created, 1)
			want(t, "rows", rows(t, stores[0]), round+1)
		}
	})
}

func TestAFailureStoresNothingUnderItsKey(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		s := db.open(Settings{TTL: time.Minute, Retention: 24 * time.Hour, MaxOpen: 1}, newClock())
		first := mustLock(t, s, aQuote(t, "100.00"), "")
		_, _, err := s.Lock(t.Context(), aQuote(t, "100.00"), "key")
		wantErr(t, "no room", err, quote.ErrOverloaded)
		mustAccept(t, s, first.ID)

		gone, leave := context.WithCancel(t.Context())
		leave()
		_, _, err = s.Lock(gone, aQuote(t, "100.00"), "key")
		wantErr(t, "its client left", err, context.Canceled)

		want(t, "rows", rows(t, s), 1)
		mustLock(t, s, aQuote(t, "7.00"), "key") // still free, for any order
	})
}
