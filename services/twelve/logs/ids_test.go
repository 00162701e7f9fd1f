package logs

import (
	"context"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

var (
	madeID     = regexp.MustCompile(`^[0-9a-f]{16}$`)
	traceID    = regexp.MustCompile(`^[0-9a-f]{32}$`)
	traceparts = regexp.MustCompile(`^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$`)
)

func TestXRequestID(t *testing.T) {
	url, log := app(t, slog.LevelInfo, Options{}, nothing)
	for _, tt := range []struct {
		name  string
		id    string
		taken bool
	}{
		{"letters, digits and ._-", "Az09._-", true},
		{"one character", "x", true},
		{"64 characters", strings.Repeat("x", 64), true},
		{"a UUID", "0198c2a4-7c1e-7d2a-9f00-1234567890ab", true},
		{"none", "", false},
		{"65 characters", strings.Repeat("x", 65), false},
		{"a blank inside", "a b", false},
		{"quotes", `a"b`, false},
		{"a slash", "a/b", false},
		{"a key of a log line", "a=b", false},
		{"another script", "größe", false},
		{"a terminal's 8-bit escape", "a\u009b2J", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			resp := mustSend(t, http.MethodGet, url, "X-Request-Id: "+tt.id)
			returned := resp.Header.Values("X-Request-Id")
			if len(returned) != 1 {
				t.Fatalf("got %q returned, want one id", returned)
			}
			got := returned[0]
			switch {
			case tt.taken && got != tt.id:
				t.Errorf("got %q, want it taken: %q", got, tt.id)
			case !tt.taken && !madeID.MatchString(got):
				t.Errorf("got %q, want one that was made", got)
			}
			if logged := log.line(t).values["request_id"]; logged != got {
				t.Errorf("got %q logged, want the one returned, %q", logged, got)
			}
		})
	}
	t.Run("what is made differs each time", func(t *testing.T) {
		a, b := mustSend(t, http.MethodGet, url), mustSend(t, http.MethodGet, url)
		if a, b := a.Header.Get("X-Request-Id"), b.Header.Get("X-Request-Id"); a == b {
			t.Errorf("got %q twice", a)
		}
	})
}

func TestTraceparent(t *testing.T) {
	const trace, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	var forwarded http.Header
	url, log := app(t, slog.LevelInfo, Options{}, func(_ http.ResponseWriter, r *http.Request) {
		forwarded = http.Header{}
		Forward(r.Context(), forwarded)
	})
	for _, tt := range []struct {
		name        string
		traceparent string
		flags       string // taken with these; empty: made
	}{
		{"one that is sampled", "00-" + trace + "-" + parent + "-01", "01"},
		{"one that is not", "00-" + trace + "-" + parent + "-00", "00"},
		{"none", "", ""},
		{"a version to come", "01-" + trace + "-" + parent + "-01", ""},
		{"no version", "ff-" + trace + "-" + parent + "-01", ""},
		{"more after it", "00-" + trace + "-" + parent + "-01-x", ""},
		{"more hex after it", "00-" + trace + "-" + parent + "-0123", ""},
		{"less", "00-" + trace + "-" + parent, ""},
		{"in capitals", "00-" + strings.ToUpper(trace) + "-" + parent + "-01", ""},
		{"no hex in the trace id", "00-" + trace[:31] + "x-" + parent + "-01", ""},
		{"no hex in the parent id", "00-" + trace + "-" + parent[:15] + "x-01", ""},
		{"no hex in the flags", "00-" + trace + "-" + parent + "-0x", ""},
		{"a trace id of zeros", "00-" + strings.Repeat("0", 32) + "-" + parent + "-01", ""},
		{"a parent id of zeros", "00-" + trace + "-" + strings.Repeat("0", 16) + "-01", ""},
		{"another separator", "00_" + trace + "_" + parent + "_01", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			mustSend(t, http.MethodGet, url, "Traceparent: "+tt.traceparent, "X-Request-Id: one-id")
			logged := log.line(t).values["trace_id"].(string)
			parts := traceparts.FindStringSubmatch(forwarded.Get("Traceparent"))
			switch {
			case !traceID.MatchString(logged) || logged == strings.Repeat("0", 32):
				t.Errorf("got trace id %q logged", logged)
			case parts == nil:
				t.Fatalf("got traceparent %q forwarded", forwarded.Get("Traceparent"))
			case parts[1] != logged:
				t.Errorf("got trace id %q forwarded, want the one logged, %q", parts[1], logged)
			case parts[2] == parent || parts[2] == strings.Repeat("0", 16):
				t.Errorf("got parent id %q forwarded, want one of our own", parts[2])
			case tt.flags != "" && (logged != trace || parts[3] != tt.flags):
				t.Errorf("got trace %q, flags %q, want the caller's %q, %q", logged, parts[3], trace, tt.flags)
			case tt.flags == "" && (logged == trace || parts[3] != "00"):
				t.Errorf("got trace %q, flags %q, want one that was made, not sampled", logged, parts[3])
			}
			if got := forwarded.Get("X-Request-Id"); got != "one-id" {
				t.Errorf("got request id %q forwarded, want one-id", got)
			}
		})
	}
}

func TestOneIDIsFoundInBothLogs(t *testing.T) {
	rates, ratesLog := app(t, slog.LevelInfo, Options{}, nothing)
	quotes, quotesLog := app(t, slog.LevelInfo, Options{}, func(w http.ResponseWriter, r *http.Request) {
		out, err := http.NewRequestWithContext(r.Context(), http.MethodGet, rates, nil)
		if err != nil {
			t.Error(err)
			return
		}
		Forward(r.Context(), out.Header)
		resp, err := http.DefaultTransport.RoundTrip(out)
		if err != nil {
			t.Error(err)
			return
		}
		resp.Body.Close()
	})
	resp := mustSend(t, http.MethodGet, quotes)
	a, b := quotesLog.line(t).values, ratesLog.line(t).values
	if id := resp.Header.Get("X-Request-Id"); id == "" || a["request_id"] != id || b["request_id"] != id {
		t.Errorf("got request ids %v and %v, want %q in both", a["request_id"], b["request_id"], id)
	}
	if a["trace_id"] == "" || a["trace_id"] != b["trace_id"] {
		t.Errorf("got trace ids %v and %v, want one", a["trace_id"], b["trace_id"])
	}
}

func TestForwardOfNoRequestMakesATraceOfItsOwn(t *testing.T) {
	a, b := http.Header{}, http.Header{}
	Forward(context.Background(), a)
	Forward(context.Background(), b)
	if !validID(a.Get("X-Request-Id")) || !traceparts.MatchString(a.Get("Traceparent")) {
		t.Errorf("got %v, want an id and a trace", a)
	}
	if a.Get("X-Request-Id") == b.Get("X-Request-Id") || a.Get("Traceparent") == b.Get("Traceparent") {
		t.Errorf("got %v and %v, want them to differ", a, b)
	}
}

func TestFromContext(t *testing.T) {
	if got := FromContext(t.Context()); got != nil {
		t.Errorf("got %v of no request, want nil", got)
	}
	var got *Request
	url, log := app(t, slog.LevelInfo, Options{}, func(_ http.ResponseWriter, r *http.Request) { got = FromContext(r.Context()) })
	mustSend(t, http.MethodGet, url, "X-Request-Id: one-id")
	if line := log.line(t).values; got == nil || got.ID != "one-id" || got.TraceID != line["trace_id"] {
		t.Errorf("got %+v, want what the line has: %v", got, line)
	}
}
