package ratesapi

import (
	"context"
	"fmt"
	"time"

	"example.com/portpair/services/twelve/check"
)

// checkSpan is how many days the past day lies before the newest, and how many
// the range has: over a week, so that holidays are no matter.
const checkSpan = 10

// checker asks the backing service what a Check wants to know.
type checker struct {
	*Client
	lockMaxDays int
	latest      reply // all but the first lines rest on it
}

// requirement is a line to be.
type requirement struct {
	name string
	kind kind
	ask  func(context.Context) check.Line
}

type kind int

const (
	essential kind = iota // all that comes after one that fails is not asked
	wanted                // asked if there is time
	known                 // found in what the newest rates came with
)

// Check finds out, before it is attached, whether a service can be the backing
// one: each thing that quotes asks of it, asked once, by the client and the
// decoders that requests go through. What passes, the app takes.
//
// A line fails where quotes cannot run: no connection, no credentials, no
// newest rates. It warns where quotes runs and something is lost. A past day,
// or an error, that is missing is such a loss (a conversion with a date is then
// answered by a 404 or a 503), but one that is answered wrongly fails: what
// says 200 to a day and gives another's rates is not to be trusted with any.
func (c *Client) Check(ctx context.Context, lockMaxDays int) []check.Line {
	k := &checker{Client: c, lockMaxDays: lockMaxDays}
	var lines []check.Line
	broken := "" // what all else rests on
	for _, r := range []requirement{
		{"reachable", essential, k.reachable},
		{"TLS", essential, k.secure},
		{"credentials", essential, k.credentials},
		{"latest", essential, k.newest},
		{"a past day", wanted, k.pastDay},
		{"a range", wanted, k.days},
		{"currencies", wanted, k.names},
		{"errors", wanted, k.refusals},
		{"caching headers", known, k.caching},
		{"latency", wanted, k.latency},
		{"date to lock on", known, k.lockable},
		{"minor units", known, k.minorUnits},
	} {
		var l check.Line
		switch {
		case broken != "":
			l = check.Skipped("not asked: " + broken + " fails")
		case r.kind == wanted && ctx.Err() != nil:
			l = check.Warned("not asked: the time was up", "it answers, but slowly: ask again, or nearer to it")
		default:
			l = r.ask(ctx)
		}
		if r.kind == essential && l.Verdict == check.Fail {
			broken = r.name
		}
		l.Requirement, l.Seen = r.name, c.clean(l.Seen)
		lines = append(lines, l)
	}
	return lines
}

// call asks as fetch does, but leaves no trace in Status, log and metrics.
func (k *checker) call(ctx context.Context, q question) reply {
	began := time.Now()
	a := k.protocol.exchange(ctx, q, nil)
	a.took = time.Since(began)
	if outcome := a.outcome(); ctx.Err() != nil && (outcome == TimedOut || outcome == Unreachable) {
		a.err = failf(TimedOut, "no answer within %v, which is all the time that a check has", a.took.Round(100*time.Millisecond))
	}
	return a
}

// credentials asks for the newest rates, once for all lines.
func (k *checker) credentials(ctx context.Context) check.Line {
	k.latest = k.call(ctx, newest)
	switch outcome := k.latest.outcome(); {
	case outcome == Refused && !k.handle.HasCredentials():
		advice := "put them into the handle: user:password@ or token@ before the host"
		if k.handle.IsRedis() {
			advice = "put them into the handle: user:password@ or :password@ before the host"
		}
		return check.Failed(fmt.Sprintf("asks for credentials (status %d), and the handle has none", k.latest.status), advice)
	case outcome == Refused:
		return check.Failed(k.latest.err.Error(), "ask who runs it for the right ones; a /, ?, #, % or @ in them is percent-encoded")
	case k.latest.status == 0:
		return check.Skipped("no answer to tell by")
	case k.handle.HasCredentials():
		return check.Passed("sent, and not refused")
	default:
		return check.Passed("none sent, and none asked for")
	}
}

func (k *checker) newest(context.Context) check.Line {
	a := k.latest
	server := ""
	if a.server != "" {
		server = ", Server: " + k.short(a.server)
	}
	if a.err != nil {
		return check.Failed(a.err.Error()+server, k.advice(a))
	}
	seen := fmt.Sprintf("%v, %d currencies%s", a.kept.table.Date(), len(a.kept.table.Currencies())+len(a.kept.table.Unknown()), server)
	if a.attempts > 1 {
		return check.Warned(fmt.Sprintf("%s, at attempt %d", seen, a.attempts), "it answers, but not at once: its log may say why")
	}
	return check.Passed(seen)
}

// short cuts what the service said to what a line has room for. It is scrubbed
// first: half a password would not be found.
func (k *checker) short(said string) string { return fmt.Sprintf("%.60s", k.handle.Scrub(said)) }

// advice is what to do about an answer without rates.
func (k *checker) advice(a reply) string {
	switch outcome := a.outcome(); {
	case k.handle.IsRedis() && outcome == NoService:
		return "name rates' RESP_PORT, or a Redis that holds its keys (rates export fills one); http:// in the handle is for one that speaks HTTP"
	case a.status/100 == 3:
		return "name the place that it leads to: redirects are followed within the origin only, and three at most"
	case outcome == TimedOut:
		return "is that the right port? For one that is slow, say ?timeout= and how long in the handle"
	case outcome == Unreachable:
		return "it breaks connections off: is that the right port, and http://, https:// or redis:// what it speaks? Its log may say why"
	case outcome == Failing:
		return "it is there, and not well: its log may say why"
	default:
		return "name a rates service, with its base path if it has one: what the handle names and /v1/latest must be rates"
	}
}
