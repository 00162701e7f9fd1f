package ecb

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"strings"

	"example.com/portpair/services/rates/internal/fx"
)

// member is the one file in the ECB's zip.
const member = "eurofxref-hist.csv"

var errTooLong = fmt.Errorf("over %d MiB long", maxBytes>>20)

// Read reads what the ECB hands out: the zip of the history, or the CSV that is in it.
func Read(data string) (*fx.Table, error) {
	r, err := open(data)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return Parse(r)
}

// open is a reader of the CSV in data. Which of the two data is, its first bytes say.
func open(data string) (io.ReadCloser, error) {
	if !strings.HasPrefix(data, "PK\x03\x04") && !strings.HasPrefix(data, "PK\x05\x06") { // the second: an empty zip
		return io.NopCloser(strings.NewReader(data)), nil
	}
	z, err := zip.NewReader(strings.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, errors.New("this is a zip that is cut short or damaged")
	}
	if len(z.File) != 1 || z.File[0].Name != member {
		return nil, fmt.Errorf("this is a zip of %s; one of %s alone is wanted", contents(z), member)
	}
	// What the header says is checked before unpacking; while unpacking, the reader of the CSV stops at the limit
	// whatever it said.
	if size := z.File[0].UncompressedSize64; size > maxBytes {
		return nil, fmt.Errorf("this is a zip that unpacks to %d MiB; at most %d MiB are read", size>>20, maxBytes>>20)
	}
	r, err := z.File[0].Open()
	if err != nil {
		return nil, fmt.Errorf("unpacking %s: %w", member, err)
	}
	return r, nil
}

func contents(z *zip.Reader) string {
	if len(z.File) == 1 {
		return quote(z.File[0].Name)
	}
	return fmt.Sprintf("%d files", len(z.File))
}

func readAll(r io.Reader) (string, error) {
	var text strings.Builder
	n, err := io.Copy(&text, io.LimitReader(r, maxBytes+1))
	if err != nil {
		return "", fmt.Errorf("reading: %w", err)
	}
	if n > maxBytes {
		return "", errTooLong
	}
	return text.String(), nil
}
