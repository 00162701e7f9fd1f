package ratesapi

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// What a server of the Redis protocol may answer at once.
const (
	maxString = 64 << 10 // bytes that a string claims
	maxItems  = 1 << 15  // items that arrays claim, all together
	maxSaid   = 4 << 10  // bytes that are kept of an error
)

var errClaims = errors.New("the answer claims to be larger than rates can be")

// notRedis is what a server says that is not of the protocol. It wraps nothing,
// for go-redis may unwrap what a connection returns.
type notRedis string

func (said notRedis) Error() string {
	return "what answers does not speak the Redis protocol: it says " + string(said)
}

// refusedLogin is what a server said to a login before it ended the
// connection: go-redis takes it for one that knows no HELLO, and goes on.
type refusedLogin string

func (said refusedLogin) Error() string { return string(said) }

// guard reads along what comes over a connection, and ends it at what is not
// the Redis protocol, version 2, or too much: go-redis makes room for any
// length that an answer claims before a byte of it has come.
type guard struct {
	net.Conn
	breaks *atomic.Int64 // the client's count of them
	since  int64         // what that was when this connection was opened
	login  *time.Timer   // closes it, unless it is asked for rates before

	scrub func(string) string // of the handle's credentials
	asked bool                // for rates
	said  []byte              // the error that the login was answered with, if that is the last that came

	kind   byte // of the line that is being read; 0: one begins
	number int  // on that line
	digits int
	minus  bool
	skip   int // bytes left of a string and its end
	bytes  int // left to come
	items  int // left to be claimed
}

// newGuard makes one that closes the connection itself, at an error or when it
// is not asked for rates in time: after a login that fails go-redis forgets to.
func newGuard(conn net.Conn, breaks *atomic.Int64, since int64, login time.Duration, scrub func(string) string) *guard {
	return &guard{Conn: conn, breaks: breaks, since: since, scrub: scrub, login: time.AfterFunc(login, func() { conn.Close() })}
}

func (g *guard) Close() error {
	g.login.Stop()
	return g.Conn.Close()
}

// Write asks for another answer.
func (g *guard) Write(b []byte) (int, error) {
	g.bytes, g.items = maxBody, maxItems
	if bytes.Contains(b, []byte(keyPrefix)) && !isLogin(b) {
		g.login.Stop()
		g.asked = true
	}
	n, err := g.Conn.Write(b)
	return n, g.why(err)
}

// isLogin tells HELLO and AUTH from questions; a password may look like a key.
func isLogin(b []byte) bool {
	_, rest, _ := bytes.Cut(b, []byte("\r\n"))
	return bytes.HasPrefix(rest, []byte("$5\r\nhello\r\n")) || bytes.HasPrefix(rest, []byte("$4\r\nauth\r\n"))
}

// why is why a connection ended: what its server said to the login, if that
// is the last that it said.
func (g *guard) why(err error) error {
	if err != nil && len(g.said) > 0 && !isTimeout(err) {
		return refusedLogin(g.said)
	}
	return err
}

func (g *guard) Read(b []byte) (int, error) {
	n, err := g.Conn.Read(b)
	if wrong := g.follow(b[:n]); wrong != nil {
		n, err = 0, wrong
	}
	if err != nil {
		g.Close()
		err = g.why(err)
	}
	return n, err
}

// follow goes along the next bytes of an answer.
func (g *guard) follow(b []byte) error {
	if g.bytes -= len(b); g.bytes < 0 {
		return errTooLarge
	}
	for len(b) > 0 {
		switch {
		case g.skip > 0:
			n := min(g.skip, len(b))
			g.skip -= n
			b = b[n:]
		case g.kind == 0:
			if !strings.ContainsRune("+-:$*", rune(b[0])) {
				return notRedis(fmt.Sprintf("%.40q", g.scrub(string(b)))) // scrubbed first: half a password would not be found
			}
			g.kind, g.number, g.digits, g.minus = b[0], 0, 0, false
			g.said = nil
			b = b[1:]
		case g.kind != '$' && g.kind != '*': // one line, whatever it says
			line, rest, ended := bytes.Cut(b, []byte{'\n'})
			if g.kind == '-' && !g.asked && len(g.said) < maxSaid {
				g.said = append(g.said, line...)
			}
			if b = rest; ended {
				g.kind = 0
			}
		default:
			if err := g.claim(b[0]); err != nil {
				return err
			}
			b = b[1:]
		}
	}
	return nil
}

// claim reads on in the number that a string or an array begins with.
func (g *guard) claim(c byte) error {
	switch {
	case c == '-' && g.digits == 0 && !g.minus:
		g.minus = true
	case '0' <= c && c <= '9' && g.digits < len("1000000"):
		g.number = 10*g.number + int(c-'0')
		g.digits++
	case c == '\r' && g.digits > 0:
	case c == '\n' && g.digits > 0:
		return g.claimed()
	default:
		return notRedis("a length that is none")
	}
	return nil
}

func (g *guard) claimed() error {
	kind := g.kind
	g.kind = 0
	switch {
	case g.minus: // -1 is nothing, in either
		if g.number != 1 {
			return notRedis("a length under 0")
		}
	case kind == '$':
		g.skip = g.number + len("\r\n")
		if g.number > maxString {
			return errClaims
		}
	default:
		if g.items -= g.number; g.items < 0 {
			return errClaims
		}
	}
	return nil
}

// SyscallConn is what go-redis looks through whether a connection at rest has
// ended. One from before others broke counts as ended too.
func (g *guard) SyscallConn() (syscall.RawConn, error) {
	if g.breaks.Load() != g.since {
		return nil, net.ErrClosed
	}
	if c, ok := g.Conn.(syscall.Conn); ok {
		return c.SyscallConn()
	}
	return opaque{}, nil
}

// opaque is a connection that cannot be looked through, as one over TLS.
type opaque struct{}

func (opaque) Control(func(uintptr)) error    { return nil }
func (opaque) Read(func(uintptr) bool) error  { return nil }
func (opaque) Write(func(uintptr) bool) error { return nil }
