package e2e

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

// guest is a user who may do little: nobody, when the tests run as root, whom
// no file's mode stops; else ourselves.
type guest struct {
	t      *testing.T
	dir    string // theirs
	binary string
}

func newGuest(t *testing.T) guest {
	t.Helper()
	open, err := os.MkdirTemp("", "portpair-guest-") // t.TempDir's parents are closed to others
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = os.Chmod(filepath.Join(open, "data"), 0o700)
		os.RemoveAll(open)
	})
	g := guest{t, filepath.Join(open, "data"), filepath.Join(open, "quotes")}
	if err := os.Chmod(open, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(g.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	g.owns(g.dir)
	from, err := os.Open(filepath.Join(binDir, "quotes"))
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	to, err := os.OpenFile(g.binary, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(to, from); err != nil {
		t.Fatal(err)
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	return g
}

const nobody = 65534

func (g guest) owns(path string) {
	g.t.Helper()
	if os.Getuid() == 0 {
		if err := os.Chown(path, nobody, nobody); err != nil {
			g.t.Fatal(err)
		}
	}
}

func (g guest) database() string { return "sqlite:" + filepath.Join(g.dir, "quotes.db") }

func (g guest) start(rates *app) *app {
	g.t.Helper()
	cmd := exec.Command(g.binary)
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	a := launchCommand(g.t, "quotes", cmd, "RATES_URL="+rates.url, "LOCK_MAX_DAYS=36500", "DATABASE_URL="+g.database())
	a.url = a.listening()
	return a
}

func (g guest) chmod(name string, mode os.FileMode) {
	g.t.Helper()
	if err := os.Chmod(filepath.Join(g.dir, name), mode); err != nil {
		g.t.Fatal(err)
	}
}

func TestDatabaseThatMayOnlyBeRead(t *testing.T) {
	rates := start(t, "rates")
	for name, modes := range map[string]struct {
		path         string
		closed, open os.FileMode
	}{
		"the file":      {"quotes.db", 0o400, 0o600},
		"the directory": {".", 0o500, 0o700},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGuest(t)
			first := g.start(rates)
			path, body := lock(t, first)
			if code := first.stop(syscall.SIGTERM); code != 0 {
				t.Errorf("exit status %d after SIGTERM, want 0", code)
			}
			g.chmod(modes.path, modes.closed)
			quotes := g.start(rates)
			for range 3 {
				wantUnavailable(t, "locking", post(t, quotes.url+"/v1/quotes", order100))
				wantUnavailable(t, "accepting", post(t, quotes.url+path+"/accept", ""))
			}
			if r := get(t, quotes.url+"/readyz"); r.status != http.StatusServiceUnavailable {
				t.Errorf("readiness: got %d, want 503", r.status)
			}
			g.chmod(modes.path, modes.open)
			wantRecovered(t, g.database(), quotes, path, body, 2)
		})
	}
}

// wantRecovered checks that quotes works again, has what it had, and keeps
// one more: so many in all.
func wantRecovered(t *testing.T, database string, quotes *app, path, body string, rows int) {
	t.Helper()
	if r := get(t, quotes.url+"/readyz"); r.status != http.StatusOK {
		t.Errorf("readiness: got %d, want 200", r.status)
	}
	lock(t, quotes)
	if r := get(t, quotes.url+path); r.status != http.StatusOK || r.body != body {
		t.Errorf("got %d %s, want %s", r.status, r.body, body)
	}
	if n := rowsOf(t, database); n != rows {
		t.Errorf("the database holds %d quotes, want %d: nothing half-written", n, rows)
	}
}

// limitFiles lets a running process write no file beyond a size, at 0 as if
// the disk were full, until it is lifted.
func limitFiles(t *testing.T, a *app, size uint64) (lift func()) {
	t.Helper()
	set := func(limit *syscall.Rlimit) (old syscall.Rlimit) {
		_, _, errno := syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(a.cmd.Process.Pid), syscall.RLIMIT_FSIZE,
			uintptr(unsafe.Pointer(limit)), uintptr(unsafe.Pointer(&old)), 0, 0)
		if errno != 0 {
			t.Fatalf("limiting the size of files: %v", errno)
		}
		return old
	}
	old := set(nil)
	limit := old
	limit.Cur = size
	set(&limit)
	return func() { set(&old) }
}

func TestDatabaseThatCannotGrow(t *testing.T) {
	database := sqliteURL(t)
	quotes := startQuotes(t, start(t, "rates"), "DATABASE_URL="+database)
	path, body := lock(t, quotes)
	for n := range 2 {
		lift := limitFiles(t, quotes, 0)
		for range 3 {
			wantUnavailable(t, "locking", post(t, quotes.url+"/v1/quotes", order100))
			wantUnavailable(t, "accepting", post(t, quotes.url+path+"/accept", ""))
		}
		if r := get(t, quotes.url+path); r.status != http.StatusOK || r.body != body {
			t.Errorf("reading: got %d %s", r.status, r.body)
		}
		lift()
		wantRecovered(t, database, quotes, path, body, n+2)
	}
}

func TestDatabaseOnAFullDisk(t *testing.T) {
	g := newGuest(t)
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=1m,mode=0777", "tmpfs", g.dir).CombinedOutput(); err != nil {
		t.Skipf("a small disk cannot be mounted here: %s", strings.TrimSpace(string(out)))
	}
	t.Cleanup(func() { _ = exec.Command("umount", g.dir).Run() })
	quotes := g.start(start(t, "rates"))
	t.Cleanup(quotes.kill) // before the disk goes
	path, body := lock(t, quotes)
	kept := 1
	ballast := filepath.Join(g.dir, "ballast")
	for range 2 {
		fill(t, ballast)
		full := false
		for n := 0; !full && n < 1000; n++ { // what is there already has some room
			r := post(t, quotes.url+"/v1/quotes", order100)
			if full = r.status != http.StatusCreated; full {
				wantUnavailable(t, "locking", r)
			} else {
				kept++
			}
		}
		if !full {
			t.Error("the disk never got full")
		}
		if r := get(t, quotes.url+path); r.status != http.StatusOK || r.body != body {
			t.Errorf("reading: got %d %s", r.status, r.body)
		}
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		kept++
		wantRecovered(t, g.database(), quotes, path, body, kept)
	}
}

func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, 4<<10))
	}
}
