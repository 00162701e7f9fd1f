// Command quotes converts amounts and locks quotes at the reference rates of a
// backing service, which it knows by one URL.
//
// It is configured by its environment alone (quotes --help lists the
// variables), binds PORT and serves HTTP there. On SIGTERM or Ctrl-C it says
// 503 on /readyz, finishes the requests in flight and exits 0.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"example.com/portpair/services/quotes/internal/ratesapi"
	"example.com/portpair/services/quotes/internal/store"
	"example.com/portpair/services/quotes/internal/web"
	"example.com/portpair/services/twelve/config"
	"example.com/portpair/services/twelve/logs"
	"example.com/portpair/services/twelve/port"
	"example.com/portpair/services/twelve/telemetry"
)

const name = "quotes"

// version is set by the linker.
var version = "dev"

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout); err != nil {
		for line := range strings.Lines(err.Error()) {
			fmt.Fprintf(os.Stderr, "%s: %s\n", name, strings.TrimSuffix(line, "\n"))
		}
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	command := strings.Join(args, " ")
	switch {
	case slices.Contains(args, "--help"), slices.Contains(args, "-h"), command == "help":
		help(stdout)
		return nil
	case command == "--version":
		fmt.Fprintln(stdout, name, version)
		return nil
	case len(args) > 0 && args[0] == "check":
		return runCheck(ctx, args[1:], stdout)
	case command != "" && command != "probe":
		return errors.New("takes --help, --version, probe, check or nothing; all else is in the environment")
	}

	var cfg settings
	if err := config.Load(&cfg); err != nil {
		return err
	}
	if command == "probe" {
		return port.Probe(ctx, cfg.Host, cfg.Port)
	}
	log := logs.New(stdout, cfg.LogLevel, cfg.LogFormat)
	slog.SetDefault(log) // for libraries that log
	listeners, err := port.Listen(ctx, cfg.Host, cfg.Port)
	if err != nil {
		return err
	}

	metrics := telemetry.New(name, version)
	rates := ratesapi.New(cfg.RatesURL, name+"/"+version, log, time.Now, countCalls(metrics))
	defer rates.Close()
	log.Info("attached", "resource", "rates", "handle", cfg.RatesURL.String())

	quotes, where, err := openStore(cfg)
	if err != nil {
		return err
	}
	defer quotes.Close()
	log.Info("attached", "resource", "database", "handle", where)
	if err := quotes.Ready(ctx); errors.Is(err, store.ErrNewerSchema) {
		return err
	} else if err != nil {
		log.Warn("database unavailable, trying on", "error", err)
	}
	defer keepHouse(ctx, quotes, log)()

	// Ready without rates: quotes is the one to say that they are missing.
	// Without its database it cannot do its work.
	health := port.NewHealth(quotes.Ready)
	return port.Server{
		Name: name, Version: version, Health: health, Log: log,
		DrainDelay: cfg.DrainDelay, DrainTimeout: cfg.DrainTimeout,
		Handler: web.Routes(web.App{
			Rates: rates, Quotes: quotes, Health: health, Metrics: metrics, Log: log, Now: time.Now,
			LockFor: cfg.QuoteTTL, LockMaxDays: cfg.LockMaxDays, MaxInFlight: cfg.MaxInFlight, TrustedProxies: cfg.TrustedProxies,
		}),
	}.Serve(ctx, listeners...)
}

func help(w io.Writer) {
	fmt.Fprint(w, `quotes converts amounts and locks quotes at the reference rates of a backing service.

  quotes             serve on PORT until SIGTERM or Ctrl-C
  quotes probe       in its environment, ask the one that serves on PORT whether it is
                     ready: exit 0 or 1
  quotes check [--json] [URL]
                     before a swap, ask whether URL, or else RATES_URL, can be the backing
                     service, and DATABASE_URL the database: exit 0 or 1, within 5 seconds.
                     Others see a URL on the command line: give one with credentials in
                     RATES_URL or RATES_URL_FILE
  quotes --version

Variables:

`)
	config.Usage(w, new(settings))
}
