package ratesapi

import (
	"context"
	"sync"
	"time"
)

// workers make calls, each in a goroutine, which then waits for another call
// for a while: a call's stack is deep, and growing it anew is a twentieth of
// what a call costs.
type workers struct {
	ctx     context.Context // ends when they are stopped
	end     context.CancelFunc
	mu      sync.Mutex // of ending
	running sync.WaitGroup
	next    chan func() // to one that waits
}

func newWorkers() *workers {
	w := &workers{next: make(chan func())}
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
	idle := time.NewTimer(idleTimeout)
	defer idle.Stop()
	for {
		f()
		idle.Reset(idleTimeout)
		select {
		case f = <-w.next:
		case <-idle.C:
			return
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
