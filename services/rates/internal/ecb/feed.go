package ecb

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"sync/atomic"
	"time"

	"example.com/portpair/services/rates/internal/fx"
)

// Options say what a Feed reads and whom it tells.
type Options struct {
	Source  Source                        // none: the snapshot alone
	Every   time.Duration                 // between two fetches, at most
	Cache   string                        // path of a file for the last good feed; empty: none
	Agent   string                        // User-Agent
	Due     func(newest fx.Day) time.Time // when the day after the newest is to be published
	Observe func(Outcome)                 // is told of every fetch
	Log     *slog.Logger
}

// Outcome is what became of a fetch.
type Outcome string

// The outcomes.
const (
	OK        Outcome = "ok"        // another feed, which is served from now on
	Unchanged Outcome = "unchanged" // the one that is served
	Failed    Outcome = "failed"    // none, or a broken one: what is served stays
)

// Feed serves the last good feed, and until there is one the snapshot. A good one replaces what is served as a whole,
// a newer snapshot too: one source answers, never a mixture.
type Feed struct {
	options Options
	fetcher *fetcher
	cache   cache
	table   atomic.Pointer[fx.Table]
	origin  atomic.Pointer[Origin]

	// Run's own once it runs.
	last     good     // of this source
	unsaved  *edition // the last good one, while the cache cannot be written
	failures int      // in a row
}

// Origin is where the table that is served comes from.
type Origin struct {
	From      string    // snapshot, cache or feed
	URL       string    // the feed's, redacted; empty: none is looked at
	Refreshed time.Time // when the feed last had just this table; zero: not since the start
}

// good is a feed that was fine: what the next one is held against. Without a table there was none.
type good struct {
	table *fx.Table
	sum   string
	version
}

// OpenFeed makes a feed that serves what the cache holds, else the snapshot. Run keeps it new.
func OpenFeed(o Options) *Feed {
	f := &Feed{options: o, fetcher: newFetcher(o.Source, o.Agent), cache: newCache(o.Cache, o.Source)}
	if o.Source.IsZero() {
		f.serve("snapshot", Snapshot())
		return f
	}
	o.Log.Info("attached", "resource", "feed", "url", o.Source.String(), "every", o.Every.String())
	switch err := f.restore(); {
	case err == nil:
		f.serve("cache", f.last.table)
		return f
	case errors.Is(err, errOtherCache):
		o.Log.Info("cache not used", "error", err.Error())
	case !errors.Is(err, errNoCache):
		o.Log.Warn("cache not used", "error", err.Error())
	}
	f.serve("snapshot", Snapshot())
	return f
}

// restore takes the edition that the cache holds.
func (f *Feed) restore() error {
	e, err := f.cache.read()
	if err != nil {
		return err
	}
	return f.take(e)
}

// Table is what is served now, for any number of goroutines.
func (f *Feed) Table() *fx.Table { return f.table.Load() }

// Origin is that of the table, for any number of goroutines.
func (f *Feed) Origin() Origin { return *f.origin.Load() }

// Once fetches the feed once, for who wants its table just now. Where the
// feed fails, what the cache holds will do.
func (f *Feed) Once(ctx context.Context) error {
	if f.options.Source.IsZero() {
		return nil
	}
	outcome, err := f.refresh(ctx)
	if outcome != Failed {
		return nil
	}
	if f.last.table == nil {
		return fmt.Errorf("FEED_URL: %w", err)
	}
	f.options.Log.Warn("feed failed", "error", err.Error(), "newest", f.Table().Newest().String())
	return nil
}

// Run fetches the feed, again and again, until ctx ends. A failure is one warning and changes nothing.
func (f *Feed) Run(ctx context.Context) {
	if f.options.Source.IsZero() {
		return
	}
	for ctx.Err() == nil {
		next := f.turn(ctx)
		select {
		case <-ctx.Done():
		case <-time.After(next):
		}
	}
}

// turn fetches the feed once, tells of it, and returns how long to wait for the next turn.
func (f *Feed) turn(ctx context.Context) time.Duration {
	outcome, err := f.refresh(ctx)
	if ctx.Err() != nil {
		return 0
	}
	f.options.Observe(outcome)
	if outcome != Failed {
		f.origin.Store(&Origin{"feed", f.options.Source.String(), time.Now()})
	}
	debug.FreeOSMemory() // reading all history takes 20 MB for a moment; the runtime would keep them

	failuresBefore := f.failures
	if f.failures++; outcome != Failed {
		f.failures = 0
	}
	newest := f.Table().Newest()
	next := wait(time.Now(), f.options.Due(newest), f.options.Every, f.failures, rand.Float64())
	var refused *unavailable
	if errors.As(err, &refused) {
		next = max(next, min(refused.wish, f.options.Every, lastRetry))
	}
	attrs := []any{"newest", newest.String(), "next", next.Round(time.Second).String()}
	switch log := f.options.Log; {
	case outcome == Failed:
		log.Warn("feed failed", append([]any{"error", err.Error()}, attrs...)...)
	case outcome == Unchanged && failuresBefore > 0:
		log.Info("feed unchanged", attrs...) // the trouble is over
	case outcome == Unchanged:
		log.Debug("feed unchanged", attrs...)
	}
	return next
}

// refresh fetches the feed once and, if it is another and good, serves and caches it.
func (f *Feed) refresh(ctx context.Context) (Outcome, error) {
	if f.unsaved != nil {
		f.save(*f.unsaved)
	}
	e, err := f.fetcher.fetch(ctx, f.last.version)
	switch {
	case errors.Is(err, errUnchanged):
		return Unchanged, nil
	case err != nil:
		return Failed, err
	case sum(e.data) == f.last.sum:
		f.last.version = e.version
		return Unchanged, nil
	}
	if err := f.take(e); err != nil {
		return Failed, err
	}
	f.serve("feed", f.last.table)
	f.save(e)
	return OK, nil
}

// save keeps an edition for the next start, and tries again at the next turn if it cannot.
func (f *Feed) save(e edition) {
	f.unsaved = nil
	if err := f.cache.write(e); err != nil {
		f.unsaved = &e
		f.options.Log.Warn("cache not written", "error", err.Error())
	}
}

// take reads an edition and makes it the last good one, or says why it is none.
func (f *Feed) take(e edition) error {
	table, err := Read(e.data)
	if err != nil {
		return err
	}
	// Once believed, a day that cannot be would make each later feed one that lacks it.
	if newest := table.Newest(); newest > fx.DayOf(time.Now())+1 {
		return fmt.Errorf("its newest day, %v, lies in the future", newest)
	}
	if f.last.table != nil {
		if days := table.Lacks(f.last.table); len(days) > 0 {
			return fmt.Errorf("lacks %d of the days that the last good feed had, %v the first of them", len(days), days[0])
		}
		if codes := table.LacksCurrencies(f.last.table); len(codes) > 0 {
			return fmt.Errorf("lacks %d of the currencies that the last good feed had, %s the first of them", len(codes), codes[0])
		}
	}
	if table.Len() == 1 { // an excerpt has some
		return fmt.Errorf("this has one day alone, %v; %s", table.Newest(), wanted)
	}
	f.last = good{table, sum(e.data), e.version}
	return nil
}

func (f *Feed) serve(source string, t *fx.Table) {
	f.table.Store(t)
	f.origin.Store(&Origin{From: source, URL: f.options.Source.String()})
	f.options.Log.Info("table",
		"source", source, "days", t.Len(), "first", t.First().String(), "newest", t.Newest().String())
	if newest := Snapshot().Newest(); t.Newest() < newest {
		f.options.Log.Warn("feed is older than the snapshot", "snapshot", newest.String())
	}
}
