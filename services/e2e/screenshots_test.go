package e2e

import (
	"bytes"
	"cmp"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestScreenshots takes the pictures that the README shows: make screenshots.
// They have the ports that make up gives.
func TestScreenshots(t *testing.T) {
	dir := os.Getenv("SCREENSHOTS")
	if dir == "" {
		t.Skip("SCREENSHOTS does not name a folder")
	}
	producer := start(t, "rates", "PORT=5100")
	quotes := start(t, "quotes", "PORT=5000", "LOCK_MAX_DAYS=36500", "RATES_URL="+producer.url+"?max_age=1s&max_stale=1s")
	b := openTab(t)
	take := func(name string) {
		t.Helper()
		evaluate[bool](b, `document.fonts.ready.then(() => true)`)
		shot, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
		if err != nil {
			t.Fatal(err)
		}
		small := palette(t, shot)
		if err := os.WriteFile(filepath.Join(dir, name+".png"), small, 0o644); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d KB", name, len(small)>>10)
		if len(small) > 120<<10 {
			t.Errorf("%s is %d bytes long, want at most 120 KB", name, len(small))
		}
	}
	calls := func(kind string, n int) {
		b.until(fmt.Sprintf(`document.querySelectorAll('.calls .%s').length >= %d`, kind, n))
	}
	whole := func() { b.size(1280, evaluate[int64](b, "document.body.scrollHeight")) }
	b.open(quotes.url + "/?amount=250&source=EUR&target=USD")
	b.click("[data-span='3']")
	b.says(".readout", "1.1699")
	calls("fine", 11)
	whole()
	take("light")

	b.run(chromedp.EmulateViewport(390, 844, chromedp.EmulateScale(2)))
	take("phone")
	evaluate[bool](b, `(document.querySelector('#convert-title').scrollIntoView(), scrollBy(0, -32), true)`)
	take("phone-convert")

	b.size(1280, 500)
	evaluate[bool](b, `(scrollTo(0, 0), true)`)
	producer.stop(syscall.SIGTERM)
	b.state("detached")
	calls("failed", 3)
	take("detached")

	start(t, "rates", "PORT=5100")
	b.state("attached")
	b.media("prefers-color-scheme", "dark")
	b.says("#answer", "292.48 USD")
	whole()
	take("dark")
	b.size(700, 640)
	b.click(".lock button")
	b.says("h1", "Quote ACTIVE")
	take("quote")
}

// palette is a PNG with the 256 colours that most of a picture has: of a page
// that is nearly all of it, in a third of the bytes.
func palette(t *testing.T, shot []byte) []byte {
	t.Helper()
	from, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		t.Fatal(err)
	}
	count := map[color.RGBA]int{}
	bounds := from.Bounds()
	at := func(x, y int) color.RGBA { return color.RGBAModel.Convert(from.At(x, y)).(color.RGBA) }
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			count[at(x, y)]++
		}
	}
	most := slices.SortedFunc(maps.Keys(count), func(a, b color.RGBA) int { return cmp.Compare(count[b], count[a]) })
	var colours color.Palette
	for _, c := range most[:min(256, len(most))] {
		colours = append(colours, c)
	}
	to := image.NewPaletted(bounds, colours)
	index := map[color.RGBA]uint8{}
	for _, c := range most {
		index[c] = uint8(colours.Index(c))
	}
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			to.SetColorIndex(x, y, index[at(x, y)])
		}
	}
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, to); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
