package store

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.com/portpair/services/quotes/internal/quote"
)

func TestAThousandAcceptsOfAHundredQuotes(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		const quotes, each = 100, 10
		stores := []*Store{db.open(roomy, nil), nil}
		if stores[1] = stores[0]; db.url != "" { // SQLite is one process's
			stores[1] = db.open(roomy, nil)
		}
		var ids [quotes]string
		together(quotes, func(i int) {
			kept, _, err := stores[i%2].Lock(t.Context(), aQuote(t, number(i+1)), "")
			if err != nil {
				t.Errorf("locking: %v", err)
			}
			ids[i] = kept.ID
		})
		var kept [quotes][each]Kept
		var first [quotes][each]bool
		together(quotes*each, func(i int) {
			n, k := i%quotes, i/quotes
			var err error
			if kept[n][k], first[n][k], err = stores[k%2].Accept(t.Context(), ids[n]); err != nil {
				t.Errorf("got %v", err)
			}
		})
		sum := 0
		for n := range quotes {
			for k := range each {
				if kept[n][k] != kept[n][0] || kept[n][k].Status != quote.Accepted {
					t.Errorf("got %+v and %+v", kept[n][0], kept[n][k])
				}
				if first[n][k] {
					sum++
				}
			}
		}
		want(t, "first ones", sum, quotes)
	})
}

// observation is what somebody was told of a quote.
type observation struct {
	kept Kept
	err  error
}

// Quotes expire while many accept and read them, through two stores and by
// the clock of real processes. Whoever is told that one is expired, or too
// late, nobody is told that it was accepted, except before.
func TestNeverBothAcceptedAndExpired(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		const quotes, ttl = 12, 60 * time.Millisecond
		settings := roomy
		settings.TTL = ttl
		stores := []*Store{db.open(settings, nil), db.open(settings, nil)}
		mustReady(t, stores[0])
		mustReady(t, stores[1])
		together(quotes, func(n int) {
			kept, _, err := stores[n%2].Lock(t.Context(), aQuote(t, number(n+1)), "")
			if err != nil {
				t.Error(err)
				return
			}
			// Around the moment of expiry, some before, most after it.
			began := time.Now()
			var accepts, reads [6]observation
			together(len(accepts)+len(reads), func(i int) {
				wait := ttl - 8*time.Millisecond + time.Duration(i)*1500*time.Microsecond - time.Since(began)
				<-time.After(wait)
				s := stores[i%2]
				if i < len(accepts) {
					kept, _, err := s.Accept(t.Context(), kept.ID)
					accepts[i] = observation{kept, err}
				} else {
					kept, err := s.Quote(t.Context(), kept.ID)
					reads[i-len(accepts)] = observation{kept, err}
				}
			})
			last, err := stores[0].Quote(t.Context(), kept.ID)
			if err != nil {
				t.Error(err)
			}
			wantOneFate(t, last, accepts[:], reads[:])
		})
	})
}

func wantOneFate(t *testing.T, last Kept, accepts, reads []observation) {
	t.Helper()
	if last.Status == quote.Accepted != !last.Accepted.IsZero() || !last.Accepted.Before(last.Expires) {
		t.Errorf("got %+v", last)
	}
	for _, a := range accepts {
		switch {
		case a.err == nil && a.kept == last:
		case errors.Is(a.err, quote.ErrQuoteExpired) && last.Status == quote.Expired:
		default:
			t.Errorf("an accept gave %+v, error %v; in the end it was %+v", a.kept, a.err, last)
		}
	}
	for _, r := range reads {
		if r.err != nil || r.kept.Status == quote.Expired && last.Status != quote.Expired || r.kept.Status == quote.Accepted && r.kept != last {
			t.Errorf("a read gave %+v, error %v; in the end it was %+v", r.kept, r.err, last)
		}
	}
}

// held is an accept that was in time and whose commit waits for release.
type held struct {
	release func()
	backend int // PostgreSQL's process, else 0
}

func hold(t *testing.T, db database, s *Store, id string) *held {
	t.Helper()
	return holdRow(t, db, s, s.text.accept, id)
}

// holdRow does what text says with a row, and keeps the transaction open.
func holdRow(t *testing.T, db database, s *Store, text, id string) *held {
	t.Helper()
	changed, commit, done := make(chan int), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		err := s.write(context.Background(), func(ctx context.Context, tx tx) error {
			backend := 0
			if db.url != "" {
				if err := tx.QueryRowContext(ctx, "SELECT pg_backend_pid()").Scan(&backend); err != nil {
					t.Error(err)
				}
			}
			_, _, err := scan(ctx, tx, text, s.millis(), id)
			changed <- backend
			<-commit
			return err
		})
		if err != nil {
			t.Errorf("the change that was in time: %v", err)
		}
	}()
	h := &held{backend: <-changed, release: sync.OnceFunc(func() {
		close(commit)
		<-done
	})}
	t.Cleanup(h.release)
	return h
}

// blocks says whether somebody waits for the held accept.
func (h *held) blocks(t *testing.T, s *Store, writing *atomic.Bool) bool {
	t.Helper()
	if h.backend == 0 {
		return writing.Load() // SQLite: one transaction follows the other
	}
	var n int
	err := s.writes.QueryRowContext(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE CAST($1 AS INTEGER) = ANY(pg_blocking_pids(pid))", h.backend).Scan(&n)
	if err != nil {
		t.Fatal(err)
	}
	return n > 0
}

func TestWhoComesLateWaitsForWhoWasInTime(t *testing.T) {
	for name, late := range map[string]func(s *Store, kept Kept) (Kept, error){
		"accepting": func(s *Store, kept Kept) (Kept, error) {
			kept, _, err := s.Accept(context.Background(), kept.ID)
			return kept, err
		},
		"reading": func(s *Store, kept Kept) (Kept, error) { return s.Quote(context.Background(), kept.ID) },
		"by key":  func(s *Store, kept Kept) (Kept, error) { return s.ByKey(context.Background(), "key", kept.Order()) },
		"replaying": func(s *Store, kept Kept) (Kept, error) {
			kept, _, err := s.Lock(context.Background(), kept.Quote, "key")
			return kept, err
		},
	} {
		t.Run(name, func(t *testing.T) {
			onEach(t, func(t *testing.T, db database) {
				clock := newClock()
				ours, theirs := db.open(roomy, clock), db.open(roomy, clock)
				kept := mustLock(t, ours, aQuote(t, "100.00"), "key")
				mustLock(t, theirs, aQuote(t, "100.00"), "")
				var writing atomic.Bool
				write := theirs.write
				theirs.write = func(ctx context.Context, do change) error {
					writing.Store(true)
					return write(ctx, do)
				}

				held := hold(t, db, ours, kept.ID)
				clock.pass(30 * time.Minute)
				told := make(chan observation, 1)
				go func() {
					kept, err := late(theirs, kept)
					told <- observation{kept, err}
				}()
				eventually(t, "the late one waits, or is told something", func() bool {
					return len(told) > 0 || held.blocks(t, ours, &writing)
				})
				held.release()
				got := <-told
				if got.err != nil || got.kept.Status != quote.Accepted || !got.kept.Accepted.Equal(ms(start)) {
					t.Errorf("got %+v, error %v, want it accepted at %v", got.kept, got.err, ms(start))
				}
			})
		})
	}
}
