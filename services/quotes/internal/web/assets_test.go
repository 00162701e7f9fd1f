package web_test

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// load gets an asset as a browser does, and unzips it.
func (a *app) load(t *testing.T, path, encodings string) (r result, plain string) {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	request.Header.Set("Accept-Encoding", encodings)
	r = a.do(t, request)
	if r.header.Get("Content-Encoding") != "gzip" {
		return r, r.body
	}
	z, err := gzip.NewReader(strings.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return r, string(body)
}

// allLoaded are the paths of what the pages load, each once.
func allLoaded(t *testing.T, d *desk) []string {
	t.Helper()
	seen, paths := map[string]bool{}, []string(nil)
	for _, page := range []string{"/", wantLed(t, d.form(t, "/quotes", lockForm())), "/quotes/none"} {
		for _, path := range loaded(t, d.get(t, page).body) {
			if !seen[path] {
				seen[path], paths = true, append(paths, path)
			}
		}
	}
	if len(paths) < 8 {
		t.Fatalf("the pages load %q alone", paths)
	}
	return paths
}

func TestWhatThePagesLoadIsKeptForAYear(t *testing.T) {
	d := open(t, "")
	for _, path := range allLoaded(t, d) {
		t.Run(path, func(t *testing.T) {
			zipped, body := d.load(t, path, "gzip, deflate, br, zstd")
			plain, _ := d.load(t, path, "")
			wantEqual(t, "body, unzipped", body, plain.body)
			sum := sha256.Sum256([]byte(body))
			wantContains(t, path, "."+hex.EncodeToString(sum[:6])+".") // another content is another path
			wantEqual(t, "encoding", zipped.header.Get("Content-Encoding"), "gzip")
			wantEqual(t, "encoding of the plain one", plain.header.Get("Content-Encoding"), "")
			if len(zipped.body) >= len(plain.body) {
				t.Errorf("got %d bytes, %d without gzip", len(zipped.body), len(plain.body))
			}
			contentType := map[bool]string{true: "text/css; charset=utf-8", false: "text/javascript; charset=utf-8"}[strings.HasSuffix(path, ".css")]
			for _, r := range []result{zipped, plain} {
				wantEqual(t, "status", r.status, http.StatusOK)
				for name, value := range map[string]string{
					"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding", "Content-Type": contentType, "X-Content-Type-Options": "nosniff",
				} {
					wantEqual(t, name, r.header.Get(name), value)
				}
			}
			for _, method := range []string{"POST", "DELETE"} {
				r := d.do(t, httptest.NewRequestWithContext(t.Context(), method, path, nil))
				wantProblem(t, r, http.StatusMethodNotAllowed, "about:blank", "")
			}
		})
	}
}

func TestWhoGetsGzip(t *testing.T) {
	a := start(t, "")
	path := loaded(t, a.get(t, "/").body)[0]
	for encodings, want := range map[string]string{
		"gzip": "gzip", "GZIP": "gzip", "deflate, gzip;q=0.5": "gzip", "gzip; q=1.0, br": "gzip", "gzip;q=0.001": "gzip",
		"": "", "br": "", "gzip;q=0": "", "br, gzip; q=0.000": "", "identity": "", "xgzip": "", "gzipped": "", "*;q=0": "",
	} {
		r, _ := a.load(t, path, encodings)
		wantEqual(t, "encoding for "+encodings, r.header.Get("Content-Encoding"), want)
	}
}

func TestAssetsThatThereAreNot(t *testing.T) {
	a := start(t, "")
	path := loaded(t, a.get(t, "/").body)[0]
	old := strings.Replace(path, path[len(path)-8:len(path)-4], "0000", 1)
	for _, path := range []string{
		"/assets/", "/assets", "/assets/style.css", "/assets/quote.js", "/assets/uplot.LICENSE", "/assets/page.html", "/style.css",
		old, path + "/", path + ".gz", "/assets/..%2fassets.go", "/assets/%2e%2e/page.go", "/assets//style.css",
	} {
		wantProblem(t, a.get(t, path), http.StatusNotFound, "about:blank", "")
	}
}

// What a browser gets when it comes for the first time, compressed as the app
// sends it.
func TestTheFirstLoadIsUnder120KB(t *testing.T) {
	a := start(t, "")
	page := a.get(t, "/")
	sum := len(page.body)
	for _, path := range loaded(t, page.body) {
		r, _ := a.load(t, path, "gzip")
		sum += len(r.body)
	}
	const year = 260 // days that rates are published on
	sum += year * len(`{"date":"2026-08-21","rate":"0.008986716929"},`)
	sum += len(a.get(t, "/v1/backing").body)
	t.Logf("%d bytes", sum)
	if sum > 120_000 {
		t.Errorf("got %d bytes, want 120,000 at most", sum)
	}
}
