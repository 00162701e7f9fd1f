package resp

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"syscall"
	"time"

	"example.com/portpair/services/twelve/logs"
)

// client is one connection, and what it has said of itself.
type client struct {
	net.Conn
	server *Server
	id     int
	r      reader
	w      writer

	known    bool // authenticated, or nobody asks for that
	name     string
	quit     bool
	commands int

	opened time.Time
	asked  time.Time // when the request began that has arrived in part; zero: none has
	more   bool      // the last read brought a good part of a buffer: there may be more at hand
}

func newClient(s *Server, conn net.Conn, id int) *client {
	c := &client{Conn: conn, server: s, id: id, known: s.Access.IsZero(), opened: time.Now()}
	c.r.from, c.w.to = c, c
	return c
}

// serve serves the connection to its end, and writes its line.
func (c *client) serve() {
	defer c.Close()
	level, end := slog.LevelInfo, ""
	defer func() {
		if v := recover(); v != nil {
			level, end = slog.LevelError, fmt.Sprintf("panic: %v", v)
		}
		c.server.Log.LogAttrs(c.server.ctx, level, "connection",
			slog.String("client", c.RemoteAddr().String()),
			slog.Int("commands", c.commands),
			slog.Int("errors", c.w.errors),
			slog.String("duration", time.Since(c.opened).Round(time.Microsecond).String()),
			slog.String("end", logs.Clean(end)))
	}()
	end = c.loop()
	if c.commands == 0 {
		level = slog.LevelDebug // somebody looked whether the port is open
	}
}

// loop answers requests, and sends the answers when it has to wait for the
// next. It returns why it ended.
func (c *client) loop() string {
	arrived := c.opened
	for !c.quit && c.w.err == nil {
		args, err := c.r.request()
		if err == nil {
			c.answer(args)
			continue
		}
		if err != errPartial {
			c.w.fail("ERR " + err.Error())
			if c.w.flush() != nil {
				break
			}
			return err.Error()
		}
		if c.w.buf != nil {
			if c.w.flush() != nil {
				break
			}
			c.server.took(time.Since(arrived))
		}
		if err := c.r.fill(); err != nil {
			return c.whyReadEnded(err)
		}
		arrived = time.Now()
	}
	if err := c.w.flush(); err != nil {
		return whyWriteEnded(err)
	}
	return "quit"
}

// Read waits for what the client sends next: for long at rest, and not so
// long for the rest of a request.
func (c *client) Read(b []byte) (int, error) {
	now := time.Now()
	switch {
	case !c.r.partial():
		c.asked = time.Time{}
		_ = c.SetReadDeadline(now.Add(c.server.Limits.Idle)) // fails when the connection has ended, and so will what comes next
	case c.asked.IsZero():
		c.asked = now
		_ = c.SetReadDeadline(now.Add(c.server.Limits.Request))
	}
	if last := c.server.lastCall.Load(); last != nil { // after that, lest Shutdown came in between
		if c.hurry(*last); c.more && now.After(*last) { // it has arrived before, as far as anybody can tell
			_ = c.SetReadDeadline(now.Add(atHand))
		}
	}
	n, err := c.Conn.Read(b)
	c.more = 4*n >= len(b)
	return n, err
}

// hurry gives what is on its way a moment to arrive, until the last call.
func (c *client) hurry(last time.Time) {
	next := time.Now().Add(quiet)
	if next.After(last) {
		next = last
	}
	_ = c.SetReadDeadline(next)
}

// Write sends an answer, if the client takes it.
func (c *client) Write(b []byte) (int, error) {
	_ = c.SetWriteDeadline(time.Now().Add(c.server.Limits.Write))
	return c.Conn.Write(b)
}

func (c *client) whyReadEnded(err error) string {
	switch {
	case errors.Is(err, io.EOF) && c.r.partial():
		return "client closed within a request"
	case errors.Is(err, io.EOF):
		return "client closed"
	case !errors.Is(err, os.ErrDeadlineExceeded):
		return cause(err)
	case c.server.lastCall.Load() != nil:
		return "drained"
	case c.r.partial():
		return "request not finished in time"
	default:
		return "idle"
	}
}

func whyWriteEnded(err error) string {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return "client does not read"
	}
	return cause(err)
}

// cause is an error without the addresses that net puts before it.
func cause(err error) string {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno.Error()
	}
	if errors.Is(err, net.ErrClosed) {
		return "cut off"
	}
	return err.Error()
}
