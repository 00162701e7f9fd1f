package resource

import (
	"testing"
)

func TestAHandleLeadsToItsPort(t *testing.T) {
	for raw, want := range map[string]string{
		"http://host":            "host:80",
		"https://host/base":      "host:443",
		"redis://host":           "host:6379",
		"rediss://host":          "host:6379",
		"redis://:pass@host:7":   "host:7",
		"redis://[::1]":          "[::1]:6379",
		"http://[::1]:5100/base": "[::1]:5100",
	} {
		if got := parse(t, raw).Address(); got != want {
			t.Errorf("%s: got %q, want %q", raw, got, want)
		}
	}
}

func TestTheSchemeSaysWhatIsSpoken(t *testing.T) {
	for raw, want := range map[string]struct{ redis, tls bool }{
		"http://host": {}, "https://host": {tls: true}, "redis://host": {redis: true}, "rediss://host": {redis: true, tls: true},
	} {
		h := parse(t, raw)
		if h.IsRedis() != want.redis || h.OverTLS() != want.tls {
			t.Errorf("%s: got Redis %v, TLS %v, want %+v", raw, h.IsRedis(), h.OverTLS(), want)
		}
	}
	if h := (Handle{}); h.IsRedis() || h.OverTLS() {
		t.Error("the zero Handle speaks something")
	}
}

func TestLogin(t *testing.T) {
	for raw, want := range map[string]struct{ user, password string }{
		"redis://host":                       {},
		"redis://:pass@host":                 {"", "pass"},
		"redis://user:pass@host":             {"user", "pass"},
		"rediss://us%40er:p%3Aa%2Fss@host":   {"us@er", "p:a/ss"},
		"redis://us%C3%A9r:p%20%22ss@host:1": {"usér", `p "ss`},
		"http://user:pass@host":              {}, // those go onto requests
	} {
		h := parse(t, raw)
		user, password := h.Login()
		if user != want.user || password != want.password {
			t.Errorf("%s: got %q and %q, want %q and %q", raw, user, password, want.user, want.password)
		}
		if h.HasCredentials() != (h.String() != raw) {
			t.Errorf("%s: got credentials %v", raw, h.HasCredentials())
		}
	}
	if user, password := (Handle{}).Login(); user != "" || password != "" {
		t.Error("the zero Handle has a login")
	}
}

func TestWhatARedisSaysBackIsScrubbed(t *testing.T) {
	h := parse(t, "redis://:geheim-geheim@host")
	if got, want := h.Scrub("WRONGPASS for geheim-geheim"), "WRONGPASS for ***"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
