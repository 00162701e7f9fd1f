package config

import (
	"encoding"
	"fmt"
	"os"
	"reflect"
	"strings"
	"time"
)

// Setting is a variable as the app goes by it.
type Setting struct {
	Name   string `json:"name"`
	Value  string `json:"value"`  // as its type prints it: those that hold secrets print *** for them
	Source string `json:"source"` // environment, file, default or unset
}

// Settings tells what Load has read into the struct that cfg points to, and
// from where, a variable each.
func Settings(cfg any) []Setting {
	var all []Setting
	s := reflect.ValueOf(cfg).Elem()
	for i := range s.NumField() {
		tag := s.Type().Field(i).Tag
		name := tag.Get("envconfig")
		all = append(all, Setting{name, shown(s.Field(i)), source(name, tag.Get("default"))})
	}
	return all
}

// source is where the value of name comes from. A file is read again: an empty
// one counts as missing.
func source(name, preset string) string {
	value, _ := lookup(name)
	switch {
	case value != "" && os.Getenv(name) != "":
		return "environment"
	case value != "":
		return "file"
	case preset != "":
		return "default"
	default:
		return "unset"
	}
}

// shown is a value as one would write it into the environment.
func shown(v reflect.Value) string {
	switch value := v.Interface().(type) {
	case time.Duration:
		text := value.String() // 720h0m0s
		if strings.HasSuffix(text, "m0s") {
			text = strings.TrimSuffix(text, "0s")
		}
		if strings.HasSuffix(text, "h0m") {
			text = strings.TrimSuffix(text, "0m")
		}
		return text
	case encoding.TextMarshaler: // which knows what must not show
		text, err := value.MarshalText()
		if err != nil {
			return ""
		}
		return string(text)
	}
	if v.Kind() != reflect.Slice {
		return fmt.Sprint(v.Interface())
	}
	var parts []string
	for i := range v.Len() {
		parts = append(parts, shown(v.Index(i)))
	}
	return strings.Join(parts, ",")
}
