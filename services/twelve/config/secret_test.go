package config

import (
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/portpair/services/twelve/resource"
)

// loud reads nothing, and its error repeats what it read.
type loud struct{}

func (*loud) UnmarshalText(text []byte) error { return fmt.Errorf("cannot read %q", text) }

// hinting reads nothing, and says what would do.
type hinting struct{}

func (*hinting) UnmarshalText([]byte) error { return resource.Refusal("want a hint") }

// kinds has a field of every kind that can refuse a value.
type kinds struct {
	Int      int                  `envconfig:"TWELVE_INT"`
	Small    int8                 `envconfig:"TWELVE_SMALL"`
	Uint     uint64               `envconfig:"TWELVE_UINT"`
	Bool     bool                 `envconfig:"TWELVE_BOOL"`
	Float    float64              `envconfig:"TWELVE_FLOAT"`
	Duration time.Duration        `envconfig:"TWELVE_DURATION"`
	Level    slog.Level           `envconfig:"TWELVE_LEVEL"`
	List     []int                `envconfig:"TWELVE_LIST"`
	Map      map[string]int       `envconfig:"TWELVE_MAP"`
	Pointer  *int                 `envconfig:"TWELVE_POINTER"`
	URL      url.URL              `envconfig:"TWELVE_URL"`
	URLs     *url.URL             `envconfig:"TWELVE_URLS"`
	Prefixes []netip.Prefix       `envconfig:"TWELVE_PREFIXES"`
	Handle   resource.Handle      `envconfig:"TWELVE_HANDLE"`
	Access   resource.Credentials `envconfig:"TWELVE_ACCESS"`
	Loud     loud                 `envconfig:"TWELVE_LOUD"`
	Hinting  hinting              `envconfig:"TWELVE_HINTING"`
}

func kindNames() []string {
	var names []string
	for field := range reflect.TypeFor[kinds]().Fields() {
		names = append(names, field.Tag.Get("envconfig"))
	}
	return names
}

func TestNoErrorEverRepeatsAValue(t *testing.T) {
	const secret = "Xk9qZs3cr3t"
	// Each is a value that no field of kinds takes.
	for _, value := range []string{
		"http://user:" + secret + "/x@host/\x01",
		"%zz " + secret + "\x7f",
		secret + " \x01:" + secret + ":%",
		"http://" + secret + " @host:" + secret + "\n/",
	} {
		t.Run(fmt.Sprintf("%q", value), func(t *testing.T) {
			for _, from := range []string{"the environment", "a file"} {
				t.Run("from "+from, func(t *testing.T) {
					for _, name := range kindNames() {
						if from == "a file" {
							t.Setenv(name+"_FILE", file(t, value+"\n"))
						} else {
							t.Setenv(name, value)
						}
					}
					err := Load(new(kinds))
					if got := len(lines(err)); got != len(kindNames()) {
						t.Fatalf("got %d lines, want %d:\n%v", got, len(kindNames()), err)
					}
					if strings.Contains(err.Error(), secret) {
						t.Errorf("got the secret in:\n%v", err)
					}
				})
			}
		})
	}
}

func TestNoErrorRepeatsADigit(t *testing.T) {
	const secret = "918273645546372819918273645546372819"
	for _, name := range []string{"TWELVE_INT", "TWELVE_SMALL", "TWELVE_UINT", "TWELVE_DURATION", "TWELVE_LIST", "TWELVE_POINTER"} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, secret)
			err := Load(new(kinds))
			if err == nil || !strings.HasPrefix(err.Error(), name+": ") || strings.Contains(err.Error(), "918") {
				t.Errorf("got error %v, want one of %s without a digit of its value", err, name)
			}
		})
	}
}

func TestNoErrorRepeatsASecretPutIntoNameFile(t *testing.T) {
	for _, tt := range []struct{ name, path string }{
		{"a word", "hunter2"},
		{"a path", "/hunter2/hunter2"},
		{"a URL", "http://user:hunter2@host/"},
		{"a long text", strings.Repeat("hunter2", 1000)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			environment(t, "TWELVE_RATES_FILE="+tt.path)
			got := lines(Load(new(app)))
			if len(got) != 1 || !strings.HasPrefix(got[0], "TWELVE_RATES_FILE: cannot read the file it names: ") {
				t.Errorf("got %q, want that the file cannot be read", got)
			}
			if strings.Contains(strings.Join(got, "\n"), "hunter2") {
				t.Errorf("got the secret in %q", got)
			}
		})
	}
}

func TestBothSetRepeatsNeither(t *testing.T) {
	environment(t, "TWELVE_RATES=hunter2", "TWELVE_RATES_FILE=hunter3")
	if got := lines(Load(new(app))); len(got) != 1 || strings.Contains(got[0], "hunter") {
		t.Errorf("got %q, want one line without a value", got)
	}
}

func TestARefusalSaysWhatWouldDo(t *testing.T) {
	for _, tt := range []struct{ name, variable, value, want string }{
		{"a Hinter's own words", "TWELVE_HINTING", "x", "TWELVE_HINTING: want a hint"},
		{"a handle's", "TWELVE_HANDLE", "localhost:5100",
			"TWELVE_HANDLE: want a URL that starts with http://, https://, redis:// or rediss://, such as http://localhost:5100 or https://api.frankfurter.dev"},
		{"credentials'", "TWELVE_ACCESS", "a b", "TWELVE_ACCESS: a token is visible ASCII without blanks"},
		{"else the type", "TWELVE_BOOL", "maybe", "TWELVE_BOOL: want a bool"},
		{"not the words of an error that may repeat the value", "TWELVE_LOUD", "x", "TWELVE_LOUD: want a config.loud"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv(tt.variable, tt.value)
			if got, want := lines(Load(new(kinds))), []string{tt.want}; !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}
