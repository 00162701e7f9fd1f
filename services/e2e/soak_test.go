package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestSoak loads both apps for as long as SOAK says, the producer restarting
// all the while, and looks for what is lost and for what grows.
func TestSoak(t *testing.T) {
	if os.Getenv("SOAK") == "" {
		t.Skip("SOAK is not set: how long, such as 10m (make soak)")
	}
	period, err := time.ParseDuration(os.Getenv("SOAK"))
	if err != nil {
		t.Fatal("SOAK: want a duration such as 10m: ", err)
	}
	const every = 15 * time.Second
	env := fmt.Sprint("PORT=", freePorts(t))
	rates := start(t, "rates", env)
	quotes := startSilent(t, filepath.Join(binDir, "quotes"), "RATES_URL="+rates.url+"?max_age=100ms", "LOCK_MAX_DAYS=36500")
	get(t, quotes.url+convert100)
	begin := time.Now()
	loads := []*traffic{
		load(t, quotes.url+convert100, 4, true), load(t, quotes.url+convert100, 2, false),
		loadWith(t, time.Millisecond, 2, true, func(*http.Client) error { return lockReadAccept(quotes.url) }),
	}
	var before int64
	for n := 0; time.Since(begin) < period; n++ {
		loads[0].more(t, 10)
		if code := rates.stop(syscall.SIGTERM); code != 0 {
			t.Errorf("exit status %d after SIGTERM, want 0", code)
		}
		loads[0].more(t, 10)
		rates = start(t, "rates", env)
		time.Sleep(min(every, time.Until(begin.Add(period)))) // how long it soaks, not what it waits for
		memory, files := residentMemory(t, quotes.cmd.Process.Pid), openFiles(t, quotes)
		t.Logf("%v: quotes has %.1f MB and %d files open; %d requests", time.Since(begin).Round(time.Second), float64(memory)/(1<<20), files, loads[0].answered.Load())
		switch {
		case n == 0:
			before = memory
		case memory > before+32<<20:
			t.Fatalf("memory grew from %d to %d bytes", before, memory)
		case files > 200:
			t.Fatalf("%d files open", files)
		}
	}
	for _, l := range loads {
		l.want(t, 1500*time.Millisecond)
	}
}

func lockReadAccept(url string) error {
	r, err := tryPost(url+"/v1/quotes", order100)
	if err != nil || r.status != http.StatusCreated {
		return fmt.Errorf("locking: %d %s %w", r.status, r.body, err)
	}
	path := r.header.Get("Location")
	if r, err := tryGet(url + path); err != nil || r.status != http.StatusOK {
		return fmt.Errorf("reading: %d %s %w", r.status, r.body, err)
	}
	if r, err := tryPost(url+path+"/accept", ""); err != nil || r.status != http.StatusOK {
		return fmt.Errorf("accepting: %d %s %w", r.status, r.body, err)
	}
	return nil
}

// openFiles counts a process's file descriptors, sockets too.
func openFiles(t *testing.T, a *app) int {
	t.Helper()
	fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", a.cmd.Process.Pid))
	if err != nil {
		t.Skip("open files are read from /proc: ", err)
	}
	return len(fds)
}
