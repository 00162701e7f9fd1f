package ecb

import (
	"context"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"example.com/portpair/services/rates/internal/fx"
)

func TestFeedServesTheSnapshotUntilThereIsAFeed(t *testing.T) {
	f := newFile(t, current)
	feed := openFeed(t, f.source(t))
	if feed.Table() != Snapshot() {
		t.Error("before the first fetch: got another table than the snapshot")
	}
	feed.turn(t.Context())
	if got, want := feed.Table().Newest().String(), "2025-10-23"; got != want {
		t.Errorf("newest: got %v, want %v", got, want)
	}
	if got, want := feed.Table().Len(), 3; got != want { // none of the snapshot's days among them
		t.Errorf("days: got %v, want %v", got, want)
	}
	if got, want := feed.fetches.that(OK), 1; got != want {
		t.Errorf("fetches that went well: got %v, want %v", got, want)
	}
	warnings := feed.log.at(t, "WARN")
	if len(warnings) != 1 || warnings[0]["msg"] != "feed is older than the snapshot" {
		t.Errorf("got warnings %v, want one that the snapshot was newer", warnings)
	}
}

func TestFeedNone(t *testing.T) {
	feed := openFeed(t, Source{}, withCache(filepath.Join(t.TempDir(), "feed.cache")))
	feed.Run(t.Context()) // returns
	if feed.Table() != Snapshot() || len(feed.fetches.n) != 0 {
		t.Errorf("got %d days and fetches %v, want the snapshot and none", feed.Table().Len(), feed.fetches.n)
	}
}

func TestFeedNews(t *testing.T) {
	tests := []struct {
		name    string
		news    string
		outcome Outcome
		nok     string // on 2025-10-23
	}{
		{"a further day", current, OK, "11.8529"},
		{"a further day in a zip", packed(t, member, current), OK, "11.8529"},
		{"the same", older, Unchanged, "11.656"},
		{"a day published again wins", head + strings.Replace(wed, "11.656", "11.567", 1) + tue, OK, "11.567"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFile(t, older)
			feed := openFeed(t, f.source(t))
			feed.turn(t.Context())
			feed.log.forget()
			f.write(t, tt.news)
			feed.turn(t.Context())
			if got, want := rate(t, feed.Table(), "2025-10-23", "NOK"), tt.nok; got != want {
				t.Errorf("NOK: got %v, want %v", got, want)
			}
			want := map[Outcome]int{OK: 1}
			want[tt.outcome]++
			if got := feed.fetches.that(tt.outcome); got != want[tt.outcome] || feed.fetches.that(Failed) != 0 {
				t.Errorf("fetches: got %v, want %v", feed.fetches.n, want)
			}
			if got, changed := len(feed.log.at(t, "INFO")), tt.outcome == OK; (got == 1) != changed || got > 1 {
				t.Errorf("got log\n%vwant one line at info: %v", feed.log, changed)
			}
		})
	}
}

// Each of these comes after a good feed, and changes nothing but a counter and the log.
func TestABrokenFeedChangesNothing(t *testing.T) {
	zip := packed(t, member, current)
	body := func(s string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, s) }
	}
	status := func(n int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(n) }
	}
	tests := []struct {
		name   string
		broken http.HandlerFunc
		want   string // reason
	}{
		{"a cut zip", body(zip[:len(zip)-30]), "this is a zip that is cut short or damaged"},
		{"a zip bomb that says so", body(bomb(t, 1000, 10<<30)), "this is a zip that unpacks to 10240 MiB; at most 8 MiB are read"},
		{"a zip bomb that does not", body(bomb(t, 1<<20, uint64(len(current)))), "reading: zip: not a valid zip file"},
		{"a wrong header", body("Day,USD,NOK,\n" + thu), `line 1: "Day,USD,NOK," is not the header of the history (Date,USD,JPY,…)`},
		{"a bad number", body(head + "2025-10-23,1.1593,eleven,\n" + wed + tue), `line 2, NOK: "eleven" is not a rate`},
		{"an empty file", body(""), "this is empty; " + wanted},
		{"a feed that lacks the newest day", body(head + wed + tue), "lacks 1 of the days that the last good feed had, 2025-10-23 the first of them"},
		{"a feed that lacks old days", body(head + thu), "lacks 2 of the days that the last good feed had, 2025-10-21 the first of them"},
		{"a feed that lacks a currency", body("Date,USD,\n2025-10-23,1.1593,\n2025-10-22,1.1587,\n2025-10-21,1.1607,\n"), "lacks 1 of the currencies that the last good feed had, NOK the first of them"},
		{"a day in the future", body(head + "9999-12-31,1.1593,11.8529,\n" + thu + wed + tue), "its newest day, 9999-12-31, lies in the future"},
		{"100 MB of zeros", func(w http.ResponseWriter, _ *http.Request) { writeZeros(w, 100<<20) }, "over 8 MiB long"},
		{"HTML with status 200", body("<!DOCTYPE html>\n<title>Sorry</title>"), "this is HTML; " + wanted},
		{"XML", body(`<?xml version="1.0"?><gesmes:Envelope>`), "this is XML; " + wanted},
		{"the ECB's CSV of one day", body("Date, USD, NOK, \n23 October 2025, 1.1593, 11.8529, \n"), "this is the ECB's CSV of one day; " + wanted},
		{"a redirect loop", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/again", http.StatusFound) }, "redirect not followed: over 3 in a row"},
		{"a body that stalls", func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, current[:50])
			http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}, "nothing came for 50ms"},
		{"a body cut short", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "9999")
			io.WriteString(w, current)
		}, "cut the connection before its answer's end"},
		{"404", status(404), "answered with status 404"},
		{"500", status(500), "answered with status 500"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var handler atomic.Value
			handler.Store(body(current))
			s := serve(t, func(w http.ResponseWriter, r *http.Request) { handler.Load().(http.HandlerFunc)(w, r) })
			cached := filepath.Join(t.TempDir(), "feed.cache")
			feed := openFeed(t, s, withCache(cached))
			feed.turn(t.Context())
			if strings.HasPrefix(tt.want, "nothing came") {
				feed.fetcher.stall = 50 * time.Millisecond
			}
			handler.Store(tt.broken)
			checkFailure(t, feed, cached, tt.want)
		})
	}
}

func TestOneDayIsNoHistory(t *testing.T) {
	f := newFile(t, head+thu)
	feed := openFeed(t, f.source(t))
	feed.turn(t.Context())
	if feed.Table() != Snapshot() {
		t.Errorf("got %d days to %v served, want the snapshot", feed.Table().Len(), feed.Table().Newest())
	}
	warnings := feed.log.at(t, "WARN")
	if want := "this has one day alone, 2025-10-23; " + wanted; len(warnings) != 1 || warnings[0]["error"] != want {
		t.Errorf("got warnings %v, want one: %v", warnings, want)
	}
	f.write(t, head+wed+tue) // an excerpt will do
	feed.turn(t.Context())
	checkNewest(t, feed, "2025-10-22")
}

func TestABrokenFileChangesNothing(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(path string) error
		want  string
	}{
		{"missing", os.Remove, "no such file or directory"},
		{"a directory", func(path string) error {
			if err := os.Remove(path); err != nil {
				return err
			}
			return os.Mkdir(path, 0o700)
		}, "is a directory"},
		{"empty", func(path string) error { return os.Truncate(path, 0) }, "this is empty; " + wanted},
		{"cut", func(path string) error { return os.Truncate(path, int64(len(current)-3)) }, "line 4: 3 fields, the header has 4"},
		{"100 MB of zeros at its end", func(path string) error { return os.Truncate(path, 100<<20) }, "over 8 MiB long"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFile(t, current)
			cached := filepath.Join(t.TempDir(), "feed.cache")
			feed := openFeed(t, f.source(t), withCache(cached))
			feed.turn(t.Context())
			if err := tt.spoil(f.path); err != nil {
				t.Fatal(err)
			}
			checkFailure(t, feed, cached, tt.want)
		})
	}
}

// checkFailure takes a turn that is to fail.
func checkFailure(t *testing.T, feed tested, cached, want string) {
	t.Helper()
	before, kept := feed.Table(), readOrEmpty(t, cached)
	feed.log.forget()
	next := feed.turn(t.Context())
	if feed.Table() != before {
		t.Errorf("got %d days to %v served, want the table from before", feed.Table().Len(), feed.Table().Newest())
	}
	if readOrEmpty(t, cached) != kept || kept == "" {
		t.Error("got another cache, want it as before")
	}
	if got := feed.fetches.n; got[Failed] != 1 || got[OK] != 1 {
		t.Errorf("fetches: got %v, want one good and one failed", got)
	}
	if next > firstRetry {
		t.Errorf("next fetch: got %v, want at most %v", next, firstRetry)
	}
	all, warnings := strings.Count(feed.log.String(), "\n"), feed.log.at(t, "WARN")
	if all != 1 || len(warnings) != 1 || warnings[0]["msg"] != "feed failed" || warnings[0]["error"] != want {
		t.Errorf("got log\n%vwant one warning: %v", feed.log, want)
	}
	noSecret(t, feed.log.String())
}

func readOrEmpty(t *testing.T, path string) string {
	t.Helper()
	text, err := readFile(path)
	if err != nil {
		t.Error(err)
	}
	return text
}

// A broken feed is asked for whole the next time: its validators are not believed.
func TestFeedAsksForWhatIsNotTheLastGoodOne(t *testing.T) {
	var body, known atomic.Value
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		known.Store(r.Header.Get("If-None-Match"))
		if etag := `"` + sum(body.Load().(string)) + `"`; r.Header.Get("If-None-Match") == etag {
			w.WriteHeader(http.StatusNotModified)
		} else {
			w.Header().Set("ETag", etag)
			io.WriteString(w, body.Load().(string))
		}
	})
	feed := openFeed(t, s)
	for _, tt := range []struct{ name, body, known, msg string }{
		{"the first", older, "", "feed is older than the snapshot"},
		{"the same again", older, older, "feed unchanged"},
		{"a broken one", "<html>", older, "feed failed"},
		{"a broken one again", "<html>", older, "feed failed"},
		{"the good one is back", older, older, "feed unchanged"},
		{"another", current, older, "feed is older than the snapshot"},
		{"the same again", current, current, "feed unchanged"},
	} {
		body.Store(tt.body)
		feed.log.forget()
		feed.turn(t.Context())
		want := ""
		if tt.known != "" {
			want = `"` + sum(tt.known) + `"`
		}
		if got := known.Load(); got != want {
			t.Errorf("%s: got If-None-Match %v, want %v", tt.name, got, want)
		}
		if got := feed.log.String(); !strings.Contains(got, `"msg":"`+tt.msg+`"`) {
			t.Errorf("%s: got log\n%vwant %v", tt.name, got, tt.msg)
		}
	}
	if got, want := feed.fetches.n, (map[Outcome]int{OK: 2, Unchanged: 3, Failed: 2}); !maps.Equal(got, want) {
		t.Errorf("fetches: got %v, want %v", got, want)
	}
}

func TestTheServersRetryAfterIsHeeded(t *testing.T) {
	tests := []struct {
		name, header string
		every        time.Duration
		least, most  time.Duration
	}{
		{"none", "", time.Hour, 0, firstRetry},
		{"seconds", "600", time.Hour, 10 * time.Minute, 10 * time.Minute},
		{"a date", time.Now().Add(30 * time.Minute).UTC().Format(http.TimeFormat), time.Hour, 5 * time.Minute, 30 * time.Minute},
		{"sooner than we would", "1", time.Hour, firstRetry / 2, firstRetry},
		{"a date that has been", "Thu, 23 Oct 2025 13:55:00 GMT", time.Hour, firstRetry / 2, firstRetry},
		{"nonsense", "soon", time.Hour, firstRetry / 2, firstRetry},
		{"a year", "31536000", 24 * time.Hour, time.Hour, time.Hour},
		{"more than there is time", "99999999999999999999", 24 * time.Hour, time.Hour, time.Hour},
		{"longer than FEED_EVERY", "3600", 5 * time.Minute, 5 * time.Minute, 5 * time.Minute},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", tt.header)
				w.WriteHeader(http.StatusServiceUnavailable)
			})
			feed := openFeed(t, s, func(o *Options) {
				o.Every = tt.every
				o.Due = func(fx.Day) time.Time { return time.Now().Add(48 * time.Hour) }
			})
			if got := feed.turn(t.Context()); got < tt.least || got > tt.most {
				t.Errorf("got the next fetch after %v, want %v to %v", got, tt.least, tt.most)
			}
		})
	}
}

func TestTheEndOfTroubleIsTold(t *testing.T) {
	f := newFile(t, current)
	feed := openFeed(t, f.source(t))
	feed.turn(t.Context())
	for _, tt := range []struct{ content, level string }{
		{current, "DEBUG"}, {"<html>", "WARN"}, {"<html>", "WARN"}, {current, "INFO"}, {current, "DEBUG"},
	} {
		f.write(t, tt.content)
		feed.log.forget()
		feed.turn(t.Context())
		if got := len(feed.log.at(t, tt.level)); got != 1 {
			t.Errorf("got log\n%vwant one line at %v", feed.log, tt.level)
		}
	}
}

func TestRunEndsWithItsContextDuringAFetch(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	feed := openFeed(t, serve(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	}))
	feed.log.forget()
	feed.Run(ctx) // returns
	if got := feed.log.String(); got != "" || len(feed.fetches.n) != 0 {
		t.Errorf("got fetches %v and log\n%vwant nothing told of a fetch that we ended", feed.fetches.n, got)
	}
}
