package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"example.com/portpair/services/quotes/internal/store"
	"example.com/portpair/services/quotes/internal/web"
)

func TestIdempotencyKeysThatAreRefused(t *testing.T) {
	d := open(t, "")
	for name, keys := range map[string][]string{
		"empty":                          {""},
		"empty quotes":                   {`""`},
		"256 characters":                 {strings.Repeat("k", 256)},
		"256 in quotes":                  {`"` + strings.Repeat("k", 256) + `"`},
		"far too many":                   {strings.Repeat("k", 8000)},
		"twice":                          {"one", "two"},
		"the same twice":                 {"one", "one"},
		"not ASCII":                      {"schlüssel"},
		"not ASCII, in quotes":           {`"ключ"`},
		"not UTF-8":                      {"k\xff"},
		"a control character":            {"a\tb"},
		"a quote that does not end":      {`"key`},
		"a lone quotation mark":          {`"`},
		"something after the quote":      {`"key";v=1`},
		"a quotation mark in quotes":     {`"ke"y"`},
		"an escape of something else":    {`"ke\y"`},
		"an escape of the closing quote": {`"key\"`},
	} {
		t.Run(name, func(t *testing.T) {
			var headers []string
			for _, key := range keys {
				headers = append(headers, "Idempotency-Key", key)
			}
			wantProblem(t, d.post(t, "/v1/quotes", order, headers...), http.StatusBadRequest, "malformed-request", "Idempotency-Key")
		})
	}
	wantEqual(t, "rows", d.rows(t), 0)
	wantEqual(t, "calls to the backing service", d.asked.Load(), 0)
}

func TestIdempotencyKeysAreQuotedOrBare(t *testing.T) {
	longest := strings.Repeat("k", 255)
	d := open(t, "")
	for name, same := range map[string][]string{
		"a UUID":          {"7b0c5a3e-2f1d-4c8e-9a3b-5d6e7f8091a2", `"7b0c5a3e-2f1d-4c8e-9a3b-5d6e7f8091a2"`},
		"255 characters":  {longest, `"` + longest + `"`},
		"blanks":          {"a key", `"a key"`},
		"escapes":         {`a"b\c`, `"a\"b\\c"`},
		"all of them":     {strings.Repeat(`x"`, 127), `"` + strings.Repeat(`x\"`, 127) + `"`},
		"SQL":             {`'; DROP TABLE quotes; --`, `"'; DROP TABLE quotes; --"`},
		"a lone sign":     {"-", `"-"`},
		"commas, as text": {"a, b", `"a, b"`},
	} {
		t.Run(name, func(t *testing.T) {
			before := d.rows(t)
			first := d.mustLock(t, order, "Idempotency-Key", same[0])
			wantEqual(t, "replayed", first.header.Get("Idempotent-Replayed"), "")
			for _, key := range same {
				again := d.mustLock(t, order, "Idempotency-Key", key)
				wantEqual(t, "replayed", again.header.Get("Idempotent-Replayed"), "true")
				wantEqual(t, "location", again.header.Get("Location"), first.header.Get("Location"))
				wantEqual(t, "body", again.body, first.body)
			}
			wantEqual(t, "rows", d.rows(t), before+1)
		})
	}
}

func TestAReplayIsTheQuoteAsItIsNow(t *testing.T) {
	d := open(t, "")
	first := d.mustLock(t, order, "Idempotency-Key", "key")
	quote := idOf(t, first)
	replay := func(body string) result { return d.mustLock(t, body, "Idempotency-Key", "key") }
	d.becomes(reply(http.StatusInternalServerError, "")) // the backing service is down
	d.pass(10 * time.Minute)
	wantEqual(t, "while the backing service is down", replay(order).body, first.body)
	wantEqual(t, "equal after parsing", replay(`{"sourceAmount":"0100.0","targetCurrency":"USD","sourceCurrency":"EUR"}`).body, first.body)

	accepted := d.post(t, "/v1/quotes/"+quote+"/accept", "")
	wantEqual(t, "accepted", replay(order).body, accepted.body)
	wantEqual(t, "location", replay(order).header.Get("Location"), "/v1/quotes/"+quote)
	d.pass(24 * time.Hour)
	wantEqual(t, "a day later", replay(order).body, accepted.body)
	d.becomes(rates)
	d.pass(30 * time.Minute) // 24 h after its expiry
	if r := replay(order); idOf(t, r) == quote || r.header.Get("Idempotent-Replayed") != "" {
		t.Errorf("got %v %s, want a new quote", r.header, r.body)
	}
}

func TestAKeyWithAnotherOrder(t *testing.T) {
	d := open(t, "")
	d.mustLock(t, order, "Idempotency-Key", "key")
	for name, body := range map[string]string{
		"another amount": `{"sourceCurrency":"EUR","targetCurrency":"USD","sourceAmount":"100.01"}`,
		"another target": `{"sourceCurrency":"EUR","targetCurrency":"JPY","sourceAmount":"100.00"}`,
		"the other side": `{"sourceCurrency":"EUR","targetCurrency":"USD","targetAmount":"116.99"}`,
		"the way back":   `{"sourceCurrency":"USD","targetCurrency":"EUR","targetAmount":"100.00"}`,
	} {
		t.Run(name, func(t *testing.T) {
			r := d.post(t, "/v1/quotes", body, "Idempotency-Key", "key")
			wantProblem(t, r, http.StatusUnprocessableEntity, "idempotency-key-reused", "Idempotency-Key")
		})
	}
	wantEqual(t, "rows", d.rows(t), 1)
}

// A request that failed may be mended and sent again with its key.
func TestAFailureDoesNotUseUpItsKey(t *testing.T) {
	d := open(t, "?attempts=1", func(a *web.App, s *store.Settings, _ *string) { s.MaxOpen = 1 })
	key := []string{"Idempotency-Key", "key"}
	wantProblem(t, d.post(t, "/v1/quotes", `{"sourceCurrency":"EUR","targetCurrency":"USD","sourceAmount":"-1"}`, key...), 422, "invalid-amount", "sourceAmount")
	d.becomes(reply(http.StatusInternalServerError, ""))
	wantProblem(t, d.post(t, "/v1/quotes", order, key...), 503, "rates-unavailable", "")
	d.becomes(rates)
	other := idOf(t, d.mustLock(t, order))
	wantProblem(t, d.post(t, "/v1/quotes", order, key...), 503, "overloaded", "")
	wantEqual(t, "rows", d.rows(t), 1)
	d.post(t, "/v1/quotes/"+other+"/accept", "")
	wantEqual(t, "replayed", d.mustLock(t, order, key...).header.Get("Idempotent-Replayed"), "")
}
