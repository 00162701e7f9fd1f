package e2e

import (
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// TestGarbageOfALoadIsGivenBack: an app takes memory for speed while there are
// many requests, and has none of it soon after; where GOGC is set, that decides.
func TestGarbageOfALoadIsGivenBack(t *testing.T) {
	t.Parallel()
	const usual, headroom = 20 << 20, 48 << 20 // bytes: the collector's goal, and what more is taken at the peak
	dir, err := checkout()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, env string
		more      bool
	}{{"as shipped", "GOGC=", true}, {"GOGC is set", "GOGC=100", false}} {
		t.Run(tt.name, func(t *testing.T) {
			a := startSilent(t, filepath.Join(dir, "bin", "rates"), tt.env)
			get(t, a.url+"/v1/latest")
			before := residentMemory(t, a.cmd.Process.Pid)
			var goal int
			var grown int64
			for range 20 { // which take long enough to be noticed
				hammer(t, a, 4, 2500)
				goal = max(goal, counter(t, a, "go_memstats_next_gc_bytes"))
				if grown = peakMemory(t, a.cmd.Process.Pid) - before; tt.more && grown > usual {
					break
				}
			}
			t.Logf("collected at %.1f MB, %.1f MB more at the peak", float64(goal)/mib, float64(grown)/mib)
			if tt.more != (goal > usual) {
				t.Errorf("collected at %d bytes; more than usual: want %v", goal, tt.more)
			}
			if grown > headroom || tt.more && grown <= usual {
				t.Errorf("%d bytes more at the peak, want at most %d", grown, headroom)
			}
			if tt.more {
				eventually(t, "the memory is given back", func() bool {
					return residentMemory(t, a.cmd.Process.Pid)-before < usual
				})
			}
		})
	}
}

// hammer asks many times on some connections, as fast as it is answered.
func hammer(t *testing.T, a *app, conns, times int) {
	t.Helper()
	requests := strings.Repeat("GET /v1/latest HTTP/1.1\r\nHost: app\r\n\r\n", times-1) +
		"GET /v1/latest HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n"
	var all sync.WaitGroup
	for range conns {
		all.Go(func() {
			conn, err := net.Dial("tcp", strings.TrimPrefix(a.url, "http://"))
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			all.Go(func() { _, _ = io.WriteString(conn, requests) })
			if n, err := io.Copy(io.Discard, conn); err != nil || n < int64(times) {
				t.Errorf("got %d bytes, error %v", n, err)
			}
		})
	}
	all.Wait()
}
