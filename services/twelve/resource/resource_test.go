package resource

import (
	"testing"
	"time"
)

// parse is Parse of a handle that must be good.
func parse(t *testing.T, raw string) Handle {
	t.Helper()
	h, err := Parse(raw)
	if err != nil {
		t.Fatalf("Parse(%q): %v", raw, err)
	}
	return h
}

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		name   string
		raw    string
		text   string // String
		latest string // URL("v1", "latest")
	}{
		{"http, host and port", "http://localhost:5100", "http://localhost:5100", "http://localhost:5100/v1/latest"},
		{"https, no port", "https://api.frankfurter.dev", "https://api.frankfurter.dev", "https://api.frankfurter.dev/v1/latest"},
		{"a scheme in capitals", "HTTPS://host", "https://host", "https://host/v1/latest"},
		{"a trailing slash makes no difference", "http://host/", "http://host", "http://host/v1/latest"},
		{"nor do two", "http://host//", "http://host", "http://host/v1/latest"},
		{"nor does a ? without options", "http://host?", "http://host", "http://host/v1/latest"},
		{"an IPv4 address", "http://127.0.0.1:5100", "http://127.0.0.1:5100", "http://127.0.0.1:5100/v1/latest"},
		{"an IPv6 address", "http://[::1]:5100", "http://[::1]:5100", "http://[::1]:5100/v1/latest"},
		{"the last port", "http://host:65535", "http://host:65535", "http://host:65535/v1/latest"},
		{"a base path is kept", "http://host/base/path", "http://host/base/path", "http://host/base/path/v1/latest"},
		{"a base path with a trailing slash", "http://host/base/path/", "http://host/base/path", "http://host/base/path/v1/latest"},
		{"a base path with an escaped slash", "http://host/a%2Fb", "http://host/a%2Fb", "http://host/a%2Fb/v1/latest"},
		{"a base path that ends in an escaped slash", "http://host/a%2F", "http://host/a%2F", "http://host/a%2F/v1/latest"},
		{"a base path with an escaped @", "http://host/%40a", "http://host/%40a", "http://host/%40a/v1/latest"},
		{"a base path with dots is what is asked", "http://host/a/../b", "http://host/b", "http://host/b/v1/latest"},
		{"a base path that only holds v1", "http://host/v1/ecb", "http://host/v1/ecb", "http://host/v1/ecb/v1/latest"},
		{"a base path that only ends like v1", "http://host/apiv1", "http://host/apiv1", "http://host/apiv1/v1/latest"},
		{"options are taken off", "http://host/base?timeout=1s", "http://host/base", "http://host/base/v1/latest"},
		{"a Redis", "redis://host", "redis://host", "redis://host/v1/latest"},
		{"a Redis over TLS, with all that it may have", "REDISS://user:p%40ss@host:1/?timeout=1s", "rediss://***@host:1", "rediss://host:1/v1/latest"},
		{"userinfo is taken off", "http://user:password@host:1/base", "http://***@host:1/base", "http://host:1/base/v1/latest"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := parse(t, tt.raw)
			if got := h.String(); got != tt.text {
				t.Errorf("got text %q, want %q", got, tt.text)
			}
			u := h.URL("v1", "latest")
			if got := u.String(); got != tt.latest {
				t.Errorf("got URL %q, want %q", got, tt.latest)
			}
			if u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
				t.Errorf("got %#v, want no userinfo, query and fragment", u)
			}
		})
	}
}

func TestURLIsACopy(t *testing.T) {
	h := parse(t, "http://host/base")
	u := h.URL()
	u.Host, u.Path = "evil.example", "/"
	if got, want := h.URL().String(), "http://host/base"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTheZeroHandle(t *testing.T) {
	var h Handle
	if got := h.String(); got != "" {
		t.Errorf("got text %q, want none", got)
	}
	text, err := h.MarshalText()
	if len(text) != 0 || err != nil {
		t.Errorf("got text %q, error %v, want none", text, err)
	}
	r := request(t, "")
	h.Authorize(r)
	if got := r.Header.Get("Authorization"); got != "" {
		t.Errorf("got Authorization %q, want none", got)
	}
}

func TestUnmarshalText(t *testing.T) {
	h := parse(t, "http://user:password@host")
	if err := h.UnmarshalText([]byte("http://other")); err != nil || h.String() != "http://other" {
		t.Errorf("got %v, error %v, want http://other", h, err)
	}
	if err := h.UnmarshalText([]byte("other")); err == nil || h.String() != "" {
		t.Errorf("got %v, error %v, want an error and the zero Handle", h, err)
	}
}

func TestOptions(t *testing.T) {
	const day = 24 * time.Hour
	for _, tt := range []struct {
		name  string
		query string
		want  Options
	}{
		{"timeout 2s, attempts 3, max_age 5m, max_stale 24h", "", Options{2 * time.Second, 3, 5 * time.Minute, day}},
		{"all given", "?timeout=1s&attempts=1&max_age=1m&max_stale=1h", Options{time.Second, 1, time.Minute, time.Hour}},
		{"some given", "?attempts=10", Options{2 * time.Second, 10, 5 * time.Minute, day}},
		{"the longest timeout", "?timeout=1m", Options{time.Minute, 3, 5 * time.Minute, day}},
		{"max_age=0s asks every time", "?max_age=0s", Options{2 * time.Second, 3, 0, day}},
		{"max_stale=0s with max_age=0s keeps nothing", "?max_age=0s&max_stale=0s", Options{2 * time.Second, 3, 0, 0}},
		{"max_stale the same as max_age", "?max_age=1h&max_stale=1h", Options{2 * time.Second, 3, time.Hour, time.Hour}},
		{"max_stale unset is never under a longer max_age", "?max_age=48h", Options{2 * time.Second, 3, 2 * day, 2 * day}},
		{"in the other order", "?max_stale=48h&max_age=36h", Options{2 * time.Second, 3, 36 * time.Hour, 2 * day}},
		{"percent-encoded", "?max%5Fage=1%6D", Options{2 * time.Second, 3, time.Minute, day}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := parse(t, "http://host/base"+tt.query).Options(); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestOptionsAreSpeltAsAHandleSpellsThem(t *testing.T) {
	for _, options := range []string{"", "?timeout=250ms&attempts=1&max_age=0s", "?max_age=48h"} {
		first, err := Parse("http://localhost" + options)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Parse("http://localhost" + first.Options().String())
		if err != nil || again.Options() != first.Options() {
			t.Errorf("%s: got %v, error %v, want %v", options, again.Options(), err, first.Options())
		}
	}
}
