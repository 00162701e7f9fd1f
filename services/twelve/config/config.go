// Package config reads an app's configuration from its environment (factor
// III) into one struct, over envconfig. It decides what a variable's value is
// (empty counts as missing, NAME_FILE reads NAME from a file), reports every
// mistake at once by name, and never repeats a value, which may be a secret.
//
// What the variables are, and the rules between them, it leaves to the app:
// a struct in the app's config.go whose fields carry the tags
//
//	envconfig  the variable's name
//	desc       what it means to an operator, for --help
//	default    the value when it is missing (optional)
//	required   "true": refuse to start without it (optional)
//	want       what a good value is, for a refusal (optional)
package config

import (
	"cmp"
	"encoding"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"reflect"
	"regexp"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/kelseyhightower/envconfig"
)

// maxFile is the most that a NAME_FILE may hold, in bytes: more is not a
// value but the wrong file.
const maxFile = 64 << 10

// Validator is a config struct with rules between its fields. Validate is
// called also when single fields were refused (those keep their zero value),
// so that all mistakes are seen at once. Its errors are joined; each starts
// with the variable's name and never repeats a value.
type Validator interface{ Validate() error }

// Hinter is an error of a type that reads itself from a variable: Hint says
// what is wrong and what would do, without repeating the value. The text of
// any other error is not shown.
type Hinter interface{ Hint() string }

// Load fills the struct that cfg points to from the environment. The error,
// if any, joins all mistakes, one a line, each starting with the variable's
// name.
func Load(cfg any) error {
	var errs []error
	refused := map[string]bool{}
	s := reflect.ValueOf(cfg).Elem()
	for i := range s.NumField() {
		field := s.Type().Field(i)
		if err := load(field, s.Field(i)); err != nil {
			errs = append(errs, err)
			refused[field.Tag.Get("envconfig")] = true
		}
	}
	if v, ok := cfg.(Validator); ok {
		if err := v.Validate(); err != nil {
			for line := range strings.Lines(err.Error()) {
				if name, _, _ := strings.Cut(line, ":"); !refused[name] { // else it judges a zero value
					errs = append(errs, errors.New(strings.TrimSuffix(line, "\n")))
				}
			}
		}
	}
	return errors.Join(errs...)
}

// load reads one variable. envconfig sees one field at a time, since it stops
// at its first error.
func load(field reflect.StructField, target reflect.Value) error {
	name := field.Tag.Get("envconfig")
	if name == "" { // envconfig would take the variable of the field's name
		return fmt.Errorf("the config's field %s names no variable", field.Name)
	}
	value, err := lookup(name)
	if err != nil {
		return err
	}
	if value == "" && field.Tag.Get("required") == "true" {
		return fmt.Errorf("%s: required, but not set: %s", name, field.Tag.Get("desc"))
	}
	if value != "" && isInteger(field.Type) && !decimal.MatchString(value) {
		return refusal(name, field, nil) // envconfig would read 010 as 8
	}

	one := reflect.New(reflect.StructOf([]reflect.StructField{field}))
	restore := setenv(name, value)
	err = envconfig.Process("", one.Interface())
	restore()
	if err != nil {
		return refusal(name, field, err)
	}
	if d, ok := one.Elem().Field(0).Interface().(time.Duration); ok && d < 0 {
		return refusal(name, field, nil)
	}
	target.Set(one.Elem().Field(0))
	return nil
}

var decimal = regexp.MustCompile(`^(0|-?[1-9][0-9]*)$`)

func isInteger(t reflect.Type) bool {
	if t == reflect.TypeFor[time.Duration]() || reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return false
	}
	return t.Kind() >= reflect.Int && t.Kind() <= reflect.Uint64
}

// lookup returns the value of name, or of the file that name_FILE names;
// empty means missing.
func lookup(name string) (string, error) {
	value, path := os.Getenv(name), os.Getenv(name+"_FILE")
	switch {
	case path == "":
		return value, nil
	case value != "":
		return "", fmt.Errorf("%s: set, and %s_FILE too: unset one of them", name, name)
	}
	b, err := readFile(path)
	if err != nil {
		// The path is left out: people do put the secret itself there.
		var pe *fs.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		return "", fmt.Errorf("%s_FILE: cannot read the file it names: %w", name, err)
	}
	value = string(b)
	if line, ok := strings.CutSuffix(value, "\n"); ok {
		value = strings.TrimSuffix(line, "\r")
	}
	if strings.ContainsRune(value, 0) {
		return "", fmt.Errorf("%s_FILE: the file holds a NUL byte, which no variable can", name)
	}
	return value, nil
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(b) > maxFile {
		err = fmt.Errorf("over %d bytes", maxFile)
	}
	return b, err
}

// setenv shows envconfig, which reads only the process's environment, the
// value that counts, and puts back what was there: a secret from a file does
// not stay in the environment.
func setenv(name, value string) (restore func()) {
	old, was := os.LookupEnv(name)
	if was && old == value && value != "" {
		return func() {}
	}
	if value == "" {
		os.Unsetenv(name)
	} else {
		os.Setenv(name, value)
	}
	return func() {
		os.Unsetenv(name)
		if was {
			os.Setenv(name, old)
		}
	}
}

// refusal says which variable is wrong and what would do. err's own text is
// shown only if it is a Hinter: envconfig's repeats the value.
func refusal(name string, field reflect.StructField, err error) error {
	var parse *envconfig.ParseError
	var hint Hinter
	if errors.As(err, &parse) && errors.As(parse.Err, &hint) {
		return fmt.Errorf("%s: %s", name, hint.Hint())
	}
	want := field.Tag.Get("want")
	switch {
	case want != "":
	case field.Type == reflect.TypeFor[time.Duration]():
		want = "a duration of 0s or more, such as 30s, 5m or 24h"
	case isInteger(field.Type):
		want = "a whole number"
	default:
		want = "a " + field.Type.String()
	}
	return fmt.Errorf("%s: want %s", name, want)
}

// Usage writes the variables of the struct that cfg points to as a table:
// name, default, meaning.
func Usage(w io.Writer, cfg any) {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for i := range reflect.TypeOf(cfg).Elem().NumField() {
		tag := reflect.TypeOf(cfg).Elem().Field(i).Tag
		def := cmp.Or(tag.Get("default"), "-")
		if tag.Get("required") == "true" {
			def = "required"
		}
		fmt.Fprintf(tw, "  %s\t%s\t%s\n", tag.Get("envconfig"), def, tag.Get("desc"))
	}
	tw.Flush()
	fmt.Fprintln(w, "\nEmpty counts as missing. NAME_FILE=path reads NAME from a file.")
}
