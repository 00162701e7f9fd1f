package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	mib      = 1 << 20
	maxIdle  = 30 * mib // bytes resident
	maxStart = 60 * time.Millisecond
)

// TestFootprint holds the shipped binaries to their size, their start and
// their idle memory. Starts are the best of some: the machine is not ours.
func TestFootprint(t *testing.T) {
	dir, err := checkout()
	if err != nil {
		t.Fatal(err)
	}
	backing := start(t, "rates")
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
			best, idle := time.Hour, int64(0)
			for range 20 {
				a, took := firstAnswer(t, binary, f.path, f.env)
				best = min(best, took)
				idle = max(idle, residentMemory(t, a.cmd.Process.Pid))
				a.kill()
				if best < maxStart/2 {
					break
				}
			}
			t.Logf("%s: %.1f MB, first answer after %v, %.1f MB resident", f.name, float64(info.Size())/mib, best.Round(time.Millisecond), float64(idle)/mib)
			if best >= maxStart {
				t.Errorf("first answer after %v, want under %v", best, maxStart)
			}
			if idle >= maxIdle {
				t.Errorf("%d bytes resident, want under %d", idle, maxIdle)
			}
		})
	}
}

// The history is read while rates answers already, and leaves little behind.
func TestFootprintWithAllHistory(t *testing.T) {
	dir, err := checkout()
	if err != nil {
		t.Fatal(err)
	}
	binary, feed := filepath.Join(dir, "bin", "rates"), "FEED_URL=file://"+allHistory(t)
	best := time.Hour
	var a *app
	for range 20 {
		var took time.Duration
		if a != nil {
			a.kill()
		}
		if a, took = firstAnswer(t, binary, "/v1/latest", feed); took < best {
			best = took
		}
		if best < maxStart/2 {
			break
		}
	}
	if best >= maxStart {
		t.Errorf("first answer after %v, want under %v", best, maxStart)
	}
	a.await("it has read the feed", func(line map[string]any) (string, bool) {
		return "", line["msg"] == "table" && line["source"] == "feed"
	})
	var idle int64
	eventually(t, fmt.Sprintf("under %d bytes are resident", maxIdle), func() bool {
		idle = residentMemory(t, a.cmd.Process.Pid)
		return idle < maxIdle
	})
	t.Logf("first answer after %v, %.1f MB resident", best.Round(time.Millisecond), float64(idle)/mib)
}

// firstAnswer launches an app and asks until it answers.
func firstAnswer(t *testing.T, binary, path, env string) (*app, time.Duration) {
	t.Helper()
	port := freePorts(t)
	began := time.Now()
	a := launch(t, binary, env, fmt.Sprintf("PORT=%d", port))
	for {
		if r, err := tryGet(fmt.Sprintf("http://127.0.0.1:%d%s", port, path)); err == nil && r.status == 200 {
			return a, time.Since(began)
		}
		if time.Since(began) > patience {
			t.Fatalf("no answer:\n%s", a.out)
		}
	}
}

// allHistory writes a feed as long as the ECB's: 28 years of working days, in
// as many currencies.
func allHistory(t *testing.T) (path string) {
	t.Helper()
	header, row := "Date,", ""
	for i := range 41 {
		header += fmt.Sprintf("X%c%c,", 'A'+i/26, 'A'+i%26)
		row += fmt.Sprintf(",%d.%04d", i+1, 1234+i)
	}
	var csv strings.Builder
	csv.WriteString(header + "\n")
	newest := time.Date(2026, 8, 21, 0, 0, 0, 0, time.UTC)
	for day := newest; day.After(newest.AddDate(-28, 0, 0)); day = day.AddDate(0, 0, -1) {
		if day.Weekday() != time.Saturday && day.Weekday() != time.Sunday {
			csv.WriteString(day.Format(time.DateOnly) + row + ",\n")
		}
	}
	path = filepath.Join(t.TempDir(), "feed.csv")
	if err := os.WriteFile(path, []byte(csv.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
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
