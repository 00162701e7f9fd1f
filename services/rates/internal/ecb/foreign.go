package ecb

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

const wanted = "the zip or CSV of the full history (eurofxref-hist) is wanted"

// layouts tells what is not the CSV of the history by what its first line begins with or holds, once lowered.
var layouts = []struct {
	prefix, holds string
	name          string
}{
	{prefix: "<!doctype html", name: "HTML"},
	{prefix: "<html", name: "HTML"},
	{prefix: "<", name: "XML"},
	{prefix: "{", name: "JSON"},
	{prefix: "[", name: "JSON"},
	{prefix: "pk\x03\x04", name: "a zip archive that was not unpacked"},
	{prefix: "\x1f", name: "a gzip file that was not unpacked"},
	{prefix: "date, ", name: "the ECB's CSV of one day"},
	{holds: "time_period", name: "SDMX CSV"},
	{prefix: "date;", name: "CSV with semicolons, as for decimal commas"},
}

func refuseForeign(text string) error {
	text = strings.TrimLeft(text, " \t\r\n")
	if text == "" {
		return errors.New("this is empty; " + wanted)
	}
	line, _, _ := strings.Cut(text[:min(len(text), 1024)], "\n")
	line = strings.ToLower(line)
	for _, l := range layouts {
		if strings.HasPrefix(line, l.prefix) && strings.Contains(line, l.holds) {
			return fmt.Errorf("this is %s; %s", l.name, wanted)
		}
	}
	return nil
}

// quote makes foreign text fit for a log line: quoted, and short.
func quote(s string) string {
	const most = 24
	if len(s) > most {
		return strconv.Quote(s[:most]) + "…"
	}
	return strconv.Quote(s)
}
