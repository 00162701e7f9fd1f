package port

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// echoes is another protocol: it sends back what it gets.
type echoes struct {
	mu       sync.Mutex
	open     []net.Conn
	shut     chan struct{} // closed when Shutdown begins
	ready    chan struct{} // Shutdown returns when it is closed
	accepted chan struct{}
}

func newEchoes() *echoes {
	return &echoes{shut: make(chan struct{}), ready: make(chan struct{}), accepted: make(chan struct{}, 9)}
}

func (e *echoes) Serve(l net.Listener) error {
	for {
		conn, err := l.Accept()
		if err != nil {
			return err
		}
		e.mu.Lock()
		e.open = append(e.open, conn)
		e.mu.Unlock()
		e.accepted <- struct{}{}
	}
}

func (e *echoes) Shutdown(ctx context.Context) error {
	close(e.shut)
	defer func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		for _, conn := range e.open {
			conn.Close()
		}
	}()
	select {
	case <-e.ready:
		return nil
	case <-ctx.Done():
		return errors.New("1 was cut off")
	}
}

func TestTheSecondPortOpensAndDrainsWithTheFirst(t *testing.T) {
	t.Parallel()
	e, s := newEchoes(), server(t, http.NotFoundHandler())
	s.Second = &Second{Scheme: "echo", Listeners: listenLocal(t, "localhost"), Protocol: e}
	at := start(t, s)
	for _, l := range s.Second.Listeners {
		dial(t, l.Addr().String())
		within(t, e.accepted, "a connection")
	}
	at.cancel()
	within(t, e.shut, "Shutdown")
	for _, l := range s.Second.Listeners {
		closes(t, l.Addr().String())
	}
	select {
	case <-at.done:
		t.Error("got the end before the second port's")
	case <-time.After(2 * lameDuck): // the first port's drain would be over
	}
	close(e.ready)
	if err := at.wait(t); err != nil {
		t.Error(err)
	}
}

func TestTheSecondPortHasNoLongerThanTheFirst(t *testing.T) {
	t.Parallel()
	e, s := newEchoes(), server(t, http.NotFoundHandler())
	s.DrainTimeout = 50 * time.Millisecond
	s.Second = &Second{Scheme: "echo", Listeners: listenLocal(t, "127.0.0.1"), Protocol: e}
	at := start(t, s)
	at.cancel()
	if err := at.wait(t); err == nil || err.Error() != "drain: echo: 1 was cut off" {
		t.Errorf("got %v", err)
	}
}

func TestBothPortsEndWhenOneFails(t *testing.T) {
	t.Parallel()
	e, s := newEchoes(), server(t, http.NotFoundHandler())
	second := listenLocal(t, "127.0.0.1")
	s.Second = &Second{Scheme: "echo", Listeners: second, Protocol: e}
	second[0].Close()
	at := start(t, s)
	if err := at.wait(t); err == nil || !strings.HasPrefix(err.Error(), "serving: ") {
		t.Errorf("got %v, want that serving failed", err)
	}
	closes(t, at.url)
}
