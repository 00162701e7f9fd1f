package port

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// bestOf passes if one of some rounds goes well, for what a busy machine may
// spoil.
func bestOf(t *testing.T, rounds int, round func(t *testing.T) (complaint string)) {
	t.Helper()
	for i := range rounds {
		complaint := round(t)
		if complaint == "" {
			return
		}
		t.Logf("round %d: %s", i+1, complaint)
	}
	t.Errorf("got no good round of %d", rounds)
}

func TestAConnectionKeptAliveIsServedOnceMoreWhenThePortIsClosed(t *testing.T) {
	t.Parallel()
	bestOf(t, 5, func(t *testing.T) string {
		at := start(t, server(t, http.NotFoundHandler()))
		conn := dial(t, at.url)
		answers := bufio.NewReader(conn)
		ask := func() (*http.Response, error) {
			io.WriteString(conn, "GET / HTTP/1.1\r\nHost: app\r\nContent-Length: 0\r\n\r\n")
			r, err := http.ReadResponse(answers, nil)
			if err == nil {
				_, err = io.Copy(io.Discard, r.Body)
			}
			return r, err
		}
		if r, err := ask(); err != nil || r.Close {
			t.Fatalf("got %+v, error %v, want an answer on a connection kept alive", r, err)
		}
		at.cancel()
		closes(t, at.url)
		r, err := ask()
		if err != nil {
			return "got no answer: " + err.Error()
		}
		if !r.Close {
			t.Errorf("got header %v, want Connection: close", r.Header)
		}
		return ""
	})
}

func TestTheDrainWaitsForNobody(t *testing.T) {
	t.Parallel()
	bestOf(t, 5, func(t *testing.T) string {
		at := start(t, server(t, http.NotFoundHandler()))
		conn := dial(t, at.url)
		io.WriteString(conn, "GET / HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n")
		if r := readReply(conn); r.err != nil {
			t.Fatal(r.err)
		}
		began := time.Now()
		at.cancel()
		if err := at.wait(t); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took >= lameDuck/2 {
			return "got the end after " + took.String()
		}
		return ""
	})
}

// net/http gives a connection 5 seconds to ask for something.
func TestConnectionsThatAskForNothingDoNotHoldTheDrain(t *testing.T) {
	t.Parallel()
	bestOf(t, 3, func(t *testing.T) string {
		at := start(t, server(t, http.NotFoundHandler()))
		dial(t, at.url)
		if r := get(t, client(t), at.url); r.err != nil { // so the other was accepted too
			t.Fatal(r.err)
		}
		began := time.Now()
		at.cancel()
		if err := at.wait(t); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took >= 4*time.Second {
			return "got the end after " + took.String()
		}
		return ""
	})
}

// shutDoor has that many stand before a door, shuts it and counts those who
// still get in, each of them slowly.
func shutDoor(t *testing.T, standing int) (in int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &door{TCPListener: l.(*net.TCPListener)}
	defer d.Close()
	for range standing {
		dial(t, l.Addr().String())
	}
	d.shut()
	for {
		time.Sleep(2 * quietDoor) // what serving the last one takes
		conn, err := d.Accept()
		if errors.Is(err, net.ErrClosed) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
		in++
	}
	closes(t, l.Addr().String())
	return in
}

func TestADoorIsShutBehindWhoStandsBeforeIt(t *testing.T) {
	t.Parallel()
	bestOf(t, 5, func(t *testing.T) string {
		if in := shutDoor(t, 5); in != 5 {
			return "got some of 5 reset"
		}
		return ""
	})
}

func TestADoorIsShutHoweverManyCome(t *testing.T) {
	t.Parallel()
	const all = 2 * int(lastCall/(2*quietDoor))
	if in := shutDoor(t, all); in >= all {
		t.Errorf("got all %d in, want it shut after %v", in, lastCall)
	}
}
