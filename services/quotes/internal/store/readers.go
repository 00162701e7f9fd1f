package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ncruces/go-sqlite3"
)

const (
	sqliteReaders = 8

	// readerLife bounds how long a connection is kept that was opened when
	// the file system had trouble.
	readerLife = time.Minute
)

// readers are connections to an SQLite file that only read. They do without
// database/sql: a row takes three microseconds, and its pool, which all cores
// share, as many again on each of two.
type readers struct {
	dsn  string
	all  [sqliteReaders]reader
	next atomic.Uint32
	near sync.Pool // of *reader: which one this core had last
}

// reader is one connection, for one read at a time.
type reader struct {
	mu       sync.Mutex
	conn     *sqlite3.Conn // nil: not open
	opened   time.Time
	prepared map[string]*sqlite3.Stmt
	closed   bool // for good

	_ [64]byte // no other's in its cache line
}

func (rs *readers) row(ctx context.Context, query string, args ...any) (string, error) {
	r := rs.take()
	defer func() {
		r.mu.Unlock()
		rs.near.Put(r)
	}()
	return r.row(ctx, rs.dsn, query, args)
}

// take locks a reader that nobody uses: this core's, whose pages and statements
// are in its caches, or else any, or else the next that is given back.
func (rs *readers) take() *reader {
	if r, ok := rs.near.Get().(*reader); ok && r.mu.TryLock() {
		return r
	}
	first := int(rs.next.Add(1))
	for i := range rs.all {
		if r := &rs.all[(first+i)%len(rs.all)]; r.mu.TryLock() {
			return r
		}
	}
	r := &rs.all[first%len(rs.all)]
	r.mu.Lock()
	return r
}

// row returns the one column of the one row. After an error, but that of a ctx
// or that there is none, the connection is given up: it may be one to a file
// that is another by now.
func (r *reader) row(ctx context.Context, dsn, query string, args []any) (text string, err error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	done := false
	defer func() {
		if !done {
			r.end()
		}
	}()
	stmt, err := r.prepare(ctx, dsn, query)
	if err != nil {
		return "", err
	}
	for i, arg := range args {
		switch arg := arg.(type) {
		case int64:
			err = stmt.BindInt64(i+1, arg)
		case string:
			err = stmt.BindText(i+1, arg)
		default:
			err = fmt.Errorf("a parameter of type %T", arg)
		}
		if err != nil {
			return "", err
		}
	}
	found := stmt.Step()
	if found {
		text = stmt.ColumnText(0)
	}
	if err := cmp.Or(stmt.Err(), stmt.Reset()); err != nil {
		return "", err
	}
	done = true
	if !found {
		return "", sql.ErrNoRows
	}
	return text, nil
}

// prepare returns the statement, of a connection that is open and heeds ctx.
func (r *reader) prepare(ctx context.Context, dsn, query string) (*sqlite3.Stmt, error) {
	if r.closed {
		return nil, errClosed
	}
	if r.conn != nil && time.Since(r.opened) > readerLife {
		r.end()
	}
	if r.conn == nil {
		conn, err := sqlite3.OpenContext(ctx, dsn)
		if err != nil {
			return nil, err
		}
		r.conn, r.opened, r.prepared = conn, time.Now(), map[string]*sqlite3.Stmt{}
	}
	r.conn.SetInterrupt(ctx)
	stmt, ok := r.prepared[query]
	if !ok {
		var err error
		if stmt, _, err = r.conn.Prepare(query); err != nil {
			return nil, err
		}
		r.prepared[query] = stmt
	}
	return stmt, nil
}

// end closes the connection, if there is one, and its statements first, or it
// would stay. Nothing is lost by an error.
func (r *reader) end() {
	if r.conn == nil {
		return
	}
	for _, stmt := range r.prepared {
		_ = stmt.Close()
	}
	_ = r.conn.Close()
	r.conn = nil
}

// Close waits for reads under way and closes all connections.
func (rs *readers) Close() error {
	for i := range rs.all {
		r := &rs.all[i]
		r.mu.Lock()
		r.closed = true
		r.end()
		r.mu.Unlock()
	}
	return nil
}
