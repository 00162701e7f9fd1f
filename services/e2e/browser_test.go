package e2e

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browser is one headless Chromium for all tests, started when the first needs
// it. Without the windows' part it is the same, at half the price.
var browser struct {
	once sync.Once
	ctx  context.Context
	err  error
	end  func()
}

var errNoBrowser = errors.New("no chromium is installed (Debian: chromium-headless-shell)")

func startBrowser() {
	b := &browser
	path := ""
	for _, name := range []string{"chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = cmp.Or(path, found)
		}
	}
	if b.end = func() {}; path == "" {
		b.err = errNoBrowser
		return
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.WindowSize(1280, 900), chromedp.WSURLReadTimeout(time.Minute))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // it has none for root
	}
	allocator, end := chromedp.NewExecAllocator(context.Background(), options...)
	var endTab func()
	b.ctx, endTab = chromedp.NewContext(allocator)
	b.end = func() { endTab(); end() } // in this order the browser gets to tidy up
	b.err = chromedp.Do(b.ctx)
}

// endBrowser ends it, if a test has started it.
func endBrowser() {
	if browser.end != nil {
		browser.end()
	}
}

// tab is a page of a visitor who has been nowhere before. What the console
// complains of, and a request to a host that the test did not name, fails the
// test.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu         sync.Mutex
	hosts      map[string]bool // that it may ask
	complaints []string
	asked      []string // path and query of each request
	received   float64  // bytes
}

type step = chromedp.Action[chromedp.Void]

// watchShifts adds up how far the layout has moved by itself.
const watchShifts = `window.shifted = 0; window.shifts = [];
new PerformanceObserver(list => {
  for (const e of list.getEntries()) {
    window.shifted += e.value;
    window.shifts.push(e.value.toFixed(4) + ' ' + e.sources.map(s => s.node && (s.node.id || s.node.className || s.node.nodeName)).join(' '));
  }
}).observe({type: 'layout-shift', buffered: true});`

func openTab(t *testing.T) *tab {
	t.Helper()
	if browser.once.Do(startBrowser); browser.err != nil {
		if errors.Is(browser.err, errNoBrowser) && os.Getenv("CI") == "" {
			t.Skip(browser.err)
		}
		t.Fatal(browser.err)
	}
	b := &tab{t: t, hosts: map[string]bool{}}
	var closeTab func()
	b.ctx, closeTab = chromedp.NewContext(browser.ctx, chromedp.WithNewBrowserContext(), chromedp.WithListener(b.listen))
	t.Cleanup(func() {
		if t.Failed() {
			state, _ := tryEvaluate[string](b, `location.href + '\n' + (document.body ? document.body.innerText : '')`)
			t.Logf("the page:\n%s", state)
		}
		closeTab()
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, c := range b.complaints {
			t.Errorf("the browser complains: %s", c)
		}
	})
	if err := chromedp.Do(b.ctx); err != nil { // the tab lives as long as this ctx
		t.Fatal(err)
	}
	send(b, emulation.SetLocaleOverride, emulation.SetLocaleOverrideParams{Locale: "en-GB"})
	b.first(watchShifts)
	b.media("prefers-color-scheme", "light")
	b.size(1280, 900)
	return b
}

func (b *tab) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	complain := func(format string, args ...any) { b.complaints = append(b.complaints, fmt.Sprintf(format, args...)) }
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		u, err := url.Parse(e.Request.URL)
		if err != nil || strings.HasPrefix(u.Scheme, "http") && !b.hosts[u.Host] {
			complain("it asks another host: %s", e.Request.URL)
			return
		}
		b.asked = append(b.asked, u.RequestURI())
	case *network.EventLoadingFinished:
		b.received += e.EncodedDataLength
	case *runtime.EventExceptionThrown:
		complain("%s %v", e.ExceptionDetails.Text, e.ExceptionDetails.Exception)
	case *runtime.EventConsoleAPICalled:
		complain("console.%s", e.Type)
	case *log.EventEntryAdded:
		// Of the network it tells what tests do on purpose: problems, restarts.
		if e.Entry.Source != log.EntrySourceNetwork && e.Entry.Level == log.EntryLevelError {
			complain("%s: %s", e.Entry.Source, e.Entry.Text)
		}
	}
}

// may lets the tab ask the host of a URL.
func (b *tab) may(target string) {
	b.t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		b.t.Fatal(err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.hosts[u.Host] = true
}

// open goes to a URL, whose host the page may ask.
func (b *tab) open(target string) {
	b.t.Helper()
	b.may(target)
	b.run(chromedp.Navigate(target))
}

// first has every page run a script before its own.
func (b *tab) first(script string) {
	b.t.Helper()
	send(b, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
}

// run does a step, within patience. To a node that was found in a page just
// before the next one came nothing was done, and it is looked for anew.
func (b *tab) run(s step) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	err := chromedp.Do(ctx, s)
	for err != nil && ctx.Err() == nil && strings.Contains(err.Error(), "Could not find node with given id") {
		err = chromedp.Do(ctx, s)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// click is a click of the mouse.
func (b *tab) click(selector string) {
	b.t.Helper()
	b.run(chromedp.Click(chromedp.CSS(selector)))
}

// press types on the keyboard, wherever the focus is.
func (b *tab) press(keys string) {
	b.t.Helper()
	b.run(chromedp.KeyEvent(keys))
}

// write puts a text in the place of what a field has, key by key.
func (b *tab) write(selector, text string) {
	b.t.Helper()
	evaluate[bool](b, fmt.Sprintf(`(e => { e.focus(); e.select(); return true })(document.querySelector(%q))`, selector))
	b.press(text)
}

// set gives a field a value at once, as a picker does.
func (b *tab) set(selector, value string) {
	b.t.Helper()
	evaluate[bool](b, fmt.Sprintf(`(e => { e.value = %q; return e.dispatchEvent(new Event('input', {bubbles: true})) })(document.querySelector(%q))`, value, selector))
}

// size is that of the window.
func (b *tab) size(width, height int64) {
	b.t.Helper()
	b.run(chromedp.EmulateViewport(width, height))
}

// media sets a feature of the reader's, such as prefers-color-scheme.
func (b *tab) media(name, value string) {
	b.t.Helper()
	send(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: name, Value: value}}})
}

// text is what an element says, in one line.
func (b *tab) text(selector string) string {
	b.t.Helper()
	return strings.Join(strings.Fields(evaluate[string](b, fmt.Sprintf(`(e => e ? e.innerText : '(no such element)')(document.querySelector(%q))`, selector))), " ")
}

// until waits for a JavaScript expression to be true, of whatever page is
// there by then.
func (b *tab) until(js string) {
	b.t.Helper()
	eventually(b.t, js, func() bool {
		ok, err := tryEvaluate[bool](b, "Boolean("+js+")")
		return err == nil && ok
	})
}

// says waits for an element to say something.
func (b *tab) says(selector, text string) {
	b.t.Helper()
	quoted, _ := json.Marshal(text) // it is a string
	b.until(fmt.Sprintf(`(document.querySelector(%q) || document.body).innerText.replace(/\s+/g, ' ').includes(%s)`, selector, quoted))
}

// evaluate is the value of a JavaScript expression.
func evaluate[T any](b *tab, js string) T {
	b.t.Helper()
	v, err := tryEvaluate[T](b, js)
	if err != nil {
		b.t.Fatalf("%s: %v", js, err)
	}
	return v
}

func tryEvaluate[T any](b *tab, js string) (T, error) {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](js, chromedp.EvalAwaitPromise))
}

// send sends the browser a command of its protocol.
func send[P, R any](b *tab, command cdp.Command[P, R], params P) R {
	b.t.Helper()
	r, err := chromedp.Call(b.ctx, command, params)
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}
