package web

import (
	"encoding/binary"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"example.com/portpair/services/twelve/logs"
	"github.com/cespare/xxhash/v2"
)

var (
	jsonType = []string{"application/json; charset=utf-8"}
	htmlType = []string{"text/html; charset=utf-8"}
	cssType  = []string{"text/css; charset=utf-8"}

	gzipped = []string{"gzip"}
	noSniff = []string{"nosniff"}
)

// counted is how long a body may be, in bytes, for net/http to send it as one
// and to say its length by itself.
const counted = 2 << 10

// answer is the body of a 200 as a whole.
type answer struct {
	contentType []string
	body        []byte
	sum         uint64 // of body
}

func newAnswer(contentType []string, body []byte) answer {
	return answer{contentType, body, xxhash.Sum64(body)}
}

// write writes the answer, whose Cache-Control is set, or a 304.
func (a answer) write(w http.ResponseWriter, r *http.Request) {
	zipped := mayZip(w, r, len(a.body))
	if !begin(w, r, a.contentType, a.sum, zipped) {
		return
	}
	if zipped {
		a.body = new(zipper).append(nil, a.body, true)
	}
	if len(a.body) > counted {
		w.Header()["Content-Length"] = []string{strconv.Itoa(len(a.body))}
	}
	_, _ = w.Write(a.body) // a client that left is no error of ours
}

// mayZip decides whether a body of that size is zipped, and notes on what the
// decision rests.
func mayZip(w http.ResponseWriter, r *http.Request, size int) bool {
	if size <= onePacket {
		return false
	}
	h := w.Header()
	h.Set("Vary", h.Get("Vary")+", Accept-Encoding")
	return acceptsGzip(r.Header)
}

// begin sets the headers of a 200, or writes a 304 and reports false.
func begin(w http.ResponseWriter, r *http.Request, contentType []string, sum uint64, zipped bool) bool {
	tag := tagOf(sum, zipped)
	h := w.Header()
	h["Etag"] = []string{tag}
	if isKnown(r.Header, tag) {
		w.WriteHeader(http.StatusNotModified)
		return false
	}
	if zipped {
		h["Content-Encoding"] = gzipped
	}
	h["Content-Type"] = contentType
	h["X-Content-Type-Options"] = noSniff
	return true
}

// chunk is what a long answer is written in. A client that is slow to read
// holds one, the same zipped, and no compressor.
const chunk = 32 << 10

// stream writes JSON of any length. What stays within a chunk is written as
// any other answer; the rest goes out chunk by chunk.
type stream struct {
	w        http.ResponseWriter
	r        *http.Request
	patience time.Duration // with the client, for each chunk
	// fingerprint stands for the part of a long body that is not rendered yet
	// when its ETag is due.
	fingerprint func() uint64

	body  []byte // not written yet
	begun bool
	zip   *zipper // nil: the client takes none
	out   []byte
}

// flush writes what there is if it is a chunk, and reports whether more is of
// use: not to a client that left, has the answer, or asked with HEAD.
func (s *stream) flush() bool {
	if len(s.body) < chunk {
		return true
	}
	return s.send(false)
}

// close writes the rest.
func (s *stream) close() {
	if !s.begun {
		newAnswer(jsonType, s.body).write(s.w, s.r)
		return
	}
	s.send(true)
}

func (s *stream) send(last bool) bool {
	if !s.begun && !s.open() {
		return false
	}
	out := s.body
	if s.zip != nil {
		s.out = s.zip.append(s.out[:0], s.body, last)
		out = s.out
	}
	s.body = s.body[:0]
	// The server's own limit is for the whole answer, and would cut off whoever
	// reads a long one slowly. Without deadlines (in tests) this does nothing.
	_ = http.NewResponseController(s.w).SetWriteDeadline(time.Now().Add(s.patience))
	if _, err := s.w.Write(out); err != nil {
		logs.Attach(s.r.Context(), fmt.Errorf("the client took only a part: %w", err))
		return false
	}
	return true
}

// open begins the answer, of which the first chunk is known. A release that
// renders the same rates otherwise shows in that chunk, other rates in the
// fingerprint.
func (s *stream) open() bool {
	s.begun = true
	zipped := mayZip(s.w, s.r, len(s.body))
	sum := xxhash.Sum64(binary.LittleEndian.AppendUint64(s.body, s.fingerprint()))
	if !begin(s.w, s.r, jsonType, sum, zipped) || s.r.Method == http.MethodHead {
		return false
	}
	if zipped {
		s.zip = new(zipper)
	}
	return true
}
