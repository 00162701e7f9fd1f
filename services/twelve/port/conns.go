package port

import (
	"net"
	"net/http"
	"sync"
)

// conns are a server's open connections.
type conns struct {
	mu     sync.Mutex
	open   int
	silent map[net.Conn]bool // those that have asked for nothing yet
}

// note is for http.Server's ConnState.
func (c *conns) note(nc net.Conn, state http.ConnState) {
	if known, ok := nc.(*conn); ok && (state == http.StateIdle || state == http.StateActive) && known.asked.Swap(true) {
		return // as at most requests, and they do not wait for each other
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch state {
	case http.StateNew:
		if c.silent == nil {
			c.silent = map[net.Conn]bool{}
		}
		c.open++
		c.silent[nc] = true
		return
	case http.StateClosed, http.StateHijacked:
		c.open--
	}
	delete(c.silent, nc)
}

func (c *conns) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.open
}

// closeSilent closes connections that were made in advance, as browsers and
// connection pools do, and not used.
func (c *conns) closeSilent() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for nc := range c.silent {
		nc.Close()
	}
}
