// Package telemetry counts an app's requests and shows its metrics in the
// Prometheus text format. It is not one of the twelve factors but what
// platforms have come to ask of an app beside its logs.
//
// Metrics of an app's own matter it leaves to the app, which registers them
// on the same Set.
package telemetry

import (
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// buckets of request durations, in seconds.
var buckets = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

// Metrics are an app's metrics.
type Metrics struct {
	*metrics.Set
	mu     sync.Mutex                     // of adding a route
	routes atomic.Pointer[map[key]*route] // a look-up without formatting a name
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
	m := &Metrics{Set: set}
	m.routes.Store(&map[key]*route{})
	return m
}

// Request counts a request that was served: http_requests_total by route and
// status, http_request_duration_seconds by route. The route is a pattern of
// the app's, never a path of a client's.
func (m *Metrics) Request(pattern string, status int, took time.Duration) {
	r := (*m.routes.Load())[key{pattern, status}]
	if r == nil {
		r = m.add(key{pattern, status})
	}
	r.count.Inc()
	r.duration.Update(took.Seconds())
}

func (m *Metrics) add(k key) *route {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := &route{
		count:    m.GetOrCreateCounter(`http_requests_total{route=` + strconv.Quote(k.pattern) + `,status="` + strconv.Itoa(k.status) + `"}`),
		duration: m.GetOrCreatePrometheusHistogramExt(`http_request_duration_seconds{route=`+strconv.Quote(k.pattern)+`}`, buckets),
	}
	all := maps.Clone(*m.routes.Load())
	all[k] = r
	m.routes.Store(&all)
	return r
}

// ServeHTTP writes all metrics, the process's and the runtime's too.
func (m *Metrics) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	m.WritePrometheus(w)
	metrics.WriteProcessMetrics(w)
}
