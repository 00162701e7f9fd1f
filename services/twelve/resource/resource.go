// Package resource is the handle of a backing service (factor IV): one URL
// with its credentials and options, handed over in the environment. A Handle
// gives clients a URL that holds no secret, puts the credentials on their
// requests itself, and prints only redacted, in every text form.
//
// How to call the service, and what its answers mean, it leaves to the
// package that talks to it.
package resource

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Handle is an attached resource:
//
//	http[s]://[userinfo@]host[:port][/base/path][?options]
//	redis[s]://[[user]:password@]host[:port][?options]
//
// Over HTTP userinfo with a colon is Basic, without one a Bearer token. All of
// it is percent-encoded where needed. The zero Handle names no resource.
type Handle struct {
	base        *url.URL // without userinfo and query; the path ends in / only at the root
	credentials Credentials
	options     Options
}

// Refusal says why a text is not a handle, and what would do. It never
// repeats the text, since any part of a mistyped URL may be its password.
type Refusal string

func (e Refusal) Error() string { return string(e) }

// Hint lets the config show the text.
func (e Refusal) Hint() string { return string(e) }

func refusef(format string, args ...any) error { return Refusal(fmt.Sprintf(format, args...)) }

// Parse reads a handle. Every error is a Refusal: net/url's are not wrapped,
// because they quote what they could not parse.
func Parse(raw string) (Handle, error) {
	const example = "such as http://localhost:5100 or https://api.frankfurter.dev"
	scheme, _, _ := strings.Cut(raw, "://")
	if _, known := ports[strings.ToLower(scheme)]; !known || scheme == raw {
		return Handle{}, refusef("want a URL that starts with http://, https://, redis:// or rediss://, %s", example)
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return Handle{}, refusef("not a URL (a /, ?, # or %% in user, password or token is written %%2F, %%3F, %%23, %%25); want one %s", example)
	case strings.Contains(u.EscapedPath(), "@"):
		return Handle{}, refusef("an @ after the host's first /: a / in user, password or token is written %%2F, an @ in a path %%40")
	case u.Fragment != "" || strings.HasSuffix(raw, "#"):
		return Handle{}, refusef("a # makes no sense here: in user, password or token it is written %%23")
	case u.Hostname() == "":
		return Handle{}, refusef("names no host; want a URL %s", example)
	case !portInRange(u):
		return Handle{}, refusef("the port is not one from 1 to 65535")
	}
	base, userinfo := baseOf(*u), userinfo
	if isRedis(u) {
		if base.Path != "/" {
			return Handle{}, refusef("a Redis has no path: leave out what follows host and port, a database's number too")
		}
		userinfo = redisUserinfo
	}
	for _, own := range []string{"/v1", "/v1/latest"} {
		if strings.HasSuffix(base.Path, own) {
			return Handle{}, refusef("ends in %s, which the app adds itself: leave it out", own)
		}
	}
	credentials, err := userinfo(u)
	if err != nil {
		return Handle{}, err
	}
	options, err := parseOptions(u.RawQuery)
	if err != nil {
		return Handle{}, err
	}
	return Handle{base, credentials, options}, nil
}

// baseOf cleans the path and starts it with a slash: JoinPath on an empty one
// makes it relative, and servers refuse a request for "v1/latest".
func baseOf(u url.URL) *url.URL {
	path := strings.TrimRight(u.EscapedPath(), "/")
	u.User, u.RawQuery, u.ForceQuery = nil, "", false
	u.Path, u.RawPath = "/", ""
	return u.JoinPath(path)
}

// ports are the schemes' own.
var ports = map[string]string{"http": "80", "https": "443", "redis": "6379", "rediss": "6379"}

func hostPort(u *url.URL) string {
	return net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), ports[u.Scheme]))
}

func portInRange(u *url.URL) bool {
	if u.Port() == "" {
		return !strings.HasSuffix(u.Host, ":")
	}
	n, err := strconv.Atoi(u.Port())
	return err == nil && n >= 1 && n <= 65535
}

func userinfo(u *url.URL) (Credentials, error) {
	if u.User == nil {
		return Credentials{}, nil
	}
	if password, ok := u.User.Password(); ok {
		return newBasic(u.User.Username(), password)
	}
	return newBearer(u.User.Username())
}

// UnmarshalText reads what Parse does.
func (h *Handle) UnmarshalText(text []byte) error {
	parsed, err := Parse(string(text))
	*h = parsed
	return err
}

// URL is the handle's address joined with path elements: no credentials, no
// options, safe to hand to a client and to print.
func (h Handle) URL(elem ...string) *url.URL { return h.base.JoinPath(elem...) }

// Address is where the handle leads: host and port, the scheme's own if it
// names none.
func (h Handle) Address() string { return hostPort(h.base) }

// Options are the handle's options, defaults filled in.
func (h Handle) Options() Options { return h.options }

// Authorize puts the handle's credentials on a request.
func (h Handle) Authorize(r *http.Request) { h.credentials.Authorize(r) }

// HasCredentials reports whether there are any to send.
func (h Handle) HasCredentials() bool { return !h.credentials.IsZero() }

// ErrRedirect is returned by CheckRedirect: the backing service answered with
// a redirect to another origin, or with too many.
var ErrRedirect = errors.New("redirect not followed")

// maxRedirects is how many redirects within the origin are followed.
const maxRedirects = 3

// CheckRedirect is for http.Client: it follows redirects within the handle's
// origin (scheme, host, port) only, so that credentials and traffic never go
// where the config does not point.
func (h Handle) CheckRedirect(r *http.Request, via []*http.Request) error {
	switch {
	case origin(r.URL) != origin(h.base):
		return fmt.Errorf("%w: it leads to another origin", ErrRedirect)
	case len(via) > maxRedirects:
		return fmt.Errorf("%w: over %d in a row", ErrRedirect, maxRedirects)
	}
	return nil
}

func origin(u *url.URL) string {
	return u.Scheme + "://" + strings.ToLower(hostPort(u))
}

// String is the address, with *** where there are credentials and without
// options; empty for the zero Handle.
func (h Handle) String() string {
	if h.base == nil {
		return ""
	}
	address := strings.TrimSuffix(h.base.String(), "/")
	if h.credentials.IsZero() {
		return address
	}
	return h.base.Scheme + "://" + redacted + "@" + strings.TrimPrefix(address, h.base.Scheme+"://")
}

// Format makes every verb of fmt print String.
func (h Handle) Format(s fmt.State, _ rune) { fmt.Fprint(s, h.String()) }

// MarshalText is String, for JSON and slog.
func (h Handle) MarshalText() ([]byte, error) { return []byte(h.String()), nil }
