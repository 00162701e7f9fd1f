package e2e

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// ended is a feed of days around the end of a currency, and of a holiday.
func ended(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "feed.csv")
	const csv = "Date,USD,JPY,GBP,BGN,IDR,XAU,\n2026-01-15,1.1624,184.1,0.8674,N/A,19659.4,N/A,\n2026-01-14,1.1651,185.2,0.8668,N/A,19655.38,0.00025,\n" +
		"2026-01-02,1.1721,N/A,0.8719,N/A,19600,0.000250,\n2025-12-31,1.175,184.09,0.8726,1.9558,19581.38,N/A,\n2025-12-30,1.1757,183.9,0.8712,1.9558,20000,0.000001,\n"
	if err := os.WriteFile(path, []byte(csv), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// serveFeed starts rates with a feed of a file, read.
func serveFeed(t *testing.T, path string) resp {
	t.Helper()
	a, r := startRESP(t, "FEED_URL=file://"+path)
	a.await("it has read the feed", func(line map[string]any) (string, bool) {
		return "", line["msg"] == "table" && line["source"] == "feed"
	})
	return r
}

// TestARealRedisHoldsTheSame fills one with what rates exports, over what
// somebody else left there, and compares every key.
func TestARealRedisHoldsTheSame(t *testing.T) {
	real, _ := startRedis(t)
	history := ended
	if full() {
		history = allHistory
	}
	feed := history(t)
	_, snapshot := startRESP(t)
	for _, tt := range []struct {
		name, env string
		rates     resp
	}{
		{"the snapshot", "FEED_URL=none", snapshot},
		{"a feed", "FEED_URL=file://" + feed, serveFeed(t, feed)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ours, theirs := tt.rates.dial(t), real.dial(t)
			keys := bulks(ours.ask(t, "KEYS *"))
			pair := keys[slices.IndexFunc(keys, func(key string) bool { return strings.HasPrefix(key, "rates:EUR:") })]
			for _, line := range []string{"FLUSHALL", "SET rates:latest x", "HSET rates:days x y", "ZADD " + pair + " 1 x"} {
				theirs.ask(t, line)
			}
			real.fill(t, tt.env)
			held := bulks(theirs.ask(t, "KEYS *"))
			slices.Sort(keys)
			slices.Sort(held)
			if len(keys) < 10 || !slices.Equal(keys, held) {
				t.Errorf("got %d keys, a real Redis holds %d", len(keys), len(held))
			}
			for _, key := range keys {
				for _, ask := range whole(ours.ask(t, "TYPE "+key), key) {
					if got, want := ours.ask(t, ask), theirs.ask(t, ask); got != want {
						t.Errorf("%s: got %q, a real Redis %q", ask, got, want)
					}
				}
			}
		})
	}
}

// whole are commands that show all that is in a key.
func whole(kind, key string) []string {
	read := map[string]string{"+hash\r\n": "HGETALL %s", "+string\r\n": "GET %s", "+zset\r\n": "ZRANGE %s 0 -1 WITHSCORES"}[kind]
	return []string{"TYPE " + key, fmt.Sprintf(read, key)}
}

// bulks are the strings in a reply.
func bulks(reply string) []string {
	var all []string
	lines := strings.Split(reply, "\r\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "$") && i+1 < len(lines) {
			all = append(all, lines[i+1])
		}
	}
	return all
}

// script is answered by rates and by a real Redis of the same keys in the
// same bytes. What is not, README says: HELLO's id, version and role, INFO,
// COMMAND, CONFIG and most of CLIENT; the order of KEYS and SCAN, and its
// cursors; databases over 0; ranges BYLEX; requests over the limits; a write
// with a wrong number of arguments.
const script = `
PING
PING hello
ping
PING a b
ECHO hello
ECHO
SELECT 0
SELECT x
SELECT 99999999
FOO
FOO a b c
GET
GET rates:EUR:USD
GET rates:EUR:BGN
GET rates:USD:EUR
GET rates:latest
GET rates:days
GET nothing
MGET rates:EUR:USD nothing rates:latest rates:EUR:GBP
EXISTS rates:latest rates:days rates:2026-01-02 rates:2026-01-03 rates:EUR:USD rates:EUR:USD
TYPE rates:latest
TYPE rates:days
TYPE rates:2026-01-02
TYPE rates:EUR:USD
TYPE rates:2026-1-2
TYPE rates:
TTL rates:latest
TTL nothing
TTL
HGET rates:latest USD
HGET rates:latest date
HGET rates:latest base
HGET rates:latest usd
HGET rates:latest EUR
HGET rates:2026-01-02 JPY
HGET rates:2025-12-30 XAU
HGET rates:days USD
HGET rates:latest
HGET nothing USD
HMGET rates:latest USD nothing date
HMGET nothing USD nothing
HMGET rates:EUR:USD USD
HMGET rates:latest
HGETALL rates:latest
HGETALL rates:2026-01-14
HGETALL rates:2025-12-30
HGETALL rates:2026-01-03
HGETALL rates:EUR:USD
HLEN rates:latest
HLEN rates:2026-01-14
HLEN nothing
HLEN rates:days
HKEYS rates:latest
HKEYS nothing
HKEYS rates:days
ZCARD rates:days
ZCARD nothing
ZCARD rates:latest
ZSCORE rates:days 2026-01-02
ZSCORE rates:days 2026-01-03
ZSCORE rates:days x
ZSCORE nothing 2026-01-02
ZSCORE rates:latest date
ZCOUNT rates:days -inf +inf
ZCOUNT rates:days 20260102 20260114
ZCOUNT rates:days (20260102 (20260114
ZCOUNT rates:days 20260114 20260102
ZCOUNT rates:days a b
ZCOUNT rates:days nan 1
ZCOUNT rates:latest 0 1
ZCOUNT nothing 0 1
ZRANGE rates:days 0 -1
ZRANGE rates:days 0 -1 WITHSCORES
ZRANGE rates:days 0 -1 REV
ZRANGE rates:days 1 2 REV WITHSCORES
ZRANGE rates:days -2 -1
ZRANGE rates:days -99 99
ZRANGE rates:days 3 1
ZRANGE rates:days 99 100
ZRANGE rates:days -1 -9
ZRANGE rates:days -9223372036854775808 9223372036854775807
ZRANGE rates:days 0 99999999999999999999
ZRANGE rates:days a b
ZRANGE rates:days 20260110 -inf BYSCORE REV LIMIT 0 1
ZRANGE rates:days 20260102 20260114 BYSCORE
ZRANGE rates:days (20260102 20260114 byscore withscores
ZRANGE rates:days 20260114 20260102 BYSCORE
ZRANGE rates:days -inf +inf BYSCORE LIMIT 1 2
ZRANGE rates:days +inf -inf BYSCORE REV LIMIT 1 2 WITHSCORES
ZRANGE rates:days -inf +inf BYSCORE LIMIT 1 -1
ZRANGE rates:days -inf +inf BYSCORE LIMIT -1 2
ZRANGE rates:days -inf +inf BYSCORE LIMIT 9 2
ZRANGE rates:days -inf +inf BYSCORE LIMIT 0 0
ZRANGE rates:days -inf +inf BYSCORE LIMIT a b
ZRANGE rates:days -inf +inf BYSCORE LIMIT 1
ZRANGE rates:days 20260101.5 2.0260114e7 BYSCORE
ZRANGE rates:days a b BYSCORE
ZRANGE rates:days 0 1 LIMIT 0 1
ZRANGE rates:days 0 1 NOTHING
ZRANGE rates:days 0
ZRANGE rates:latest 0 -1
ZRANGE nothing 0 -1
ZREVRANGE rates:days 0 1
ZREVRANGE rates:days 0 0 WITHSCORES
ZREVRANGE rates:days 0 1 REV
ZRANGEBYSCORE rates:days 20260101 20260110
ZRANGEBYSCORE rates:days -inf (20260101 WITHSCORES LIMIT 0 1
ZRANGEBYSCORE rates:days 0 1 BYSCORE
ZREVRANGEBYSCORE rates:days 20260110 -inf LIMIT 0 1
ZREVRANGEBYSCORE rates:days +inf 20260110 WITHSCORES
ZREVRANGEBYSCORE rates:days 20260110 +inf
DBSIZE
KEYS rates:latest
KEYS rates:EUR:U*
KEYS rates:2026-01-0?
KEYS *[[]*
KEYS nothing
SCAN 0 COUNT 1000 MATCH rates:d*
SCAN 0 COUNT 1000 TYPE zset
SCAN 0 COUNT 1000 MATCH rates:EUR:G* TYPE string
SCAN 0 COUNT 1000 TYPE nothing
SCAN x
SCAN 0 COUNT
SCAN 0 COUNT 0
SCAN 0 COUNT x
SCAN 0 NOTHING x
CLIENT GETNAME
CLIENT SETNAME shop
CLIENT GETNAME
CLIENT SETNAME
CLIENT NOTHING
CLIENT
AUTH x
AUTH default x
AUTH ada x
HELLO 4
HELLO x
HELLO 3 NOTHING
SET rates:EUR:USD 2
set x 1 EX 10
DEL rates:latest
HSET rates:latest USD 2
ZADD rates:days 1 2026-01-01
EXPIRE rates:latest 1
FLUSHALL
INCR x
LPUSH x 1
RENAME rates:latest x
`

func TestRatesAnswersAsARealRedisDoes(t *testing.T) {
	t.Parallel()
	real, readOnly := startRedis(t)
	feed := ended(t)
	real.fill(t, "FEED_URL=file://"+feed)
	readOnly()
	rates := serveFeed(t, feed)
	for _, protocol := range []string{"2", "3"} {
		t.Run("byte by byte in RESP"+protocol, func(t *testing.T) {
			ours, theirs := rates.dial(t), real.dial(t)
			ours.ask(t, "HELLO "+protocol)
			theirs.ask(t, "HELLO "+protocol)
			for line := range strings.Lines(strings.TrimSpace(script)) {
				if got, want := ours.ask(t, line), theirs.ask(t, line); got != want {
					t.Errorf("%s: got %q, a real Redis %q", strings.TrimSpace(line), got, want)
				}
			}
			if got, want := ours.ask(t, "QUIT"), theirs.ask(t, "QUIT"); got != want {
				t.Errorf("QUIT: got %q, a real Redis %q", got, want)
			}
		})
		t.Run("to redis-cli in RESP"+protocol, func(t *testing.T) {
			for _, form := range []string{"--no-raw", "--csv"} {
				got, want := rates.cli(t, script, "-"+protocol, form), real.cli(t, script, "-"+protocol, form)
				if got != want || len(got) < 1000 {
					t.Errorf("%s: got\n%s\na real Redis\n%s", form, got, want)
				}
			}
		})
	}
}

// redis:// finds the second port with the credentials that are in it.
func TestRedisCliAuthenticatesByURL(t *testing.T) {
	_, _ = startRedis(t) // for redis-cli
	for access, user := range map[string]*url.Userinfo{
		"ada:pass:word": url.UserPassword("ada", "pass:word"),
		"s3cr3t":        url.UserPassword("", "s3cr3t"),
	} {
		_, rates := startRESP(t, "RATES_ACCESS="+access)
		at := url.URL{Scheme: "redis", User: user, Host: rates.addr}
		if got := rates.cli(t, "GET rates:EUR:USD\n", "-u", at.String(), "--no-auth-warning"); got != "1.1699\n" {
			t.Errorf("%s: got %q", access, got)
		}
		if got := rates.cli(t, "GET rates:EUR:USD\n"); !strings.HasPrefix(got, "NOAUTH") {
			t.Errorf("without: got %q", got)
		}
	}
}
