package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// endless is a read that somebody has to end.
const endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"

func sqliteReadersOf(t *testing.T) (*readers, database) {
	t.Helper()
	db := sqliteDatabase(t)
	s := db.open(roomy, nil)
	mustReady(t, s)
	return s.reads.(*readers), db
}

// opened are the files of a database that this process has open.
func opened(t *testing.T, db database) (n int) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("no /proc to count open files in")
	}
	for _, e := range entries {
		if to, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && strings.HasPrefix(to, db.path) {
			n++
		}
	}
	return n
}

func TestAReadEndsWithItsClient(t *testing.T) {
	t.Parallel()
	rs, _ := sqliteReadersOf(t)
	ctx, leave := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer leave()
	if _, err := rs.row(ctx, endless); err == nil {
		t.Error("got no error")
	}
	if _, err := rs.row(ctx, "SELECT 1"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v of a client who had left before", err)
	}
	if got, err := rs.row(t.Context(), "SELECT 1"); got != "1" || err != nil {
		t.Errorf("the next one got %q, error %v", got, err)
	}
}

// Many more than there are readers, and all of these taken by reads that do not
// end: the others wait for them.
func TestReadsWaitForAReader(t *testing.T) {
	t.Parallel()
	rs, db := sqliteReadersOf(t)
	ctx, end := context.WithCancel(t.Context())
	defer end()
	slow := make(chan error, sqliteReaders)
	for range sqliteReaders {
		go func() {
			_, err := rs.row(ctx, endless)
			slow <- err
		}()
	}
	eventually(t, "all readers are taken", func() bool {
		for i := range rs.all {
			if r := &rs.all[i]; r.mu.TryLock() {
				r.mu.Unlock()
				return false
			}
		}
		return true
	})
	others := make(chan error, 3*sqliteReaders)
	for range cap(others) {
		go func() {
			got, err := rs.row(t.Context(), "SELECT 1")
			if got != "1" && err == nil {
				err = errors.New("got " + got)
			}
			others <- err
		}()
	}
	select {
	case err := <-others:
		t.Errorf("one did not wait: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	end()
	for range sqliteReaders {
		if err := <-slow; err == nil {
			t.Error("an endless read ended well")
		}
	}
	for range cap(others) {
		if err := <-others; err != nil {
			t.Error(err)
		}
	}
	if n := opened(t, db); n > 3*(sqliteReaders+1) {
		t.Errorf("%d files are open, want those of %d readers and a writer", n, sqliteReaders)
	}
}

func TestAReaderIsReplacedInTimeAndLeavesNothing(t *testing.T) {
	t.Parallel()
	rs, db := sqliteReadersOf(t)
	r := &rs.all[0]
	ask := func() {
		t.Helper()
		if got, err := r.row(t.Context(), rs.dsn, "SELECT 1", nil); got != "1" || err != nil {
			t.Fatalf("got %q, error %v", got, err)
		}
	}
	ask()
	first, files := r.conn, opened(t, db)
	ask()
	want(t, "the connection, soon after", r.conn, first)
	r.opened = r.opened.Add(-readerLife)
	ask()
	if r.conn == first {
		t.Error("it is the same after its time")
	}
	for range 20 {
		if _, err := r.row(t.Context(), rs.dsn, "SELECT * FROM nowhere", nil); err == nil {
			t.Fatal("got no error")
		}
	}
	ask()
	want(t, "open files", opened(t, db), files)
	if err := rs.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := rs.row(t.Context(), "SELECT 1")
	wantErr(t, "after Close", err, errClosed)
}

// A symbolic link leads to where the file is, and what is beside it.
func TestSQLitePathMayBeALink(t *testing.T) {
	t.Parallel()
	real := filepath.Join(t.TempDir(), "real.db")
	link := filepath.Join(t.TempDir(), "link.db")
	mustLock(t, database{t: t, path: real}.open(roomy, nil), aQuote(t, "1"), "")
	if err := os.Symlink(real, link); err != nil {
		t.Fatal(err)
	}
	s := database{t: t, path: link}.open(roomy, nil)
	mustLock(t, s, aQuote(t, "1"), "")
	want(t, "rows", rows(t, s), 2)
	for _, suffix := range []string{"-wal", "-shm"} {
		if _, err := os.Stat(link + suffix); err == nil {
			t.Errorf("%s is beside the link", suffix)
		}
	}
}
