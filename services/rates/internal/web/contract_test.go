package web_test

import (
	"strings"
	"testing"
)

// row is a sentence of the contract (Frankfurter's v1, as observed on the
// original) and an exchange that shows it.
type row struct {
	line  string
	world string // names of worlds, with commas between them
	ask   string
	with  string // request headers, a line each
	// want is the status and the body, then a line for each header, "Name:" if
	// there must be none. "…" stands for anything.
	want string
}

func check(t *testing.T, rows []row) {
	t.Helper()
	for _, row := range rows {
		for name := range strings.SplitSeq(row.world, ",") {
			t.Run(name+" "+row.ask, func(t *testing.T) {
				var with []string
				if row.with != "" {
					with = strings.Split(row.with, "\n")
				}
				compare(t, row.line, ask(t, serve(t, inWorld(t, name)), row.ask, with...), row.want)
			})
		}
	}
}

// compare holds a reply against a row's want.
func compare(t *testing.T, line string, got reply, want string) {
	t.Helper()
	want, headers, _ := strings.Cut(want, "\n")
	if !matches(got.String(), want) {
		t.Errorf("%s\ngot %v, want %v", line, got, want)
	}
	for header := range strings.Lines(headers) {
		name, value, _ := strings.Cut(strings.TrimSpace(header), ":")
		value = strings.TrimSpace(value)
		if got := strings.Join(got.header[name], "\n"); !matches(got, value) {
			t.Errorf("%s\n%s: got %q, want %q", line, name, got, value)
		}
	}
}

func TestRoutes(t *testing.T) {
	const (
		latest   = "`/v1/latest`, `/v1/current`: newest rates."
		oneDay   = "`/v1/YYYY-MM-DD`: rates on that day, or the newest before it (look-back)."
		between  = "`/v1/D1..D2`, `/v1/D1..`: a range, both ends inclusive; open end = today."
		version  = "`/v1`, `/v1/`: version, status, openapi and docs."
		exact    = "Paths are exact: no trailing slash, no upper case, no `..D2`, no unversioned data path."
		own      = "`/`, `/livez`, `/readyz`, `/metrics` and `/openapi.json`, the same document, are the app's own."
		noRoute  = `404 {"status":404,"message":"not found"}`
		frozen   = `200 {"version":"v1","status":"frozen","openapi":"/v1/openapi.json","docs":"/"}`
		document = "200 {…\"openapi\": \"3.1.0\"…}"
	)
	check(t, []row{
		{latest, "snapshot", "GET /v1/latest", "", `200 {"amount":1.0,"base":"EUR","date":"2026-08-21","rates":{"AUD":1.6321,…,"ZAR":18.7236}}`},
		{latest, "snapshot", "GET /v1/current", "", `200 {"amount":1.0,"base":"EUR","date":"2026-08-21","rates":{"AUD":1.6321,…,"ZAR":18.7236}}`},
		{oneDay, "days", "GET /v1/2024-01-05?symbols=USD", "", `200 {"amount":1.0,"base":"EUR","date":"2024-01-05","rates":{"USD":1.05}}`},
		{oneDay, "days", "GET /v1/2024-01-07?symbols=USD", "", `200 {"amount":1.0,"base":"EUR","date":"2024-01-05","rates":{"USD":1.05}}`},
		{between, "days", "GET /v1/2024-01-04..2024-01-08?symbols=USD", "",
			`200 {"amount":1.0,"base":"EUR","start_date":"2024-01-04","end_date":"2024-01-08","rates":{"2024-01-04":{"USD":1.04},"2024-01-05":{"USD":1.05},"2024-01-08":{"USD":1.08}}}`},
		{between, "days", "GET /v1/2024-01-08..?symbols=USD", "",
			`200 {"amount":1.0,"base":"EUR","start_date":"2024-01-08","end_date":"2024-01-09","rates":{"2024-01-08":{"USD":1.08},"2024-01-09":{"USD":1.09}}}`},
		{between, "days", "GET /v1/2024-01-09..2024-01-09?symbols=USD", "", `200 {…"start_date":"2024-01-09","end_date":"2024-01-09","rates":{"2024-01-09":{"USD":1.09}}}`},
		{between, "days early", "GET /v1/2024-01-05..?symbols=USD", "", `200 {…"end_date":"2024-01-08","rates":{"2024-01-05":{"USD":1.05},"2024-01-08":{"USD":1.08}}}`},
		{"`/v1/currencies`: code → name.", "days", "GET /v1/currencies", "",
			`200 {"EUR":"Euro","GBP":"British Pound","HRK":"Croatian Kuna","USD":"United States Dollar"}`},
		{version, "snapshot", "GET /v1", "", frozen},
		{version, "snapshot", "GET /v1/", "", frozen},
		{"`/v1/openapi.json`: our own OpenAPI document of what is here.", "snapshot", "GET /v1/openapi.json", "", document},
		{exact, "snapshot", "GET /v1/latest/", "", noRoute},
		{exact, "snapshot", "GET /v1/2026-08-21/", "", noRoute},
		{exact, "snapshot", "GET /v1/2026-08-20../", "", noRoute},
		{exact, "snapshot", "GET /v1/currencies/", "", noRoute},
		{exact, "snapshot", "GET //v1/latest", "", noRoute},
		{exact, "snapshot", "GET /V1/latest", "", noRoute},
		{exact, "snapshot", "GET /v1/Latest", "", noRoute},
		{exact, "snapshot", "GET /v1/..2026-08-21", "", noRoute},
		{exact, "snapshot", "GET /v1/..", "", noRoute},
		{exact, "snapshot", "GET /v1/2026-08-20...", "", noRoute},
		{exact, "snapshot", "GET /v1/2026-08-20..2026-08-21..", "", noRoute},
		{exact, "snapshot", "GET /v1/2026-08-20..latest", "", noRoute},
		{exact, "snapshot", "GET /v1/2026-8-2", "", noRoute},
		{exact, "snapshot", "GET /v1/20260821", "", noRoute},
		{exact, "snapshot", "GET /v1/%32026-08-21", "", noRoute},
		{exact, "snapshot", "GET /v1/2026-08-21%20", "", noRoute},
		{exact, "snapshot", "GET /v1/2026-08-20%2E%2E2026-08-21", "", noRoute},
		{exact, "snapshot", "GET /v1%2Flatest", "", noRoute},
		{exact, "snapshot", "GET /latest", "", noRoute},
		{exact, "snapshot", "GET /2026-08-21", "", noRoute},
		{exact, "snapshot", "GET /currencies", "", noRoute},
		{own, "snapshot", "GET /", "", "200 <!doctype html>…Source: European Central Bank…for information only; cross rates and rounding are ours…\nContent-Type: text/html; charset=utf-8" +
			"\nContent-Security-Policy: default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'"},
		{own, "snapshot", "GET /livez", "", "200 alive…"},
		{own, "snapshot", "GET /readyz", "", "200 ready…"},
		{own, "snapshot", "GET /metrics", "", "200 …app_info…"},
		{own, "snapshot", "GET /openapi.json", "", document},
		{"(ours) the page's style sheet", "snapshot", "GET /style.css", "", "200 :root…\nContent-Type: text/css; charset=utf-8"},
	})
}

func TestJSON(t *testing.T) {
	const (
		keys    = "Single: keys `amount, base, date, rates`. Range: `amount, base, start_date, end_date, rates{date:{…}}`. Compact."
		order   = "Codes ascend; days ascend."
		amounts = "amount prints as `1.0`."
		names   = "currencies: code → English name, for the codes seen in the last 14 days of data, plus EUR, ascending."
	)
	check(t, []row{
		{keys, "days", "GET /v1/latest?symbols=USD,GBP", "", `200 {"amount":1.0,"base":"EUR","date":"2024-01-09","rates":{"GBP":0.9,"USD":1.09}}`},
		{keys, "days", "GET /v1/2024-01-09..?symbols=USD,GBP", "",
			`200 {"amount":1.0,"base":"EUR","start_date":"2024-01-09","end_date":"2024-01-09","rates":{"2024-01-09":{"GBP":0.9,"USD":1.09}}}`},
		{order, "facts", "GET /v1/latest", "", `200 {…{"CZK":24.378,"GBP":0.87058,"IDR":20082.05,"INR":109.047,"JPY":186.75,"KRW":1740.86,"MXN":20.3203,"NZD":2.0081,"TRY":52.2478,"USD":1.1684}}`},
		{order, "days", "GET /v1/2024-01-05..2024-01-09", "", `200 {…"2024-01-05":{"GBP":0.5,"USD":1.05},"2024-01-08":{"USD":1.08},"2024-01-09":{"GBP":0.9,"USD":1.09}}}`},
		{amounts, "days", "GET /v1/latest?symbols=USD", "", `200 {"amount":1.0,…`},
		{amounts, "days", "GET /v1/latest?symbols=USD&amount=10", "", `200 {"amount":10.0,…`},
		{amounts, "days", "GET /v1/latest?symbols=USD&amount=2.50", "", `200 {"amount":2.5,…`},
		{names, "days", "GET /v1/currencies", "", `200 {"EUR":"Euro","GBP":"British Pound","HRK":"Croatian Kuna","USD":"United States Dollar"}`},
		{names, "facts", "GET /v1/currencies", "", `200 {"CZK":"Czech Koruna","EUR":"Euro",…,"USD":"United States Dollar"}`},
	})
}

func TestNumbers(t *testing.T) {
	const (
		published = "base EUR and amount 1: the published digits, unrounded."
		twice     = "Rounded twice; that is the contract."
		ties      = "Ties go half to even on the decimal digits (not on the binary value: printf and strconv differ)."
		bands     = "band(v): v > 5000 → 0 decimals (half away from zero, printed as an integer); > 80 → 2; > 20 → 3; > 1 → 4; > 0.0001 → 5; else 6."
		legs      = "for every quote and the base's own leg: leg[q] = band(amount × rate[q]), leg[EUR] = amount."
	)
	check(t, []row{
		{published, "facts,history", "GET /v1/2026-04-13?symbols=IDR,TRY", "", `200 {…"rates":{"IDR":20082.05,"TRY":52.2478}}`},
		{published, "facts", "GET /v1/2026-04-13..?symbols=IDR,TRY", "", `200 {…"rates":{"2026-04-13":{"IDR":20082.05,"TRY":52.2478}}}`},
		{twice, "facts,history", "GET /v1/2026-04-13?base=MXN&symbols=JPY", "", `200 {…"rates":{"JPY":9.1905}}`},
		{twice, "facts,history", "GET /v1/2026-04-13..2026-04-14?base=MXN&symbols=JPY", "", `200 {…"rates":{"2026-04-13":{"JPY":9.1905}}}`},
		{twice, "facts,history", "GET /v1/2026-04-13?base=INR&symbols=JPY", "", `200 {…"rates":{"JPY":1.7125}}`},
		{ties, "facts,history", "GET /v1/2017-09-22?base=NZD&symbols=MXN", "", `200 {…"rates":{"MXN":13.0326}}`},
		{ties, "facts,history", "GET /v1/2006-02-17?amount=3&symbols=SKK,CZK", "", `200 {"amount":3.0,…"rates":{"CZK":85.1,"SKK":112.04}}`},
		{bands, "facts,history", "GET /v1/2026-04-13?base=GBP&symbols=IDR", "", `200 {…"rates":{"IDR":23067}}`},
		{bands, "facts,history", "GET /v1/2026-04-13?base=IDR&symbols=EUR,USD", "", `200 {…"rates":{"EUR":0.00005,"USD":0.000058}}`},
		{legs, "facts,history", "GET /v1/2026-04-13?amount=100&base=USD&symbols=EUR,JPY,KRW", "",
			`200 {"amount":100.0,"base":"USD",…"rates":{"EUR":85.59,"JPY":15983,"KRW":148995}}`},
		{legs, "facts,history", "GET /v1/2026-04-13?amount=0.5&symbols=IDR,USD", "", `200 {"amount":0.5,…"rates":{"IDR":10041,"USD":0.5842}}`},
	})
}
