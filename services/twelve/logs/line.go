package logs

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"strconv"
	"sync"
	"time"
)

// jsonHandler is slog's, and knows where its lines go: those of requests,
// which are most, are written there by hand. A line then costs its write(2) and
// half a microsecond more; slog's costs two, and a lock that is held during the
// write.
type jsonHandler struct {
	*slog.JSONHandler
	w io.Writer // safe for concurrent use
}

// requestLine is what a line says of a request.
type requestLine struct {
	level                      slog.Level
	time                       time.Time
	method, path, route        string
	status                     int
	bytes                      int64
	took                       time.Duration
	requestID, traceID, client string
	err                        error
}

func (l *requestLine) attrs() []slog.Attr {
	attrs := append(make([]slog.Attr, 0, 12),
		slog.String("method", l.method),
		slog.String("path", l.path),
		slog.String("route", l.route),
		slog.Int("status", l.status),
		slog.Int64("bytes", l.bytes),
		slog.String("duration", l.took.String()),
		slog.String("request_id", l.requestID),
		slog.String("trace_id", l.traceID),
		slog.String("client", l.client),
	)
	if l.err != nil {
		attrs = append(attrs, slog.String("error", l.err.Error()))
	}
	return attrs
}

var lineBuffers = sync.Pool{New: func() any { return new([]byte) }}

// write writes what slog would write of attrs, byte for byte.
func (l *requestLine) write(w io.Writer) {
	buffer := lineBuffers.Get().(*[]byte)
	b := append((*buffer)[:0], `{"time":"`...)
	b = l.time.AppendFormat(b, time.RFC3339Nano)
	b = append(b, `","level":"`...)
	b = append(b, l.level.String()...)
	b = append(b, `","msg":"request","method":`...)
	b = appendString(b, l.method)
	b = appendString(append(b, `,"path":`...), l.path)
	b = appendString(append(b, `,"route":`...), l.route)
	b = strconv.AppendInt(append(b, `,"status":`...), int64(l.status), 10)
	b = strconv.AppendInt(append(b, `,"bytes":`...), l.bytes, 10)
	b = append(append(b, `,"duration":"`...), l.took.String()...) // which is not ASCII, and nothing to escape
	b = append(b, '"')
	b = appendString(append(b, `,"request_id":`...), l.requestID)
	b = appendString(append(b, `,"trace_id":`...), l.traceID)
	b = appendString(append(b, `,"client":`...), l.client)
	if l.err != nil {
		b = appendString(append(b, `,"error":`...), l.err.Error())
	}
	b = append(b, "}\n"...)
	_, _ = w.Write(b)    // there is nowhere to say that it cannot be said
	if cap(b) <= 4<<10 { // a panic's line is long, and rare
		*buffer = b
		lineBuffers.Put(buffer)
	}
}

// appendString appends text as JSON.
func appendString(b []byte, text string) []byte {
	for _, c := range []byte(text) {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			return appendEscaped(b, text)
		}
	}
	b = append(append(b, '"'), text...)
	return append(b, '"')
}

func appendEscaped(b []byte, text string) []byte {
	var escaped bytes.Buffer
	e := json.NewEncoder(&escaped)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // a string can be
	return append(b, bytes.TrimSuffix(escaped.Bytes(), []byte{'\n'})...)
}
