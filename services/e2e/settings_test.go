package e2e

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// What the variables about quotes say is what the process does.
func TestQuotesGoesByItsVariables(t *testing.T) {
	rates := start(t, "rates")
	t.Run("QUOTE_TTL, MAX_OPEN_QUOTES", func(t *testing.T) {
		quotes := startQuotes(t, rates, "QUOTE_TTL=90m", "MAX_OPEN_QUOTES=2")
		lock(t, quotes)
		r := post(t, quotes.url+"/v1/quotes", order100)
		var times [2]time.Time
		for i, field := range []string{"createdTime", "rateExpirationTime"} {
			var err error
			if times[i], err = time.Parse(time.RFC3339, r.json(t)[field].(string)); err != nil {
				t.Fatal(err)
			}
		}
		if got := times[1].Sub(times[0]); got != 90*time.Minute {
			t.Errorf("the rate holds for %v, want 90m", got)
		}
		r = post(t, quotes.url+"/v1/quotes", order100)
		if r.status != http.StatusServiceUnavailable || r.json(t)["type"] != "/problems/overloaded" {
			t.Errorf("the third: got %d %s, want 503 overloaded", r.status, r.body)
		}
	})
	t.Run("LOCK_MAX_DAYS", func(t *testing.T) {
		quotes := start(t, "quotes", "RATES_URL="+rates.url) // 7, and the built-in rates are older
		r := post(t, quotes.url+"/v1/quotes", order100)
		if r.status != http.StatusServiceUnavailable || r.json(t)["type"] != "/problems/rates-too-old" || r.header.Get("Retry-After") == "" {
			t.Errorf("got %d %s, want 503 rates-too-old", r.status, r.body)
		}
		if n := counter(t, quotes, "quotes_locked_total"); n != 0 {
			t.Errorf("%d were locked", n)
		}
	})
	t.Run("DATABASE_URL of a relative path", func(t *testing.T) {
		cmd := exec.Command(filepath.Join(binDir, "quotes"))
		cmd.Dir = t.TempDir()
		quotes := launchCommand(t, "quotes", cmd, "RATES_URL="+rates.url, "DATABASE_URL=") // empty: the default
		quotes.url = quotes.listening()
		want := filepath.Join(cmd.Dir, "var", "quotes.db")
		got := quotes.await("it is attached to its database", func(line map[string]any) (string, bool) {
			handle, _ := line["handle"].(string)
			return handle, line["msg"] == "attached" && line["resource"] == "database"
		})
		if got != "sqlite:"+want {
			t.Errorf("logged %s, want sqlite:%s", got, want)
		}
		if info, err := os.Stat(want); err != nil || info.Mode() != 0o600 {
			t.Errorf("got %v, error %v, want a file of mode 0600", info, err)
		}
	})
}
