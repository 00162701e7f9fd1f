package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"example.com/portpair/services/quotes/internal/quote"
)

// bench is a writer with a table to write to.
type bench struct {
	*writer
	db database
	t  *testing.T
}

func newBench(t *testing.T) bench {
	t.Helper()
	t.Parallel()
	db := sqliteDatabase(t)
	s := db.open(roomy, nil)
	mustReady(t, s)
	mustExec(t, s.writes, "CREATE TABLE notes (n INTEGER UNIQUE, seq INTEGER PRIMARY KEY)")
	s.stop()
	w := newWriter(s.writes, patience)
	t.Cleanup(w.stop)
	return bench{w, db, t}
}

// note writes one number.
func note(n int) change {
	return func(ctx context.Context, tx tx) error { return tx.exec(ctx, "INSERT INTO notes (n) VALUES ($1)", n) }
}

// notes are the numbers in the table, in the order that they were written.
func (b bench) notes() string {
	b.t.Helper()
	rows, err := b.pool.QueryContext(b.t.Context(), "SELECT n FROM notes ORDER BY seq")
	if err != nil {
		b.t.Fatal(err)
	}
	defer rows.Close()
	list := []int{}
	for rows.Next() {
		var n int
		if err := rows.Scan(&n); err != nil {
			b.t.Fatal(err)
		}
		list = append(list, n)
	}
	return fmt.Sprint(list)
}

// busy keeps the writer busy with a change of its own until it is released.
func (b bench) busy() (release func()) {
	b.t.Helper()
	entered, leave := make(chan struct{}), make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() {
		_ = b.write(context.Background(), func(context.Context, tx) error {
			close(entered)
			<-leave
			return nil
		})
	})
	<-entered
	release = sync.OnceFunc(func() {
		close(leave)
		done.Wait()
	})
	b.t.Cleanup(release)
	return release
}

// queue has a change wait for the writer; the result comes when it is known.
func (b bench) queue(ctx context.Context, do change) <-chan error {
	b.t.Helper()
	result := make(chan error, 1)
	before := len(b.jobs)
	go func() { result <- b.write(ctx, do) }()
	eventually(b.t, "the change is in the queue", func() bool { return len(b.jobs) > before })
	return result
}

func TestWhatComesDuringACommitIsCommittedAsOneInOrder(t *testing.T) {
	b := newBench(t)
	release := b.busy()
	var results []<-chan error
	transactions := map[any]bool{}
	for n := range 20 {
		results = append(results, b.queue(t.Context(), func(ctx context.Context, tx tx) error {
			transactions[tx.Tx] = true
			return note(n)(ctx, tx)
		}))
	}
	release()
	for _, result := range results {
		if err := <-result; err != nil {
			t.Errorf("got %v", err)
		}
	}
	want(t, "transactions", len(transactions), 1)
	want(t, "notes", b.notes(), "[0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19]")
}

func TestNoChangeFailsByItsNeighbour(t *testing.T) {
	b := newBench(t)
	release := b.busy()
	errBroken := errors.New("broken")
	var results []<-chan error
	for n := range 9 {
		do := note(n)
		switch n {
		case 2: // fails when half done
			do = func(ctx context.Context, tx tx) error { return errors.Join(note(100)(ctx, tx), errBroken) }
		case 5: // the database refuses it
			do = note(4)
		}
		results = append(results, b.queue(t.Context(), do))
	}
	release()
	for n, result := range results {
		err := <-result
		want(t, fmt.Sprint(n, " fails"), err != nil, n == 2 || n == 5)
		if n == 2 {
			wantErr(t, "the broken one", err, errBroken)
		}
	}
	want(t, "notes", b.notes(), "[0 1 3 4 6 7 8]")
}

// A foreign key that is looked at when the transaction is committed makes the
// commit itself fail.
func TestACommitThatFailsIsAnErrorToAll(t *testing.T) {
	b := newBench(t)
	mustExec(t, b.pool, "CREATE TABLE parents (n INTEGER PRIMARY KEY)")
	mustExec(t, b.pool, "CREATE TABLE children (n INTEGER REFERENCES parents DEFERRABLE INITIALLY DEFERRED)")
	mustExec(t, b.pool, "PRAGMA foreign_keys = ON")
	release := b.busy()
	results := []<-chan error{
		b.queue(t.Context(), note(1)),
		b.queue(t.Context(), func(ctx context.Context, tx tx) error { return tx.exec(ctx, "INSERT INTO children VALUES (7)") }),
		b.queue(t.Context(), note(2)),
	}
	release()
	for n, result := range results {
		if err := <-result; err == nil {
			t.Errorf("%d was said to be committed", n)
		}
	}
	want(t, "notes", b.notes(), "[]")
	if err := b.write(t.Context(), note(3)); err != nil {
		t.Errorf("the next one: %v", err)
	}
	want(t, "notes after the next one", b.notes(), "[3]")
}

func TestAChangeWhoseClientLeavesTheQueueIsNotMade(t *testing.T) {
	b := newBench(t)
	release := b.busy()
	ctx, leave := context.WithCancel(t.Context())
	left := b.queue(ctx, note(1))
	stayed := b.queue(t.Context(), note(2))
	leave()
	wantErr(t, "who left, while the writer is still busy", <-left, context.Canceled)
	release()
	if err := <-stayed; err != nil {
		t.Errorf("who stayed: %v", err)
	}
	want(t, "notes", b.notes(), "[2]")
}

func TestAChangeThatWasBegunIsSeenThrough(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		s := db.open(roomy, nil)
		mustReady(t, s)
		ctx, leave := context.WithCancel(t.Context())
		err := s.write(ctx, func(ctx context.Context, tx tx) error {
			if err := tx.exec(ctx, "CREATE TABLE notes (n BIGINT)"); err != nil {
				return err
			}
			leave()
			return note(1)(ctx, tx)
		})
		if err != nil {
			t.Errorf("got %v, want it committed", err)
		}
		want(t, "notes", asked(t, s, "SELECT count(*) FROM notes"), "1")
		err = s.write(ctx, note(2))
		wantErr(t, "who left before", err, context.Canceled)
	})
}

func TestCloseWaitsForWhatWasBegunAndRefusesTheRest(t *testing.T) {
	b := newBench(t)
	entered, finish := make(chan struct{}), make(chan struct{})
	begun := make(chan error, 1)
	go func() {
		begun <- b.write(context.Background(), func(ctx context.Context, tx tx) error {
			close(entered)
			<-finish
			return note(1)(ctx, tx)
		})
	}()
	<-entered
	queued := b.queue(t.Context(), note(2))
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		b.stop()
	}()
	select {
	case <-stopped:
		t.Error("stopped during a write")
	case <-time.After(20 * time.Millisecond): // that it does not happen can only be waited for
	}
	close(finish)
	if err := <-begun; err != nil {
		t.Errorf("what was begun: %v", err)
	}
	<-stopped
	b.stop() // and once more
	wantErr(t, "what was queued", <-queued, errClosed)
	wantErr(t, "what comes later", b.write(t.Context(), note(3)), errClosed)
	want(t, "notes", b.notes(), "[1]")
}

func TestAClosedStoreIsUnavailable(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		s := db.open(roomy, nil)
		kept := mustLock(t, s, aQuote(t, "1"), "")
		for range 2 {
			if err := s.Close(); err != nil {
				t.Errorf("closing: %v", err)
			}
		}
		_, _, err := s.Lock(t.Context(), aQuote(t, "1"), "")
		wantErr(t, "locking", err, quote.ErrDatabaseUnavailable)
		_, err = s.Quote(t.Context(), kept.ID)
		wantErr(t, "reading", err, quote.ErrDatabaseUnavailable)
		wantErr(t, "ready", s.Ready(t.Context()), quote.ErrDatabaseUnavailable)
	})
}

// Whatever clients and Close do, a change is in the database if and only if
// its writer was told so.
func TestWhoIsToldSoIsInTheDatabase(t *testing.T) {
	b := newBench(t)
	const writers = 60
	var told [writers]error
	together(writers, func(n int) {
		ctx, leave := context.WithCancel(context.Background())
		defer leave()
		switch {
		case n%3 == 0:
			go leave()
		case n == writers/2:
			defer b.stop()
		}
		told[n] = b.write(ctx, note(n))
	})
	for n, err := range told {
		var count int
		if err := b.pool.QueryRowContext(t.Context(), "SELECT count(*) FROM notes WHERE n = $1", n).Scan(&count); err != nil {
			t.Fatal(err)
		}
		if (err == nil) != (count == 1) {
			t.Errorf("%d: got %d rows, and was told %v", n, count, err)
		}
	}
}
