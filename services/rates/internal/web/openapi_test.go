package web_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"example.com/portpair/services/rates/internal/fx"
	"example.com/portpair/services/rates/internal/web"
	"example.com/portpair/services/twelve/port"
	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/go-chi/chi/v5"
)

func TestTheDocumentIsTrue(t *testing.T) {
	openapi3filter.RegisterBodyDecoder("text/html", openapi3filter.PlainBodyDecoder)
	openapi3filter.RegisterBodyDecoder("text/css", openapi3filter.PlainBodyDecoder)
	h := inWorld(t, "days")
	text := ask(t, serve(t, h), "GET /v1/openapi.json").body
	if other := ask(t, serve(t, h), "GET /openapi.json").body; other != text {
		t.Error("/openapi.json: got another document than /v1/openapi.json")
	}
	doc, err := openapi3.NewLoader().LoadFromData([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Run("its routes are the code's", func(t *testing.T) {
		var documented []string
		for path, item := range doc.Paths.Map() {
			for method := range item.Operations() {
				documented = append(documented, method+" "+path)
			}
		}
		slices.Sort(documented)
		if routed := routes(t, h); !slices.Equal(routed, documented) {
			t.Errorf("got %q in the code, want as documented %q", routed, documented)
		}
	})
	provoked := map[string]bool{}
	for _, p := range provocations(t) {
		t.Run(p.want+" "+p.path, func(t *testing.T) {
			p.hold(t, doc)
			provoked[p.route+" "+p.want] = true
		})
	}
	t.Run("all of it is provoked", func(t *testing.T) {
		for path, item := range doc.Paths.Map() {
			for status := range item.Get.Responses.Map() {
				if !provoked[path+" "+status] {
					t.Errorf("%s %s: is documented, but nothing here provokes it", path, status)
				}
			}
		}
	})
}

// routes are chi's, written as in the document.
func routes(t *testing.T, h http.Handler) []string {
	t.Helper()
	const expression = ":[0-9]{4}-[0-9]{2}-[0-9]{2}"
	var all []string
	err := chi.Walk(h.(chi.Routes), func(method, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		all = append(all, method+" "+strings.ReplaceAll(route, expression, ""))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return all
}

// provocation makes a route answer with a status.
type provocation struct {
	route, path string // as documented, and asked
	want        string
	change      func(*web.App)
	headers     []string
}

func provocations(t *testing.T) []provocation {
	t.Helper()
	all := []provocation{
		{"/readyz", "/readyz", "503", func(a *web.App) {
			a.Health = port.NewHealth(func(context.Context) error { return errors.New("down") })
		}, nil},
		{"/", "/", "500", broken, nil},
	}
	for _, path := range []string{"/", "/style.css", "/livez", "/readyz", "/metrics", "/openapi.json"} {
		all = append(all, provocation{path, path, "200", nil, nil})
	}
	for _, path := range []string{"/", "/style.css", "/openapi.json"} {
		all = append(all, provocation{path, path, "304", nil, []string{"If-None-Match: *"}})
	}
	for _, v1 := range []struct {
		route, path string
		asks        bool // takes parameters
	}{
		{"/v1", "/v1", false},
		{"/v1/", "/v1/", false},
		{"/v1/openapi.json", "/v1/openapi.json", false},
		{"/v1/currencies", "/v1/currencies", false},
		{"/v1/latest", "/v1/latest", true},
		{"/v1/current", "/v1/current", true},
		{"/v1/{date}", "/v1/2024-01-07", true},
		{"/v1/{start}..", "/v1/2024-01-03..", true},
		{"/v1/{start}..{end}", "/v1/2024-01-03..2024-01-05", true},
	} {
		all = append(all,
			provocation{v1.route, v1.path, "200", nil, nil},
			provocation{v1.route, v1.path, "200", withAccess(t, "token"), []string{"Authorization: Bearer token", "Accept-Encoding: gzip"}},
			provocation{v1.route, v1.path, "304", nil, []string{"If-None-Match: *"}},
			provocation{v1.route, v1.path, "401", withAccess(t, "token"), nil},
			provocation{v1.route, v1.path, "401", withAccess(t, "user:password"), nil},
		)
		if v1.asks {
			all = append(all,
				provocation{v1.route, v1.path + "?amount=0.5&base=USD&symbols=GBP,EUR", "200", nil, nil},
				provocation{v1.route, v1.path + "?amount=1e15&from=HRK", "404", func(a *web.App) {
					a.Table = func() *fx.Table { return parse(t, facts) }
				}, nil},
				provocation{v1.route, v1.path + "?symbols=%", "400", nil, nil},
				provocation{v1.route, v1.path + "?base=USD&symbols=USD", "422", nil, nil},
				provocation{v1.route, v1.path + "?amount=0", "422", nil, nil},
				provocation{v1.route, v1.path, "500", broken, nil},
			)
		}
	}
	return append(all, provocation{"/v1/currencies", "/v1/currencies", "500", broken, nil})
}

// broken is an app with a mistake in it.
func broken(a *web.App) { a.Table = func() *fx.Table { panic("a mistake") } }

// hold provokes an answer and holds it against the document.
func (p provocation) hold(t *testing.T, doc *openapi3.T) {
	t.Helper()
	change := p.change
	if change == nil {
		change = func(*web.App) {}
	}
	got := ask(t, serve(t, inWorld(t, "days", change)), "GET "+p.path, p.headers...)
	if status := got.String()[:3]; status != p.want {
		t.Fatalf("got %v, want %s", got, p.want)
	}
	operation := doc.Paths.Value(p.route).Get
	if got.status == http.StatusNotModified { // which openapi3filter passes over
		if operation.Responses.Status(got.status) == nil || got.body != "" || got.header.Get("Etag") == "" || got.header.Get("Vary") == "" {
			t.Errorf("got %v with %v, want it documented, with ETag and Vary and without a body", got, got.header)
		}
		return
	}
	if got.header.Get("Content-Encoding") == "gzip" {
		got.body = unzip(t, got.body)
		got.header.Del("Content-Encoding")
	}
	err := openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{
			Request: &http.Request{Method: http.MethodGet},
			Route:   &routers.Route{Spec: doc, Operation: operation, Method: http.MethodGet, Path: p.route},
		},
		Status: got.status, Header: got.header, Body: io.NopCloser(strings.NewReader(got.body)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	})
	if err != nil {
		t.Error(err)
	}
}
