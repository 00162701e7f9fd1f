package main

import (
	"time"

	"example.com/portpair/services/rates/internal/ecb"
	"example.com/portpair/services/twelve/telemetry"
)

// countFetches counts the fetches of the feed by result, and notes when the
// last one went well.
func countFetches(m *telemetry.Metrics) func(ecb.Outcome) {
	count := func(o ecb.Outcome, n int) {
		m.GetOrCreateCounter(`rates_feed_fetches_total{result="` + string(o) + `"}`).Add(n)
	}
	for _, o := range []ecb.Outcome{ecb.OK, ecb.Unchanged, ecb.Failed} {
		count(o, 0) // so that each is there before it happens
	}
	return func(o ecb.Outcome) {
		count(o, 1)
		if o != ecb.Failed {
			m.GetOrCreateGauge("rates_feed_last_success_timestamp_seconds", nil).Set(float64(time.Now().Unix()))
		}
	}
}
