package web_test

import (
	"strings"
	"testing"
	"time"

	"example.com/portpair/services/rates/internal/web"
)

func TestThePageSaysWhereTheRatesComeFrom(t *testing.T) {
	const feed = "https://***@feed.example/eurofxref-hist.zip"
	for name, tt := range map[string]struct {
		origin web.Origin
		says   []string
	}{
		"no feed":             {web.Origin{From: "snapshot"}, []string{"The snapshot that is built in. No feed is looked at.", "Not since the start."}},
		"no feed yet":         {web.Origin{From: "snapshot", URL: feed}, []string{"The snapshot that is built in. <code>" + feed + "</code> has not answered yet.", "Not since the start."}},
		"from an earlier run": {web.Origin{From: "cache", URL: feed}, []string{"<code>" + feed + "</code>, as an earlier run kept it.", "Not since the start."}},
		"the feed": {web.Origin{From: "feed", URL: feed, Refreshed: time.Date(2026, 8, 21, 16, 5, 59, 0, time.FixedZone("CEST", 7200))},
			[]string{"<dd><code>" + feed + "</code></dd>", `<time datetime="2026-08-21T14:05:59Z">21 August 2026, 14:05 UTC</time>`}},
	} {
		t.Run(name, func(t *testing.T) {
			url := serve(t, inWorld(t, "snapshot", func(a *web.App) { a.Origin = func() web.Origin { return tt.origin } }))
			got := ask(t, url, "GET /").body
			for _, want := range tt.says {
				if !strings.Contains(got, want) {
					t.Errorf("no %q in\n%s", want, got)
				}
			}
		})
	}
}

func TestThePageHasTheNewestDayAndLinesToTry(t *testing.T) {
	url := serve(t, inWorld(t, "snapshot"))
	got := ask(t, url, "GET /").body
	for _, want := range []string{
		`One euro on <time datetime="2026-08-21">Friday 21 August 2026</time>`,
		`<b>USD</b> <span>United States Dollar</span> <data value="1.1699">1.1699</data>`,
		"66 days are known, 2026-05-22 to 2026-08-21.",
		`<a href="/openapi.json">`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	// Each line leads to what it names, at the host that was asked.
	lines := strings.Split(got, "<li>")
	tried := 0
	for _, line := range lines {
		_, path, ok := strings.Cut(line, `<a href="`)
		if !ok {
			continue
		}
		path, _, _ = strings.Cut(path, `"`)
		if want := "curl &#39;" + strings.TrimPrefix(url, "http://") + path; !strings.Contains(strings.ReplaceAll(line, "curl '", "curl &#39;"), want) {
			t.Errorf("no %q in %s", want, line)
		}
		if r := ask(t, url, "GET "+strings.ReplaceAll(path, "&amp;", "&")); r.status != 200 {
			t.Errorf("%s: %v", path, r)
		}
		tried++
	}
	if tried != 6 {
		t.Errorf("found %d lines to try, want 6", tried)
	}
}
