package web

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"time"

	"example.com/portpair/services/rates/internal/fx"
)

//go:embed page.html
var pageText string

//go:embed style.css
var styleText []byte

var styleAnswer = newAnswer(cssType, styleText)

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"name":  fx.Name,
	"words": func(d fx.Day) string { return d.Time().Format("Monday 2 January 2006") },
	"clock": func(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") },
	"stamp": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
}).Parse(pageText))

// policy allows what the page has: an icon, and one style sheet.
const policy = "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'"

// Origin is where the rates come from.
type Origin struct {
	From      string    // snapshot, cache or feed
	URL       string    // the feed's, redacted; empty: none is looked at
	Refreshed time.Time // when the feed last had just these rates; zero: not since the start
}

type pageData struct {
	Rates       fx.Rates
	First, Last fx.Day
	Days        int
	Origin      Origin
	Host        string // as the client calls it
}

// page shows what there is: the newest day, where it comes from, and the API.
func page(a App) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		t := a.Table()
		rates, err := t.Latest(fx.DefaultQuery())
		if err != nil {
			return err
		}
		var body bytes.Buffer
		if err := pageTemplate.Execute(&body, pageData{rates, t.First(), t.Newest(), t.Len(), a.Origin(), r.Host}); err != nil {
			return err
		}
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("Cache-Control", "no-cache")
		newAnswer(htmlType, body.Bytes()).write(w, r)
		return nil
	}
}

func style(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "public, max-age=3600")
	styleAnswer.write(w, r)
}
