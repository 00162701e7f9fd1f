package web_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.com/portpair/services/quotes/internal/ratesapi"
	"example.com/portpair/services/quotes/internal/web"
	"example.com/portpair/services/twelve/logs"
	"example.com/portpair/services/twelve/port"
	"example.com/portpair/services/twelve/resource"
	"example.com/portpair/services/twelve/telemetry"
)

// convert100 is the request that most tests make.
const convert100 = "/v1/convert?amount=100.00&source=EUR&target=USD"

// Others ask for the days of a pair.
const (
	ratesUSD      = "/v1/rates?source=EUR&target=USD&from=2026-08-18"
	ratesUSDAsCSV = "/v1/rates.csv?source=EUR&target=USD&from=2026-08-18"
)

// The days that the backing service has.
const firstDay, newestDay = "2026-06-01", "2026-08-21"

// rates answers as the contract says. On 2026-08-20 there was the dollar alone.
func rates(w http.ResponseWriter, r *http.Request) {
	day := strings.TrimPrefix(r.URL.Path, "/v1/")
	from, to, isRange := strings.Cut(day, "..")
	w.Header().Set("Server", "rates/0.1.0")
	switch {
	case isRange && max(from, firstDay) <= min(to, newestDay):
		var days []string
		for d := max(from, firstDay); d <= min(to, newestDay); d = next(d) {
			days = append(days, fmt.Sprintf(`%q:{%s}`, d, ratesOn(d)))
		}
		fmt.Fprintf(w, `{"amount":1.0,"base":"EUR","rates":{%s}}`, strings.Join(days, ","))
	case day == "latest":
		fmt.Fprintf(w, `{"amount":1.0,"base":"EUR","date":%q,"rates":{%s}}`, newestDay, ratesOn(newestDay))
	case isRange || day < firstDay:
		w.WriteHeader(http.StatusNotFound)
		io.WriteString(w, `{"message":"not found"}`)
	default:
		fmt.Fprintf(w, `{"amount":1.0,"base":"EUR","date":%q,"rates":{%s}}`, day, ratesOn(day))
	}
}

func ratesOn(day string) string {
	switch {
	case day < "2026-08-20":
		n := strings.ReplaceAll(day[5:], "-", "") // another number each day
		return fmt.Sprintf(`"JPY":185.%[1]s,"IDR":20%[1]s.38,"KWD":0.36%[1]s,"USD":1.1%[1]s`, n)
	case day == "2026-08-20":
		return `"USD":1.1681`
	}
	return `"JPY":185.66,"IDR":20659.38,"KWD":0.36,"USD":1.1699`
}

// next is the day after.
func next(day string) string {
	d, err := time.Parse(time.DateOnly, day)
	if err != nil {
		panic(err)
	}
	return d.AddDate(0, 0, 1).Format(time.DateOnly)
}

func reply(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

// app is quotes' routes on a fake backing service, at a time that tests move.
type app struct {
	http.Handler
	upstream *httptest.Server
	log      *output
	logger   *slog.Logger
	asked    atomic.Int64 // requests to the backing service

	mu     sync.Mutex
	answer http.HandlerFunc
	now    time.Time
	broken bool // the clock panics
}

// start makes an app; options are those of its handle.
func start(t testing.TB, options string, trusted ...string) *app {
	t.Helper()
	a := &app{log: &output{}, answer: rates, now: time.Date(2026, 8, 22, 9, 0, 0, 0, time.UTC)}
	a.upstream = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.asked.Add(1)
		a.mu.Lock()
		answer := a.answer
		a.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(a.upstream.Close)
	handle, err := resource.Parse(a.upstream.URL + options)
	if err != nil {
		t.Fatal(err)
	}
	a.logger = logs.New(a.log, slog.LevelInfo, logs.JSON)
	client := ratesapi.New(handle, "quotes/test", a.logger, a.time, nil)
	t.Cleanup(client.Close)
	routes := web.App{
		LockFor: 30 * time.Minute, LockMaxDays: 7, MaxInFlight: 64,
		Rates: client, Health: port.NewHealth(nil), Metrics: telemetry.New("quotes", "test"), Log: a.logger,
		Now: func() time.Time {
			if a.panicking() {
				panic("the clock stopped")
			}
			return a.time()
		},
	}
	for _, prefix := range trusted {
		routes.TrustedProxies = append(routes.TrustedProxies, netip.MustParsePrefix(prefix))
	}
	a.Handler = web.Routes(routes)
	return a
}

func (a *app) time() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.now
}

// panics makes a handler panic, when it looks at the clock, until it does not
// any more.
func (a *app) panics(yes bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.broken = yes
}

func (a *app) panicking() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.broken
}

// pass lets time go by.
func (a *app) pass(d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.now = a.now.Add(d)
}

// becomes changes what the backing service answers.
func (a *app) becomes(h http.HandlerFunc) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answer = h
}

// result is an answer of the app.
type result struct {
	status int
	header http.Header
	body   string
}

func (a *app) get(t testing.TB, target string) result {
	t.Helper()
	return a.do(t, httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, nil))
}

func (a *app) do(t testing.TB, r *http.Request) result {
	t.Helper()
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	if got, want := w.Header().Get("Content-Length"), fmt.Sprint(w.Body.Len()); got != "" && got != want {
		t.Errorf("got Content-Length %s, want %s", got, want)
	}
	return result{w.Code, w.Header(), w.Body.String()}
}

// lines are the log's.
func (a *app) lines(t *testing.T) []map[string]any {
	t.Helper()
	var all []map[string]any
	for line := range strings.Lines(a.log.String()) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatalf("got the log line %q: %v", line, err)
		}
		all = append(all, fields)
	}
	return all
}

// output is a log that may be read while it is written.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// problem is one of RFC 9457, as a client reads it.
type problem struct {
	Type, Title, Detail, Field string
	Status                     int
}

// wantProblem checks that an answer is a problem in all that problems have.
func wantProblem(t *testing.T, r result, status int, name, field string) problem {
	t.Helper()
	var p problem
	d := json.NewDecoder(strings.NewReader(r.body))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		t.Fatalf("got %d %s: %v", r.status, r.body, err)
	}
	if name != "about:blank" {
		name = "/problems/" + name
	}
	if r.status != status || p.Status != status || p.Type != name || p.Field != field {
		t.Errorf("got %d %s, want %d %s about %q", r.status, r.body, status, name, field)
	}
	if p.Title == "" || p.Detail == "" && status != http.StatusInternalServerError {
		t.Errorf("got %s, want a title and a detail", r.body)
	}
	if len(r.body) > 500 {
		t.Errorf("got a problem of %d bytes", len(r.body))
	}
	if got := r.header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("got the content type %q", got)
	}
	if got := r.header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("got Cache-Control %q", got)
	}
	if got := r.header.Get("Retry-After"); (got == "5") != (status == http.StatusServiceUnavailable) {
		t.Errorf("got Retry-After %q with status %d", got, status)
	}
	return p
}

// query writes parameters, name and value in turn.
func query(pairs ...string) string {
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Add(pairs[i], pairs[i+1])
	}
	return v.Encode()
}

func wantEqual[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func wantContains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("no %s in\n%s", part, text)
		}
	}
}

func wantNone(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if strings.Contains(text, part) {
			t.Errorf("%s shows in\n%s", part, text)
		}
	}
}
