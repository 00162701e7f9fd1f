package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// resp is a server of the Redis protocol: rates, or a real redis-server.
type resp struct{ addr string }

// startRESP starts rates with its second port.
func startRESP(t *testing.T, env ...string) (*app, resp) {
	t.Helper()
	a := start(t, "rates", append(env, "RESP_PORT=0")...)
	return a, a.second()
}

// second waits until the app has logged its second port.
func (a *app) second() resp {
	a.t.Helper()
	return resp{a.await("its second port listens", func(line map[string]any) (string, bool) {
		at, _ := line["url"].(string)
		return strings.CutPrefix(at, "redis://")
	})}
}

// startRedis starts a redis-server, which takes no writes once readOnly is
// called, and says so as rates does.
func startRedis(t *testing.T) (r resp, readOnly func()) {
	t.Helper()
	_, r = startRedisOn(t, freePorts(t))
	return r, func() { r.dial(t).ask(t, "REPLICAOF 127.0.0.1 1") } // of nobody
}

func startRedisOn(t *testing.T, number int) (*app, resp) {
	t.Helper()
	for _, tool := range []string{"redis-server", "redis-cli"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatalf("%s is missing, and CI must have it", tool)
			}
			t.Skipf("%s is not installed (Debian: redis)", tool)
		}
	}
	port := strconv.Itoa(number)
	a := launchCommand(t, "redis-server", exec.Command("redis-server", "--port", port, "--bind", "127.0.0.1",
		"--save", "", "--appendonly", "no", "--dir", t.TempDir()))
	r := resp{net.JoinHostPort("127.0.0.1", port)}
	eventually(t, "redis-server answers", func() bool {
		select {
		case <-a.done:
			t.Fatalf("redis-server ended: %v\n%s", a.err, a.out)
		default:
		}
		conn, err := net.Dial("tcp", r.addr)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
	return a, r
}

// fill makes a real Redis hold what rates serves, as README says.
func (r resp) fill(t *testing.T, env ...string) {
	t.Helper()
	_, port, _ := net.SplitHostPort(r.addr)
	cmd := exec.Command("bash", "-o", "pipefail", "-c", `"$1" export | redis-cli -p "$2" --pipe`, "bash", filepath.Join(binDir, "rates"), port)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "LOG_LEVEL=error", "FEED_URL=none", "GORACE=atexit_sleep_ms=10"}, env...)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "errors: 0,") {
		t.Fatalf("%v\n%s", err, out)
	}
}

// cli runs lines through redis-cli, as they would be typed.
func (r resp) cli(t *testing.T, lines string, flags ...string) string {
	t.Helper()
	_, port, _ := net.SplitHostPort(r.addr)
	cmd := exec.Command("redis-cli", append([]string{"-p", port}, flags...)...)
	cmd.Stdin = strings.NewReader(lines)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("redis-cli: %v\n%s", err, out)
	}
	return string(out)
}

// respConn speaks the protocol by hand.
type respConn struct {
	net.Conn
	replies *bufio.Reader
}

func (r resp) dial(t *testing.T) *respConn {
	t.Helper()
	conn, err := net.DialTimeout("tcp", strings.Replace(r.addr, "localhost", "127.0.0.1", 1), patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	return &respConn{conn, bufio.NewReaderSize(conn, 64<<10)}
}

// ask sends a line's words and returns the reply as it came.
func (c *respConn) ask(t *testing.T, line string) string {
	t.Helper()
	words := strings.Fields(line)
	var b bytes.Buffer
	fmt.Fprintf(&b, "*%d\r\n", len(words))
	for _, word := range words {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(word), word)
	}
	if _, err := c.Write(b.Bytes()); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	var reply bytes.Buffer
	if err := c.read(&reply); err != nil {
		t.Fatalf("%s: %v after %q", line, err, reply.String())
	}
	return reply.String()
}

func (c *respConn) read(reply *bytes.Buffer) error {
	line, err := c.replies.ReadString('\n')
	reply.WriteString(line)
	if err != nil {
		return err
	}
	n, _ := strconv.Atoi(strings.TrimSpace(line[1:]))
	switch line[0] {
	case '$', '=':
		if n >= 0 {
			_, err = io.CopyN(reply, c.replies, int64(n)+2)
		}
		return err
	case '%':
		n *= 2
	case '*', '~':
	default:
		return nil
	}
	for range n {
		if err := c.read(reply); err != nil {
			return err
		}
	}
	return nil
}
