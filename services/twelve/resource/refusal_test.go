package resource

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestParseRefuses(t *testing.T) {
	for _, tt := range []struct {
		name string
		raw  string
		want string // in the error
	}{
		{"nothing", "", "starts with http://, https://, redis:// or rediss://"},
		{"localhost:5100 without a scheme, with a hint", "localhost:5100", "starts with http://, https://, redis:// or rediss://, such as http://localhost:5100"},
		{"a host without a scheme", "api.frankfurter.dev", "such as http://localhost:5100 or https://api.frankfurter.dev"},
		{"another scheme", "ftp://host", "starts with http://, https://, redis:// or rediss://"},
		{"a scheme alone", "http:", "starts with http://, https://, redis:// or rediss://"},
		{"one slash too few", "http:/host", "starts with http://, https://, redis:// or rediss://"},
		{"a blank before", " http://host", "starts with http://, https://, redis:// or rediss://"},
		{"a blank after", "http://host ", "not a URL"},
		{"a newline after", "http://host\n", "not a URL"},
		{"no host", "http://", "names no host"},
		{"no host but a port", "http://:5100", "names no host"},
		{"no host but a path", "http:///base", "names no host"},
		{"no host but userinfo", "http://user:password@", "names no host"},
		{"a colon without a port", "http://host:", "the port is not one from 1 to 65535"},
		{"port 0", "http://host:0", "the port is not one from 1 to 65535"},
		{"a port over the last", "http://host:65536", "the port is not one from 1 to 65535"},
		{"a port of letters", "http://host:http", "not a URL"},
		{"a base path that ends in /v1, with a hint", "http://host/v1", "ends in /v1, which the app adds itself: leave it out"},
		{"also with a slash", "http://host/base/v1/", "ends in /v1, which the app adds itself: leave it out"},
		{"also with two", "http://host/base/v1//", "ends in /v1, which the app adds itself: leave it out"},
		{"also with a dot", "http://host/v1/.", "ends in /v1, which the app adds itself: leave it out"},
		{"also percent-encoded", "http://host/%76%31", "ends in /v1, which the app adds itself: leave it out"},
		{"the URL of the newest rates, pasted whole", "https://host/v1/latest", "ends in /v1/latest, which the app adds itself: leave it out"},
		{"a fragment", "http://host/#top", "a # makes no sense here"},
		{"an empty fragment", "http://host#", "a # makes no sense here"},
		{"empty userinfo", "http://@host", "the credentials are empty"},
		{"userinfo of a colon only", "http://:@host", "the credentials are empty"},
		{"a user with a colon", "http://a%3Ab:password@host", "the user name holds a colon"},
		{"a control character in the password", "http://user:a%0Ab@host", "holds a control character"},
		{"a NUL in the user", "http://a%00b:password@host", "holds a control character"},
		{"a blank in a token", "http://a%20b@host", "a token is visible ASCII without blanks"},
		{"a newline in a token", "http://a%0Ab@host", "a token is visible ASCII without blanks"},
		{"a token outside ASCII", "http://t%C3%B6ken@host", "a token is visible ASCII without blanks"},
		{"a Redis with a path, with a hint", "redis://host/base", "a Redis has no path"},
		{"a Redis with a database's number", "redis://host:6379/0", "a database's number too"},
		{"a Redis with a token, with a hint", "redis://token@host", "no colon in the credentials: write user:password@, or :password@"},
		{"a Redis with a user and no password", "redis://user:@host", "the password is empty"},
		{"a Redis with a colon only", "redis://:@host", "the password is empty"},
		{"a Redis with empty userinfo", "redis://@host", "the password is empty"},
		{"a Redis whose user has a colon", "redis://a%3Ab:password@host", "the user name holds a colon"},
		{"a Redis over TLS without a host", "rediss://:6379", "names no host"},
		{"a scheme that only begins like one", "rediss2://host", "starts with http://, https://, redis:// or rediss://"},
		{"an unknown option", "http://host?retries=3", "an option after ? is unknown; known are timeout, attempts, max_age and max_stale"},
		{"an option in capitals", "http://host?TIMEOUT=3s", "an option after ? is unknown"},
		{"an option twice", "http://host?timeout=1s&timeout=2s", "option timeout is given twice"},
		{"options with a semicolon", "http://host?timeout=1s;attempts=1", "the options after ? cannot be read"},
		{"a timeout of 0s", "http://host?timeout=0s", "option timeout: want more than 0s and at most 1m"},
		{"a timeout over 1m", "http://host?timeout=61s", "option timeout: want more than 0s and at most 1m"},
		{"a negative timeout", "http://host?timeout=-1s", "option timeout: want a duration of 0s or more"},
		{"a timeout without a unit", "http://host?timeout=2", "option timeout: want a duration of 0s or more, such as 2s, 5m or 24h"},
		{"an empty timeout", "http://host?timeout=", "option timeout: want a duration"},
		{"a negative max_age", "http://host?max_age=-1s", "option max_age: want a duration of 0s or more"},
		{"a negative max_stale", "http://host?max_stale=-1s", "option max_stale: want a duration of 0s or more"},
		{"max_stale under max_age", "http://host?max_age=2h&max_stale=1h", "option max_stale: want no less than max_age"},
		{"max_stale under the default max_age", "http://host?max_stale=1m", "option max_stale: want no less than max_age"},
		{"no attempts", "http://host?attempts=0", "option attempts: want a whole number from 1 to 10"},
		{"eleven attempts", "http://host?attempts=11", "option attempts: want a whole number from 1 to 10"},
		{"half an attempt", "http://host?attempts=1.5", "option attempts: want a whole number from 1 to 10"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h, err := Parse(tt.raw)
			var refusal Refusal
			switch {
			case err == nil:
				t.Fatalf("got handle %v, want error %q", h, tt.want)
			case !errors.As(err, &refusal):
				t.Errorf("got a %T, want a Refusal", err)
			case !strings.Contains(err.Error(), tt.want):
				t.Errorf("got error %q, want %q in it", err, tt.want)
			}
			if got := refusal.Hint(); got != err.Error() {
				t.Errorf("got hint %q, want the error's text %q", got, err)
			}
			if strings.ContainsAny(err.Error(), "\r\n") {
				t.Errorf("got error %q, want one line", err)
			}
			if got := h.String(); got != "" {
				t.Errorf("got handle %q beside the error, want the zero Handle", got)
			}
		})
	}
}

// mistyped are handles with SECRET in every place where a slip puts it. None
// can be parsed.
var mistyped = []string{
	"SECRET",
	"user:SECRET@host",
	"//user:SECRET@host",
	"htp://user:SECRET@host",
	"http:/user:SECRET@host",
	"http:user:SECRET@host",
	"\"http://user:SECRET@host\"",
	"http://user:SECRET/x@host",
	"http://user:x/SECRET@host",
	"http://user:12/SECRET@h",
	"http://user:12/x/SECRET/@h",
	"http://SECRET/x@host",
	"http://tok/SECRET@host",
	"http://SECRET#x@host",
	"http://tok#SECRET@h",
	"http://user:SECRET#@host",
	"http://user:12#SECRET@host",
	"http://user:SECRET?x@host",
	"http://user:12?SECRET@host",
	"http://user:12?x=SECRET@host",
	"http://user:12?SECRET=x@host",
	"http://user:12?timeout=SECRET@host",
	"http://user:12?attempts=SECRET@host",
	"http://tok?SECRET@host",
	"http://tok?max_age=1s&max_age=SECRET@host",
	"http://tok?timeout=1s;SECRET@host",
	"http://tok?%zzSECRET@host",
	"http://user:%zzSECRET@host",
	"http://user:SECRET%@host",
	"http://%zz:SECRET@host",
	"http://SECRET%zz@host",
	"http://SECRET%0A@host",
	"http://user:SECRET%00@host",
	"http://SEC\\RET:SECRET\\@host",
	"http://user:SECRET @host",
	"http://user:SECRET\n@host",
	"http://user:SECRET\x00@host",
	"http://user:SECRET\x7f@host",
	"http://user:SECRET\x1b[2J@host",
	"http://user:SECRET\"@host",
	"http://user:SECRET<>@host",
	"http://user:SECRET^@host",
	"http://user:SECRET[@host",
	"http://user:SECRETö@host",
	"http://SECRETö@host",
	"http://us%3Aer:SECRET@host",
	"http://user:SECRET@",
	"http://user:SECRET@:5100",
	"http://user:SECRET@host:port",
	"http://user:SECRET@host:99999",
	"http://user:SECRET@host:5100:5100",
	"http://user:SECRET@[::1",
	"http://user:SECRET@ho st",
	"http://user:SECRET@host/%zz",
	"http://user:SECRET@host/v1",
	"http://user:SECRET@host/#",
	"http://user:SECRET@host?retries=1",
	"http://user:SECRET@host?max_age=2h&max_stale=1h",
	"http://user@host:SECRET",
	"http://host/?token=SECRET",
	"http://host/?timeout=SECRET",
	"http://host/#SECRET",
	"http://a,http://user:SECRET@host",
	"redis://SECRET@host",
	"redis://user:SECRET@host/0",
	"redis://user:SECRET/x@host",
	"redis://us%3Aer:SECRET@host",
	"rediss://:SECRET@host/SECRET",
	"redis:user:SECRET@host",
}

func TestAParseErrorNeverHoldsTheSecret(t *testing.T) {
	for _, raw := range mistyped {
		t.Run(strings.ReplaceAll(raw, "/", "|"), func(t *testing.T) {
			for _, secret := range secrets {
				h, err := Parse(strings.ReplaceAll(raw, "SECRET", secret))
				if err == nil {
					t.Fatalf("got handle %v, want an error", h)
				}
				for e := err; e != nil; e = errors.Unwrap(e) {
					noSecret(t, fmt.Sprintf("%v %+v %#v", e, e, e), secret)
				}
			}
		})
	}
}

func TestAParseErrorOfCredentialsNeverHoldsTheSecret(t *testing.T) {
	for _, raw := range []string{"SECRET\n", "SECRET x", "SECRETö", "user:SECRET\n", "SECRET:\x00", "user\x7f:SECRET"} {
		t.Run(raw, func(t *testing.T) {
			for _, secret := range secrets {
				c, err := ParseCredentials(strings.ReplaceAll(raw, "SECRET", secret))
				if err == nil || !c.IsZero() {
					t.Fatalf("got credentials %v, error %v, want only an error", c, err)
				}
				noSecret(t, fmt.Sprintf("%v %+v %#v", err, err, err), secret)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, raw := range mistyped {
		f.Add(raw)
	}
	f.Add("https://user:p%40ss@host:1/base/path?timeout=1s&attempts=2&max_age=1m&max_stale=1h")
	f.Add("rediss://:p%40ss@host?timeout=1s")
	f.Fuzz(func(t *testing.T, raw string) {
		h, err := Parse(raw)
		if err != nil {
			var refusal Refusal
			if !errors.As(err, &refusal) {
				t.Errorf("got a %T, want a Refusal", err)
			}
			return
		}
		u := h.URL("v1", "latest")
		if u.User != nil || u.RawQuery != "" || u.Fragment != "" || !strings.HasPrefix(u.Path, "/") {
			t.Errorf("got URL %#v of %q", u, raw)
		}
		if o := h.Options(); o.Timeout <= 0 || o.Attempts < 1 || o.MaxAge < 0 || o.MaxStale < o.MaxAge {
			t.Errorf("got options %+v of %q", o, raw)
		}
	})
}
