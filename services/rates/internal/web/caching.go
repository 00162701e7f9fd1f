package web

import (
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"strconv"
	"strings"
	"time"

	"example.com/portpair/services/rates/internal/fx"
)

// caching says who may keep an answer, and for how long.
type caching struct {
	scope string // public, or private where clients show credentials
	now   func() time.Time
}

const (
	// longestAge is what the API's first implementation says of everything. A
	// correction of the past, which is rare, takes that long to be seen.
	longestAge = 24 * time.Hour

	// overdueAge is for when a publication is late: it may come any minute.
	overdueAge = time.Minute
)

// settled is for an answer that no publication to come is about.
func (c caching) settled(h http.Header) { c.keep(h, longestAge) }

// current is for an answer that the next publication may change.
func (c caching) current(h http.Header, t *fx.Table) {
	left := t.NextPublication().Sub(c.now())
	if left <= 0 {
		left = overdueAge
	}
	c.keep(h, min(left, longestAge))
}

// about is for an answer about days from start to end. Where the table begins
// only after start, though history does not, the feed may bring the rest any
// minute.
func (c caching) about(h http.Header, start, end fx.Day, t *fx.Table) {
	switch {
	case start < t.First() && t.First() > historyBegins:
		c.keep(h, overdueAge)
	case end < c.today() && end < fx.DayOf(t.NextPublication()):
		c.settled(h)
	default:
		c.current(h, t)
	}
}

// historyBegins on the first day that the ECB published rates for.
var historyBegins = fx.DayOf(time.Date(1999, time.January, 4, 0, 0, 0, 0, time.UTC))

func (c caching) today() fx.Day { return fx.DayOf(c.now()) }

func (c caching) keep(h http.Header, age time.Duration) {
	h["Cache-Control"] = []string{c.scope + ", max-age=" + strconv.Itoa(int(age/time.Second))}
}

// tagOf is the strong ETag of a body with this hash, whose 64 bits are plenty to
// tell one path's answers apart.
func tagOf(sum uint64, zipped bool) string {
	var bits [8]byte
	binary.BigEndian.PutUint64(bits[:], sum)
	tag := make([]byte, 0, 32)
	tag = append(tag, '"')
	tag = base64.RawURLEncoding.AppendEncode(tag, bits[:])
	if zipped {
		tag = append(tag, "-gzip"...) // other bytes, so another tag
	}
	return string(append(tag, '"'))
}

// isKnown reports whether the client's If-None-Match names tag. The comparison
// is the weak one (RFC 9110, section 13.1.2).
func isKnown(h http.Header, tag string) bool {
	for _, list := range h["If-None-Match"] {
		if strings.TrimSpace(list) == "*" {
			return true
		}
		for list != "" {
			list = strings.TrimLeft(list, " \t,")
			list = strings.TrimPrefix(list, "W/")
			// An opaque tag may hold commas, so a list is read from quote to quote.
			opaque, rest, closed := strings.Cut(strings.TrimPrefix(list, `"`), `"`)
			if !closed || !strings.HasPrefix(list, `"`) {
				break
			}
			if opaque == tag[1:len(tag)-1] {
				return true
			}
			list = rest
		}
	}
	return false
}
