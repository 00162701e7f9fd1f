package logs

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// What is written by hand is what slog writes.
func TestARequestsLineIsAsSlogWritesIt(t *testing.T) {
	at := time.Date(2026, 11, 22, 9, 0, 0, 123456789, time.UTC)
	usual := requestLine{level: slog.LevelInfo, time: at, method: "GET", path: "/v1/latest", route: "/v1/latest", status: 200, bytes: 442,
		took: 139022 * time.Nanosecond, requestID: "a7328502ccd3a6a9", traceID: "d568bebdae639ce91b61c079b0571f03", client: "127.0.0.1"}
	for name, change := range map[string]func(*requestLine){
		"usual": func(*requestLine) {},
		"an error": func(l *requestLine) {
			l.level, l.status, l.err = slog.LevelError, 500, errors.New("panic: \"x\"\n\tgoroutine 1 <a&b>")
		},
		"a warning":         func(l *requestLine) { l.level, l.status = slog.LevelWarn, 503 },
		"quotes and more":   func(l *requestLine) { l.path = `/"\/é` + "\u2028\u007f<>&\x00\xff" },
		"nothing":           func(l *requestLine) { *l = requestLine{time: at} },
		"another time zone": func(l *requestLine) { l.time = at.In(time.FixedZone("", 5*3600+1800)) },
		"a whole second":    func(l *requestLine) { l.time, l.took = at.Truncate(time.Second), 2*time.Second },
		"a level between":   func(l *requestLine) { l.level = slog.LevelInfo + 1 },
	} {
		t.Run(name, func(t *testing.T) {
			l := usual
			change(&l)
			var want, got bytes.Buffer
			r := slog.NewRecord(l.time, l.level, "request", 0)
			r.AddAttrs(l.attrs()...)
			if err := slog.NewJSONHandler(&want, &slog.HandlerOptions{Level: slog.LevelDebug}).Handle(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			if l.write(&got); got.String() != want.String() {
				t.Errorf("got\n%swant\n%s", &got, &want)
			}
		})
	}
}

// Lines of requests and of others, from many goroutines at once, into a file and
// into a pipe: each is whole.
func TestLinesStayWhole(t *testing.T) {
	const writers, each = 8, 500
	file, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	piped := make(chan []byte)
	go func() {
		all, _ := io.ReadAll(r)
		piped <- all
	}()
	for _, to := range []*os.File{file, w} {
		log := New(to, slog.LevelInfo, JSON)
		h := Requests(log, Options{})(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		var all sync.WaitGroup
		for range writers {
			all.Go(func() {
				for range each {
					h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/"+strings.Repeat("x", 150), nil))
					log.Info("another")
				}
			})
		}
		all.Wait()
	}
	w.Close()
	written, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	for where, text := range map[string][]byte{"the file": written, "the pipe": <-piped} {
		lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
		if len(lines) != 2*writers*each {
			t.Errorf("%s: got %d lines, want %d", where, len(lines), 2*writers*each)
		}
		for _, line := range lines {
			if !strings.HasPrefix(line, `{"time":"`) || !strings.HasSuffix(line, `}`) {
				t.Fatalf("%s: got the line %s", where, line)
			}
		}
	}
}

type nowhere struct{ header http.Header }

func (n nowhere) Header() http.Header         { return n.header }
func (n nowhere) WriteHeader(int)             {}
func (n nowhere) Write(b []byte) (int, error) { return len(b), nil }

func BenchmarkRequest(b *testing.B) {
	file, err := os.Create(filepath.Join(b.TempDir(), "log"))
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	text := New(file, slog.LevelInfo, JSON)
	for name, log := range map[string]*slog.Logger{
		"a line":        text,
		"a line, slog":  slog.New(slog.NewJSONHandler(file, nil)),
		"without lines": New(file, slog.LevelWarn, JSON),
	} {
		h := Requests(log, Options{})(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		r := httptest.NewRequest("GET", "/v1/latest", nil)
		w := nowhere{http.Header{}}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				h.ServeHTTP(w, r)
			}
		})
	}
}
