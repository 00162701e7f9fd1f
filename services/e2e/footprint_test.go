package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"
)

// TestFootprint holds the shipped binaries to their size, their start and
// their idle memory. Starts are the best of some: the machine is not ours.
func TestFootprint(t *testing.T) {
	dir, err := checkout()
	if err != nil {
		t.Fatal(err)
	}
	backing := start(t, "rates")
	const mib = 1 << 20
	for _, f := range []struct {
		name    string
		env     string
		path    string
		maxSize int64
	}{
		{"rates", "RATES_URL=", "/v1/latest", 15 * mib},
		{"quotes", "RATES_URL=" + backing.url, convert100, 25 * mib},
	} {
		t.Run(f.name, func(t *testing.T) {
			binary := filepath.Join(dir, "bin", f.name)
			info, err := os.Stat(binary)
			if err != nil {
				t.Fatal(err)
			}
			if info.Size() >= f.maxSize {
				t.Errorf("binary of %d bytes, want under %d", info.Size(), f.maxSize)
			}
			const limit, maxIdle = 60 * time.Millisecond, 30 * mib
			best, idle := time.Hour, int64(0)
			for range 10 {
				port := freePorts(t)
				began := time.Now()
				a := launch(t, binary, f.env, fmt.Sprintf("PORT=%d", port))
				for {
					if r, err := tryGet(fmt.Sprintf("http://127.0.0.1:%d%s", port, f.path)); err == nil && r.status == 200 {
						break
					}
					if time.Since(began) > patience {
						t.Fatalf("no answer:\n%s", a.out)
					}
				}
				best = min(best, time.Since(began))
				idle = max(idle, residentMemory(t, a.cmd.Process.Pid))
				a.kill()
				if best < limit/2 {
					break
				}
			}
			t.Logf("%s: %.1f MB, first answer after %v, %.1f MB resident", f.name, float64(info.Size())/mib, best.Round(time.Millisecond), float64(idle)/mib)
			if best >= limit {
				t.Errorf("first answer after %v, want under %v", best, limit)
			}
			if idle >= maxIdle {
				t.Errorf("%d bytes resident, want under %d", idle, maxIdle)
			}
		})
	}
}

// residentMemory of a process, in bytes.
func residentMemory(t *testing.T, pid int) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Skip("resident memory is read from /proc: ", err)
	}
	m := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindSubmatch(status)
	if m == nil {
		t.Fatalf("no VmRSS in\n%s", status)
	}
	kb, _ := strconv.ParseInt(string(m[1]), 10, 64)
	return kb << 10
}
