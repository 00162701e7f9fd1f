package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"example.com/portpair/services/twelve/check"
)

const (
	// checkOptions leave the file's journal as it is, which quotes' own do not.
	checkOptions = "mode=rw&_pragma=busy_timeout(1000)&_pragma=synchronous(FULL)&_txlock=immediate"

	// spare is how much must fit on the disk beside the file: a million quotes
	// would take far more, and a check is to be quick.
	spare = 1 << 20
)

// CheckSQLite finds out whether quotes can be kept in a file, or in one that
// is not there yet.
func CheckSQLite(ctx context.Context, path string, maxOpen int) ([]check.Line, error) {
	i := &inspection{
		text: newTexts(appClock, "", "?"), maxOpen: maxOpen, scrub: func(s string) string { return s },
		hasSchema: `SELECT count(*) FROM sqlite_master WHERE name = 'schema_version'`,
	}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		says := func(seen string) func(context.Context) check.Line {
			return func(context.Context) check.Line { return check.Passed(seen) }
		}
		return i.lines(ctx,
			requirement{"reachable", says("not there yet: quotes makes it when it starts, for its own user alone")},
			requirement{"schema", says(noSchema)},
			requirement{"writable", func(context.Context) check.Line { return fits(filepath.Dir(path)) }},
			requirement{"durable", says("it will be: journal_mode WAL, synchronous FULL")},
			requirement{"room", i.room}), nil
	}
	conn, connErr := newConnector(path, checkOptions)
	if connErr != nil {
		return nil, connErr
	}
	i.db = sql.OpenDB(conn)
	defer i.db.Close()
	i.db.SetMaxOpenConns(1)
	return i.lines(ctx,
		requirement{"reachable", func(ctx context.Context) check.Line {
			if err != nil {
				return check.Failed(err.Error(), "name a file that quotes may read and write")
			}
			if !info.Mode().IsRegular() {
				return check.Failed("it is no file", "name a file, such as sqlite:var/quotes.db")
			}
			var tables int
			if err := i.db.QueryRowContext(ctx, i.hasSchema).Scan(&tables); err != nil {
				return failed(ctx, err, "name an SQLite file that quotes may read and write, in a directory that it may write to")
			}
			return check.Passed(fmt.Sprintf("there, %d bytes", info.Size()))
		}},
		requirement{"schema", i.schema},
		requirement{"writable", func(ctx context.Context) check.Line {
			if err := mayWrite(path); err != nil {
				return check.Failed(err.Error(), "chmod u+w, or name another file")
			}
			if l := fits(filepath.Dir(path)); l.Verdict != check.Pass {
				return l
			}
			return i.writable(ctx)
		}},
		requirement{"durable", i.journal},
		requirement{"room", i.room}), nil
}

// journal asks how a commit comes to the disk: quotes sets both, and a file that
// has another journal is changed to WAL when it starts.
func (i *inspection) journal(ctx context.Context) check.Line {
	var mode string
	var level int
	err := errors.Join(i.db.QueryRowContext(ctx, `PRAGMA journal_mode`).Scan(&mode), i.db.QueryRowContext(ctx, `PRAGMA synchronous`).Scan(&level))
	const full = 2
	switch {
	case err != nil:
		return failed(ctx, err, "")
	case level != full:
		return check.Failed(fmt.Sprintf("synchronous is %d, not FULL", level), "a power cut may lose quotes")
	case !strings.EqualFold(mode, "wal"):
		return check.Passed(fmt.Sprintf("synchronous FULL; journal_mode %s, which quotes changes to WAL when it starts", mode))
	}
	return check.Passed("journal_mode WAL, synchronous FULL")
}

// fits tries whether a directory takes a file, for the database and what SQLite
// puts beside it, and the disk some bytes. A directory that is not there yet is
// made in the nearest that is.
func fits(dir string) check.Line {
	for parent := filepath.Dir(dir); parent != dir; dir, parent = parent, filepath.Dir(parent) {
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	const advice = "name a file in a directory that quotes may write to, on a disk with room"
	f, err := os.CreateTemp(dir, ".quotes-check-*")
	if err != nil {
		return check.Failed(err.Error(), advice)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(make([]byte, spare))
	if err := errors.Join(err, f.Close()); err != nil {
		return check.Failed(err.Error(), advice)
	}
	return check.Passed("the directory takes files")
}
