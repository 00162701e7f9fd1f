package logs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// stream is a log whose lines a test waits for: a request's is written once
// its client has the answer.
type stream chan []byte

func (s stream) Write(p []byte) (int, error) {
	s <- bytes.Clone(p)
	return len(p), nil
}

// line is a line of the log, its keys in order.
type line struct {
	keys   []string
	values map[string]any
}

func (s stream) line(t *testing.T) line {
	t.Helper()
	select {
	case b := <-s:
		return parseLine(t, b)
	case <-time.After(20 * time.Second):
		t.Fatal("got no line")
		return line{}
	}
}

func parseLine(t *testing.T, b []byte) line {
	t.Helper()
	l := line{values: map[string]any{}}
	d := json.NewDecoder(bytes.NewReader(b))
	if _, err := d.Token(); err != nil { // {
		t.Fatalf("%v in %q", err, b)
	}
	for d.More() {
		key, err := d.Token()
		var value any
		if err == nil {
			err = d.Decode(&value)
		}
		if err != nil {
			t.Fatalf("%v in %q", err, b)
		}
		l.keys, l.values[key.(string)] = append(l.keys, key.(string)), value
	}
	return l
}

// app serves a handler with the middleware and returns its address and log.
func app(t *testing.T, level slog.Level, o Options, h http.HandlerFunc) (string, stream) {
	t.Helper()
	s := make(stream, 1000)
	srv := httptest.NewUnstartedServer(Requests(New(s, level, JSON), o)(h))
	srv.Config.ErrorLog = slog.NewLogLogger(slog.NewTextHandler(t.Output(), nil), slog.LevelInfo)
	srv.Start()
	t.Cleanup(srv.Close)
	return srv.URL, s
}

func nothing(http.ResponseWriter, *http.Request) {}

// send sends a request with header lines "Name: value" and returns the answer.
func send(t *testing.T, method, url string, header ...string) (*http.Response, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range header {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp, err
}

func mustSend(t *testing.T, method, url string, header ...string) *http.Response {
	t.Helper()
	resp, err := send(t, method, url, header...)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

var keys = []string{
	"time", "level", "msg", "method", "path", "route", "status", "bytes", "duration", "request_id", "trace_id", "client",
}

func TestOneLinePerRequestWithItsKeysInOrder(t *testing.T) {
	url, log := app(t, slog.LevelInfo, Options{},
		func(w http.ResponseWriter, r *http.Request) {
			r.Pattern = "/v1/{date}"
			w.WriteHeader(http.StatusTeapot)
			io.WriteString(w, "hello, ")
			io.WriteString(w, "world")
		})
	resp := mustSend(t, http.MethodPost, url+"/v1/2026-08-21?secret=x")
	got := log.line(t)
	if !slices.Equal(got.keys, keys) {
		t.Errorf("got keys %q, want %q", got.keys, keys)
	}
	for key, want := range map[string]any{
		"level": "INFO", "msg": "request", "method": "POST", "path": "/v1/2026-08-21", "route": "/v1/{date}",
		"status": 418.0, "bytes": 12.0, "request_id": resp.Header.Get("X-Request-Id"), "client": "127.0.0.1",
	} {
		if got.values[key] != want {
			t.Errorf("got %s %v, want %v", key, got.values[key], want)
		}
	}
	if d, err := time.ParseDuration(got.values["duration"].(string)); err != nil || d <= 0 {
		t.Errorf("got duration %v, error %v", got.values["duration"], err)
	}
	mustSend(t, http.MethodGet, url+"/next")
	if next := log.line(t); next.values["path"] != "/next" {
		t.Errorf("got line %v, want that of the next request: one each", next.values)
	}
}

func TestAttachedErrorsStandAtTheEndOfTheLine(t *testing.T) {
	url, log := app(t, slog.LevelInfo, Options{}, func(_ http.ResponseWriter, r *http.Request) {
		Attach(r.Context(), errors.New("what no client is told"))
	})
	mustSend(t, http.MethodGet, url)
	got := log.line(t)
	if want := append(slices.Clone(keys), "error"); !slices.Equal(got.keys, want) {
		t.Errorf("got keys %q, want %q", got.keys, want)
	}
	if got, want := got.values["error"], "what no client is told"; got != want {
		t.Errorf("got error %q, want %q", got, want)
	}
	Attach(t.Context(), errors.New("of no request")) // does nothing
}

func TestAnErrorThatWasToldIsNoSecondWarning(t *testing.T) {
	for status, want := range map[int]string{503: "INFO", 500: "ERROR"} {
		url, log := app(t, slog.LevelInfo, Options{}, func(w http.ResponseWriter, r *http.Request) {
			AttachTold(r.Context(), errors.New("told before"))
			w.WriteHeader(status)
		})
		mustSend(t, http.MethodGet, url)
		got := log.line(t)
		if got.values["level"] != want || got.values["error"] != "told before" {
			t.Errorf("%d: got level %v and error %v, want %s and the error", status, got.values["level"], got.values["error"], want)
		}
	}
	AttachTold(t.Context(), errors.New("of no request")) // does nothing
}

func TestABodyThatHEADLeavesOutIsNoBytes(t *testing.T) {
	url, log := app(t, slog.LevelInfo, Options{}, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hi") })
	mustSend(t, http.MethodHead, url)
	if got := log.line(t).values["bytes"]; got != 0.0 {
		t.Errorf("got bytes %v, want 0", got)
	}
}

func TestTheStatusIsTheOneSent(t *testing.T) {
	for _, tt := range []struct {
		name    string
		handler http.HandlerFunc
		status  int
		bytes   int
	}{
		{"nothing written is 200", nothing, 200, 0},
		{"a body alone is 200", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hi") }, 200, 2},
		{"a header alone", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, 204, 0},
		{"the first counts", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404); w.WriteHeader(500) }, 404, 0},
		{"a body before the header", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hi"); w.WriteHeader(500) }, 200, 2},
		{"early hints are not the answer", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(103); w.WriteHeader(404) }, 404, 0},
		{"a flush is 200", func(w http.ResponseWriter, _ *http.Request) { http.NewResponseController(w).Flush() }, 200, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var route string
			var status int
			done := Options{Done: func(r string, s int, d time.Duration) { route, status = fmt.Sprint(r, " ", d > 0), s }}
			url, log := app(t, slog.LevelInfo, done, tt.handler)
			resp := mustSend(t, http.MethodGet, url)
			got := log.line(t).values
			if got["status"] != float64(tt.status) || resp.StatusCode != tt.status || got["bytes"] != float64(tt.bytes) {
				t.Errorf("got status %v, bytes %v, sent %d, want %d and %d", got["status"], got["bytes"], resp.StatusCode, tt.status, tt.bytes)
			}
			if status != tt.status || route != "none true" {
				t.Errorf("got Done told %q, %d, want its route, a duration and %d", route, status, tt.status)
			}
		})
	}
}

func TestLevels(t *testing.T) {
	for _, tt := range []struct {
		path   string
		status int
		want   string
	}{
		{"/v1/latest", 200, "INFO"},
		{"/v1/latest", 404, "INFO"},
		{"/v1/latest", 500, "ERROR"},
		{"/v1/latest", 502, "ERROR"},
		{"/v1/latest", 503, "WARN"},
		{"/livez", 200, "DEBUG"},
		{"/readyz", 200, "DEBUG"},
		{"/readyz", 503, "DEBUG"},
		{"/metrics", 200, "DEBUG"},
		{"/metrics", 500, "ERROR"},
		{"/livez/x", 200, "INFO"},
	} {
		t.Run(fmt.Sprintf("%s %d is %s", tt.path, tt.status, tt.want), func(t *testing.T) {
			url, log := app(t, slog.LevelDebug, Options{}, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(tt.status) })
			mustSend(t, http.MethodGet, url+tt.path)
			if got := log.line(t).values["level"]; got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestProbesAreQuiet(t *testing.T) {
	told := make(chan int, 10)
	url, log := app(t, slog.LevelInfo, Options{Done: func(_ string, status int, _ time.Duration) { told <- status }}, nothing)
	for _, path := range []string{"/livez", "/readyz", "/metrics", "/last"} {
		mustSend(t, http.MethodGet, url+path)
		select {
		case <-told: // counted, though it has no line
		case <-time.After(20 * time.Second):
			t.Fatalf("got %s not counted", path)
		}
	}
	if got := log.line(t).values["path"]; got != "/last" {
		t.Errorf("got a line of %v, want none", got)
	}
}

func TestHostileRequestsAreLoggedClean(t *testing.T) {
	url, log := app(t, slog.LevelInfo, Options{}, nothing)
	mustSend(t, strings.Repeat("M", 1000), url+"/a%0Ab%1B%5B2J%E2%80%AE%FF"+strings.Repeat("x", 1000))
	got := log.line(t).values
	if got, want := got["path"].(string), "/a�b�[2J��xxx"; !strings.HasPrefix(got, want) || len(got) > 203 {
		t.Errorf("got path %q, want %q and at most 200 bytes", got, want)
	}
	if got, want := got["method"], strings.Repeat("M", 200)+"…"; got != want {
		t.Errorf("got method %q, want %q", got, want)
	}
}

func TestTheClientIsThePeerOrWhatTheAppSays(t *testing.T) {
	said := func(*http.Request) string { return "192.0.2.1" }
	for _, tt := range []struct {
		name   string
		client func(*http.Request) string
		remote string
		want   string
	}{
		{"the peer's address without its port", nil, "198.51.100.7:1234", "198.51.100.7"},
		{"an IPv6 peer", nil, "[2001:db8::1]:1234", "2001:db8::1"},
		{"a peer without a port", nil, "pipe", "pipe"},
		{"what the app says", said, "198.51.100.7:1234", "192.0.2.1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := make(stream, 1)
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
			r.RemoteAddr = tt.remote
			r.Header.Set("X-Forwarded-For", "203.0.113.9") // counts only if the app says so
			Requests(New(s, slog.LevelInfo, JSON), Options{Client: tt.client})(http.HandlerFunc(nothing)).ServeHTTP(httptest.NewRecorder(), r)
			if got := s.line(t).values["client"]; got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestAPanicHasItsLineTooAndCutsTheConnection(t *testing.T) {
	for _, tt := range []struct {
		name  string
		value any
	}{{"any", "no such thing"}, {"an aborted answer", http.ErrAbortHandler}} {
		t.Run(tt.name, func(t *testing.T) {
			status := 0
			url, log := app(t, slog.LevelInfo, Options{Done: func(_ string, s int, _ time.Duration) { status = s }},
				func(http.ResponseWriter, *http.Request) { panic(tt.value) })
			if resp, err := send(t, http.MethodPost, url); err == nil {
				t.Errorf("got %d, want the connection cut", resp.StatusCode)
			}
			got := log.line(t).values
			if got["level"] != "ERROR" || got["status"] != 500.0 || got["error"] != fmt.Sprint("panic: ", tt.value) {
				t.Errorf("got %v, want an error with status 500 and the panic's value", got)
			}
			if status != 500 {
				t.Errorf("got Done told %d, want 500", status)
			}
		})
	}
}

func TestResponseControllerReachesTheConnection(t *testing.T) {
	for _, tt := range []struct {
		name string
		call func(*http.ResponseController) error
	}{
		{"Flush", (*http.ResponseController).Flush},
		{"SetWriteDeadline", func(c *http.ResponseController) error { return c.SetWriteDeadline(time.Now().Add(time.Hour)) }},
		{"SetReadDeadline", func(c *http.ResponseController) error { return c.SetReadDeadline(time.Now().Add(time.Hour)) }},
		{"EnableFullDuplex", (*http.ResponseController).EnableFullDuplex},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := make(chan error, 1)
			url, _ := app(t, slog.LevelInfo, Options{}, func(w http.ResponseWriter, _ *http.Request) {
				got <- tt.call(http.NewResponseController(w))
			})
			mustSend(t, http.MethodGet, url)
			if err := <-got; err != nil {
				t.Errorf("got error %v, want none", err)
			}
		})
	}
}
