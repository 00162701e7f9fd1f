package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"example.com/portpair/services/twelve/check"
	"example.com/portpair/services/twelve/logs"
)

// inspection looks at a database that may not be attached yet, and leaves it
// as it is: nothing is migrated, made or written that stays.
//
// A line fails where quotes cannot keep quotes in it; it warns where it can,
// and something is lost. All after one that fails is not asked.
type inspection struct {
	db      *sql.DB
	text    texts
	maxOpen int
	scrub   func(string) string // of credentials

	hasSchema string // a statement that counts tables of versions

	version int // of the schema; 0: there is none yet
	newest  int // that this app knows
}

// noSchema is what a new database has.
const noSchema = "none yet: quotes makes it when it starts"

// requirement is a line to be.
type requirement struct {
	name string
	ask  func(context.Context) check.Line
}

func (i *inspection) lines(ctx context.Context, requirements ...requirement) []check.Line {
	var lines []check.Line
	for _, r := range requirements {
		l := check.Skipped("not asked: a line above fails")
		if !check.Fails(lines) {
			l = r.ask(ctx)
		}
		l.Requirement, l.Seen = r.name, logs.Clean(i.scrub(l.Seen))
		lines = append(lines, l)
	}
	return lines
}

// failed is why a statement did not do.
func failed(ctx context.Context, err error, advice string) check.Line {
	if ctx.Err() != nil {
		return check.Failed("no answer in the time that a check has", "is that the right host and port? Another process may hold the database locked")
	}
	return check.Failed(cause(err).Error(), advice)
}

// schema reads its version. One that is not there, or older, quotes migrates
// when it starts.
func (i *inspection) schema(ctx context.Context) check.Line {
	files, _ := fs.Glob(migrations, "migrations/*.sql") // whose only error is a bad pattern
	i.newest = len(files)
	var tables int
	err := i.db.QueryRowContext(ctx, i.hasSchema).Scan(&tables)
	if err == nil && tables > 0 {
		err = i.db.QueryRowContext(ctx, `SELECT version FROM schema_version`).Scan(&i.version)
	}
	switch {
	case err != nil && !errors.Is(err, sql.ErrNoRows):
		return failed(ctx, err, "is that a database of quotes?")
	case i.version > i.newest:
		return check.Failed(fmt.Sprintf("at version %d, and this app knows %d", i.version, i.newest),
			"a newer quotes has been at it: run that one, or name another database")
	case i.version == 0:
		return check.Passed(noSchema)
	case i.version < i.newest:
		return check.Passed(fmt.Sprintf("at version %d: quotes brings it to %d when it starts", i.version, i.newest))
	default:
		return check.Passed(fmt.Sprintf("at version %d, the newest", i.version))
	}
}

// writable tries, in a transaction that is rolled back, what quotes will do:
// migrate, or change rows.
func (i *inspection) writable(ctx context.Context) check.Line {
	statements := []string{`CREATE TABLE quotes_check (n BIGINT)`}
	if i.version == i.newest {
		statements = []string{
			`INSERT INTO quotes SELECT * FROM quotes WHERE 1 = 0`,
			`UPDATE quotes SET accepted = accepted WHERE 1 = 0`,
			`DELETE FROM quotes WHERE 1 = 0`,
		}
	}
	const advice = "quotes must be able to write: see the rights of its user, of the file and its directory, and who may hold it locked"
	tx, err := i.db.BeginTx(ctx, nil)
	if err != nil {
		return failed(ctx, err, advice)
	}
	defer tx.Rollback()
	for _, statement := range statements {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return failed(ctx, err, advice)
		}
	}
	return check.Passed("yes, tried and rolled back")
}

// room counts open quotes against their limit.
func (i *inspection) room(ctx context.Context) check.Line {
	var open int64
	if i.version > 0 {
		if err := i.db.QueryRowContext(ctx, i.text.countOpen, time.Now().UnixMilli()).Scan(&open); err != nil {
			return failed(ctx, err, "quotes counts them too: see the rights of its user")
		}
	}
	seen := fmt.Sprintf("open quotes: %d; MAX_OPEN_QUOTES is %d", open, i.maxOpen)
	if open >= int64(i.maxOpen) {
		return check.Warned(seen, "new ones are refused until some expire: raise MAX_OPEN_QUOTES")
	}
	return check.Passed(seen)
}
