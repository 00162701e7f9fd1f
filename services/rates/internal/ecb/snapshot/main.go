// Command snapshot renews the snapshot that is built into rates: the newest days of the feed that FEED_URL names (the
// ECB's, unless set). It is run by hand from the module's root, before a release; what it changed is read in the diff.
package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

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
	if err := notOlder(csv, path); err != nil {
		return err
	}
	return replace(path, csv)
}

// notOlder refuses an edition that would take the snapshot back: a mirror that was forgotten, say.
func notOlder(csv, path string) error {
	kept, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	before, err := ecb.Parse(bytes.NewReader(kept))
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	after, err := ecb.Parse(strings.NewReader(csv))
	if err != nil {
		return err
	}
	if after.Newest() < before.Newest() {
		return fmt.Errorf("the feed ends with %v, the snapshot with %v: not taken", after.Newest(), before.Newest())
	}
	return nil
}

// replace writes a file whole or not at all.
func replace(path, content string) error {
	next := path + ".new"
	err := os.WriteFile(next, []byte(content), 0o644)
	if err == nil {
		err = os.Rename(next, path)
	}
	if err != nil {
		_ = os.Remove(next)
	}
	return err
}
