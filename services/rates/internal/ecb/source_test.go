package ecb

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"example.com/portpair/services/twelve/resource"
)

func TestParseSource(t *testing.T) {
	tests := []struct{ name, raw, text string }{
		{"the ECB's", "https://www.ecb.europa.eu/stats/eurofxref/eurofxref-hist.zip", "https://www.ecb.europa.eu/stats/eurofxref/eurofxref-hist.zip"},
		{"a mirror with credentials", "http://user:geheim@mirror:8080/ecb.zip", "http://***@mirror:8080/ecb.zip"},
		{"a mirror with a token", "https://geheim@mirror/ecb.zip", "https://***@mirror/ecb.zip"},
		{"a mirror with a signed query", "https://mirror/ecb.zip?sig=geheim", "https://mirror/ecb.zip?***"},
		{"a file", "file:///var/lib/feed.zip", "file:///var/lib/feed.zip"},
		{"a file on localhost", "file://localhost/var/lib/feed.zip", "file://localhost/var/lib/feed.zip"},
		{"a scheme in capitals", "FILE:///var/lib/feed.zip", "file:///var/lib/feed.zip"},
		{"none", "none", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := source(t, tt.raw)
			if got := s.String(); got != tt.text {
				t.Errorf("got text %q, want %q", got, tt.text)
			}
			if got, want := s.IsZero(), tt.raw == "none"; got != want {
				t.Errorf("got none %v, want %v", got, want)
			}
			line, err := json.Marshal(s)
			if all := fmt.Sprintf("%v %+v %#v %q %s", s, s, &s, s, line); err != nil || strings.Contains(all, "geheim") {
				t.Errorf("got %v, %v, want no secret in it", all, err)
			}
		})
	}
}

func TestParseSourceRefuses(t *testing.T) {
	const scheme, path = "want a URL that starts with https://, http:// or file://, or none", "want file:// and an absolute path"
	tests := []struct{ name, raw, want string }{
		{"another scheme", "ftp://user:geheim@host/feed.zip", scheme},
		{"no scheme", "user:geheim@host/feed.zip", scheme},
		{"a path", "/var/geheim.zip", scheme},
		{"NONE", "NONE", scheme},
		{"nothing", "", scheme},
		{"one slash", "file:/var/geheim.zip", scheme},
		{"a relative path", "file://geheim/feed.zip", path},
		{"no path", "file://", path},
		{"a file with credentials", "file://user:geheim@/var/feed.zip", path},
		{"a file with a query", "file:///var/feed.zip?geheim", path},
		{"a / in the password", "https://user:12/geheim@host/feed.zip", "an @ after the host"},
		{"no host", "https:///geheim", "names no host"},
		{"a port that is none", "https://user:geheim@host:x/", "not a URL"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var s Source
			err := s.UnmarshalText([]byte(tt.raw))
			var refusal resource.Refusal
			if !errors.As(err, &refusal) || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v, want a Refusal with %q", err, tt.want)
			}
			if strings.Contains(err.Error(), "geheim") || !s.IsZero() {
				t.Errorf("got %v and %v, want neither secret nor source", err, s)
			}
		})
	}
}

func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	zeros := filepath.Join(dir, "zeros")
	if f, err := os.Create(zeros); err != nil || f.Truncate(100<<20) != nil || f.Close() != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, path, want string }{
		{"missing", filepath.Join(dir, "missing"), "no such file or directory"},
		{"a directory", dir, "is a directory"},
		{"a pipe that nobody writes to", pipe, "is not a regular file"},
		{"100 MB of zeros", zeros, "over 8 MiB long"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := readFile(tt.path)
			if err == nil || err.Error() != tt.want {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}
