package ecb

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"hash/crc32"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/portpair/services/rates/internal/fx"
)

// Two editions of a feed: a day later, and a day corrected.
const (
	head    = "Date,USD,NOK,\n"
	thu     = "2025-10-23,1.1593,11.8529,\n"
	thuNew  = "2025-10-23,1.1593,11.5829,\n"
	wed     = "2025-10-22,1.1587,11.656,\n"
	tue     = "2025-10-21,1.1607,11.6618,\n"
	older   = head + wed + tue
	current = head + thu + wed + tue
)

// packed is a zip with one member, written as the ECB does.
func packed(t testing.TB, name, content string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	add(t, z, name, content)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func add(t testing.TB, z *zip.Writer, name, content string) {
	t.Helper()
	w, err := z.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
}

// bomb is a zip of zeros, which says of itself to unpack to so many bytes.
func bomb(t testing.TB, zeros int, says uint64) string {
	t.Helper()
	content := make([]byte, zeros)
	honest := packed(t, member, string(content))
	z, err := zip.NewReader(strings.NewReader(honest), int64(len(honest)))
	if err != nil {
		t.Fatal(err)
	}
	deflated, err := z.File[0].OpenRaw()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	out := zip.NewWriter(&b)
	w, err := out.CreateRaw(&zip.FileHeader{
		Name: member, Method: zip.Deflate, CRC32: crc32.ChecksumIEEE(content),
		CompressedSize64: z.File[0].CompressedSize64, UncompressedSize64: says,
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(w, deflated); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func source(t testing.TB, raw string) Source {
	t.Helper()
	s, err := ParseSource(raw)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// file is a source whose content a test can change.
type file struct{ path string }

func newFile(t testing.TB, content string) file {
	t.Helper()
	f := file{filepath.Join(t.TempDir(), "feed")}
	f.write(t, content)
	return f
}

func (f file) write(t testing.TB, content string) {
	t.Helper()
	if err := os.WriteFile(f.path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (f file) source(t testing.TB) Source { return source(t, "file://"+f.path) }

// tested is a Feed and what it told.
type tested struct {
	*Feed
	log     *lines
	fetches *fetches
}

// fetches counts outcomes.
type fetches struct {
	mu sync.Mutex
	n  map[Outcome]int
}

func (f *fetches) observe(o Outcome) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.n[o]++
}

func (f *fetches) that(o Outcome) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.n[o]
}

func openFeed(t testing.TB, s Source, change ...func(*Options)) tested {
	t.Helper()
	f := tested{log: new(lines), fetches: &fetches{n: map[Outcome]int{}}}
	o := Options{
		Source: s, Every: time.Hour, Agent: "rates/0.1.0",
		Due:     func(newest fx.Day) time.Time { return (newest + 1).Time().Add(14 * time.Hour) },
		Observe: f.fetches.observe,
		Log:     slog.New(slog.NewJSONHandler(f.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, c := range change {
		c(&o)
	}
	f.Feed = OpenFeed(o)
	return f
}

func withCache(path string) func(*Options) { return func(o *Options) { o.Cache = path } }

// lines are a log's.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *lines) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Reset()
}

// at are the lines of a level.
func (l *lines) at(t testing.TB, level string) []map[string]any {
	t.Helper()
	var all []map[string]any
	for line := range strings.Lines(l.String()) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatalf("not JSON: %q", line)
		}
		if fields["level"] == level {
			all = append(all, fields)
		}
	}
	return all
}

// rate of a currency as published on a day.
func rate(t testing.TB, table *fx.Table, date, code string) string {
	t.Helper()
	day, err := fx.ParseDay(date)
	if err != nil {
		t.Fatal(err)
	}
	q := fx.DefaultQuery()
	q.Symbols = []string{code}
	rates, err := table.On(day, q)
	if err != nil {
		return err.Error()
	}
	return rates.Rates[0].Value.String()
}
