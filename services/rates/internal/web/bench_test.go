package web_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"example.com/portpair/services/rates/internal/web"
	"example.com/portpair/services/twelve/logs"
)

func BenchmarkLatest(b *testing.B) { benchmark(b, "snapshot", "/v1/latest") }
func BenchmarkLatestRebased(b *testing.B) {
	benchmark(b, "snapshot", "/v1/latest?base=USD&symbols=EUR,GBP")
}
func BenchmarkDay(b *testing.B)   { benchmark(b, "snapshot", "/v1/2026-08-01") }
func BenchmarkChart(b *testing.B) { benchmark(b, "snapshot", "/v1/2026-05-22..?symbols=USD") }
func BenchmarkChartZipped(b *testing.B) {
	benchmark(b, "snapshot", "/v1/2026-05-22..?symbols=USD", "Accept-Encoding", "gzip")
}
func BenchmarkNotModified(b *testing.B) {
	benchmark(b, "snapshot", "/v1/latest", "If-None-Match", "*")
}
func BenchmarkHistoryUSD(b *testing.B) { benchmark(b, "history", "/v1/1999-01-04..?symbols=USD") }
func BenchmarkHistory(b *testing.B)    { benchmark(b, "history", "/v1/1999-01-04..") }
func BenchmarkHistoryRebased(b *testing.B) {
	benchmark(b, "history", "/v1/1999-01-04..?base=USD")
}
func BenchmarkHistoryZipped(b *testing.B) {
	benchmark(b, "history", "/v1/1999-01-04..", "Accept-Encoding", "gzip")
}
func BenchmarkHistoryNotModified(b *testing.B) {
	benchmark(b, "history", "/v1/1999-01-04..", "If-None-Match", "*")
}

// counter takes an answer without the cost of a socket.
type counter struct {
	header http.Header
	bytes  int64
}

func (c *counter) Header() http.Header { return c.header }
func (c *counter) WriteHeader(int)     {}
func (c *counter) Write(b []byte) (int, error) {
	c.bytes += int64(len(b))
	return len(b), nil
}

func benchmark(b *testing.B, world, target string, header ...string) {
	h := inWorld(b, world, func(a *web.App) { a.Log = slog.New(slog.DiscardHandler) })
	r := httptest.NewRequest("GET", target, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	c := &counter{header: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		clear(c.header)
		c.bytes = 0
		h.ServeHTTP(c, r)
	}
	b.ReportMetric(float64(c.bytes), "bytes")
}

// leastAllocs is how many allocations f makes, at best: the race detector drops
// what goes back to a pool, now and then.
func leastAllocs(f func()) float64 {
	least := testing.AllocsPerRun(1, f)
	for range 20 {
		least = min(least, testing.AllocsPerRun(1, f))
	}
	return least
}

// What a request may allocate, its line in the log and its metrics with it.
func TestAllocationsOfARequest(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	h := inWorld(t, "snapshot", func(a *web.App) { a.Log = logs.New(file, slog.LevelInfo, logs.JSON) })
	for target, most := range map[string]float64{
		"/v1/latest":                          8,
		"/v1/latest?base=USD&symbols=EUR,GBP": 10,
		"/v1/2026-08-01":                      10,
	} {
		r := httptest.NewRequest("GET", target, nil)
		c := &counter{header: http.Header{}}
		got := leastAllocs(func() {
			clear(c.header)
			h.ServeHTTP(c, r)
		})
		if t.Logf("%s: %v allocations", target, got); got > most {
			t.Errorf("%s: %v allocations, want at most %v", target, got, most)
		}
	}
}
