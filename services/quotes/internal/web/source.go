package web

import (
	"net/url"
	"strings"

	"example.com/portpair/services/quotes/internal/ratesapi"
)

// source is whose rates these are. Our own rates has the ECB's; of others we
// know no more than where they are.
type source struct {
	ECB  bool
	Host string
}

func sourceOf(s ratesapi.Status) source {
	host := s.Handle
	if u, err := url.Parse(s.Handle); err == nil {
		host = u.Host
	}
	return source{ECB: strings.HasPrefix(s.Server, "rates/"), Host: host}
}
