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
func (c *conns) note(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch state {
	case http.StateNew:
		if c.silent == nil {
			c.silent = map[net.Conn]bool{}
		}
		c.open++
		c.silent[conn] = true
		return
	case http.StateClosed, http.StateHijacked:
		c.open--
	}
	delete(c.silent, conn)
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
	for conn := range c.silent {
		conn.Close()
	}
}
