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
	prepared map[string]*sqlite3.Stmt
	closed   bool // for good

	_ [64]byte // no other's in its cache line
}

func newReaders(c connector) *readers {
	return &readers{connector: c, back: make(chan struct{}, sqliteReaders)}
}

func (rs *readers) row(ctx context.Context, query string, args ...any) (string, error) {
	r, err := rs.take(ctx)
	if err != nil {
		return "", err
	}
	defer rs.give(r)
	return r.row(ctx, rs.connector, query, args)
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

// row returns the one column of the one row. After an error, but that ctx had
// ended before or that there is no row, the connection is given up: it may be
// one to a file that is another by now.
func (r *reader) row(ctx context.Context, c connector, query string, args []any) (text string, err error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	found := false
	err = safely(func() (err error) {
		text, found, err = r.ask(ctx, c, query, args)
		return err
	})
	switch {
	case err != nil:
		r.end()
		return "", err
	case !found:
		return "", sql.ErrNoRows
	}
	return text, nil
}

func (r *reader) ask(ctx context.Context, c connector, query string, args []any) (text string, found bool, err error) {
	if err := r.open(ctx, c); err != nil {
		return "", false, err
	}
	r.conn.SetInterrupt(ctx)
	defer r.conn.SetInterrupt(context.Background())
	stmt, ok := r.prepared[query]
	if !ok {
		if stmt, _, err = r.conn.Prepare(query); err != nil {
			return "", false, err
		}
		r.prepared[query] = stmt
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
			return "", false, err
		}
	}
	if found = stmt.Step(); found {
		text = stmt.ColumnText(0)
	}
	return text, found, cmp.Or(stmt.Err(), stmt.Reset())
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
	r.conn, r.opened, r.prepared = conn.(driver.Conn).Raw(), time.Now(), map[string]*sqlite3.Stmt{}
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
