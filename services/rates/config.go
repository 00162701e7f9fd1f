package main

import (
	"errors"
	"log/slog"
	"strconv"
	"time"

	"example.com/portpair/services/rates/internal/ecb"
	"example.com/portpair/services/twelve/logs"
	"example.com/portpair/services/twelve/resource"
)

// settings are the app's environment. The texts in desc are what --help
// prints.
type settings struct {
	// goreman and foreman set it; 0 is for tests and for platforms that read
	// the log line "listening".
	Port uint16 `envconfig:"PORT" default:"5100" want:"a whole number from 0 to 65535" desc:"port to bind; 0 is any free one, which is logged"`

	// The Procfile's pair has it at PORT+1.
	RESPPort secondPort `envconfig:"RESP_PORT" want:"a whole number from 0 to 65535" desc:"port to bind for the Redis protocol; 0 is any free one, which is logged; unset binds none"`

	// On a developer's machine say localhost: nothing outside can then connect.
	Host string `envconfig:"HOST" desc:"address to bind; localhost is both loopbacks, unset all interfaces"`

	// Over the routing layer's health check interval, so that it has noticed.
	DrainDelay time.Duration `envconfig:"DRAIN_DELAY" default:"0s" desc:"on SIGTERM, how long readiness says 503 before connections are refused"`

	// With DRAIN_DELAY under what the platform allows before it kills:
	// goreman 10s, Kubernetes 30s.
	DrainTimeout time.Duration `envconfig:"DRAIN_TIMEOUT" default:"8s" desc:"how long requests in flight may then take"`

	LogLevel  slog.Level  `envconfig:"LOG_LEVEL" default:"info" want:"debug, info, warn or error" desc:"debug, info, warn or error"`
	LogFormat logs.Format `envconfig:"LOG_FORMAT" default:"json" want:"json or text" desc:"json for machines, text for people; one line an event, on stdout"`

	// Whose numbers these are. A mirror or a file will do as well; userinfo
	// and query are for its server, and never shown. With none the app
	// reaches for nothing, and its rates end with its release.
	FeedURL ecb.Source `envconfig:"FEED_URL" default:"https://www.ecb.europa.eu/stats/eurofxref/eurofxref-hist.zip" desc:"the ECB's full history, zip or CSV: http[s]://[user:password@|token@]host/path, file:///path, or none"`

	// The feed changes once a working day, about 16:00 in Frankfurt, and is
	// then looked for sooner anyway; after a failure too.
	FeedEvery interval `envconfig:"FEED_EVERY" default:"1h" want:"a duration of 1s or more, such as 15m or 1h" desc:"time between two looks at the feed, at most"`

	// On a disk that outlives the process. What was kept of another FEED_URL
	// does not count. A feed that lacks days or currencies of the last good
	// one is refused: should a wrong one have been believed, remove the file
	// and restart.
	FeedCache string `envconfig:"FEED_CACHE" desc:"file to keep the last good feed in, for a start while it is down; unset keeps none"`

	// The consumer puts the same into its handle's userinfo.
	Access resource.Credentials `envconfig:"RATES_ACCESS" desc:"user:password or a token that /v1 and the Redis protocol then ask for; unset is open"`
}

// secondPort is a port, or none.
type secondPort struct {
	bind   bool
	number uint16
}

func (p *secondPort) UnmarshalText(text []byte) error {
	n, err := strconv.ParseUint(string(text), 10, 16)
	if err == nil && strconv.FormatUint(n, 10) != string(text) {
		err = errors.New("zeros before the number")
	}
	*p = secondPort{true, uint16(n)}
	return err
}

// interval is a duration that cannot become a flood of requests.
type interval time.Duration

func (i *interval) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	if err == nil && d < time.Second {
		err = errors.New("under 1s")
	}
	*i = interval(d)
	return err
}
