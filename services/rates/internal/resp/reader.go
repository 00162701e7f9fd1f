package resp

import (
	"bytes"
	"errors"
	"io"
)

// What a request may hold. A client's claims are held against these before
// anything is kept, and what is kept has arrived.
const (
	maxArgs   = 64
	maxArg    = 512     // bytes
	maxLine   = 4 << 10 // of a request in one line, as people type them
	maxNumber = 32      // of a line that holds a length

	maxRequest  = 1 + maxNumber + maxArgs*(1+maxNumber+maxArg+len("\r\n"))
	smallBuffer = 2 << 10 // what a connection at rest keeps
)

// protocolError is what is wrong with the bytes of a request. The connection
// ends with it: nobody knows where the next request begins.
type protocolError string

func (e protocolError) Error() string { return "Protocol error: " + string(e) }

const (
	errArgs   protocolError = "invalid multibulk length, at most 64 arguments are read"
	errArg    protocolError = "invalid bulk length, at most 512 bytes are read"
	errDollar protocolError = "expected '$' before the length of an argument"
	errEnd    protocolError = "an argument is longer than its length says"
	errLine   protocolError = "too big inline request, at most 4096 bytes are read"
)

// errPartial says that the end of a request has not arrived.
var errPartial = errors.New("partial request")

// reader finds the requests in what a client sends. Arguments are pieces of
// its buffer, good until the next fill.
type reader struct {
	from io.Reader
	buf  []byte
	next int // where the next request begins
	args [][]byte
}

// request is the next whole one that has arrived, or errPartial.
func (r *reader) request() ([][]byte, error) {
	for r.partial() {
		args, size, err := parse(r.args[:0], r.buf[r.next:])
		if err != nil {
			return nil, err
		}
		r.args = args
		r.next += size
		if len(args) > 0 { // else it asks for nothing, and Redis passes over it
			return args, nil
		}
	}
	return nil, errPartial
}

// partial reports whether a request has begun to arrive.
func (r *reader) partial() bool { return r.next < len(r.buf) }

// fill reads more behind what is there. Only a request that does not fit
// makes the buffer grow, to the largest that there can be at most.
func (r *reader) fill() error {
	rest := r.buf[r.next:]
	size := cap(r.buf)
	switch len(rest) {
	case 0:
		size = smallBuffer
	case size:
		size = min(2*size, maxRequest)
	}
	if size == cap(r.buf) {
		r.buf = append(r.buf[:0], rest...)
	} else {
		r.buf = append(make([]byte, 0, size), rest...)
	}
	r.next = 0
	n, err := r.from.Read(r.buf[len(rest):size])
	r.buf = r.buf[:len(rest)+n]
	if n > 0 {
		return nil // an error comes back with the next read
	}
	return err
}

// parse appends to args the arguments of the request that b begins with, and
// returns its size.
func parse(args [][]byte, b []byte) (_ [][]byte, size int, err error) {
	if b[0] != '*' {
		line, rest, err := cutLine(b, maxLine, errLine)
		if err == nil {
			args, err = appendWords(args, line)
		}
		return args, len(b) - len(rest), err
	}
	count, rest, err := cutNumber(b[1:], errArgs)
	if err != nil {
		return args, 0, err
	}
	if count > maxArgs {
		return args, 0, errArgs
	}
	for range count {
		if len(rest) == 0 {
			return args, 0, errPartial
		}
		if rest[0] != '$' {
			return args, 0, errDollar
		}
		var length int
		if length, rest, err = cutNumber(rest[1:], errArg); err != nil {
			return args, 0, err
		}
		switch {
		case length < 0 || length > maxArg:
			return args, 0, errArg
		case len(rest) < length+len("\r\n"):
			return args, 0, errPartial
		case rest[length] != '\r' || rest[length+1] != '\n':
			return args, 0, errEnd
		}
		args, rest = append(args, rest[:length]), rest[length+len("\r\n"):]
	}
	return args, len(b) - len(rest), nil
}

// cutLine cuts the line off that b begins with, of at most so many bytes with
// its end.
func cutLine(b []byte, most int, tooLong error) (line, rest []byte, err error) {
	end := bytes.IndexByte(b[:min(len(b), most)], '\n')
	switch {
	case end >= 0:
		return bytes.TrimSuffix(b[:end], []byte{'\r'}), b[end+1:], nil
	case len(b) >= most:
		return nil, b, tooLong
	default:
		return nil, b, errPartial
	}
}

// cutNumber cuts a line off that is a whole number. What is over a million is
// none: no limit is.
func cutNumber(b []byte, bad error) (n int, rest []byte, err error) {
	line, rest, err := cutLine(b, maxNumber, bad)
	if err != nil {
		return 0, rest, err
	}
	digits := bytes.TrimPrefix(line, []byte{'-'})
	if len(digits) == 0 {
		return 0, rest, bad
	}
	for _, d := range digits {
		if d < '0' || d > '9' || n > 1e6 {
			return 0, rest, bad
		}
		n = 10*n + int(d-'0')
	}
	if len(digits) < len(line) {
		n = -n
	}
	return n, rest, nil
}

// appendWords appends the words of a line. Quotes mean nothing: no key needs
// them.
func appendWords(args [][]byte, line []byte) ([][]byte, error) {
	for {
		line = bytes.TrimLeft(line, " \t")
		if len(line) == 0 {
			return args, nil
		}
		end := bytes.IndexAny(line, " \t")
		if end < 0 {
			end = len(line)
		}
		switch {
		case end > maxArg:
			return args, errArg
		case len(args) == maxArgs:
			return args, errArgs
		}
		args, line = append(args, line[:end]), line[end:]
	}
}
