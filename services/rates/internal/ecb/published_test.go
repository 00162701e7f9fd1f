package ecb

import (
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"example.com/portpair/services/rates/internal/fx"
)

// published is a file as the ECB publishes it. The tests find them by ECB_FEEDS, a folder of them with a longer history
// beside it.
func published(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(feeds(t), name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func feeds(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("ECB_FEEDS")
	if dir == "" {
		t.Skip("ECB_FEEDS does not name a folder with eurofxref-hist.zip")
	}
	return dir
}

func unpacked(t testing.TB, r io.ReadCloser, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	text, err := readAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// history is the CSV in the ECB's zip.
func history(t testing.TB) string {
	t.Helper()
	r, err := open(published(t, "eurofxref-hist.zip"))
	return unpacked(t, r, err)
}

func longerHistory(t testing.TB) string {
	t.Helper()
	r, err := gzip.NewReader(strings.NewReader(published(t, "../eurofxref-hist.csv.gz")))
	return unpacked(t, r, err)
}

func TestPublishedHistory(t *testing.T) {
	tests := []struct {
		name          string
		data, csv     string
		days          int
		first, newest string
	}{
		{"the ECB's zip", published(t, "eurofxref-hist.zip"), history(t), 6983, "1999-01-04", "2026-04-13"},
		{"the longer history", longerHistory(t), longerHistory(t), 7091, "1999-01-04", "2026-09-11"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			table, err := Read(tt.data)
			if err != nil {
				t.Fatal(err)
			}
			got := fmt.Sprintln(table.Len(), table.First(), table.Newest())
			if want := fmt.Sprintln(tt.days, tt.first, tt.newest); got != want {
				t.Errorf("got %v, want %v", got, want)
			}
			checkEachRate(t, table, tt.csv)
		})
	}
}

// checkEachRate compares every rate of a table with its cell, as text.
func checkEachRate(t *testing.T, table *fx.Table, csv string) {
	t.Helper()
	rows := strings.Split(strings.TrimSpace(csv), "\n")
	codes := strings.Split(rows[0], ",")
	for _, row := range rows[1:] {
		cells := strings.Split(row, ",")
		day, err := fx.ParseDay(cells[0])
		if err != nil {
			t.Fatal(err)
		}
		rates, err := table.On(day, fx.DefaultQuery())
		if err != nil {
			t.Fatalf("%v: %v", day, err)
		}
		for _, r := range rates.Rates {
			want := cells[slices.Index(codes, r.Currency)]
			if got := r.Value.String(); got != want && want != "N/A" { // N/A: carried from a day before
				t.Errorf("%v, %s: got %v, want %v", day, r.Currency, got, want)
			}
		}
		if got, least := len(rates.Rates), len(codes)-2-strings.Count(row, "N/A"); got < least {
			t.Errorf("%v: got %d rates, want %d at least", day, got, least)
		}
	}
}

func TestOtherPublishedFilesAreRefusedAsWhatTheyAre(t *testing.T) {
	entries, err := os.ReadDir(feeds(t))
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for _, entry := range entries {
		name, want := entry.Name(), ""
		switch {
		case name == "eurofxref-hist.zip":
			continue
		case name == "eurofxref.csv":
			want = "this is the ECB's CSV of one day; "
		case strings.HasPrefix(name, "sdmx"):
			want = "this is SDMX CSV; "
		case strings.HasSuffix(name, ".xml"):
			want = "this is XML; "
		}
		t.Run(name, func(t *testing.T) {
			_, err := Read(published(t, name))
			if err == nil || err.Error() != want+wanted {
				t.Errorf("got %v, want %v", err, want+wanted)
			}
		})
		refused++
	}
	if refused == 0 {
		t.Error("got no other file")
	}
}

// On 2025-10-23 the ECB published a rate of the Norwegian krone that it corrected later.
func TestACorrectedDayWins(t *testing.T) {
	const wrong, right = "11.8529", "11.5829"
	if first := published(t, "eurofxref-daily-2025-10-23-first-published.xml"); !strings.Contains(first, wrong) {
		t.Fatalf("got\n%s\nwant %v in it", first, wrong)
	}
	before := history(t)
	i := strings.Index(before, "\n2025-10-23,")
	before = before[:i] + strings.Replace(before[i:], ","+right+",", ","+wrong+",", 1)

	f := newFile(t, before)
	feed := openFeed(t, f.source(t))
	feed.turn(t.Context())
	if got := rate(t, feed.Table(), "2025-10-23", "NOK"); got != wrong {
		t.Errorf("as first published: got %v, want %v", got, wrong)
	}
	f.write(t, published(t, "eurofxref-hist.zip"))
	feed.turn(t.Context())
	if got := rate(t, feed.Table(), "2025-10-23", "NOK"); got != right {
		t.Errorf("as corrected: got %v, want %v", got, right)
	}
	checkFetches(t, feed, OK, 2, 2)
}

func TestExcerptOfPublishedHistory(t *testing.T) {
	f := newFile(t, history(t))
	text, err := Excerpt(t.Context(), f.source(t), "", 66)
	if err != nil {
		t.Fatal(err)
	}
	table, err := Read(text)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := table.Newest().String(), "2026-04-13"; got != want || table.Len() != 66 {
		t.Errorf("got %d days to %v, want 66 to %v", table.Len(), got, want)
	}
	checkEachRate(t, table, text)
}

func BenchmarkRead(b *testing.B) {
	for name, data := range map[string]string{"snapshot": snapshotCSV, "history": published(b, "eurofxref-hist.zip")} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Read(data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
