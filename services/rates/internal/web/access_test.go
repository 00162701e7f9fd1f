package web_test

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"example.com/portpair/services/rates/internal/web"
	"example.com/portpair/services/twelve/logs"
)

// encoded is an Authorization header as browsers send it.
func encoded(s string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(s)) }

func TestAccess(t *testing.T) {
	const (
		line  = "With RATES_ACCESS, /v1 answers `Cache-Control: private` and `Vary: Authorization, Origin`; 401 with WWW-Authenticate otherwise; preflights are exempt."
		basic = "ada:pass:word"
		token = "s3cr3t-token"
	)
	const (
		given        = "200 {…}\nCache-Control: private, max-age=21600\nVary: Authorization, Origin\nWww-Authenticate:"
		unauthorized = `401 {"message":"unauthorized"}` + "\nCache-Control: no-store\nVary: Authorization, Origin\nEtag:\nWww-Authenticate: "
		basicAsked   = unauthorized + `Basic realm="rates", charset="UTF-8"`
		tokenAsked   = unauthorized + `Bearer realm="rates"`
		open         = "\nWww-Authenticate:\nVary: Origin…"
	)
	tests := []struct {
		name, access, ask, with, want string
	}{
		{"Basic", basic, "GET /v1/latest", encoded(basic), given},
		{"Basic in small letters", basic, "GET /v1/latest", "basic" + strings.TrimPrefix(encoded(basic), "Basic"), given},
		{"Basic on a range", basic, "GET /v1/2024-01-09..", encoded(basic), given},
		{"Basic on the past", basic, "GET /v1/2024-01-05", encoded(basic), "200 {…}\nCache-Control: private, max-age=86400\nVary: Authorization, Origin"},
		{"Basic on the document", basic, "GET /v1/openapi.json", encoded(basic), "200 {…\nCache-Control: private, max-age=86400\nVary: Authorization, Origin, Accept-Encoding"},
		{"Basic on no route", basic, "GET /v1/nothing", encoded(basic), "404 {…\nCache-Control: no-store"},
		{"Basic on an error", basic, "GET /v1/2024-02-30", encoded(basic), badDate + "\nCache-Control: no-store"},
		{"Basic, wrong password", basic, "GET /v1/latest", encoded("ada:password"), basicAsked},
		{"Basic, wrong user", basic, "GET /v1/latest", encoded("eve:pass:word"), basicAsked},
		{"Basic, longer", basic, "GET /v1/latest", encoded(basic + "x"), basicAsked},
		{"Basic, no base64", basic, "GET /v1/latest", "Basic " + basic, basicAsked},
		{"Basic as Bearer", basic, "GET /v1/latest", "Bearer " + basic, basicAsked},
		{"Basic missing", basic, "GET /v1/latest", "", basicAsked},
		{"Basic missing on /v1", basic, "GET /v1", "", basicAsked},
		{"Basic missing on /v1/", basic, "GET /v1/", "", basicAsked},
		{"Basic missing on the document", basic, "GET /v1/openapi.json", "", basicAsked},
		{"Basic missing on no route", basic, "GET /v1/nothing", "", basicAsked},
		{"Basic missing on a wrong method", basic, "POST /v1/latest", "", basicAsked},
		{"Basic missing on an encoded path", basic, "GET /v%31/latest", "", basicAsked},
		{"Bearer", token, "GET /v1/latest", "Bearer " + token, given},
		{"Bearer in small letters", token, "GET /v1/latest", "bearer " + token, given},
		{"Bearer, wrong", token, "GET /v1/latest", "Bearer other", tokenAsked},
		{"Bearer, empty", token, "GET /v1/latest", "Bearer ", tokenAsked},
		{"Bearer as Basic", token, "GET /v1/latest", encoded(token), tokenAsked},
		{"Bearer missing", token, "GET /v1/latest", "", tokenAsked},
		{"the page is open", token, "GET /", "", "200 …" + open},
		{"the document outside is open", token, "GET /openapi.json", "", "200 …" + open + "\nCache-Control: public, max-age=86400"},
		{"readiness is open", token, "GET /readyz", "", "200 …" + open},
		{"metrics are open", token, "GET /metrics", "", "200 …" + open},
		{"what is no route is open", token, "GET /v1x", "", "404 …" + open},
		{"no access is asked for", "", "GET /v1/latest", "", "200 {…}\nCache-Control: public, max-age=21600\nVary: Origin"},
		{"no access is asked for, but shown", "", "GET /v1/latest", "Bearer other", "200 {…}\nCache-Control: public, max-age=21600\nVary: Origin"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			url := serve(t, inWorld(t, "days", withAccess(t, tt.access)))
			var with []string
			if tt.with != "" {
				with = []string{"Authorization: " + tt.with}
			}
			compare(t, line, ask(t, url, tt.ask, with...), tt.want)
		})
	}
}

func TestAccessAndOtherOrigins(t *testing.T) {
	const (
		line    = "CORS when Origin is sent, on errors too (404 of unknown routes, 405, 401); preflights are exempt from RATES_ACCESS."
		origin  = "Origin: https://example.com"
		allowed = "\nAccess-Control-Allow-Origin: *\nAccess-Control-Allow-Methods: GET, OPTIONS\nAccess-Control-Max-Age: 7200"
	)
	url := serve(t, inWorld(t, "days", withAccess(t, "token")))
	tests := []struct {
		name, ask string
		with      []string
		want      string
	}{
		{"a preflight", "OPTIONS /v1/latest", []string{origin, "Access-Control-Request-Method: GET", "Access-Control-Request-Headers: authorization"},
			"200" + allowed + "\nAccess-Control-Allow-Headers: authorization\nWww-Authenticate:"},
		{"a 401", "GET /v1/latest", []string{origin}, `401 {"message":"unauthorized"}` + allowed},
		{"a 304", "GET /v1/latest", []string{origin, "Authorization: Bearer token", "If-None-Match: *"},
			"304" + allowed + "\nCache-Control: private, max-age=21600\nVary: Authorization, Origin"},
		{"OPTIONS that is no preflight", "OPTIONS /v1/latest", nil, `401 {"message":"unauthorized"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { compare(t, line, ask(t, url, tt.ask, tt.with...), tt.want) })
	}
}

// An operator who looks for refusals finds them, whatever path they were at.
func TestALineSaysWhyAClientIsRefused(t *testing.T) {
	var log bytes.Buffer
	h := inWorld(t, "days", func(a *web.App) { a.Log = logs.New(&log, 0, logs.JSON) })
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/v1/latest?amount=0", nil))
	if line := log.String(); !strings.Contains(line, `"level":"INFO"`) || !strings.Contains(line, `"error":"invalid amount"`) {
		t.Errorf("got %s", line)
	}
}

func TestARefusalIsLoggedAndCountedAsOneOfV1(t *testing.T) {
	var log bytes.Buffer
	url := serve(t, inWorld(t, "days", withAccess(t, "token"), func(a *web.App) { a.Log = logs.New(&log, 0, logs.JSON) }))
	for _, path := range []string{"/v1", "/v1/latest", "/v1/nothing"} {
		log.Reset()
		ask(t, url, "GET "+path)
		if want := `"path":"` + path + `","route":"/v1/*","status":401`; !strings.Contains(log.String(), want) {
			t.Errorf("got log %v, want %v in it", &log, want)
		}
	}
	const want = `http_requests_total{route="/v1/*",status="401"} 3`
	if metrics := ask(t, url, "GET /metrics"); !strings.Contains(metrics.body, want) {
		t.Errorf("got metrics\n%v\nwant %v among them", metrics.body, want)
	}
}
