package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"example.com/portpair/services/quotes/internal/store"
)

// sweepEvery is how often old quotes are looked for.
const sweepEvery = 10 * time.Minute

// openStore attaches the database that DATABASE_URL names. where is what the
// log may say of it: for a file its absolute path.
func openStore(cfg settings) (quotes *store.Store, where string, err error) {
	limits := store.Settings{TTL: cfg.QuoteTTL, Retention: cfg.Retention, MaxOpen: cfg.MaxOpenQuotes}
	u := cfg.DatabaseURL.Reveal()
	if u.Scheme == "sqlite" {
		path, err := sqlitePath(u)
		if err != nil {
			return nil, "", fmt.Errorf("DATABASE_URL: %w", err)
		}
		quotes, err = store.OpenSQLite(path, time.Now, limits)
		return quotes, "sqlite:" + path, err
	}
	quotes, err = store.OpenPostgres(u.String(), nil, limits)
	if err != nil {
		return nil, "", fmt.Errorf("DATABASE_URL: %w", err)
	}
	return quotes, cfg.DatabaseURL.String(), nil
}

// sqlitePath reads sqlite:relative/path, sqlite:/absolute/path and
// sqlite:///absolute/path.
func sqlitePath(u url.URL) (string, error) {
	path := u.Opaque
	if path == "" {
		path = u.Path
	}
	path, err := url.PathUnescape(path)
	if err != nil || u.Host != "" || u.RawQuery != "" || path == "" || strings.HasSuffix(path, "/") {
		return "", errors.New("want sqlite: and a path alone, such as sqlite:var/quotes.db")
	}
	return filepath.Abs(path)
}

// keepHouse sweeps old quotes away until the function that it returns is
// called, or ctx ends.
func keepHouse(ctx context.Context, quotes *store.Store, log *slog.Logger) (stop func()) {
	sweeping, cancel := context.WithCancel(ctx)
	var done sync.WaitGroup
	done.Go(func() {
		tick := time.NewTicker(sweepEvery)
		defer tick.Stop()
		for {
			n, err := quotes.Sweep(sweeping)
			switch {
			case sweeping.Err() != nil:
				return
			case err != nil:
				log.Warn("sweep failed", "error", err)
			case n > 0:
				log.Info("swept", "quotes", n)
			}
			select {
			case <-tick.C:
			case <-sweeping.Done():
				return
			}
		}
	})
	return func() { cancel(); done.Wait() }
}
