package ratesapi

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.com/portpair/services/quotes/internal/quote"
)

func TestTheState(t *testing.T) {
	for name, tt := range map[string]struct {
		handler http.HandlerFunc
		waits   []time.Duration // before each request
		want    State
	}{
		"nothing was asked yet":              {nil, nil, Detached},
		"it answers":                         {answer(good), []time.Duration{0}, Attached},
		"it answers in a second":             {after(time.Second, answer(good)), []time.Duration{0}, Attached},
		"it answers in over a second":        {after(time.Second+1, answer(good)), []time.Duration{0}, Slow},
		"it answers after a retry":           {inTurn(status(503, ""), answer(good)), []time.Duration{0}, Slow},
		"it was slow, and is not now":        {inTurn(after(time.Second+1, answer(good)), answer(good)), []time.Duration{0, time.Hour}, Attached},
		"asking fails, known rates serve":    {inTurn(answer(good), status(404, "")), []time.Duration{0, time.Hour}, Stale},
		"asking fails, up to max_stale":      {inTurn(answer(good), status(404, "")), []time.Duration{0, 24 * time.Hour}, Stale},
		"asking fails, and after max_stale":  {inTurn(answer(good), status(404, "")), []time.Duration{0, 24*time.Hour + 1}, Detached},
		"it never answered":                  {never, []time.Duration{0}, Detached},
		"what answers is no rates service":   {answer("<html>"), []time.Duration{0}, Detached},
		"it failed, and is back":             {inTurn(answer(good), status(404, ""), answer(good)), []time.Duration{0, time.Hour, time.Hour}, Attached},
		"it failed first, and is there":      {inTurn(status(404, ""), answer(good)), []time.Duration{0, 0}, Attached},
		"a kept table serves without asking": {answer(good), []time.Duration{0, time.Minute}, Attached},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := serveInMemory(t, tt.handler).attach(t, "?attempts=2")
				for _, wait := range tt.waits {
					time.Sleep(wait)
					_, _ = c.Latest(t.Context())
				}
				want(t, "state", c.Status().State, tt.want)
			})
		})
	}
}

func TestADayWithoutRatesIsAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := serveInMemory(t, status(404, `{"message":"not found"}`)).attach(t, "")
		_, err := c.On(t.Context(), date(t, "1998-12-31"))
		wantErr(t, err, quote.ErrNoRatesForDate)
		s := c.Status()
		want(t, "state", s.State, Attached)
		want(t, "last error", s.LastError, "")
		want(t, "last success", s.LastSuccess, start)
		want(t, "status of the call", s.Calls[0].Status, 404)
		want(t, "newest day", s.RateDate, "")
	})
}

func TestStatusTellsWhatIsKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := serveInMemory(t, inTurn(after(time.Second, answer(good)), status(404, "")))
		c := u.attach(t, "?max_age=1m")
		s := c.Status()
		want(t, "handle", s.Handle, u.URL)
		want(t, "calls before the first", len(s.Calls), 0)
		want(t, "last success before the first", s.LastSuccess, time.Time{})

		c.mustLatest(t)
		time.Sleep(30 * time.Second)
		s = c.Status()
		want(t, "newest day", s.RateDate, "2026-08-21")
		want(t, "last success", s.LastSuccess, start.Add(time.Second))
		want(t, "age", s.Age, 30*time.Second)
		want(t, "last error", s.LastError, "")

		time.Sleep(30 * time.Second)
		c.mustLatest(t)
		s = c.Status()
		want(t, "newest day, stale", s.RateDate, "2026-08-21")
		want(t, "last success, stale", s.LastSuccess, start.Add(time.Second))
		want(t, "age, stale", s.Age, time.Minute)
		want(t, "last error, stale", s.LastError, "what answers is no rates service: GET /v1/latest gave status 404 with no content type")

		want(t, "calls", len(s.Calls), 2)
		want(t, "the newer call", s.Calls[0], Call{
			Time: start.Add(61 * time.Second), Status: 404, Attempts: 1, Outcome: NoService, Error: s.LastError,
		})
		want(t, "the older call", s.Calls[1], Call{
			Time: start, Duration: time.Second, Status: 200, Attempts: 1, Outcome: OK,
		})
	})
}

func TestTheLast20CallsAreToldNewestFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := serveInMemory(t, answer(good)).attach(t, "?max_age=0s")
		for range 25 {
			c.mustLatest(t)
			time.Sleep(time.Second)
		}
		calls := c.Status().Calls
		if len(calls) != 20 {
			t.Fatalf("got %d calls, want 20", len(calls))
		}
		for i, call := range calls {
			want(t, fmt.Sprintf("time of call %d", i), call.Time, start.Add(time.Duration(24-i)*time.Second))
		}
		calls[0].Status = 0
		want(t, "another reader's calls", c.Status().Calls[0].Status, 200)
	})
}

func TestTheServerHeaderIsCleanedAndCapped(t *testing.T) {
	for name, tt := range map[string]struct{ header, want string }{
		"none":                {"", ""},
		"ours":                {"rates/0.1.0", "rates/0.1.0"},
		"terminal escapes":    {"\x9b31mrates\u202e", "�31mrates�"},
		"broken UTF-8":        {"rates \xff", "rates �"},
		"200 bytes":           {strings.Repeat("x", 200), strings.Repeat("x", 200)},
		"20,000 bytes":        {strings.Repeat("x", 20_000), strings.Repeat("x", 200) + "…"},
		"markup is no harm":   {"<script>", "<script>"}, // here: whoever shows it escapes it
		"a tab, the only one": {"rates\t1", "rates�1"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := serveInMemory(t, func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Server", tt.header)
					io.WriteString(w, good)
				}).attach(t, "")
				c.mustLatest(t)
				want(t, "server", c.Status().Server, tt.want)
			})
		})
	}
}

func TestTheServerIsThatOfTheLastAnswer(t *testing.T) {
	named := func(name string, h http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Server", name)
			h(w, r)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		c := serveInMemory(t, inTurn(
			named("rates", answer(good)), named("nginx", status(404, "<html>")), named("nobody", never), answer(good),
		)).attach(t, "?max_age=0s&attempts=1&timeout=500ms")
		for _, server := range []string{"rates", "nginx", "nginx", ""} {
			c.mustLatest(t)
			time.Sleep(time.Minute)
			want(t, "server", c.Status().Server, server)
		}
	})
}

func TestACallIsLoggedOnceAndObservedOnce(t *testing.T) {
	for name, tt := range map[string]struct {
		handler http.HandlerFunc
		log     string
		outcome Outcome
	}{
		"it answered": {answer(good),
			`"level":"DEBUG","msg":"backing service answered","path":"/v1/2026-08-22","outcome":"ok","status":200,"attempts":1,"duration":"0s"}`, OK},
		"it has none": {status(404, `{"message":"not found"}`),
			`"level":"DEBUG","msg":"backing service answered","path":"/v1/2026-08-22","outcome":"no-rates","status":404,"attempts":1,"duration":"0s"}`, NoRates},
		"it failed": {inTurn(status(503, ""), status(500, "secret")),
			`"outcome":"failing","status":500,"attempts":2,`, Failing},
		"it did not answer": {never,
			`"outcome":"timed-out","status":0,"attempts":2,`, TimedOut},
		"it broke off": {cutShort,
			`"outcome":"unreachable","status":200,"attempts":2,"duration":`, Unreachable},
		"it refused": {status(401, ""),
			`"outcome":"refused","status":401,"attempts":1,`, Refused},
		"it is something else": {answer("<html>"),
			`"outcome":"no-rates-service","status":200,"attempts":1,`, NoService},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := serveInMemory(t, tt.handler).attach(t, "?attempts=2")
				_, _ = c.On(t.Context(), date(t, "2026-08-22"))
				lines := strings.Count(c.log.String(), "\n")
				if lines != 1 || !strings.Contains(c.log.String(), tt.log) {
					t.Errorf("got the log %s, want one line with %s", c.log, tt.log)
				}
				if strings.Contains(c.log.String(), "secret") {
					t.Errorf("the log repeats a body: %s", c.log)
				}
				want(t, "observed", len(c.observed), 1)
				want(t, "outcome", c.last(t).Outcome, tt.outcome)
			})
		})
	}
}

func TestACallThatHangsShowsAsOneThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var hang atomic.Bool
		c := serveInMemory(t, func(w http.ResponseWriter, r *http.Request) {
			if hang.Load() {
				never(w, r)
				return
			}
			answer(good)(w, r)
		}).attach(t, "?max_age=1s&timeout=30s")
		if _, err := c.Latest(t.Context()); err != nil {
			t.Fatal(err)
		}
		hang.Store(true)
		<-time.After(2 * time.Second)
		c.Look(t.Context())
		if got := c.Status(); got.State != Stale || got.LastError != "no answer yet, asked 1s ago" {
			t.Errorf("got %s, last error %q, want stale and why", got.State, got.LastError)
		}
	})
}

func TestWhatTheBackingServiceSaysBackIsNoSecretOfOurs(t *testing.T) {
	for name, h := range map[string]func(w http.ResponseWriter, secret string){
		"in its name": func(w http.ResponseWriter, secret string) {
			w.Header().Set("Server", secret)
			answer(good)(w, nil)
		},
		"in its content type": func(w http.ResponseWriter, secret string) {
			w.Header().Set("Content-Type", secret)
			w.WriteHeader(http.StatusNotFound)
		},
		"as a base": func(w http.ResponseWriter, secret string) {
			answer(strings.Replace(good, "EUR", secret, 1))(w, nil)
		},
		"as a date": func(w http.ResponseWriter, secret string) {
			answer(strings.Replace(good, "2026-08-21", secret, 1))(w, nil)
		},
		"as a rate": func(w http.ResponseWriter, secret string) {
			answer(strings.Replace(good, "1.1699", `"`+secret+`"`, 1))(w, nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, decoded := range []bool{false, true} {
				u := serve(t, func(w http.ResponseWriter, r *http.Request) {
					secret := r.Header.Get("Authorization")
					if user, password, ok := r.BasicAuth(); ok && decoded {
						secret = user + ":" + password
					}
					h(w, secret)
				})
				c := u.attachAs(t, "shop:s3cretpw@", "")
				_, _ = c.Latest(t.Context())
				shown := fmt.Sprintf("%+v %s", c.Status(), c.log)
				for _, secret := range []string{"s3cretpw", "c2hvcDpzM2NyZXRwd"} {
					if strings.Contains(shown, secret) {
						t.Errorf("%q shows in %s", secret, shown)
					}
				}
				if !strings.Contains(shown, "***") {
					t.Errorf("got %s, want *** where the secret was", shown)
				}
			}
		})
	}
}
