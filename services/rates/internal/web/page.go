package web

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"

	"example.com/portpair/services/rates/internal/fx"
)

//go:embed page.html
var pageText string

//go:embed style.css
var styleText []byte

var styleAnswer = newAnswer(cssType, styleText)

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{"name": fx.Name}).Parse(pageText))

// policy allows what the page has: one style sheet.
const policy = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'"

type pageData struct {
	Rates       fx.Rates
	First, Last fx.Day
	Days        int
}

// page shows what there is: the newest day and the API.
func page(table func() *fx.Table) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		t := table()
		rates, err := t.Latest(fx.DefaultQuery())
		if err != nil {
			return err
		}
		var body bytes.Buffer
		if err := pageTemplate.Execute(&body, pageData{rates, t.First(), t.Newest(), t.Len()}); err != nil {
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
