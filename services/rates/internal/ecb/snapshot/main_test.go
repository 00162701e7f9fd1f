package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const csv = "Date,USD,HRK,\n2026-01-02,1.1721,N/A,\n2025-12-31,1.175,N/A,\n"

func TestRun(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, csv) }))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "feed.csv")
	if err := os.WriteFile(file, []byte(csv), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, url := range map[string]string{"a server": server.URL + "/feed", "a file": "file://" + file} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "snapshot.csv")
			if err := run(t.Context(), url, path); err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(path)
			if want := "Date,USD,\n2026-01-02,1.1721,\n2025-12-31,1.175,\n"; err != nil || string(got) != want {
				t.Errorf("got %q, %v, want %q", got, err, want)
			}
		})
	}
}

func TestTheSnapshotGoesForwardOnly(t *testing.T) {
	const before, corrected, next = "Date,USD,\n2026-01-02,1.1721,\n", "Date,USD,\n2026-01-02,1.1712,\n",
		"Date,USD,\n2026-01-05,1.1664,\n2026-01-02,1.1721,\n"
	const older = "Date,USD,\n2025-12-31,1.175,\n2025-12-30,1.1757,\n"
	tests := []struct{ name, feed, left, refusal string }{
		{"the next day", next, next, ""},
		{"the same day, corrected", corrected, corrected, ""},
		{"an older edition", older, before, "the feed ends with 2025-12-31, the snapshot with 2026-01-02: not taken"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			feed, path := filepath.Join(t.TempDir(), "feed.csv"), filepath.Join(t.TempDir(), "snapshot.csv")
			for name, content := range map[string]string{feed: tt.feed, path: before} {
				if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			// Whoever has it open keeps what it was: it is replaced, not overwritten.
			open, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer open.Close()
			refusal := ""
			if err := run(t.Context(), "file://"+feed, path); err != nil {
				refusal = err.Error()
			}
			if refusal != tt.refusal {
				t.Errorf("got error %q, want %q", refusal, tt.refusal)
			}
			if got, err := os.ReadFile(path); err != nil || string(got) != tt.left {
				t.Errorf("got %q, %v, want %q", got, err, tt.left)
			}
			if got, err := io.ReadAll(open); err != nil || string(got) != before {
				t.Errorf("got %q, %v of the file that was there, want it untouched", got, err)
			}
			if files, err := os.ReadDir(filepath.Dir(path)); err != nil || len(files) != 1 {
				t.Errorf("got %v, %v, want one file", files, err)
			}
		})
	}
}

func TestRunFails(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	tests := []struct{ name, url, want string }{
		{"a feed that is down", strings.Replace(server.URL, "://", "://user:geheim@", 1) + "/feed?sig=geheim",
			"fetching " + strings.Replace(server.URL, "://", "://***@", 1) + "/feed?***: answered with status 404"},
		{"none", "none", "FEED_URL is none: there is nothing to renew it from"},
		{"no URL", "user:geheim@host", "FEED_URL: want a URL that starts with https://"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "snapshot.csv")
			if err := os.WriteFile(path, []byte("before"), 0o600); err != nil {
				t.Fatal(err)
			}
			err := run(t.Context(), tt.url, path)
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) || strings.Contains(err.Error(), "geheim") {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if got, err := os.ReadFile(path); err != nil || string(got) != "before" {
				t.Errorf("got %q, %v, want the file as before", got, err)
			}
		})
	}
}
