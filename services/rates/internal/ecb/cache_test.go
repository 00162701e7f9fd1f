package ecb

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var numbered = version{`"1"`, "Thu, 23 Oct 2025 13:55:00 GMT"}

func cacheOf(t *testing.T, url string) cache {
	t.Helper()
	return newCache(filepath.Join(t.TempDir(), "feed.cache"), source(t, url))
}

func TestCacheKeepsAnEdition(t *testing.T) {
	for name, data := range map[string]string{"CSV": current, "a zip": packed(t, member, current), "nothing": ""} {
		t.Run(name, func(t *testing.T) {
			c := cacheOf(t, "https://user:"+password+"@host/feed.zip?sig="+signature)
			if _, err := c.read(); !errors.Is(err, errNoCache) {
				t.Errorf("before: got %v, want %v", err, errNoCache)
			}
			for _, kept := range []edition{{older, version{}}, {data, numbered}} {
				if err := c.write(kept); err != nil {
					t.Fatal(err)
				}
				if got, err := c.read(); err != nil || got != kept {
					t.Errorf("got %q, %v, want %q", got, err, kept)
				}
			}
			checkAlone(t, c.path)
			text, err := os.ReadFile(c.path)
			if err != nil {
				t.Fatal(err)
			}
			noSecret(t, string(text))
			info, err := os.Stat(c.path)
			if got, want := info.Mode().Perm(), os.FileMode(0o600); err != nil || got != want {
				t.Errorf("got mode %v, %v, want %v", got, err, want)
			}
		})
	}
}

// checkAlone checks that no other file is left in the folder of one.
func checkAlone(t *testing.T, path string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("got %v, %v in the folder, want one file", entries, err)
	}
}

func TestCacheIsNotRead(t *testing.T) {
	c := cacheOf(t, "https://host/feed.zip")
	if err := c.write(edition{current, numbered}); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(c.path)
	if err != nil {
		t.Fatal(err)
	}
	line, data, _ := strings.Cut(string(good), "\n")
	tests := []struct {
		name    string
		content string
		want    error
	}{
		{"empty", "", errDamaged},
		{"cut short", string(good[:len(good)-1]), errDamaged},
		{"with something at its end", string(good) + "x", errDamaged},
		{"with another rate", strings.Replace(string(good), "11.8529", "11.8528", 1), errDamaged},
		{"a feed without the first line", data, errDamaged},
		{"the first line alone", line, errDamaged},
		{"a first line that is cut", line[9:] + "\n" + data, errDamaged},
		{"zeros", strings.Repeat("\x00", 4096), errDamaged},
		{"over 8 MiB", strings.Repeat(" ", 8<<20+1), errTooLong},
		{"of another FEED_URL", strings.Replace(string(good), c.source, sum("https://host/other.zip"), 1), errOtherCache},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := os.WriteFile(c.path, []byte(tt.content), 0o600); err != nil {
				t.Fatal(err)
			}
			if got, err := c.read(); !errors.Is(err, tt.want) {
				t.Errorf("got %d bytes, %v, want %v", len(got.data), err, tt.want)
			}
		})
	}
}

func TestCacheIsBoundToItsURL(t *testing.T) {
	c := cacheOf(t, "https://host/feed.zip")
	if err := c.write(edition{data: current}); err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{"https://host/feed.csv", "https://host/feed.zip?v=2", "https://token@host/feed.zip", "file:///feed.zip"} {
		if _, err := newCache(c.path, source(t, url)).read(); !errors.Is(err, errOtherCache) {
			t.Errorf("%s: got %v, want %v", url, err, errOtherCache)
		}
	}
}

func TestWhatInterruptedWritesLeftIsRemoved(t *testing.T) {
	c := cacheOf(t, "https://host/feed.zip")
	dir, long := filepath.Dir(c.path), time.Now().Add(-2*abandoned)
	for _, tt := range []struct {
		name    string
		written time.Time
	}{
		{".feed.cache-123456", long},
		{".feed.cache-789", time.Now()}, // by another process, maybe
		{".feed.cache-1.bak", long},
		{".other.cache-123456", long},
		{"feed.cache-123456", long},
	} {
		path := filepath.Join(dir, tt.name)
		if err := os.WriteFile(path, []byte("half an edi"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, tt.written, tt.written); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.write(edition{data: current}); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, entry := range entries {
		left = append(left, entry.Name())
	}
	if want := []string{".feed.cache-1.bak", ".feed.cache-789", ".other.cache-123456", "feed.cache", "feed.cache-123456"}; !slices.Equal(left, want) {
		t.Errorf("got %q left, want %q", left, want)
	}
}

func TestCacheThatCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	taken := filepath.Join(dir, "taken")
	if err := os.MkdirAll(filepath.Join(taken, "full"), 0o700); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, path, want string }{
		{"no folder", filepath.Join(dir, "missing", "feed.cache"), "no such file or directory"},
		{"a folder of that name", taken, "file exists"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := newCache(tt.path, source(t, "https://host/feed.zip")).write(edition{data: current})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			checkAlone(t, taken)
		})
	}
}

// A reader that comes while another process writes finds one edition or the other, whole.
func TestCacheIsWrittenWholeOrNotAtAll(t *testing.T) {
	c := cacheOf(t, "https://host/feed.zip")
	editions := []edition{{current, numbered}, {packed(t, member, strings.Repeat(current, 1000)), version{}}}
	if err := c.write(editions[0]); err != nil {
		t.Fatal(err)
	}
	var writers sync.WaitGroup
	for _, e := range editions {
		writers.Go(func() {
			for range 20 {
				if err := c.write(e); err != nil {
					t.Error(err)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() {
		writers.Wait()
		close(done)
	}()
	for reading := true; reading; {
		if got, err := c.read(); err != nil || got != editions[0] && got != editions[1] {
			t.Errorf("got %d bytes, %v, want a whole edition", len(got.data), err)
		}
		select {
		case <-done:
			reading = false
		default:
		}
	}
	checkAlone(t, c.path)
}
