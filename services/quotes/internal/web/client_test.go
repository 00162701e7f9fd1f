package web_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestXForwardedForCountsOnlyFromTrustedProxies(t *testing.T) {
	const proxies = "10.0.0.0/8,2001:db8::/32"
	for name, tt := range map[string]struct {
		trusted string
		peer    string
		xff     []string
		want    string
	}{
		"none are trusted, and none is there":     {"", "192.0.2.7:1234", nil, "192.0.2.7"},
		"none are trusted: forged":                {"", "192.0.2.7:1234", []string{"203.0.113.9"}, "192.0.2.7"},
		"from a proxy":                            {proxies, "10.1.2.3:1234", []string{"203.0.113.9"}, "203.0.113.9"},
		"from a proxy, over IPv6":                 {proxies, "[2001:db8::1]:1234", []string{"203.0.113.9"}, "203.0.113.9"},
		"from a proxy, in IPv6 notation":          {proxies, "[::ffff:10.1.2.3]:1234", []string{"203.0.113.9"}, "203.0.113.9"},
		"from elsewhere: forged":                  {proxies, "192.0.2.7:1234", []string{"203.0.113.9"}, "192.0.2.7"},
		"from elsewhere: forged to be a proxy":    {proxies, "192.0.2.7:1234", []string{"10.1.2.3"}, "192.0.2.7"},
		"through two proxies":                     {proxies, "10.1.2.3:1234", []string{"203.0.113.9, 10.9.9.9"}, "203.0.113.9"},
		"what the client itself sent is forged":   {proxies, "10.1.2.3:1234", []string{"198.51.100.1, 203.0.113.9"}, "203.0.113.9"},
		"and so is a header of its own":           {proxies, "10.1.2.3:1234", []string{"198.51.100.1", "203.0.113.9"}, "203.0.113.9"},
		"a proxy that asks for itself":            {proxies, "10.1.2.3:1234", nil, "10.1.2.3"},
		"a proxy that says nonsense":              {proxies, "10.1.2.3:1234", []string{"unknown"}, "10.1.2.3"},
		"a proxy that names proxies only":         {proxies, "10.1.2.3:1234", []string{"10.4.4.4, 10.5.5.5"}, "10.1.2.3"},
		"nonsense before the client's own":        {proxies, "10.1.2.3:1234", []string{"\x1b[31m, 203.0.113.9"}, "203.0.113.9"},
		"a client over IPv6":                      {proxies, "10.1.2.3:1234", []string{"2001:db9::5"}, "2001:db9::5"},
		"others of its headers count from nobody": {proxies, "10.1.2.3:1234", nil, "10.1.2.3"},
	} {
		t.Run(name, func(t *testing.T) {
			a := start(t, "", strings.FieldsFunc(tt.trusted, func(r rune) bool { return r == ',' })...)
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, convert100, nil)
			r.RemoteAddr = tt.peer
			r.Header["X-Forwarded-For"] = tt.xff
			r.Header.Set("X-Real-Ip", "198.51.100.99")
			r.Header.Set("Forwarded", "for=198.51.100.99")
			a.do(t, r)
			lines := a.lines(t)
			if len(lines) != 1 {
				t.Fatalf("got the log %v, want one line", lines)
			}
			wantEqual(t, "client", fmt.Sprint(lines[0]["client"]), tt.want)
		})
	}
}

func TestOneLinePerRequest(t *testing.T) {
	a := start(t, "")
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, convert100, nil)
	r.Header.Set("X-Request-Id", "order-4711")
	got := a.do(t, r)
	wantEqual(t, "request id", got.header.Get("X-Request-Id"), "order-4711")
	a.get(t, "/v1/convert?amount=-5&source=EUR&target=USD")
	a.becomes(reply(http.StatusNotFound, "<html>"))
	a.get(t, convert100+"&date=2026-08-20")
	a.get(t, "/?amount=-5")
	a.get(t, "/readyz")

	lines := a.lines(t)
	if len(lines) != 5 { // with the warning of the failed call
		t.Fatalf("got the log %v", a.log)
	}
	for i, want := range []string{
		`INFO request /v1/convert 200 <nil>`,
		`INFO request /v1/convert 422 amount: invalid amount: write it like 100.00, no separators of thousands: up to 15 digits, at most 2 decimals for EUR`,
		`WARN backing service failed <nil> 404 what answers is no rates service: GET /v1/2026-08-20 gave status 404 with text/html; charset=utf-8`,
		`INFO request /v1/convert 503 rates unavailable: what answers is no rates service: GET /v1/2026-08-20 gave status 404 with text/html; charset=utf-8`,
		`INFO request / 422 amount: invalid amount: write it like 100.00, no separators of thousands: up to 15 digits, at most 2 decimals for EUR`,
	} {
		l := lines[i]
		wantEqual(t, "line", fmt.Sprintln(l["level"], l["msg"], l["route"], l["status"], l["error"]), want+"\n")
	}
	wantEqual(t, "request id logged", fmt.Sprint(lines[0]["request_id"]), "order-4711")
	wantEqual(t, "request id of the call", fmt.Sprint(lines[2]["request_id"]), fmt.Sprint(lines[3]["request_id"]))
}

func TestRequestsAreCountedByRoute(t *testing.T) {
	a := start(t, "")
	for _, target := range []string{convert100, convert100, "/v1/convert", "/nowhere", "/elsewhere"} {
		a.get(t, target)
	}
	wantContains(t, a.get(t, "/metrics").body,
		`http_requests_total{route="/v1/convert",status="200"} 2`+"\n",
		`http_requests_total{route="/v1/convert",status="400"} 1`+"\n",
		`http_requests_total{route="none",status="404"} 2`+"\n",
		`app_info{name="quotes",version="test"} 1`+"\n",
	)
}
