package ratesapi

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"example.com/portpair/services/quotes/internal/quote"
)

func TestRatesOverTheRedisProtocol(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := serveRedis(t, someRates().answer).attach(t, "")
		r := c.mustLatest(t)
		want(t, "rate", usd(t, r), "1.1699")
		want(t, "date", r.Date(), date(t, "2026-08-21"))
		s := c.Status()
		want(t, "state", s.State, Attached)
		want(t, "server", s.Server, "rates/0.1.0")
		last := c.last(t)
		want(t, "status", last.Status, http.StatusOK)
		want(t, "attempts", last.Attempts, 1)
		if line := c.log.String(); !strings.Contains(line, `"path":"rates:latest"`) {
			t.Errorf("got the log %s", line)
		}
	})
}

func TestADayOverTheRedisProtocol(t *testing.T) {
	for asked, answered := range map[string]string{
		"2026-08-18": "2026-08-18", "2026-08-16": "2026-08-14", "2026-08-28": "2026-08-21", "2026-09-04": "2026-08-21", "2026-09-05": "", "2026-08-13": "",
	} {
		t.Run(asked, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := serveRedis(t, someRates().answer)
				c := f.attach(t, "")
				r, err := c.On(t.Context(), date(t, asked))
				if got := f.commands(); len(got) != 18 || f.accepted.Load() != 1 {
					t.Errorf("asked %q over %d connections, want HELLO, and in one go 15 days, whether there are any, and INFO", got, f.accepted.Load())
				}
				if answered == "" {
					wantErr(t, err, quote.ErrNoRatesForDate)
					want(t, "status", c.last(t).Status, http.StatusNotFound)
					want(t, "outcome", c.last(t).Outcome, NoRates)
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				want(t, "date", r.Date(), date(t, answered))
			})
		})
	}
}

func TestTheDaysOfAPairOverTheRedisProtocol(t *testing.T) {
	for pair, days := range map[string]string{
		"EUR/USD": "2026-08-17 1.15, 2026-08-18 1.1699, 2026-08-20 1.1681, 2026-08-21 1.1699",
		"JPY/USD": "2026-08-17 0.00625, 2026-08-18 0.00630130345793, 2026-08-21 0.00630130345793",
	} {
		synctest.Test(t, func(t *testing.T) {
			c := serveRedis(t, someRates().answer).attach(t, "")
			want(t, pair, told(c.mustBetween(t, pair)), days)
		})
	}
	synctest.Test(t, func(t *testing.T) {
		c := serveRedis(t, someRates().answer).attach(t, "")
		_, err := c.Between(t.Context(), date(t, "2026-08-15"), date(t, "2026-08-16"), currency(t, "EUR"), currency(t, "USD"))
		wantErr(t, err, quote.ErrNoRatesForDate)
		_, err = c.Between(t.Context(), date(t, "2026-08-15"), date(t, "2026-08-21"), currency(t, "EUR"), currency(t, "GBP"))
		wantErr(t, err, quote.ErrNoRatesForDate)
	})
}

func TestALongRangeComesInPieces(t *testing.T) {
	h := someRates()
	first := date(t, "2020-01-01")
	const days = 2*atOnce + 1
	for n := range days {
		day := first.AddDays(n).String()
		h.with(keyPrefix+day, "date", day, "base", "EUR", "USD", "1.25")
	}
	c := serveRedisOnTCP(t, h.answer).attach(t, "") // where what one side sends does not wait for the other
	s, err := c.Between(t.Context(), first, first.AddDays(days-1), currency(t, "EUR"), currency(t, "USD"))
	if err != nil {
		t.Fatal(err)
	}
	want(t, "days", len(s.Days), days)
}

// What max_age=0s costs: a question is one command.
func TestAQuestionIsOneCommand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := serveRedis(t, someRates().answer)
		c := f.attach(t, "?max_age=0s")
		for range 100 {
			c.mustLatest(t)
		}
		got := f.commands()
		if !slices.Equal(got[:3], []string{"hello", "hgetall", "info"}) || slices.ContainsFunc(got[3:], func(s string) bool { return s != "hgetall" }) {
			t.Errorf("asked %q", got)
		}
		want(t, "connections", f.accepted.Load(), 1)
	})
}

func TestTheHandlesCredentialsAreSent(t *testing.T) {
	for userinfo, hello := range map[string]string{
		"": "hello 2", ":p%40ss@": "hello 2 auth default p@ss", "shop:p%40ss@": "hello 2 auth shop p@ss",
	} {
		synctest.Test(t, func(t *testing.T) {
			f := serveRedis(t, someRates().answer)
			f.attachAs(t, userinfo, "").mustLatest(t)
			want(t, "HELLO", f.asked[0], hello)
		})
	}
}

// A Redis that takes no connection says why, asked or not, and ends it.
func TestWhatARedisSaysInsteadOfAWelcome(t *testing.T) {
	for said, tt := range map[string]struct {
		outcome  Outcome
		attempts int
	}{
		"DENIED Redis is running in protected mode": {Refused, 1},
		"ERR max number of clients reached":         {Failing, 3},
	} {
		t.Run(said, func(t *testing.T) {
			c := serveRedisOnTCP(t, someRates().but("hello", "-"+said+"\r\n"+hangUp)).attach(t, "")
			_, err := c.Latest(t.Context())
			wantErr(t, err, quote.ErrRatesUnavailable)
			last := c.last(t)
			want(t, "outcome", last.Outcome, tt.outcome)
			want(t, "attempts", last.Attempts, tt.attempts)
			if !strings.Contains(last.Error, said) {
				t.Errorf("got %q, want %q in it", last.Error, said)
			}
		})
	}
}

func TestWhatARedisSaysInsteadOfRates(t *testing.T) {
	for said, tt := range map[string]struct {
		outcome          Outcome
		status, attempts int
	}{
		"WRONGPASS invalid username-password pair or user is disabled.": {Refused, 401, 1},
		"NOAUTH Authentication required.":                               {Refused, 401, 1},
		"NOPERM User shop has no permissions":                           {Refused, 401, 1},
		"LOADING Redis is loading the dataset in memory":                {Failing, 503, 3},
		"BUSY Redis is busy running a script":                           {Failing, 503, 3},
		"MASTERDOWN Link with MASTER is down":                           {Failing, 503, 3},
		"ERR max number of clients reached":                             {Failing, 503, 3},
		"WRONGTYPE Operation against a key":                             {NoService, 200, 1},
		"ERR unknown command 'HGETALL'":                                 {NoService, 200, 1},
		"MOVED 1234 192.0.2.1:6379":                                     {NoService, 200, 1},
	} {
		t.Run(said, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := serveRedis(t, someRates().but("hgetall", "-"+said+"\r\n")).attach(t, "")
				_, err := c.Latest(t.Context())
				wantErr(t, err, quote.ErrRatesUnavailable)
				last := c.last(t)
				want(t, "outcome", last.Outcome, tt.outcome)
				want(t, "status", last.Status, tt.status)
				want(t, "attempts", last.Attempts, tt.attempts)
				if !strings.Contains(last.Error, said) {
					t.Errorf("got %q, want %q in it", last.Error, said)
				}
			})
		})
	}
}

// A server that refuses a new connection's HELLO refuses the question.
func TestARefusedLogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const password = "s3cret-p4ss"
		f := serveRedis(t, func(args []string) string { return "-WRONGPASS who says " + password + "?\r\n" })
		c := f.attachAs(t, "shop:"+password+"@", "")
		_, err := c.Latest(t.Context())
		wantErr(t, err, quote.ErrRatesUnavailable)
		want(t, "outcome", c.last(t).Outcome, Refused)
		if said := c.last(t).Error + c.log.String(); strings.Contains(said, password) || !strings.Contains(said, "WRONGPASS who says ***?") {
			t.Errorf("got %q", said)
		}
	})
}

// A connection that is not logged in, or not answered, is not left over.
func TestAFailedLoginLeavesNoConnection(t *testing.T) {
	for name, answer := range map[string]string{"refused": "-WRONGPASS\r\n", "not answered": silence, "broken": hangUp, "foreign": "HTTP/1.1 400\r\n"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := serveRedis(t, func([]string) string { return answer })
				c := f.attachAs(t, "shop:rates:latest@", "?timeout=500ms") // which is no question
				_, err := c.Latest(t.Context())
				wantErr(t, err, quote.ErrRatesUnavailable)
				time.Sleep(time.Second)
				synctest.Wait()
				want(t, "connections", f.open.Load(), 0)
				if f.accepted.Load() == 0 {
					t.Error("got no connection at all")
				}
			})
		})
	}
}

// INFO is a courtesy: who may not ask for it, or gets odd things, has rates.
func TestAServerThatDoesNotNameItself(t *testing.T) {
	for info, server := range map[string]string{
		"-NOPERM this user has no permissions to run the 'info' command\r\n": "",
		bulk("# Server\r\n"):                      "",
		bulk("redis_version:7.2.4\r\n"):           "redis/7.2.4",
		bulk("redis_version:7\x1b[2Jx\u009b\r\n"): `redis/7?[2Jx?`,
	} {
		synctest.Test(t, func(t *testing.T) {
			c := serveRedis(t, someRates().but("info", info)).attach(t, "")
			c.mustLatest(t)
			if got := c.Status().Server; got != server && !(server != "" && strings.HasPrefix(got, server[:7]) && !strings.ContainsAny(got, "\x1b\u009b")) {
				t.Errorf("%q: got %q, want %q", info, got, server)
			}
		})
	}
}

func TestAnAttemptOverTheRedisProtocolEndsAtItsTimeout(t *testing.T) {
	for name, answer := range map[string]func([]string) string{
		"silence from the first":  func([]string) string { return silence },
		"silence to the question": someRates().but("hgetall", silence),
		"an answer that stops":    someRates().but("hgetall", "*4\r\n$4\r\ndate\r\n$10\r\n2026"+silence),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := serveRedis(t, answer).attach(t, "?timeout=3s&attempts=1")
				_, err := c.Latest(t.Context())
				wantErr(t, err, quote.ErrRatesUnavailable)
				last := c.last(t)
				want(t, "duration", last.Duration, 3*time.Second)
				want(t, "outcome", last.Outcome, TimedOut)
				want(t, "error", last.Error, "no answer within 3s, asked once")
				want(t, "status", last.Status, 0)
			})
		})
	}
}

func TestRetriesOverTheRedisProtocol(t *testing.T) {
	for name, tt := range map[string]struct {
		raw      string
		attempts int
		least    time.Duration
	}{
		"the connection breaks":      {hangUp, 3, 0},
		"within an answer":           {"*12\r\n$4\r\nda" + hangUp, 3, 0},
		"no answer comes":            {silence, 3, time.Second},
		"it is loading":              {"-LOADING\r\n", 3, 0},
		"it says no":                 {"-NOPERM\r\n", 1, 0},
		"it speaks something other":  {"HTTP/1.1 200 OK\r\n", 1, 0},
		"the answer is for a string": {"+OK\r\n", 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var n atomic.Int64
				h := someRates()
				f := serveRedis(t, func(args []string) string {
					if args[0] == "hgetall" && n.Add(1) < 3 {
						return tt.raw
					}
					return h.answer(args)
				})
				c := f.attach(t, "?timeout=500ms")
				_, err := c.Latest(t.Context())
				last := c.last(t)
				want(t, "attempts", last.Attempts, tt.attempts)
				if (err == nil) != (tt.attempts == 3) {
					t.Errorf("got error %v", err)
				}
				if last.Duration < tt.least || last.Duration > tt.least+300*time.Millisecond {
					t.Errorf("took %v, want %v and two waits of 100 and 200 ms at most", last.Duration, tt.least)
				}
			})
		})
	}
}

// Connections at rest that the server ended, restarting say, cost nothing.
func TestARestartBetweenCallsIsNotNoticed(t *testing.T) {
	f := serveRedisOnTCP(t, someRates().answer)
	c := f.attach(t, "?max_age=0s")
	for range 5 {
		c.mustLatest(t)
		want(t, "attempts", c.last(t).Attempts, 1)
		f.cut()
	}
	want(t, "connections", f.accepted.Load(), 5)
}

// After a timeout those at rest may lead nowhere too.
func TestATimeoutGivesUpTheConnectionsAtRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := serveRedis(t, someRates().answer)
		c := f.attach(t, "?max_age=0s&timeout=500ms&attempts=1")
		askTogether(t, c, 10)
		opened := f.accepted.Load()
		f.deafen()
		want(t, "outcome of the first", c.protocol.exchange(t.Context(), newest, nil).outcome(), TimedOut)
		want(t, "outcome of the second", c.protocol.exchange(t.Context(), newest, nil).outcome(), OK)
		if opened < 2 {
			t.Errorf("got %d connections at rest, want some", opened)
		}
	})
}

// However often nothing listened, it is found again soon.
func TestALongOutageIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := serveRedis(t, someRates().answer)
		c := f.attach(t, "?attempts=1")
		var back atomic.Bool
		c.Client.dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			if back.Load() {
				return f.dial(ctx, network, addr)
			}
			return nil, syscall.ECONNREFUSED
		}
		for range 3 * idleConns {
			want(t, "outcome", c.protocol.exchange(t.Context(), newest, nil).outcome(), Unreachable)
		}
		back.Store(true)
		time.Sleep(2 * time.Second)
		want(t, "outcome", c.protocol.exchange(t.Context(), newest, nil).outcome(), OK)
	})
}

func TestCloseEndsWhatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := serveRedis(t, someRates().but("hgetall", silence)).attach(t, "?timeout=1m")
		failed := make(chan error)
		go func() {
			_, err := c.Latest(t.Context())
			failed <- err
		}()
		synctest.Wait()
		began := time.Now()
		c.Close()
		if err := <-failed; !errors.Is(err, quote.ErrRatesUnavailable) || time.Since(began) > 0 {
			t.Errorf("got %v after %v", err, time.Since(began))
		}
		want(t, "error", c.last(t).Error, "not waited for: the app ends")
	})
}

func TestAnUntrustedCertificateOfARedisIsNotRetried(t *testing.T) {
	s := httptest.NewUnstartedServer(answer(good))
	s.Config.ErrorLog = quiet
	s.StartTLS()
	t.Cleanup(s.Close)
	u := &upstream{Server: &httptest.Server{URL: "rediss://" + s.Listener.Addr().String()}}
	c := u.attach(t, "")
	_, err := c.Latest(t.Context())
	wantErr(t, err, quote.ErrRatesUnavailable)
	want(t, "attempts", c.last(t).Attempts, 1)
	if got := c.last(t).Error; !strings.Contains(got, "certificate") {
		t.Errorf("got %q", got)
	}
}

func TestTheBreakerOpensOverTheRedisProtocolToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := serveRedis(t, someRates().but("hgetall", hangUp))
		c := f.attach(t, "?max_age=0s")
		for range tripAfter {
			_, _ = c.Latest(t.Context())
		}
		want(t, "breaker", c.Status().Breaker, "open")
		opened := f.accepted.Load()
		_, _ = c.Latest(t.Context())
		want(t, "connections once it is open", f.accepted.Load(), opened)
	})
}
