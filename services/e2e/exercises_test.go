package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// exercise is one of the README's: its title, what to type, what is printed.
var exercise = regexp.MustCompile("(?s)\\*\\*(\\d\\. [^*]+)\\*\\*.*?```sh\n(.*?)```\n\n```\n(.*?)```")

// TestReadmeExercises runs each in a shell, word for word but for the ports,
// and compares what it prints. "…" and ages stand for anything.
func TestReadmeExercises(t *testing.T) {
	for _, tool := range []string{"bash", "curl", "grep"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatalf("%s is missing, and CI must have it", tool)
			}
			t.Skipf("%s is not installed", tool)
		}
	}
	dir, err := checkout()
	if err != nil {
		t.Fatal(err)
	}
	section := between(t, readFile(t, "../../README.md"), "\n## Five exercises\n", "\n## ")
	all := exercise.FindAllStringSubmatch(section, -1)
	if len(all) != 5 {
		t.Fatalf("found %d exercises, want 5", len(all))
	}
	for _, m := range all {
		t.Run(m[1], func(t *testing.T) {
			t.Parallel()
			base := freePorts(t, 1, 100, 200)
			ports := strings.NewReplacer("5000", fmt.Sprint(base), "5001", fmt.Sprint(base+1), "5100", fmt.Sprint(base+100), "5200", fmt.Sprint(base+200))
			// The amount 5000 is no port.
			script := strings.ReplaceAll(ports.Replace(m[2]), fmt.Sprintf("amount=%d", base), "amount=5000")
			cmd := exec.Command("bash", "-c", "set -m\n"+script+"kill $(jobs -p)\nwait\n")
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "HOST=localhost", "LOG_LEVEL=error", "FEED_URL=none")
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			out, _ := cmd.CombinedOutput() // the shell's own status is the last kill's
			got := strings.TrimRight(string(out), "\n")

			want := regexp.QuoteMeta(strings.TrimRight(m[3], "\n"))
			want = strings.ReplaceAll(want, "…", ".*")
			want = regexp.MustCompile(`"age":"\d+s"`).ReplaceAllString(want, `"age":"\d+s"`)
			for _, port := range []int{5000, 5100, 5200} {
				moved := map[int]int{5000: base, 5100: base + 100, 5200: base + 200}[port]
				want = strings.ReplaceAll(want, fmt.Sprintf("localhost:%d", port), fmt.Sprintf("localhost:(%d|%d)", port, moved))
			}
			// bash may say how its jobs ended.
			got = regexp.MustCompile(`(?m)^(bash: line \d+: +\d+ |\[\d+\]).*\n?`).ReplaceAllString(got, "")
			if !regexp.MustCompile(`\A` + want + `\z`).MatchString(strings.TrimRight(got, "\n")) {
				t.Errorf("got:\n%s\nwant:\n%s", got, m[3])
			}
		})
	}
}
