package store

import (
	"context"
	"errors"
	"io/fs"
	"testing"
	"testing/fstest"

	"example.com/portpair/services/quotes/internal/quote"
)

// later are the migrations of an app some versions on.
func later(t *testing.T, more map[string]string) fs.FS {
	t.Helper()
	files := fstest.MapFS{}
	known, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil || len(known) == 0 {
		t.Fatalf("got migrations %v, error %v", known, err)
	}
	for _, name := range known {
		text, err := fs.ReadFile(migrations, name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = &fstest.MapFile{Data: text}
	}
	for name, text := range more {
		files["migrations/"+name] = &fstest.MapFile{Data: []byte(text)}
	}
	return files
}

func schemaVersion(t *testing.T, s *Store) string {
	t.Helper()
	return asked(t, s, "SELECT version FROM schema_version")
}

func TestManyStartAtOnceOnAnEmptyDatabase(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		stores := make([]*Store, 6)
		for i := range stores {
			stores[i] = db.open(roomy, nil)
			stores[i].migrations = later(t, map[string]string{"002_more.sql": "CREATE TABLE more (n BIGINT); INSERT INTO more VALUES (1);"})
		}
		together(len(stores), func(i int) {
			if err := stores[i].Ready(context.Background()); err != nil {
				t.Errorf("got %v", err)
			}
		})
		want(t, "version", schemaVersion(t, stores[0]), "2")
		for what, query := range map[string]string{"versions": "SELECT count(*) FROM schema_version", "runs of the second": "SELECT count(*) FROM more"} {
			want(t, what, asked(t, stores[0], query), "1")
		}
		kept := mustLock(t, stores[0], aQuote(t, "100.00"), "")
		want(t, "read by the last", mustRead(t, stores[5], kept.ID), kept)
	})
}

func TestManyRequestsAtOnceMigrateOnce(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		s := db.open(roomy, nil)
		together(12, func(i int) {
			if _, _, err := s.Lock(context.Background(), aQuote(t, number(i+1)), ""); err != nil {
				t.Errorf("got %v", err)
			}
		})
		want(t, "rows", rows(t, s), 12)
	})
}

func TestAnOlderDatabaseIsUpgradedWithWhatItHolds(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		clock := newClock()
		old := db.open(roomy, clock)
		kept := mustLock(t, old, aQuote(t, "100.00"), "key")
		want(t, "version before", schemaVersion(t, old), "1")

		s := db.open(roomy, clock)
		s.migrations = later(t, map[string]string{
			"002_note.sql":  "ALTER TABLE quotes ADD COLUMN note TEXT; CREATE INDEX quotes_note ON quotes (note);",
			"003_notes.sql": "UPDATE quotes SET note = 'from before';",
		})
		mustReady(t, s)
		want(t, "version after", schemaVersion(t, s), "3")
		want(t, "the quote of before", mustRead(t, s, kept.ID), kept)
		want(t, "its note", asked(t, s, "SELECT note FROM quotes"), "from before")
		want(t, "read by the old app, which runs on", mustRead(t, old, kept.ID), kept)
		wantErr(t, "the old app, started anew", db.open(roomy, clock).Ready(t.Context()), ErrNewerSchema)
	})
}

func TestANewerSchemaIsRefused(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		first := db.open(roomy, nil)
		kept := mustLock(t, first, aQuote(t, "100.00"), "key")
		mustExec(t, first.writes, "UPDATE schema_version SET version = 99")

		s := db.open(roomy, nil)
		err := s.Ready(t.Context())
		wantErr(t, "ready", err, ErrNewerSchema)
		want(t, "text", err.Error(), "database unavailable: the database's schema is newer than this app: it is at 99, the app knows 1")
		_, _, err = s.Lock(t.Context(), aQuote(t, "100.00"), "")
		wantErr(t, "locking", err, ErrNewerSchema)
		wantErr(t, "locking, for clients", err, quote.ErrDatabaseUnavailable)
		_, _, err = s.Accept(t.Context(), kept.ID)
		wantErr(t, "accepting", err, ErrNewerSchema)
		_, err = s.Sweep(t.Context())
		wantErr(t, "sweeping", err, ErrNewerSchema)
		want(t, "rows", rows(t, first), 1)
		want(t, "version", schemaVersion(t, first), "99")
	})
}

func TestAMigrationThatFailsChangesNothing(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		first := db.open(roomy, nil)
		mustReady(t, first)
		s := db.open(roomy, nil)
		s.migrations = later(t, map[string]string{
			"002_good.sql": "CREATE TABLE good (n BIGINT);",
			"003_bad.sql":  "CREATE TABLE half (n BIGINT); CREATE TABEL bad (n BIGINT);",
		})
		for range 2 {
			wantErr(t, "ready", s.Ready(t.Context()), quote.ErrDatabaseUnavailable)
		}
		want(t, "version", schemaVersion(t, first), "1")
		for _, table := range []string{"good", "half"} {
			if err := first.reads.row(t.Context(), "SELECT count(*) FROM "+table, nil, new(int64)); err == nil {
				t.Errorf("the table %s is there", table)
			}
		}
		s.migrations = migrations // mended
		mustReady(t, s)
	})
}

// A migration may take longer than a request has time for: the request is
// told so, and the migration is seen through.
func TestAMigrationIsSeenThrough(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		s := db.open(roomy, nil)
		entered, leave := make(chan struct{}), make(chan struct{})
		s.migrations = slow{migrations, entered, leave}
		migrating := make(chan error, 1)
		gone, cancel := context.WithCancel(t.Context())
		go func() { migrating <- s.Ready(gone) }()
		<-entered
		impatient, stop := context.WithCancel(t.Context())
		stop()
		_, err := s.Quote(impatient, "id")
		wantErr(t, "who does not want to wait", err, context.Canceled)
		cancel()
		close(leave)
		if err := <-migrating; err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		want(t, "migrated", s.migrated.Load(), true)
		mustReady(t, s)
	})
}

// slow are migrations that are read only once leave is closed.
type slow struct {
	fs.FS
	entered, leave chan struct{}
}

func (s slow) Open(name string) (fs.File, error) {
	if name == "migrations" {
		close(s.entered)
		<-s.leave
	}
	return s.FS.Open(name)
}
