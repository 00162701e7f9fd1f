package store

import (
	"database/sql"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	_ "github.com/ncruces/go-sqlite3/driver" // driver "sqlite3": SQLite in Go, so that the binary stays static
)

// What holds for every connection is in its name. A commit is on the disk
// before it is answered (FULL), though a power cut comes. mode=rw: a file that
// vanishes is an error, and not made anew behind our back.
const dsnOptions = "mode=rw&_pragma=busy_timeout(2500)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate"

// OpenSQLite attaches an SQLite file, which is made with mode 0600 when it is
// not there. Nothing is touched before the first operation.
func OpenSQLite(path string, now func() time.Time, settings Settings) (*Store, error) {
	dsn := sqliteDSN(path, dsnOptions)
	writes, err := sql.Open("sqlite3", dsn)
	if err != nil {
		return nil, err
	}
	writes.SetMaxOpenConns(1) // SQLite has one writer at a time

	s := newStore(&readers{dsn: dsn + "&_pragma=query_only(1)"}, &pool{DB: writes}, newTexts(appClock, "", "?"), now, settings)
	w := newWriter(s.writes, s.settings.timeout)
	s.create = func() error { return createFiles(path) }
	s.local, s.write, s.stop = true, w.write, w.stop
	return s, nil
}

// sqliteDSN names a file to the driver. What SQLite puts beside it is for the
// same users.
func sqliteDSN(path, options string) string {
	modeOf := "modeof=" + strings.ReplaceAll(url.QueryEscape(path), "+", "%20")
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: options + "&" + modeOf}).String()
}

// createFiles makes the file if it is not there. Its mode must let it be
// written: SQLite takes it for what it puts beside this one, and that would keep
// it when this one is writable again. The index of the journal, -shm, the driver
// would make with a mode of its own, and who can read it can lock it.
func createFiles(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if err := createFile(path, 0o600); err != nil {
		return err
	}
	mode, err := mayWrite(path)
	if err != nil {
		return err
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	return createFile(real+"-shm", mode)
}

func createFile(path string, mode fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, mode)
	switch {
	case errors.Is(err, fs.ErrExist):
		return nil
	case err != nil:
		return err
	}
	return errors.Join(f.Chmod(mode), f.Close()) // whatever the umask is
}

// mayWrite returns the file's mode, or why it must not be written.
func mayWrite(path string) (fs.FileMode, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	mode := info.Mode().Perm()
	if mode&0o200 == 0 {
		return mode, &fs.PathError{Op: "writing to", Path: path, Err: fs.ErrPermission}
	}
	return mode, nil
}
