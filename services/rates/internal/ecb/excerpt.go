package ecb

import (
	"context"
	"slices"
	"strings"
)

// Excerpt fetches the feed and returns its newest days in the layout of the whole, without the currencies that have no
// rate on any of them. The snapshot is one.
func Excerpt(ctx context.Context, s Source, agent string, days int) (string, error) {
	e, err := newFetcher(s, agent).fetch(ctx, version{})
	if err != nil {
		return "", err
	}
	r, err := open(e.data)
	if err != nil {
		return "", err
	}
	defer r.Close()
	text, err := readAll(r)
	if err != nil {
		return "", err
	}
	if _, err := Parse(strings.NewReader(text)); err != nil {
		return "", err
	}
	return cut(text, days), nil
}

// cut takes the header and the first rows of a text that is known to be good.
func cut(text string, days int) string {
	var rows [][]string
	for line := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) {
		if line = strings.TrimRight(line, "\r\n"); line != "" && len(rows) <= days {
			rows = append(rows, strings.Split(line, ","))
		}
	}
	var out strings.Builder
	for _, row := range rows {
		for i, cell := range row {
			published := func(row []string) bool { return row[i] != "N/A" }
			switch {
			case i == len(row)-1: // the empty field after the last comma
				out.WriteString("\n")
			case slices.ContainsFunc(rows[1:], published):
				out.WriteString(cell + ",")
			}
		}
	}
	return out.String()
}
