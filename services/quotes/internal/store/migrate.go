package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrateTimeout bounds a migration, and waiting for another process's.
const migrateTimeout = time.Minute

// ErrNewerSchema is returned by Ready when the database has been migrated by
// a newer version of the app. It must not be written to by this one.
var ErrNewerSchema = errors.New("the database's schema is newer than this app")

// migrate brings the schema up to date, once: under a lock of the database's,
// safe with several processes starting at the same time. Until it succeeds,
// every operation tries again, so that the app starts before its database.
func (s *Store) migrate(ctx context.Context) error {
	if s.migrated.Load() {
		return nil
	}
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if s.migrated.Load() {
		return nil
	}
	if err := s.create(); err != nil {
		return err
	}
	if err := s.writes.PingContext(ctx); err != nil {
		return err
	}
	// What is begun is seen through: a table may hold more rows than one
	// operation has time for.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), migrateTimeout)
	defer cancel()
	if err := s.writes.transact(ctx, s.apply); err != nil {
		return err
	}
	if s.local { // whose driver keeps no prepared statements by itself
		if err := s.writes.prepare(ctx, s.text.writes()...); err != nil {
			return err
		}
	}
	s.migrated.Store(true)
	return nil
}

// apply runs the migrations that the database has not seen.
func (s *Store) apply(ctx context.Context, tx tx) error {
	if s.migrationLock != "" {
		if err := tx.exec(ctx, s.migrationLock); err != nil {
			return err
		}
	}
	files, err := fs.Glob(s.migrations, "migrations/*.sql") // sorted by name
	if err != nil {
		return err
	}
	if err := tx.exec(ctx, `CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)`); err != nil {
		return err
	}
	var version int
	err = tx.QueryRowContext(ctx, `SELECT version FROM schema_version`).Scan(&version)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		if err := tx.exec(ctx, `INSERT INTO schema_version (version) VALUES (0)`); err != nil {
			return err
		}
	case err != nil:
		return err
	case version > len(files):
		return fmt.Errorf("%w: it is at %d, the app knows %d", ErrNewerSchema, version, len(files))
	}
	for _, file := range files[version:] {
		text, err := fs.ReadFile(s.migrations, file)
		if err != nil {
			return err
		}
		if err := tx.exec(ctx, string(text)); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return tx.exec(ctx, `UPDATE schema_version SET version = $1`, len(files))
}
