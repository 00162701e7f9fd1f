package port

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

// joined are the two ends of a connection, ours as a door lets it in.
func joined(t *testing.T) (ours *conn, theirs *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	far, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	near, err := (&door{TCPListener: l.(*net.TCPListener)}).Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Close(); far.Close() })
	return near.(*conn), far.(*net.TCPConn)
}

const (
	before = 20 * time.Millisecond
	later  = 100 * time.Millisecond
)

func wantTimeout(t *testing.T, err error, began time.Time, least time.Duration) {
	t.Helper()
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v, want a timeout", err)
	}
	if took := time.Since(began); took < least {
		t.Errorf("timed out after %v, want at least %v", took, least)
	}
}

func TestADeadlineThatMovedFiresWhenItIsDue(t *testing.T) {
	ours, _ := joined(t)
	began := time.Now()
	for _, d := range []time.Duration{before, later, 2 * later} {
		ours.SetReadDeadline(began.Add(d))
	}
	_, err := ours.Read(make([]byte, 1))
	wantTimeout(t, err, began, 2*later)
	_, err = ours.Read(make([]byte, 1)) // and stays fired
	wantTimeout(t, err, began, 2*later)
}

func TestADeadlineThatMovesWhileSomebodyReads(t *testing.T) {
	ours, _ := joined(t)
	began := time.Now()
	ours.SetReadDeadline(began.Add(before))
	time.AfterFunc(before/2, func() { ours.SetReadDeadline(began.Add(later)) })
	_, err := ours.Read(make([]byte, 1))
	wantTimeout(t, err, began, later)
}

func TestADeadlineThatComesSoonerCounts(t *testing.T) {
	ours, _ := joined(t)
	began := time.Now()
	ours.SetReadDeadline(began.Add(time.Hour))
	ours.SetReadDeadline(began.Add(before))
	_, err := ours.Read(make([]byte, 1))
	wantTimeout(t, err, began, before)
}

func TestADeadlineThatWasTakenAwayDoesNotFire(t *testing.T) {
	ours, theirs := joined(t)
	ours.SetReadDeadline(time.Now().Add(before))
	ours.SetReadDeadline(time.Time{})
	time.AfterFunc(later, func() { theirs.Write([]byte("x")) })
	if _, err := ours.Read(make([]byte, 1)); err != nil {
		t.Error(err)
	}
}

// As net/http does after each request.
func TestADeadlineInThePastWakesAReader(t *testing.T) {
	ours, theirs := joined(t)
	for range 3 {
		ours.SetReadDeadline(time.Now().Add(time.Hour))
		woken := make(chan error)
		go func() {
			_, err := ours.Read(make([]byte, 1))
			woken <- err
		}()
		ours.SetReadDeadline(time.Unix(1, 0))
		if err := <-woken; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("got %v, want a timeout", err)
		}
		ours.SetReadDeadline(time.Time{})
		theirs.Write([]byte("x"))
		if _, err := ours.Read(make([]byte, 1)); err != nil {
			t.Error(err)
		}
	}
}

// As for a handler that is done before net/http's reader has begun to wait.
func TestADeadlineInThePastCountsForWhoComesLater(t *testing.T) {
	ours, theirs := joined(t)
	theirs.Write([]byte("x"))
	for range 3 {
		ours.SetDeadline(time.Unix(1, 0))
		if n, err := ours.Read(make([]byte, 1)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("read %d (%v), want a timeout", n, err)
		}
		if n, err := ours.Write([]byte("x")); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("wrote %d (%v), want a timeout", n, err)
		}
		ours.SetDeadline(time.Time{})
		if _, err := ours.Write([]byte("y")); err != nil {
			t.Error(err)
		}
	}
	if n, err := ours.Read(make([]byte, 1)); n != 1 || err != nil {
		t.Errorf("read %d (%v), want what was sent", n, err)
	}
}

func TestAWriteGoesOnWhenItsDeadlineHasMoved(t *testing.T) {
	ours, theirs := joined(t)
	sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<20) // more than the system keeps
	began := time.Now()
	ours.SetWriteDeadline(began.Add(before))
	ours.SetWriteDeadline(began.Add(time.Hour))
	time.AfterFunc(later, func() {
		if got, err := io.ReadAll(theirs); err != nil || !bytes.Equal(got, sent) {
			t.Errorf("got %d bytes (%v), want those that were sent, %d", len(got), err, len(sent))
		}
		theirs.Close()
	})
	if n, err := ours.Write(sent); err != nil || n != len(sent) {
		t.Errorf("wrote %d bytes (%v), want %d", n, err, len(sent))
	}
	if err := ours.CloseWrite(); err != nil {
		t.Error(err)
	}
	if _, err := ours.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("got %v, want the other's end", err)
	}
}

func TestAWriteEndsAtItsDeadline(t *testing.T) {
	ours, _ := joined(t)
	began := time.Now()
	ours.SetWriteDeadline(began.Add(before))
	ours.SetWriteDeadline(began.Add(later))
	n, err := ours.Write(make([]byte, 16<<20))
	wantTimeout(t, err, began, later)
	if n == 0 {
		t.Error("wrote nothing, want what the system took")
	}
}
