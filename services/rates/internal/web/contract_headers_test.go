package web_test

import (
	"strings"
	"testing"
)

func TestErrors(t *testing.T) {
	const (
		inRoute = "In-route: 404 `{\"message\":\"not found\"}`, 422 `{\"message\":\"…\"}`, `application/json; charset=utf-8`."
		unknown = "Unknown route: 404 `{\"status\":404,\"message\":\"not found\"}`."
		noStore = "Every status ≥ 400: `Cache-Control: no-store`."
		headers = "\nContent-Type: application/json; charset=utf-8\nCache-Control: no-store\nEtag:"
	)
	check(t, []row{
		{inRoute, "days", "GET /v1/latest?base=QQQ", "", missing + headers},
		{inRoute, "days", "GET /v1/2020-01-01", "", missing + headers},
		{inRoute, "days", "GET /v1/2020-01-01..2020-01-02", "", missing + headers},
		{inRoute, "days", "GET /v1/2024-02-30", "", badDate + headers},
		{inRoute, "days", "GET /v1/latest?amount=0", "", badAmount + headers},
		{inRoute, "days", "GET /v1/latest?base=USD&symbols=USD", "", badPair + headers},
		{unknown, "days", "GET /v1/nothing", "", `404 {"status":404,"message":"not found"}` + headers},
		{unknown, "days", "GET /nothing", "", `404 {"status":404,"message":"not found"}` + headers},
		{noStore, "days", "GET /v1/latest?symbols=%", "", malformed + headers},
		{noStore, "days", "POST /v1/latest", "", methodRefuse + headers},
	})
}

func TestHeaders(t *testing.T) {
	const (
		ok   = "200: `Cache-Control: public, max-age=…`, `Vary: Origin`, a strong ETag."
		head = "HEAD works."
		want = "\nCache-Control: public, max-age=86400\nVary: Origin\nEtag: \"…\"\nX-Content-Type-Options: nosniff"
	)
	check(t, []row{
		{ok, "days", "GET /v1/2024-01-05?symbols=USD", "", "200 {…}" + want},
		{ok, "days", "GET /v1/2024-01-03..2024-01-05?symbols=USD", "", "200 {…}" + want},
		{ok, "days", "GET /v1", "", "200 {…}" + want},
		{ok, "days", "GET /v1/latest", "", "200 {…}\nCache-Control: public, max-age=21600\nVary: Origin\nEtag: \"…\""},
		{ok, "days", "GET /v1/currencies", "", "200 {…}\nCache-Control: public, max-age=21600\nVary: Origin\nEtag: \"…\""},
		{head, "days", "HEAD /v1/latest?symbols=USD", "", "200\nContent-Length: 68\nContent-Type: application/json; charset=utf-8\nEtag: \"…\""},
		{head, "days", "HEAD /v1/2024-01-05?symbols=USD", "", "200\nContent-Length: 68" + want},
		{head, "days", "HEAD /v1/2024-01-05..2024-01-05?symbols=USD", "", "200\nContent-Length: 113" + want},
		{head, "history", "HEAD /v1/1999-01-04..", "", "200\nContent-Type: application/json; charset=utf-8\nEtag: \"…\""},
		{head, "days", "HEAD /v1", "", "200\nContent-Length: 74" + want},
		{head, "days", "HEAD /v1/", "", "200\nContent-Length: 74" + want},
		{head, "days", "HEAD /v1/currencies", "", "200\nContent-Length: 87"},
		{head, "days", "HEAD /v1/openapi.json", "", "200\nVary: Origin, Accept-Encoding"},
		{head, "days", "HEAD /v1/nothing", "", "404\nContent-Length: 36\nCache-Control: no-store"},
		{head, "days", "HEAD /v1/2024-02-30", "", "422\nContent-Length: 26\nCache-Control: no-store"},
		{head, "days", "HEAD /", "", "200\nContent-Type: text/html; charset=utf-8\nCache-Control: no-cache"},
	})
}

func TestMaxAge(t *testing.T) {
	const line = "for latest and open ranges say no more than the time to the next expected publication, about 16:00 Europe/Berlin " +
		"on ECB working days, and 60 when that time is past and the day's rates have not come"
	tests := []struct {
		name string
		now  string
		ask  string
		want string
	}{
		// The newest of days is Tuesday, 2024-01-09.
		{"latest, six hours ahead", "2024-01-10T09:00:00Z", "/v1/latest", "21600"},
		{"current", "2024-01-10T09:00:00Z", "/v1/current?symbols=USD", "21600"},
		{"currencies", "2024-01-10T09:00:00Z", "/v1/currencies", "21600"},
		{"an open range", "2024-01-10T09:00:00Z", "/v1/2024-01-03..", "21600"},
		{"a range to today", "2024-01-10T09:00:00Z", "/v1/2024-01-03..2024-01-10", "21600"},
		{"a range into the future", "2024-01-10T09:00:00Z", "/v1/2024-01-03..2025-01-01", "21600"},
		{"today", "2024-01-10T09:00:00Z", "/v1/2024-01-10", "21600"},
		{"tomorrow", "2024-01-10T09:00:00Z", "/v1/2024-01-11", "21600"},
		{"the newest day, when it is yesterday", "2024-01-10T09:00:00Z", "/v1/2024-01-09", "86400"},
		{"a range to yesterday", "2024-01-10T09:00:00Z", "/v1/2024-01-03..2024-01-09", "86400"},
		{"the past", "2024-01-10T09:00:00Z", "/v1/2024-01-03", "86400"},
		{"a range in the past", "2024-01-10T09:00:00Z", "/v1/2024-01-03..2024-01-04", "86400"},
		{"a range reversed into the past", "2024-01-10T09:00:00Z", "/v1/2024-01-07..2024-01-05", "86400"},
		{"a range from before the table, though not before history", "2024-01-10T09:00:00Z", "/v1/2020-01-01..2024-01-04", "60"},
		{"what never changes", "2024-01-10T09:00:00Z", "/v1", "86400"},
		{"the document", "2024-01-10T09:00:00Z", "/v1/openapi.json", "86400"},
		{"the document, outside", "2024-01-10T09:00:00Z", "/openapi.json", "86400"},
		{"half a minute ahead", "2024-01-10T14:59:30Z", "/v1/latest", "30"},
		{"less than a second ahead", "2024-01-10T14:59:59.5Z", "/v1/latest", "0"},
		{"on time, and not there", "2024-01-10T15:00:00Z", "/v1/latest", "60"},
		{"an open range that is late", "2024-01-10T18:00:00Z", "/v1/2024-01-03..", "60"},
		{"today, late", "2024-01-10T18:00:00Z", "/v1/2024-01-10", "60"},
		{"late until the next day", "2024-01-11T09:00:00Z", "/v1/latest", "60"},
		{"a past day whose rates have not come", "2024-01-12T09:00:00Z", "/v1/2024-01-10", "60"},
		{"a range to a past day whose rates have not come", "2024-01-12T09:00:00Z", "/v1/2024-01-03..2024-01-11", "60"},
		{"the newest day, long ago", "2024-01-22T09:00:00Z", "/v1/2024-01-09", "86400"},
		{"just published", "2024-01-09T15:00:00Z", "/v1/latest", "86400"},
		{"published today", "2024-01-09T16:30:00Z", "/v1/2024-01-09", "81000"},
	}
	table := parse(t, days)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := ask(t, serve(t, app(t, table, tt.now)), "GET "+tt.ask)
			if got, want := got.header.Get("Cache-Control"), "public, max-age="+tt.want; got != want {
				t.Errorf("%s\n%s at %s: got %v, want %v", line, tt.ask, tt.now, got, want)
			}
		})
	}
}

func TestMaxAgeOverAWeekendInSummer(t *testing.T) {
	tests := []struct{ now, want string }{
		{"2026-08-21T15:00:00Z", "86400"}, // Friday
		{"2026-08-22T09:00:00Z", "86400"},
		{"2026-08-23T14:00:01Z", "86399"},
		{"2026-08-24T13:00:00Z", "3600"}, // Monday
		{"2026-08-24T14:00:00Z", "60"},
	}
	for _, tt := range tests {
		t.Run(tt.now, func(t *testing.T) {
			got := ask(t, serve(t, app(t, worlds["snapshot"].table(t), tt.now)), "GET /v1/latest")
			if got, want := got.header.Get("Cache-Control"), "public, max-age="+tt.want; got != want {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

func TestCORS(t *testing.T) {
	const (
		sent      = "CORS when Origin is sent: allow-origin `*`, methods `GET, OPTIONS`, max-age 7200."
		onErrors  = "CORS when Origin is sent, on errors too."
		preflight = "Preflight: 200, empty body, request headers echoed."
		origin    = "Origin: https://example.com"
		allowed   = "\nAccess-Control-Allow-Origin: *\nAccess-Control-Allow-Methods: GET, OPTIONS\nAccess-Control-Max-Age: 7200\nAccess-Control-Allow-Credentials:\nVary: Origin"
		asks      = origin + "\nAccess-Control-Request-Method: GET"
		withNames = allowed + "\nAccess-Control-Allow-Headers: "
		without   = "\nAccess-Control-Allow-Origin:\nAccess-Control-Allow-Methods:\nAccess-Control-Max-Age:\nVary: Origin"
	)
	check(t, []row{
		{sent, "days", "GET /v1/latest", origin, "200 {…" + allowed},
		{sent, "days", "GET /v1/2024-01-03..2024-01-05?symbols=USD", origin, "200 {…" + allowed},
		{sent, "days", "HEAD /v1/latest", origin, "200" + allowed},
		{sent, "days", "GET /v1/latest", "Origin: null", "200 {…" + allowed},
		{sent, "days", "GET /v1/latest", origin + "\nIf-None-Match: *", "304" + allowed},
		{sent, "days", "GET /v1/latest", "", "200 {…" + without},
		{onErrors, "days", "GET /v1/2020-01-01", origin, missing + allowed},
		{onErrors, "days", "GET /v1/2024-02-30", origin, badDate + allowed},
		{onErrors, "days", "GET /v1/nothing", origin, "404 {…" + allowed},
		{onErrors, "days", "GET /nothing", origin, "404 {…" + allowed},
		{onErrors, "days", "POST /v1/latest", origin, "405 {…" + allowed},
		{onErrors, "days", "POST /v1/latest", "", "405 {…" + without},
		{preflight, "days", "OPTIONS /v1/latest", asks, "200" + allowed + "\nContent-Length: 0\nAccess-Control-Allow-Headers:"},
		{preflight, "days", "OPTIONS /v1/2024-01-03..", asks, "200" + allowed},
		{preflight, "days", "OPTIONS /v1/nothing", asks, "200" + allowed},
		{preflight, "days", "OPTIONS /v1/latest", asks + "\nAccess-Control-Request-Headers: authorization", "200" + withNames + "authorization"},
		{preflight, "days", "OPTIONS /v1/latest", asks + "\nAccess-Control-Request-Headers: X-A, x-b,x_c", "200" + withNames + "X-A, x-b,x_c"},
		{preflight, "days", "OPTIONS /v1/latest", asks + "\nAccess-Control-Request-Headers: <script>", "200" + withNames},
		{preflight, "days", "OPTIONS /v1/latest", asks + "\nAccess-Control-Request-Headers: a;b", "200" + withNames},
		{preflight, "days", "OPTIONS /v1/latest", asks + "\nAccess-Control-Request-Headers: " + strings.Repeat("x", 1025), "200" + withNames},
		{preflight, "days", "OPTIONS /v1/latest", origin, methodRefuse + allowed + "\nAllow: GET, HEAD"},
	})
}
