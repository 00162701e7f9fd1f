package store

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"example.com/portpair/services/quotes/internal/quote"
)

func TestSQLiteFilesAreTheirOwnersAlone(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "not", "there yet")
	s := database{t: t, path: filepath.Join(dir, "quotes.db")}.open(roomy, nil)
	if _, err := os.Stat(filepath.Dir(dir)); err == nil {
		t.Error("something was made before the first operation")
	}
	mustLock(t, s, aQuote(t, "1"), "")
	for name, mode := range map[string]fs.FileMode{"quotes.db": 0o600, "quotes.db-wal": 0o600, "quotes.db-shm": 0o600, ".": fs.ModeDir | 0o700} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		want(t, "mode of "+name, info.Mode(), mode)
	}
}

func TestSQLiteFileThatIsThereIsLeftAsItIs(t *testing.T) {
	t.Parallel()
	db := sqliteDatabase(t)
	if err := os.WriteFile(db.path, nil, 0o640); err != nil {
		t.Fatal(err)
	}
	mustLock(t, db.open(roomy, nil), aQuote(t, "1"), "")
	info, err := os.Stat(db.path)
	if err != nil || info.Mode() != 0o640 {
		t.Errorf("got %v, error %v", info.Mode(), err)
	}
}

func TestSQLitePathMayHoldAnything(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a b.db", "ä.db", "50%.db", "%41.db", "a?mode=memory.db", "a#b.db", "a&b=c.db", "'; --.db", ":memory:"} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), name)
			s := database{t: t, path: path}.open(roomy, nil)
			kept := mustLock(t, s, aQuote(t, "1"), "")
			if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
				t.Errorf("got %v, error %v, want a file of this name", info, err)
			}
			want(t, "read by another", mustRead(t, database{t: t, path: path}.open(roomy, nil), kept.ID), kept)
		})
	}
}

// The pragmas hold for a connection, not for the file: all that there can ever
// be must have them, those that replace a broken one too.
func TestEveryConnectionSyncsInFull(t *testing.T) {
	t.Parallel()
	s := sqliteDatabase(t).open(roomy, nil)
	mustReady(t, s)
	check := func(name, queryOnly string, ask func(pragma string) (string, error)) {
		t.Helper()
		for pragma, value := range map[string]string{"synchronous": "2", "journal_mode": "wal", "query_only": queryOnly} {
			got, err := ask("PRAGMA " + pragma)
			if err != nil {
				t.Fatal(err)
			}
			want(t, name+": "+pragma, got, value)
		}
	}
	rs := s.reads.(*readers)
	for round := range 2 {
		for i := range rs.all {
			check(fmt.Sprintf("reader %d, round %d", i, round), "1", func(pragma string) (text string, err error) {
				err = rs.all[i].row(t.Context(), rs.connector, pragma, nil, []any{&text})
				return text, err
			})
		}
		for i := range rs.all { // all are open now
			if rs.all[i].conn == nil {
				t.Errorf("reader %d has no connection", i)
			}
			if err := rs.all[i].row(t.Context(), rs.connector, "SELECT * FROM nowhere", nil, nil); err == nil {
				t.Error("got no error")
			}
			if rs.all[i].conn != nil {
				t.Error("a reader that failed keeps its connection")
			}
		}
	}
	writer := func(pragma string) (text string, err error) {
		err = s.writes.QueryRowContext(t.Context(), pragma).Scan(&text)
		return text, err
	}
	check("the writer", "0", writer)
	if err := s.write(t.Context(), func(context.Context, tx) error { return os.ErrInvalid }); err == nil {
		t.Error("got no error")
	}
	check("its successor", "0", writer)
	want(t, "writers at most", s.writes.Stats().MaxOpenConnections, 1)
}

// A connection that was opened when the file could only be read goes on so,
// though the file has become writable since.
func TestAWriterThatCanOnlyReadIsReplaced(t *testing.T) {
	t.Parallel()
	s := sqliteDatabase(t).open(roomy, nil)
	mustReady(t, s)
	mustExec(t, s.writes, "PRAGMA query_only = 1")
	_, _, err := s.Lock(t.Context(), aQuote(t, "1"), "")
	wantErr(t, "locking", err, quote.ErrDatabaseUnavailable)
	mustLock(t, s, aQuote(t, "1"), "")
	want(t, "rows", rows(t, s), 1)
}

func TestAWriterInsideATransactionIsReplaced(t *testing.T) {
	t.Parallel()
	s := sqliteDatabase(t).open(roomy, nil)
	mustReady(t, s)
	mustExec(t, s.writes, "BEGIN IMMEDIATE")
	_, _, err := s.Lock(t.Context(), aQuote(t, "1"), "")
	wantErr(t, "locking", err, quote.ErrDatabaseUnavailable)
	mustLock(t, s, aQuote(t, "1"), "")
}

func TestSQLiteFileThatIsReadOnly(t *testing.T) {
	t.Parallel()
	db := sqliteDatabase(t)
	before := db.open(roomy, nil)
	kept := mustLock(t, before, aQuote(t, "1"), "")
	if err := before.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(db.path, 0o400); err != nil {
		t.Fatal(err)
	}
	s := db.open(roomy, nil)
	wantDown(t, s, kept)
	if err := os.Chmod(db.path, 0o600); err != nil {
		t.Fatal(err)
	}
	wantUp(t, s)
	want(t, "rows", rows(t, s), 2)
}

func TestSQLiteFileThatVanishesIsNotMadeAnew(t *testing.T) {
	t.Parallel()
	db := sqliteDatabase(t)
	s := db.open(roomy, nil)
	mustLock(t, s, aQuote(t, "1"), "")
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(db.path + suffix); err != nil {
			t.Fatal(err)
		}
	}
	fresh, err := sql.Open("sqlite3", "file:"+db.path+"?"+dsnOptions)
	if err != nil {
		t.Fatal(err)
	}
	defer fresh.Close()
	if err := fresh.PingContext(t.Context()); err == nil {
		t.Error("a new connection made a file without a schema")
	}
}

// smallDisk is a directory with little room, and what makes more.
func smallDisk(t *testing.T, s func() *Store) (dir string, fill, free func()) {
	t.Helper()
	dir = t.TempDir()
	if err := exec.Command("mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", dir).Run(); err != nil {
		t.Log("cannot mount a small disk: SQLite's own limit of pages stands for it")
		return dir, func() { mustExec(t, s().writes, "PRAGMA max_page_count = 1") }, func() { mustExec(t, s().writes, "PRAGMA max_page_count = 1000000") }
	}
	t.Cleanup(func() {
		if err := exec.Command("umount", dir).Run(); err != nil {
			t.Errorf("unmounting %s: %v", dir, err)
		}
	})
	ballast := filepath.Join(dir, "ballast")
	fill = func() {
		f, err := os.Create(ballast)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for err == nil {
			_, err = f.Write(make([]byte, 4<<10))
		}
	}
	return dir, fill, func() {
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSQLiteOnADiskThatIsFull(t *testing.T) {
	t.Parallel()
	var s *Store
	dir, fill, free := smallDisk(t, func() *Store { return s })
	s = database{t: t, path: filepath.Join(dir, "quotes.db")}.open(roomy, nil)
	kept := []Kept{mustLock(t, s, aQuote(t, "1"), "")}
	for range 2 {
		fill()
		failed := 0
		for n := 0; failed == 0 && n < 1000; n++ { // there may be room in the last page
			k, _, err := s.Lock(t.Context(), aQuote(t, "1"), "")
			if err == nil {
				kept = append(kept, k)
				continue
			}
			failed++
			wantErr(t, "locking on a full disk", err, quote.ErrDatabaseUnavailable)
		}
		want(t, "it got full", failed, 1)
		want(t, "reading from a full disk", mustRead(t, s, kept[0].ID), kept[0])
		want(t, "rows: nothing half-written", rows(t, s), len(kept))
		free()
		kept = append(kept, mustLock(t, s, aQuote(t, "1"), ""))
	}
	for _, k := range kept {
		want(t, "a quote of then", mustRead(t, s, k.ID), k)
	}
	want(t, "integrity", asked(t, s, "PRAGMA integrity_check"), "ok")
}
