package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// file writes a file and returns its path.
func file(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "value")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestNameFileReadsNameFromAFile(t *testing.T) {
	for _, tt := range []struct {
		name    string
		content string
		want    string
	}{
		{"as it is", "value", "value"},
		{"one trailing newline is cut", "value\n", "value"},
		{"only one is", "value\n\n", "value\n"},
		{"also one that Windows wrote", "value\r\n", "value"},
		{"only one of those too", "value\r\n\r\n", "value\r\n"},
		{"a carriage return alone is no newline", "value\r", "value\r"},
		{"a newline at the start stays", "\nvalue", "\nvalue"},
		{"blanks stay", " value \t", " value \t"},
		{"64 KiB are not too many", strings.Repeat("x", 64<<10), strings.Repeat("x", 64<<10)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			environment(t, "TWELVE_RATES_FILE="+file(t, tt.content))
			var got app
			if err := Load(&got); err != nil {
				t.Fatal(err)
			}
			if got.Rates != tt.want {
				t.Errorf("got %q, want %q", got.Rates, tt.want)
			}
		})
	}
}

func TestNameFile(t *testing.T) {
	value, empty, newline := file(t, "value"), file(t, ""), file(t, "\n")
	const required = "TWELVE_RATES: required, but not set: the backing service"
	for _, tt := range []struct {
		name string
		env  []string
		want []string
	}{
		{"serves fields of every type", []string{"TWELVE_RATES=x", "TWELVE_PORT_FILE=" + file(t, "8000\n")}, nil},
		{"and NAME: both set is an error", []string{"TWELVE_RATES=x", "TWELVE_RATES_FILE=" + value},
			[]string{"TWELVE_RATES: set, and TWELVE_RATES_FILE too: unset one of them"}},
		{"and NAME set but empty: that counts as missing", []string{"TWELVE_RATES=", "TWELVE_RATES_FILE=" + value}, nil},
		{"set but empty counts as missing", []string{"TWELVE_RATES=x", "TWELVE_RATES_FILE="}, nil},
		{"naming an empty file counts as missing", []string{"TWELVE_RATES_FILE=" + empty}, []string{required}},
		{"naming a file with only a newline counts as missing", []string{"TWELVE_RATES_FILE=" + newline}, []string{required}},
		{"naming a missing file", []string{"TWELVE_RATES_FILE=" + value + ".none"},
			[]string{"TWELVE_RATES_FILE: cannot read the file it names: no such file or directory"}},
		{"naming a directory", []string{"TWELVE_RATES_FILE=" + t.TempDir()},
			[]string{"TWELVE_RATES_FILE: cannot read the file it names: is a directory"}},
		{"naming an oversized file", []string{"TWELVE_RATES_FILE=" + file(t, strings.Repeat("x", 64<<10+1))},
			[]string{"TWELVE_RATES_FILE: cannot read the file it names: over 65536 bytes"}},
		{"naming an endless file", []string{"TWELVE_RATES_FILE=/dev/zero"},
			[]string{"TWELVE_RATES_FILE: cannot read the file it names: over 65536 bytes"}},
		{"naming a file with a NUL byte", []string{"TWELVE_RATES_FILE=" + file(t, "val\x00ue")},
			[]string{"TWELVE_RATES_FILE: the file holds a NUL byte, which no variable can"}},
		{"with a value that the field refuses", []string{"TWELVE_RATES=x", "TWELVE_DAYS_FILE=" + file(t, "010\n")},
			[]string{"TWELVE_DAYS: want a whole number"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			environment(t, tt.env...)
			if got := lines(Load(new(app))); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestAFileBeatsTheDefault(t *testing.T) {
	environment(t, "TWELVE_RATES=x", "TWELVE_PORT_FILE="+file(t, "8000\n"))
	var got app
	if err := Load(&got); err != nil || got.Port != 8000 {
		t.Errorf("got port %v, error %v, want 8000", got.Port, err)
	}
}
