package ratesapi

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/portpair/services/quotes/internal/quote"
)

func manyFields(n int) []string {
	fields := []string{"date", "2026-08-21", "base", "EUR", "USD", "2"}
	for i := range n {
		fields = append(fields, fmt.Sprintf("X%04d", i), "1")
	}
	return fields
}

// hostileAnswers are answers to HGETALL of which no rate may be taken.
var hostileAnswers = map[string]struct {
	raw  string
	said string // in the error
}{
	"a string of 2 GB":                 {"*2\r\n$2147483647\r\nab" + silence, "a length that is none"},
	"a string of 9 MB":                 {"*2\r\n$9000000\r\nab" + silence, "claims to be larger"},
	"a string of 9 EB":                 {"*2\r\n$9223372036854775807\r\n" + silence, "a length that is none"},
	"a string of 65 KB":                {"*2\r\n$65537\r\n" + silence, "claims to be larger"},
	"an array of a billion":            {"*1000000000\r\n" + silence, "a length that is none"},
	"an array of a million":            {"*1000000\r\n" + silence, "claims to be larger"},
	"arrays in arrays":                 {strings.Repeat("*1\r\n", maxItems+1), "redis: "},
	"wide arrays in arrays":            {strings.Repeat("*9999\r\n", 9), "claims to be larger"},
	"a few arrays in arrays":           {"*2\r\n*1\r\n$1\r\na\r\n$1\r\nb\r\n", "redis: "},
	"a length under 0":                 {"*2\r\n$-2\r\n", "a length under 0"},
	"an array of -9":                   {"*-9\r\n", "a length under 0"},
	"a length of minuses":              {"*--1\r\n", "a length that is none"},
	"a length in hex":                  {"*2\r\n$0x10\r\n", "a length that is none"},
	"no length":                        {"*\r\n", "a length that is none"},
	"a map of RESP3":                   {"%1\r\n$1\r\na\r\n$1\r\nb\r\n", `it says "%1\r\n`},
	"a verbatim string":                {"*2\r\n=0\r\n\r\n$1\r\na\r\n", `it says "=0`},
	"an attribute":                     {"|1\r\n+a\r\n+b\r\n*0\r\n", `it says "|1`},
	"a push":                           {">2\r\n+a\r\n+b\r\n*0\r\n", `it says ">2`},
	"a streamed string":                {"*2\r\n$?\r\n", "a length that is none"},
	"HTML":                             {"<html>\r\n", `it says "<html>`},
	"a line without an end":            {"+" + strings.Repeat("x", maxBody+1), "over 1 MiB"},
	"blank lines":                      {"\r\n\r\n", `it says "\r\n`},
	"nothing":                          {"$-1\r\n", "what answers is no rates service"},
	"a number":                         {":5\r\n", "what answers is no rates service"},
	"an empty hash":                    {"*0\r\n", "it holds no rates:latest"},
	"a field without a value":          {array("date", "2026-08-21", "base"), "3 fields and values"},
	"501 fields":                       {array(manyFields(498)...), "1002 fields and values"},
	"another base":                     {array("date", "2026-08-21", "base", "USD", "EUR", "1"), `base "USD"`},
	"no base":                          {array("date", "2026-08-21", "USD", "1"), `base ""`},
	"no date":                          {array("base", "EUR", "USD", "1"), `date ""`},
	"a day to come":                    {array("date", "2026-08-24", "base", "EUR", "USD", "1"), "a date in the future"},
	"a rate of 0":                      {array("date", "2026-08-21", "base", "EUR", "USD", "0"), `a rate of "0"`},
	"a rate under 0":                   {array("date", "2026-08-21", "base", "EUR", "USD", "-1"), `a rate of "-1"`},
	"a rate in words":                  {array("date", "2026-08-21", "base", "EUR", "USD", "one"), `a rate of "one"`},
	"a rate in quotes":                 {array("date", "2026-08-21", "base", "EUR", "USD", `"1"`), "a rate of"},
	"a rate that is endless":           {array("date", "2026-08-21", "base", "EUR", "USD", strings.Repeat("1", 9999)), "a rate of"},
	"no rates":                         {array("date", "2026-08-21", "base", "EUR"), "there are none"},
	"an error within an answer":        {"*2\r\n-ERR x\r\n$1\r\na\r\n", "it says ERR x"},
	"an error with control characters": {"-ERR \x1b[2J\u009b\u202e" + strings.Repeat("x", 9999) + "\r\n", "it says ERR"},
}

func TestNoHostileAnswerOfARedisIsTaken(t *testing.T) {
	for name, tt := range hostileAnswers {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := serveRedis(t, someRates().but("hgetall", tt.raw)).attach(t, "?timeout=500ms")
				before := allocated()
				_, err := c.Latest(t.Context())
				wantErr(t, err, quote.ErrRatesUnavailable)
				if got := allocated() - before; got > 32<<20 {
					t.Errorf("allocated %d MB for an answer of %d bytes", got>>20, len(tt.raw))
				}
				last := c.last(t)
				want(t, "outcome", last.Outcome, NoService)
				want(t, "attempts", last.Attempts, 1)
				if !strings.Contains(last.Error, tt.said) {
					t.Errorf("got %q, want %q in it", last.Error, tt.said)
				}
				wantClean(t, last.Error)
			})
		})
	}
}

// go-redis reads HELLO's answer, whatever it is, by calling itself.
func TestNoHostileWelcomeOfARedisIsTaken(t *testing.T) {
	for name, raw := range map[string]string{
		"arrays in arrays":       "*2\r\n+a\r\n" + strings.Repeat("*1\r\n", maxItems+1),
		"wide arrays in arrays":  "*2\r\n+a\r\n" + strings.Repeat("*9999\r\n", 9),
		"a map of RESP3":         "%1\r\n+a\r\n+b\r\n",
		"strings without an end": "*20000\r\n" + strings.Repeat(bulk(strings.Repeat("x", 60_000)), 20),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := serveRedis(t, someRates().but("hello", raw)).attach(t, "?timeout=500ms")
				before := allocated()
				_, err := c.Latest(t.Context())
				wantErr(t, err, quote.ErrRatesUnavailable)
				want(t, "outcome", c.last(t).Outcome, NoService)
				if got := allocated() - before; got > 64<<20 {
					t.Errorf("allocated %d MB for an answer of %d bytes", got>>20, len(raw))
				}
			})
		})
	}
}

// What is shown of an answer is cut, but no password with it.
func TestNoHostileAnswerOfARedisTellsThePassword(t *testing.T) {
	const password = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	for name, raw := range map[string]string{
		"no line of the protocol": "500 unknown: hello 2 auth default " + password + "\r\n",
		"a line that is too long": "+" + strings.Repeat("x", 50) + password + "\r\n",
		"an error":                "-ERR unknown: hello 2 auth default " + password + "\r\n" + hangUp,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := serveRedis(t, func([]string) string { return raw }).attachAs(t, ":"+password+"@", "")
				_, err := c.Latest(t.Context())
				wantErr(t, err, quote.ErrRatesUnavailable)
				if said := c.last(t).Error + c.log.String(); strings.Contains(said, password[:8]) {
					t.Errorf("got %q", said)
				}
			})
		})
	}
}

func TestANumberThatIsNone(t *testing.T) {
	for _, raw := range []string{":abc\r\n", ":99999999999999999999\r\n", "+OK\r\n"} {
		synctest.Test(t, func(t *testing.T) {
			c := serveRedis(t, someRates().but("exists", raw)).attach(t, "")
			_, err := c.On(t.Context(), date(t, "2026-08-13"))
			wantErr(t, err, quote.ErrRatesUnavailable)
			want(t, raw, c.last(t).Outcome, NoService)
			want(t, raw, c.last(t).Attempts, 1)
		})
	}
}

// allocated is how many bytes the process has ever asked for.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// An answer may come in any pieces.
func TestTheGuardFollowsWhateverThePieces(t *testing.T) {
	whole := "+OK\r\n-ERR no\r\n:1\r\n$-1\r\n*-1\r\n$0\r\n\r\n" + array("a", "b\r\n$9\r\n", "") + "*0\r\n$3\r\nabc\r\n"
	for size := 1; size <= len(whole); size++ {
		g := &guard{bytes: maxBody, items: maxItems, scrub: func(s string) string { return s }}
		for rest := whole; rest != ""; {
			n := min(size, len(rest))
			if err := g.follow([]byte(rest[:n])); err != nil {
				t.Fatalf("in pieces of %d: %v before %q", size, err, rest[n:])
			}
			rest = rest[n:]
		}
		if g.kind != 0 || g.skip != 0 {
			t.Errorf("in pieces of %d: it is not at an answer's end: %+v", size, g)
		}
	}
}

// FuzzRedis has a server send anything: it may not make go-redis panic, hang
// or take memory.
func FuzzRedis(f *testing.F) {
	f.Add([]byte(someRates().answer([]string{"hgetall", latestKey})))
	for _, tt := range hostileAnswers {
		if len(tt.raw) < 1000 {
			f.Add([]byte(strings.TrimSuffix(tt.raw, silence)))
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		synctest.Test(t, func(t *testing.T) {
			c := serveRedis(t, someRates().but("hgetall", string(raw)+hangUp)).attach(t, "?timeout=500ms&attempts=1")
			before := allocated()
			began := time.Now()
			r, err := c.Latest(t.Context())
			if (err == nil) == (r.Table == nil) {
				t.Errorf("got %v, %v", r, err)
			}
			if got := allocated() - before; got > 32<<20 {
				t.Errorf("allocated %d MB for an answer of %d bytes", got>>20, len(raw))
			}
			if took := time.Since(began); took > time.Second {
				t.Errorf("took %v", took)
			}
			wantClean(t, c.last(t).Error)
		})
	})
}
