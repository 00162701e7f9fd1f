package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"example.com/portpair/services/quotes/internal/ratesapi"
	"example.com/portpair/services/quotes/internal/store"
	"example.com/portpair/services/twelve/check"
	"example.com/portpair/services/twelve/config"
	"example.com/portpair/services/twelve/logs"
)

// checkTime bounds a check: who waits for it is about to swap.
const checkTime = 4 * time.Second

var errCheckUsage = errors.New("check takes --json and one URL, or neither; all else is in the environment")

// errUnfit is what a check ends with when a requirement fails; the lines that
// say which are on stdout.
var errUnfit = errors.New("cannot run on what is checked here: see the lines that fail")

// parseCheck reads what stands behind "check".
func parseCheck(args []string) (url string, asJSON bool, err error) {
	for _, arg := range args {
		switch {
		case arg == "":
		case arg == "--json" && !asJSON:
			asJSON = true
		case url == "" && !strings.HasPrefix(arg, "-"):
			url = arg
		default:
			return "", false, errCheckUsage
		}
	}
	return url, asJSON, nil
}

// runCheck says whether quotes can run on what its environment names, or on
// another backing service. It serves nothing, and changes nothing.
func runCheck(ctx context.Context, args []string, stdout io.Writer) error {
	url, asJSON, err := parseCheck(args)
	if err != nil {
		return err
	}
	if url != "" { // it goes through the same door
		os.Setenv("RATES_URL", url)
		os.Unsetenv("RATES_URL_FILE")
	}
	var cfg settings
	if err := config.Load(&cfg); err != nil {
		return err
	}
	effective := config.Settings(&cfg)
	for i := range effective {
		if effective[i].Name == "RATES_URL" && url != "" {
			effective[i].Source = "argument"
		}
		effective[i].Value = logs.Clean(effective[i].Value)
	}

	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	var (
		rates, database check.Resource
		databaseErr     error
		both            sync.WaitGroup
	)
	both.Go(func() { rates = checkRates(ctx, cfg) })
	both.Go(func() { database, databaseErr = checkDatabase(ctx, cfg) })
	both.Wait()
	if databaseErr != nil {
		return databaseErr
	}
	report := check.NewReport(effective, rates, database)
	if asJSON {
		e := json.NewEncoder(stdout)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		err = e.Encode(report)
	} else {
		err = report.Print(stdout)
	}
	if err == nil && !report.OK {
		err = errUnfit
	}
	return err
}

func checkRates(ctx context.Context, cfg settings) check.Resource {
	rates := ratesapi.New(cfg.RatesURL, name+"/"+version, slog.New(slog.DiscardHandler), time.Now, nil)
	defer rates.Close()
	return check.Resource{
		Variable: "RATES_URL", Handle: logs.Clean(cfg.RatesURL.String()), Options: cfg.RatesURL.Options().String(),
		Lines: rates.Check(ctx, cfg.LockMaxDays),
	}
}

func checkDatabase(ctx context.Context, cfg settings) (r check.Resource, err error) {
	r = check.Resource{Variable: "DATABASE_URL", Handle: cfg.DatabaseURL.String()}
	u := cfg.DatabaseURL.Reveal()
	if u.Scheme == "sqlite" {
		var path string
		if path, err = sqlitePath(u); err == nil {
			r.Handle = "sqlite:" + path
			r.Lines, err = store.CheckSQLite(ctx, path, cfg.MaxOpenQuotes)
		}
	} else {
		r.Lines, err = store.CheckPostgres(ctx, u.String(), cfg.MaxOpenQuotes)
	}
	if err != nil {
		err = fmt.Errorf("DATABASE_URL: %w", err)
	}
	r.Handle = logs.Clean(r.Handle)
	return r, err
}
