package port

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
)

// Listen binds a port on a host: empty is all interfaces, "localhost" both
// loopbacks (127.0.0.1 and, where there is IPv6, ::1, under the same number),
// anything else that one address (of 0.0.0.0 and ::, Go makes all interfaces).
// Port 0 takes any free one; the listeners know which. The error is one line
// that says what an operator can do.
func Listen(ctx context.Context, host string, port uint16) ([]net.Listener, error) {
	return ListenAs(ctx, "PORT", host, port)
}

// ListenAs is Listen of a port that another variable than PORT names.
func ListenAs(ctx context.Context, variable, host string, port uint16) ([]net.Listener, error) {
	if host != "localhost" {
		l, err := listen(ctx, host, port)
		if err != nil {
			return nil, explain(variable, port, err)
		}
		return []net.Listener{l}, nil
	}
	// A free port of one loopback may be taken on the other: try again.
	const tries = 20
	for i := 1; ; i++ {
		ls, err := loopbacks(ctx, port)
		if err == nil {
			return ls, nil
		}
		if port != 0 || i == tries || !errors.Is(err, syscall.EADDRINUSE) {
			return nil, explain(variable, port, err)
		}
	}
}

func listen(ctx context.Context, host string, port uint16) (net.Listener, error) {
	var lc net.ListenConfig
	return lc.Listen(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(int(port))))
}

func loopbacks(ctx context.Context, port uint16) ([]net.Listener, error) {
	v4, err := listen(ctx, "127.0.0.1", port)
	if err != nil {
		return nil, err
	}
	v6, err := listen(ctx, "::1", uint16(v4.Addr().(*net.TCPAddr).Port))
	switch {
	case err == nil:
		return []net.Listener{v4, v6}, nil
	case errors.Is(err, syscall.EADDRNOTAVAIL), errors.Is(err, syscall.EAFNOSUPPORT):
		return []net.Listener{v4}, nil // a machine without IPv6
	default:
		v4.Close()
		return nil, err
	}
}

// explain turns a failed bind into what to do about it.
func explain(variable string, port uint16, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE) && port == 5000:
		return fmt.Errorf("%[1]s 5000 is taken; on macOS the AirPlay Receiver may hold it (System Settings, AirDrop & Handoff). "+
			"Free it, set %[1]s to another, or shift the pair: make up PORT=8000", variable)
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%[1]s %[2]d is taken: free it, set %[1]s to another, or shift the pair: make up PORT=8000", variable, port)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%[1]s %[2]d may not be bound by this user: set %[1]s to one above 1023", variable, port)
	default:
		return fmt.Errorf("HOST cannot be bound: %w", cause(err))
	}
}

// cause strips what net wraps around an error, the address: HOST may hold
// anything.
func cause(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	var dns *net.DNSError
	var addr *net.AddrError
	if errors.As(err, &dns) || errors.As(err, &addr) {
		return errors.New("no such host")
	}
	return err
}
