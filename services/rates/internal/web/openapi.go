package web

import (
	_ "embed"
	"net/http"
)

//go:embed openapi.json
var openapiText []byte

// openapi answers with the document that describes these routes.
func openapi(c caching) handler {
	text := newAnswer(jsonType, openapiText)
	return func(w http.ResponseWriter, r *http.Request) error {
		c.settled(w.Header())
		text.write(w, r)
		return nil
	}
}
