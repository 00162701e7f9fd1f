package telemetry

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// sample is a line of the Prometheus text format, version 0.0.4:
// name, labels, value, and a time that we do not send.
var (
	sample = regexp.MustCompile(`^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$`)
	label  = regexp.MustCompile(`^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:, ?|$)`)
)

// scrape asks for the metrics and parses them: value by name{labels}.
func scrape(t *testing.T, m *Metrics) map[string]float64 {
	t.Helper()
	w := httptest.NewRecorder()
	m.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	if got, want := w.Header().Get("Content-Type"), "text/plain; version=0.0.4; charset=utf-8"; got != want {
		t.Errorf("got Content-Type %q, want %q", got, want)
	}
	if got := w.Header().Get("Cache-Control"); got != "no-store" {
		t.Errorf("got Cache-Control %q, want no-store", got)
	}
	text := w.Body.String()
	if !strings.HasSuffix(text, "\n") {
		t.Error("got no newline at the end")
	}
	values := map[string]float64{}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		parts := sample.FindStringSubmatch(line)
		if parts == nil {
			t.Errorf("got %q, which is no sample", line)
			continue
		}
		for rest := parts[2]; rest != ""; {
			l := label.FindString(rest)
			if l == "" {
				t.Errorf("got labels %q in %q", rest, line)
				break
			}
			rest = rest[len(l):]
		}
		value, err := strconv.ParseFloat(parts[3], 64)
		if err != nil {
			t.Errorf("got value %q in %q", parts[3], line)
		}
		name, _, _ := strings.Cut(line, " "+parts[3])
		if _, twice := values[name]; twice {
			t.Errorf("got %s twice", name)
		}
		values[name] = value
	}
	return values
}

func check(t *testing.T, values map[string]float64, name string, want float64) {
	t.Helper()
	if got, ok := values[name]; !ok || got != want {
		t.Errorf("got %s %v (there: %v), want %v", name, got, ok, want)
	}
}

func TestRequestsAreCountedByRouteAndStatus(t *testing.T) {
	m := New("rates", "0.1.0")
	for range 3 {
		m.Request("/v1/{date}", 200, time.Millisecond)
	}
	m.Request("/v1/{date}", 404, time.Second)
	m.Request("/", 200, time.Minute)
	m.Request("none", 404, time.Millisecond)
	values := scrape(t, m)
	for name, want := range map[string]float64{
		`app_info{name="rates",version="0.1.0"}`:                               1,
		`http_requests_total{route="/v1/{date}",status="200"}`:                 3,
		`http_requests_total{route="/v1/{date}",status="404"}`:                 1,
		`http_requests_total{route="/",status="200"}`:                          1,
		`http_requests_total{route="none",status="404"}`:                       1,
		`http_request_duration_seconds_count{route="/v1/{date}"}`:              4,
		`http_request_duration_seconds_sum{route="/v1/{date}"}`:                1.003,
		`http_request_duration_seconds_bucket{route="/v1/{date}",le="0.0005"}`: 0,
		`http_request_duration_seconds_bucket{route="/v1/{date}",le="0.001"}`:  3,
		`http_request_duration_seconds_bucket{route="/v1/{date}",le="0.5"}`:    3,
		`http_request_duration_seconds_bucket{route="/v1/{date}",le="1"}`:      4,
		`http_request_duration_seconds_bucket{route="/v1/{date}",le="+Inf"}`:   4,
		`http_request_duration_seconds_bucket{route="/",le="10"}`:              0,
		`http_request_duration_seconds_bucket{route="/",le="+Inf"}`:            1,
		`http_request_duration_seconds_count{route="none"}`:                    1,
	} {
		t.Run(name, func(t *testing.T) { check(t, values, name, want) })
	}
}

func TestTheProcessAndTheRuntimeAreShown(t *testing.T) {
	values := scrape(t, New("rates", "0.1.0"))
	for _, name := range []string{"go_goroutines", "process_resident_memory_bytes", "process_cpu_seconds_total"} {
		if _, ok := values[name]; !ok {
			t.Errorf("got no %s", name)
		}
	}
}

func TestALabelIsEscaped(t *testing.T) {
	m := New(`a"b`, `1\2`)
	m.Request(`/"\`, 200, time.Millisecond)
	values := scrape(t, m)
	check(t, values, `app_info{name="a\"b",version="1\\2"}`, 1)
	check(t, values, `http_requests_total{route="/\"\\",status="200"}`, 1)
}

func TestMetricsOfTheAppsOwnMatterAreShown(t *testing.T) {
	m := New("quotes", "0.1.0")
	m.NewCounter(`quotes_locked_total`).Add(7)
	check(t, scrape(t, m), "quotes_locked_total", 7)
}

func TestTwoAppsDoNotShareMetrics(t *testing.T) {
	a, b := New("quotes", "0.1.0"), New("rates", "0.1.0")
	a.Request("/", 200, time.Millisecond)
	if _, ok := scrape(t, b)[`http_requests_total{route="/",status="200"}`]; ok {
		t.Error("got a request counted by the other")
	}
}

func TestRequestsCountAtTheSameTime(t *testing.T) {
	m := New("rates", "0.1.0")
	const clients, requests = 8, 500
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			for i := range requests {
				m.Request("/v1/{date}", 200+i%5, time.Millisecond)
			}
		})
	}
	wg.Wait()
	values := scrape(t, m)
	for status := 200; status < 205; status++ {
		check(t, values, fmt.Sprintf(`http_requests_total{route="/v1/{date}",status="%d"}`, status), clients*requests/5)
	}
	check(t, values, `http_request_duration_seconds_count{route="/v1/{date}"}`, clients*requests)
}

func TestCountingDoesNotAllocateAfterTheFirstRequest(t *testing.T) {
	m := New("rates", "0.1.0")
	pattern, status := "/v1/"+strconv.Itoa(time.Now().Year()), http.StatusOK // not known to the compiler
	m.Request(pattern, status, time.Millisecond)
	if got := testing.AllocsPerRun(1000, func() { m.Request(pattern, status, time.Millisecond) }); got != 0 {
		t.Errorf("got %v allocations, want none", got)
	}
}
