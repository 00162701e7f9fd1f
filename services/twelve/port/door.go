package port

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

const (
	// quietDoor is how long nobody may have come before a door is shut, and
	// lastCall when it is shut all the same.
	quietDoor = time.Millisecond
	lastCall  = 100 * time.Millisecond
)

// entrance is all doors of an app.
type entrance struct {
	doors     []*door
	accepting sync.WaitGroup // until the last of them is closed
	failed    chan error     // the first error of one that ended
}

// open serves each listener.
func (e *entrance) open(listeners []net.Listener, serve func(net.Listener) error) {
	for _, l := range listeners {
		d := &door{TCPListener: l.(*net.TCPListener)} // as Listen makes them
		e.doors = append(e.doors, d)
		e.accepting.Go(func() {
			select {
			case e.failed <- serve(d):
			default:
			}
		})
	}
}

// shut shuts the doors, and waits until nobody stands before one: whoever
// shuts down next would miss a connection that is accepted just now.
func (e *entrance) shut() {
	for _, d := range e.doors {
		d.shut()
	}
	e.accepting.Wait()
}

// door is a listener that is shut without dropping who already stands before
// it: closing a listener resets the connections that the kernel has made and
// nobody has accepted yet.
type door struct {
	*net.TCPListener
	mu   sync.Mutex
	last time.Time // zero: not shutting
}

// Accept accepts until the door is shut and nobody is left before it.
func (d *door) Accept() (net.Conn, error) {
	d.wait() // here, and not after the last one: who serves that one may take its time
	c, err := d.TCPListener.Accept()
	switch {
	case err == nil:
		return &conn{Conn: c}, nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		d.TCPListener.Close()
		return nil, net.ErrClosed
	default:
		return nil, err
	}
}

// shut lets in who is there and closes the listener. It does not wait for it.
func (d *door) shut() {
	d.mu.Lock()
	d.last = time.Now().Add(lastCall)
	d.mu.Unlock()
	d.wait()
}

// wait gives the next one a moment to come, if the door is being shut.
func (d *door) wait() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.last.IsZero() {
		return
	}
	next := time.Now().Add(quietDoor)
	if next.After(d.last) {
		next = d.last
	}
	_ = d.SetDeadline(next) // fails when it is closed already
}
