package ratesapi

import (
	"context"
	"sync"
)

// workers make calls, each in a goroutine. One that is done waits for the next
// call, if not enough of them wait already: a call's stack is deep, and growing
// it anew would be a twentieth of what a call costs.
type workers struct {
	ctx     context.Context // ends when they are stopped
	end     context.CancelFunc
	mu      sync.Mutex // of ending
	running sync.WaitGroup
	next    chan func()   // to one that waits
	waiting chan struct{} // room for those that do
}

func newWorkers() *workers {
	w := &workers{next: make(chan func()), waiting: make(chan struct{}, idleConns)}
	w.ctx, w.end = context.WithCancel(context.Background())
	return w
}

// do has f done, unless they are stopped.
func (w *workers) do(f func()) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ctx.Err() != nil {
		return false
	}
	select {
	case w.next <- f:
	default:
		w.running.Go(func() { w.work(f) })
	}
	return true
}

func (w *workers) work(f func()) {
	for {
		f()
		select {
		case w.waiting <- struct{}{}:
		default:
			return
		}
		select {
		case f = <-w.next:
			<-w.waiting
		case <-w.ctx.Done():
			return
		}
	}
}

// stop takes no more, and ends what they do.
func (w *workers) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.end()
}
