package resource

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
)

// redacted stands wherever a secret would.
const redacted = "***"

// Credentials are what a backing service asks for: user and password (HTTP
// Basic, RFC 7617) or a token (Bearer, RFC 6750). The producer matches
// requests against them, the consumer sends them; neither can print them.
// The zero value is none: it authorizes nothing and matches everything.
type Credentials struct {
	// A func, since nothing can look into one: in an unexported field fmt walks
	// over the methods below by reflection, and given a verb that does not fit
	// (%s, %q) it follows pointers too. nil is none.
	secret func() secret
}

type secret struct {
	scheme string // "Basic" or "Bearer"
	value  string // user:password, or the token
	hash   [sha256.Size]byte
}

func newCredentials(scheme, value string) Credentials {
	s := secret{scheme, value, sha256.Sum256([]byte(value))}
	return Credentials{func() secret { return s }}
}

// ParseCredentials reads "user:password" or, without a colon, a token. Empty
// is none. Errors never repeat s.
func ParseCredentials(s string) (Credentials, error) {
	user, password, basic := strings.Cut(s, ":")
	switch {
	case s == "":
		return Credentials{}, nil
	case basic:
		return newBasic(user, password)
	default:
		return newBearer(s)
	}
}

// errEmpty is also what ${USER}:${PASSWORD} comes to when both are unset.
var errEmpty = refusef("the credentials are empty: write user:password or a token")

func newBasic(user, password string) (Credentials, error) {
	if strings.Contains(user, ":") {
		return Credentials{}, refusef("the user name holds a colon, which HTTP Basic cannot carry (RFC 7617)")
	}
	value := user + ":" + password
	if value == ":" {
		return Credentials{}, errEmpty
	}
	if strings.ContainsFunc(value, isControl) {
		return Credentials{}, refusef("user or password holds a control character")
	}
	return newCredentials("Basic", value), nil
}

func newBearer(token string) (Credentials, error) {
	if token == "" {
		return Credentials{}, errEmpty
	}
	if strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return Credentials{}, refusef("a token is visible ASCII without blanks")
	}
	return newCredentials("Bearer", token), nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// UnmarshalText reads what ParseCredentials does.
func (c *Credentials) UnmarshalText(text []byte) error {
	parsed, err := ParseCredentials(string(text))
	*c = parsed
	return err
}

// IsZero reports whether there are no credentials.
func (c Credentials) IsZero() bool { return c.secret == nil }

// Authorize puts the credentials on a request.
func (c Credentials) Authorize(r *http.Request) {
	if c.secret == nil {
		return
	}
	s := c.secret()
	if s.scheme == "Basic" {
		s.value = base64.StdEncoding.EncodeToString([]byte(s.value))
	}
	r.Header.Set("Authorization", s.scheme+" "+s.value)
}

// Match reports whether a request carries these credentials. It compares
// hashes, in constant time: neither content nor length shows in how long it
// takes.
func (c Credentials) Match(r *http.Request) bool {
	if c.secret == nil {
		return true
	}
	scheme, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	value = strings.TrimLeft(value, " ")
	if strings.EqualFold(scheme, "Basic") {
		decoded, err := base64.StdEncoding.DecodeString(value)
		if err != nil {
			return false
		}
		value = string(decoded)
	}
	got, want := sha256.Sum256([]byte(value)), c.secret()
	return strings.EqualFold(scheme, want.scheme) && subtle.ConstantTimeCompare(got[:], want.hash[:]) == 1
}

// MatchText is Match of what a protocol without headers carried: user:password
// or a token, as ParseCredentials reads them.
func (c Credentials) MatchText(s string) bool {
	if c.secret == nil {
		return true
	}
	got, want := sha256.Sum256([]byte(s)), c.secret()
	return subtle.ConstantTimeCompare(got[:], want.hash[:]) == 1
}

// Challenge is the WWW-Authenticate header of a 401 (RFC 9110, section
// 11.6.1); empty without credentials.
func (c Credentials) Challenge(realm string) string {
	switch {
	case c.secret == nil:
		return ""
	case c.secret().scheme == "Basic":
		return fmt.Sprintf(`Basic realm=%q, charset="UTF-8"`, realm)
	default:
		return fmt.Sprintf(`Bearer realm=%q`, realm)
	}
}

// String is *** or, without credentials, empty.
func (c Credentials) String() string {
	if c.secret == nil {
		return ""
	}
	return redacted
}

// Format makes every verb of fmt print String.
func (c Credentials) Format(s fmt.State, _ rune) { fmt.Fprint(s, c.String()) }

// MarshalText is String, for JSON and slog.
func (c Credentials) MarshalText() ([]byte, error) { return []byte(c.String()), nil }
