package ratesapi

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"example.com/portpair/services/quotes/internal/quote"
)

// padded is a good answer of so many bytes.
func padded(size int) string { return good + strings.Repeat(" ", size-len(good)) }

// zipped answers with so many gzip members of text, which are one gzip.
func zipped(t *testing.T, text string, members int) http.HandlerFunc {
	t.Helper()
	var body bytes.Buffer
	zip := gzip.NewWriter(&body)
	if _, err := io.WriteString(zip, text); err != nil {
		t.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(bytes.Repeat(body.Bytes(), members))
	}
}

func TestAnAnswerMayBe1MiBLong(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"1 MiB":         answer(padded(1 << 20)),
		"1 MiB, zipped": zipped(t, padded(1<<20), 1),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				want(t, "rate", usd(t, serveInMemory(t, h).attach(t, "").mustLatest(t)), "1.1699")
			})
		})
	}
}

func TestAnAnswerOver1MiBIsRefusedAtOnce(t *testing.T) {
	endless := func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	}
	for name, h := range map[string]http.HandlerFunc{
		"1 MiB and a byte":           answer(padded(1<<20 + 1)),
		"without an end":             endless,
		"100 MiB in 100 KiB of gzip": zipped(t, padded(1<<20), 100),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := serveInMemory(t, h).attach(t, "")
				_, err := c.Latest(t.Context())
				wantErr(t, err, quote.ErrRatesUnavailable)
				last := c.last(t)
				want(t, "attempts", last.Attempts, 1)
				want(t, "status", last.Status, 200)
				want(t, "outcome", last.Outcome, NoService)
				want(t, "error", last.Error, "the answer is over 1 MiB")
			})
		})
	}
}

func TestAHeaderOver32KiBIsRefused(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"one field": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Server", strings.Repeat("x", 40<<10))
			io.WriteString(w, good)
		},
		"many fields": func(w http.ResponseWriter, _ *http.Request) {
			for range 4 << 10 {
				w.Header().Add("Warning", "many")
			}
			io.WriteString(w, good)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := serveInMemory(t, h).attach(t, "")
				_, err := c.Latest(t.Context())
				wantErr(t, err, quote.ErrRatesUnavailable)
				if last := c.last(t); !strings.Contains(last.Error, "headers exceeded") {
					t.Errorf("got %+v", last)
				}
			})
		})
	}
}
