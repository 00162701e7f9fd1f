//go:build unix

package logs

import (
	"os"
	"syscall"
)

// direct writes to a file descriptor past os.File and its lock, which would be
// held during each write(2): requests that end together wait for each other
// there. The kernel keeps the lines apart: in files always, in pipes up to
// PIPE_BUF, 4096 bytes and more.
type direct struct{ *os.File }

func (d direct) Write(b []byte) (int, error) {
	n, err := syscall.Write(int(d.Fd()), b)
	if n = max(n, 0); n < len(b) || err != nil { // interrupted, or it would block: os.File knows what to do
		more, err := d.File.Write(b[n:])
		return n + more, err
	}
	return n, nil
}
