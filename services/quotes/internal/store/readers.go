package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"
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
	connector connector
	all       [sqliteReaders]reader
	next      atomic.Uint32
	near      sync.Pool // of *reader: which one this core had last

	waiting atomic.Int32  // reads that find none free
	back    chan struct{} // one was given back, and somebody waits
}

// reader is one connection, for one read at a time.
type reader struct {
	mu       sync.Mutex
	conn     *sqlite3.Conn // nil: not open
	opened   time.Time
	prepared []statement
	closed   bool // for good

	text []byte // of a row
	cuts []int

	_ [64]byte // no other's in its cache line
}

type statement struct {
	query string
	*sqlite3.Stmt
}

func newReaders(c connector) *readers {
	return &readers{connector: c, back: make(chan struct{}, sqliteReaders)}
}

func (rs *readers) row(ctx context.Context, query string, args []any, into ...any) error {
	r, err := rs.take(ctx)
	if err != nil {
		return err
	}
	defer rs.give(r)
	return r.row(ctx, rs.connector, query, args, into)
}

// take locks a reader that nobody uses: this core's, whose pages and statements
// are in its caches, or else any, or the first that is given back.
func (rs *readers) take(ctx context.Context) (*reader, error) {
	if r, ok := rs.near.Get().(*reader); ok && r.mu.TryLock() {
		return r, nil
	}
	if r := rs.free(); r != nil {
		return r, nil
	}
	rs.waiting.Add(1) // before looking again: whoever gives one back from now on sees it
	defer rs.waiting.Add(-1)
	for {
		if r := rs.free(); r != nil {
			return r, nil
		}
		select {
		case <-rs.back:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (rs *readers) free() *reader {
	first := rs.next.Add(1)
	for i := range uint32(sqliteReaders) {
		if r := &rs.all[(first+i)%sqliteReaders]; r.mu.TryLock() {
			return r
		}
	}
	return nil
}

func (rs *readers) give(r *reader) {
	r.mu.Unlock()
	rs.near.Put(r)
	if rs.waiting.Load() > 0 {
		select {
		case rs.back <- struct{}{}:
		default: // as many as there are readers are told already
		}
	}
}

// row reads one row. After an error, but that ctx had ended before, that there
// is no row or a corrupt one, the connection is given up: it may be one to a
// file that is another by now.
func (r *reader) row(ctx context.Context, c connector, query string, args, into []any) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	found := false
	err := safely(func() (err error) {
		found, err = r.ask(ctx, c, query, args, into)
		return err
	})
	switch {
	case errors.Is(err, errCorrupt):
		return err
	case err != nil:
		r.end()
		return err
	case !found:
		return sql.ErrNoRows
	}
	return nil
}

func (r *reader) ask(ctx context.Context, c connector, query string, args, into []any) (found bool, err error) {
	if err := r.open(ctx, c); err != nil {
		return false, err
	}
	r.conn.SetInterrupt(ctx)
	defer r.conn.SetInterrupt(context.Background())
	stmt, err := r.prepare(query)
	if err != nil {
		return false, err
	}
	for i, arg := range args {
		if err := bind(stmt, i+1, arg); err != nil {
			return false, err
		}
	}
	if found = stmt.Step(); found {
		err = r.read(stmt, into)
	}
	return found, cmp.Or(stmt.Err(), stmt.Reset(), err)
}

func (r *reader) prepare(query string) (*sqlite3.Stmt, error) {
	for _, stmt := range r.prepared {
		if stmt.query == query {
			return stmt.Stmt, nil
		}
	}
	stmt, _, err := r.conn.Prepare(query)
	if err == nil {
		r.prepared = append(r.prepared, statement{query, stmt})
	}
	return stmt, err
}

func bind(stmt *sqlite3.Stmt, i int, arg any) error {
	switch arg := arg.(type) {
	case int64:
		return stmt.BindInt64(i, arg)
	case string:
		return stmt.BindText(i, arg)
	}
	return fmt.Errorf("a parameter of type %T", arg)
}

// read reads the columns of a row, the texts into one string that is cut.
func (r *reader) read(stmt *sqlite3.Stmt, into []any) (err error) {
	r.text, r.cuts = r.text[:0], r.cuts[:0]
	for i, to := range into {
		if _, ok := to.(*string); ok {
			r.text = append(r.text, stmt.ColumnRawText(i)...)
			r.cuts = append(r.cuts, len(r.text))
		} else {
			err = cmp.Or(err, integer(stmt, i, to))
		}
	}
	text, from, cuts := string(r.text), 0, r.cuts
	for _, to := range into {
		if to, ok := to.(*string); ok {
			*to, from, cuts = text[from:cuts[0]], cuts[0], cuts[1:]
		}
	}
	return err
}

// integer reads a column that has a whole number, or none; SQLite keeps
// anything there.
func integer(stmt *sqlite3.Stmt, i int, to any) error {
	kind, n := stmt.ColumnType(i), stmt.ColumnInt64(i)
	ok := kind == sqlite3.INTEGER
	switch to := to.(type) {
	case *int64:
		*to = n
	case *bool:
		*to = n == 1
		ok = ok && (n == 0 || n == 1)
	case *sql.NullInt64:
		*to = sql.NullInt64{Int64: n, Valid: ok}
		ok = ok || kind == sqlite3.NULL
	default:
		return fmt.Errorf("a column for %T", to)
	}
	if !ok {
		return fmt.Errorf("%w: its %s is not the number that it should be", errCorrupt, stmt.ColumnName(i))
	}
	return nil
}

func (r *reader) open(ctx context.Context, c connector) error {
	if r.closed {
		return errClosed
	}
	if r.conn != nil && time.Since(r.opened) > readerLife {
		r.end()
	}
	if r.conn != nil {
		return nil
	}
	conn, err := c.Connect(ctx)
	if err != nil {
		return err
	}
	r.conn, r.opened, r.prepared = conn.(driver.Conn).Raw(), time.Now(), nil
	return nil
}

// end closes the connection, if there is one, and its statements first, or it
// would stay. Nothing is lost by an error.
func (r *reader) end() {
	if r.conn == nil {
		return
	}
	_ = safely(func() error {
		for _, stmt := range r.prepared {
			_ = stmt.Close()
		}
		return r.conn.Close()
	})
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
