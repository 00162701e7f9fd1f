// Package telemetry counts an app's requests and shows its metrics in the
// Prometheus text format. It is not one of the twelve factors but what
// platforms have come to ask of an app beside its logs.
//
// Metrics of an app's own matter it leaves to the app, which registers them
// on the same Set.
package telemetry

import (
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// buckets of request durations, in seconds.
var buckets = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

// Metrics are an app's metrics.
type Metrics struct {
	*metrics.Set
	routes sync.Map // of key to *route: a look-up without formatting a name
}

type key struct {
	pattern string
	status  int
}

type route struct {
	count    *metrics.Counter
	duration *metrics.PrometheusHistogram
}

// New makes the metrics of the app of that name and version.
func New(name, version string) *Metrics {
	metrics.ExposeMetadata(true) // TYPE lines
	set := metrics.NewSet()
	set.NewGauge(fmt.Sprintf("app_info{name=%q,version=%q}", name, version), func() float64 { return 1 })
	return &Metrics{Set: set}
}

// Request counts a request that was served: http_requests_total by route and
// status, http_request_duration_seconds by route. The route is a pattern of
// the app's, never a path of a client's; empty when none matched.
func (m *Metrics) Request(pattern string, status int, took time.Duration) {
	r, ok := m.routes.Load(key{pattern, status})
	if !ok {
		label := pattern
		if label == "" {
			label = "none"
		}
		r, _ = m.routes.LoadOrStore(key{pattern, status}, &route{
			count:    m.GetOrCreateCounter(`http_requests_total{route=` + strconv.Quote(label) + `,status="` + strconv.Itoa(status) + `"}`),
			duration: m.GetOrCreatePrometheusHistogramExt(`http_request_duration_seconds{route=`+strconv.Quote(label)+`}`, buckets),
		})
	}
	r.(*route).count.Inc()
	r.(*route).duration.Update(took.Seconds())
}

// ServeHTTP writes all metrics, the process's and the runtime's too.
func (m *Metrics) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	m.WritePrometheus(w)
	metrics.WriteProcessMetrics(w)
}
