package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	_ "modernc.org/sqlite" // driver "sqlite": SQLite in Go, so that the binary stays static
)

const (
	// pragmas hold for every connection, so they are in its name. A commit is
	// on the disk before it is answered (FULL), though a power cut comes.
	pragmas = "_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate"

	sqliteConns = 8
	maxBatch    = 128 // writes in one commit
)

// OpenSQLite attaches an SQLite file, which is made with mode 0600 when it is
// not there. Nothing is touched before the first operation.
func OpenSQLite(path string, now func() time.Time, settings Settings) (*Store, error) {
	dsn := (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: pragmas}).String()
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(sqliteConns)
	db.SetMaxIdleConns(sqliteConns)
	w := newWriter(db)
	return &Store{
		db: db, text: newTexts(appClock), now: now, settings: settings,
		prepare: func(context.Context) error { return createFile(path) },
		lock:    func(context.Context, *sql.Conn) (func(), error) { return func() {}, nil }, // BEGIN IMMEDIATE is one
		write:   w.write,
		stop:    w.stop,
	}, nil
}

func createFile(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// writer commits what comes while a commit is under way as one: an fsync
// takes as long for a hundred rows as for one.
type writer struct {
	db   *sql.DB
	jobs chan job
	quit chan struct{}
	once sync.Once
	done sync.WaitGroup
}

type job struct {
	ctx  context.Context
	do   func(*sql.Tx) error
	done chan error // of one
}

func newWriter(db *sql.DB) *writer {
	w := &writer{db: db, jobs: make(chan job, maxBatch), quit: make(chan struct{})}
	w.done.Go(w.run)
	return w
}

var errClosed = errors.New("the database is being closed")

func (w *writer) write(ctx context.Context, do func(*sql.Tx) error) error {
	j := job{ctx, do, make(chan error, 1)}
	select {
	case w.jobs <- j:
	case <-w.quit:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-j.done:
		return err
	case <-w.quit:
		return errClosed
	}
}

func (w *writer) stop() {
	w.once.Do(func() { close(w.quit) })
	w.done.Wait()
}

func (w *writer) run() {
	for {
		select {
		case <-w.quit:
			return
		case first := <-w.jobs:
			w.commit(w.batch(first))
		}
	}
}

func (w *writer) batch(first job) []job {
	jobs := []job{first}
	for len(jobs) < maxBatch {
		select {
		case j := <-w.jobs:
			jobs = append(jobs, j)
		default:
			return jobs
		}
	}
	return jobs
}

// commit writes a batch in one transaction; when that fails, each job in one
// of its own, so that none fails by its neighbour.
func (w *writer) commit(jobs []job) {
	errs, err := w.transact(jobs)
	if err != nil && len(jobs) > 1 {
		for _, j := range jobs {
			w.commit([]job{j})
		}
		return
	}
	for i, j := range jobs {
		if err != nil {
			errs[i] = err
		}
		j.done <- errs[i]
	}
}

// transact returns each job's own error, or why the transaction failed. A job
// that finds nothing has changed nothing.
func (w *writer) transact(jobs []job) ([]error, error) {
	errs := make([]error, len(jobs))
	ctx, cancel := context.WithTimeout(context.Background(), opTimeout)
	defer cancel()
	tx, err := w.db.BeginTx(ctx, nil)
	if err != nil {
		return errs, err
	}
	defer tx.Rollback() // after Commit it does nothing
	for i, j := range jobs {
		if errs[i] = j.ctx.Err(); errs[i] != nil {
			continue
		}
		if errs[i] = j.do(tx); errs[i] != nil && !errors.Is(errs[i], sql.ErrNoRows) {
			return errs, fmt.Errorf("writing: %w", errs[i])
		}
	}
	return errs, tx.Commit()
}
