package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"example.com/portpair/services/quotes/internal/ratesapi"
	"example.com/portpair/services/twelve/telemetry"
)

// An alert on a counter that is not there yet never fires.
func TestEveryOutcomeOfACallIsCountedFromZero(t *testing.T) {
	m := telemetry.New(name, version)
	observe := countCalls(m)
	outcomes := []string{"ok", "no-rates", "unreachable", "timed-out", "given-up", "refused", "failing", "no-rates-service"}
	check := func(n int) {
		t.Helper()
		var text bytes.Buffer
		m.WritePrometheus(&text)
		if got := strings.Count(text.String(), "\nbacking_calls_total{"); got != len(outcomes) {
			t.Errorf("got %d counters, want %d, in\n%v", got, len(outcomes), &text)
		}
		for _, o := range outcomes {
			if want := fmt.Sprintf("backing_calls_total{outcome=%q} %d\n", o, n); !strings.Contains(text.String(), want) {
				t.Errorf("got no %sin\n%v", want, &text)
			}
		}
	}
	check(0)
	for _, o := range outcomes {
		observe(ratesapi.Call{Outcome: ratesapi.Outcome(o), Attempts: 1})
	}
	check(1)
}
