package ratesapi

import (
	"context"
	"sync"
)

// underway is the calls that are, until they are stopped.
type underway struct {
	ctx     context.Context // of them all
	end     context.CancelFunc
	mu      sync.Mutex // of ending
	running sync.WaitGroup
}

func newUnderway() *underway {
	u := new(underway)
	u.ctx, u.end = context.WithCancel(context.Background())
	return u
}

// begin notes a call that is under way until done, unless they are stopped.
func (u *underway) begin() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.ctx.Err() != nil {
		return false
	}
	u.running.Add(1)
	return true
}

func (u *underway) done() { u.running.Done() }

// stop takes no more, and ends those under way.
func (u *underway) stop() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.end()
}

// wait waits for them to have ended.
func (u *underway) wait() { u.running.Wait() }
