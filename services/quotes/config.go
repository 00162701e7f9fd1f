package main

import (
	"errors"
	"log/slog"
	"net/netip"
	"time"

	"example.com/portpair/services/twelve/logs"
	"example.com/portpair/services/twelve/resource"
)

// settings are the app's environment. The texts in desc are what --help prints.
type settings struct {
	// goreman and foreman set it; 0 is for tests and for platforms that read
	// the log line "listening".
	Port uint16 `envconfig:"PORT" default:"5000" want:"a whole number from 0 to 65535" desc:"port to bind; 0 is any free one, which is logged"`

	// On a developer's machine say localhost: nothing outside can then connect.
	Host string `envconfig:"HOST" desc:"address to bind; localhost is both loopbacks, unset all interfaces"`

	// Over the routing layer's health check interval, so that it has noticed.
	DrainDelay time.Duration `envconfig:"DRAIN_DELAY" default:"0s" desc:"on SIGTERM, how long readiness says 503 before connections are refused"`

	// With DRAIN_DELAY under what the platform allows before it kills:
	// goreman 10s, Kubernetes 30s.
	DrainTimeout time.Duration `envconfig:"DRAIN_TIMEOUT" default:"8s" desc:"how long requests in flight may then take"`

	LogLevel  slog.Level  `envconfig:"LOG_LEVEL" default:"info" want:"debug, info, warn or error" desc:"debug, info, warn or error"`
	LogFormat logs.Format `envconfig:"LOG_FORMAT" default:"json" want:"json or text" desc:"json for machines, text for people; one line an event, on stdout"`

	// All that the app knows of its backing service. Change it and restart,
	// and the same binary runs on another.
	RatesURL resource.Handle `envconfig:"RATES_URL" required:"true" desc:"the rates service: http[s]://[user:password@|token@]host[:port][/base] or redis[s]://[[user]:password@]host[:port], then [?timeout=2s&attempts=3&max_age=5m&max_stale=24h]"`

	// The app's second attached resource. SQLite is one machine's state: where
	// several processes share the work, they share a PostgreSQL.
	DatabaseURL resource.URL `envconfig:"DATABASE_URL" default:"sqlite:var/quotes.db" desc:"where quotes are kept: sqlite:path, or postgres://user:password@host:port/database"`

	QuoteTTL time.Duration `envconfig:"QUOTE_TTL" default:"30m" desc:"how long a locked rate holds; 1s or more"`

	// Not under 24h, for that long idempotency keys count after their quote.
	Retention time.Duration `envconfig:"RETENTION" default:"720h" desc:"how long an expired quote nobody accepted is kept; 24h or more"`

	LockMaxDays   int `envconfig:"LOCK_MAX_DAYS" default:"7" want:"a whole number of days, 0 or more" desc:"oldest reference date to lock on, in days before today (UTC)"`
	MaxOpenQuotes int `envconfig:"MAX_OPEN_QUOTES" default:"1000000" want:"a whole number of quotes, 1 or more" desc:"open quotes at most; above it 503"`

	// What is over is turned away at once, so that what is let in is answered
	// in time: capacity is this by the seconds that a request takes.
	MaxInFlight int `envconfig:"MAX_IN_FLIGHT" default:"512" want:"a whole number of requests, 1 or more" desc:"requests worked on at once, probes not counted; above it 503"`

	// Only the routing layer's own addresses: whoever is in here can claim to
	// be anyone.
	TrustedProxies []netip.Prefix `envconfig:"TRUSTED_PROXIES" want:"CIDRs separated by commas, such as 127.0.0.1/32,10.0.0.0/8" desc:"CIDRs of proxies whose X-Forwarded-For counts"`
}

// Validate refuses what a single field's type allows.
func (s *settings) Validate() error {
	var errs []error
	refuse := func(wrong bool, text string) {
		if wrong {
			errs = append(errs, errors.New(text))
		}
	}
	scheme := s.DatabaseURL.Reveal().Scheme
	refuse(!s.DatabaseURL.IsZero() && scheme != "sqlite" && scheme != "postgres" && scheme != "postgresql",
		"DATABASE_URL: want sqlite:path or postgres://user:password@host:port/database")
	refuse(s.QuoteTTL < time.Second, "QUOTE_TTL: want 1s or more")
	refuse(s.Retention < 24*time.Hour, "RETENTION: want 24h or more: idempotency keys count that long")
	refuse(s.LockMaxDays < 0, "LOCK_MAX_DAYS: want a whole number of days, 0 or more")
	refuse(s.MaxOpenQuotes < 1, "MAX_OPEN_QUOTES: want a whole number of quotes, 1 or more")
	refuse(s.MaxInFlight < 1, "MAX_IN_FLIGHT: want a whole number of requests, 1 or more")
	return errors.Join(errs...)
}
