package resp

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"
)

const askUSD, usd = "*2\r\n$3\r\nGET\r\n$13\r\nrates:EUR:USD\r\n", "$4\r\n1.09\r\n"

// line waits for the line of the connection that ended so.
func (s *served) line(t *testing.T, end string) string {
	t.Helper()
	found := ""
	eventually(t, "a connection ends with "+end, func() bool {
		for line := range strings.Lines(s.log.String()) {
			if strings.Contains(line, "msg=connection") && strings.Contains(line, "end="+end) {
				found = line
			}
		}
		return found != ""
	})
	return found
}

func TestPipelinedCommandsAreAnsweredInTheirOrder(t *testing.T) {
	s := serve(t, App{})
	c := s.dial(t)
	const n = 5000
	go io.WriteString(c, strings.Repeat(askUSD+"PING\r\n", n))
	want := strings.Repeat(usd+"+PONG\r\n", n)
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c.replies, got); err != nil || string(got) != want {
		t.Errorf("got %v, not the %d answers", err, 2*n)
	}
}

func TestBytesThatComeOneByOne(t *testing.T) {
	c := serve(t, App{}).dial(t)
	for _, b := range []byte(askUSD) {
		c.send(string(b))
	}
	if got, err := c.reply(); got != usd || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestHowConnectionsEnd(t *testing.T) {
	tests := []struct {
		name, send, want, end string
		limits                Limits
	}{
		{"by QUIT", askUSD + "QUIT\r\n" + askUSD, usd + "+OK\r\n", "quit", Limits{}},
		{"of what is no request", askUSD + "*1\r\n:1\r\n" + askUSD, usd + "-ERR Protocol error: expected '$' before the length of an argument\r\n", `"Protocol error: expected`, Limits{}},
		{"of a claim of 300 MB", "*2\r\n$4\r\nECHO\r\n$314572800\r\nxxx", "-ERR Protocol error: invalid bulk length, at most 512 bytes are read\r\n", `"Protocol error: invalid bulk`, Limits{}},
		{"of an endless line", strings.Repeat("x", 5000), "-ERR Protocol error: too big inline request, at most 4096 bytes are read\r\n", `"Protocol error: too big`, Limits{}},
		{"of rest", askUSD, usd, "idle", Limits{Idle: 50 * time.Millisecond}},
		{"within a request", askUSD + "*2\r\n$3\r\nG", usd, `"request not finished in time"`, Limits{Request: 50 * time.Millisecond}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, App{Limits: tt.limits})
			c := s.dial(t)
			c.send(tt.send)
			got, err := io.ReadAll(c.replies)
			if string(got) != tt.want || err != nil && !errors.Is(err, syscall.ECONNRESET) { // what was not read is reset
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
			s.line(t, tt.end)
		})
	}
}

// A request that never ends, though its bytes keep coming, ends in time.
func TestSlowRequestsAreCutOff(t *testing.T) {
	s := serve(t, App{Limits: Limits{Request: 200 * time.Millisecond}})
	c := s.dial(t)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	began := time.Now()
	c.send("*2\r\n$4\r\nECHO\r\n$512\r\n")
	for range tick.C {
		if _, err := io.WriteString(c, "x"); err != nil {
			break
		}
		if time.Since(began) > patience {
			t.Fatal("it goes on")
		}
	}
	s.line(t, `"request not finished in time"`)
}

func TestAClientThatNeverReadsIsCutOff(t *testing.T) {
	s := serve(t, App{Limits: Limits{Write: 100 * time.Millisecond}})
	c := s.dial(t)
	c.SetReadBuffer(4 << 10)
	go func() {
		for {
			if _, err := io.WriteString(c, strings.Repeat("HGETALL rates:latest\r\n", 1000)); err != nil {
				return
			}
		}
	}()
	s.line(t, `"client does not read"`)
}

func TestOneLineAndTheMetricsOfAConnection(t *testing.T) {
	s := serve(t, App{})
	c := s.dial(t)
	for _, line := range []string{"PING", "GET rates:EUR:USD", "get rates:latest", "SET a b", "FOO"} {
		c.ask(line)
	}
	if got := s.metric("resp_connections"); got != "1" {
		t.Errorf("got %s open connections, want 1", got)
	}
	c.ask("QUIT")
	c.rest()
	line := s.line(t, "quit")
	for _, want := range []string{"level=INFO", "client=" + c.LocalAddr().String(), "commands=6", "errors=3", "duration="} {
		if !strings.Contains(line, want) {
			t.Errorf("no %s in %s", want, line)
		}
	}
	for name, want := range map[string]string{
		`resp_commands_total{command="ping",outcome="ok"}`:       "1",
		`resp_commands_total{command="get",outcome="ok"}`:        "1",
		`resp_commands_total{command="get",outcome="error"}`:     "1",
		`resp_commands_total{command="write",outcome="error"}`:   "1",
		`resp_commands_total{command="unknown",outcome="error"}`: "1",
		`resp_commands_total{command="mget",outcome="ok"}`:       "0",
		`resp_batch_duration_seconds_count`:                      "5", // without the last
	} {
		if got := s.metric(name); got != want {
			t.Errorf("%s: got %q, want %s", name, got, want)
		}
	}
	eventually(t, "no connection is open", func() bool { return s.metric("resp_connections") == "0" })
}

func TestThoseWhoOnlyLookAreNoNews(t *testing.T) {
	s := serve(t, App{})
	s.dial(t).Close()
	if line := s.line(t, `"client closed"`); !strings.Contains(line, "level=DEBUG") {
		t.Errorf("got %s", line)
	}
}

func TestOneConnectionTooMany(t *testing.T) {
	s := serve(t, App{Limits: Limits{Conns: 2}})
	first := s.dial(t)
	first.ask("PING")
	s.dial(t).ask("PING")
	if got := s.dial(t).rest(); got != "-ERR max number of clients reached\r\n" {
		t.Errorf("got %q", got)
	}
	if got := s.metric("resp_connections_refused_total"); got != "1" {
		t.Errorf("got %s refused, want 1", got)
	}
	s.line(t, `"one too many"`)
	first.Close()
	eventually(t, "there is room again", func() bool { return s.open() == 1 })
	if got := shown(s.dial(t).ask("PING")); got != "+PONG" {
		t.Errorf("got %q, want PONG", got)
	}
}

// What was sent before the drain is answered, all of it; then the connection
// is closed and not reset.
func TestTheDrainAnswersWhatWasSent(t *testing.T) {
	s := serve(t, App{})
	idle, busy := s.dial(t), s.dial(t)
	idle.ask("PING")
	busy.ask("PING")
	const n = 500
	busy.send(strings.Repeat(askUSD, n))
	s.shut()
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if got := busy.rest(); got != strings.Repeat(usd, n) {
		t.Errorf("got %d bytes, want %d answers", len(got), n)
	}
	if got := idle.rest(); got != "" {
		t.Errorf("idle: got %q", got)
	}
	s.line(t, "drained")
}

// Much takes longer than the last call, of a client who comes late to read it.
func TestTheDrainAnswersHoweverMuchWasSent(t *testing.T) {
	s := serve(t, App{})
	answer := s.dial(t).ask("KEYS *")
	c := s.dial(t)
	c.SetReadBuffer(64 << 10) // the answers are more than the system keeps
	const n = 60_000
	c.send(strings.Repeat("KEYS *\r\n", n))
	s.shut()
	ended := make(chan error)
	go func() { ended <- s.Shutdown(t.Context()) }()
	<-time.After(2 * lastCall)
	if got := len(c.rest()); got != n*len(answer) {
		t.Errorf("got %d answers of %d bytes, want %d", got/len(answer), len(answer), n)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	s.line(t, "drained")
}

// A connection that is accepted when the drain has begun gets its turn too.
func TestTheDrainServesWhoHasJustCome(t *testing.T) {
	s := serve(t, App{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := (&served{addr: l.Addr().String()}).dial(t)
	c.send(askUSD)
	last := time.Now().Add(patience)
	s.lastCall.Store(&last)
	go s.Serve(l)
	if got := c.rest(); got != usd {
		t.Errorf("got %q, want %q", got, usd)
	}
	l.Close()
	s.line(t, "drained")
}

// One that goes on asking is let go at the last call.
func TestTheDrainEndsWithTheLastCall(t *testing.T) {
	s := serve(t, App{})
	c := s.dial(t)
	go func() {
		for {
			if _, err := io.WriteString(c, askUSD); err != nil {
				return
			}
			if _, err := c.reply(); err != nil {
				return
			}
		}
	}()
	eventually(t, "it is served", func() bool { return s.metric(`resp_commands_total{command="get",outcome="ok"}`) != "0" })
	s.shut()
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	s.line(t, "drained")
}

func TestTheDrainCutsOffWhoTakesNoAnswer(t *testing.T) {
	s := serve(t, App{})
	c := s.dial(t)
	c.SetReadBuffer(4 << 10)
	stuck := make(chan struct{})
	go func() {
		for {
			c.SetWriteDeadline(time.Now().Add(200 * time.Millisecond))
			if _, err := io.WriteString(c, strings.Repeat("HGETALL rates:latest\r\n", 1000)); err != nil {
				close(stuck)
				return
			}
		}
	}()
	<-stuck
	s.shut()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := s.Shutdown(ctx); err == nil || err.Error() != "1 connections were cut off that took no answer" {
		t.Errorf("got %v", err)
	}
	s.line(t, `"cut off"`)
}

// A listener that fails for a while is not the end.
func TestAcceptIsTriedAgain(t *testing.T) {
	s := serve(t, App{})
	l := &failing{errs: []error{syscall.EMFILE, syscall.EMFILE, net.ErrClosed}}
	if err := s.Serve(l); !errors.Is(err, net.ErrClosed) || len(l.errs) != 0 {
		t.Errorf("got %v with %d errors left", err, len(l.errs))
	}
}

type failing struct {
	net.Listener
	errs []error
}

func (l *failing) Accept() (net.Conn, error) {
	err := l.errs[0]
	l.errs = l.errs[1:]
	return nil, err
}
