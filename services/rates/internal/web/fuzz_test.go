package web_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"
)

func FuzzPath(f *testing.F) {
	for _, seed := range []string{
		"latest", "2026-08-21", "2026-02-30", "2026-08-01..2026-08-21", "2026-08-01..", "..2026-08-21", "2026-08-21..2026-08-01",
		"0000-01-01..9999-12-31", "9999-12-31..", "2026-08-21%00", "%32026-08-21", "2026-08-21/", "2026-08-01...", "../v1/latest", "%2e%2e",
		"currencies", "openapi.json", "", "/", "2026-08-2１", "-026-08-21", "2026-08-21..2026-08-21..2026-08-21", "latest;x", "*",
	} {
		f.Add(seed)
	}
	h := inWorld(f, "snapshot")
	f.Fuzz(func(t *testing.T, path string) {
		u, err := url.ParseRequestURI("/v1/" + path)
		if err != nil {
			return // net/http answers that itself
		}
		u.RawQuery = ""
		holds(t, h, u, []int{200, 404, 422})
	})
}

func FuzzQuery(f *testing.F) {
	for _, seed := range []string{
		"", "base=USD&symbols=EUR,GBP", "from=USD&to=EUR", "amount=10abc", "amount=1e309", "amount=-1", "amount=.5&base=IDR", "amount=1e15&base=USD",
		"amount=1e-15&base=USD", "base", "base=", "symbols=,,,", "symbols=%00", "symbols=%", "symbols[]=USD", "base=USD&base=EUR&base", "&&=&a=b=c",
		"amount=٣", "symbols=usd&symbols=USD&to=%E2%82%AC", "base=USD&symbols=USD", "symbols=EUR", "amount=0.0000017&base=GBP", "a;b",
	} {
		f.Add(seed)
	}
	h := inWorld(f, "snapshot")
	f.Fuzz(func(t *testing.T, query string) {
		for _, path := range []string{"/v1/latest", "/v1/2026-08-16", "/v1/2026-08-17..2026-08-19"} {
			holds(t, h, &url.URL{Path: path, RawQuery: query}, []int{200, 400, 404, 422})
		}
	})
}

// holds asks for u and holds what comes against what is said of every answer.
func holds(t *testing.T, h http.Handler, u *url.URL, statuses []int) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, &http.Request{Method: http.MethodGet, URL: u, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Host: "rates"})
	body := w.Body.Bytes()
	if !slices.Contains(statuses, w.Code) {
		t.Fatalf("%s: got %d %s, want one of %v", u, w.Code, body, statuses)
	}
	if !json.Valid(body) {
		t.Errorf("%s: got %d %q, want JSON", u, w.Code, body)
	}
	if got, want := w.Header().Get("Content-Type"), "application/json; charset=utf-8"; got != want {
		t.Errorf("%s: Content-Type: got %v, want %v", u, got, want)
	}
	if stored := w.Header().Get("Cache-Control") != "no-store"; stored != (w.Code == 200) {
		t.Errorf("%s: got %d with Cache-Control %q", u, w.Code, w.Header().Get("Cache-Control"))
	}
	if tagged := w.Header().Get("Etag") != ""; tagged != (w.Code == 200) {
		t.Errorf("%s: got %d with ETag %q", u, w.Code, w.Header().Get("Etag"))
	}
}
