package web_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

const (
	missing      = `404 {"message":"not found"}`
	badPair      = `422 {"message":"bad currency pair"}`
	badAmount    = `422 {"message":"invalid amount"}`
	badDate      = `422 {"message":"invalid date"}`
	usdInEUR     = `200 {"amount":1.0,"base":"EUR","date":"2024-01-09","rates":{"USD":1.09}}`
	gbpInUSD     = `200 {"amount":1.0,"base":"USD","date":"2024-01-09","rates":{"GBP":0.82569}}`
	allInEUR     = `200 {"amount":1.0,"base":"EUR","date":"2024-01-09","rates":{"GBP":0.9,"HRK":7.5,"USD":1.09}}`
	malformed    = `400 {"message":"malformed query"}`
	tenUSD       = `200 {"amount":10.0,"base":"EUR","date":"2024-01-09","rates":{"USD":10.9}}`
	thousandUSD  = `200 {"amount":1000.0,"base":"EUR","date":"2024-01-09","rates":{"USD":1090}}`
	fiveTenths   = `200 {"amount":0.5,"base":"EUR","date":"2024-01-09","rates":{"USD":0.545}}`
	seriesOfUSD  = `200 {…"start_date":"2024-01-08","end_date":"2024-01-09","rates":{"2024-01-08":{"USD":1.08},"2024-01-09":{"USD":1.09}}}`
	usdOfThe5th  = `200 {…"start_date":"2024-01-05","end_date":"2024-01-05","rates":{"2024-01-05":{"USD":1.05}}}`
	methodRefuse = `405 {"status":405,"message":"method not allowed"}`
)

func TestParameters(t *testing.T) {
	const (
		aliases  = "`base` (alias `from`), `symbols` (alias `to`), `amount`."
		wins     = "If both a name and its alias are given, the alias (`from`, `to`) wins."
		codes    = "Codes are upper-cased, not trimmed."
		repeated = "A repeated parameter takes its last value; unknown parameters are ignored."
	)
	check(t, []row{
		{aliases, "days", "GET /v1/latest?base=USD&symbols=GBP", "", gbpInUSD},
		{aliases, "days", "GET /v1/latest?from=USD&to=GBP", "", gbpInUSD},
		{aliases, "days", "GET /v1/latest?amount=10&symbols=USD", "", tenUSD},
		{aliases, "days", "GET /v1/2024-01-08..?from=EUR&to=USD", "", seriesOfUSD},
		{wins, "days", "GET /v1/latest?from=USD&base=HRK&symbols=GBP", "", gbpInUSD},
		{wins, "days", "GET /v1/latest?base=HRK&from=USD&symbols=GBP", "", gbpInUSD},
		{wins, "days", "GET /v1/latest?base=USD&to=GBP&symbols=HRK", "", gbpInUSD},
		{wins, "days", "GET /v1/latest?base=USD&from=&symbols=GBP", "", missing},
		{codes, "days", "GET /v1/latest?base=usd&symbols=gBp", "", gbpInUSD},
		{codes, "days", "GET /v1/latest?base=u%C5%BFd", "", `404 {"message":"not found"}`}, // ſ is no s
		{codes, "days", "GET /v1/latest?symbols=USD,%20GBP", "", usdInEUR},
		{codes, "days", "GET /v1/latest?symbols=+USD", "", missing},
		{codes, "days", "GET /v1/latest?base=USD%20", "", missing},
		{repeated, "days", "GET /v1/latest?symbols=GBP&symbols=USD", "", usdInEUR},
		{repeated, "days", "GET /v1/latest?base=HRK&base=USD&symbols=GBP", "", gbpInUSD},
		{repeated, "days", "GET /v1/latest?amount=3&amount=1&symbols=USD", "", usdInEUR},
		{repeated, "days", "GET /v1/latest?amount=x&amount=1&symbols=USD", "", usdInEUR},
		{repeated, "days", "GET /v1/latest?base=USD&base", "", allInEUR},
		{repeated, "days", "GET /v1/latest?symbols=USD&format=xml&Base=GBP&&=&a=b=c", "", usdInEUR},
	})
}

func TestSymbolsAndBase(t *testing.T) {
	const (
		list  = "symbols: comma list. Unknown codes are dropped silently, duplicates collapse, the base is taken out of the result."
		empty = "Empty, or only unknown codes: 404."
		base  = "base: default EUR. Unknown or empty: 404; `?base` without `=` counts as absent."
	)
	check(t, []row{
		{list, "days", "GET /v1/latest?symbols=USD,GBP", "", `200 {…"rates":{"GBP":0.9,"USD":1.09}}`},
		{list, "days", "GET /v1/latest?symbols=USD%2CGBP", "", `200 {…"rates":{"GBP":0.9,"USD":1.09}}`},
		{list, "days", "GET /v1/latest?symbols=QQQ,USD,,€", "", usdInEUR},
		{list, "days", "GET /v1/latest?symbols=USD,USD,usd", "", usdInEUR},
		{list, "days", "GET /v1/latest?base=USD&symbols=USD,GBP", "", gbpInUSD},
		{list, "days", "GET /v1/latest?base=EUR&symbols=EUR,USD", "", usdInEUR},
		{list, "days", "GET /v1/latest?symbols", "", allInEUR},
		{list, "days", "GET /v1/latest?symbols=" + strings.Repeat("USD,QQQ,", 1000), "", usdInEUR},
		{list, "days", "GET /v1/2024-01-08..?symbols=USD,QQQ,usd", "", seriesOfUSD},
		{empty, "days", "GET /v1/latest?symbols=", "", missing},
		{empty, "days", "GET /v1/latest?symbols=,", "", missing},
		{empty, "days", "GET /v1/latest?symbols=QQQ,YYY", "", missing},
		{empty, "days", "GET /v1/2024-01-09..?symbols=QQQ", "", missing},
		{empty, "days", "GET /v1/2024-01-09..?symbols=", "", missing},
		{base, "days", "GET /v1/latest", "", allInEUR},
		{base, "days", "GET /v1/latest?base=EUR", "", allInEUR},
		{base, "days", "GET /v1/latest?base", "", allInEUR},
		{base, "days", "GET /v1/latest?base=QQQ", "", missing},
		{base, "days", "GET /v1/latest?base=", "", missing},
		{base, "days", "GET /v1/2024-01-09..?base=QQQ", "", missing},
	})
}

func TestPairsAndTheOrderOfChecks(t *testing.T) {
	const (
		pair   = "422 `bad currency pair` only if symbols is exactly one code, equal to an explicitly given base."
		noPair = "So `?symbols=EUR` alone is 404, and `base=USD&symbols=USD,USD` is 404."
		order  = "Order of checks: amount, date, pair."
	)
	check(t, []row{
		{pair, "days", "GET /v1/latest?base=USD&symbols=USD", "", badPair},
		{pair, "days", "GET /v1/latest?from=usd&to=USD", "", badPair},
		{pair, "days", "GET /v1/latest?base=EUR&symbols=EUR", "", badPair},
		{pair, "days", "GET /v1/latest?base=QQQ&symbols=QQQ", "", badPair},
		{pair, "days", "GET /v1/2024-01-09?base=USD&symbols=USD", "", badPair},
		{pair, "days", "GET /v1/2024-01-09..?base=USD&symbols=USD", "", badPair},
		{noPair, "days", "GET /v1/latest?symbols=EUR", "", missing},
		{noPair, "days", "GET /v1/latest?base&symbols=EUR", "", missing},
		{noPair, "days", "GET /v1/latest?base=USD&symbols=USD,USD", "", missing},
		{noPair, "days", "GET /v1/2024-01-09..?base=USD&symbols=USD,USD", "", missing},
		{order, "days", "GET /v1/2024-02-30?amount=0&base=USD&symbols=USD", "", badAmount},
		{order, "days", "GET /v1/2024-02-30?base=USD&symbols=USD", "", badDate},
		{order, "days", "GET /v1/1990-01-01?base=USD&symbols=USD", "", badPair},
		{order, "days", "GET /v1/2024-02-30..?amount=0&base=USD&symbols=USD", "", badAmount},
		{order, "days", "GET /v1/2024-01-01..2024-02-30?base=USD&symbols=USD", "", badDate},
		{order, "days", "GET /v1/2030-01-01..?base=USD&symbols=USD", "", badPair},
	})
}

func TestAmount(t *testing.T) {
	const (
		leading = "amount: default 1, a leading number (`10abc` is 10, `1e3`, `.5`; take no more leniency than that)."
		refused = "0 or less, or none, and (ours) over 1e15 or 20 significant digits: 422 `invalid amount`."
		ours    = "(ours) an amount that comes to nothing in its own base on a day that is answered: 422."
	)
	check(t, []row{
		{leading, "days", "GET /v1/latest?symbols=USD", "", usdInEUR},
		{leading, "days", "GET /v1/latest?symbols=USD&amount", "", usdInEUR},
		{leading, "days", "GET /v1/latest?symbols=USD&amount=10abc", "", tenUSD},
		{leading, "days", "GET /v1/latest?symbols=USD&amount=1e3", "", thousandUSD},
		{leading, "days", "GET /v1/latest?symbols=USD&amount=.5", "", fiveTenths},
		{leading, "days", "GET /v1/latest?symbols=USD&amount=10%20000", "", tenUSD},
		{leading, "days", "GET /v1/2024-01-08..?symbols=USD&amount=100x", "", `200 {"amount":100.0,…{"2024-01-08":{"USD":108},"2024-01-09":{"USD":109}}}`},
		{leading, "days", "GET /v1/latest?amount=%2B1", "", badAmount},
		{leading, "days", "GET /v1/latest?amount=%201", "", badAmount},
		{leading, "days", "GET /v1/latest?amount=1_000", "", badAmount},
		{leading, "days", "GET /v1/latest?amount=0x10", "", badAmount},
		{leading, "days", "GET /v1/latest?amount=%D9%A3", "", badAmount},
		{refused, "days", "GET /v1/latest?amount=0", "", badAmount},
		{refused, "days", "GET /v1/latest?amount=-1", "", badAmount},
		{refused, "days", "GET /v1/latest?amount=", "", badAmount},
		{refused, "days", "GET /v1/latest?amount=abc", "", badAmount},
		{refused, "days", "GET /v1/latest?amount=NaN", "", badAmount},
		{refused, "days", "GET /v1/latest?amount=1e309", "", badAmount},
		{refused, "days", "GET /v1/latest?amount=1e20000000", "", badAmount},
		{refused, "days", "GET /v1/latest?amount=1e15&symbols=USD", "", `200 {"amount":1000000000000000.0,…"rates":{"USD":1090000000000000}}`},
		{refused, "days", "GET /v1/latest?amount=1000000000000000.1", "", badAmount},
		{refused, "days", "GET /v1/latest?amount=0.12345678901234567890&symbols=USD", "", `200 {"amount":0.1234567890123456789,…`},
		{refused, "days", "GET /v1/latest?amount=0.123456789012345678901", "", badAmount},
		{refused, "days", "GET /v1/2024-01-09?amount=0", "", badAmount},
		{refused, "days", "GET /v1/2024-01-09..?amount=0", "", badAmount},
		{ours, "days", "GET /v1/latest?amount=1e-9&base=USD", "", badAmount},
		// The pound's least is 0.28: times 0.0000018 it is 0.000001, times 0.0000017 nothing.
		{ours, "days", "GET /v1/2023-12-28..?amount=0.0000018&base=GBP&symbols=USD", "", `200 {…`},
		{ours, "days", "GET /v1/2023-12-28..?amount=0.0000017&base=GBP&symbols=USD", "", badAmount},
		{ours, "days", "GET /v1/2024-01-03..?amount=0.0000017&base=GBP&symbols=USD", "", `200 {…`},
	})
}

func TestNotToCopy(t *testing.T) {
	const (
		arrays = "Not to copy: array parameters answered with internal text."
		zeros  = "Not to copy: `%00` that leaks SQL."
		verbs  = "Not to copy: any verb served as GET (answer 405 with Allow)."
		broken = "(ours) a query whose percent-encoding is broken: 400."
	)
	rows := []row{
		{arrays, "days", "GET /v1/latest?symbols[]=GBP&symbols=USD", "", usdInEUR},
		{arrays, "days", "GET /v1/latest?base[]=USD&symbols[a]=GBP&amount[]=0", "", allInEUR},
		{arrays, "days", "GET /v1/2024-01-08..?symbols=USD&from[x][y]=1", "", seriesOfUSD},
		{zeros, "days", "GET /v1/latest?base=%00", "", missing},
		{zeros, "days", "GET /v1/latest?symbols=%00,USD", "", usdInEUR},
		{zeros, "days", "GET /v1/latest?symbols=USD%00", "", missing},
		{zeros, "days", "GET /v1/latest?amount=%00", "", badAmount},
		{zeros, "days", "GET /v1/latest?amount=10%00&symbols=USD", "", tenUSD},
		{zeros, "days", "GET /v1/latest?%00=1&symbols=USD", "", usdInEUR},
		{zeros, "days", "GET /v1/2024-01-09%00", "", `404 {"status":404,"message":"not found"}`},
		{zeros, "days", "GET /v1/2024-01-09..%00", "", `404 {"status":404,"message":"not found"}`},
		{broken, "days", "GET /v1/latest?symbols=%", "", malformed},
		{broken, "days", "GET /v1/latest?symbols=%zz", "", malformed},
		{broken, "days", "GET /v1/2024-01-09?%f=1", "", malformed},
		{broken, "days", "GET /v1/2024-01-09..?amount=1%2", "", malformed},
	}
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE"} {
		for _, path := range []string{"/v1", "/v1/", "/v1/latest", "/v1/2024-01-09", "/v1/2024-01-09..", "/v1/2024-01-09..2024-01-10", "/v1/currencies", "/v1/openapi.json", "/", "/metrics"} {
			rows = append(rows, row{verbs, "days", method + " " + path, "", methodRefuse + "\nAllow: GET, HEAD\nCache-Control: no-store"})
		}
	}
	check(t, rows)
}

// What is no path at all net/http refuses by itself.
func TestAPathWhosePercentEncodingIsBroken(t *testing.T) {
	conn, err := net.Dial("tcp", strings.TrimPrefix(serve(t, inWorld(t, "days")), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET /v1/2024-01-09%zz HTTP/1.1\r\nHost: rates\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got, want := resp.StatusCode, http.StatusBadRequest; got != want {
		t.Errorf("got %d, want %d", got, want)
	}
}
