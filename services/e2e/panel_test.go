package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// hurry lets the page's clock run 20 times as fast, where no time is the
// matter.
func (b *tab) hurry() {
	b.t.Helper()
	b.first(`{ const real = setTimeout; window.setTimeout = (f, ms, ...rest) => real(f, ms / 20, ...rest) }`)
}

// state waits for the panel to show one.
func (b *tab) state(state string) {
	b.t.Helper()
	b.until(fmt.Sprintf(`document.querySelector('#backing').dataset.state === %q`, state))
}

func TestPanelTurnsWithTheProducer(t *testing.T) {
	t.Parallel()
	const limit = 4 * time.Second
	port := freePorts(t)
	env := fmt.Sprint("PORT=", port)
	producer := start(t, "rates", env)
	quotes := start(t, "quotes", fmt.Sprintf("RATES_URL=http://localhost:%d", port))
	b := openTab(t)
	b.open(quotes.url + "/")
	b.state("attached")
	b.says("#backing", "attached It answers. Handle http://localhost:"+fmt.Sprint(port)+" Answered by rates/dev")

	var stopped, started time.Duration
	for range 3 { // the machine may be busy at one time
		began := time.Now()
		producer.stop(syscall.SIGTERM)
		b.state("stale")
		stopped = time.Since(began)
		b.says("#backing", "stale Asking it fails. What it said before still serves.")
		b.says("#backing .calls", "no answer")
		b.says("#answer", "100.00 EUR = 116.99 USD")

		producer = start(t, "rates", env)
		began = time.Now()
		b.state("attached")
		if started = time.Since(began); max(stopped, started) <= limit {
			break
		}
	}
	t.Logf("it turned in %v and %v", stopped, started)
	if stopped > limit || started > limit {
		t.Errorf("it turned in %v when rates stopped and %v when it started, want at most %v", stopped, started, limit)
	}
}

func TestPageComesAliveWithItsBackingService(t *testing.T) {
	t.Parallel()
	port := freePorts(t)
	quotes := start(t, "quotes", fmt.Sprintf("RATES_URL=http://localhost:%d", port))
	b := openTab(t)
	b.hurry()
	b.open(quotes.url + "/?amount=7&source=EUR&target=USD")
	b.state("detached")
	b.says("#backing", "detached Asking it fails, and nothing known from before is fresh enough.")
	b.says("#backing", "connection refused")
	b.says("#answer", "Rates unavailable")
	const offered = `[...document.querySelectorAll('#convert option')].some(o => o.value === 'KWD')`
	b.until(offered)
	start(t, "rates", fmt.Sprint("PORT=", port))
	b.state("attached")
	b.says("#answer", "7.00 EUR = 8.19 USD")
	b.until("!" + offered) // which nobody publishes
	b.write("[name=amount]", "20")
	b.says("#answer", "20.00 EUR = 23.40 USD") // what was chosen still is
	b.says(".readout", "1 EUR = 1.1699 USD")
}

func TestPageFollowsASwap(t *testing.T) {
	t.Parallel()
	port := fmt.Sprint("PORT=", freePorts(t))
	guarded := start(t, "rates", "RATES_ACCESS=shop:s3cret")
	party := thirdParty(t)
	quotes := start(t, "quotes", port, "RATES_URL="+strings.Replace(guarded.url, "//", "//shop:s3cret@", 1))
	b := openTab(t)
	b.hurry()
	b.open(quotes.url + "/")
	b.says("#backing", "Handle "+strings.Replace(guarded.url, "//", "//***@", 1)+" Answered by rates/dev")
	b.says("footer", "Source: European Central Bank.")
	b.write("[name=amount]", "20")
	b.says("#answer", "20.00 EUR = 23.40 USD")

	quotes.stop(syscall.SIGTERM)
	start(t, "quotes", port, "RATES_URL="+party.URL)
	b.says("#backing", "attached It answers. Handle "+party.URL+" Answered by nobody named")
	b.says("footer", "Source: "+strings.TrimPrefix(party.URL, "http://"))
	b.says("#answer", "20.00 EUR = 25.00 USD")
}

func TestPanelShowsRetries(t *testing.T) {
	t.Parallel()
	party := thirdParty(t)
	var asked atomic.Int64
	limping := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1)%2 == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		party.Config.Handler.ServeHTTP(w, r)
	}))
	defer limping.Close()
	quotes := start(t, "quotes", "RATES_URL="+limping.URL)
	b := openTab(t)
	b.open(quotes.url + "/")
	b.state("slow")
	b.says("#backing", "slow It answers, but its last answer took over a second, or a retry.")
	b.says("#backing .calls .retried", "2 attempts")
}

func TestPanelStaysWhereARoutingLayerKeepsItFromTheWorld(t *testing.T) {
	t.Parallel()
	_, quotes := attached(t)
	u, err := url.Parse(quotes.url)
	if err != nil {
		t.Fatal(err)
	}
	var asked atomic.Int64
	proxy := httputil.NewSingleHostReverseProxy(u)
	router := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/backing" {
			asked.Add(1)
			http.NotFound(w, r)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	defer router.Close()
	b := openTab(t)
	b.hurry()
	b.open(router.URL + "/")
	rendered := b.text("#backing")
	eventually(t, "the panel is asked for", func() bool { return asked.Load() > 0 })
	evaluate[bool](b, `new Promise(done => setTimeout(() => done(true), 12000))`) // time for six more
	if n := asked.Load(); n != 1 {
		t.Errorf("asked %d times, want once", n)
	}
	if got := b.text("#backing"); got != rendered || !strings.Contains(got, "attached It answers.") {
		t.Errorf("the panel says\n%s\nwant what it said at first\n%s", got, rendered)
	}
	if got := b.text("footer"); strings.Contains(got, "backing service") {
		t.Errorf("the footer leads to what nobody may see: %s", got)
	}
}

func TestHostileTextIsText(t *testing.T) {
	t.Parallel()
	const evil = `<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>"'&amp;`
	t.Run("of a visitor", func(t *testing.T) {
		_, quotes := attached(t)
		b := openTab(t)
		for _, field := range []string{"amount", "source", "date"} {
			b.open(quotes.url + "/?" + url.Values{field: {evil}}.Encode())
			b.says("#answer", "("+field+")")
			b.wantUnhacked()
		}
		b.open(quotes.url + "/")
		b.write("[name=amount]", evil[:20])
		b.says("#answer", "Invalid amount")
		b.write(".from input", evil[:10])
		b.wantUnhacked()
	})
	t.Run("of the backing service", func(t *testing.T) {
		var broken atomic.Bool
		hostile := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Server", evil+"\u202e"+strings.Repeat("long", 500))
			if broken.Load() {
				w.WriteHeader(http.StatusTeapot)
				fmt.Fprint(w, evil, "\x1b[2J")
				return
			}
			fmt.Fprint(w, `{"amount":1,"base":"EUR","date":"2026-08-21","rates":{"USD":1.25,"GBP":0.9}}`)
		}))
		defer hostile.Close()
		port := freePorts(t)
		quotes := launch(t, filepath.Join(binDir, "quotes"), fmt.Sprint("PORT=", port), "RATES_URL="+hostile.URL+"?attempts=1", "LOG_FORMAT=text")
		quotes.url = fmt.Sprintf("http://localhost:%d", port)
		eventually(t, "quotes answers", func() bool { _, err := tryGet(quotes.url + "/livez"); return err == nil })
		b := openTab(t)
		b.size(320, 800)
		b.hurry()
		b.open(quotes.url + "/")
		b.says("#backing", `Answered by <img src=x onerror="window.hacked=1"><script>window.hacked=1</script>`)
		if got := len(b.text(".node.far")); got > 400 {
			t.Errorf("the panel shows %d bytes of the server's name", got)
		}
		b.wantUnhacked()
		broken.Store(true)
		b.state("stale")
		b.says("#backing", "status 418")
		b.wantUnhacked()
		b.wantNoSidewaysScroll("a hostile server's name")
		if said := quotes.out.String(); strings.ContainsAny(said, "\x1b\u202e") {
			t.Errorf("a control character reached the log:\n%q", said)
		}
	})
}

// wantUnhacked checks that nothing of evil became an element or ran.
func (b *tab) wantUnhacked() {
	b.t.Helper()
	if evaluate[bool](b, `window.hacked === 1 || document.querySelector('img, script:not([src]), .node b') !== null`) {
		b.t.Errorf("text became markup: %s", evaluate[string](b, "document.documentElement.outerHTML"))
	}
	if text := evaluate[string](b, "document.body.innerText"); strings.ContainsAny(text, "\x1b\u202e") {
		b.t.Errorf("a control character is shown in %q", text)
	}
}
