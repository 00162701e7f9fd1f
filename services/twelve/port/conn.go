package port

import (
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// conn is an accepted connection whose deadlines are cheap to move to later,
// as net/http does four times a request: each time the runtime would change a
// timer, a tenth of what a short request costs. Instead the first one stays
// set, and when it fires a look is taken at the one that is wanted by then; one
// in the past, which is to wake who waits, is set only where somebody does.
type conn struct {
	net.Conn
	asked       atomic.Bool // for something
	read, write deadline
}

type deadline struct {
	mu     sync.Mutex
	wanted time.Time // zero: none
	set    time.Time // in the runtime, never after wanted; zero: none
	now    bool      // set in the past
	inside int       // who reads, or writes
}

// soonest is how soon the next deadline may be after none was wanted.
const soonest = readHeaderTimeout

// began is before all deadlines but those that are to fire at once.
var began = time.Now()

func (c *conn) SetReadDeadline(t time.Time) error { return c.read.want(t, c.Conn.SetReadDeadline) }

func (c *conn) SetWriteDeadline(t time.Time) error { return c.write.want(t, c.Conn.SetWriteDeadline) }

func (c *conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

func (c *conn) Read(b []byte) (int, error) {
	if !c.read.enter() {
		return 0, os.ErrDeadlineExceeded
	}
	defer c.read.leave()
	for {
		n, err := c.Conn.Read(b)
		if n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) || c.read.isDue(c.Conn.SetReadDeadline) {
			return n, err
		}
	}
}

func (c *conn) Write(b []byte) (written int, err error) {
	if !c.write.enter() {
		return 0, os.ErrDeadlineExceeded
	}
	defer c.write.leave()
	for {
		n, err := c.Conn.Write(b[written:])
		written += n
		if !errors.Is(err, os.ErrDeadlineExceeded) || c.write.isDue(c.Conn.SetWriteDeadline) {
			return written, err
		}
	}
}

// CloseWrite is what net/http looks for, to end in good order.
func (c *conn) CloseWrite() error { return c.Conn.(*net.TCPConn).CloseWrite() }

func (d *deadline) want(t time.Time, set func(time.Time) error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wanted = t
	past := isPast(t)
	if past && d.inside == 0 || !d.now && (t.IsZero() || !d.set.IsZero() && !t.Before(d.set)) {
		return nil
	}
	if d.now = past; t.IsZero() {
		t = time.Now().Add(soonest)
	}
	d.set = t
	return set(t)
}

// enter reports whether there is time to read, or to write.
func (d *deadline) enter() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if isPast(d.wanted) {
		return false
	}
	d.inside++
	return true
}

func (d *deadline) leave() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.inside--
}

func isPast(t time.Time) bool { return !t.IsZero() && t.Before(began) }

// isDue tells whether the deadline that has fired is the one that is wanted,
// and else sets that.
func (d *deadline) isDue(set func(time.Time) error) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.wanted.IsZero() && !time.Now().Before(d.wanted) {
		return true
	}
	d.set = d.wanted
	return set(d.wanted) != nil
}
