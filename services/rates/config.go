package main

import (
	"log/slog"
	"time"

	"example.com/portpair/services/twelve/logs"
	"example.com/portpair/services/twelve/resource"
)

// settings are the app's environment. The texts in desc are what --help
// prints.
type settings struct {
	// goreman and foreman set it; 0 is for tests and for platforms that read
	// the log line "listening".
	Port uint16 `envconfig:"PORT" default:"5100" want:"a whole number from 0 to 65535" desc:"port to bind; 0 is any free one, which is logged"`

	// On a developer's machine say localhost: nothing outside can then connect.
	Host string `envconfig:"HOST" desc:"address to bind; localhost is both loopbacks, unset all interfaces"`

	// Over the routing layer's health check interval, so that it has noticed.
	DrainDelay time.Duration `envconfig:"DRAIN_DELAY" default:"0s" desc:"on SIGTERM, how long readiness says 503 before connections are refused"`

	// With DRAIN_DELAY under what the platform allows before it kills:
	// goreman 10s, Kubernetes 30s.
	DrainTimeout time.Duration `envconfig:"DRAIN_TIMEOUT" default:"8s" desc:"how long requests in flight may then take"`

	LogLevel  slog.Level  `envconfig:"LOG_LEVEL" default:"info" want:"debug, info, warn or error" desc:"debug, info, warn or error"`
	LogFormat logs.Format `envconfig:"LOG_FORMAT" default:"json" want:"json or text" desc:"json for machines, text for people; one line an event, on stdout"`

	// The consumer puts the same into its handle's userinfo.
	Access resource.Credentials `envconfig:"RATES_ACCESS" desc:"user:password or a token that /v1 then asks for; unset is open"`
}
