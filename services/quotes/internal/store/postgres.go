package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
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
	migrationLock = "8101820099090016626" // the bytes of "portpair"
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
	// As the statements are meant, whatever the server's default is.
	p := &pool{DB: db, options: &sql.TxOptions{Isolation: sql.LevelReadCommitted}}
	s := newStore(p, p, newTexts(clock, rowLock, "$"), now, settings)
	s.migrationLock = `SELECT pg_advisory_xact_lock(` + migrationLock + `)`
	s.write = func(ctx context.Context, do change) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		// What was begun goes on without its client: somebody has to know
		// what became of it.
		begun, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.settings.timeout)
		defer cancel()
		return p.transact(begun, do)
	}
	return s, nil
}

// cause strips from an error of pgx what names the connection. The user is in
// the URL, which no log shows; where it leads, the log has said.
func cause(err error) error {
	var pg *pgconn.PgError
	isPg := errors.As(err, &pg)
	var connect *pgconn.ConnectError
	var op *net.OpError
	switch {
	case isPg && len(pg.Code) == 5 && pg.Code[:2] == "28":
		return fmt.Errorf("refuses the user or the password (SQLSTATE %s)", pg.Code)
	case errors.As(err, &connect) && isPg:
		return fmt.Errorf("refuses the connection (SQLSTATE %s)", pg.Code) // its message may name the user
	case isPg:
		return fmt.Errorf("%s (SQLSTATE %s)", pg.Message, pg.Code)
	case errors.As(err, &op):
		return op.Err
	case connect != nil && errors.Is(err, context.DeadlineExceeded):
		return errors.New("cannot connect in time")
	case connect != nil:
		return errors.New("cannot connect")
	}
	return err
}
