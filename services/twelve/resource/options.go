package resource

import (
	"fmt"
	"net/url"
	"strconv"
	"time"
)

// Options say how patiently a backing service is asked and how long its
// answers count.
type Options struct {
	Timeout  time.Duration // of one attempt, body included; over 0, at most 1m
	Attempts int           // of one call, the first included; 1 to 10
	MaxAge   time.Duration // an answer is reused without asking; 0: ask every time
	MaxStale time.Duration // an answer is served when asking fails; never under MaxAge
}

// String is how a handle spells them.
func (o Options) String() string {
	return fmt.Sprintf("?timeout=%v&attempts=%d&max_age=%v&max_stale=%v", o.Timeout, o.Attempts, o.MaxAge, o.MaxStale)
}

var defaults = Options{Timeout: 2 * time.Second, Attempts: 3, MaxAge: 5 * time.Minute, MaxStale: 24 * time.Hour}

// parseOptions reads timeout, attempts, max_age and max_stale. A default
// max_stale gives way to a longer max_age; a stated one under it is refused.
func parseOptions(query string) (Options, error) {
	o := defaults
	values, err := url.ParseQuery(query)
	if err != nil {
		return o, refusef("the options after ? cannot be read; write them like ?timeout=2s&max_age=5m")
	}
	for name, given := range values {
		switch {
		case name != "timeout" && name != "attempts" && name != "max_age" && name != "max_stale":
			return o, refusef("an option after ? is unknown; known are timeout, attempts, max_age and max_stale")
		case len(given) > 1:
			return o, refusef("option %s is given twice", name)
		}
	}
	if err := duration(values, "timeout", &o.Timeout); err != nil {
		return o, err
	}
	if err := duration(values, "max_age", &o.MaxAge); err != nil {
		return o, err
	}
	o.MaxStale = max(o.MaxStale, o.MaxAge)
	if err := duration(values, "max_stale", &o.MaxStale); err != nil {
		return o, err
	}
	if values.Has("attempts") {
		if o.Attempts, err = strconv.Atoi(values.Get("attempts")); err != nil || o.Attempts < 1 || o.Attempts > 10 {
			return o, refusef("option attempts: want a whole number from 1 to 10")
		}
	}
	switch {
	case o.Timeout == 0 || o.Timeout > time.Minute:
		return o, refusef("option timeout: want more than 0s and at most 1m")
	case o.MaxStale < o.MaxAge:
		return o, refusef("option max_stale: want no less than max_age")
	}
	return o, nil
}

func duration(values url.Values, name string, d *time.Duration) error {
	if !values.Has(name) {
		return nil
	}
	parsed, err := time.ParseDuration(values.Get(name))
	if err != nil || parsed < 0 {
		return refusef("option %s: want a duration of 0s or more, such as 2s, 5m or 24h", name)
	}
	*d = parsed
	return nil
}
