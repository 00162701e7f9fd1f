package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"example.com/portpair/services/quotes/internal/quote"
	"github.com/google/uuid"
)

// Lock keeps a new quote under a key (empty: none). If the key was used
// before, it returns the quote of then, replayed, or quote.ErrKeyReused when
// that was another order. quote.ErrOverloaded: there are enough open ones.
func (s *Store) Lock(ctx context.Context, q quote.Quote, key string) (kept Kept, replayed bool, err error) {
	id, err := uuid.NewV7()
	if err != nil {
		return Kept{}, false, err
	}
	q.ID = id.String()
	err = s.do(ctx, func(ctx context.Context) (err error) {
		if err := s.room.reserve(ctx, s.now, s.countOpen); err != nil {
			return err
		}
		defer func() { s.room.settle(err == nil && !replayed, err) }()
		return s.write(ctx, func(ctx context.Context, tx tx) (err error) {
			kept, replayed, err = s.insert(ctx, tx, q, key)
			return err
		})
	})
	switch {
	case err != nil:
		return Kept{}, false, err
	case replayed && kept.Order() != q.Order():
		return Kept{}, false, errKeyReused()
	}
	return kept, replayed, nil
}

// insert keeps a quote unless its key is taken: then it returns the one that
// the key stands for.
func (s *Store) insert(ctx context.Context, tx tx, q quote.Quote, key string) (kept Kept, replayed bool, err error) {
	if key != "" {
		if err := tx.exec(ctx, s.text.freeKey, s.millis(), key, keyLife.Milliseconds()); err != nil {
			return Kept{}, false, err
		}
	}
	kept, _, err = scan(ctx, tx, s.text.insert, s.insertArgs(q, key)...)
	if !errors.Is(err, sql.ErrNoRows) {
		return kept, false, err
	}
	kept, _, err = scan(ctx, tx, s.text.byKey+s.text.locking, s.millis(), key)
	return kept, true, err
}

// ByKey returns the quote that an idempotency key stands for, if it was for
// the same order; quote.ErrQuoteNotFound when the key is free.
func (s *Store) ByKey(ctx context.Context, key string, order quote.Order) (Kept, error) {
	kept, err := s.read(ctx, s.text.liveKey, s.millis(), key, keyLife.Milliseconds())
	if err == nil && kept.Order() != order {
		return Kept{}, errKeyReused()
	}
	return kept, err
}

func errKeyReused() error {
	return fmt.Errorf("%w: it came with another order before; use a new key for each order", quote.ErrKeyReused)
}

// Quote returns a quote, expired ones too, or quote.ErrQuoteNotFound.
func (s *Store) Quote(ctx context.Context, id string) (Kept, error) {
	return s.read(ctx, s.text.byID, s.millis(), id)
}

// read reads one quote; the first of args is the time. Of a file of this
// machine's that takes microseconds, less than it would to time it.
func (s *Store) read(ctx context.Context, text string, args ...any) (Kept, error) {
	if s.local && s.migrated.Load() {
		kept, err := s.readOnce(ctx, text, args)
		return kept, outcome(ctx, err)
	}
	var kept Kept
	err := s.do(ctx, func(ctx context.Context) (err error) {
		kept, err = s.readOnce(ctx, text, args)
		return err
	})
	return kept, err
}

// readOnce reads a quote. What has only just expired may be on its way to being
// accepted, by one who was in time and whose commit is not there yet; nobody
// is to see it expired before that. So it is read again behind such writes.
func (s *Store) readOnce(ctx context.Context, text string, args []any) (Kept, error) {
	kept, now, err := scan(ctx, s.reads, text, args...)
	if err != nil || kept.Status != quote.Expired || now.Sub(kept.Expires) > 2*s.settings.timeout {
		return kept, err
	}
	return s.readBehindWrites(ctx, text, args)
}

func (s *Store) readBehindWrites(ctx context.Context, text string, args []any) (kept Kept, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.settings.timeout)
	defer cancel()
	err = s.write(ctx, func(ctx context.Context, tx tx) (err error) {
		args[0] = s.millis()
		kept, _, err = scan(ctx, tx, text+s.text.locking, args...)
		return err
	})
	return kept, err
}

// Accept accepts a quote, or returns it as it was accepted before: first says
// which. quote.ErrQuoteExpired: too late.
func (s *Store) Accept(ctx context.Context, id string) (kept Kept, first bool, err error) {
	err = s.do(ctx, func(ctx context.Context) (err error) {
		// What was accepted stays so, and repeats cost no write.
		kept, _, err = scan(ctx, s.reads, s.text.byID, s.millis(), id)
		if err != nil || kept.Status == quote.Accepted {
			return err
		}
		round := s.room.round()
		kept, first, err = s.accept(ctx, id)
		if first {
			s.room.leave(round)
		}
		return err
	})
	switch {
	case err != nil:
		return Kept{}, false, err
	case kept.Status != quote.Accepted:
		return Kept{}, false, fmt.Errorf("%w: its rate held until %s; lock a new quote",
			quote.ErrQuoteExpired, kept.Expires.Format(time.RFC3339))
	}
	return kept, first, nil
}

// accept is one conditional UPDATE; who comes too late for it reads the row
// that was there instead.
func (s *Store) accept(ctx context.Context, id string) (kept Kept, first bool, err error) {
	err = s.write(ctx, func(ctx context.Context, tx tx) (err error) {
		kept, _, err = scan(ctx, tx, s.text.accept, s.millis(), id)
		first = err == nil
		if errors.Is(err, sql.ErrNoRows) {
			kept, _, err = scan(ctx, tx, s.text.byID+s.text.locking, s.millis(), id)
		}
		return err
	})
	return kept, first && err == nil, err
}

// Sweep deletes, in small batches, expired quotes nobody accepted once they
// were kept for long enough, and returns how many.
func (s *Store) Sweep(ctx context.Context) (total int64, err error) {
	for {
		var n int64
		err := s.do(ctx, func(ctx context.Context) error {
			return s.write(ctx, func(ctx context.Context, tx tx) error {
				result, err := tx.ExecContext(ctx, s.text.sweep, s.millis(), s.settings.Retention.Milliseconds(), sweepBatch)
				if err != nil {
					return err
				}
				n, err = result.RowsAffected()
				return err
			})
		})
		total += n
		if err != nil || n < sweepBatch {
			return total, err
		}
	}
}

func (s *Store) countOpen(ctx context.Context) (n int64, err error) {
	err = s.reads.row(ctx, s.text.countOpen, []any{s.millis()}, &n)
	return n, err
}
