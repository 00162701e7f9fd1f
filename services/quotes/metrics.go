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
	return func(c ratesapi.Call) {
		m.GetOrCreateCounter(`backing_calls_total{outcome="` + string(c.Outcome) + `"}`).Inc()
		attempts.Add(c.Attempts)
		duration.Update(c.Duration.Seconds())
	}
}
