package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Two editions of a feed.
const (
	older   = "Date,USD,NOK,\n2025-10-22,1.1587,11.656,\n2025-10-21,1.1607,11.6618,\n"
	current = "Date,USD,NOK,\n2025-10-23,1.1593,11.8529,\n2025-10-22,1.1587,11.656,\n2025-10-21,1.1607,11.6618,\n"
)

// upstream is a server of a feed that a test can change. Its URL has secrets.
type upstream struct {
	*httptest.Server
	body   atomic.Value // string
	asked  atomic.Int64
	agents atomic.Value // string
}

func newUpstream(t *testing.T, body string) *upstream {
	t.Helper()
	u := new(upstream)
	u.body.Store(body)
	u.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u.asked.Add(1)
		u.agents.Store(r.UserAgent())
		body := u.body.Load().(string)
		etag := fmt.Sprintf(`"%d"`, len(body))
		if w.Header().Set("ETag", etag); r.Header.Get("If-None-Match") == etag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		io.WriteString(w, body)
	}))
	t.Cleanup(u.Close)
	return u
}

func (u *upstream) feedURL() string {
	return "FEED_URL=" + strings.Replace(u.URL, "://", "://user:geheim@", 1) + "/feed.csv?sig=geheim"
}

func TestFeedNone(t *testing.T) {
	a := start(t, "FEED_URL=none")
	if table := a.line("table", nil); table["source"] != "snapshot" {
		t.Errorf("got %v, want the snapshot", table)
	}
	a.answers("/v1/latest", `"base":"EUR"`)
	a.answers("/metrics", `rates_feed_fetches_total{result="failed"} 0`)
	a.stop()
	for _, line := range a.out.lines(t) {
		if line["msg"] == "attached" || line["level"] == "WARN" {
			t.Errorf("got line %v, want nothing of a feed", line)
		}
	}
}

func TestFeedFromAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "feed.csv")
	if err := os.WriteFile(path, []byte(current), 0o600); err != nil {
		t.Fatal(err)
	}
	a := start(t, "FEED_URL=file://"+path)
	a.answers("/v1/2025-10-23", `"NOK":11.8529`)
	a.line("attached", map[string]any{"resource": "feed", "url": "file://" + path, "every": "1h0m0s"})
	a.line("table", map[string]any{"source": "feed", "days": 3.0, "first": "2025-10-21", "newest": "2025-10-23"})
	a.answers("/metrics", `rates_feed_fetches_total{result="ok"} 1`)
	a.answers("/metrics", "rates_feed_last_success_timestamp_seconds 1")
}

func TestTheAgeOfTheNewestDayIsThatSinceItsMidnight(t *testing.T) {
	path := filepath.Join(t.TempDir(), "feed.csv")
	if err := os.WriteFile(path, []byte(current), 0o600); err != nil {
		t.Fatal(err)
	}
	a := start(t, "FEED_URL=file://"+path)
	a.answers("/v1/latest", `"date":"2025-10-23"`)
	least := time.Since(time.Date(2025, 10, 23, 0, 0, 0, 0, time.UTC)).Seconds()
	_, metrics := a.get("/metrics")
	most := time.Since(time.Date(2025, 10, 23, 0, 0, 0, 0, time.UTC)).Seconds()
	_, value, _ := strings.Cut(metrics, "\nrates_newest_day_age_seconds ")
	value, _, _ = strings.Cut(value, "\n")
	if got, err := strconv.ParseFloat(value, 64); err != nil || got < least || got > most {
		t.Errorf("got %q, %v, want %v to %v", value, err, least, most)
	}
}

func TestARefreshIsPickedUpWhileRunning(t *testing.T) {
	u := newUpstream(t, older)
	a := start(t, u.feedURL(), "FEED_EVERY=1s")
	a.answers("/v1/latest", `"date":"2025-10-22"`)
	a.answers("/metrics", `rates_feed_fetches_total{result="unchanged"} 1`)
	u.body.Store(current)
	a.answers("/v1/latest", `"date":"2025-10-23"`)
	u.body.Store("<html>Sorry</html>")
	failed := a.line("feed failed", nil)
	if got := fmt.Sprint(failed["error"]); !strings.HasPrefix(got, "this is HTML; ") || failed["newest"] != "2025-10-23" {
		t.Errorf("got %v, want why, and what is served", failed)
	}
	a.answers("/metrics", `rates_feed_fetches_total{result="failed"} 1`)
	a.answers("/v1/latest", `"date":"2025-10-23"`)
	if got, want := u.agents.Load(), "rates/"+version; got != want {
		t.Errorf("User-Agent: got %v, want %v", got, want)
	}
	a.stop()
	if strings.Contains(a.out.String(), "geheim") {
		t.Errorf("got the secret in\n%v", &a.out)
	}
	if got, want := a.count("msg", "table"), 3; got != want { // the snapshot and two feeds, however often they were fetched
		t.Errorf("lines of tables: got %v, want %v", got, want)
	}
	a.line("attached", map[string]any{"url": strings.Replace(u.URL, "://", "://***@", 1) + "/feed.csv?***"})
}

func TestFeedCacheServesTheNextStart(t *testing.T) {
	u := newUpstream(t, current)
	cached := "FEED_CACHE=" + filepath.Join(t.TempDir(), "feed.cache")
	first := start(t, u.feedURL(), cached)
	first.answers("/v1/latest", `"date":"2025-10-23"`)
	first.stop()
	u.Close()

	second := start(t, u.feedURL(), cached)
	if table := second.line("table", nil); table["source"] != "cache" { // before it listens
		t.Errorf("got %v, want the cache", table)
	}
	if _, body := second.get("/v1/latest"); !strings.Contains(body, `"date":"2025-10-23"`) {
		t.Errorf("got %v, want the cache's day", body)
	}
	if failed := second.line("feed failed", nil); failed["error"] != "the connection failed: connect: connection refused" {
		t.Errorf("got %v, want that nobody listens", failed)
	}
	if _, body := second.get("/v1/latest"); !strings.Contains(body, `"date":"2025-10-23"`) {
		t.Errorf("got %v, want the cache's day", body)
	}
}

func TestASlowFeedHoldsNothingUp(t *testing.T) {
	asked := make(chan struct{}, 1)
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, current[:20])
		http.NewResponseController(w).Flush()
		asked <- struct{}{}
		<-r.Context().Done()
	}))
	defer slow.Close()
	a := start(t, "FEED_URL="+slow.URL)
	if status, body := a.get("/readyz"); status != http.StatusOK {
		t.Errorf("ready: got %d %q, want 200", status, body)
	}
	if status, body := a.get("/v1/latest"); status != http.StatusOK {
		t.Errorf("latest: got %d %q, want 200", status, body)
	}
	<-asked
	began := time.Now()
	a.stop() // while the feed is being fetched
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("got the end after %v, want it promptly", took)
	}
	a.line("drained", nil)
	if got := a.count("level", "WARN"); got != 0 {
		t.Errorf("got %d warnings, want none of a fetch that we ended", got)
	}
}
