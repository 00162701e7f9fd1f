package web_test

import (
	"archive/zip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/portpair/services/rates/internal/ecb"
	"example.com/portpair/services/rates/internal/fx"
	"example.com/portpair/services/rates/internal/web"
	"example.com/portpair/services/twelve/logs"
	"example.com/portpair/services/twelve/port"
	"example.com/portpair/services/twelve/resource"
	"example.com/portpair/services/twelve/telemetry"
)

// facts are the published rates that the contract's examples are about.
const facts = `Date,USD,JPY,CZK,GBP,IDR,INR,KRW,MXN,NZD,SKK,TRY,
2026-04-13,1.1684,186.75,24.378,0.87058,20082.05,109.047,1740.86,20.3203,2.0081,N/A,52.2478,
2017-09-22,1.1961,N/A,N/A,N/A,N/A,N/A,N/A,21.2905,1.6336,N/A,N/A,
2006-02-17,1.1863,N/A,28.365,N/A,N/A,N/A,N/A,N/A,N/A,37.345,N/A,
`

// days have numbers that are easy to tell apart, a weekend, a holiday, a
// currency that has ended (HRK) and one that misses a day (GBP).
const days = `Date,USD,GBP,HRK,
2024-01-09,1.09,0.9,N/A,
2024-01-08,1.08,N/A,N/A,
2024-01-05,1.05,0.5,N/A,
2024-01-04,1.04,0.4,N/A,
2024-01-03,1.03,0.3,N/A,
2023-12-29,1.29,0.29,7.5,
2023-12-28,1.28,0.28,7.4,
`

// world is a table, and when it is asked.
type world struct {
	table func(testing.TB) *fx.Table
	now   string
}

var worlds = map[string]world{
	"snapshot":     {func(testing.TB) *fx.Table { return ecb.Snapshot() }, "2026-08-22T09:00:00Z"},
	"old snapshot": {func(testing.TB) *fx.Table { return ecb.Snapshot() }, "2030-01-02T09:00:00Z"},
	"facts":        {func(t testing.TB) *fx.Table { return parse(t, facts) }, "2026-04-14T09:00:00Z"},
	"days":         {func(t testing.TB) *fx.Table { return parse(t, days) }, "2024-01-10T09:00:00Z"},
	"days early":   {func(t testing.TB) *fx.Table { return parse(t, days) }, "2024-01-08T09:00:00Z"},
	"history":      {history, "2026-04-14T09:00:00Z"},
}

func parse(t testing.TB, csv string) *fx.Table {
	t.Helper()
	table, err := ecb.Parse(strings.NewReader(csv))
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// history is all days from 1999-01-04 to 2026-04-13, from the zip that the
// ECB publishes.
func history(t testing.TB) *fx.Table {
	t.Helper()
	feeds := os.Getenv("ECB_FEEDS")
	if feeds == "" {
		t.Skip("ECB_FEEDS does not name a folder with eurofxref-hist.zip")
	}
	readOnce.Do(func() { readTable = readHistory(t, feeds) })
	if readTable == nil {
		t.Fatal("the history was not read")
	}
	return readTable
}

var (
	readOnce  sync.Once
	readTable *fx.Table // of all tests: it takes a while
)

func readHistory(t testing.TB, feeds string) *fx.Table {
	t.Helper()
	z, err := zip.OpenReader(filepath.Join(feeds, "eurofxref-hist.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	f, err := z.Open("eurofxref-hist.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	table, err := ecb.Parse(f)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// now2026 is after all days of long.
const now2026 = "2026-01-01T09:00:00Z"

// long has more days than a chunk holds, about 120 KB in all. change may touch
// the rows.
func long(t testing.TB, change func([]fx.Row) []fx.Row) *fx.Table {
	t.Helper()
	first, err := fx.ParseDay("2015-01-01")
	if err != nil {
		t.Fatal(err)
	}
	var rows []fx.Row
	for i := range fx.Day(3000) {
		rows = append(rows, fx.Row{Day: first + i, Rates: []fx.Rate{
			{Currency: "USD", Value: fx.NewDecimal(10000+uint64(i)*7%5000, 4)},
			{Currency: "GBP", Value: fx.NewDecimal(8000+uint64(i)*3%1000, 4)},
		}})
	}
	if change != nil {
		rows = change(rows)
	}
	table, err := fx.New(rows)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// app is rates with that table, asked at that time.
func app(t testing.TB, table *fx.Table, now string, change ...func(*web.App)) http.Handler {
	t.Helper()
	instant, err := time.Parse(time.RFC3339, now)
	if err != nil {
		t.Fatal(err)
	}
	a := web.App{
		Table:   func() *fx.Table { return table },
		Origin:  func() web.Origin { return web.Origin{From: "snapshot"} },
		Health:  port.NewHealth(nil),
		Metrics: telemetry.New("rates", "test"),
		Log:     logs.New(io.Discard, 0, logs.JSON),
		Now:     func() time.Time { return instant },
	}
	for _, c := range change {
		c(&a)
	}
	return web.Routes(a)
}

// inWorld is rates in a world by name.
func inWorld(t testing.TB, name string, change ...func(*web.App)) http.Handler {
	t.Helper()
	w, ok := worlds[name]
	if !ok {
		t.Fatalf("no world %q", name)
	}
	return app(t, w.table(t), w.now, change...)
}

func withAccess(t testing.TB, credentials string) func(*web.App) {
	t.Helper()
	access, err := resource.ParseCredentials(credentials)
	if err != nil {
		t.Fatal(err)
	}
	return func(a *web.App) { a.Access = access }
}

// reply is what a client got.
type reply struct {
	status int
	header http.Header
	body   string
}

// serve serves h on a socket for the length of the test.
func serve(t testing.TB, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// ask sends "GET /path" with header lines such as "Origin: null", as a client
// that does nothing by itself: no gzip, no redirects.
func ask(t testing.TB, url, request string, headers ...string) reply {
	t.Helper()
	method, target, _ := strings.Cut(request, " ")
	r, err := http.NewRequestWithContext(t.Context(), method, url+target, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
	}
	client := http.Transport{DisableCompression: true, DisableKeepAlives: true}
	resp, err := client.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s: after %d bytes: %v", request, len(body), err)
	}
	return reply{resp.StatusCode, resp.Header, string(body)}
}

// String is the reply as rows of the contract want it: status and body.
func (r reply) String() string { return strings.TrimSpace(fmt.Sprintf("%d %s", r.status, r.body)) }

// matches reports whether a text is what a pattern says, in which "…" stands
// for anything.
func matches(text, pattern string) bool {
	parts := strings.Split(pattern, "…")
	for i, part := range parts {
		at := strings.Index(text, part)
		if i == len(parts)-1 {
			return strings.HasSuffix(text, part) && (i > 0 || text == part)
		}
		if at < 0 || i == 0 && at > 0 {
			return false
		}
		text = text[at+len(part):]
	}
	return true
}
