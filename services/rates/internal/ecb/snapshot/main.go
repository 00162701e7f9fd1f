// Command snapshot renews the snapshot that is built into rates: the newest days of the feed that FEED_URL names (the
// ECB's, unless set). It is run by hand from the module's root, before a release; what it changed is read in the diff.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"

	"example.com/portpair/services/rates/internal/ecb"
)

const (
	path = "internal/ecb/eurofxref-hist.csv"
	feed = "https://www.ecb.europa.eu/stats/eurofxref/eurofxref-hist.zip"
	days = 66 // three months
)

func main() {
	if err := run(context.Background(), cmp.Or(os.Getenv("FEED_URL"), feed), path); err != nil {
		fmt.Fprintln(os.Stderr, "snapshot:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, url, path string) error {
	source, err := ecb.ParseSource(url)
	if err != nil {
		return fmt.Errorf("FEED_URL: %w", err)
	}
	if source.IsZero() {
		return errors.New("FEED_URL is none: there is nothing to renew it from")
	}
	csv, err := ecb.Excerpt(ctx, source, "rates-snapshot", days)
	if err != nil {
		return fmt.Errorf("fetching %v: %w", source, err)
	}
	return os.WriteFile(path, []byte(csv), 0o644)
}
