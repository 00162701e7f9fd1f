package ecb

import (
	"strings"
	"testing"
)

const endedAndNew = `Date,USD,HRK,NOK,BGN,
2026-01-02,1.1721,N/A,11.8165,N/A,
2025-12-31,1.175,N/A,11.8430,1.9558,
2022-12-30,1.0666,7.5365,N/A,1.9558,
`

func TestExcerpt(t *testing.T) {
	tests := []struct {
		name string
		feed string
		days int
		want string
	}{
		{"without the currencies that have ended before", endedAndNew, 2,
			"Date,USD,NOK,BGN,\n2026-01-02,1.1721,11.8165,N/A,\n2025-12-31,1.175,11.8430,1.9558,\n"},
		{"and with what ends within", endedAndNew, 1, "Date,USD,NOK,\n2026-01-02,1.1721,11.8165,\n"},
		{"of a zip", packed(t, member, endedAndNew), 1, "Date,USD,NOK,\n2026-01-02,1.1721,11.8165,\n"},
		{"of more days than there are", endedAndNew, 66, endedAndNew},
		{"of CRLF and a byte order mark", "\ufeff" + strings.ReplaceAll(endedAndNew, "\n", "\r\n"), 3, endedAndNew},
		{"of the snapshot", snapshotCSV, 66, snapshotCSV},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Excerpt(t.Context(), newFile(t, tt.feed).source(t), "", tt.days)
			if err != nil || got != tt.want {
				t.Errorf("got %v,\n%vwant\n%v", err, got, tt.want)
			}
		})
	}
}

func TestExcerptOfABrokenFeed(t *testing.T) {
	tests := []struct{ name, feed, want string }{
		{"HTML", "<!doctype html>", "this is HTML; " + wanted},
		{"a cut zip", packed(t, member, current)[:50], "this is a zip that is cut short or damaged"},
		{"a bad number far below", endedAndNew + "1999-01-04,1.1789,x,8.855,N/A,\n", `line 5, HRK: "x" is not a rate`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Excerpt(t.Context(), newFile(t, tt.feed).source(t), "", 1)
			if err == nil || err.Error() != tt.want {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}
