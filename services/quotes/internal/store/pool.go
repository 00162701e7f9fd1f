package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
)

// pool is the connections to a database, with the statements that are prepared
// on them.
type pool struct {
	*sql.DB
	options  *sql.TxOptions
	prepared map[string]*sql.Stmt // by text; none where the driver keeps them itself
}

// change is what one transaction does. It may be called again after one that
// failed, and then starts anew.
type change func(ctx context.Context, tx tx) error

// tx is a transaction that knows its pool's prepared statements.
type tx struct {
	*sql.Tx
	prepared map[string]*sql.Stmt
}

func (p *pool) prepare(ctx context.Context, texts ...string) error {
	prepared := make(map[string]*sql.Stmt, len(texts))
	for _, text := range texts {
		stmt, err := p.PrepareContext(ctx, text)
		if err != nil {
			return err
		}
		prepared[text] = stmt
	}
	p.prepared = prepared
	return nil
}

func (p *pool) row(ctx context.Context, query string, args []any, into ...any) error {
	return p.QueryRowContext(ctx, query, args...).Scan(into...)
}

func (t tx) row(ctx context.Context, query string, args []any, into ...any) error {
	if stmt, ok := t.prepared[query]; ok {
		return t.StmtContext(ctx, stmt).QueryRowContext(ctx, args...).Scan(into...)
	}
	return t.QueryRowContext(ctx, query, args...).Scan(into...)
}

func (t tx) exec(ctx context.Context, text string, args ...any) error {
	var err error
	if stmt, ok := t.prepared[text]; ok {
		_, err = t.StmtContext(ctx, stmt).ExecContext(ctx, args...)
	} else {
		_, err = t.ExecContext(ctx, text, args...)
	}
	return err
}

// transact makes one change in a transaction; sql.ErrNoRows is an answer and
// ends it like any other error. After a failure the connection is given up:
// it may be one that can only read, for that was all that its file allowed
// when it was opened.
func (p *pool) transact(ctx context.Context, do change) (err error) {
	conn, err := p.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer func() {
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			_ = conn.Raw(func(any) error { return driver.ErrBadConn })
		}
	}()
	t, err := conn.BeginTx(ctx, p.options)
	if err != nil {
		return err
	}
	defer t.Rollback() // after Commit it does nothing
	if err := do(ctx, tx{t, p.prepared}); err != nil {
		return err
	}
	return t.Commit()
}
