package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.com/portpair/services/quotes/internal/quote"
)

func TestOpenQuotesAreLimited(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		clock := newClock()
		s := db.open(Settings{TTL: time.Minute, Retention: 24 * time.Hour, MaxOpen: 3}, clock)
		var ids []string
		for n := range 3 {
			ids = append(ids, mustLock(t, s, aQuote(t, "1"), fmt.Sprint("key ", n)).ID)
		}
		full := func(when string) {
			t.Helper()
			_, _, err := s.Lock(t.Context(), aQuote(t, "1"), "")
			wantErr(t, when, err, quote.ErrOverloaded)
		}
		full("the fourth")
		if kept, err := s.ByKey(t.Context(), "key 0", aQuote(t, "1").Order()); err != nil || kept.ID != ids[0] {
			t.Errorf("a replay when there is no room: got %v, error %v", kept, err)
		}
		mustAccept(t, s, ids[0])
		mustAccept(t, s, ids[0]) // makes no more room
		mustLock(t, s, aQuote(t, "1"), "")
		full("the one after that")

		clock.pass(time.Minute)
		for range 3 {
			mustLock(t, s, aQuote(t, "1"), "")
		}
		full("after all had expired, and three are open")
		want(t, "rows", rows(t, s), 7)
	})
}

func TestTheLimitIsExactForManyAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		const limit, callers = 10, 60
		clock := newClock()
		s := db.open(Settings{TTL: time.Minute, Retention: 24 * time.Hour, MaxOpen: limit}, clock)
		for round := range 3 {
			var locked, refused atomic.Int64
			together(callers, func(int) {
				switch _, _, err := s.Lock(t.Context(), aQuote(t, "1"), ""); {
				case err == nil:
					locked.Add(1)
				case errors.Is(err, quote.ErrOverloaded):
					refused.Add(1)
				default:
					t.Errorf("got %v", err)
				}
			})
			want(t, "locked", locked.Load(), limit)
			want(t, "refused", refused.Load(), callers-limit)
			want(t, "rows", rows(t, s), limit*(round+1))
			clock.pass(time.Minute) // they expire
		}
	})
}

// Locks, accepts, failures and countings all at once, and at no moment are
// there more open ones than may be.
func TestTheLimitHoldsAtAnyMoment(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		const limit = 5
		clock := newClock()
		s := db.open(Settings{TTL: 1000 * time.Hour, Retention: 24 * time.Hour, MaxOpen: limit}, clock)
		mustReady(t, s)
		watched, stop := context.WithCancel(t.Context())
		var watching sync.WaitGroup
		watching.Go(func() {
			for watched.Err() == nil {
				if n, err := s.countOpen(t.Context()); err != nil || n > limit {
					t.Errorf("got %d open, error %v, want at most %d", n, err, limit)
					return
				}
				clock.pass(countFull) // may be counted anew; of many such none is to expire
			}
		})
		together(8, func(int) {
			for n := range 10 {
				kept, _, err := s.Lock(t.Context(), aQuote(t, "1"), "")
				if err == nil {
					_, _, err = s.Accept(t.Context(), kept.ID)
				}
				if err != nil && !errors.Is(err, quote.ErrOverloaded) {
					t.Errorf("got %v", err)
				}
				gone, leave := context.WithCancel(t.Context())
				if n%2 == 0 {
					leave()
				}
				_, _, _ = s.Lock(gone, aQuote(t, "1"), fmt.Sprint("key ", n%3)) // fails, is replayed, or not
				leave()
			}
		})
		stop()
		watching.Wait()
	})
}

func TestWhatOthersLockShowsWhenCountedAnew(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		clock := newClock()
		settings := Settings{TTL: time.Hour, Retention: 24 * time.Hour, MaxOpen: 2}
		ours, theirs := db.open(settings, clock), db.open(settings, clock)
		mustLock(t, ours, aQuote(t, "1"), "")
		mustLock(t, theirs, aQuote(t, "1"), "")
		_, _, err := theirs.Lock(t.Context(), aQuote(t, "1"), "")
		wantErr(t, "who counted when one was open, and locked another", err, quote.ErrOverloaded)
		clock.pass(countEvery + countShare*opTimeout) // longer than any counting lets the next one wait
		_, _, err = ours.Lock(t.Context(), aQuote(t, "1"), "")
		wantErr(t, "who counts anew", err, quote.ErrOverloaded)
	})
}

func TestExpiredQuotesNobodyAcceptedAreSweptAfterRetention(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		clock := newClock()
		s := db.open(Settings{TTL: time.Minute, Retention: 48 * time.Hour, MaxOpen: 10}, clock)
		expired := mustLock(t, s, aQuote(t, "1"), "key")
		accepted := mustLock(t, s, aQuote(t, "2"), "")
		mustAccept(t, s, accepted.ID)
		sweep := func(when string, want int64) {
			t.Helper()
			if n, err := s.Sweep(t.Context()); err != nil || n != want {
				t.Errorf("%s: swept %d, error %v, want %d", when, n, err, want)
			}
		}
		sweep("open", 0)
		clock.pass(time.Minute + 48*time.Hour - time.Millisecond)
		sweep("a moment before retention ends", 0)
		young := mustLock(t, s, aQuote(t, "3"), "")
		clock.pass(time.Millisecond)
		sweep("when it ends", 1)
		_, err := s.Quote(t.Context(), expired.ID)
		wantErr(t, "the expired one", err, quote.ErrQuoteNotFound)
		want(t, "the accepted one", mustRead(t, s, accepted.ID).Status, quote.Accepted)
		want(t, "the open one", mustRead(t, s, young.ID).Status, quote.Active)
		clock.pass(10_000 * time.Hour)
		sweep("much later", 1)
		want(t, "the accepted one, much later", mustRead(t, s, accepted.ID).Status, quote.Accepted)
	})
}

func TestSweepsGoInSmallBatches(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		clock := newClock()
		s := db.open(Settings{TTL: time.Minute, Retention: 24 * time.Hour, MaxOpen: 10}, clock)
		mustReady(t, s)
		mustExec(t, s.writes, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1201)
			INSERT INTO quotes SELECT 'id ' || i, 'EUR', 'USD', 1, 1, 'SOURCE', '1', '2026-08-21', FALSE, 0, i, NULL, NULL FROM n`)
		var left []int
		write := s.write
		s.write = func(ctx context.Context, do change) error {
			err := write(ctx, do)
			left = append(left, rows(t, s))
			return err
		}
		n, err := s.Sweep(t.Context())
		if err != nil || n != 1201 {
			t.Errorf("swept %d, error %v, want 1201", n, err)
		}
		want(t, "left after each transaction", fmt.Sprint(left), "[701 201 0]")

		gone, leave := context.WithCancel(t.Context())
		leave()
		_, err = s.Sweep(gone)
		wantErr(t, "told to stop", err, context.Canceled)
	})
}
