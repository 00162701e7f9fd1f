package resource

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// URL is the address of a resource whose options belong to its driver or its
// server, not to us: a database, a feed. It keeps the query, which a Handle
// takes for its own options. Userinfo and query may both hold secrets, and no
// text form shows either. The zero URL names no resource.
type URL struct {
	shown string
	whole func() url.URL // a func, since nothing can look into one; nil: no resource
}

// ParseURL reads a URL of any scheme; which ones will do is for the caller to
// say. Every error is a Refusal, as of Parse.
func ParseURL(raw string) (URL, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Scheme == "":
		return URL{}, refusef("not a URL (a /, ?, # or %% in user, password or token is written %%2F, %%3F, %%23, %%25)")
	case strings.Contains(u.Opaque+u.EscapedPath()+u.RawQuery, "@"):
		return URL{}, refusef("an @ after the host: a / or ? in user, password or token is written %%2F, %%3F, an @ in path or query %%40")
	case u.Fragment != "" || strings.HasSuffix(raw, "#"):
		return URL{}, refusef("a # makes no sense here: in user, password or token it is written %%23")
	case !portInRange(u):
		return URL{}, refusef("the port is not one from 1 to 65535")
	}
	if u.Scheme == "http" || u.Scheme == "https" {
		if u.Hostname() == "" {
			return URL{}, refusef("names no host")
		}
		if _, err := userinfo(u); err != nil {
			return URL{}, err
		}
	}
	whole := *u
	return URL{redact(*u), func() url.URL { return whole }}, nil
}

// redact writes a URL with *** for its userinfo and its query.
func redact(u url.URL) string {
	user, query := "", ""
	if u.User != nil {
		user = redacted + "@"
	}
	if u.RawQuery != "" {
		query = "?" + redacted
	}
	u.User, u.RawQuery, u.ForceQuery = nil, "", false
	return strings.Replace(u.String(), "://", "://"+user, 1) + query
}

// IsZero reports whether it names no resource.
func (u URL) IsZero() bool { return u.whole == nil }

// Reveal is the URL with its secrets, for the one who connects. It is not to
// be printed or put into an error.
func (u URL) Reveal() url.URL {
	if u.whole == nil {
		return url.URL{}
	}
	return u.whole()
}

// Get makes the request for an http URL: its query as it was given, its
// credentials as a Handle sends them.
func (u URL) Get(ctx context.Context) (*http.Request, error) {
	address := u.Reveal()
	credentials, err := userinfo(&address)
	if err != nil {
		return nil, err
	}
	address.User = nil
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "", nil)
	if err != nil {
		return nil, refusef("no request can be made") // net/http's error holds the URL
	}
	r.URL, r.Host = &address, address.Host
	credentials.Authorize(r)
	return r, nil
}

// CheckRedirect is for http.Client, as a Handle's: redirects are followed
// within the URL's origin only.
func (u URL) CheckRedirect(r *http.Request, via []*http.Request) error {
	base := u.Reveal()
	return Handle{base: &base}.CheckRedirect(r, via)
}

// String is the URL with *** for its userinfo and its query.
func (u URL) String() string { return u.shown }

// Format makes every verb of fmt print String.
func (u URL) Format(s fmt.State, _ rune) { fmt.Fprint(s, u.shown) }

// MarshalText is String, for JSON and slog.
func (u URL) MarshalText() ([]byte, error) { return []byte(u.shown), nil }

// UnmarshalText reads what ParseURL does.
func (u *URL) UnmarshalText(text []byte) error {
	parsed, err := ParseURL(string(text))
	*u = parsed
	return err
}
