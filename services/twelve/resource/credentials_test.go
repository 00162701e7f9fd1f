package resource

import (
	"encoding/base64"
	"net/http"
	"testing"
)

// request is one with that Authorization; empty for none.
func request(t *testing.T, authorization string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://host/", nil)
	if err != nil {
		t.Fatal(err)
	}
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	return r
}

func credentials(t *testing.T, s string) Credentials {
	t.Helper()
	c, err := ParseCredentials(s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func basic(s string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(s)) }

func TestHandleAuthorizes(t *testing.T) {
	for _, tt := range []struct {
		name     string
		userinfo string
		want     string
	}{
		{"userinfo with a colon is Basic", "user:password@", basic("user:password")},
		{"userinfo without one is a Bearer token", "token@", "Bearer token"},
		{"no userinfo is none", "", ""},
		{"an empty password is Basic", "user:@", basic("user:")},
		{"an empty user is Basic", ":password@", basic(":password")},
		{"a password with a colon", "user:pass:word@", basic("user:pass:word")},
		{"a percent-encoded password", "us%40er:p%2F%3F%23%40%25%3Aw@", basic("us@er:p/?#@%:w")},
		{"a password outside ASCII", "user:p%C3%A4ss@", basic("user:päss")},
		{"a percent-encoded token", "t%2Fo%2Bk%3Den@", "Bearer t/o+k=en"},
		{"a percent-encoded colon makes no Basic", "to%3Aken@", "Bearer to:ken"},
		{"a plus stays a plus", "a+b:c+d@", basic("a+b:c+d")},
		{"an @ that was not encoded", "user:p@ss@", basic("user:p@ss")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := request(t, "")
			parse(t, "http://"+tt.userinfo+"host").Authorize(r)
			if got := r.Header.Get("Authorization"); got != tt.want {
				t.Errorf("got Authorization %q, want %q", got, tt.want)
			}
		})
	}
}

func TestParseCredentials(t *testing.T) {
	for _, tt := range []struct {
		name string
		s    string
		want string // Authorization
	}{
		{"user:password is Basic", "user:password", basic("user:password")},
		{"a password with colons", "user:pass:word:", basic("user:pass:word:")},
		{"without a colon it is a token", "token", "Bearer token"},
		{"nothing is percent-decoded", "user:p%40ss", basic("user:p%40ss")},
		{"empty is none", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, r := credentials(t, tt.s), request(t, "")
			c.Authorize(r)
			if got := r.Header.Get("Authorization"); got != tt.want {
				t.Errorf("got Authorization %q, want %q", got, tt.want)
			}
			if got, want := c.IsZero(), tt.s == ""; got != want {
				t.Errorf("got IsZero %v, want %v", got, want)
			}
			if !c.Match(r) {
				t.Error("got no match of what it authorized itself")
			}
		})
	}
}

func TestParseCredentialsRefuses(t *testing.T) {
	for name, s := range map[string]string{
		"a colon alone, as of two unset variables": ":",
		"a control character in the password":      "user:pass\tword",
		"a trailing newline":                       "user:password\n",
		"a token with a blank":                     "to ken",
		"a token outside ASCII":                    "tökén",
	} {
		t.Run(name, func(t *testing.T) {
			if c, err := ParseCredentials(s); err == nil || !c.IsZero() {
				t.Errorf("got %v, error %v, want only an error", c, err)
			}
		})
	}
}

func TestMatch(t *testing.T) {
	for _, tt := range []struct {
		name          string
		credentials   string
		authorization string
		want          bool
	}{
		{"Basic", "user:password", basic("user:password"), true},
		{"Basic with a colon in the password", "user:pass:word", basic("user:pass:word"), true},
		{"Basic with a password outside ASCII", "user:päss", basic("user:päss"), true},
		{"a scheme in another case", "user:password", "bASIC" + basic("user:password")[5:], true},
		{"extra blanks after the scheme", "user:password", "Basic   " + basic("user:password")[6:], true},
		{"Bearer", "token", "Bearer token", true},
		{"Bearer in another case", "token", "bearer token", true},
		{"Bearer with extra blanks", "token", "Bearer  token", true},
		{"no credentials match everything", "", "", true},
		{"no credentials match any header", "", basic("a:b"), true},

		{"nothing", "user:password", "", false},
		{"nothing for a token", "token", "", false},
		{"the scheme alone", "token", "Bearer", false},
		{"the scheme and a blank", "token", "Bearer ", false},
		{"another password", "user:password", basic("user:Password"), false},
		{"another user", "user:password", basic("User:password"), false},
		{"half the password", "user:password", basic("user:pass"), false},
		{"more than the password", "user:password", basic("user:passwordx"), false},
		{"the user alone", "user:password", basic("user"), false},
		{"bad base64", "user:password", "Basic user:password", false},
		{"base64 without its padding", "a:b1", "Basic YTpiMQ", false},
		{"base64 with a blank in it", "user:password", basic("user:password")[:10] + " " + basic("user:password")[10:], false},
		{"no base64 at all", "user:password", "Basic", false},
		{"another token", "token", "Bearer Token", false},
		{"two tokens", "token", "Bearer token token", false},
		{"no scheme", "token", "token", false},
		{"a wrong scheme", "token", "Digest token", false},
		{"a token as Basic", "token", basic("token"), false},
		{"user:password as Bearer", "user:password", "Bearer user:password", false},
		{"its base64 as Bearer", "user:password", "Bearer " + basic("user:password")[6:], false},
		{"a tab instead of the blank", "token", "Bearer\ttoken", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := credentials(t, tt.credentials).Match(request(t, tt.authorization)); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestChallenge(t *testing.T) {
	for _, tt := range []struct{ name, credentials, want string }{
		{"Basic", "user:password", `Basic realm="rates", charset="UTF-8"`},
		{"Bearer", "token", `Bearer realm="rates"`},
		{"none", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := credentials(t, tt.credentials).Challenge("rates"); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestMatchText(t *testing.T) {
	for _, tt := range []struct {
		credentials, text string
		want              bool
	}{
		{"ada:s3cret", "ada:s3cret", true},
		{"ada:s3cret", "ada:s3cre", false},
		{"ada:s3cret", "s3cret", false},
		{"ada:s3cret", "", false},
		{"t0ken", "t0ken", true},
		{"t0ken", ":t0ken", false},
		{"", "anything", true}, // open
	} {
		c, err := ParseCredentials(tt.credentials)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.MatchText(tt.text); got != tt.want {
			t.Errorf("%q against %q: got %v", tt.text, tt.credentials, got)
		}
	}
}
