package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// attached starts rates with the built-in snapshot, however old, and quotes on it.
func attached(t *testing.T, env ...string) (rates, quotes *app) {
	t.Helper()
	rates = start(t, "rates")
	return rates, start(t, "quotes", append([]string{"RATES_URL=" + rates.url, "LOCK_MAX_DAYS=36500"}, env...)...)
}

func TestPageConvertsAsOneTypes(t *testing.T) {
	t.Parallel()
	_, quotes := attached(t)
	b := openTab(t)
	b.open(quotes.url + "/")
	b.says("#answer", "100.00 EUR = 116.99 USD")

	b.write("[name=amount]", "1234.5")
	b.says("#answer", "1,234.50 EUR = 1,444.24 USD 1 EUR = 1.1699 USD 1 USD = 0.8547739123 EUR")
	b.says("#answer", "Reference rate of Friday 21 August 2026, the newest published day, ")
	b.says("#answer", "These are old rates: the backing service has published none for ")
	b.until(`location.search === '?amount=1234.5&source=EUR&target=USD'`)

	// A currency by its name, with the keyboard alone.
	b.write(".to input", "yen")
	b.until(`document.querySelectorAll('#currencies-1 li').length === 1`)
	b.press(kb.Enter)
	b.says("#answer", "1,234.50 EUR = 229,197 JPY")
	b.says(".readout", "1 EUR = 185.66 JPY")

	b.click("button.swap")
	b.says("#answer", "Invalid amount (amount)") // a yen has no decimals
	b.until(`document.querySelector('[name=amount]').getAttribute('aria-invalid') === 'true'`)
	b.write("[name=amount]", "5000")
	b.press(kb.Enter) // converts, and presses no other button
	b.says("#answer", "5,000 JPY = 26.93 EUR")
	b.until(`document.querySelector('[name=amount]').getAttribute('aria-invalid') === 'false'`)

	b.set("[name=date]", "2026-08-16")
	b.says("#answer", "Reference rate of Friday 14 August 2026, the last day with rates before Sunday 16 August 2026, ")
	b.until(`location.search === '?amount=5000&source=JPY&target=EUR&date=2026-08-16'`)

	// The address is all that another reader needs.
	shared, other := evaluate[string](b, "location.href"), openTab(t)
	other.open(shared)
	other.says("#answer", "5,000 JPY = 27.18 EUR")
	if got, want := other.text("#answer"), b.text("#answer"); got != want {
		t.Errorf("another reader sees\n%s\nwant\n%s", got, want)
	}
}

func TestPageLocksAcceptsAndExpires(t *testing.T) {
	t.Parallel()
	port, database := freePorts(t), "DATABASE_URL="+sqliteURL(t)
	env := func(ttl string) []string { return []string{fmt.Sprint("PORT=", port), database, "QUOTE_TTL=" + ttl} }
	rates, quotes := attached(t, env("30m")...)
	b := openTab(t)
	b.open(quotes.url + "/?amount=250&source=EUR&target=GBP")
	b.click(".lock button")
	b.says("h1", "Quote ACTIVE")
	b.says(".quote", "250.00 EUR = 214.18 GBP")
	b.until(`/^(30:00|29:5\d) left$/.test(document.querySelector('.countdown').innerText)`)
	active := evaluate[string](b, "location.href")

	b.click(".quote form button")
	b.says("h1", "Quote ACCEPTED")
	if got := evaluate[string](b, "location.href"); got != active {
		t.Errorf("accepted at %s, want %s", got, active)
	}

	if code := quotes.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("exit status %d after SIGTERM, want 0", code)
	}
	quotes = start(t, "quotes", append(env("1s"), "RATES_URL="+rates.url, "LOCK_MAX_DAYS=36500")...)
	b.run(chromedp.Reload())
	b.says("h1", "Quote ACCEPTED")

	// One that nobody accepts says by itself that it is over.
	b.open(quotes.url + "/")
	b.click(".lock button")
	b.says("h1", "Quote EXPIRED")
	if got := evaluate[int](b, "document.querySelectorAll('.quote form').length"); got != 0 {
		t.Errorf("an expired quote has %d forms, want none", got)
	}
	b.run(chromedp.Reload())
	b.says("h1", "Quote EXPIRED")
}

func TestPageWithoutScripts(t *testing.T) {
	t.Parallel()
	_, quotes := attached(t)
	b := openTab(t)
	send(b, emulation.SetLocaleOverride, emulation.SetLocaleOverrideParams{Locale: "de-DE"})
	send(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	b.open(quotes.url + "/?amount=1234.5&source=EUR&target=USD&date=2026-08-20")
	b.says("#answer", "1,234.50 EUR = 1,442.02 USD") // as in en-GB: nobody can tell
	b.write("[name=amount]", "2000000")
	b.run(chromedp.SetValue(chromedp.CSS("[name=target]"), "JPY"))
	b.set("[name=date]", "")
	b.click(".go")
	b.says("#answer", "2,000,000.00 EUR = 371,320,000 JPY")
	b.click(".swap")
	b.says("#answer", "2,000,000 JPY = 10,772.38 EUR")
	if got := b.text("#backing"); !strings.Contains(got, "attached It answers.") {
		t.Errorf("the panel says %s", got)
	}
	if evaluate[bool](b, `[...document.querySelectorAll('.plot, .spans button')].some(e => e.checkVisibility())`) {
		t.Error("there is a chart that cannot be")
	}
	b.click(".lock button")
	b.says("h1", "Quote ACTIVE")
	b.says(".quote", "2,000,000 JPY = 10,772.38 EUR")
	b.click(".quote form button")
	b.says("h1", "Quote ACCEPTED")
}

func TestPageSpeaksAsItsReaderDoes(t *testing.T) {
	t.Parallel()
	_, quotes := attached(t)
	b := openTab(t)
	send(b, emulation.SetLocaleOverride, emulation.SetLocaleOverrideParams{Locale: "de-DE"})
	b.open(quotes.url + "/")
	b.write("[name=amount]", "1234,57")
	b.says("#answer", "1.234,57 EUR = 1.444,32 USD 1 EUR = 1,1699 USD")
	b.says(".readout", "1 EUR = 1,1699 USD Fr., 21. Aug. 2026")
	b.until(`location.search === '?amount=1234.57&source=EUR&target=USD'`)
	b.click(".lock button")
	b.says(".quote", "1.234,57 EUR = 1.444,32 USD")
}

// What is marked in the list is what one means, by Tab too.
func TestTabTakesTheCurrencyThatIsMarked(t *testing.T) {
	t.Parallel()
	_, quotes := attached(t)
	b := openTab(t)
	b.open(quotes.url + "/")
	b.says("#answer", "116.99 USD")
	b.write(".to input", "yen")
	b.until(`document.querySelector('#currencies-1 [aria-selected=true]')?.dataset.code === 'JPY'`)
	b.press(kb.Tab)
	b.says("#answer", "18,566 JPY")
}

func TestAnOpenPageNoticesANewDay(t *testing.T) {
	t.Parallel()
	var published atomic.Bool
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		day, rate := "2026-08-20", "1.25"
		if published.Load() {
			day, rate = "2026-08-21", "1.50"
		}
		if !strings.HasPrefix(r.URL.Path, "/v1/latest") {
			fmt.Fprintf(w, `{"amount":1,"base":"EUR","start_date":"2026-08-20","end_date":%[1]q,"rates":{%[1]q:{"USD":%[2]s}}}`, day, rate)
			return
		}
		fmt.Fprintf(w, `{"amount":1,"base":"EUR","date":%q,"rates":{"GBP":0.9,"USD":%s}}`, day, rate)
	}))
	defer service.Close()
	quotes := start(t, "quotes", "RATES_URL="+service.URL+"?max_age=1s", "LOCK_MAX_DAYS=36500")
	b := openTab(t)
	b.open(quotes.url + "/")
	b.says("#answer", "125.00 USD")
	published.Store(true)
	b.says("#answer", "150.00 USD")
	b.says(".readout", "1 EUR = 1.5 USD")
	b.click(".lock button")
	b.says(".sum", "150.00 USD")
}

// holding is a way to an app on which a path's questions for yen are held, and
// told of, until they are released.
func holding(t *testing.T, a *app, path string) (way string, asked <-chan struct{}, release func()) {
	t.Helper()
	to, err := url.Parse(a.url)
	if err != nil {
		t.Fatal(err)
	}
	told, held := make(chan struct{}, 9), make(chan struct{})
	release = sync.OnceFunc(func() { close(held) })
	proxy := httputil.NewSingleHostReverseProxy(to)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == path && r.URL.Query().Get("target") == "JPY" {
			told <- struct{}{}
			<-held
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	t.Cleanup(release)
	return s.URL, told, release
}

// What is locked is what was asked: not the last question, while the answer to
// the next is on its way.
func TestNothingIsLockedWhileTheAnswerIsOnItsWay(t *testing.T) {
	t.Parallel()
	_, quotes := attached(t)
	way, asked, release := holding(t, quotes, "/")
	b := openTab(t)
	b.open(way + "/")
	b.says("#answer", "116.99 USD")
	b.write(".to input", "yen")
	b.press(kb.Enter)
	<-asked
	b.until(`document.querySelector('.lock button').disabled`)
	release()
	b.says("#answer", "18,566 JPY")
	b.until(`!document.querySelector('.lock button').disabled`)
}

// A quote's page is better than a browser's: at its expiry it stays until
// quotes is there to say so.
func TestAQuotesPageWaitsForQuotesAtItsExpiry(t *testing.T) {
	t.Parallel()
	rates := start(t, "rates")
	env := []string{fmt.Sprint("PORT=", freePorts(t)), "DATABASE_URL=" + sqliteURL(t), "RATES_URL=" + rates.url, "LOCK_MAX_DAYS=36500", "QUOTE_TTL=3s"}
	quotes := start(t, "quotes", env...)
	b := openTab(t)
	b.open(quotes.url + "/")
	b.click(".lock button")
	b.says("h1", "Quote ACTIVE")
	quotes.stop(syscall.SIGTERM)
	b.says(".countdown", "0:00 left")
	start(t, "quotes", env...)
	b.says("h1", "Quote EXPIRED")
}
