package resource

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func parseURL(t *testing.T, raw string) URL {
	t.Helper()
	u, err := ParseURL(raw)
	if err != nil {
		t.Fatalf("ParseURL(%q): %v", raw, err)
	}
	return u
}

func TestParseURL(t *testing.T) {
	for _, tt := range []struct{ name, raw, text string }{
		{"a page", "https://www.ecb.europa.eu/stats/feed.zip", "https://www.ecb.europa.eu/stats/feed.zip"},
		{"a host alone", "http://localhost:5100", "http://localhost:5100"},
		{"a path keeps its slash", "http://host/feed/", "http://host/feed/"},
		{"a path that ends in /v1", "http://host/v1", "http://host/v1"},
		{"userinfo is not shown", "http://user:geheim@host/feed", "http://***@host/feed"},
		{"nor is a token", "http://geheim@host/feed", "http://***@host/feed"},
		{"nor is a query", "https://host/feed?sig=geheim", "https://host/feed?***"},
		{"an empty query", "https://host/feed?", "https://host/feed"},
		{"a query with an escaped @", "https://host/feed?of=a%40b", "https://host/feed?***"},
		{"a file", "file:///var/feed.zip", "file:///var/feed.zip"},
		{"a file with a blank", "file:///var/my%20feed.zip", "file:///var/my%20feed.zip"},
		{"a database", "postgres://user:geheim@host/db?sslmode=require", "postgres://***@host/db?***"},
		{"a database in a file", "sqlite:var/quotes.db", "sqlite:var/quotes.db"},
		{"with options of its driver", "sqlite:var/quotes.db?_pragma=x", "sqlite:var/quotes.db?***"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u := parseURL(t, tt.raw)
			if got := u.String(); got != tt.text {
				t.Errorf("got text %q, want %q", got, tt.text)
			}
			if u.IsZero() {
				t.Error("got the zero URL")
			}
			whole := u.Reveal()
			if got, want := whole.String(), tt.raw; got != want {
				t.Errorf("got %q revealed, want %q", got, want)
			}
		})
	}
}

func TestParseURLRefuses(t *testing.T) {
	for _, tt := range []struct{ name, raw, want string }{
		{"no scheme", "host/SECRET", "not a URL"},
		{"a port that is none", "http://user:SECRET", "not a URL"},
		{"a broken escape", "http://user:SECRET%@host/", "not a URL"},
		{"a control character", "http://user:SECRET\n@host/", "not a URL"},
		{"a / in the password", "http://user:12/SECRET@host/", "an @ after the host"},
		{"a ? in the password", "http://user:12?SECRET@host/", "an @ after the host"},
		{"userinfo in an opaque URL", "http:user:SECRET@host", "an @ after the host"},
		{"a # in the password", "http://user:12#SECRET@host/", "a # makes no sense here"},
		{"a # at the end", "http://host/SECRET#", "a # makes no sense here"},
		{"port 0", "http://SECRET@host:0", "the port is not one"},
		{"no host", "http://user:SECRET@/feed", "names no host"},
		{"a blank in a token", "http://SECRET%20x@host/", "visible ASCII"},
		{"a colon alone for credentials", "http://:@host/SECRET", "the credentials are empty"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, secret := range secrets {
				u, err := ParseURL(strings.ReplaceAll(tt.raw, "SECRET", secret))
				var refusal Refusal
				if !errors.As(err, &refusal) || !strings.Contains(err.Error(), tt.want) {
					t.Fatalf("got %v, %v, want a Refusal with %q", u, err, tt.want)
				}
				if !u.IsZero() {
					t.Errorf("got %v beside the error, want the zero URL", u)
				}
				noSecret(t, fmt.Sprintf("%v %+v %#v", err, err, err), secret)
			}
		})
	}
}

// source embeds a URL, as the type of an app's variable may.
type source struct{ URL }

func TestEveryTextFormOfAURLIsRedacted(t *testing.T) {
	secret := secrets[0]
	for _, raw := range []string{
		"https://user:" + secret + "@host/feed", "https://" + secret + "@host/feed", "https://host/feed?sig=" + secret,
		"postgres://user:" + secret + "@host/db", "sqlite:quotes.db?key=" + secret,
	} {
		u := parseURL(t, raw)
		for name, v := range map[string]any{
			"a URL": u, "a pointer": &u, "a slice": []URL{u}, "a map": map[string]*URL{"u": &u},
			"an exported field": struct{ U URL }{u}, "an unexported field": struct{ u *URL }{&u}, "one embedded": source{u},
			"an error that wraps it": fmt.Errorf("fetching %v: %w", u, errors.New("refused")),
		} {
			t.Run(strings.ReplaceAll(raw, "/", "|")+" "+name, func(t *testing.T) {
				t.Parallel()
				noSecretInAnyForm(t, v, secret)
			})
		}
	}
}

func TestTheZeroURL(t *testing.T) {
	var u URL
	if got := fmt.Sprint(u); got != "" || !u.IsZero() {
		t.Errorf("got %q, want no text", got)
	}
	whole := u.Reveal()
	if got := whole.String(); got != "" {
		t.Errorf("got %q revealed, want nothing", got)
	}
}

// getURL asks a URL as a client is to.
func getURL(t *testing.T, u URL) error {
	t.Helper()
	r, err := u.Get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DisableKeepAlives: true}
	resp, err := (&http.Client{CheckRedirect: u.CheckRedirect, Transport: transport}).Do(r)
	if err == nil {
		resp.Body.Close()
	}
	return err
}

func TestAServerGetsPathQueryAndCredentialsOfAURL(t *testing.T) {
	for _, tt := range []struct{ name, userinfo, want string }{
		{"Basic", "user:p%40ss@", basic("user:p@ss")},
		{"Bearer", "token@", "Bearer token"},
		{"none", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			asked := ""
			b := newBacking(t, func(_ http.ResponseWriter, r *http.Request) { asked = r.Host + r.RequestURI })
			host := strings.TrimPrefix(b.URL, "http://")
			if err := getURL(t, parseURL(t, "http://"+tt.userinfo+host+"/feed/?sig=a%2Fb&x")); err != nil {
				t.Fatal(err)
			}
			if want := host + "/feed/?sig=a%2Fb&x"; asked != want {
				t.Errorf("got asked for %q, want %q", asked, want)
			}
			if got, _ := b.at("/feed/"); got != tt.want {
				t.Errorf("got Authorization %q, want %q", got, tt.want)
			}
		})
	}
}

func TestRedirectsOfAURLStayWithinItsOrigin(t *testing.T) {
	elsewhere := newBacking(t, echoPath)
	b := newBacking(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, "/feed", http.StatusFound)
		case "/away":
			http.Redirect(w, r, elsewhere.URL+"/feed", http.StatusFound)
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		}
	})
	with := strings.Replace(b.URL, "://", "://token@", 1)
	if err := getURL(t, parseURL(t, with+"/moved")); err != nil {
		t.Errorf("got %v, want the redirect followed", err)
	}
	if got, _ := b.at("/feed"); got != "Bearer token" {
		t.Errorf("got Authorization %q, want the token", got)
	}
	for _, path := range []string{"/away", "/loop"} {
		if err := getURL(t, parseURL(t, with+path)); !errors.Is(err, ErrRedirect) {
			t.Errorf("%s: got %v, want %v", path, err, ErrRedirect)
		}
	}
	if _, asked := elsewhere.at("/feed"); asked {
		t.Error("got the other origin asked")
	}
}
