// Package store keeps quotes in a database that its URL names: an embedded
// SQLite file or PostgreSQL. It gives quotes their ids and times, and sees to
// it that each is accepted or expires, never both, however many processes
// share the database.
//
// What a quote is worth it leaves to quote.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"example.com/portpair/services/quotes/internal/quote"
	"github.com/google/uuid"
)

const (
	// keyLife is how long after its quote's expiry an idempotency key counts.
	// Quotes are kept at least that long.
	keyLife = 24 * time.Hour

	// opTimeout bounds one operation, waiting for a connection included.
	opTimeout = 3 * time.Second

	// sweepBatch is how many quotes one statement deletes, so that none holds
	// a lock for long.
	sweepBatch = 500

	// countEvery is how often the open quotes are counted anew at most.
	countEvery = 100 * time.Millisecond
)

// Kept is a quote as the database has it, and its status by the clock that
// the database goes by.
type Kept struct {
	quote.Quote
	Status quote.Status
}

// Settings of a Store.
type Settings struct {
	TTL       time.Duration // how long a lock holds
	Retention time.Duration // how long an expired quote nobody accepted is kept; 24h or more
	MaxOpen   int           // open quotes at most, as this process counts them
}

// Store is an attached database. Its methods are safe for concurrent use;
// beside their own errors they return quote.ErrDatabaseUnavailable, or ctx's.
type Store struct {
	db       *sql.DB
	text     texts
	now      func() time.Time
	settings Settings
	prepare  func(context.Context) error                                // before the schema: what the file system needs
	lock     func(ctx context.Context, c *sql.Conn) (func(), error)     // one migration at a time
	write    func(ctx context.Context, do func(tx *sql.Tx) error) error // one transaction
	stop     func()

	mu       sync.Mutex // of the migration
	migrated atomic.Bool

	counting sync.Mutex
	counted  time.Time
	open     atomic.Int64
}

// Close waits for writes under way and closes the connections.
func (s *Store) Close() error {
	s.stop()
	return s.db.Close()
}

// Ready migrates the schema if that is still to do, and asks the database
// whether it is there. An error that wraps ErrNewerSchema is final.
func (s *Store) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, opTimeout)
	defer cancel()
	if err := s.migrate(ctx); err != nil {
		return s.unavailable(ctx, err)
	}
	var one int
	return s.unavailable(ctx, s.db.QueryRowContext(ctx, "SELECT 1 FROM schema_version").Scan(&one))
}

// Lock keeps a new quote under a key (empty: none). If the key was used
// before, it returns the quote of then, replayed, or quote.ErrKeyReused when
// that was another order. quote.ErrOverloaded: there are enough open ones.
func (s *Store) Lock(ctx context.Context, q quote.Quote, key string) (kept Kept, replayed bool, err error) {
	if err := s.room(ctx); err != nil {
		return Kept{}, false, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return Kept{}, false, err
	}
	q.ID = id.String()
	err = s.do(ctx, func(ctx context.Context) error {
		return s.write(ctx, func(tx *sql.Tx) error {
			if key != "" {
				if _, err := tx.ExecContext(ctx, s.text.freeKey, s.millis(), key, keyLife.Milliseconds()); err != nil {
					return err
				}
			}
			kept, err = s.scan(tx.QueryRowContext(ctx, s.text.insert, s.insertArgs(q, key)...))
			if !errors.Is(err, sql.ErrNoRows) {
				replayed = false
				return err
			}
			replayed = true
			kept, err = s.scan(tx.QueryRowContext(ctx, s.text.byKey, s.millis(), key))
			return err
		})
	})
	switch {
	case err != nil:
		return Kept{}, false, err
	case replayed && kept.Order() != q.Order():
		return Kept{}, false, errKeyReused()
	case !replayed:
		s.open.Add(1)
	}
	return kept, replayed, nil
}

// ByKey returns the quote that an idempotency key stands for, if it was for
// the same order; quote.ErrQuoteNotFound when the key is free.
func (s *Store) ByKey(ctx context.Context, key string, order quote.Order) (kept Kept, err error) {
	err = s.do(ctx, func(ctx context.Context) error {
		kept, err = s.scan(s.db.QueryRowContext(ctx, s.text.liveKey, s.millis(), key, keyLife.Milliseconds()))
		return err
	})
	if err == nil && kept.Order() != order {
		return Kept{}, errKeyReused()
	}
	return kept, err
}

func errKeyReused() error {
	return fmt.Errorf("%w: it came with another order before; use a new key for each order", quote.ErrKeyReused)
}

// Quote returns a quote, expired ones too, or quote.ErrQuoteNotFound.
func (s *Store) Quote(ctx context.Context, id string) (kept Kept, err error) {
	err = s.do(ctx, func(ctx context.Context) error {
		kept, err = s.scan(s.db.QueryRowContext(ctx, s.text.byID, s.millis(), id))
		return err
	})
	return kept, err
}

// Accept accepts a quote, or returns it as it was accepted before: first says
// which. quote.ErrQuoteExpired: too late.
func (s *Store) Accept(ctx context.Context, id string) (kept Kept, first bool, err error) {
	err = s.do(ctx, func(ctx context.Context) error {
		return s.write(ctx, func(tx *sql.Tx) error {
			first = true
			kept, err = s.scan(tx.QueryRowContext(ctx, s.text.accept, s.millis(), id))
			if errors.Is(err, sql.ErrNoRows) {
				first = false
				kept, err = s.scan(tx.QueryRowContext(ctx, s.text.byID, s.millis(), id))
			}
			return err
		})
	})
	switch {
	case err != nil:
		return Kept{}, false, err
	case kept.Status != quote.Accepted:
		return Kept{}, false, fmt.Errorf("%w: its rate held until %s; lock a new quote",
			quote.ErrQuoteExpired, kept.Expires.Format(time.RFC3339))
	case first:
		s.open.Add(-1)
	}
	return kept, first, nil
}

// Sweep deletes, in small batches, expired quotes nobody accepted once they
// were kept for long enough, and returns how many.
func (s *Store) Sweep(ctx context.Context) (int64, error) {
	for total := int64(0); ; {
		var n int64
		err := s.do(ctx, func(ctx context.Context) error {
			return s.write(ctx, func(tx *sql.Tx) error {
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

// room returns quote.ErrOverloaded when there are MaxOpen open quotes.
// Between countings the process goes by its own locks and accepts; expiries,
// and other processes, show when it counts anew.
func (s *Store) room(ctx context.Context) error {
	s.counting.Lock()
	defer s.counting.Unlock()
	limit := int64(s.settings.MaxOpen)
	stale := s.now().Sub(s.counted)
	if !s.counted.IsZero() && stale < countEvery || s.open.Load() < limit && !s.counted.IsZero() && stale < time.Minute {
		return s.full(limit)
	}
	var n int64
	err := s.do(ctx, func(ctx context.Context) error {
		return s.db.QueryRowContext(ctx, s.text.countOpen, s.millis()).Scan(&n)
	})
	if err != nil {
		return err
	}
	s.open.Store(n)
	s.counted = s.now()
	return s.full(limit)
}

func (s *Store) full(limit int64) error {
	if s.open.Load() < limit {
		return nil
	}
	return fmt.Errorf("%w: %d quotes are open, and no more may be; they expire in time", quote.ErrOverloaded, limit)
}

// do runs an operation on a migrated database, within a time.
func (s *Store) do(ctx context.Context, operation func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, opTimeout)
	defer cancel()
	if err := s.migrate(ctx); err != nil {
		return s.unavailable(ctx, err)
	}
	err := operation(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("%w: there is none of this id", quote.ErrQuoteNotFound)
	}
	return s.unavailable(ctx, err)
}

// unavailable wraps what a database driver returned. Its text is for logs.
func (s *Store) unavailable(ctx context.Context, err error) error {
	switch {
	case err == nil, errors.Is(err, ErrNewerSchema):
		return err
	case errors.Is(err, context.Canceled) && errors.Is(ctx.Err(), context.Canceled):
		return ctx.Err() // the client left
	}
	return fmt.Errorf("%w: %w", quote.ErrDatabaseUnavailable, cause(err))
}

func (s *Store) millis() int64 { return s.now().UnixMilli() }
