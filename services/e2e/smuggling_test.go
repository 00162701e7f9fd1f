package e2e

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// shape is a request whose end two readers may see in two places: what the
// apps answer, and whether they go on to what stands behind it. They may only
// where every reader sees the same end.
type shape struct {
	name          string
	headers, body string
	quotes        string // to POST /v1/quotes
	rates         string // to GET /livez
}

func (s shape) request(line, host, key string) string {
	return fmt.Sprintf("%s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nIdempotency-Key: %s\r\n%s\r\n%s", line, host, key, s.headers, s.body)
}

func shapes() []shape {
	const te = "Transfer-Encoding: chunked\r\n"
	chunks := fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(order100), order100)
	size := fmt.Sprint(len(order100))
	length := func(n string) string { return "Content-Length: " + n + "\r\n" }
	chunk := func(size string) string { return size + "\r\n" + order100 + "\r\n0\r\n\r\n" }
	return []shape{
		{"a length", length(size), order100, "201 open", "200 open"},
		{"chunks", te, chunks, "201 closed", "200 closed"},

		{"both, the length right", te + length(fmt.Sprint(len(chunks))), chunks, "201 closed", "200 closed"},
		{"both, the length short", length("5") + te, chunks, "201 closed", "200 closed"},
		{"both, the chunks none", length(size) + te, "0\r\n\r\n", "400 closed", "200 closed"},
		{"two lengths", length("5") + length(size), order100, "400 closed", "400 closed"},
		{"one length twice", length(size) + length(size), order100, "201 open", "200 open"},
		{"a list of lengths", length(size + ", " + size), order100, "400 closed", "400 closed"},
		{"a length below zero", length("-1"), order100, "400 closed", "400 closed"},
		{"a length with a sign", length("+" + size), order100, "400 closed", "400 closed"},
		{"a length in hex", length("0x47"), order100, "400 closed", "400 closed"},
		{"a length beyond any number", length("18446744073709551616"), order100, "400 closed", "400 closed"},
		{"an empty length", length(""), order100, "400 closed", "400 closed"},

		{"a chunk's size that is none", te, chunk("zz"), "400 closed", "200 closed"},
		{"a chunk's size below zero", te, chunk("-47"), "400 closed", "200 closed"},
		{"a chunk's size with 0x", te, chunk("0x47"), "400 closed", "200 closed"},
		{"a chunk's size beyond any number", te, chunk("ffffffffffffffff47"), "400 closed", "200 closed"},
		{"a chunk longer than its size", te, chunk("5"), "400 closed", "200 closed"},
		{"a chunk's line that ends in LF", te, strings.ReplaceAll(chunks, "\r\n", "\n"), "400 closed", "200 closed"},
		{"a chunk with an extension", te, strings.Replace(chunks, "\r\n", ";a=b\r\n", 1), "201 closed", "200 closed"},
		{"a length as a trailer", te, strings.Replace(chunks, "0\r\n\r\n", "0\r\nContent-Length: 5\r\n\r\n", 1), "201 closed", "200 closed"},

		{"xchunked", "Transfer-Encoding: xchunked\r\n", chunks, "501 closed", "501 closed"},
		{"chunked and identity", "Transfer-Encoding: chunked, identity\r\n", chunks, "501 closed", "501 closed"},
		{"chunked twice", te + te, chunks, "501 closed", "501 closed"},
		{"chunked after a tab", "Transfer-Encoding:\tchunked\r\n", chunks, "201 closed", "200 closed"},
		{"chunked after a control character", "Transfer-Encoding: \x0bchunked\r\n", chunks, "400 closed", "400 closed"},
		{"chunked on a folded line", "Transfer-Encoding:\r\n chunked\r\n", chunks, "201 closed", "200 closed"},
		{"a length on a folded line", "X-Folded: a\r\n Content-Length: 0\r\n" + length(size), order100, "201 open", "200 open"},
		{"a space before the colon", "Content-Length : " + size + "\r\n", order100, "400 closed", "400 closed"},
		{"a space before the colon of chunked", "Transfer-Encoding : chunked\r\n" + length(size), chunks, "400 closed", "400 closed"},
		{"lines that end in LF", strings.ReplaceAll(length(size), "\r\n", "\n"), order100, "201 open", "200 open"},
		{"a CR within a header", "X: a\rContent-Length: 0\r\n" + length(size), order100, "400 closed", "400 closed"},
		{"a NUL in a header", "X: a\x00b\r\n" + length(size), order100, "400 closed", "400 closed"},
		{"a NUL in a header's name", "X\x00: a\r\n" + length(size), order100, "400 closed", "400 closed"},
		{"a header without a name", ": a\r\n" + length(size), order100, "400 closed", "400 closed"},
	}
}

// wantOneEach sends an order again with each key and checks that this gives
// one quote a key, and no other.
func wantOneEach(t *testing.T, quotes *app, database string, keys []string) {
	t.Helper()
	for _, key := range keys {
		if r := post(t, quotes.url+"/v1/quotes", order100, "Idempotency-Key", key); r.status != http.StatusCreated {
			t.Errorf("key %s again: got %d %s", key, r.status, r.body)
		}
	}
	if rows := rowsOf(t, database); rows != len(keys) {
		t.Errorf("the database holds %d quotes, want one for each of %d keys", rows, len(keys))
	}
}

func TestSmugglingShapes(t *testing.T) {
	t.Parallel()
	database := sqliteURL(t)
	rates, quotes := startBoth(t, "DATABASE_URL="+database)
	checkRates, checkQuotes := baseline(t, rates), baseline(t, quotes)
	locked, keys := 0, []string{}
	for n, s := range shapes() {
		t.Run(s.name, func(t *testing.T) {
			key := fmt.Sprint("shape-", n)
			keys = append(keys, key)
			if _, got := speak(t, quotes.url, s.request("POST /v1/quotes", "app", key)); got != s.quotes {
				t.Errorf("quotes: got %s, want %s", got, s.quotes)
			}
			if strings.HasPrefix(s.quotes, "201") {
				locked++
			}
			if rows := rowsOf(t, database); rows != locked {
				t.Errorf("the database holds %d quotes, want %d", rows, locked)
			}
			if _, got := speak(t, rates.url, s.request("GET /livez", "app", key)); got != s.rates {
				t.Errorf("rates: got %s, want %s", got, s.rates)
			}
		})
	}
	wantOneEach(t, quotes, database, keys)
	checkRates()
	checkQuotes()
}

// TestSmugglingThroughTheRoutingLayer hides a request for what is not for the
// world behind each shape: the routing layer may refuse it or read it, as a
// request of its own; the app never does.
func TestSmugglingThroughTheRoutingLayer(t *testing.T) {
	t.Parallel()
	const hidden = "GET /metrics HTTP/1.1\r\nHost: quotes.localhost\r\nX-Request-Id: hidden\r\nConnection: close\r\n\r\n"
	database, port := sqliteURL(t), freePorts(t)
	rates, quotes := startBoth(t, "DATABASE_URL="+database, fmt.Sprint("PORT=", port), "TRUSTED_PROXIES=127.0.0.1/32,::1/128")
	router := fmt.Sprint("http://127.0.0.1:", route(t, []int{port}, portOf(t, rates)))
	var keys []string
	for n, s := range shapes() {
		t.Run(s.name, func(t *testing.T) {
			key := fmt.Sprint("shape-", n)
			keys = append(keys, key)
			conn := dial(t, router)
			defer conn.Close()
			_, _ = io.WriteString(conn, s.request("POST /v1/quotes", "quotes.localhost", key)+hidden)
			answers, err := io.ReadAll(conn)
			if n, ok := err.(interface{ Timeout() bool }); ok && n.Timeout() || !strings.HasPrefix(string(answers), "HTTP/1.1 ") {
				t.Errorf("got %q, %v", answers, err)
			}
			if strings.Contains(string(answers), "app_info") {
				t.Errorf("the hidden request was answered:\n%s", answers)
			}
			for amount := 1; amount <= 3; amount++ { // the next ones on the connections behind the routing layer
				want := fmt.Sprintf(`"sourceAmount":"%d.00"`, amount)
				r := get(t, fmt.Sprintf("%s/v1/convert?amount=%d&source=EUR&target=USD", router, amount), "Host", "quotes.localhost")
				if r.status != http.StatusOK || !strings.Contains(r.body, want) {
					t.Errorf("another client got %d %s, want %s", r.status, r.body, want)
				}
			}
		})
	}
	posts := 0
	for _, line := range quotes.out.lines() {
		if strings.Contains(line, `"request_id":"hidden"`) {
			t.Errorf("the hidden request got through: %s", line)
		}
		if strings.Contains(line, `"method":"POST"`) {
			posts++
		}
	}
	if posts > len(keys) {
		t.Errorf("the app got %d requests for %d: bodies that are broken were sent again", posts, len(keys))
	}
	wantOneEach(t, quotes, database, keys)
	wantUnharmed(t, quotes)
}
