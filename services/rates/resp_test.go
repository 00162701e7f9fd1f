package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// dialRESP connects to the second port.
func (a *app) dialRESP() net.Conn {
	a.t.Helper()
	conn, err := net.DialTimeout("tcp", strings.TrimPrefix(a.listens("redis://"), "redis://"), patience)
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	return conn
}

func TestTheSecondPort(t *testing.T) {
	a := start(t, "RESP_PORT=0", "RATES_ACCESS=ada:s3cret")
	conn := a.dialRESP()
	answers := bufio.NewReader(conn)
	for _, tt := range []struct{ ask, want string }{
		{"GET rates:EUR:USD", "-NOAUTH Authentication required.\r\n"},
		{"AUTH ada s3cret", "+OK\r\n"},
		{"TYPE rates:latest", "+hash\r\n"},
		{"SET rates:EUR:USD 2", "-READONLY You can't write against a read only replica.\r\n"},
	} {
		io.WriteString(conn, tt.ask+"\r\n")
		if got, err := answers.ReadString('\n'); got != tt.want || err != nil {
			t.Errorf("%s: got %q, %v, want %q", tt.ask, got, err, tt.want)
		}
	}
	if _, body := a.get("/metrics"); !strings.Contains(body, `resp_commands_total{command="type",outcome="ok"} 1`) || !strings.Contains(body, "resp_connections 1\n") {
		t.Errorf("got metrics without the command or the connection:\n%s", body)
	}
	conn.Close()
	line := a.line("connection", nil)
	if line["commands"] != 4.0 || line["errors"] != 2.0 || line["end"] != "client closed" || line["client"] != conn.LocalAddr().String() {
		t.Errorf("got %v", line)
	}
}

func TestTheSecondPortIsClosedUnlessAskedFor(t *testing.T) {
	for _, env := range []string{"RESP_PORT=", "LOG_LEVEL=info"} { // empty, unset
		a := start(t, env)
		if status, _ := a.get("/readyz"); status != http.StatusOK {
			t.Errorf("%s: got %d", env, status)
		}
		a.stop()
		if n := a.count("msg", "listening"); n != 1 {
			t.Errorf("%s: listens on %d ports, want 1", env, n)
		}
	}
}

func TestTheSecondPortTakenIsOneClearLine(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, number, _ := net.SplitHostPort(l.Addr().String())
	_, stderr, status := tell(t, []string{"RESP_PORT=" + number})
	want := "rates: RESP_PORT " + number + " is taken: free it, set RESP_PORT to another, or shift the pair: make up PORT=8000\n"
	if status != 1 || stderr != want {
		t.Errorf("got status %d, %q, want 1, %q", status, stderr, want)
	}
}

// Commands that were sent before SIGTERM are answered over one port while a
// request finishes over the other, and then the app ends.
func TestBothPortsDrain(t *testing.T) {
	a := start(t, "RESP_PORT=0", "DRAIN_TIMEOUT=15s")
	conn := a.dialRESP()
	const n = 500
	io.WriteString(conn, "PING\r\n")
	answers := bufio.NewReader(conn)
	if got, err := answers.ReadString('\n'); got != "+PONG\r\n" {
		t.Fatal(got, err)
	}
	io.WriteString(conn, strings.Repeat("GET rates:EUR:USD\r\n", n))
	if err := a.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(answers)
	if want := strings.Repeat("$6\r\n1.1699\r\n", n); string(got) != want || err != nil {
		t.Errorf("got %d bytes, %v, want all %d answers", len(got), err, n)
	}
	a.stop()
	a.line("drained", nil)
	a.line("connection", map[string]any{"end": "drained", "commands": n + 1.0})
}

func TestExport(t *testing.T) {
	feed := filepath.Join(t.TempDir(), "feed.csv")
	const csv = "Date,USD,HRK,\n2024-01-09,1.09,N/A,\n2023-12-22,1.22,7.5,\n"
	if err := os.WriteFile(feed, []byte(csv), 0o600); err != nil {
		t.Fatal(err)
	}
	stdout, stderr, status := tell(t, []string{"FEED_URL=file://" + feed, "LOG_LEVEL=error"}, "export")
	want := "MULTI | DEL rates:EUR:HRK | DEL rates:days | ZADD rates:days 20231222 2023-12-22 20240109 2024-01-09 | " +
		"DEL rates:latest | HSET rates:latest date 2024-01-09 base EUR USD 1.09 | DEL rates:EUR:USD | SET rates:EUR:USD 1.09 | " +
		"DEL rates:2023-12-22 | HSET rates:2023-12-22 date 2023-12-22 base EUR HRK 7.5 USD 1.22 | " +
		"DEL rates:2024-01-09 | HSET rates:2024-01-09 date 2024-01-09 base EUR USD 1.09 | EXEC"
	if got := commands(t, stdout); got != want || stderr != "" || status != 0 {
		t.Errorf("got %d, %q and\n%s\nwant\n%s", status, stderr, got, want)
	}
}

// What an export holds when the feed is gone: the last good one that is kept,
// or nothing at all, lest little take the place of much.
func TestExportWithoutTheFeed(t *testing.T) {
	dir := t.TempDir()
	feed, cache := filepath.Join(dir, "feed.csv"), "FEED_CACHE="+filepath.Join(dir, "cache")
	if err := os.WriteFile(feed, []byte("Date,USD,\n2024-01-09,1.09,\n2024-01-08,1.08,\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	url := "FEED_URL=file://" + feed
	if _, stderr, status := tell(t, []string{url, cache, "LOG_LEVEL=error"}, "export"); status != 0 || stderr != "" {
		t.Fatalf("got %d, %q", status, stderr)
	}
	if err := os.Remove(feed); err != nil {
		t.Fatal(err)
	}
	stdout, stderr, status := tell(t, []string{url, cache}, "export")
	if status != 0 || !strings.Contains(commands(t, stdout), "SET rates:EUR:USD 1.09") || !strings.Contains(stderr, "feed failed") {
		t.Errorf("with a cache: got %d, %q and\n%s", status, stderr, stdout)
	}
	stdout, stderr, status = tell(t, []string{url}, "export")
	if status != 1 || stdout != "" || stderr != "rates: FEED_URL: no such file or directory\n" {
		t.Errorf("without: got %d, %q and\n%s", status, stderr, stdout)
	}
}

// commands shows requests in RESP, a | between them.
func commands(t *testing.T, text string) string {
	t.Helper()
	var all []string
	for command := range strings.SplitSeq(text, "*") {
		var words []string
		for i, line := range strings.Split(command, "\r\n") {
			if i > 0 && i%2 == 0 {
				words = append(words, line)
			}
		}
		if len(words) > 0 {
			all = append(all, strings.Join(words, " "))
		}
	}
	return strings.Join(all, " | ")
}
