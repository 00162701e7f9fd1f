package store

import (
	"net"
	"net/url"
	"sync"
	"testing"
)

// relay stands between a store and its PostgreSQL, and can be cut.
type relay struct {
	listener net.Listener
	target   string

	mu     sync.Mutex
	mode   relayMode
	conns  map[net.Conn]bool
	served sync.WaitGroup
}

type relayMode int

const (
	passing relayMode = iota
	cut               // connections are closed, new ones too
	silent            // they are open, and nothing comes through
)

// throughRelay leads the database's URL through a relay.
func throughRelay(t *testing.T, db database) (database, *relay) {
	t.Helper()
	u, err := url.Parse(db.url)
	if err != nil {
		t.Fatal(err)
	}
	target := u.Host
	if u.Port() == "" {
		target = net.JoinHostPort(u.Hostname(), "5432")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{listener: l, target: target, conns: map[net.Conn]bool{}}
	r.served.Go(r.serve)
	t.Cleanup(func() {
		l.Close()
		r.set(cut)
		r.served.Wait()
	})
	u.Host = l.Addr().String()
	db.url = u.String()
	return db, r
}

func (r *relay) set(mode relayMode) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mode = mode
	if mode == cut {
		for c := range r.conns {
			c.Close()
		}
	}
}

func (r *relay) serve() {
	for {
		client, err := r.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", r.target)
		if err != nil || !r.add(client, server) {
			client.Close()
			if err == nil {
				server.Close()
			}
			continue
		}
		r.served.Go(func() { r.pump(client, server) })
		r.served.Go(func() { r.pump(server, client) })
	}
}

func (r *relay) add(conns ...net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mode == cut {
		return false
	}
	for _, c := range conns {
		r.conns[c] = true
	}
	return true
}

// pump carries bytes one way; what is on its way when all is silent is lost.
func (r *relay) pump(to, from net.Conn) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		r.mu.Lock()
		lost := r.mode == silent
		r.mu.Unlock()
		if n > 0 && !lost {
			_, _ = to.Write(buf[:n])
		}
		if err != nil {
			break
		}
	}
	to.Close()
	from.Close()
}
