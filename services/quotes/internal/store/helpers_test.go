package store

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/portpair/services/quotes/internal/quote"
)

// patience is the longest that a test waits for anything.
const patience = 20 * time.Second

// roomy are the settings of tests that are about something else.
var roomy = Settings{TTL: 30 * time.Minute, Retention: 720 * time.Hour, MaxOpen: 1_000_000}

// database is one of a test's own, for any number of stores.
type database struct {
	t    testing.TB
	path string // SQLite
	url  string // PostgreSQL
}

// onEach runs a test on each of the databases that quotes runs on.
func onEach(t *testing.T, test func(t *testing.T, db database)) {
	t.Helper()
	t.Parallel()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		test(t, sqliteDatabase(t))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		test(t, postgresDatabase(t))
	})
}

func sqliteDatabase(t testing.TB) database {
	t.Helper()
	return database{t: t, path: filepath.Join(t.TempDir(), "quotes.db")}
}

// postgresURL is where TEST_DATABASE_URL leads.
func postgresURL(t testing.TB) *url.URL {
	t.Helper()
	raw := os.Getenv("TEST_DATABASE_URL")
	switch {
	case raw == "" && os.Getenv("CI") != "":
		t.Fatal("TEST_DATABASE_URL is not set, and CI must have a PostgreSQL")
	case raw == "":
		t.Skip("TEST_DATABASE_URL is not set: no PostgreSQL to test on (deploy/test-postgres gives one)")
	}
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal("TEST_DATABASE_URL is no URL")
	}
	return u
}

// postgresDatabase is a schema of its own, which stands for a database.
func postgresDatabase(t testing.TB) database {
	t.Helper()
	u := postgresURL(t)
	admin, err := sql.Open("pgx", u.String())
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	schema := "test_" + strings.ToLower(rand.Text())
	mustExec(t, admin, "CREATE SCHEMA "+schema)
	t.Cleanup(func() {
		admin, err := sql.Open("pgx", u.String())
		if err != nil {
			t.Fatal(err)
		}
		defer admin.Close()
		mustExec(t, admin, "DROP SCHEMA "+schema+" CASCADE")
	})
	query := u.Query()
	query.Set("search_path", schema)
	u.RawQuery = query.Encode()
	return database{t: t, url: u.String()}
}

// open opens a store on the database; with a clock of nil it goes by the
// clock that an app of it would.
func (db database) open(settings Settings, clock *clock) *Store {
	db.t.Helper()
	// Machines that run many tests at once have their stalls.
	settings.timeout = cmp.Or(settings.timeout, patience)
	var now func() time.Time
	if clock != nil {
		now = clock.now
	}
	var s *Store
	var err error
	if db.path != "" {
		if now == nil {
			now = time.Now
		}
		s, err = OpenSQLite(db.path, now, settings)
	} else {
		s, err = OpenPostgres(db.url, now, settings)
	}
	if err != nil {
		db.t.Fatal(err)
	}
	if db.url != "" {
		s.writes.SetMaxOpenConns(6) // many tests share one server
	}
	db.t.Cleanup(func() { s.Close() })
	return s
}

// clock is one that tests set.
type clock struct {
	mu sync.Mutex
	at time.Time
}

// start is when the tests' clocks begin.
var start = time.Date(2026, 8, 22, 9, 0, 0, 123_456_789, time.UTC)

func newClock() *clock { return &clock{at: start} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// aQuote is what web hands over: no id, no times yet. amount is of EUR.
func aQuote(t testing.TB, amount string) quote.Quote {
	t.Helper()
	return newQuote(t, amount, false)
}

func newQuote(t testing.TB, amount string, stale bool) quote.Quote {
	t.Helper()
	eur, usd := currency(t, "EUR"), currency(t, "USD")
	given, err := quote.ParseAmount(amount, eur)
	if err != nil {
		t.Fatal(err)
	}
	rate, err := quote.ParseRate("1.1699")
	if err != nil {
		t.Fatal(err)
	}
	target, err := rate.Target(given, usd)
	if err != nil {
		t.Fatal(err)
	}
	date, err := quote.ParseDate("2026-08-21")
	if err != nil {
		t.Fatal(err)
	}
	return quote.Quote{Source: given, Target: target, Provided: quote.SourceSide, Rate: rate, RateDate: date, RateStale: stale}
}

func currency(t testing.TB, code string) quote.Currency {
	t.Helper()
	c, err := quote.LookupCurrency(code)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// mustLock locks a quote that must be a new one.
func mustLock(t testing.TB, s *Store, q quote.Quote, key string) Kept {
	t.Helper()
	kept, replayed, err := s.Lock(t.Context(), q, key)
	if err != nil || replayed {
		t.Fatalf("locking: got replayed %v, error %v", replayed, err)
	}
	return kept
}

func mustRead(t testing.TB, s *Store, id string) Kept {
	t.Helper()
	kept, err := s.Quote(t.Context(), id)
	if err != nil {
		t.Fatalf("reading: %v", err)
	}
	return kept
}

func mustAccept(t testing.TB, s *Store, id string) Kept {
	t.Helper()
	kept, _, err := s.Accept(t.Context(), id)
	if err != nil {
		t.Fatalf("accepting: %v", err)
	}
	return kept
}

func mustReady(t testing.TB, s *Store) {
	t.Helper()
	if err := s.Ready(t.Context()); err != nil {
		t.Fatalf("not ready: %v", err)
	}
}

// rows counts the quotes in the database, whatever their state.
func rows(t testing.TB, s *Store) int {
	t.Helper()
	n, err := strconv.Atoi(asked(t, s, "SELECT count(*) FROM quotes"))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// asked is what a query answers.
func asked(t testing.TB, s *Store, query string, args ...any) string {
	t.Helper()
	var text string
	if err := s.reads.row(t.Context(), query, args, &text); err != nil {
		t.Fatal(err)
	}
	return text
}

type execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

func mustExec(t testing.TB, db execer, query string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(context.Background(), query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

func want[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func wantErr(t testing.TB, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got error %v, want %v", what, err, want)
	}
}

// eventually polls until ok, and fails the test when it never is.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); !ok(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v in vain until %s", patience, what)
		}
	}
}

// together runs f n times at once and waits for all.
func together(n int, f func(i int)) {
	var all sync.WaitGroup
	begin := make(chan struct{})
	for i := range n {
		all.Go(func() {
			<-begin
			f(i)
		})
	}
	close(begin)
	all.Wait()
}

func number(n int) string { return fmt.Sprintf("%d.%02d", n/100, n%100) }
