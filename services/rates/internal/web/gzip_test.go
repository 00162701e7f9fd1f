package web_test

import (
	"compress/gzip"
	"io"
	"strings"
	"testing"
)

func TestGzip(t *testing.T) {
	const line = "gzip for answers that gain by it (Vary, own ETag), without spoiling the latency of small ones"
	url := serve(t, app(t, long(t, nil), now2026))
	tests := []struct {
		name, ask string
		gains     bool
	}{
		{"a long range", "/v1/2015-01-01..", true},
		{"a range within a chunk", "/v1/2015-01-01..2016-01-01", true},
		{"the document", "/v1/openapi.json", true},
		{"a short range", "/v1/2015-01-01..2015-01-10", false},
		{"latest", "/v1/latest", false},
		{"an error", "/v1/nothing", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			plain, got := ask(t, url, "GET "+tt.ask), ask(t, url, "GET "+tt.ask, "Accept-Encoding: gzip")
			encoding, vary, body := "", "Origin", got.body
			if tt.gains {
				encoding, vary, body = "gzip", "Origin, Accept-Encoding", unzip(t, got.body)
				if len(got.body)*2 > len(plain.body) {
					t.Errorf("got %d bytes of %d, want half at most", len(got.body), len(plain.body))
				}
			}
			if body != plain.body {
				t.Errorf("got %d bytes, want the %d plain ones", len(body), len(plain.body))
			}
			if got := got.header.Get("Content-Encoding"); got != encoding {
				t.Errorf("%s\nContent-Encoding: got %q, want %q", line, got, encoding)
			}
			for _, r := range []reply{plain, got} {
				if got := r.header.Get("Vary"); got != vary {
					t.Errorf("%s\nVary: got %q, want %q", line, got, vary)
				}
			}
			if same := got.header.Get("Etag") == plain.header.Get("Etag"); same == tt.gains {
				t.Errorf("%s\nEtag: got %s, and %s of the plain one", line, got.header.Get("Etag"), plain.header.Get("Etag"))
			}
			if head := ask(t, url, "HEAD "+tt.ask, "Accept-Encoding: gzip"); head.header.Get("Etag") != got.header.Get("Etag") {
				t.Errorf("HEAD: got tag %v, want %v", head.header.Get("Etag"), got.header.Get("Etag"))
			}
		})
	}
}

func TestAcceptEncoding(t *testing.T) {
	url := serve(t, app(t, long(t, nil), now2026))
	tests := []struct {
		name   string
		accept []string
		zipped bool
	}{
		{"as browsers ask", []string{"gzip, deflate, br, zstd"}, true},
		{"in capitals", []string{"GZIP"}, true},
		{"by its old name", []string{"x-gzip"}, true},
		{"on a second line", []string{"br", "gzip"}, true},
		{"anything", []string{"*"}, true},
		{"anything a little", []string{"*;q=0.1"}, true},
		{"with a weight", []string{"gzip;q=0.5"}, true},
		{"with the least weight", []string{"gzip ; q=0.001"}, true},
		{"over identity", []string{"gzip;q=0.8, identity;q=0.5"}, true},
		{"without identity", []string{"identity;q=0, gzip"}, true},
		{"under identity", []string{"gzip;q=0.5, identity"}, false},
		{"under anything else", []string{"gzip;q=0.2, *;q=0.5"}, false},
		{"refused", []string{"gzip;q=0"}, false},
		{"refused in full", []string{"gzip;Q=0.000, *"}, false},
		{"refused with all", []string{"*;q=0"}, false},
		{"only identity", []string{"identity"}, false},
		{"only others", []string{"br, deflate, gzipped"}, false},
		{"with a weight that is none", []string{"gzip;q=high"}, false},
		{"with a weight too precise", []string{"gzip;q=0.0001"}, false},
		{"empty", []string{""}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var with []string
			for _, accept := range tt.accept {
				with = append(with, "Accept-Encoding: "+accept)
			}
			got := ask(t, url, "HEAD /v1/2015-01-01..", with...)
			if zipped := got.header.Get("Content-Encoding") == "gzip"; zipped != tt.zipped {
				t.Errorf("got zipped %v, want %v", zipped, tt.zipped)
			}
		})
	}
}

func TestTheWholeHistoryZipped(t *testing.T) {
	url := serve(t, inWorld(t, "history"))
	for _, params := range []string{"", "?symbols=USD"} {
		plain := ask(t, url, "GET /v1/1999-01-04.."+params)
		zipped := ask(t, url, "GET /v1/1999-01-04.."+params, "Accept-Encoding: gzip")
		if body := unzip(t, zipped.body); body != plain.body {
			t.Errorf("%s: got %d bytes once unzipped, want the %d plain ones", params, len(body), len(plain.body))
		}
		t.Logf("%s: %d bytes, zipped %d", params, len(plain.body), len(zipped.body))
	}
}

// unzip reads all of one gzip member, and that nothing follows it: not every
// client reads a second.
func unzip(t testing.TB, body string) string {
	t.Helper()
	source := strings.NewReader(body)
	z, err := gzip.NewReader(source)
	if err != nil {
		t.Fatal(err)
	}
	z.Multistream(false)
	plain, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	if source.Len() > 0 {
		t.Errorf("got %d bytes after the gzip member, want none", source.Len())
	}
	return string(plain)
}
