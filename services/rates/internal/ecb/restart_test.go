package ecb

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// restarted is a feed as of a start with that cache, before its first fetch.
func restarted(t *testing.T, s Source, cached string) tested {
	t.Helper()
	return openFeed(t, s, withCache(cached))
}

func TestAStartServesWhatTheCacheHolds(t *testing.T) {
	f, cached := newFile(t, current), filepath.Join(t.TempDir(), "feed.cache")
	restarted(t, f.source(t), cached).turn(t.Context())
	if err := os.Remove(f.path); err != nil {
		t.Fatal(err)
	}

	feed := restarted(t, f.source(t), cached)
	checkNewest(t, feed, "2025-10-23")
	if table := feed.log.at(t, "INFO")[1]; table["msg"] != "table" || table["source"] != "cache" {
		t.Errorf("got line %v, want the table's of the cache", table)
	}
	feed.turn(t.Context())
	checkNewest(t, feed, "2025-10-23")
	checkFetches(t, feed, Failed, 1, 1)

	f.write(t, current)
	feed.turn(t.Context())
	checkFetches(t, feed, Unchanged, 1, 1)
	f.write(t, older) // what was served before the restart counts
	feed.turn(t.Context())
	checkNewest(t, feed, "2025-10-23")
	checkFetches(t, feed, Failed, 2, 2)
}

func TestACacheThatIsNoGood(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(t *testing.T, path string)
		level string
		want  string
	}{
		{"damaged", func(t *testing.T, path string) { file{path}.write(t, readOrEmpty(t, path)+"x") }, "WARN", errDamaged.Error()},
		{"a feed", func(t *testing.T, path string) { file{path}.write(t, current) }, "WARN", errDamaged.Error()},
		{"a folder", func(t *testing.T, path string) {
			if os.Remove(path) != nil || os.Mkdir(path, 0o700) != nil {
				t.Fatal("cannot be made")
			}
		}, "WARN", "is a directory"},
		{"whole, but of a broken feed", func(t *testing.T, path string) {
			line, _, _ := strings.Cut(readOrEmpty(t, path), "\n")
			file{path}.write(t, strings.Replace(line, sum(current), sum("<html>"), 1)+"\n<html>")
		}, "WARN", "this is HTML; " + wanted},
		{"of another FEED_URL", func(t *testing.T, path string) {
			restarted(t, newFile(t, current).source(t), path).turn(t.Context())
		}, "INFO", errOtherCache.Error()},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, cached := newFile(t, current), filepath.Join(t.TempDir(), "feed.cache")
			restarted(t, f.source(t), cached).turn(t.Context())
			tt.spoil(t, cached)
			feed := restarted(t, f.source(t), cached)
			if feed.Table() != Snapshot() {
				t.Error("got another table than the snapshot")
			}
			var told []any
			for _, line := range feed.log.at(t, tt.level) {
				if line["msg"] == "cache not used" {
					told = append(told, line["error"])
				}
			}
			if len(told) != 1 || told[0] != tt.want {
				t.Errorf("got log\n%vwant one line at %v: %v", feed.log, tt.level, tt.want)
			}
			feed.turn(t.Context())
			checkFetches(t, feed, OK, 1, 1)
		})
	}
}

func TestACacheThatCannotBeWrittenIsOneWarning(t *testing.T) {
	f := newFile(t, current)
	feed := restarted(t, f.source(t), filepath.Join(t.TempDir(), "missing", "feed.cache"))
	feed.turn(t.Context())
	checkNewest(t, feed, "2025-10-23")
	checkFetches(t, feed, OK, 1, 1)
	if got := strings.Count(feed.log.String(), "cache not written"); got != 1 {
		t.Errorf("got log\n%vwant one line that the cache was not written", feed.log)
	}
}

func TestACacheThatCannotBeWrittenIsTriedAgain(t *testing.T) {
	f, dir := newFile(t, current), filepath.Join(t.TempDir(), "mounted-later")
	cached := filepath.Join(dir, "feed.cache")
	feed := restarted(t, f.source(t), cached)
	feed.turn(t.Context())
	if _, err := os.Stat(cached); err == nil {
		t.Fatal("got a cache in a directory that is not there")
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	feed.turn(t.Context()) // unchanged
	if err := os.Remove(f.path); err != nil {
		t.Fatal(err)
	}
	checkNewest(t, restarted(t, f.source(t), cached), "2025-10-23")
}
