package web_test

import (
	"bufio"
	"bytes"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/portpair/services/rates/internal/web"
	"example.com/portpair/services/twelve/logs"
)

// patience is what web has with a client for each chunk, unless told
// otherwise; serverLimit what the server has for a whole answer.
const patience, serverLimit = 30 * time.Second, 30 * time.Second

// network is one without buffers: what a client does not read is not written.
// Under synctest its clock is not the wall's, and a minute takes no time.
type network struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (n *network) Accept() (net.Conn, error) {
	select {
	case c := <-n.conns:
		return c, nil
	case <-n.closed:
		return nil, net.ErrClosed
	}
}

func (n *network) Close() error   { return nil }
func (n *network) Addr() net.Addr { return &net.TCPAddr{} }

// dial connects and asks for a path of the long table.
func (n *network) dial(t *testing.T, path string, headers ...string) net.Conn {
	t.Helper()
	here, there := net.Pipe()
	n.conns <- there
	t.Cleanup(func() { here.Close() })
	request := "GET " + path + " HTTP/1.1\r\nHost: rates\r\n" + strings.Join(append(headers, "\r\n"), "\r\n")
	if _, err := io.WriteString(here, strings.TrimSuffix(request, "\r\n\r\n")+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	return here
}

// serveLong serves the long table on a network of its own.
func serveLong(t *testing.T, change ...func(*web.App)) *network {
	t.Helper()
	h := app(t, long(t, nil), now2026, change...)
	n := &network{make(chan net.Conn), make(chan struct{})}
	srv := &http.Server{Handler: h, WriteTimeout: serverLimit}
	go srv.Serve(n)
	t.Cleanup(func() { close(n.closed); srv.Close(); synctest.Wait() })
	return n
}

// slow reads a little, then waits.
type slow struct {
	io.Reader
	little int
	pause  time.Duration
}

func (s slow) Read(b []byte) (int, error) {
	<-time.After(s.pause)
	return s.Reader.Read(b[:min(len(b), s.little)])
}

const longRange = "/v1/2015-01-01.."

// readAll reads the one answer that a connection brings.
func readAll(r io.Reader) (string, error) {
	resp, err := http.ReadResponse(bufio.NewReaderSize(r, 64<<10), nil)
	if err != nil {
		return "", err
	}
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

func TestASlowReaderIsNotCutOff(t *testing.T) {
	for _, encoding := range []string{"identity", "gzip"} {
		t.Run(encoding, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := serveLong(t)
				want, err := readAll(n.dial(t, longRange, "Accept-Encoding: "+encoding))
				if err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				// A chunk of 32 KiB takes him 24 seconds; zipped it is a fifth of that.
				little := map[string]int{"identity": 4 << 10, "gzip": 2 << 10}[encoding]
				got, err := readAll(slow{n.dial(t, longRange, "Accept-Encoding: "+encoding), little, 3 * time.Second})
				if err != nil || got != want {
					t.Errorf("got %d bytes, %v, want all %d", len(got), err, len(want))
				}
				if took := time.Since(began); took <= serverLimit {
					t.Errorf("the slow reader took %v, which proves nothing", took)
				}
			})
		})
	}
}

func TestAReaderWhoStopsIsCutOff(t *testing.T) {
	for _, tt := range []struct {
		name  string
		reads int64
	}{
		{"before the first byte", 0},
		{"within the first chunk", 1 << 10},
		{"within the second chunk", 40 << 10},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				n := serveLong(t, func(a *web.App) { a.Log = logs.New(&log, slog.LevelInfo, logs.JSON) })
				stuck := n.dial(t, longRange)
				if _, err := io.CopyN(io.Discard, stuck, tt.reads); err != nil {
					t.Fatal(err)
				}
				synctest.Wait() // the server is blocked on him

				began := time.Now()
				for _, path := range []string{"/v1/latest", longRange} {
					if body, err := readAll(n.dial(t, path)); err != nil || !strings.HasSuffix(body, "}") {
						t.Errorf("%s for another: got %.80q, %v", path, body, err)
					}
				}
				if took := time.Since(began); took != 0 {
					t.Errorf("the others waited for %v", took)
				}

				<-time.After(patience)
				synctest.Wait()
				if rest, err := io.ReadAll(stuck); err != nil || len(rest) > 0 {
					t.Errorf("after %v: got %d bytes, %v, want the connection closed", patience, len(rest), err)
				}
				if !strings.Contains(log.String(), "the client took only a part") {
					t.Errorf("got no word of it in the log:\n%s", &log)
				}
			})
		})
	}
}

func TestPatienceIsTheApps(t *testing.T) {
	for _, tt := range []struct {
		name     string
		patience time.Duration
		pause    time.Duration // before each 4 KiB
		cut      bool
	}{
		{"little", time.Second, 3 * time.Second, true},
		{"much", time.Minute, 6 * time.Second, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := serveLong(t, func(a *web.App) { a.Patience = tt.patience })
				began := time.Now()
				body, err := readAll(slow{n.dial(t, longRange), 4 << 10, tt.pause})
				if took := time.Since(began); (err != nil) != tt.cut || tt.cut != (took < serverLimit) {
					t.Errorf("got %d bytes, %v, after %v, want a cut to be %v", len(body), err, took, tt.cut)
				}
			})
		})
	}
}

// A stuck reader holds a chunk, the same zipped, and his connection: no
// compressor, which alone is 1.2 MB.
func TestWhatAStuckReaderHolds(t *testing.T) {
	const readers, most = 64, 160 << 10
	synctest.Test(t, func(t *testing.T) {
		n := serveLong(t)
		if _, err := readAll(n.dial(t, longRange, "Accept-Encoding: gzip")); err != nil {
			t.Fatal(err)
		}
		before := live()
		for range readers {
			n.dial(t, longRange, "Accept-Encoding: gzip")
		}
		synctest.Wait()
		got := (int64(live()) - int64(before)) / readers
		t.Logf("%d bytes each", got)
		if got > most {
			t.Errorf("got %d bytes held by each, want at most %d", got, most)
		}
	})
}

// live is the heap in use after collection.
func live() uint64 {
	runtime.GC()
	runtime.GC() // pools let go at the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
