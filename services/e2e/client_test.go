package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"reflect"
	"testing"
)

// TestAnExistingClientDoesNotNotice runs npm's frankfurter-api-client, whose
// package FRANKFURTER_CLIENT names, against rates.
func TestAnExistingClientDoesNotNotice(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("FRANKFURTER_CLIENT")
	if dir == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("FRANKFURTER_CLIENT is not set, and CI must have the client")
		}
		t.Skip("FRANKFURTER_CLIENT is not set: npm install frankfurter-api-client@1.4.4, and set it to the package's folder")
	}
	rates := start(t, "rates", "FEED_URL=none")
	cmd := exec.Command("node", "testdata/client.mjs", dir, rates.url)
	cmd.Stderr = t.Output()
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var got struct {
		Latest, Day, Range, Unknown map[string]any
		Currencies                  map[string]string
		Asked                       []string
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for name, row := range map[string]struct{ got, want map[string]any }{
		"latest": {got.Latest, map[string]any{"amount": 1.0, "base": "USD", "date": "2026-08-21", "rates": map[string]any{"EUR": 0.85477, "GBP": 0.73228}}},
		"a day":  {got.Day, map[string]any{"amount": 1.0, "base": "EUR", "date": "2026-08-14", "rates": map[string]any{"USD": 1.1567}}},
		"range": {got.Range, map[string]any{"amount": 1.0, "base": "EUR", "start_date": "2026-08-19", "end_date": "2026-08-21", "rates": map[string]any{
			"2026-08-19": map[string]any{"USD": 1.1605}, "2026-08-20": map[string]any{"USD": 1.1681}, "2026-08-21": map[string]any{"USD": 1.1699}}}},
	} {
		if !reflect.DeepEqual(row.got, row.want) {
			t.Errorf("%s: got %v, want %v", name, row.got, row.want)
		}
	}
	if got.Unknown["error"] == nil {
		t.Errorf("an unknown base: got %v, want the client's error", got.Unknown)
	}
	if len(got.Currencies) != 30 || got.Currencies["USD"] != "United States Dollar" || got.Currencies["EUR"] != "Euro" {
		t.Errorf("currencies: got %v", got.Currencies)
	}
	if len(got.Asked) != 5 {
		t.Errorf("asked %v, want five calls", got.Asked)
	}
}
