package ecb

import (
	"errors"
	"io/fs"
	"os"
	"strings"

	"example.com/portpair/services/twelve/resource"
)

// Source is where the feed is: the URL of a file or of an HTTP server, with credentials and query where the server
// wants them. It prints redacted. The zero Source is none.
type Source struct{ resource.URL }

// ParseSource reads a URL or "none". Errors never repeat it.
func ParseSource(raw string) (Source, error) {
	if raw == "none" {
		return Source{}, nil
	}
	scheme, _, _ := strings.Cut(strings.ToLower(raw), "://")
	if scheme != "https" && scheme != "http" && scheme != "file" {
		return Source{}, resource.Refusal("want a URL that starts with https://, http:// or file://, or none: the built-in snapshot alone")
	}
	parsed, err := resource.ParseURL(raw)
	if err != nil {
		return Source{}, err
	}
	u := parsed.Reveal()
	if scheme == "file" && (u.Host != "" && u.Host != "localhost" || u.Path == "" || u.User != nil || u.RawQuery != "") {
		return Source{}, resource.Refusal("want file:// and an absolute path, such as file:///var/lib/eurofxref-hist.zip (a ? in it is written %3F)")
	}
	return Source{parsed}, nil
}

// UnmarshalText reads what ParseSource does.
func (s *Source) UnmarshalText(text []byte) error {
	parsed, err := ParseSource(string(text))
	*s = parsed
	return err
}

// isFile reports whether the source is a file, and which.
func (s Source) isFile() (path string, ok bool) {
	u := s.Reveal()
	return u.Path, u.Scheme == "file"
}

func readFile(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", cause(err)
	}
	if !info.Mode().IsRegular() { // a pipe, say, would hold us up until somebody writes
		if info.IsDir() {
			return "", errors.New("is a directory")
		}
		return "", errors.New("is not a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return "", cause(err)
	}
	defer f.Close()
	return readAll(f)
}

// cause strips the path: the operator knows it from the URL.
func cause(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}
