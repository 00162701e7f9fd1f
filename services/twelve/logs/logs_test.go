package logs

import (
	"bytes"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// writes keeps what each Write got.
type writes [][]byte

func (w *writes) Write(p []byte) (int, error) {
	*w = append(*w, bytes.Clone(p))
	return len(p), nil
}

func TestEachLineIsWrittenAtOnce(t *testing.T) {
	for _, format := range []Format{JSON, Text} {
		t.Run(string(format), func(t *testing.T) {
			var w writes
			log := New(&w, slog.LevelInfo, format)
			for i := range 3 {
				log.Info("one\nof\r\nthree", "large", strings.Repeat("x", 64<<10), "hostile", "\x00\n\x1b[2J\u2028")
				if len(w) != i+1 {
					t.Fatalf("got %d writes after %d lines, want nothing buffered", len(w), i+1)
				}
				line := w[i]
				if bytes.Count(line, []byte("\n")) != 1 || !bytes.HasSuffix(line, []byte("\n")) {
					t.Errorf("got %q, want one line", line)
				}
				if bytes.ContainsAny(line, "\x00\x1b\r") {
					t.Errorf("got control characters in %q", line)
				}
			}
		})
	}
}

func TestFormats(t *testing.T) {
	for _, tt := range []struct {
		format Format
		want   string
	}{
		{JSON, `"level":"INFO","msg":"attached","rates":"http://localhost:5100"}` + "\n"},
		{Text, ` level=INFO msg=attached rates=http://localhost:5100` + "\n"},
	} {
		t.Run(string(tt.format), func(t *testing.T) {
			var b bytes.Buffer
			New(&b, slog.LevelInfo, tt.format).Info("attached", "rates", "http://localhost:5100")
			if got := b.String(); !strings.HasSuffix(got, tt.want) {
				t.Errorf("got %q, want it to end in %q", got, tt.want)
			}
		})
	}
}

func TestFormatIsJSONOrText(t *testing.T) {
	for _, tt := range []struct {
		text string
		ok   bool
	}{{"json", true}, {"text", true}, {"", false}, {"JSON", false}, {"xml", false}, {"text ", false}} {
		t.Run(tt.text, func(t *testing.T) {
			var f Format
			err := f.UnmarshalText([]byte(tt.text))
			if ok := err == nil; ok != tt.ok || ok && string(f) != tt.text {
				t.Errorf("got %q, error %v, want ok %v", f, err, tt.ok)
			}
		})
	}
}

func TestTheLevelIsTheLeastLogged(t *testing.T) {
	all := []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError}
	for i, level := range all {
		t.Run(level.String(), func(t *testing.T) {
			var w writes
			log := New(&w, level, Text)
			for _, l := range all {
				log.Log(t.Context(), l, "line")
			}
			if got, want := len(w), len(all)-i; got != want {
				t.Errorf("got %d lines, want %d", got, want)
			}
		})
	}
}

func TestClean(t *testing.T) {
	long := strings.Repeat("x", 200)
	for _, tt := range []struct{ name, s, want string }{
		{"nothing", "", ""},
		{"a path", "/v1/2026-08-21", "/v1/2026-08-21"},
		{"quotes and markup, which who shows them escapes", `<b>"&'`, `<b>"&'`},
		{"other scripts and pictures", "größe 東京 😀", "größe 東京 😀"},
		{"a newline", "a\nb\rc\td", "a�b�c�d"},
		{"a terminal's escape", "\x1b[2J", "�[2J"},
		{"a NUL and a DEL", "a\x00b\x7fc", "a�b�c"},
		{"the other controls", "a\u0085b\u009bc", "a�b�c"},
		{"text that turns around", "a\u202eb\u2066c\u200fd", "a�b�c�d"},
		{"text without width", "a\u200bb\ufeffc\u2060d", "a�b�c�d"},
		{"lines and paragraphs of Unicode", "a\u2028b\u2029c", "a�b�c"},
		{"broken UTF-8", "a\xffb\xc3", "a�b�"},
		{"private use", "a\ue000b", "a�b"},
		{"200 bytes", long, long},
		{"201 bytes", long + "x", long + "…"},
		{"cut within a rune", long[:199] + "ö", long[:199] + "…"},
		{"200 bytes with a rune at the end", long[:198] + "ö", long[:198] + "ö"},
		{"more once it is replaced", long[:199] + "\x00", long[:199] + "…"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Clean(tt.s); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{"", "a\x00", strings.Repeat("\xff", 300), strings.Repeat("ö", 101), "\u202e"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Clean(s)
		if !utf8.ValidString(got) || len(strings.TrimSuffix(got, "…")) > 200 {
			t.Errorf("got %q, %d bytes of %q", got, len(got), s)
		}
		if slices.ContainsFunc([]rune(got), func(r rune) bool { return r < ' ' || r == 0x7f || r == '\u202e' }) {
			t.Errorf("got %q of %q", got, s)
		}
	})
}
