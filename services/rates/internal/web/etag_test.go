package web_test

import (
	"net/http"
	"strings"
	"testing"

	"example.com/portpair/services/rates/internal/fx"
)

func TestTheETagMovesWheneverTheBodyDoes(t *testing.T) {
	const line = "The original's ETag is made of the date alone and ignores the parameters and corrections; make ours change whenever the body would."
	tables := map[string]string{
		"as published":               days,
		"published again":            strings.Replace(days, "2024-01-04,1.04", "2024-01-04,1.041", 1),
		"the newest published again": strings.Replace(days, "2024-01-09,1.09", "2024-01-09,1.091", 1),
		"with a new day":             strings.Replace(days, "2024-01-09,", "2024-01-10,1.10,0.91,N/A,\n2024-01-09,", 1),
		"with a day in between":      strings.Replace(days, "2023-12-29,", "2024-01-02,1.02,0.2,N/A,\n2023-12-29,", 1),
		"with a rate less":           strings.Replace(days, "1.05,0.5", "1.05,N/A", 1),
		"with another decimal":       strings.Replace(days, "1.28,0.28", "1.28001,0.28", 1),
	}
	// Equal questions in other words stand apart here: only one path's tags are compared.
	asks := []string{"latest", "latest?symbols=USD", "latest?base=USD", "latest?amount=2", "2024-01-07", "2024-01-04?symbols=USD",
		"2024-01-03..2024-01-07", "2024-01-03..", "2023-12-28..?symbols=USD", "2023-12-28..?base=USD&amount=3", "currencies"}
	for _, path := range asks {
		t.Run(path, func(t *testing.T) {
			bodies := map[string]string{} // by tag
			tags := map[string]string{}   // by body
			for name, csv := range tables {
				got := ask(t, serve(t, app(t, parse(t, csv), "2024-01-10T09:00:00Z")), "GET /v1/"+path)
				tag := got.header.Get("Etag")
				if body, seen := bodies[tag]; seen && body != got.body {
					t.Errorf("%s\n%s: %s for both %s and %s", line, name, tag, body, got.body)
				}
				if other, seen := tags[got.body]; seen && other != tag {
					t.Errorf("%s: got %s and %s for one body", name, tag, other)
				}
				bodies[tag], tags[got.body] = got.body, tag
			}
			if len(tags) < 2 && path != "currencies" {
				t.Errorf("got one body only, %v", bodies)
			}
		})
	}
}

func TestTheETagTellsParametersApart(t *testing.T) {
	url := serve(t, inWorld(t, "days"))
	seen := map[string]string{}
	for _, path := range []string{"latest", "latest?symbols=USD", "latest?symbols=GBP", "latest?base=USD", "latest?amount=2", "2024-01-05",
		"2024-01-05?symbols=USD", "2024-01-03..", "2024-01-03..2024-01-08", "2024-01-03..?symbols=USD", "currencies", "openapi.json", ""} {
		tag := ask(t, url, "GET /v1/"+path).header.Get("Etag")
		if other, taken := seen[tag]; taken {
			t.Errorf("%s and %s: got %s for both", path, other, tag)
		}
		seen[tag] = path
	}
}

// changes move the tag of a long range.
var changes = []struct {
	name   string
	change func([]fx.Row) []fx.Row
	params string
}{
	{"its last rate is published again", func(rows []fx.Row) []fx.Row {
		rows[len(rows)-1].Rates[1].Value = fx.NewDecimal(8568, 4)
		return rows
	}, ""},
	{"two days have each other's rates", func(rows []fx.Row) []fx.Row {
		rows[2000].Rates, rows[2001].Rates = rows[2001].Rates, rows[2000].Rates
		return rows
	}, ""},
	{"a day late in it is gone", func(rows []fx.Row) []fx.Row { return append(rows[:2500], rows[2501:]...) }, ""},
	{"its last day is another", func(rows []fx.Row) []fx.Row {
		rows[len(rows)-1].Day++
		return rows
	}, ""},
	{"a rate late in it is gone", func(rows []fx.Row) []fx.Row {
		rows[2500].Rates = rows[2500].Rates[:1]
		return rows
	}, ""},
	{"other currencies are asked for", nil, "?symbols=USD"},
	{"another base is asked for", nil, "?base=GBP"},
	{"another amount is asked for", nil, "?amount=2"},
	{"a currency late in it is asked for", func(rows []fx.Row) []fx.Row {
		rows[2500].Rates = append(rows[2500].Rates, fx.Rate{Currency: "XAU", Value: fx.NewDecimal(1, 0)})
		return rows
	}, ""},
}

// A body of many chunks has its tag before it is rendered.
func TestTheETagOfALongRange(t *testing.T) {
	tag := func(table *fx.Table, params string) string {
		return ask(t, serve(t, app(t, table, now2026)), "HEAD /v1/2015-01-01.."+params).header.Get("Etag")
	}
	published := tag(long(t, nil), "")
	t.Run("is the same in every process", func(t *testing.T) {
		if got := tag(long(t, nil), ""); got != published {
			t.Errorf("got %v, want %v", got, published)
		}
	})
	t.Run("is the same for HEAD and GET", func(t *testing.T) {
		if got := ask(t, serve(t, app(t, long(t, nil), now2026)), "GET /v1/2015-01-01..").header.Get("Etag"); got != published {
			t.Errorf("got %v, want %v", got, published)
		}
	})
	seen := map[string]string{published: "it was published"}
	for _, tt := range changes {
		t.Run("moves when "+tt.name, func(t *testing.T) {
			got := tag(long(t, tt.change), tt.params)
			if before, taken := seen[got]; taken {
				t.Errorf("got %v as when %s", got, before)
			}
			seen[got] = tt.name
		})
	}
	t.Run("stays when a day outside is published again", func(t *testing.T) {
		past := func(table *fx.Table) string {
			return ask(t, serve(t, app(t, table, now2026)), "HEAD /v1/2015-01-01..2021-01-01").header.Get("Etag")
		}
		other := long(t, changes[0].change)
		if got, want := past(other), past(long(t, nil)); got != want {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

// In 2025-10-23's first publication the krone was 11.8529.
func TestACorrectionMovesTheETag(t *testing.T) {
	const first = "Date,NOK,USD,\n2025-10-23,11.8529,1.16,\n"
	corrected := strings.Replace(first, "11.8529", "11.5829", 1)
	now := "2025-10-24T09:00:00Z"
	for _, path := range []string{"latest", "2025-10-23", "2025-10-23.."} {
		before := ask(t, serve(t, app(t, parse(t, first), now)), "GET /v1/"+path).header.Get("Etag")
		got := ask(t, serve(t, app(t, parse(t, corrected), now)), "GET /v1/"+path, "If-None-Match: "+before)
		if got.status != http.StatusOK || got.header.Get("Etag") == before {
			t.Errorf("%s: got %v with %s, want 200 with another tag than %s", path, got, got.header.Get("Etag"), before)
		}
	}
}

func TestIfNoneMatch(t *testing.T) {
	const line = "`If-None-Match` (exact, list, `*`, and the weak form): 304 without body. HEAD works."
	for _, path := range []string{"/v1/latest", "/v1/2024-01-05", "/v1/2024-01-03..", "/v1/currencies", "/v1", "/v1/openapi.json", "/", "/style.css"} {
		url := serve(t, inWorld(t, "days"))
		full := ask(t, url, "GET "+path)
		tag := full.header.Get("Etag")
		tests := []struct {
			name  string
			lines []string
			want  int
		}{
			{"exact", []string{tag}, 304},
			{"weak", []string{"W/" + tag}, 304},
			{"any", []string{"*"}, 304},
			{"any, with blanks", []string{" * "}, 304},
			{"first of a list", []string{tag + `, "other"`}, 304},
			{"last of a list", []string{`"other", W/"more",` + tag}, 304},
			{"after a tag with a comma in it", []string{`"a, b",` + tag}, 304},
			{"on a second line", []string{`"other"`, tag}, 304},
			{"another", []string{`"other"`}, 200},
			{"within another", []string{`"x` + tag[1:]}, 200},
			{"without quotes", []string{strings.Trim(tag, `"`)}, 200},
			{"of another encoding", []string{strings.TrimSuffix(tag, `"`) + `-gzip"`}, 200},
			{"cut off", []string{strings.TrimSuffix(tag, `"`)}, 200},
			{"empty", []string{""}, 200},
			{"nonsense", []string{`,,"",W/,"`}, 200},
		}
		for _, tt := range tests {
			t.Run(path+" "+tt.name, func(t *testing.T) {
				var with []string
				for _, l := range tt.lines {
					with = append(with, "If-None-Match: "+l)
				}
				for _, method := range []string{"GET ", "HEAD "} {
					got := ask(t, url, method+path, with...)
					if got.status != tt.want {
						t.Errorf("%s\n%s: got %d, want %d", line, method, got.status, tt.want)
					}
					for _, name := range []string{"Etag", "Cache-Control", "Vary"} {
						if got, want := got.header.Get(name), full.header.Get(name); got != want {
							t.Errorf("%s of a %d: got %q, want %q", name, tt.want, got, want)
						}
					}
					if got.status == 304 && (got.body != "" || got.header.Get("Content-Type") != "" || got.header.Get("Content-Length") != "") {
						t.Errorf("%s\n%s: got body %q and headers %v, want none about a body", line, method, got.body, got.header)
					}
				}
			})
		}
	}
}

func TestIfNoneMatchOfALongRange(t *testing.T) {
	url := serve(t, app(t, long(t, nil), now2026))
	plain := ask(t, url, "HEAD /v1/2015-01-01..").header.Get("Etag")
	zipped := ask(t, url, "HEAD /v1/2015-01-01..", "Accept-Encoding: gzip").header.Get("Etag")
	tests := []struct {
		name, tag, encoding string
		want                string
	}{
		{"plain", plain, "", "304"},
		{"zipped", zipped, "gzip", "304"},
		{"the other one", zipped, "", `200 {…`},
		{"one of both", plain + "," + zipped, "gzip", "304"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := ask(t, url, "GET /v1/2015-01-01..", "If-None-Match: "+tt.tag, "Accept-Encoding: "+tt.encoding)
			if !matches(got.String(), tt.want) {
				t.Errorf("got %.100v, want %v", got, tt.want)
			}
			if got, want := got.header.Get("Vary"), "Origin, Accept-Encoding"; got != want {
				t.Errorf("Vary: got %v, want %v", got, want)
			}
		})
	}
}

func TestNothingMatchesWhatIsNotThere(t *testing.T) {
	url := serve(t, inWorld(t, "days"))
	for _, path := range []string{"/v1/2020-01-01", "/v1/latest?symbols=QQQ", "/v1/2030-01-01..", "/v1/nothing"} {
		if got := ask(t, url, "GET "+path, "If-None-Match: *"); got.status != http.StatusNotFound {
			t.Errorf("%s: got %v, want 404", path, got)
		}
	}
}
