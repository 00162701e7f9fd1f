package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func readFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// help returns the variables that an app says it reads.
func help(t *testing.T, app string) []string {
	t.Helper()
	out, err := exec.Command(filepath.Join(binDir, app), "--help").Output()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range regexp.MustCompile(`(?m)^  ([A-Z][A-Z_]+)\s`).FindAllStringSubmatch(string(out), -1) {
		names = append(names, m[1])
	}
	return names
}

func TestReadmeAndHelpNameTheSameVariables(t *testing.T) {
	section := between(t, readFile(t, "../../README.md"), "\n## Variables\n", "\n## ")
	documented := map[string]string{} // variable → app column
	for _, row := range regexp.MustCompile("(?m)^\\| (`[^|]+) \\| (both|rates|quotes) \\|").FindAllStringSubmatch(section, -1) {
		for _, name := range regexp.MustCompile("`([A-Z_]+)`").FindAllStringSubmatch(row[1], -1) {
			documented[name[1]] = row[2]
		}
	}
	apps := map[string]string{}
	for _, app := range []string{"rates", "quotes"} {
		for _, name := range help(t, app) {
			if apps[name] != "" {
				apps[name] = "both"
			} else {
				apps[name] = app
			}
		}
	}
	for name, app := range apps {
		if documented[name] != app {
			t.Errorf("README says %q reads %s, --help says %q", documented[name], name, app)
		}
	}
	for name, app := range documented {
		if apps[name] == "" {
			t.Errorf("README says %q reads %s, --help does not know it", app, name)
		}
	}
}

func TestEnvExampleNamesOnlyVariablesThatAreRead(t *testing.T) {
	known := strings.Join(append(help(t, "rates"), help(t, "quotes")...), " ")
	for _, m := range regexp.MustCompile(`(?m)^(?:# )?([A-Z_]+)=`).FindAllStringSubmatch(readFile(t, "../../.env.example"), -1) {
		if !strings.Contains(known, m[1]) {
			t.Errorf(".env.example names %s, which neither app reads", m[1])
		}
	}
}

func TestReadmeLinksLeadToFiles(t *testing.T) {
	for _, readme := range []string{"../../README.md", "../rates/README.md", "../quotes/README.md"} {
		for _, m := range regexp.MustCompile(`\]\(([^)#]+)\)`).FindAllStringSubmatch(readFile(t, readme), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(readme), m[1])); err != nil {
				t.Errorf("%s links to %s: %v", readme, m[1], err)
			}
		}
	}
}

func TestMakeAloneListsItsTargets(t *testing.T) {
	out, err := exec.Command("make", "-C", "../..").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, target := range []string{"up", "rates", "quotes", "build", "test", "alone", "lint", "tidy", "clean"} {
		if !strings.Contains(string(out), "make "+target+" ") {
			t.Errorf("no target %s in\n%s", target, out)
		}
	}
}

func between(t *testing.T, s, from, to string) string {
	t.Helper()
	_, s, ok := strings.Cut(s, from)
	if !ok {
		t.Fatalf("no %q", from)
	}
	s, _, _ = strings.Cut(s, to)
	return s
}

// What the README says is proven by a test is at least named after one.
func TestReadmeNamesTestsThatAre(t *testing.T) {
	named := regexp.MustCompile("`(Test[A-Z][A-Za-z]+)`").FindAllStringSubmatch(readFile(t, "../../README.md"), -1)
	if len(named) < 10 {
		t.Errorf("the README names %d tests, want one for each failure", len(named))
	}
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	all := ""
	for _, f := range files {
		all += readFile(t, f)
	}
	for _, m := range named {
		if !strings.Contains(all, "func "+m[1]+"(t *testing.T)") {
			t.Errorf("the README names %s, which is no test of this room", m[1])
		}
	}
}
