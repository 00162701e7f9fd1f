package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"

	"github.com/go-chi/chi/v5"
)

// The chart is drawn by uPlot 1.6.32 (MIT), as it is published:
// https://github.com/leeoniya/uPlot.
//
//go:embed assets/*.js assets/*.css
var assetFiles embed.FS

// asset is a file that pages load. Its path changes with its content, so that
// browsers may keep it for ever.
type asset struct {
	path        string // /assets/app.0123456789ab.js
	contentType string
	body        []byte
	gzipped     func() []byte // made once, when first asked for: a start has better to do
}

// assets are found by name, for templates, and by path.
var assets = loadAssets()

func loadAssets() map[string]asset {
	types := map[string]string{".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
	all := map[string]asset{}
	files, _ := fs.Glob(assetFiles, "assets/*") // the pattern is well-formed
	for _, file := range files {
		body, _ := assetFiles.ReadFile(file) // it is embedded
		name, ext := path.Base(file), path.Ext(file)
		sum := sha256.Sum256(body)
		a := asset{
			path:        "/assets/" + strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:6]) + ext,
			contentType: types[ext], body: body,
			gzipped: sync.OnceValue(func() []byte { return zip(body) }),
		}
		all[name], all[path.Base(a.path)] = a, a
	}
	return all
}

func zip(body []byte) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level is one
	_, _ = w.Write(body)
	_ = w.Close() // into memory
	return b.Bytes()
}

func serveAsset(w http.ResponseWriter, r *http.Request) {
	a, ok := assets[chi.URLParam(r, "name")]
	if !ok || a.path != r.URL.Path {
		notFound(w, r)
		return
	}
	body, h := a.body, w.Header()
	if acceptsGzip(r.Header) {
		body = a.gzipped()
		h.Set("Content-Encoding", "gzip")
	}
	header(w, []string{a.contentType}, len(body))
	h.Set("Vary", "Accept-Encoding")
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(body)
}

// acceptsGzip reports whether a client takes gzip at all (RFC 9110, section
// 12.5.3): none that does would rather have more bytes.
func acceptsGzip(h http.Header) bool {
	for coding := range strings.SplitSeq(strings.Join(h["Accept-Encoding"], ","), ",") {
		name, weight, _ := strings.Cut(coding, ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			q, given := strings.CutPrefix(strings.TrimSpace(weight), "q=")
			return !given || strings.Trim(q, "0.") != ""
		}
	}
	return false
}
