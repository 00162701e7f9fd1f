package main

import (
	"example.com/portpair/services/quotes/internal/ratesapi"
	"example.com/portpair/services/twelve/telemetry"
)

// countCalls counts the calls to the backing service by outcome, their
// attempts and their time.
func countCalls(m *telemetry.Metrics) func(ratesapi.Call) {
	attempts := m.NewCounter("backing_attempts_total")
	duration := m.NewPrometheusHistogram("backing_call_duration_seconds")
	calls := map[ratesapi.Outcome]func(){}
	for _, o := range ratesapi.Outcomes { // so that each is there before it happens
		calls[o] = m.NewCounter(`backing_calls_total{outcome="` + string(o) + `"}`).Inc
	}
	return func(c ratesapi.Call) {
		calls[c.Outcome]()
		attempts.Add(c.Attempts)
		duration.Update(c.Duration.Seconds())
	}
}
