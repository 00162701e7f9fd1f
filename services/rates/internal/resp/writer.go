package resp

import (
	"io"
	"strconv"
	"sync"

	"example.com/portpair/services/rates/internal/fx"
)

// A long reply goes out in pieces of this size, whatever its length.
const piece = 16 << 10

// buffers are shared by the connections that are answering just now: one at
// rest holds none. A piece is sent before what has no room is added, and
// nothing that is added at once is longer than a line.
var buffers = sync.Pool{New: func() any {
	b := make([]byte, 0, piece+maxLine)
	return &b
}}

// writer renders replies, in the protocol that its client speaks: RESP2 until
// it says HELLO 3.
type writer struct {
	to     io.Writer // fails when the client does not read
	resp3  bool
	buf    *[]byte // from buffers; nil: nothing to send
	errors int     // replies so far that were errors
	err    error   // of the last write; nothing is sent after it
}

// grow is where the next piece of a reply goes.
func (w *writer) grow() []byte {
	if w.buf == nil {
		w.buf = buffers.Get().(*[]byte)
	}
	if len(*w.buf) >= piece {
		w.send()
	}
	return *w.buf
}

func (w *writer) send() {
	if w.err == nil {
		_, w.err = w.to.Write(*w.buf)
	}
	*w.buf = (*w.buf)[:0]
}

// flush sends what there is, and returns why something was not sent.
func (w *writer) flush() error {
	if w.buf != nil {
		w.send()
		buffers.Put(w.buf)
		w.buf = nil
	}
	return w.err
}

// head begins what says its length or its number first.
func (w *writer) head(mark byte, n int) {
	*w.buf = appendHead(w.grow(), mark, n)
}

func appendHead(b []byte, mark byte, n int) []byte {
	if 0 <= n && n < 10 { // as most are
		return append(b, mark, '0'+byte(n), '\r', '\n')
	}
	return append(strconv.AppendInt(append(b, mark), int64(n), 10), "\r\n"...)
}

func (w *writer) int(n int)   { w.head(':', n) }
func (w *writer) array(n int) { w.head('*', n) }

// pairs begins a map: of so many fields and values.
func (w *writer) pairs(n int) {
	if w.resp3 {
		w.head('%', n)
	} else {
		w.head('*', 2*n)
	}
}

// set begins a list whose order means nothing.
func (w *writer) set(n int) {
	if w.resp3 {
		w.head('~', n)
	} else {
		w.head('*', n)
	}
}

func (w *writer) null() {
	if w.resp3 {
		*w.buf = append(w.grow(), "_\r\n"...)
	} else {
		*w.buf = append(w.grow(), "$-1\r\n"...)
	}
}

func (w *writer) simple(s string) { w.line('+', s) }

// fail answers with an error: a code in capitals and what is wrong.
func (w *writer) fail(s string) {
	w.errors++
	w.line('-', s)
}

// line is a reply of one line, which what others sent cannot break in two.
func (w *writer) line(mark byte, s string) {
	b := append(w.grow(), mark)
	for i := range min(len(s), maxLine/2) {
		if s[i] == '\r' || s[i] == '\n' {
			b = append(b, ' ')
		} else {
			b = append(b, s[i])
		}
	}
	*w.buf = append(b, "\r\n"...)
}

func bulk[text string | []byte](w *writer, s text) {
	b := append(appendHead(w.grow(), '$', len(s)), s...)
	*w.buf = append(b, '\r', '\n')
}

// text is a bulk that RESP3 knows to be for people.
func (w *writer) text(s string) {
	if w.resp3 {
		w.head('=', len("txt:")+len(s))
		*w.buf = append(*w.buf, "txt:"...)
		*w.buf = append(append(*w.buf, s...), "\r\n"...)
		return
	}
	bulk(w, s)
}

func (w *writer) day(d fx.Day) {
	var room [16]byte
	bulk(w, d.Append(room[:0]))
}

func (w *writer) rate(d fx.Decimal) {
	var room [32]byte
	bulk(w, d.Append(room[:0]))
}

// score is a whole number where Redis answers with a double.
func (w *writer) score(n int) {
	if w.resp3 {
		w.head(',', n)
		return
	}
	var room [20]byte
	bulk(w, strconv.AppendInt(room[:0], int64(n), 10))
}
