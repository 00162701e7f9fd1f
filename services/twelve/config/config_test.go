package config

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// app is a config with a field of each kind that apps have.
type app struct {
	Port  uint16        `envconfig:"TWELVE_PORT" default:"5100" desc:"the port to bind" want:"a port from 0 to 65535"`
	Host  string        `envconfig:"TWELVE_HOST" desc:"the address to bind"`
	Drain time.Duration `envconfig:"TWELVE_DRAIN" default:"8s" desc:"how long to drain"`
	Level slog.Level    `envconfig:"TWELVE_LEVEL" default:"info" desc:"the least level to log"`
	Days  int           `envconfig:"TWELVE_DAYS" default:"7" desc:"oldest day"`
	Rates string        `envconfig:"TWELVE_RATES" required:"true" desc:"the backing service"`
	Tries []int         `envconfig:"TWELVE_TRIES" desc:"a list"`
}

// variables are those of app.
var variables = []string{
	"TWELVE_PORT", "TWELVE_HOST", "TWELVE_DRAIN", "TWELVE_LEVEL", "TWELVE_DAYS", "TWELVE_RATES", "TWELVE_TRIES",
}

// environment sets NAME=value pairs and, for the length of the test, nothing else
// of app's.
func environment(t *testing.T, pairs ...string) {
	t.Helper()
	for _, name := range variables {
		unset(t, name)
		unset(t, name+"_FILE")
	}
	for _, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		t.Setenv(name, value)
	}
}

func unset(t *testing.T, name string) {
	t.Helper()
	t.Setenv(name, "") // which puts back what was there
	os.Unsetenv(name)
}

// lines are an error's.
func lines(err error) []string {
	if err == nil {
		return nil
	}
	return strings.Split(err.Error(), "\n")
}

func TestLoad(t *testing.T) {
	full := app{Port: 5100, Drain: 8 * time.Second, Days: 7, Rates: "x"}
	with := func(change func(*app)) app {
		a := full
		change(&a)
		return a
	}
	for _, tt := range []struct {
		name string
		env  []string
		want app
	}{
		{"a missing variable has its default", nil, full},
		{"a variable beats its default", []string{"TWELVE_PORT=8000", "TWELVE_DAYS=3650"}, with(func(a *app) { a.Port, a.Days = 8000, 3650 })},
		{"empty counts as missing and leaves the default", []string{"TWELVE_PORT=", "TWELVE_DRAIN=", "TWELVE_LEVEL=", "TWELVE_DAYS="}, full},
		{"empty counts as missing without a default too", []string{"TWELVE_HOST=", "TWELVE_TRIES="}, full},
		{"zero is a value", []string{"TWELVE_PORT=0", "TWELVE_DRAIN=0", "TWELVE_DAYS=0"}, with(func(a *app) { a.Port, a.Drain, a.Days = 0, 0, 0 })},
		{"the largest port", []string{"TWELVE_PORT=65535"}, with(func(a *app) { a.Port = 65535 })},
		{"a negative whole number", []string{"TWELVE_DAYS=-1"}, with(func(a *app) { a.Days = -1 })},
		{"a type that reads itself", []string{"TWELVE_LEVEL=warn"}, with(func(a *app) { a.Level = slog.LevelWarn })},
		{"a text is taken as it is, blanks too", []string{"TWELVE_HOST= a b\n"}, with(func(a *app) { a.Host = " a b\n" })},
		{"a list", []string{"TWELVE_TRIES=1,2,3"}, with(func(a *app) { a.Tries = []int{1, 2, 3} })},
	} {
		t.Run(tt.name, func(t *testing.T) {
			environment(t, append(tt.env, "TWELVE_RATES=x")...)
			var got app
			if err := Load(&got); err != nil {
				t.Fatalf("got error %v", err)
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestLoadRefuses(t *testing.T) {
	for _, tt := range []struct {
		name string
		env  string
		want string
	}{
		{"a required variable that is missing", "", "TWELVE_RATES: required, but not set: the backing service"},
		{"a required variable that is empty", "TWELVE_RATES=", "TWELVE_RATES: required, but not set: the backing service"},
		{"010, which envconfig reads as 8", "TWELVE_DAYS=010", "TWELVE_DAYS: want a whole number"},
		{"0x10, which envconfig reads as 16", "TWELVE_DAYS=0x10", "TWELVE_DAYS: want a whole number"},
		{"0b1, which envconfig reads as 1", "TWELVE_DAYS=0b1", "TWELVE_DAYS: want a whole number"},
		{"1_000, which envconfig reads as 1000", "TWELVE_DAYS=1_000", "TWELVE_DAYS: want a whole number"},
		{"a number with a plus", "TWELVE_DAYS=+7", "TWELVE_DAYS: want a whole number"},
		{"a number with a blank", "TWELVE_DAYS= 7", "TWELVE_DAYS: want a whole number"},
		{"minus zero", "TWELVE_DAYS=-0", "TWELVE_DAYS: want a whole number"},
		{"a number that is too large", "TWELVE_PORT=65536", "TWELVE_PORT: want a port from 0 to 65535"},
		{"a negative number where none can be", "TWELVE_PORT=-1", "TWELVE_PORT: want a port from 0 to 65535"},
		{"a negative duration", "TWELVE_DRAIN=-1s", "TWELVE_DRAIN: want a duration of 0s or more, such as 30s, 5m or 24h"},
		{"a duration without a unit", "TWELVE_DRAIN=8", "TWELVE_DRAIN: want a duration of 0s or more, such as 30s, 5m or 24h"},
		{"an unknown name", "TWELVE_LEVEL=loud", "TWELVE_LEVEL: want a slog.Level"},
		{"a list with a wrong element", "TWELVE_TRIES=1,x", "TWELVE_TRIES: want a []int"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			env := []string{"TWELVE_RATES=x"}
			if tt.env != "" {
				env = append(env, tt.env)
			} else {
				env = nil
			}
			environment(t, env...)
			if got, want := lines(Load(new(app))), []string{tt.want}; !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestEveryMistakeIsReportedAtOnceAndByName(t *testing.T) {
	environment(t, "TWELVE_PORT=99999", "TWELVE_DRAIN=-8s", "TWELVE_LEVEL=loud", "TWELVE_DAYS=010", "TWELVE_TRIES=x",
		"TWELVE_HOST=a", "TWELVE_HOST_FILE=b")
	got := lines(Load(new(app)))
	var names []string
	for _, line := range got {
		name, _, _ := strings.Cut(line, ":")
		names = append(names, name)
	}
	if !slices.Equal(names, variables) {
		t.Errorf("got %q, want one line for each of %q", got, variables)
	}
}

func TestARefusedVariableLeavesTheOthersRead(t *testing.T) {
	environment(t, "TWELVE_PORT=x", "TWELVE_HOST=localhost", "TWELVE_RATES=x")
	var got app
	if err := Load(&got); err == nil {
		t.Fatal("got no error")
	}
	if want := (app{Host: "localhost", Drain: 8 * time.Second, Days: 7, Rates: "x"}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// checked has a rule between its fields.
type checked struct {
	MaxAge   time.Duration `envconfig:"TWELVE_DRAIN" default:"5m"`
	MaxStale time.Duration `envconfig:"TWELVE_HOST" default:"24h"`
	Days     int           `envconfig:"TWELVE_DAYS" default:"7"`
}

func (c *checked) Validate() error {
	if c.MaxStale < c.MaxAge {
		return errors.New("TWELVE_HOST: want no less than TWELVE_DRAIN")
	}
	return nil
}

func TestValidate(t *testing.T) {
	for _, tt := range []struct {
		name string
		env  []string
		want []string
	}{
		{"is content", nil, nil},
		{"sees the values", []string{"TWELVE_HOST=1m"}, []string{"TWELVE_HOST: want no less than TWELVE_DRAIN"}},
		{
			"is asked when all is refused", []string{"TWELVE_DRAIN=x", "TWELVE_HOST=-1s"},
			[]string{"TWELVE_DRAIN: want a duration of 0s or more, such as 30s, 5m or 24h", "TWELVE_HOST: want a duration of 0s or more, such as 30s, 5m or 24h"},
		},
		{
			"does not judge the zero value of a field that was refused", []string{"TWELVE_HOST=x"},
			[]string{"TWELVE_HOST: want a duration of 0s or more, such as 30s, 5m or 24h"},
		},
		{
			"judges the others all the same", []string{"TWELVE_DAYS=x", "TWELVE_HOST=1m"},
			[]string{"TWELVE_DAYS: want a whole number", "TWELVE_HOST: want no less than TWELVE_DRAIN"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			environment(t, tt.env...)
			if got := lines(Load(new(checked))); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestAFieldWithoutAVariableIsRefused(t *testing.T) {
	t.Setenv("PATH", "/from/the/shell")
	var got struct{ Path string }
	err := Load(&got)
	if want := "the config's field Path names no variable"; err == nil || err.Error() != want {
		t.Errorf("got error %v, want %v", err, want)
	}
	if got.Path != "" {
		t.Errorf("got %q from $PATH, want none", got.Path)
	}
}

func TestTheEnvironmentIsAfterwardsAsItWas(t *testing.T) {
	path := file(t, "from a file")
	environment(t, "TWELVE_RATES_FILE="+path, "TWELVE_HOST=", "TWELVE_PORT=8000", "TWELVE_DAYS=refused")
	before := os.Environ()
	var got app
	_ = Load(&got)
	if got.Rates != "from a file" {
		t.Fatalf("got %q, want what the file holds", got.Rates)
	}
	after := os.Environ()
	slices.Sort(before)
	slices.Sort(after)
	if !slices.Equal(after, before) {
		t.Errorf("got %q, want %q", after, before)
	}
	if _, ok := os.LookupEnv("TWELVE_HOST"); !ok {
		t.Error("got TWELVE_HOST unset, want set and empty")
	}
}

func TestUsage(t *testing.T) {
	environment(t, "TWELVE_RATES=secret")
	var b bytes.Buffer
	Usage(&b, new(app))
	text := b.String()
	for _, want := range []struct{ name, def, desc string }{
		{"TWELVE_PORT", "5100", "the port to bind"},
		{"TWELVE_HOST", "-", "the address to bind"},
		{"TWELVE_DRAIN", "8s", "how long to drain"},
		{"TWELVE_LEVEL", "info", "the least level to log"},
		{"TWELVE_DAYS", "7", "oldest day"},
		{"TWELVE_RATES", "required", "the backing service"},
		{"TWELVE_TRIES", "-", "a list"},
	} {
		t.Run("lists "+want.name, func(t *testing.T) {
			row := []string{want.name, want.def}
			row = append(row, strings.Fields(want.desc)...)
			found := slices.ContainsFunc(strings.Split(text, "\n"), func(line string) bool {
				return slices.Equal(strings.Fields(line), row)
			})
			if !found {
				t.Errorf("got\n%s\nwant a row %q", text, row)
			}
		})
	}
	if strings.Contains(text, "secret") {
		t.Errorf("got a value in\n%s", text)
	}
	if !strings.Contains(text, "Empty counts as missing. NAME_FILE=path reads NAME from a file.") {
		t.Errorf("got\n%s\nwant it to tell of NAME_FILE", text)
	}
}

func ExampleLoad() {
	os.Setenv("EXAMPLE_PORT", "8080")
	defer os.Unsetenv("EXAMPLE_PORT")
	var c struct {
		Port  uint16        `envconfig:"EXAMPLE_PORT" default:"5100"`
		Drain time.Duration `envconfig:"EXAMPLE_DRAIN" default:"8s"`
		Rates string        `envconfig:"EXAMPLE_RATES_URL" required:"true" desc:"URL of the backing service"`
	}
	err := Load(&c)
	fmt.Println(c.Port, c.Drain)
	fmt.Println(err)
	// Output:
	// 8080 8s
	// EXAMPLE_RATES_URL: required, but not set: URL of the backing service
}
