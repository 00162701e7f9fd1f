package web_test

import (
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// theTable reads the names of problem.go's table from its source: it is not
// exported, and nothing else is to have them.
func theTable(t *testing.T) []string {
	t.Helper()
	source, err := os.ReadFile("problem.go")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range regexp.MustCompile(`(?m)^\t\{[a-zA-Z.]+, "([a-z-]+)", "`).FindAllStringSubmatch(string(source), -1) {
		names = append(names, m[1])
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func TestEveryProblemHasAPageThatSaysWhatToDo(t *testing.T) {
	d := open(t, "")
	names := theTable(t)
	if len(names) < 13 {
		t.Fatalf("got %q from the table", names)
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			r := d.get(t, "/problems/"+name)
			wantEqual(t, "status", r.status, http.StatusOK)
			wantEqual(t, "content type", r.header.Get("Content-Type"), "text/plain; charset=utf-8")
			if !regexp.MustCompile(`\A[A-Z][a-z ]+ \([45]\d\d\)\n\n[A-Z].+\.\n\nWhat to do: [A-Z].+\.\n\z`).MatchString(r.body) {
				t.Errorf("got %s", r.body)
			}
		})
	}
	for _, name := range []string{"", "none", "Overloaded", "overloaded/", "..", "%2e%2e", "overloaded.html"} {
		wantProblem(t, d.get(t, "/problems/"+name), http.StatusNotFound, "about:blank", "")
	}
}

func TestTableAndDocumentHaveTheSameProblems(t *testing.T) {
	var documented []string
	for _, value := range document(t).Components.Schemas["Problem"].Value.Properties["type"].Value.Enum {
		if name, ok := strings.CutPrefix(value.(string), "/problems/"); ok {
			documented = append(documented, name)
		}
	}
	slices.Sort(documented)
	if names := theTable(t); !slices.Equal(names, documented) {
		t.Errorf("got %q in the table, want as documented %q", names, documented)
	}
}

// The pages are those of the table, and no others.
func TestNoPageWithoutAProblem(t *testing.T) {
	source, err := os.ReadFile("problems.go")
	if err != nil {
		t.Fatal(err)
	}
	names := theTable(t)
	for _, m := range regexp.MustCompile(`(?m)^\t"([a-z-]+)": \{$`).FindAllStringSubmatch(string(source), -1) {
		if !slices.Contains(names, m[1]) {
			t.Errorf("%s has a page, but is no problem", m[1])
		}
	}
}
