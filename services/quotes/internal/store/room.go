package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"example.com/portpair/services/quotes/internal/quote"
)

const (
	// countEvery is how old the count of open quotes may be: other processes
	// show in it only when the rows are counted anew.
	countEvery = 10 * time.Second

	// countFull is the same when there is no room: one that expired makes some.
	countFull = 100 * time.Millisecond

	// countShare is the part of the time that counting may take, 1 in so many.
	countShare = 20
)

// room sees to it that no more than limit quotes are open. Between countings
// it goes by the locks and accepts of this process, and errs on the safe
// side: it may take a moment to see room that there is, and never sees room
// that there is not, but for what other processes do meanwhile.
type room struct {
	limit int64

	mu       sync.Mutex
	open     int64 // as counted last, and what came and went since
	reserved int64 // locks under way
	rounds   int   // countings so far
	next     time.Time
}

// reserve takes a place for one lock, or returns quote.ErrOverloaded. Each
// reserve needs a settle.
func (r *room) reserve(ctx context.Context, now func() time.Time, count func(context.Context) (int64, error)) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	full := r.open+r.reserved >= r.limit
	began := now()
	if r.rounds == 0 || !began.Before(r.next) || full && !began.Before(r.next.Add(countFull-countEvery)) {
		took := time.Now()
		n, err := count(ctx)
		if err != nil {
			return err
		}
		// Whoever is under way now may be in n or not, and counts as well.
		r.open, r.rounds = n, r.rounds+1
		r.next = began.Add(countEvery + countShare*time.Since(took))
		full = r.open+r.reserved >= r.limit
	}
	if full {
		return fmt.Errorf("%w: %d quotes are open, and no more may be; they expire in time", quote.ErrOverloaded, r.limit)
	}
	r.reserved++
	return nil
}

// settle ends what reserve began: a quote was kept, or not. When err leaves
// that in doubt, rows are counted before the next.
func (r *room) settle(kept bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reserved--
	if kept {
		r.open++
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		r.next = time.Time{}
	}
}

// round is the number of the last counting.
func (r *room) round() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.rounds
}

// leave gives up the place of a quote that was accepted, unless rows were
// counted since that began: then it may be missing from the count already.
func (r *room) leave(began int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if began == r.rounds {
		r.open--
	}
}
