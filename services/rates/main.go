// Command rates serves the European Central Bank's euro foreign exchange
// reference rates over HTTP, in the API that Frankfurter's v1 is, and over the
// Redis protocol.
//
// It is configured by its environment alone (rates --help lists the
// variables), binds PORT, and RESP_PORT where it is set, and serves there: at
// once what it has, and what the feed brings as soon as it is there. On
// SIGTERM or Ctrl-C it says 503 on /readyz, finishes the requests in flight
// and exits 0.
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
	"sync"
	"time"

	"example.com/portpair/services/rates/internal/ecb"
	"example.com/portpair/services/rates/internal/fx"
	"example.com/portpair/services/rates/internal/resp"
	"example.com/portpair/services/rates/internal/web"
	"example.com/portpair/services/twelve/config"
	"example.com/portpair/services/twelve/logs"
	"example.com/portpair/services/twelve/port"
	"example.com/portpair/services/twelve/telemetry"
)

const name = "rates"

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
	case command != "" && command != "probe" && command != "export":
		return errors.New("takes --help, --version, probe, export or nothing; all else is in the environment")
	}

	var cfg settings
	if err := config.Load(&cfg); err != nil {
		return err
	}
	switch command {
	case "probe":
		return port.Probe(ctx, cfg.Host, cfg.Port)
	case "export":
		return export(ctx, cfg, stdout)
	}
	return serve(ctx, cfg, stdout)
}

func serve(ctx context.Context, cfg settings, stdout io.Writer) error {
	log := logs.New(stdout, cfg.LogLevel, cfg.LogFormat)
	slog.SetDefault(log) // for libraries that log
	listeners, err := port.Listen(ctx, cfg.Host, cfg.Port)
	if err != nil {
		return err
	}

	metrics := telemetry.New(name, version)
	feed := openFeed(cfg, countFetches(metrics), log)
	second, err := bindSecond(ctx, cfg, resp.App{Table: feed.Table, Access: cfg.Access, Metrics: metrics, Log: log, Version: version})
	if err != nil {
		return err
	}
	metrics.NewGauge("rates_newest_day_age_seconds", func() float64 { return age(feed.Table(), time.Now()).Seconds() })
	defer goUntilDone(ctx, feed.Run)()
	health := port.NewHealth(nil) // ready with what there is: the feed may take its time

	return port.Server{
		Name: name, Version: version, Health: health, Log: log,
		DrainDelay: cfg.DrainDelay, DrainTimeout: cfg.DrainTimeout, Second: second,
		Handler: web.Routes(web.App{Table: feed.Table, Origin: func() web.Origin { return web.Origin(feed.Origin()) }, Access: cfg.Access, Health: health, Metrics: metrics, Log: log}),
	}.Serve(ctx, listeners...)
}

func openFeed(cfg settings, observe func(ecb.Outcome), log *slog.Logger) *ecb.Feed {
	return ecb.OpenFeed(ecb.Options{
		Source: cfg.FeedURL, Every: time.Duration(cfg.FeedEvery), Cache: cfg.FeedCache, Agent: name + "/" + version,
		Due: fx.NextPublication, Observe: observe, Log: log,
	})
}

// bindSecond binds RESP_PORT, if it is set.
func bindSecond(ctx context.Context, cfg settings, app resp.App) (*port.Second, error) {
	if !cfg.RESPPort.bind {
		return nil, nil
	}
	listeners, err := port.ListenAs(ctx, "RESP_PORT", cfg.Host, cfg.RESPPort.number)
	if err != nil {
		return nil, err
	}
	return &port.Second{Scheme: "redis", Listeners: listeners, Protocol: resp.New(app)}, nil
}

// export writes the table for a real Redis. stdout is the commands', so what
// goes wrong is logged on stderr.
func export(ctx context.Context, cfg settings, stdout io.Writer) error {
	feed := openFeed(cfg, func(ecb.Outcome) {}, logs.New(os.Stderr, max(cfg.LogLevel, slog.LevelWarn), cfg.LogFormat))
	if err := feed.Once(ctx); err != nil {
		return err
	}
	return resp.Export(stdout, feed.Table())
}

// goUntilDone starts f. The func it returns ends f's ctx and waits for f.
func goUntilDone(ctx context.Context, f func(context.Context)) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { f(ctx) })
	return func() {
		cancel()
		running.Wait()
	}
}

// age of the newest day: since the midnight, in UTC, that it began with.
func age(t *fx.Table, now time.Time) time.Duration { return now.Sub(t.Newest().Time()) }

func help(w io.Writer) {
	fmt.Fprint(w, `rates serves the ECB's euro foreign exchange reference rates.

  rates             serve on PORT, and RESP_PORT where set, until SIGTERM or Ctrl-C
  rates probe       in its environment, ask the one that serves on PORT whether it is
                    ready: exit 0 or 1
  rates export      write the rates as commands for a Redis: rates export | redis-cli --pipe
  rates --version

Variables:

`)
	config.Usage(w, new(settings))
}
