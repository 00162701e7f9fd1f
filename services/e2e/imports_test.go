package e2e

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const ours = "example.com/portpair/services/"

// imports are what a package of ours imports, its tests too.
type imports struct {
	ImportPath                         string
	Imports, TestImports, XTestImports []string
}

// packages lists those of a module.
func packages(t *testing.T, module string) []imports {
	t.Helper()
	out, err := exec.Command("go", "list", "-C", "../"+module, "-json=ImportPath,Imports,TestImports,XTestImports", "./...").Output()
	if err != nil {
		t.Fatalf("go list of %s: %v", module, err)
	}
	var all []imports
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p imports
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// module is the one of ours that a package is in, "" for a package of others.
func module(path string) string {
	name, ok := strings.CutPrefix(path, ours)
	if !ok {
		return ""
	}
	name, _, _ = strings.Cut(name, "/")
	return name
}

func TestTheAppsShareTwelveAlone(t *testing.T) {
	for name, may := range map[string][]string{
		"twelve": {"", "twelve"},
		"rates":  {"", "twelve", "rates"},
		"quotes": {"", "twelve", "quotes"},
		"e2e":    {""},
	} {
		for _, p := range packages(t, name) {
			for _, path := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
				if !slices.Contains(may, module(path)) {
					t.Errorf("%s imports %s", p.ImportPath, path)
				}
			}
		}
	}
}

// below are the rooms of each app that one may import. fx and quote are the
// field.
var below = map[string][]string{
	"rates":                       {"rates/internal/web", "rates/internal/resp", "rates/internal/ecb", "rates/internal/fx"},
	"rates/internal/web":          {"rates/internal/fx"},
	"rates/internal/resp":         {"rates/internal/fx"},
	"rates/internal/ecb":          {"rates/internal/fx"},
	"rates/internal/ecb/snapshot": {"rates/internal/ecb"},
	"rates/internal/fx":           nil,

	"quotes":                   {"quotes/internal/web", "quotes/internal/ratesapi", "quotes/internal/store", "quotes/internal/quote"},
	"quotes/internal/web":      {"quotes/internal/ratesapi", "quotes/internal/store", "quotes/internal/quote"},
	"quotes/internal/ratesapi": {"quotes/internal/quote"},
	"quotes/internal/store":    {"quotes/internal/quote"},
	"quotes/internal/quote":    nil,
}

func TestImportsRunDownwardOnly(t *testing.T) {
	seen := 0
	for _, app := range []string{"rates", "quotes"} {
		for _, p := range packages(t, app) {
			room := strings.TrimPrefix(p.ImportPath, ours)
			may, ok := below[room]
			if !ok {
				t.Errorf("%s is a room that this test does not know", room)
				continue
			}
			seen++
			for _, path := range p.Imports {
				if module(path) == app && !slices.Contains(may, strings.TrimPrefix(path, ours)) {
					t.Errorf("%s imports %s", room, path)
				}
			}
		}
	}
	if seen != len(below) {
		t.Errorf("found %d rooms, want %d", seen, len(below))
	}
}

// The field computes on values: it reads nothing, writes nothing, asks nobody.
func TestTheFieldImportsTheStandardLibraryAlone(t *testing.T) {
	outside := []string{"context", "database", "embed", "encoding", "io", "log", "net", "os", "syscall"}
	for _, app := range []string{"rates", "quotes"} {
		for _, p := range packages(t, app) {
			if room := strings.TrimPrefix(p.ImportPath, ours); room != "rates/internal/fx" && room != "quotes/internal/quote" {
				continue
			}
			for _, path := range p.Imports {
				first, _, _ := strings.Cut(path, "/")
				if strings.Contains(first, ".") || slices.Contains(outside, first) {
					t.Errorf("%s imports %s", p.ImportPath, path)
				}
			}
		}
	}
}
