// Package logs is an app's event stream (factor XI): slog to stdout, one
// write per line, nothing buffered. Its middleware gives every request an id
// and one line, and passes both id and trace on to backing services, so that
// one id finds a request in the logs of every app that it crossed.
//
// What happens to the stream it leaves to the platform.
package logs

import (
	"errors"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"unicode"

	_ "example.com/portpair/services/twelve/logs/quiet"
)

// Format is how a line is written.
type Format string

// The formats: JSON for machines, Text for people.
const (
	JSON Format = "json"
	Text Format = "text"
)

// UnmarshalText reads "json" or "text".
func (f *Format) UnmarshalText(text []byte) error {
	*f = Format(text)
	if *f != JSON && *f != Text {
		return errors.New("want json or text")
	}
	return nil
}

// New returns a logger that writes each line to w at once, in one call.
func New(w io.Writer, level slog.Level, format Format) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if format == Text {
		return slog.New(slog.NewTextHandler(w, options))
	}
	if f, ok := w.(*os.File); ok {
		w = direct{f}
	} else {
		w = &locked{w: w}
	}
	return slog.New(&jsonHandler{slog.NewJSONHandler(w, options), w})
}

// locked makes a writer safe for concurrent use.
type locked struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *locked) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

// maxForeign is how much of a foreign text is shown, in bytes.
const maxForeign = 200

// Clean makes a text that others sent safe to show in a page, a log or a
// terminal: control and formatting characters and broken UTF-8 replaced, what
// is over 200 bytes cut off with an ellipsis.
func Clean(s string) string {
	if len(s) <= maxForeign && isPlain(s) {
		return s
	}
	cut := len(s) > maxForeign
	if cut {
		s = s[:maxForeign]
	}
	s = strings.Map(func(r rune) rune {
		if unicode.IsGraphic(r) && r != unicode.ReplacementChar {
			return r
		}
		return '�'
	}, s)
	if cut || len(s) > maxForeign { // a replaced byte has become three
		s = strings.ToValidUTF8(s[:min(len(s), maxForeign)], "")
		s = strings.TrimRight(s, "�") + "…"
	}
	return s
}

// isPlain reports whether s is of printable ASCII, as most of it is.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
