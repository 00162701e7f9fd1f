package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"
	sqlitedriver "github.com/ncruces/go-sqlite3/driver" // SQLite in Go, so that the binary stays static
)

const (
	// maxMemory bounds what one connection may have. It is address space from
	// the start, and memory as it is needed.
	maxMemory = 64 << 20

	busyTimeout = 2500 * time.Millisecond // of dsnOptions too
	busyPause   = 5 * time.Millisecond
)

// connector opens connections to an SQLite file.
type connector struct {
	driver.Connector
	path string
}

func newConnector(path, options string) (connector, error) {
	c, err := new(sqlitedriver.SQLite).OpenConnector(sqliteDSN(path, options))
	return connector{c, path}, err
}

// sqliteDSN names a file to the driver. The journal is for the same users.
func sqliteDSN(path, options string) string {
	modeOf := "modeof=" + strings.ReplaceAll(url.QueryEscape(path), "+", "%20")
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: options + "&" + modeOf}).String()
}

// Connect waits for others as busy_timeout says, and as long where SQLite does
// not: of two that change a new file's journal at once it tells one to go.
func (c connector) Connect(ctx context.Context) (conn driver.Conn, err error) {
	for began := time.Now(); ; {
		err = safely(func() (err error) {
			conn, err = c.Connector.Connect(sqlite3.WithMaxMemory(ctx, maxMemory))
			return err
		})
		if err == nil {
			c.hideIndex()
			return conn, nil
		}
		if !errors.Is(err, sqlite3.BUSY) || time.Since(began) > busyTimeout {
			return nil, err
		}
		select {
		case <-time.After(busyPause):
		case <-ctx.Done():
			return nil, err
		}
	}
}

// hideIndex gives the journal's index the file's mode and owner, which the
// driver leaves to the umask: who can read it can lock it. One that is
// another's stays as it is.
func (c connector) hideIndex() {
	path, err := filepath.EvalSymlinks(c.path)
	if err != nil {
		return
	}
	file, err := os.Stat(path)
	if err != nil {
		return
	}
	index, err := os.Stat(path + "-shm")
	if err != nil {
		return // another kind of journal
	}
	if index.Mode() != file.Mode() {
		_ = os.Chmod(path+"-shm", file.Mode())
	}
	chownLike(path+"-shm", index, file)
}

// safely makes an error of a panic. The driver panics when it gets no memory,
// and a journal's index is mapped into memory: where a file system promises
// room that it does not have, writing to it is a fault.
func safely(do func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("SQLite panics: %v; is there room on the disk, and memory?", v)
		}
	}()
	return do()
}
