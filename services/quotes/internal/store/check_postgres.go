package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"example.com/portpair/services/twelve/check"
	"example.com/portpair/services/twelve/resource"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// CheckPostgres finds out whether quotes can be kept in a PostgreSQL database.
func CheckPostgres(ctx context.Context, url string, maxOpen int) ([]check.Line, error) {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, errURL
	}
	password, _ := resource.ParseCredentials(":" + cfg.Password) // an error: there is none
	i := &inspection{
		db: stdlib.OpenDB(*cfg), text: newTexts(databaseClock, rowLock, "$"), maxOpen: maxOpen, scrub: password.Scrub,
		hasSchema: `SELECT count(to_regclass('schema_version'))`,
	}
	defer i.db.Close()
	i.db.SetMaxOpenConns(1)

	began := time.Now()
	err = i.db.PingContext(ctx)
	took := time.Since(began).Round(10 * time.Microsecond)
	return i.lines(ctx,
		requirement{"reachable", func(ctx context.Context) check.Line {
			var pg *pgconn.PgError
			if err != nil && !errors.As(err, &pg) {
				return failed(ctx, err, "is PostgreSQL up, and at that host and port? sslmode may be wrong too")
			}
			return check.Passed(fmt.Sprintf("answers in %v", took))
		}},
		requirement{"credentials", func(ctx context.Context) check.Line {
			if err != nil {
				return failed(ctx, err, "see user, password and database in the URL, and what its server may take: its log has more")
			}
			return check.Passed("taken")
		}},
		requirement{"schema", i.schema},
		requirement{"writable", i.writable},
		requirement{"durable", i.commits},
		requirement{"room", i.room}), nil
}

// commits asks whether a commit is on the disk when it is answered. The server's
// administrator may say otherwise, and quotes runs all the same.
func (i *inspection) commits(ctx context.Context) check.Line {
	var commit, fsync string
	err := i.db.QueryRowContext(ctx, `SELECT current_setting('synchronous_commit'), current_setting('fsync')`).Scan(&commit, &fsync)
	if err != nil {
		return failed(ctx, err, "")
	}
	seen := fmt.Sprintf("synchronous_commit %s, fsync %s", commit, fsync)
	if commit == "off" || fsync != "on" {
		return check.Warned(seen, "a crash or a power cut may lose quotes that were answered with 201")
	}
	return check.Passed(seen)
}
