package ratesapi

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/portpair/services/twelve/check"
	"example.com/portpair/services/twelve/resource"
)

const notFound = `{"message":"not found"}`

// service is a backing service by the path of its answers under /v1/.
type service map[string]http.HandlerFunc

// whole has all that a Check asks for, as the contract says it.
func whole() service {
	latest := func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("symbols") == "XXX" {
			status(http.StatusNotFound, notFound)(w, r)
			return
		}
		w.Header().Set("Cache-Control", "public, max-age=60")
		answer(good)(w, r)
	}
	return service{
		"latest":                 latest,
		"2026-08-11":             answer(dayOf("2026-08-11")),
		"2026-08-11..2026-08-21": answer(`{"amount":1.0,"base":"EUR","start_date":"2026-08-10","end_date":"2026-08-21","rates":{"2026-08-10":{"USD":1.16},"2026-08-21":{"USD":1.1699}}}`),
		"currencies":             answer(`{"EUR":"Euro","JPY":"Japanese Yen","USD":"US Dollar"}`),
	}
}

func dayOf(date string) string { return strings.Replace(good, "2026-08-21", date, 1) }

func (s service) with(path string, h http.HandlerFunc) service { s[path] = h; return s }

func (s service) handler(w http.ResponseWriter, r *http.Request) {
	if h, ok := s[strings.TrimPrefix(r.URL.Path, "/v1/")]; ok {
		h(w, r)
		return
	}
	status(http.StatusNotFound, notFound)(w, r)
}

func lineOf(t *testing.T, lines []check.Line, requirement string) check.Line {
	t.Helper()
	for _, l := range lines {
		if l.Requirement == requirement {
			return l
		}
	}
	t.Fatalf("no line %q in %v", requirement, lines)
	return check.Line{}
}

// not lists the requirements that do not pass.
func not(lines []check.Line) (names []string) {
	for _, l := range lines {
		if l.Verdict != check.Pass {
			names = append(names, l.Requirement)
		}
	}
	return names
}

func TestCheckOfAllThatTheContractHas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := serveInMemory(t, whole().handler)
		a := u.attach(t, "")
		lines := a.Check(t.Context(), 7)
		if got := not(lines); got != nil || len(lines) != 12 {
			t.Errorf("got %d lines, and %q do not pass: %+v", len(lines), got, lines)
		}
		want(t, "requests", u.requests.Load(), 6+latencyCalls)
		if s := a.Status(); len(s.Calls) != 0 || a.log.String() != "" {
			t.Errorf("a check shows in the status, %v, or the log, %s", s, a.log)
		}
	})
}

func TestCheckOfWhatIsMissingOrWrong(t *testing.T) {
	html := answer("<html>")
	for name, tt := range map[string]struct {
		service     service
		requirement string
		verdict     check.Verdict
		seen        string
	}{
		"no past day":                   {whole().with("2026-08-11", status(404, notFound)), "a past day", check.Warn, "none for 2026-08-11: status 404"},
		"no route of past days":         {whole().with("2026-08-11", status(404, "no such page")), "a past day", check.Warn, "none for 2026-08-11"},
		"a past day that fails":         {whole().with("2026-08-11", status(503, "")), "a past day", check.Warn, "status 503, asked 3 times"},
		"a past day that is not asked":  {whole().with("2026-08-11", status(403, "")), "a past day", check.Warn, "status 403"},
		"the newest for a past day":     {whole().with("2026-08-11", answer(good)), "a past day", check.Fail, "the rates of 2026-08-21 where 2026-08-11 was asked for"},
		"a page for a past day":         {whole().with("2026-08-11", html), "a past day", check.Fail, "HTML"},
		"no ranges":                     {whole().with("2026-08-11..2026-08-21", status(404, notFound)), "a range", check.Warn, "status 404"},
		"a range that is a day":         {whole().with("2026-08-11..2026-08-21", answer(good)), "a range", check.Warn, "2026-08-11..2026-08-21: "},
		"a range of other days":         {whole().with("2026-08-11..2026-08-21", answer(`{"amount":1,"base":"EUR","rates":{"2026-08-22":{"USD":1}}}`)), "a range", check.Warn, "the rates of 2026-08-22"},
		"a range of long ago":           {whole().with("2026-08-11..2026-08-21", answer(`{"amount":1,"base":"EUR","rates":{"2026-07-22":{"USD":1}}}`)), "a range", check.Warn, "the backing service has none"},
		"a range of another base":       {whole().with("2026-08-11..2026-08-21", answer(`{"amount":1,"base":"USD","rates":{"2026-08-21":{"EUR":1}}}`)), "a range", check.Warn, `base "USD"`},
		"a range without days":          {whole().with("2026-08-11..2026-08-21", answer(`{"amount":1,"base":"EUR","rates":{}}`)), "a range", check.Warn, "no days"},
		"no currencies":                 {whole().with("currencies", status(404, notFound)), "currencies", check.Warn, "status 404"},
		"currencies that are a list":    {whole().with("currencies", answer(`["EUR"]`)), "currencies", check.Warn, "not an object"},
		"no names":                      {whole().with("currencies", answer(`{}`)), "currencies", check.Warn, "no names"},
		"a 404 of another kind":         {whole().with("1990-01-01", status(404, "gone")), "errors", check.Warn, "1990-01-01: status 404 with text/plain"},
		"rates before all":              {whole().with("1990-01-01", answer(good)), "errors", check.Fail, "status 200 for 1990-01-01"},
		"any symbol":                    {whole().with("latest", answer(good)), "errors", check.Warn, "an unknown symbol: status 200"},
		"no caching headers":            {whole().with("latest", answer(good)), "caching headers", check.Warn, "no Cache-Control"},
		"never to be kept":              {whole().with("latest", withHeader("Cache-Control", "no-store")), "caching headers", check.Warn, "no-store"},
		"an old answer from a cache":    {whole().with("latest", withHeader("Age", "86400")), "caching headers", check.Warn, "Age: 86400"},
		"an ETag alone":                 {whole().with("latest", withHeader("Etag", `"1"`)), "caching headers", check.Pass, `Etag: "1"`},
		"newest only when asked again":  {whole().with("latest", inTurn(status(503, ""), answer(good))), "latest", check.Warn, "at attempt 2"},
		"newest but seldom":             {whole().with("latest", inTurn(answer(good), answer(good), status(503, ""))), "latency", check.Warn, "none of 20 calls"},
		"newest but not always":         {whole().with("latest", inTurn(append(slices.Repeat([]http.HandlerFunc{answer(good)}, 12), status(503, ""))...)), "latency", check.Warn, "10 were not answered"},
		"newest after a second and two": {whole().with("latest", after(1200*time.Millisecond, answer(good))), "latency", check.Warn, "20 calls: median 1.2s"},
		"a date of the week before":     {whole().with("latest", answer(dayOf("2026-08-14"))), "date to lock on", check.Warn, "2026-08-14 is 8 days before today"},
		"codes that are not ISO 4217's": {whole().with("latest", answer(strings.Replace(good, `"JPY"`, `"BTC":1,"QQQ":2,"JPY"`, 1))), "minor units", check.Warn, "not known for BTC, QQQ"},
		"no code that is ISO 4217's":    {whole().with("latest", answer(`{"amount":1,"base":"EUR","date":"2026-08-21","rates":{"BTC":2}}`)), "minor units", check.Fail, "BTC"},
		"no JSON":                       {whole().with("latest", html), "latest", check.Fail, "HTML"},
		"nothing but 404":               {service{}, "latest", check.Fail, "gave status 404"},
		"503":                           {whole().with("latest", status(503, "")), "latest", check.Fail, "status 503, asked 3 times"},
		"a broken answer":               {whole().with("latest", cutShort), "latest", check.Fail, "broke off"},
		"no answer":                     {whole().with("latest", never), "latest", check.Fail, "no answer within 2s, asked 3 times"},
		"401":                           {whole().with("latest", status(401, "")), "credentials", check.Fail, "the handle has none"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				lines := serveInMemory(t, tt.service.handler).attach(t, "").Check(t.Context(), 7)
				l := lineOf(t, lines, tt.requirement)
				if l.Verdict != tt.verdict || !strings.Contains(l.Seen, tt.seen) || (l.Advice == "") != (l.Verdict == check.Pass) {
					t.Errorf("got %+v, want %s: %s", l, tt.verdict, tt.seen)
				}
			})
		})
	}
}

func withHeader(name, value string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(name, value)
		answer(good)(w, r)
	}
}

func TestCheckOfWhatFailsAsksNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := serveInMemory(t, whole().with("latest", answer("<html>")).handler)
		lines := u.attach(t, "").Check(t.Context(), 7)
		for _, l := range lines[4:] {
			if l.Verdict != check.Skip || l.Seen != "not asked: latest fails" {
				t.Errorf("got %+v, want it not asked", l)
			}
		}
		want(t, "requests", u.requests.Load(), 1)
	})
}

// What a check has no time for is no failure, but for the newest rates.
func TestCheckThatRunsOutOfTime(t *testing.T) {
	for name, tt := range map[string]struct {
		wait    time.Duration
		verdict check.Verdict
		late    check.Verdict
	}{
		"before the newest rates": {5 * time.Second, check.Fail, check.Skip},
		"after the newest rates":  {3 * time.Second, check.Pass, check.Warn},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := whole().with("latest", after(tt.wait, answer(good))).with("2026-08-11", never)
				u := serveInMemory(t, s.handler)
				ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
				defer cancel()
				began := time.Now()
				lines := u.attach(t, "?timeout=1m").Check(ctx, 7)
				want(t, "time", time.Since(began), 4*time.Second)
				want(t, "latest", lineOf(t, lines, "latest").Verdict, tt.verdict)
				for _, late := range []string{"a range", "currencies", "errors", "latency"} {
					want(t, late, lineOf(t, lines, late).Verdict, tt.late)
				}
				if tt.verdict == check.Pass {
					want(t, "what needs no time", lineOf(t, lines, "minor units").Verdict, check.Pass)
				}
			})
		})
	}
}

// What a hostile service says is short, printable, and without what it was sent.
func TestCheckOfAHostileService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const password = "s3cret-p4ss"
		hostile := func(w http.ResponseWriter, r *http.Request) {
			_, sent, _ := r.BasicAuth()
			for _, name := range []string{"Server", "Cache-Control", "Etag", "Content-Type"} {
				w.Header().Set(name, sent+"\u009b31m"+strings.Repeat("x", 4096)+r.Header.Get("Authorization"))
			}
			w.Header().Set("Last-Modified", strings.Repeat("x", 53)+sent) // which a cut would part
			if strings.HasSuffix(r.URL.Path, "/latest") {
				answer(good)(w, r)
				return
			}
			status(cmp.Or(map[string]int{"/v1/currencies": 200}[r.URL.Path], 404), fmt.Sprintf(`{"%s\u001b[31m":1`, sent))(w, r)
		}
		lines := serveInMemory(t, hostile).attachAs(t, "shop:"+password+"@", "").Check(t.Context(), 7)
		for _, l := range lines {
			if strings.Contains(l.Seen, password[:4]) || strings.ContainsAny(l.Seen, "\x1b\u009b\n") || len(l.Seen) > 300 {
				t.Errorf("got %+v", l)
			}
		}
		if seen := lineOf(t, lines, "latest").Seen; !strings.Contains(seen, "Server: ***") {
			t.Errorf("got %q, want what it calls itself, without the password", seen)
		}
	})
}

func TestCheckOfCredentialsInTheClear(t *testing.T) {
	for _, tt := range []struct {
		address string
		verdict check.Verdict
	}{
		{"http://user:password@rates.example.com", check.Warn},
		{"http://t0ken@192.0.2.1:80", check.Warn},
		{"http://rates.example.com", check.Pass},
		{"http://user:password@localhost:5100", check.Pass},
		{"http://user:password@[::1]:5100", check.Pass},
	} {
		k := &checker{Client: &Client{handle: handle(t, tt.address)}}
		want(t, tt.address, k.secure(t.Context()).Verdict, tt.verdict)
	}
}

func handle(t *testing.T, raw string) resource.Handle {
	t.Helper()
	h, err := resource.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return h
}
