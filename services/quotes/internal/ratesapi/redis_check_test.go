package ratesapi

import (
	"strings"
	"testing"
	"testing/synctest"

	"example.com/portpair/services/twelve/check"
)

func TestCheckOverTheRedisProtocol(t *testing.T) {
	day := func(key, date string) table { return someRates().with(key, "date", date, "base", "EUR", "USD", "1.2") }
	for name, tt := range map[string]struct {
		answer      func([]string) string
		requirement string
		verdict     check.Verdict
		seen        string
	}{
		"all that it has":               {someRates().answer, "latest", check.Pass, "2026-08-21, 3 currencies, Server: rates/0.1.0"},
		"a past day":                    {someRates().with("rates:2026-08-11", "date", "2026-08-11", "base", "EUR", "USD", "1.2").answer, "a past day", check.Pass, "got 2026-08-11"},
		"no past day":                   {someRates().answer, "a past day", check.Warn, "none for 2026-08-11: status 404"},
		"another's for a past day":      {day("rates:2026-08-11", "2026-08-21").answer, "a past day", check.Fail, "the rates of 2026-08-21 where 2026-08-11 was asked for"},
		"a range":                       {someRates().answer, "a range", check.Pass, "5 days"},
		"a range of other days":         {someRates().but("zrangebyscore", array("2026-07-21")), "a range", check.Warn, `rates:days lists "2026-07-21"`},
		"a range of what is not a day":  {someRates().but("zrangebyscore", array("x")), "a range", check.Warn, `rates:days lists "x"`},
		"a range of a day twice":        {someRates().but("zrangebyscore", array("2026-08-20", "2026-08-20")), "a range", check.Warn, `lists "2026-08-20"`},
		"a range of days without rates": {someRates().but("zrangebyscore", array("2026-08-19")), "a range", check.Warn, "rates:2026-08-19 is not that day's"},
		"no days":                       {someRates().but("zrangebyscore", array()), "a range", check.Warn, "has none for EUR and USD"},
		"currencies":                    {someRates().answer, "currencies", check.Skip, "not of the Redis protocol"},
		"caching headers":               {someRates().answer, "caching headers", check.Skip, "not of the Redis protocol"},
		"errors":                        {someRates().answer, "errors", check.Pass, "none for 1990-01-01"},
		"rates before all":              {day("rates:1990-01-01", "1990-01-01").answer, "errors", check.Fail, "before there was a euro"},
		"nothing":                       {table{}.answer, "latest", check.Fail, "it holds no rates:latest"},
		"wrong credentials":             {func([]string) string { return "-WRONGPASS\r\n" }, "credentials", check.Fail, "the handle has none"},
		"a web server":                  {func([]string) string { return "HTTP/1.1 400 Bad Request\r\n\r\n" + hangUp }, "latest", check.Fail, `does not speak the Redis protocol: it says "HTTP/1.1 400`},
		"silence":                       {func([]string) string { return silence }, "latest", check.Fail, "no answer within 2s, asked 3 times"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := lineOf(t, serveRedis(t, tt.answer).attach(t, "").Check(t.Context(), 7), tt.requirement)
				if l.Verdict != tt.verdict || !strings.Contains(l.Seen, tt.seen) {
					t.Errorf("got %+v, want %s: %s", l, tt.verdict, tt.seen)
				}
			})
		})
	}
}
