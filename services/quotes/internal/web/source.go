package web

import (
	"net/url"
	"regexp"

	"example.com/portpair/services/quotes/internal/ratesapi"
)

// source is whose rates these are. Our own rates has the ECB's; of others we
// know no more than where they are.
type source struct {
	ECB  bool
	Host string
}

var ours = regexp.MustCompile(`^rates/`)

func sourceOf(s ratesapi.Status) source {
	host := s.Handle
	if u, err := url.Parse(s.Handle); err == nil {
		host = u.Host
	}
	return source{ECB: ours.MatchString(s.Server), Host: host}
}
