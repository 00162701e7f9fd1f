package port

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
)

// portOf returns a listener's port.
func portOf(t *testing.T, l net.Listener) uint16 {
	t.Helper()
	return uint16(l.Addr().(*net.TCPAddr).Port)
}

// take listens on an address that no one else has.
func take(t *testing.T, addr string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Skipf("this machine has no %s: %v", addr, err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func hasIPv6() bool {
	l, err := net.Listen("tcp", "[::1]:0")
	if err == nil {
		l.Close()
	}
	return err == nil
}

func TestListen(t *testing.T) {
	for _, tt := range []struct {
		name string
		host string
		want []string // the addresses bound
	}{
		{"localhost binds both loopbacks", "localhost", []string{"127.0.0.1", "::1"}},
		{"empty is all interfaces", "", []string{"::"}},
		{"an IPv4 address alone", "127.0.0.1", []string{"127.0.0.1"}},
		{"an IPv6 address alone", "::1", []string{"::1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !hasIPv6() && strings.Contains(fmt.Sprint(tt.want), ":") {
				t.Skip("this machine has no IPv6")
			}
			ls := listenLocal(t, tt.host)
			var got []string
			for _, l := range ls {
				got = append(got, l.Addr().(*net.TCPAddr).IP.String())
				if portOf(t, l) != portOf(t, ls[0]) || portOf(t, l) == 0 {
					t.Errorf("got ports %d and %d, want one number", portOf(t, ls[0]), portOf(t, l))
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestPORTIsTheOneBound(t *testing.T) {
	free := portOf(t, listenLocal(t, "localhost")[0])
	// Its own listeners hold the number, so ask for it on another loopback.
	ls, err := Listen(t.Context(), "127.0.0.2", free)
	if err != nil {
		t.Skipf("this machine has one loopback: %v", err)
	}
	defer ls[0].Close()
	if got := portOf(t, ls[0]); got != free {
		t.Errorf("got port %d, want %d", got, free)
	}
}

func TestATakenPortIsOneClearLine(t *testing.T) {
	for _, tt := range []struct{ name, taken, host string }{
		{"on an address", "127.0.0.1:0", "127.0.0.1"},
		{"on localhost", "127.0.0.1:0", "localhost"},
		{"on localhost, only for IPv6", "[::1]:0", "localhost"},
		{"on all interfaces", "[::]:0", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			port := portOf(t, take(t, tt.taken))
			ls, err := Listen(t.Context(), tt.host, port)
			want := fmt.Sprintf("PORT %d is taken: free it, set PORT to another, or shift the pair: make up PORT=8000", port)
			if err == nil || err.Error() != want || ls != nil {
				t.Errorf("got %v, error %v, want error %q", ls, err, want)
			}
		})
	}
}

func TestAFailedListenLeaksNothing(t *testing.T) {
	port := portOf(t, take(t, "[::1]:0"))
	if _, err := Listen(t.Context(), "localhost", port); err == nil {
		t.Fatal("got no error from a taken port")
	}
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)) // the loopback that was free
	if err != nil {
		t.Fatalf("got error %v, want the port free", err)
	}
	l.Close()
}

func TestExplain(t *testing.T) {
	_, taken := net.Listen("tcp", take(t, "127.0.0.1:0").Addr().String())
	for _, tt := range []struct {
		name string
		port uint16
		err  error
		want string
	}{
		{"5000 taken names macOS's AirPlay Receiver and how to shift", 5000, taken,
			"PORT 5000 is taken; on macOS the AirPlay Receiver may hold it (System Settings, AirDrop & Handoff). " +
				"Free it, set PORT to another, or shift the pair: make up PORT=8000"},
		{"another port taken", 5100, taken, "PORT 5100 is taken: free it, set PORT to another, or shift the pair: make up PORT=8000"},
		{"no right to it", 80, syscall.EACCES, "PORT 80 may not be bound by this user: set PORT to one above 1023"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := explain("PORT", tt.port, tt.err).Error(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestABadHOSTIsOneClearLineWithoutIt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, tt := range []struct {
		name string
		ctx  context.Context
		host string
		want string
	}{
		{"no such host", t.Context(), "hunter2.invalid", "HOST cannot be bound: no such host"},
		{"with a port of its own", t.Context(), "hunter2:5000", "HOST cannot be bound: no such host"},
		{"in brackets", t.Context(), "[hunter2]", "HOST cannot be bound: no such host"},
		{"with a bracket", t.Context(), "hunter2]", "HOST cannot be bound: no such host"},
		{"with a newline", t.Context(), "hunter2\n", "HOST cannot be bound: no such host"},
		{"a URL", t.Context(), "http://user:hunter2@host/", "HOST cannot be bound: no such host"},
		{"not of this machine", t.Context(), "192.0.2.1", "HOST cannot be bound: bind: cannot assign requested address"},
		{"while it was told to stop", ctx, "hunter2.invalid", "HOST cannot be bound: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ls, err := Listen(tt.ctx, tt.host, 0)
			if err == nil {
				ls[0].Close()
				t.Fatal("got no error")
			}
			if !strings.HasPrefix(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got error %q, want %q", err, tt.want)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got HOST's value in %q", err)
			}
		})
	}
}

func TestTheErrorOfABadHOSTIsTheSystems(t *testing.T) {
	_, err := Listen(t.Context(), "192.0.2.1", 0)
	if !errors.Is(err, syscall.EADDRNOTAVAIL) {
		t.Errorf("got %v, want %v", err, syscall.EADDRNOTAVAIL)
	}
}
