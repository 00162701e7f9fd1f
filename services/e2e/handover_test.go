package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// wholes are the conversions of 100 EUR into USD that may be answered, by who
// has the rates: nothing of one with anything of the other.
var wholes = map[string]string{
	"1.1699": "116.99 2026-08-21", // rates
	"1.25":   "125.00 2026-09-11", // the third party
}

// locking is a load that locks quotes, reads them, and accepts every other one.
type locking struct {
	url string // of quotes, behind the routing layer
	n   atomic.Int64

	mu   sync.Mutex
	kept map[string]quoteJSON // by path
}

type quoteJSON struct {
	ID, Status, Rate, TargetAmount, RateDate, CreatedTime string
	AcceptedTime                                          *string
}

func (l *locking) ask(c *http.Client) error {
	n := l.n.Add(1)
	path, q, err := l.send(c, http.MethodPost, "/v1/quotes", http.StatusCreated, fmt.Sprint("handover ", n))
	if err != nil {
		return err
	}
	if _, again, err := l.send(c, http.MethodGet, path, http.StatusOK, ""); err != nil || again != q {
		return fmt.Errorf("read after it was locked: %v, got %v, want %v", err, again, q)
	}
	if n%2 == 0 {
		if _, q, err = l.send(c, http.MethodPost, path+"/accept", http.StatusOK, fmt.Sprint("accept ", n)); err != nil {
			return err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kept[path] = q
	return nil
}

// send asks, and checks that the quote that comes is whole.
func (l *locking) send(c *http.Client, method, path string, status int, key string) (string, quoteJSON, error) {
	var q quoteJSON
	var body io.Reader
	if path == "/v1/quotes" {
		body = strings.NewReader(order100)
	}
	req, err := http.NewRequest(method, l.url+path, body)
	if err != nil {
		return "", q, err
	}
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	resp, err := c.Do(req)
	if err != nil {
		return "", q, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", q, err
	}
	if resp.StatusCode != status {
		return "", q, fmt.Errorf("%s %s: %d %s", method, path, resp.StatusCode, text)
	}
	if err := json.Unmarshal(text, &q); err != nil {
		return "", q, err
	}
	if got := q.TargetAmount + " " + q.RateDate; wholes[q.Rate] != got {
		return "", q, fmt.Errorf("neither of the old rates nor of the new: %s", text)
	}
	return resp.Header.Get("Location"), q, nil
}

// converting is a load of conversions, which counts whose rates they are.
func converting(url string, old, new *atomic.Int64) func(*http.Client) error {
	return func(c *http.Client) error {
		resp, err := c.Get(url + convert100)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			return err
		}
		var got quoteJSON
		if err := json.Unmarshal(text, &got); err != nil || resp.StatusCode != http.StatusOK {
			return fmt.Errorf("status %d: %s", resp.StatusCode, text)
		}
		switch {
		case wholes[got.Rate] != got.TargetAmount+" "+got.RateDate:
			return fmt.Errorf("neither of the old rates nor of the new: %s", text)
		case got.Rate == "1.25":
			new.Add(1)
		default:
			old.Add(1)
		}
		return nil
	}
}

// TestHandleIsSwappedUnderLoad replaces two quotes processes on one database,
// one after the other, by ones with another RATES_URL.
func TestHandleIsSwappedUnderLoad(t *testing.T) {
	postgres := os.Getenv("TEST_DATABASE_URL") != "" || os.Getenv("CI") != ""
	if postgres {
		t.Run("PostgreSQL", func(t *testing.T) { swapUnderLoad(t, databaseURL(t)) })
	}
	if !postgres || full() {
		t.Run("SQLite", func(t *testing.T) { swapUnderLoad(t, sqliteURL(t)) })
	}
}

func swapUnderLoad(t *testing.T, database string) {
	swaps := 1
	if full() {
		swaps = 6
	}
	rates := start(t, "rates")
	handles := []string{rates.url, thirdParty(t).URL}
	ports := []int{freePorts(t), freePorts(t)}
	env := func(i, handle int) []string {
		return []string{fmt.Sprint("PORT=", ports[i]), "RATES_URL=" + handles[handle], "DATABASE_URL=" + database, "DRAIN_DELAY=1s", "LOG_LEVEL=info"}
	}
	quotes := []*app{startQuotes(t, rates, env(0, 0)...), startQuotes(t, rates, env(1, 0)...)}
	url := fmt.Sprintf("http://quotes.localhost:%d", route(t, ports, portOf(t, rates)))

	var of [2]atomic.Int64
	l := &locking{url: url, kept: map[string]quoteJSON{}}
	loads := []*traffic{
		loadWith(t, pause(), 3, true, converting(url, &of[0], &of[1])), loadWith(t, pause(), 2, false, converting(url, &of[0], &of[1])),
		loadWith(t, pause(), 2, true, l.ask), loadWith(t, pause(), 1, false, l.ask),
	}
	for swap := range swaps {
		to := (swap + 1) % 2
		for i := range quotes {
			for _, load := range loads {
				load.more(t, 10)
			}
			if code := quotes[i].stop(syscall.SIGTERM); code != 0 {
				t.Errorf("exit status %d after SIGTERM, want 0", code)
			}
			quotes[i] = startQuotes(t, rates, env(i, to)...)
		}
		until := of[to].Load() + 50
		eventually(t, "the new rates are answered", func() bool { return of[to].Load() >= until })
	}
	for _, load := range loads {
		load.want(t, 3*time.Second)
	}

	// What was locked before is served and accepted after.
	accepted := 0
	for path, before := range l.kept {
		after := get(t, quotes[0].url+path).json(t)
		if after["rate"] != before.Rate || after["targetAmount"] != before.TargetAmount || after["status"] != before.Status || after["createdTime"] != before.CreatedTime {
			t.Errorf("got %v, want what was locked: %v", after, before)
		}
		if before.Status != "ACTIVE" {
			continue
		}
		if r := post(t, quotes[1].url+path+"/accept", ""); r.status != http.StatusOK || r.json(t)["rate"] != before.Rate {
			t.Errorf("accepting what was locked before: got %d %s", r.status, r.body)
		}
		if accepted++; accepted == 100 {
			break
		}
	}
	t.Logf("%d conversions on the old rates, %d on the new, %d quotes", of[0].Load(), of[1].Load(), len(l.kept))
}
