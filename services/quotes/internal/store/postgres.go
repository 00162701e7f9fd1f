package store

import (
	"context"
	"database/sql"
	"errors"
	"net"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	postgresConns = 16
	connLifetime  = 30 * time.Minute

	// migrationLock is the advisory lock that migrations take turns by: any
	// number that nobody else uses.
	migrationLock = 0x706f727470616972 // "portpair"
)

// errURL hides what pgx says of a URL that it cannot read: it quotes it.
var errURL = errors.New("not a PostgreSQL URL, such as postgres://user:password@localhost:5432/quotes")

// OpenPostgres attaches a PostgreSQL database. now is not asked: all
// processes go by the database's clock. It is nil but in tests.
func OpenPostgres(url string, now func() time.Time, settings Settings) (*Store, error) {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, errURL
	}
	db := stdlib.OpenDB(*cfg)
	db.SetMaxOpenConns(postgresConns)
	db.SetMaxIdleConns(postgresConns)
	db.SetConnMaxLifetime(connLifetime)
	clock := appClock
	if now == nil {
		clock, now = databaseClock, time.Now
	}
	return &Store{
		db: db, text: newTexts(clock), now: now, settings: settings,
		prepare: func(context.Context) error { return nil },
		lock: func(ctx context.Context, c *sql.Conn) (func(), error) {
			if _, err := c.ExecContext(ctx, `SELECT pg_advisory_lock($1)`, migrationLock); err != nil {
				return nil, err
			}
			return func() {
				_, _ = c.ExecContext(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1)`, migrationLock) // the session's end does it too
			}, nil
		},
		write: func(ctx context.Context, do func(*sql.Tx) error) error {
			tx, err := db.BeginTx(ctx, nil)
			if err != nil {
				return err
			}
			defer tx.Rollback() // after Commit it does nothing
			if err := do(tx); err != nil {
				return err
			}
			return tx.Commit()
		},
		stop: func() {},
	}, nil
}

// cause strips from an error of pgx what names the connection: the user and
// the host are in the URL, which the log shows redacted.
func cause(err error) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return errors.New(pg.Message + " (SQLSTATE " + pg.Code + ")")
	}
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) {
		return errors.New("cannot connect")
	}
	return err
}
