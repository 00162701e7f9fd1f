// Package store keeps quotes in a database that its URL names: an embedded
// SQLite file or PostgreSQL. It gives quotes their ids and times, and sees to
// it that each is accepted or expires, never both, however many processes
// share the database.
//
// What a quote is worth it leaves to quote.
package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"sync/atomic"
	"time"

	"example.com/portpair/services/quotes/internal/quote"
)

const (
	// keyLife is how long after its quote's expiry an idempotency key counts.
	// Quotes are kept at least that long.
	keyLife = 24 * time.Hour

	// opTimeout bounds one operation, waiting for a connection included. What
	// has begun to be written is seen through, and may take as long again.
	opTimeout = 3 * time.Second

	// sweepBatch is how many quotes one statement deletes, so that none holds
	// a lock for long.
	sweepBatch = 500
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

	timeout time.Duration // opTimeout, but in tests
}

// Store is an attached database. Its methods are safe for concurrent use;
// beside their own errors they return quote.ErrDatabaseUnavailable, or ctx's
// when that was cancelled.
type Store struct {
	reads    source // the same as writes in PostgreSQL
	writes   *pool
	text     texts
	now      func() time.Time
	settings Settings
	room     room

	create func() error                               // what there must be before a schema can
	local  bool                                       // it is a file of this machine's
	write  func(ctx context.Context, do change) error // in one transaction, on the disk when it returns
	stop   func()

	migrations    fs.FS         // migrations/NNN_name.sql, in this order
	migrationLock string        // a statement that takes a lock until the transaction ends; empty: there is no need
	turn          chan struct{} // of one: who migrates
	migrated      atomic.Bool
}

// querier reads a statement's one row into pointers to string, int64, bool and
// sql.NullInt64. sql.ErrNoRows: there is none; errCorrupt, of readers: SQLite
// has another type there.
type querier interface {
	row(ctx context.Context, query string, args []any, into ...any) error
}

// source is where rows are read that stand alone.
type source interface {
	querier
	Close() error
}

func newStore(reads source, writes *pool, text texts, now func() time.Time, settings Settings) *Store {
	settings.timeout = cmp.Or(settings.timeout, opTimeout)
	return &Store{
		reads: reads, writes: writes, text: text, now: now, settings: settings, room: room{limit: int64(settings.MaxOpen)},
		create: func() error { return nil }, stop: func() {}, migrations: migrations, turn: make(chan struct{}, 1),
	}
}

// Close waits for writes under way and closes the connections. Writes that
// nobody has begun fail.
func (s *Store) Close() error {
	s.stop()
	return errors.Join(s.reads.Close(), s.writes.Close())
}

// Ready migrates the schema if that is still to do, and asks the database
// whether it is there. An error that wraps ErrNewerSchema is final.
func (s *Store) Ready(ctx context.Context) error {
	return s.do(ctx, func(ctx context.Context) error {
		var version int64
		return s.reads.row(ctx, `SELECT version FROM schema_version`, nil, &version)
	})
}

// do runs an operation on a migrated database, within a time.
func (s *Store) do(ctx context.Context, operation func(context.Context) error) error {
	limited, cancel := context.WithTimeout(ctx, s.settings.timeout)
	defer cancel()
	err := s.migrate(limited)
	if err == nil {
		err = operation(limited)
	}
	return outcome(ctx, err)
}

// outcome is what became of an operation, in the field's words.
func outcome(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("%w: there is none of this id", quote.ErrQuoteNotFound)
	case errors.Is(err, errCorrupt), errors.Is(err, quote.ErrOverloaded):
		return err
	case ctx.Err() != nil:
		return ctx.Err() // the client left, and that may be why
	default:
		return fmt.Errorf("%w: %w", quote.ErrDatabaseUnavailable, cause(err))
	}
}

func (s *Store) millis() int64 { return s.now().UnixMilli() }
