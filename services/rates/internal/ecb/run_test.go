package ecb

import (
	"context"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/portpair/services/rates/internal/fx"
)

// The clock of a bubble starts at the midnight, in UTC, that the Saturday after friday begins with. friday has
// the day before it too: one day is no history.
const (
	friday = "1999-12-31,1.0046,8.0765,\n1999-12-30,1.0046,8.0765,\n"
	monday = "2000-01-03,1.009,8.062,\n"
	toDue  = 63 * time.Hour // until Monday at 15:00, in UTC
)

// runFeed runs a feed of a file that has friday. advance lets time pass and the feed come to rest.
func runFeed(t *testing.T, f file) (feed tested, advance func(time.Duration)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	feed = openFeed(t, f.source(t), func(o *Options) { o.Due = fx.NextPublication })
	var running sync.WaitGroup
	running.Go(func() { feed.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
	synctest.Wait()
	return feed, func(d time.Duration) {
		time.Sleep(d)
		synctest.Wait()
	}
}

func checkNewest(t *testing.T, feed tested, want string) {
	t.Helper()
	if got := feed.Table().Newest().String(); got != want {
		t.Errorf("newest: got %v, want %v", got, want)
	}
}

func checkFetches(t *testing.T, feed tested, o Outcome, least, most int) {
	t.Helper()
	if got := feed.fetches.that(o); got < least || got > most {
		t.Errorf("fetches that were %s: got %d, want %d to %d", o, got, least, most)
	}
}

func TestRunFetchesAtOnceAndThenAboutHourly(t *testing.T) {
	f := newFile(t, head+friday)
	synctest.Test(t, func(t *testing.T) {
		feed, advance := runFeed(t, f)
		checkNewest(t, feed, "1999-12-31")
		checkFetches(t, feed, OK, 1, 1)
		advance(60 * time.Hour)
		checkFetches(t, feed, Unchanged, 60, 80)
	})
}

// A server's clock, or time zone, may be ahead of ours.
func TestANewestDayOfTomorrowIsBelieved(t *testing.T) {
	for day, want := range map[string]Outcome{"2000-01-01": OK, "2000-01-02": OK, "2000-01-03": Failed} {
		f := newFile(t, head+day+",1.009,8.062,\n"+friday)
		synctest.Test(t, func(t *testing.T) {
			feed := openFeed(t, f.source(t))
			feed.turn(t.Context())
			if got := feed.fetches.that(want); got != 1 {
				t.Errorf("%s, told on 2000-01-01: got %v, want %s", day, feed.fetches.n, want)
			}
		})
	}
}

func TestRunLooksForADayThatIsDue(t *testing.T) {
	f := newFile(t, head+friday)
	synctest.Test(t, func(t *testing.T) {
		feed, advance := runFeed(t, f)
		advance(toDue - time.Second)
		before := feed.fetches.that(Unchanged)
		f.write(t, head+monday+friday)
		advance(soonest + time.Second)
		checkNewest(t, feed, "2000-01-03")
		checkFetches(t, feed, Unchanged, before, before)
		advance(10 * time.Hour) // and back to hourly
		checkFetches(t, feed, Unchanged, before+10, before+14)
	})
}

func TestRunLooksForALateDayLessAndLess(t *testing.T) {
	f := newFile(t, head+friday)
	synctest.Test(t, func(t *testing.T) {
		feed, advance := runFeed(t, f)
		advance(toDue - time.Second)
		before := feed.fetches.that(Unchanged)
		advance(2 * time.Hour)
		checkFetches(t, feed, Unchanged, before+8, before+18)
		f.write(t, head+monday+friday)
		advance(time.Hour)
		checkNewest(t, feed, "2000-01-03")
	})
}

func TestRunComesBackToAFeedThatWasDown(t *testing.T) {
	f := newFile(t, head+friday)
	if err := os.Remove(f.path); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		feed, advance := runFeed(t, f)
		if feed.Table() != Snapshot() {
			t.Error("got another table than the snapshot")
		}
		advance(10 * time.Minute)
		checkFetches(t, feed, Failed, 5, 8) // 15 s, 30 s, 1 min, 2 min, 4 min
		advance(20 * time.Hour)
		checkFetches(t, feed, Failed, 20, 40)
		failed := feed.fetches.that(Failed)
		f.write(t, head+friday)
		advance(time.Hour)
		checkNewest(t, feed, "1999-12-31")
		checkFetches(t, feed, Failed, failed, failed)
		if got, want := len(feed.log.at(t, "WARN")), failed+1; got != want { // and one that the snapshot was newer
			t.Errorf("got %d warnings, want %d", got, want)
		}
	})
}

// A reader sees one table or the other while feeds come in.
func TestTableIsSwappedAsAWhole(t *testing.T) {
	f := newFile(t, current)
	feed := openFeed(t, f.source(t))
	feed.turn(t.Context())
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				table := feed.Table()
				got := rate(t, table, "2025-10-23", "USD") + " " + rate(t, table, "2025-10-22", "NOK")
				if got != "1.1593 11.656" && got != "1.9511 10.656" {
					t.Errorf("got %v of two tables", got)
					return
				}
			}
		})
	}
	other := strings.NewReplacer("1.1593", "1.9511", "11.656", "10.656").Replace(current)
	for i := range 50 {
		f.write(t, []string{other, current}[i%2])
		feed.turn(t.Context())
	}
	close(stop)
	readers.Wait()
	if got, want := feed.fetches.that(OK), 51; got != want {
		t.Errorf("feeds taken: got %v, want %v", got, want)
	}
}

func TestTheOriginOfWhatIsServed(t *testing.T) {
	f := newFile(t, head+friday)
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		source := f.source(t)
		feed := openFeed(t, source)
		if got, want := feed.Origin(), (Origin{From: "snapshot", URL: source.String()}); got != want {
			t.Errorf("before the feed: got %v, want %v", got, want)
		}
		feed, advance := runFeed(t, f)
		if got, want := feed.Origin(), (Origin{"feed", source.String(), began}); got != want {
			t.Errorf("at the start: got %v, want %v", got, want)
		}
		advance(2 * time.Hour) // the file is the same
		later := feed.Origin()
		if !later.Refreshed.After(began) {
			t.Errorf("refreshed: got %v, want a time after %v", later.Refreshed, began)
		}
		f.write(t, "broken")
		advance(2 * time.Hour)
		if got := feed.Origin(); got != later {
			t.Errorf("broken since %v: got %v", later, got)
		}
	})
}
