package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// wantNoSidewaysScroll checks that the page is no wider than the window.
func (b *tab) wantNoSidewaysScroll(what string) {
	b.t.Helper()
	if wide := evaluate[[]int](b, `[document.documentElement.scrollWidth, innerWidth]`); wide[0] > wide[1] {
		b.t.Errorf("%s: the page is %d px wide in a window of %d", what, wide[0], wide[1])
	}
}

// wantStill checks how far the layout has moved by itself, typing or not.
func (b *tab) wantStill(what string) {
	b.t.Helper()
	if shifted := evaluate[float64](b, "shifted"); shifted > 0.05 {
		b.t.Errorf("%s: a layout shift of %.4f, want at most 0.05: %s", what, shifted, evaluate[string](b, "shifts.join('; ')"))
	}
}

func TestPageFitsEveryWindow(t *testing.T) {
	t.Parallel()
	rates, quotes := attached(t)
	b := openTab(t)
	widths := []int64{320, 390, 768, 1280, 2560}
	everywhere := func(what string) {
		t.Helper()
		for _, width := range widths {
			b.size(width, 900)
			b.wantNoSidewaysScroll(what)
		}
	}
	for _, width := range []int64{390, 1280} {
		b.size(width, 900)
		b.open(quotes.url + "/")
		b.says(".readout", "1 EUR = 1.1699 USD")
		b.wantStill(fmt.Sprintf("loaded at %d px", width))
		b.write("[name=amount]", "250")
		b.says("#answer", "292.48 USD")
		b.write(".to input", "yen")
		b.press(kb.Enter)
		b.says(".readout", "JPY")
		b.says("#answer", "46,415 JPY")
		b.wantStill(fmt.Sprintf("a conversion at %d px", width))
	}
	everywhere("a conversion")
	b.open(quotes.url + "/?amount=999999999999999&source=EUR&target=IDR")
	b.says("#answer", "IDR")
	everywhere("a long amount")
	longest := evaluate[string](b, `[...document.querySelector('[name=source]').options].sort((a, b) => b.text.length - a.text.length)[0].value`)
	b.open(quotes.url + "/?amount=1&source=" + longest + "&target=USD")
	b.says("#answer", longest)
	b.click(".from input")
	everywhere("the longest name")
	b.open(quotes.url + "/?amount=" + strings.Repeat("9", 2000))
	b.says("#answer", "Invalid amount")
	everywhere("a long mistake")
	b.open(quotes.url + "/?amount=9999999999&source=EUR&target=IDR")
	b.click(".lock button")
	b.says("h1", "ACTIVE")
	everywhere("a quote")
	b.open(rates.url + "/")
	everywhere("rates' page")
}

func TestPageOnAPhone(t *testing.T) {
	t.Parallel()
	_, quotes := attached(t)
	b := openTab(t)
	b.run(chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile, chromedp.EmulateTouch))
	b.open(quotes.url + "/")
	b.says("#answer", "100.00 EUR = 116.99 USD")
	tap := func(selector string) { b.run(chromedp.Tap(chromedp.CSS(selector))) }
	tap(".to input")
	b.until(`document.querySelector('#currencies-1').checkVisibility()`)
	tap("#currencies-1-GBP")
	b.says("#answer", "100.00 EUR = 85.67 GBP")
	tap(".swap")
	b.says("#answer", "100.00 GBP = 116.73 EUR")
	tap(".lock button")
	b.says("h1", "Quote ACTIVE")
	tap(".quote form button")
	b.says("h1", "Quote ACCEPTED")
	b.wantNoSidewaysScroll("a quote")
}

func TestPageByKeyboardAlone(t *testing.T) {
	t.Parallel()
	_, quotes := attached(t)
	b := openTab(t)
	b.open(quotes.url + "/")
	b.says(".readout", "1 EUR = 1.1699 USD")
	to := func(selector string) {
		t.Helper()
		for range 30 {
			b.press(kb.Tab)
			if evaluate[bool](b, fmt.Sprintf(`document.activeElement.matches(%q)`, selector)) {
				if !evaluate[bool](b, `getComputedStyle(document.activeElement).outlineStyle !== 'none'`) {
					t.Errorf("nobody sees that the focus is on %s", selector)
				}
				return
			}
		}
		t.Fatalf("no Tab leads to %s", selector)
	}
	to("[name=amount]")
	b.press("75")
	to(".to input")
	b.press("pound")
	b.press(kb.ArrowDown + kb.Enter)
	b.says("#answer", "GBP")
	to("[name=date]")
	to(".lock button")
	b.press(kb.Enter)
	b.says("h1", "Quote ACTIVE")
	to(".quote form button")
	b.press(kb.Enter)
	b.says("h1", "Quote ACCEPTED")
	b.says(".quote", "75.00 EUR = 64.25 GBP")
}

func TestPageLoadsLittleAndOnlyItsOwn(t *testing.T) {
	t.Parallel()
	_, quotes := attached(t)
	b := openTab(t)
	b.open(quotes.url + "/")
	b.says(".readout", "1 EUR = 1.1699 USD")
	b.until("document.readyState === 'complete'")
	b.mu.Lock()
	received, asked := b.received, slices.Clone(b.asked)
	b.mu.Unlock()
	t.Logf("%.1f KB in %d requests", received/1024, len(asked))
	if received > 120<<10 || received < 10<<10 || len(asked) < 8 {
		t.Errorf("got %.1f KB in %d requests, want at most 120 KB: %s", received/1024, len(asked), asked)
	}

	// What a hostile text would do, had it become markup.
	for name, js := range map[string]string{
		"an inline script": `document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.ran = 1'}))`,
		"an inline style":  `document.head.append(Object.assign(document.createElement('style'), {textContent: 'body { --ran: 1 }'}))`,
		"a frame":          `document.body.append(Object.assign(document.createElement('iframe'), {src: '/'}))`,
		"an image":         `document.body.append(Object.assign(new Image(), {src: '/image.png'}))`,
	} {
		evaluate[chromedp.Void](b, `void `+js)
		eventually(t, "the policy stops "+name, func() bool {
			b.mu.Lock()
			defer b.mu.Unlock()
			found := slices.IndexFunc(b.complaints, func(c string) bool { return strings.Contains(c, "Content Security Policy") })
			if found >= 0 {
				b.complaints = slices.Delete(b.complaints, found, found+1)
			}
			return found >= 0
		})
	}
	if evaluate[bool](b, `'ran' in window || getComputedStyle(document.body).getPropertyValue('--ran') !== ''`) {
		t.Error("what is inline was run")
	}
}

func TestPagesAreAccessible(t *testing.T) {
	t.Parallel()
	path := os.Getenv("AXE")
	if path == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("AXE is not set, and CI must have axe-core")
		}
		t.Skip("AXE is not set: npm install axe-core@4.14.1, and set it to the package's axe.min.js")
	}
	axe, err := os.ReadFile(filepath.Clean(path))
	if err != nil {
		t.Fatal(err)
	}
	rates, quotes := attached(t)
	b := openTab(t)
	b.open(quotes.url + "/")
	b.click(".lock button")
	b.says("h1", "Quote ACTIVE")
	quote := evaluate[string](b, "location.href")
	for name, url := range map[string]string{
		"page": quotes.url + "/", "quote": quote, "mistake": quotes.url + "/?amount=x", "problem": quotes.url + "/quotes/none", "rates": rates.url + "/",
	} {
		b.media("prefers-color-scheme", "light")
		b.open(url)
		if name == "page" {
			b.says(".readout", "1 EUR = 1.1699 USD")
			b.click(".numbers summary")
			b.click(".to input")
			b.until(`document.querySelector('#currencies-1').checkVisibility()`)
		}
		evaluate[chromedp.Void](b, string(axe)+"; void 0")
		b.wantAccessible(name+", light", "{}")
		b.media("prefers-color-scheme", "dark")
		b.until(`getComputedStyle(document.body).backgroundColor.match(/\d+/g)[0] < 64`)
		b.wantAccessible(name+", dark", "{runOnly: ['color-contrast']}") // the rest is the same
	}
}

func (b *tab) wantAccessible(what, options string) {
	b.t.Helper()
	for _, v := range evaluate[[]string](b, `axe.run(`+options+`).then(r => r.violations.filter(v => ['serious', 'critical'].includes(v.impact))
		.map(v => v.id + ': ' + v.help + ': ' + v.nodes.map(n => n.html).join(' ')))`) {
		b.t.Errorf("%s: %s", what, v)
	}
}
