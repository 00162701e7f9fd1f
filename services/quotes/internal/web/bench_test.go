package web_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"example.com/portpair/services/quotes/internal/store"
	"example.com/portpair/services/quotes/internal/web"
	"example.com/portpair/services/twelve/logs"
)

// counter takes an answer without the cost of a socket.
type counter struct{ header http.Header }

func (c counter) Header() http.Header         { return c.header }
func (c counter) WriteHeader(int)             {}
func (c counter) Write(b []byte) (int, error) { return len(b), nil }

// ready is an app that logs into a file, as it ships.
func ready(t testing.TB) *desk {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return open(t, "", func(a *web.App, _ *store.Settings, _ *string) { a.Log = logs.New(file, slog.LevelInfo, logs.JSON) })
}

// What a request may allocate, its line in the log and its metrics with it.
func TestAllocationsOfARequest(t *testing.T) {
	d := ready(t)
	id := idOf(t, d.mustLock(t, order))
	for target, most := range map[string]float64{
		convert100: 13,
		"/v1/convert?amount=100.00&source=JPY&target=IDR&date=2026-08-21": 23,
		"/v1/quotes/" + id: 13,
	} {
		r, c := httptest.NewRequest(http.MethodGet, target, nil), counter{http.Header{}}
		serve := func() {
			clear(c.header)
			d.ServeHTTP(c, r)
		}
		// The least of some: the race detector drops what goes back to a pool, now and then.
		least := testing.AllocsPerRun(1, serve)
		for range 20 {
			least = min(least, testing.AllocsPerRun(1, serve))
		}
		if t.Logf("%s: %v allocations", target, least); least > most {
			t.Errorf("%s: %v allocations, want at most %v", target, least, most)
		}
	}
}

func BenchmarkConvert(b *testing.B) { benchmark(b, func(*desk) string { return convert100 }) }

func BenchmarkQuote(b *testing.B) {
	benchmark(b, func(d *desk) string {
		return "/v1/quotes/" + idOf(b, d.mustLock(b, order))
	})
}

func benchmark(b *testing.B, target func(*desk) string) {
	d := ready(b)
	r, c := httptest.NewRequest(http.MethodGet, target(d), nil), counter{http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		clear(c.header)
		d.ServeHTTP(c, r)
	}
}
