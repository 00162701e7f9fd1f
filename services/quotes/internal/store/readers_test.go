package store

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.com/portpair/services/twelve/check"
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

// one is what they read.
func one(t *testing.T, rs *readers) (got string, err error) {
	err = rs.row(t.Context(), "SELECT 1", nil, &got)
	return got, err
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
	if err := rs.row(ctx, endless, nil); err == nil {
		t.Error("got no error")
	}
	if err := rs.row(ctx, "SELECT 1", nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v of a client who had left before", err)
	}
	if got, err := one(t, rs); got != "1" || err != nil {
		t.Errorf("the next one got %q, error %v", got, err)
	}
}

// Many more than there are readers, and all of these taken by reads that do not
// end: the others wait for them, each as long as it likes.
func TestReadsWaitForAReader(t *testing.T) {
	t.Parallel()
	rs, db := sqliteReadersOf(t)
	ctx, end := context.WithCancel(t.Context())
	defer end()
	slow := make(chan error, sqliteReaders)
	for range sqliteReaders {
		go func() {
			slow <- rs.row(ctx, endless, nil)
		}()
	}
	eventually(t, "all readers are taken", func() bool {
		r := rs.free()
		if r != nil {
			rs.give(r)
		}
		return r == nil
	})
	impatient, leave := context.WithTimeout(t.Context(), time.Millisecond)
	defer leave()
	err := rs.row(impatient, "SELECT 1", nil)
	wantErr(t, "one who does not wait as long", err, context.DeadlineExceeded)
	others := make(chan error, 3*sqliteReaders)
	for range cap(others) {
		go func() {
			got, err := one(t, rs)
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
		var got string
		if err := r.row(t.Context(), rs.connector, "SELECT 1", nil, []any{&got}); got != "1" || err != nil {
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
		if err := r.row(t.Context(), rs.connector, "SELECT * FROM nowhere", nil, nil); err == nil {
			t.Fatal("got no error")
		}
	}
	ask()
	want(t, "open files", opened(t, db), files)
	if err := rs.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := one(t, rs)
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
	wantModes(t, real, 0o600)
}

// The journal's files come and go with the connections, and are of the same
// mode each time, whatever the umask is.
func TestTheJournalIsAsPrivateAsItsFile(t *testing.T) {
	t.Parallel()
	for _, mode := range []fs.FileMode{0o600, 0o640} {
		db := sqliteDatabase(t)
		if err := os.WriteFile(db.path, nil, mode); err != nil {
			t.Fatal(err)
		}
		s := db.open(roomy, nil)
		mustLock(t, s, aQuote(t, "1"), "")
		wantModes(t, db.path, mode)
		rs := s.reads.(*readers)
		for i := range rs.all {
			rs.all[i].end()
		}
		if err := s.write(t.Context(), func(context.Context, tx) error { return os.ErrInvalid }); err == nil { // gives the last one up
			t.Error("got no error")
		}
		if _, err := os.Stat(db.path + "-shm"); err == nil {
			t.Error("-shm is there without a connection: this proves nothing")
		}
		mustLock(t, s, aQuote(t, "1"), "")
		wantModes(t, db.path, mode)
		if err := os.Chmod(db.path+"-shm", 0o644); err != nil {
			t.Fatal(err)
		}
		if lines := db.check(100); check.Fails(lines) {
			t.Errorf("got %v", lines)
		}
		wantModes(t, db.path, mode)
	}
}

func wantModes(t *testing.T, path string, mode fs.FileMode) {
	t.Helper()
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		want(t, "mode of the file"+suffix, info.Mode(), mode)
	}
}

// What is mapped of a file may be gone when it is touched.
func TestAFaultIsAnError(t *testing.T) {
	t.Parallel()
	f, err := os.Create(filepath.Join(t.TempDir(), "empty"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	mapped, err := syscall.Mmap(int(f.Fd()), 0, 4096, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Munmap(mapped)
	for range 2 {
		err = safely(func() error {
			mapped[0] = 1
			return nil
		})
		if err == nil || !strings.HasPrefix(err.Error(), "SQLite panics: ") {
			t.Errorf("got error %v", err)
		}
	}
}
