package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// gapped is a feed of 40 days in January and February 2026 and 40 from June,
// with nothing between. USD is 1.0001 on the first
// and a thousandth more on each.
func gapped(t *testing.T) (feed string, days []string) {
	t.Helper()
	for _, first := range []time.Time{time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)} {
		for i := range 40 {
			days = append(days, first.AddDate(0, 0, i).Format(time.DateOnly))
		}
	}
	csv := "Date,USD,JPY,\n"
	for i := len(days) - 1; i >= 0; i-- { // newest first, as the ECB has it
		csv += fmt.Sprintf("%s,1.%03d1,150.5,\n", days[i], i)
	}
	path := filepath.Join(t.TempDir(), "feed.csv")
	if err := os.WriteFile(path, []byte(csv), 0o600); err != nil {
		t.Fatal(err)
	}
	return "file://" + path, days
}

// columns are the shares of the chart's width, in tenths from left to right,
// whose columns have a pixel of a colour.
const columns = `(name => {
  const canvas = document.querySelector('.plot canvas');
  const over = document.querySelector('.u-over').getBoundingClientRect(), all = canvas.getBoundingClientRect();
  const ratio = canvas.width / all.width;
  const want = getComputedStyle(document.documentElement).getPropertyValue(name).trim().match(/\w\w/g).map(h => parseInt(h, 16));
  const x0 = Math.round((over.left - all.left) * ratio), width = Math.round(over.width * ratio), height = Math.round(over.height * ratio);
  const {data} = canvas.getContext('2d').getImageData(x0, Math.round((over.top - all.top) * ratio), width, height);
  const tenths = new Array(10).fill(0);
  for (let x = 0; x < width; x++) for (let y = 0; y < height; y++) {
    const at = 4 * (y * width + x);
    if (data[at + 3] > 180 && want.every((v, i) => Math.abs(v - data[at + i]) < 24)) { tenths[Math.floor(10 * x / width)]++; break; }
  }
  return tenths.map(n => n / (width / 10));
})`

// chart is that of the gapped feed.
type chart struct {
	*tab
	days []string
}

// wants waits for the value of a day.
func (c chart) wants(i int) {
	c.t.Helper()
	day, _ := time.Parse(time.DateOnly, c.days[i]) // it was written so
	c.says(".readout", fmt.Sprintf("1 EUR = 1.%03d1 USD %s", i, day.Format("Mon, 2 Jan 2006")))
}

// loads waits for the numbers to have come.
func (c chart) loads() {
	c.t.Helper()
	c.until(`document.querySelector('#history').ariaBusy === 'false'`)
}

func TestChart(t *testing.T) {
	t.Parallel()
	feed, days := gapped(t)
	rates := start(t, "rates", "FEED_URL="+feed)
	rates.await("it serves the feed", func(line map[string]any) (string, bool) {
		return "", line["msg"] == "table" && line["source"] == "feed"
	})
	quotes := start(t, "quotes", "RATES_URL="+rates.url)
	b := openTab(t)
	b.open(quotes.url + "/")
	c := chart{b, days}
	c.loads()
	c.wants(len(days) - 1)
	for _, sub := range []struct {
		name string
		test func(chart)
	}{
		{"gaps are gaps", chart.hasGaps},
		{"arrow keys", chart.followsKeys},
		{"pointer and finger", chart.followsPointers},
		{"the chosen day", chart.marksTheChosenDay},
		{"spans", chart.hasSpans},
		{"table and CSV", chart.hasATableAndCSV},
	} {
		t.Run(sub.name, func(t *testing.T) { sub.test(chart{b.of(t), days}) })
	}
}

func (c chart) hasGaps() {
	c.click("[data-span='']")
	c.until(`document.querySelector("[data-span='']").ariaPressed === 'true'`)
	c.loads()
	line := evaluate[[]float64](c.tab, columns+"('--accent')")
	for i, share := range line {
		// Of 191 days 39 have the line, then 111 have none, then 39 have it.
		if drawn := i == 0 || i == 1 || i > 7; drawn && share < 0.5 || i > 2 && i < 7 && share > 0 {
			c.t.Errorf("the line is in %.2f of the chart's width, by tenths; want it in the first two, and the last two", line)
			break
		}
	}
}

func (c chart) followsKeys() {
	last := len(c.days) - 1
	c.run(chromedp.Focus(chromedp.CSS(".plot")))
	for _, move := range []struct {
		key string
		at  int
	}{{kb.Home, 0}, {kb.ArrowRight, 1}, {kb.PageDown, 0}, {kb.PageUp, 20}, {kb.PageUp, 40}, {kb.ArrowLeft, 39}, {kb.End, last}, {kb.ArrowLeft, last - 1}} {
		c.press(move.key)
		c.wants(move.at)
		c.until(fmt.Sprintf(`document.querySelector('.plot').getAttribute('aria-valuenow') === '%d'`, move.at))
	}
}

func (c chart) followsPointers() {
	last := len(c.days) - 1
	at := evaluate[[]float64](c.tab, `(r => [Math.ceil(r.left), Math.ceil(r.right) - 1, r.top + r.height / 2])((e => (e.scrollIntoView(), e.getBoundingClientRect()))(document.querySelector('.u-over')))`)
	c.run(chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, at[0], at[2]))
	c.wants(0)
	c.run(chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, at[1], at[2]))
	c.wants(last)
	finger := func(kind input.DispatchTouchEventType, points ...*input.TouchPoint) {
		send(c.tab, input.DispatchTouchEvent, input.DispatchTouchEventParams{Type: kind, TouchPoints: append([]*input.TouchPoint{}, points...)})
	}
	finger(input.DispatchTouchEventTypeTouchStart, &input.TouchPoint{X: at[0], Y: at[2]})
	c.wants(0)
	finger(input.DispatchTouchEventTypeTouchMove, &input.TouchPoint{X: (at[0] + at[1]) / 2, Y: at[2]})
	finger(input.DispatchTouchEventTypeTouchMove, &input.TouchPoint{X: at[1], Y: at[2]})
	c.wants(last)
	finger(input.DispatchTouchEventTypeTouchEnd)
}

func (c chart) marksTheChosenDay() {
	last := len(c.days) - 1
	marked := columns + `('--mark').reduce((a, b) => a + b) > 0`
	if evaluate[bool](c.tab, marked) {
		c.t.Error("a day is marked before one is chosen")
	}
	c.chooses(c.days[10], 10)
	c.loads()
	c.wants(10)
	c.until(marked)
	c.click("[data-span='1']") // in which it is not
	c.loads()
	c.wants(10)
	c.until(marked)
	c.chooses("", last)
	c.loads()
	c.wants(last)
}

// chooses sets the day, and waits for the answer of it: one of another height
// moves the chart.
func (c chart) chooses(day string, i int) {
	c.t.Helper()
	c.set("[name=date]", day)
	of, _ := time.Parse(time.DateOnly, c.days[i]) // it was written so
	c.says("#answer", "Reference rate of "+of.Format("Monday 2 January 2006"))
}

func (c chart) hasSpans() {
	last := len(c.days) - 1
	for span, first := range map[string]int{"1": 49, "3": 40, "12": 0, "60": 0} { // to 10 July
		c.click("[data-span='" + span + "']")
		c.loads()
		c.until(fmt.Sprintf(`document.querySelector('.plot').getAttribute('aria-valuemax') === '%d'`, last-first))
	}
}

func (c chart) hasATableAndCSV() {
	last := len(c.days) - 1
	c.click("[data-span='1']")
	c.loads()
	c.click(".numbers summary")
	c.until(`document.querySelectorAll('tbody tr').length === 31`)
	c.says(".numbers tbody tr", fmt.Sprintf("10 Jul 2026 1.%03d1", last))
	csv := evaluate[string](c.tab, `fetch(document.querySelector('.csv').href).then(r => r.text())`)
	lines := strings.Split(strings.TrimSpace(csv), "\n")
	if len(lines) != 32 || lines[0] != "date,EUR/USD" || lines[31] != fmt.Sprintf("%s,1.%03d1", c.days[last], last) {
		c.t.Errorf("got the CSV\n%s", csv)
	}
}

// of is the same tab in a subtest.
func (b *tab) of(t *testing.T) *tab { return &tab{t: t, ctx: b.ctx} }

// While another pair's numbers are on their way, those that are there keep
// their name.
func TestChartNamesThePairOfItsNumbers(t *testing.T) {
	t.Parallel()
	_, quotes := attached(t)
	way, asked, release := holding(t, quotes, "/v1/rates")
	b := openTab(t)
	b.open(way + "/")
	b.says(".readout", "1 EUR = 1.1699 USD")
	b.write(".to input", "yen")
	b.press(kb.Enter)
	<-asked
	b.run(chromedp.Focus(chromedp.CSS(".plot")))
	b.press(kb.ArrowLeft)
	b.says(".readout", "1 EUR = 1.1681 USD")
	release()
	b.says(".readout", "1 EUR = 185.66 JPY")
}
