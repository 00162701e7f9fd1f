package check

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"example.com/portpair/services/twelve/config"
)

func named(name string, l Line) Line { l.Requirement = name; return l }

var settings = []config.Setting{{Name: "HOST", Source: "unset"}, {Name: "RATES_URL", Value: "http://***@localhost:5100", Source: "environment"}}

var rates = Resource{Variable: "RATES_URL", Handle: "http://***@localhost:5100", Options: "?timeout=2s", Lines: []Line{
	named("reachable", Passed("127.0.0.1:5100 connects in 340µs")),
	named("a range", Warned("status 404 with text/html", "charts need ranges; conversions and quotes do not, and neither does anything else that stands here")),
}}

func TestPrint(t *testing.T) {
	database := Resource{Variable: "DATABASE_URL", Handle: "sqlite:/quotes.db", Lines: []Line{
		named("reachable", Failed("it is no file", "name a file")),
		named("room", Skipped("not asked: a line above fails")),
	}}
	var b strings.Builder
	if err := NewReport(settings, rates, database).Print(&b); err != nil {
		t.Fatal(err)
	}
	const want = `config
  HOST       unset
  RATES_URL  environment  http://***@localhost:5100

RATES_URL  http://***@localhost:5100 ?timeout=2s
  pass  reachable  127.0.0.1:5100 connects in 340µs
  warn  a range    status 404 with text/html
                   → charts need ranges; conversions and quotes do not, and neither does anything
                   else that stands here

DATABASE_URL  sqlite:/quotes.db
  fail  reachable  it is no file
                   → name a file
  skip  room       not asked: a line above fails

no: 1 line fails
`
	if got := b.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestTheLastLineSaysWhetherTheAppCanRun(t *testing.T) {
	pass, warn, fail, skip := Passed("x"), Warned("x", "y"), Failed("x", "y"), Skipped("x")
	for _, tt := range []struct {
		lines []Line
		ok    bool
		want  string
	}{
		{[]Line{pass, pass}, true, "yes, it can run on these"},
		{[]Line{pass, warn}, true, "yes, it can run on these; 1 line warns"},
		{[]Line{warn, warn}, true, "yes, it can run on these; 2 lines warn"},
		{[]Line{warn, fail, skip}, false, "no: 1 line fails"},
		{[]Line{fail, fail}, false, "no: 2 lines fail"},
	} {
		r := NewReport(nil, Resource{Lines: tt.lines})
		var b strings.Builder
		if err := r.Print(&b); err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(b.String(), "\n\n"+tt.want+"\n") || r.OK != tt.ok || Fails(tt.lines) == tt.ok {
			t.Errorf("got ok %v and\n%s\nwant %v and %q", r.OK, &b, tt.ok, tt.want)
		}
	}
}

func TestNoLineIsWiderThanATerminal(t *testing.T) {
	for name, text := range map[string]string{
		"words":             strings.Repeat("word ", 60),
		"one long word":     strings.Repeat("x", 300),
		"one of wide bytes": strings.Repeat("é", 300),
		"words and a long":  "a b " + strings.Repeat("x", 120) + " c",
		"nothing":           "",
	} {
		var b strings.Builder
		r := NewReport([]config.Setting{{Name: "NAME", Value: text, Source: "default"}}, Resource{Variable: "URL", Handle: text, Lines: []Line{named("it", Warned(text, text))}})
		if err := r.Print(&b); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(b.String()) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > width {
				t.Errorf("%s: %d columns: %s", name, n, line)
			}
		}
		if got, want := strings.Count(b.String(), "x"), 4*strings.Count(text, "x"); got != want {
			t.Errorf("%s: got %d of %d letters", name, got, want)
		}
	}
}

func TestJSON(t *testing.T) {
	b, err := json.Marshal(NewReport(settings, rates))
	if err != nil {
		t.Fatal(err)
	}
	var got Report
	if err := json.Unmarshal(b, &got); err != nil || !reflect.DeepEqual(got, NewReport(settings, rates)) {
		t.Errorf("got %+v, error %v", got, err)
	}
	for _, want := range []string{`"ok":true`, `{"name":"HOST","value":"","source":"unset"}`, `"variable":"RATES_URL"`, `"requirement":"reachable","verdict":"pass","seen":`} {
		if !strings.Contains(string(b), want) {
			t.Errorf("no %s in %s", want, b)
		}
	}
}
