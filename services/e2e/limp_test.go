package e2e

import (
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// What the pair promises of a producer that limps.
const (
	soon       = 1500 * time.Millisecond // an answer from what is known
	atOnce     = 5 * time.Millisecond    // the same, once the breaker is open
	wellAgain  = 5 * time.Second         // attached after the producer is well, nothing left behind
	callsEach  = 1.2                     // per request, of a producer that fails
	retries    = 2                       // one call's, which may be on their way at any time
	probeEvery = time.Second             // when the breaker is open
	leftovers  = 5                       // goroutines, sockets
)

// limp is a way in which a producer limps.
type limp struct {
	name  string
	begin func(*wire)
	opens bool // the breaker; the others are answered, if not at once
	brief bool // it runs in the short version too
}

var limps = []limp{
	{"2 s latency", toxic(`{"type":"latency","attributes":{"latency":2000}}`), true, false},
	{"10% resets", func(w *wire) {
		w.front.Config.SetKeepAlivesEnabled(false) // a reset is a connection's: each call has its own
		w.poison(`{"type":"reset_peer","toxicity":0.1}`)
	}, false, false},
	{"1 KB/s", toxic(`{"type":"bandwidth","attributes":{"rate":1}}`), false, false},
	{"black hole", toxic(`{"type":"timeout","attributes":{"timeout":0}}`), true, true},
	{"half-open connections", func(w *wire) {
		w.poison(`{"type":"slow_close","attributes":{"delay":60000}}`) // quotes does not hear
		w.front.CloseClientConnections()                               // that these are gone
	}, false, false},
	{"500", status(http.StatusInternalServerError), true, false},
	{"429 with Retry-After", func(w *wire) {
		w.answer(func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Retry-After", "86400")
			rw.WriteHeader(http.StatusTooManyRequests)
		})
	}, true, false},
	{"cut bodies", func(w *wire) {
		w.answer(func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Length", "600")
			_, _ = io.WriteString(rw, `{"amount":1,"base":"EUR",`)
			rw.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		})
	}, true, true},
}

var redisLimps = []limp{
	{"2 s latency", toxic(`{"type":"latency","attributes":{"latency":2000}}`), true, false},
	{"black hole", toxic(`{"type":"timeout","attributes":{"timeout":0}}`), true, false},
	{"10% resets", toxic(`{"type":"reset_peer","toxicity":0.1}`), false, false},
	{"1 KB/s", toxic(`{"type":"bandwidth","attributes":{"rate":1}}`), false, false},
	{"cut answers", toxic(`{"type":"limit_data","attributes":{"bytes":300}}`), true, true},
	{"resets", toxic(`{"type":"reset_peer"}`), true, false},
}

func toxic(json string) func(*wire) { return func(w *wire) { w.poison(json) } }

func status(code int) func(*wire) {
	return func(w *wire) {
		w.answer(func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(code) })
	}
}

func TestALimpingProducerIsHardlyNoticed(t *testing.T) {
	rates, second := startRESP(t)
	for protocol, over := range map[string]struct {
		limps   []limp
		newWire func(*testing.T) *wire
	}{
		"over HTTP":               {limps, func(t *testing.T) *wire { return newWire(t, rates) }},
		"over the Redis protocol": {redisLimps, func(t *testing.T) *wire { return newRedisWire(t, second) }},
	} {
		t.Run(protocol, func(t *testing.T) {
			if !full() {
				t.Parallel()
			}
			limpAll(t, over.limps, over.newWire)
		})
	}
}

// limpAll has a producer limp in some ways, each on a wire of its own.
func limpAll(t *testing.T, limps []limp, newWire func(*testing.T) *wire) {
	t.Helper()
	database := "DATABASE_URL=" + sqliteURL(t) // a row's name may be no URL
	timeout := "500ms"                         // a call hangs less long
	if full() {
		timeout = "1500ms" // well under the latency of 2 s, or now and then an answer comes
	}
	options := "?max_age=0s&timeout=" + timeout
	for _, l := range limps {
		if !l.brief && !full() {
			continue
		}
		t.Run(l.name, func(t *testing.T) {
			if !full() {
				t.Parallel()
			}
			w := newWire(t)
			start := start
			if !full() {
				start = shipped // at once is at once beside other tests too
			}
			quotes := start(t, "quotes", "RATES_URL="+w.meter.url+options, "LOG_LEVEL=info", database)
			get(t, quotes.url+convert100) // something is known from now on
			before := quotes.holds()
			requests := loadEvery(t, 20*time.Millisecond, quotes.url+convert100, 8, true)
			requests.more(t, 50)

			asked, calls := requests.answered.Load(), w.meter.calls.Load()
			few := func(when string, beyond int64) {
				t.Helper()
				wantFewCalls(t, when, w.meter.calls.Load()-calls-beyond, requests.asked.Load()-asked)
			}
			l.begin(w)
			if l.opens {
				eventually(t, "the breaker opens", quotes.opened)
				few("until the breaker opens", retries)
				wantQuiet(t, w, quotes)
			} else {
				requests.during(t, 2*time.Second)
			}
			few("altogether", 0)

			w.heal()
			within(t, wellAgain, "it is attached again", func() bool {
				return get(t, quotes.url+"/v1/backing").json(t)["state"] == "attached"
			})
			requests.want(t, soon)
			within(t, wellAgain, "nothing is left behind", func() bool {
				now := quotes.holds()
				return now.goroutines <= before.goroutines+leftovers && now.files <= before.files+leftovers
			})
		})
	}
}

// opened tells whether its breaker has opened, as it logs.
func (a *app) opened() bool {
	return strings.Contains(a.out.String(), `"msg":"breaker","from":"closed","to":"open"`)
}

// during waits for so long, and that requests are answered meanwhile.
func (l *traffic) during(t *testing.T, d time.Duration) {
	t.Helper()
	over := time.After(d)
	l.more(t, 10)
	<-over
}

func wantFewCalls(t *testing.T, when string, calls, requests int64) {
	t.Helper()
	each := float64(calls) / float64(requests)
	t.Logf("%s: %d calls, %d requests: %.3f each", when, calls, requests, each)
	if each >= callsEach {
		t.Errorf("%s: got %d calls of %d requests, %.3f each, want under %v", when, calls, requests, each, callsEach)
	}
}

// wantQuiet checks that with the breaker open requests are answered at once,
// and one call at a time finds out how the producer is.
func wantQuiet(t *testing.T, w *wire, quotes *app) {
	t.Helper()
	eventually(t, "the calls from before have ended", func() bool {
		return int64(quotes.metric("backing_attempts_total")) == w.meter.calls.Load() && w.meter.waiting() == 0
	})
	began, calls := time.Now(), w.meter.calls.Load()
	best := time.Hour
	for time.Since(began) < 2*probeEvery || best > atOnce && time.Since(began) < 10*probeEvery { // others use this machine too
		best = min(best, usual(t, quotes.url+convert100, 30))
	}
	took := time.Since(began)
	calls = w.meter.calls.Load() - calls
	t.Logf("open: nine in ten are answered within %v; %d calls in %v", best, calls, took)
	if best > atOnce {
		t.Errorf("nine in ten requests are answered within %v, want %v, once the breaker is open", best, atOnce)
	}
	if most := w.meter.most(); most > 1 {
		t.Errorf("got %d calls at a time, want one that probes", most)
	}
	if limit := int64(took/probeEvery) + 1; calls > limit {
		t.Errorf("got %d calls in %v, want at most %d: one each %v", calls, took, limit, probeEvery)
	}
}

// usual asks n times and returns how long nine in ten took at most.
func usual(t *testing.T, url string, n int) time.Duration {
	t.Helper()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	c := &http.Client{Transport: transport, Timeout: patience}
	tick := time.NewTicker(2 * time.Millisecond) // as fast as it can would be a load of its own
	defer tick.Stop()
	var took []time.Duration
	for range n {
		<-tick.C
		began := time.Now()
		resp, err := c.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	return took[n*9/10-1]
}

// holdings are what a process holds.
type holdings struct{ goroutines, files float64 }

// holds tells; files, sockets among them, are known on Linux alone.
func (a *app) holds() holdings {
	a.t.Helper()
	return holdings{a.metric("go_goroutines"), a.metric("process_open_fds")}
}

// metric reads one of the app's metrics, 0 when there is none of that name.
func (a *app) metric(name string) float64 {
	a.t.Helper()
	_, after, _ := strings.Cut(get(a.t, a.url+"/metrics").body, "\n"+name+" ")
	value, _, _ := strings.Cut(after, "\n")
	n, _ := strconv.ParseFloat(value, 64)
	return n
}

// within is eventually with a limit of its own.
func within(t *testing.T, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	began := time.Now()
	eventually(t, what, ok)
	took := time.Since(began)
	t.Logf("%s after %v", what, took.Round(time.Millisecond))
	if took > limit {
		t.Errorf("%s after %v, want %v at most", what, took, limit)
	}
}
