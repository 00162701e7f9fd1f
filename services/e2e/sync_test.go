package e2e

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// traced starts quotes under strace, which writes the calls to a file.
func traced(t *testing.T, rates *app) (quotes *app, pid int, trace string) {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("strace is missing, and CI must have it")
		}
		t.Skip("strace is not installed (Debian: strace)")
	}
	if out, err := exec.Command(strace, "-o", os.DevNull, "true").CombinedOutput(); err != nil {
		t.Skipf("strace may not trace here: %s", out)
	}
	trace = filepath.Join(t.TempDir(), "trace")
	command := exec.Command(strace, "-f", "-y", "-s", "100", "-e", "trace=fsync,fdatasync,pwrite64,write", "-o", trace, filepath.Join(binDir, "quotes"))
	a := launchCommand(t, "quotes", command, "RATES_URL="+rates.url, "LOCK_MAX_DAYS=36500")
	t.Cleanup(func() { // strace killed leaves it alone
		if pid > 0 && alive(pid) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	})
	text := a.await("its process", func(line map[string]any) (string, bool) {
		n, ok := line["pid"].(float64)
		return strconv.Itoa(int(n)), ok
	})
	if pid, err = strconv.Atoi(text); err != nil {
		t.Fatal(err)
	}
	a.url = a.listening()
	return a, pid, trace
}

// TestACommitIsOnTheDiskBeforeItIsAnswered watches the calls of the process:
// what a lock or an accept wrote to the database's log has been synced when
// the answer is written to the connection.
func TestACommitIsOnTheDiskBeforeItIsAnswered(t *testing.T) {
	quotes, pid, trace := traced(t, start(t, "rates"))
	const locks = 5
	for range locks {
		path, _ := lock(t, quotes)
		if r := post(t, quotes.url+path+"/accept", ""); r.status != http.StatusOK {
			t.Errorf("got %d %s", r.status, r.body)
		}
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	quotes.wait()
	answers, early := unsynced(readFile(t, trace))
	if answers != 2*locks || len(early) > 0 {
		t.Errorf("the trace shows %d answers, want %d, and %v too early", answers, 2*locks, early)
	}
}

var (
	call    = regexp.MustCompile(`^(\d+) +(fsync|fdatasync|pwrite64|write)\(\d+<([^>]*)>(.*)$`)
	resumed = regexp.MustCompile(`^(\d+) +<\.\.\. (fsync|fdatasync) resumed>\) += 0`)
)

// unsynced reads a trace, counts the answers to POSTs in it, and returns those
// that came before the commit was on the disk: each is to follow a write to
// the log and its sync, and no other write to it.
func unsynced(trace string) (answers int, early []int) {
	written, synced := false, false
	syncing := map[string]bool{} // by thread: a sync of all that was written is under way
	for line := range strings.Lines(trace) {
		line = strings.TrimSuffix(line, "\n")
		if m := resumed.FindStringSubmatch(line); m != nil {
			synced = synced || syncing[m[1]]
			delete(syncing, m[1])
			continue
		}
		m := call.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		thread, name, rest := m[1], m[2], m[4]
		wal := strings.HasSuffix(m[3], "/quotes.db-wal")
		switch {
		case wal && name == "pwrite64":
			written, synced = true, false
			clear(syncing) // those under way may have missed it
		case wal && strings.HasSuffix(rest, "<unfinished ...>"):
			syncing[thread] = true
		case wal && strings.HasSuffix(rest, ") = 0"):
			synced = true
		case name == "write" && (strings.HasPrefix(rest, `, "HTTP/1.1 201 `) || strings.HasPrefix(rest, `, "HTTP/1.1 200 `)):
			if answers++; !written || !synced {
				early = append(early, answers)
			}
			written, synced = false, false
		}
	}
	return answers, early
}

func TestTheTraceIsReadRight(t *testing.T) {
	const (
		write  = "7 pwrite64(9</tmp/quotes.db-wal>, \"x\", 4096, 32) = 4096\n"
		sync   = "7 fdatasync(9</tmp/quotes.db-wal>) = 0\n"
		begin  = "8 fdatasync(9</tmp/quotes.db-wal> <unfinished ...>\n"
		end    = "8 <... fdatasync resumed>) = 0\n"
		answer = "7 write(5<socket:[1]>, \"HTTP/1.1 201 Created\\r\\n\", 300) = 300\n"
	)
	for name, tt := range map[string]struct {
		trace string
		early string
	}{
		"in order":              {write + sync + answer + write + begin + end + answer, "2 []"},
		"never synced":          {write + answer, "1 [1]"},
		"synced after":          {write + answer + sync, "1 [1]"},
		"another write after":   {write + sync + write + answer, "1 [1]"},
		"under way":             {write + begin + answer + end, "1 [1]"},
		"begun before":          {begin + write + end + answer, "1 [1]"},
		"nothing written":       {answer, "1 [1]"},
		"synced for the former": {write + sync + answer + answer, "2 [2]"},
		"another file":          {write + strings.ReplaceAll(sync, "-wal", "") + answer, "1 [1]"},
		"a sync that fails":     {write + strings.ReplaceAll(sync, "= 0", "= -1 EIO") + answer, "1 [1]"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := fmt.Sprint(unsynced(tt.trace)); got != tt.early {
				t.Errorf("got %s, want %s", got, tt.early)
			}
		})
	}
}
