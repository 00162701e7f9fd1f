package web

import (
	_ "embed"
	"net/http"
)

//go:embed openapi.json
var openapiText []byte

// openapi answers with the document that describes these routes.
func openapi(w http.ResponseWriter, _ *http.Request) {
	writeStatic(w, "application/json", openapiText)
}
