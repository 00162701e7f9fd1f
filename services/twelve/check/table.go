package check

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// width is what a terminal shows at least, in columns: longer texts go on in
// the next line.
const width = 100

// Print writes the report as tables: the config, then each resource.
func (r Report) Print(w io.Writer) error {
	var b strings.Builder
	b.WriteString("config\n")
	name, source := 0, 0
	for _, s := range r.Config {
		name, source = max(name, len(s.Name)), max(source, len(s.Source))
	}
	for _, s := range r.Config {
		row(&b, fmt.Sprintf("  %-*s  %-*s  ", name, s.Name, source, s.Source), s.Value)
	}
	for _, resource := range r.Resources {
		fmt.Fprintln(&b)
		row(&b, resource.Variable+"  ", resource.Handle+" "+resource.Options)
		requirement := 0
		for _, l := range resource.Lines {
			requirement = max(requirement, len(l.Requirement))
		}
		for _, l := range resource.Lines {
			lead := fmt.Sprintf("  %s  %-*s  ", l.Verdict, requirement, l.Requirement)
			row(&b, lead, l.Seen)
			if l.Advice != "" {
				row(&b, strings.Repeat(" ", len(lead)), "→ "+l.Advice)
			}
		}
	}
	fmt.Fprintf(&b, "\n%s\n", r.verdict())
	_, err := io.WriteString(w, b.String())
	return err
}

// verdict is the last line.
func (r Report) verdict() string {
	fails, warns := r.count(Fail), r.count(Warn)
	switch {
	case fails > 0:
		return fmt.Sprintf("no: %s", lines(fails, "fails", "fail"))
	case warns > 0:
		return fmt.Sprintf("yes, it can run on these; %s", lines(warns, "warns", "warn"))
	default:
		return "yes, it can run on these"
	}
}

func lines(n int, one, many string) string {
	if n == 1 {
		return "1 line " + one
	}
	return fmt.Sprintf("%d lines %s", n, many)
}

// row writes a text behind its lead, wrapped to width under its own beginning.
func row(b *strings.Builder, lead, text string) {
	indent := utf8.RuneCountInString(lead)
	for i, line := range wrap(text, width-indent) {
		if i > 0 {
			lead = strings.Repeat(" ", indent)
		}
		b.WriteString(strings.TrimRight(lead+line, " ") + "\n")
	}
}

// wrap breaks a text between words, and words that are longer than a line
// anywhere.
func wrap(text string, columns int) []string {
	var lines []string
	line := []rune{}
	for word := range strings.FieldsSeq(text) {
		rest := []rune(word)
		if len(line) > 0 && len(line)+1+len(rest) <= columns {
			line = append(append(line, ' '), rest...)
			continue
		}
		if len(line) > 0 {
			lines = append(lines, string(line))
		}
		for len(rest) > columns {
			lines, rest = append(lines, string(rest[:columns])), rest[columns:]
		}
		line = rest
	}
	return append(lines, string(line))
}
