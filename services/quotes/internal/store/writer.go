package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// maxBatch is how many changes one commit may hold.
const maxBatch = 128

// writer commits what comes while a commit is under way as one: an fsync
// takes as long for a hundred rows as for one.
type writer struct {
	pool    *pool
	timeout time.Duration // of one commit
	jobs    chan *job
	quit    chan struct{}
	ended   chan struct{} // no job is begun any more
	stop    func()        // and wait for the end
}

// job is a change that somebody waits for.
type job struct {
	ctx   context.Context
	do    change
	begun bool // known to the writer only
	taken atomic.Bool
	done  chan error // of one
}

// take is for the one who begins the job, or who gives it up before that.
func (j *job) take() bool { return j.taken.CompareAndSwap(false, true) }

// begin returns why the change is not to be made, nor made again.
func (j *job) begin() error {
	if err := j.ctx.Err(); err != nil {
		return err
	}
	j.begun = j.begun || j.take()
	if !j.begun {
		return errLeft
	}
	return nil
}

func newWriter(p *pool, timeout time.Duration) *writer {
	w := &writer{pool: p, timeout: timeout, jobs: make(chan *job, maxBatch), quit: make(chan struct{}), ended: make(chan struct{})}
	go w.run()
	w.stop = sync.OnceFunc(func() {
		close(w.quit)
		<-w.ended
	})
	return w
}

var (
	errClosed = errors.New("the database is being closed")
	errLeft   = errors.New("given up before it was begun")
)

// write makes a change and returns once it is committed, or why it is not. A
// change that was begun is not given up, though its client leaves: somebody
// has to know what became of it.
func (w *writer) write(ctx context.Context, do change) error {
	j := &job{ctx: ctx, do: do, done: make(chan error, 1)}
	select {
	case w.jobs <- j:
	case <-ctx.Done():
		return ctx.Err()
	case <-w.ended:
		return errClosed
	}
	select {
	case err := <-j.done:
		return err
	case <-ctx.Done():
		if j.take() {
			return ctx.Err()
		}
	case <-w.ended:
		if j.take() {
			return errClosed
		}
	}
	return <-j.done
}

func (w *writer) run() {
	defer close(w.ended)
	for {
		select {
		case <-w.quit:
			return
		case first := <-w.jobs:
			select {
			case <-w.quit: // it comes first
				return
			default:
				w.commit(w.batch(first))
			}
		}
	}
}

// batch is the job and those that wait behind it.
func (w *writer) batch(first *job) []*job {
	batch := []*job{first}
	for len(batch) < maxBatch {
		select {
		case j := <-w.jobs:
			batch = append(batch, j)
		default:
			return batch
		}
	}
	return batch
}

// commit makes a batch of changes in one transaction, and tells each what
// became of it. One that fails is left out and the others begin anew: none
// fails by its neighbour. When the transaction itself fails, so do all.
func (w *writer) commit(batch []*job) {
	for len(batch) > 0 {
		results := make([]error, len(batch))
		failed := -1
		ctx, cancel := context.WithTimeout(context.Background(), w.timeout)
		err := w.pool.transact(ctx, func(ctx context.Context, tx tx) error {
			for i, j := range batch {
				if results[i] = j.begin(); results[i] != nil {
					continue
				}
				results[i] = j.do(ctx, tx)
				if err := results[i]; err != nil && !errors.Is(err, sql.ErrNoRows) { // what finds nothing has changed nothing
					failed = i
					return err
				}
			}
			return nil
		})
		cancel()
		if failed >= 0 {
			batch[failed].done <- err
			batch = slices.Delete(batch, failed, failed+1)
			continue
		}
		for i, j := range batch {
			if err != nil {
				results[i] = err
			}
			j.done <- results[i]
		}
		return
	}
}
