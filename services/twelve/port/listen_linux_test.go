package port

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

func TestAPortBelow1024IsOneClearLine(t *testing.T) {
	b, err := os.ReadFile("/proc/sys/net/ipv4/ip_unprivileged_port_start")
	if err != nil {
		t.Skip(err)
	}
	if first, err := strconv.Atoi(strings.TrimSpace(string(b))); err != nil || first < 2 {
		t.Skip("on this machine every user may bind every port")
	}
	refused := make(chan error)
	go func() {
		// As nobody, on a thread of its own that ends with this goroutine,
		// since it stays locked to it.
		runtime.LockOSThread()
		const keep, nobody = ^uintptr(0), 65534
		if os.Geteuid() == 0 {
			if _, _, errno := syscall.RawSyscall(syscall.SYS_SETRESUID, keep, nobody, keep); errno != 0 {
				t.Errorf("becoming nobody: %v", errno)
			}
		}
		ls, err := Listen(t.Context(), "127.0.0.1", 1)
		if err == nil {
			ls[0].Close()
		}
		refused <- err
	}()
	want := "PORT 1 may not be bound by this user: set PORT to one above 1023"
	if err := <-refused; err == nil || err.Error() != want {
		t.Errorf("got error %v, want %v", err, want)
	}
}
