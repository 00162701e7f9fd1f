package resource

import (
	"net/url"
	"strings"
)

func isRedis(u *url.URL) bool { return u.Scheme == "redis" || u.Scheme == "rediss" }

// IsRedis reports whether the resource speaks the Redis protocol.
func (h Handle) IsRedis() bool { return h.base != nil && isRedis(h.base) }

// OverTLS reports whether it is to be spoken to over TLS.
func (h Handle) OverTLS() bool {
	return h.base != nil && (h.base.Scheme == "https" || h.base.Scheme == "rediss")
}

// redisUserinfo reads [user]:password. The protocol knows no tokens, and no
// user without a password.
func redisUserinfo(u *url.URL) (Credentials, error) {
	if u.User == nil {
		return Credentials{}, nil
	}
	password, colon := u.User.Password()
	switch {
	case !colon && u.User.Username() != "":
		return Credentials{}, refusef("no colon in the credentials: write user:password@, or :password@ where there is no user (a token is such a password)")
	case password == "":
		return Credentials{}, refusef("the password is empty: write user:password@ or :password@")
	}
	return newBasic(u.User.Username(), password)
}

// Login is the user, often empty, and the password for a protocol that has no
// requests to put them on. Neither is to be printed or put into an error.
func (h Handle) Login() (user, password string) {
	if !h.IsRedis() || h.credentials.IsZero() {
		return "", ""
	}
	user, password, _ = strings.Cut(h.credentials.secret().value, ":")
	return user, password
}
