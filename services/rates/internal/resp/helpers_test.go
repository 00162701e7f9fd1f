package resp

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/portpair/services/rates/internal/ecb"
	"example.com/portpair/services/rates/internal/fx"
	"example.com/portpair/services/twelve/resource"
	"example.com/portpair/services/twelve/telemetry"
)

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// week has a currency that has ended (HRK), one that misses a day (GBP) and
// days without rates.
const week = `Date,USD,GBP,HRK,
2024-01-09,1.09,0.9,N/A,
2024-01-08,1.08,N/A,N/A,
2024-01-05,1.05,0.5,N/A,
2023-12-22,1.22,0.22,7.5,
`

func parseTable(t testing.TB, csv string) *fx.Table {
	t.Helper()
	table, err := ecb.Parse(strings.NewReader(csv))
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// served is a server at work on a port of its own.
type served struct {
	*Server
	addr string
	log  *output
	shut func() // closes the port
}

// serve starts one; what is not set in the app is set for it.
func serve(t testing.TB, a App) *served {
	t.Helper()
	s := &served{log: &output{}}
	if a.Table == nil {
		table := parseTable(t, week)
		a.Table = func() *fx.Table { return table }
	}
	a.Metrics, a.Version = telemetry.New("rates", "0.1.0"), "0.1.0"
	a.Log = slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s.Server = New(a)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = l.Addr().String()
	var accepting sync.WaitGroup
	accepting.Go(func() { _ = s.Serve(l) })
	s.shut = func() {
		l.Close()
		accepting.Wait()
	}
	t.Cleanup(func() {
		s.shut()
		_ = s.Shutdown(t.Context()) // which has ended: what the test left open is cut
		eventually(t, "no connection is left", func() bool { return s.open() == 0 })
	})
	return s
}

// conn is a client's connection.
type conn struct {
	*net.TCPConn
	t       testing.TB
	replies *bufio.Reader
}

func (s *served) dial(t testing.TB) *conn {
	t.Helper()
	c, err := net.DialTimeout("tcp", s.addr, patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(patience))
	return &conn{c.(*net.TCPConn), t, bufio.NewReader(c)}
}

// request is one in RESP.
func request(args ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(args))
	for _, arg := range args {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(arg), arg)
	}
	return b.String()
}

func (c *conn) send(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		c.t.Fatal(err)
	}
}

// ask sends a line's words as a request and returns the raw reply.
func (c *conn) ask(line string) string {
	c.t.Helper()
	c.send(request(strings.Fields(line)...))
	reply, err := c.reply()
	if err != nil {
		c.t.Fatalf("%s: %v after %q", line, err, reply)
	}
	return reply
}

// reply reads one, raw.
func (c *conn) reply() (string, error) {
	line, err := c.replies.ReadString('\n')
	if err != nil {
		return line, err
	}
	n := 0
	fmt.Sscanf(line[1:], "%d", &n)
	switch line[0] {
	case '$', '=':
		if n < 0 {
			return line, nil
		}
		text := make([]byte, n+2)
		_, err := io.ReadFull(c.replies, text)
		return line + string(text), err
	case '%':
		n *= 2
	case '*', '~':
	default:
		return line, nil
	}
	for range n {
		piece, err := c.reply()
		line += piece
		if err != nil {
			return line, err
		}
	}
	return line, nil
}

// rest reads to the end of the connection.
func (c *conn) rest() string {
	c.t.Helper()
	all, err := io.ReadAll(c.replies)
	if err != nil {
		c.t.Fatalf("got %v after %.200q, want the connection's end", err, all)
	}
	return string(all)
}

func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); !ok(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v in vain until %s", patience, what)
		}
	}
}

func access(t testing.TB, s string) resource.Credentials {
	t.Helper()
	c, err := resource.ParseCredentials(s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// metric is the value of one.
func (s *served) metric(name string) (value string) {
	var text strings.Builder
	s.Metrics.WritePrometheus(&text)
	for line := range strings.Lines(text.String()) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			value = strings.TrimSpace(rest)
		}
	}
	return value
}

// output is a log that is written while it is read.
type output struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
