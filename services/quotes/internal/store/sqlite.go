package store

import (
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// What holds for every connection is in its name. A commit is on the disk
// before it is answered (FULL), though a power cut comes. mode=rw: a file that
// vanishes is an error, and not made anew behind our back.
const dsnOptions = "mode=rw&_pragma=busy_timeout(2500)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate"

// OpenSQLite attaches an SQLite file, which is made with mode 0600 when it is
// not there. Nothing is touched before the first operation.
func OpenSQLite(path string, now func() time.Time, settings Settings) (*Store, error) {
	writer, err := newConnector(path, dsnOptions)
	if err != nil {
		return nil, err
	}
	reader, err := newConnector(path, dsnOptions+"&_pragma=query_only(1)")
	if err != nil {
		return nil, err
	}
	writes := sql.OpenDB(writer)
	writes.SetMaxOpenConns(1) // SQLite has one writer at a time

	s := newStore(newReaders(reader), &pool{DB: writes}, newTexts(appClock, "", "?"), now, settings)
	w := newWriter(s.writes, s.settings.timeout)
	s.create = func() error { return createFile(path) }
	s.local, s.write, s.stop = true, w.write, w.stop
	return s, nil
}

// createFile makes the file if it is not there. Its mode must let it be
// written: SQLite takes it for what it puts beside this one, and that would keep
// it when this one is writable again.
func createFile(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	switch {
	case errors.Is(err, fs.ErrExist):
		return mayWrite(path)
	case err != nil:
		return err
	}
	return f.Close()
}

func mayWrite(path string) error {
	info, err := os.Stat(path)
	if err == nil && info.Mode().Perm()&0o200 == 0 {
		err = &fs.PathError{Op: "writing to", Path: path, Err: fs.ErrPermission}
	}
	return err
}
