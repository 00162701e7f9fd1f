package store

import (
	"bytes"
	"context"
	"database/sql"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.com/portpair/services/twelve/check"
)

// check is what a check says of the database.
func (db database) check(maxOpen int) []check.Line {
	db.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var lines []check.Line
	var err error
	if db.path != "" {
		lines, err = CheckSQLite(ctx, db.path, maxOpen)
	} else {
		lines, err = CheckPostgres(ctx, db.url, maxOpen)
	}
	if err != nil {
		db.t.Fatal(err)
	}
	return lines
}

// wantLine checks one line, and that there is advice unless it passes.
func wantLine(t *testing.T, lines []check.Line, requirement string, verdict check.Verdict, seen string) {
	t.Helper()
	for _, l := range lines {
		if l.Requirement != requirement {
			continue
		}
		if l.Verdict != verdict || !strings.Contains(l.Seen, seen) || (l.Advice != "") != (verdict == check.Warn || verdict == check.Fail) {
			t.Errorf("got %+v, want %s: %s", l, verdict, seen)
		}
		return
	}
	t.Errorf("no line %q in %v", requirement, lines)
}

// tables counts those of quotes: none before it has migrated.
func (db database) tables() (n int) {
	db.t.Helper()
	driver, dsn, query := "pgx", db.url, `SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace`
	if db.path != "" {
		driver, dsn, query = "sqlite3", db.path, `SELECT count(*) FROM sqlite_master WHERE type = 'table'`
	}
	d, err := sql.Open(driver, dsn)
	if err != nil {
		db.t.Fatal(err)
	}
	defer d.Close()
	if err := d.QueryRowContext(context.Background(), query).Scan(&n); err != nil {
		db.t.Fatal(err)
	}
	return n
}

func TestCheckOfANewDatabaseLeavesItNew(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		if db.path != "" { // empty, but there
			if err := os.WriteFile(db.path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		lines := db.check(10)
		want(t, "fails", check.Fails(lines), false)
		wantLine(t, lines, "schema", check.Pass, "none yet")
		wantLine(t, lines, "writable", check.Pass, "rolled back")
		wantLine(t, lines, "room", check.Pass, "open quotes: 0; MAX_OPEN_QUOTES is 10")
		want(t, "tables", db.tables(), 0)
	})
}

func TestCheckOfADatabaseInUse(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		s := db.open(roomy, nil)
		first := mustLock(t, s, aQuote(t, "100.00"), "key")
		mustLock(t, s, aQuote(t, "200.00"), "")
		lines := db.check(3)
		want(t, "fails", check.Fails(lines), false)
		wantLine(t, lines, "schema", check.Pass, "at version 1, the newest")
		wantLine(t, lines, "writable", check.Pass, "rolled back")
		wantLine(t, lines, "room", check.Pass, "open quotes: 2; MAX_OPEN_QUOTES is 3")
		wantLine(t, db.check(2), "room", check.Warn, "open quotes: 2; MAX_OPEN_QUOTES is 2")
		if db.path != "" {
			wantLine(t, lines, "durable", check.Pass, "journal_mode WAL, synchronous FULL")
		}
		want(t, "rows after it", rows(t, s), 2)
		want(t, "a quote after it", mustRead(t, s, first.ID), first)
		mustLock(t, s, aQuote(t, "300.00"), "")
	})
}

func TestCheckOfOtherSchemas(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		s := db.open(roomy, nil)
		s.migrations = later(t, map[string]string{"002_more.sql": "CREATE TABLE more (n BIGINT);"})
		mustReady(t, s)
		lines := db.check(10)
		wantLine(t, lines, "schema", check.Fail, "at version 2, and this app knows 1")
		wantLine(t, lines, "writable", check.Skip, "not asked")

		mustExec(t, s.writes, "DROP TABLE quotes; UPDATE schema_version SET version = 0")
		lines = db.check(10)
		wantLine(t, lines, "schema", check.Pass, "none yet")
		wantLine(t, lines, "writable", check.Pass, "rolled back")
		want(t, "version after it", schemaVersion(t, s), "0")

		mustExec(t, s.writes, "DROP TABLE schema_version; CREATE TABLE schema_version (other TEXT)")
		wantLine(t, db.check(10), "schema", check.Fail, "version")
	})
}

func TestCheckOfAnSQLiteFileChangesNoByte(t *testing.T) {
	db := sqliteDatabase(t)
	for name, fill := range map[string]func(){
		"with a rollback journal": func() {
			d, err := sql.Open("sqlite3", db.path)
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			mustExec(t, d, "CREATE TABLE others (n BIGINT)")
		},
		"of quotes": func() {
			s := db.open(roomy, nil)
			mustLock(t, s, aQuote(t, "100.00"), "")
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			db = sqliteDatabase(t)
			fill()
			before, err := os.ReadFile(db.path)
			if err != nil {
				t.Fatal(err)
			}
			lines := db.check(10)
			if check.Fails(lines) {
				t.Errorf("got %+v", lines)
			}
			after, err := os.ReadFile(db.path)
			if err != nil || !bytes.Equal(before, after) {
				t.Errorf("the file has changed, error %v", err)
			}
			left, err := os.ReadDir(filepath.Dir(db.path))
			if err != nil || len(left) != 1 {
				t.Errorf("got %v beside the file, error %v", left, err)
			}
		})
	}
}

func TestCheckOfAnSQLiteFileThatIsNotThere(t *testing.T) {
	dir := t.TempDir()
	db := database{t: t, path: filepath.Join(dir, "a", "b", "quotes.db")}
	lines := db.check(10)
	want(t, "fails", check.Fails(lines), false)
	wantLine(t, lines, "reachable", check.Pass, "not there yet")
	wantLine(t, lines, "writable", check.Pass, "the directory takes files")
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("the check has made %v, error %v", left, err)
	}
}

func TestCheckOfWhatIsNoSQLiteFile(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, bytes.Repeat([]byte("this is no database\n"), 100), 0o600); err != nil {
		t.Fatal(err)
	}
	closed := filepath.Join(dir, "closed")
	if err := os.WriteFile(closed, nil, 0o400); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct{ path, requirement, seen string }{
		"a directory":                 {dir, "reachable", "it is no file"},
		"a text":                      {text, "reachable", "not a database"},
		"below a file":                {filepath.Join(text, "quotes.db"), "reachable", "not a directory"},
		"a file that may not change":  {closed, "writable", "permission denied"},
		"below nothing that is there": {"/proc/none/quotes.db", "writable", "/proc"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := os.Stat("/proc"); err != nil && strings.HasPrefix(tt.path, "/proc") {
				t.Skip("no /proc")
			}
			wantLine(t, database{t: t, path: tt.path}.check(10), tt.requirement, check.Fail, tt.seen)
		})
	}
	if info, err := os.Stat(closed); err != nil || info.Size() != 0 || info.Mode() != fs.FileMode(0o400) {
		t.Errorf("the file has changed: %v, error %v", info, err)
	}
}

func TestCheckOfAnSQLiteFileThatSomebodyHasLocked(t *testing.T) {
	db := sqliteDatabase(t)
	s := db.open(roomy, nil)
	mustReady(t, s)
	tx, err := s.writes.BeginTx(t.Context(), nil) // immediate
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	lines := db.check(10)
	wantLine(t, lines, "schema", check.Pass, "at version 1")
	wantLine(t, lines, "writable", check.Fail, "locked")
}

func TestCheckOfAPostgresThatRefuses(t *testing.T) {
	db := postgresDatabase(t)
	with := func(change func(*url.URL)) database {
		u, err := url.Parse(db.url)
		if err != nil {
			t.Fatal(err)
		}
		change(u)
		return database{t: t, url: u.String()}
	}
	const password = "wr0ng-p4ssword"
	wrong := with(func(u *url.URL) { u.User = url.UserPassword(u.User.Username(), password) }).check(10)
	wantLine(t, wrong, "reachable", check.Pass, "answers in")
	wantLine(t, wrong, "credentials", check.Fail, "refuses the user or the password (SQLSTATE 28P01)")
	wantLine(t, wrong, "schema", check.Skip, "not asked")

	none := with(func(u *url.URL) { u.Path = "/there_is_none" }).check(10)
	wantLine(t, none, "credentials", check.Fail, "SQLSTATE 3D000")

	readOnly := with(func(u *url.URL) {
		q := u.Query()
		q.Set("default_transaction_read_only", "on")
		u.RawQuery = q.Encode()
	}).check(10)
	wantLine(t, readOnly, "schema", check.Pass, "none yet")
	wantLine(t, readOnly, "writable", check.Fail, "read-only transaction")

	lax := with(func(u *url.URL) {
		q := u.Query()
		q.Set("synchronous_commit", "off")
		u.RawQuery = q.Encode()
	}).check(10)
	wantLine(t, lax, "durable", check.Warn, "synchronous_commit off")
}

func TestCheckOfAPostgresThatSaysNothing(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	lines, err := CheckPostgres(ctx, "postgres://user:s3cret@"+l.Addr().String()+"/quotes?sslmode=disable", 10)
	if err != nil {
		t.Fatal(err)
	}
	wantLine(t, lines, "reachable", check.Fail, "no answer in the time")
}

// A PostgreSQL that falls silent in the middle is waited for no longer than one
// that never speaks: closing the connection does not take its own time.
func TestCheckOfAPostgresThatFallsSilent(t *testing.T) {
	db, r := throughRelay(t, postgresDatabase(t))
	s := db.open(roomy, nil)
	mustReady(t, s)
	admin, err := sql.Open("pgx", strings.Replace(db.url, r.listener.Addr().String(), r.target, 1))
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	tx, err := admin.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	mustExec(t, tx, "LOCK TABLE schema_version")

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	checked := make(chan []check.Line, 1)
	go func() {
		lines, err := CheckPostgres(ctx, db.url, 10)
		if err != nil {
			t.Error(err)
		}
		checked <- lines
	}()
	eventually(t, "the check waits for the lock", func() bool {
		var waiting int
		err := admin.QueryRowContext(t.Context(), "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'schema_version'::regclass").Scan(&waiting)
		return err == nil && waiting > 0
	})
	r.set(silent)
	began := time.Now()
	cancel()
	wantLine(t, <-checked, "schema", check.Fail, "no answer in the time")
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("took %v to give up", took)
	}
}
