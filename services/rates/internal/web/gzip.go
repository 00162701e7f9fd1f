package web

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"hash/crc32"
	"net/http"
	"strings"
	"sync"
)

// onePacket is about what one TCP segment carries. A body within it takes the
// network as long zipped as plain; unzipping is then all that is left.
const onePacket = 1400

// zipper makes one gzip stream (RFC 1952) of chunks that are each compressed
// alone. So a compressor, over a megabyte, is borrowed for the moment that
// a chunk takes, and never held by a client that is slow to read.
type zipper struct {
	begun     bool
	crc, size uint32
}

var gzipHeader = []byte{0x1f, 0x8b, 8 /* deflate */, 0, 0, 0, 0, 0, 4 /* fastest */, 255 /* unknown system */}

var compressors = sync.Pool{New: func() any {
	c, err := flate.NewWriter(nil, flate.BestSpeed)
	if err != nil {
		panic(err) // the level is a constant
	}
	return c
}}

// append appends a chunk, zipped. Nothing follows the last one.
func (z *zipper) append(dst, chunk []byte, last bool) []byte {
	if !z.begun {
		dst = append(dst, gzipHeader...)
		z.begun = true
	}
	z.crc = crc32.Update(z.crc, crc32.IEEETable, chunk)
	z.size += uint32(len(chunk))

	out := bytes.NewBuffer(dst)
	c := compressors.Get().(*flate.Writer)
	c.Reset(out)
	_, _ = c.Write(chunk) // a Buffer takes all
	if last {
		_ = c.Close()
	} else {
		_ = c.Flush() // to a whole byte, where the next chunk's blocks may begin
	}
	compressors.Put(c)

	dst = out.Bytes()
	if last {
		dst = binary.LittleEndian.AppendUint32(dst, z.crc)
		dst = binary.LittleEndian.AppendUint32(dst, z.size)
	}
	return dst
}

// acceptsGzip reports whether the client takes gzip, and likes it no less
// than no coding at all (RFC 9110, section 12.5.3).
func acceptsGzip(h http.Header) bool {
	zipped, plain, other := -1, -1, -1 // in thousandths; -1: not named
	for coding := range strings.SplitSeq(strings.Join(h["Accept-Encoding"], ","), ",") {
		name, params, _ := strings.Cut(coding, ";")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "gzip", "x-gzip":
			zipped = weight(params)
		case "identity":
			plain = weight(params)
		case "*":
			other = weight(params)
		}
	}
	if zipped < 0 {
		zipped = other
	}
	if plain < 0 {
		plain = other
	}
	return zipped > 0 && zipped >= plain
}

// weight reads "q=0.5" as thousandths. Without a q it is 1, and what cannot be
// read is 0: not wanted.
func weight(params string) int {
	q, given := strings.CutPrefix(strings.ToLower(strings.TrimSpace(params)), "q=")
	if !given {
		return 1000
	}
	whole, fraction, _ := strings.Cut(q, ".")
	if whole != "0" && whole != "1" || len(fraction) > 3 {
		return 0
	}
	n := 0
	for _, digit := range []byte(whole + (fraction + "000")[:3]) {
		if digit < '0' || digit > '9' {
			return 0
		}
		n = n*10 + int(digit-'0')
	}
	return min(n, 1000)
}
