package store

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.com/portpair/services/quotes/internal/quote"
)

// wantDown holds every operation to one error while the database is down.
func wantDown(t *testing.T, s *Store, kept Kept) {
	t.Helper()
	_, _, lock := s.Lock(t.Context(), aQuote(t, "1"), "")
	_, _, keyed := s.Lock(t.Context(), aQuote(t, "1"), "a key for when it is down")
	_, byKey := s.ByKey(t.Context(), "key", aQuote(t, "1").Order())
	_, read := s.Quote(t.Context(), kept.ID)
	_, _, accept := s.Accept(t.Context(), kept.ID)
	_, sweep := s.Sweep(t.Context())
	for what, err := range map[string]error{
		"locking": lock, "locking with a key": keyed, "by key": byKey, "reading": read, "accepting": accept, "sweeping": sweep, "ready": s.Ready(t.Context()),
	} {
		wantErr(t, what, err, quote.ErrDatabaseUnavailable)
	}
}

// wantUp waits until the same store is ready again, and uses it.
func wantUp(t *testing.T, s *Store) {
	t.Helper()
	eventually(t, "the store is ready again", func() bool { return s.Ready(t.Context()) == nil })
	var kept Kept
	eventually(t, "a lock succeeds again", func() bool { // a connection that broke may come to light only now
		var err error
		kept, _, err = s.Lock(t.Context(), aQuote(t, "1"), "")
		return err == nil
	})
	eventually(t, "an accept succeeds again", func() bool { _, _, err := s.Accept(t.Context(), kept.ID); return err == nil })
}

func TestPostgresThatIsDownAtTheStart(t *testing.T) {
	t.Parallel()
	db, relay := throughRelay(t, postgresDatabase(t))
	relay.set(cut)
	s := db.open(roomy, nil)
	wantDown(t, s, Kept{})
	relay.set(passing)
	wantUp(t, s)
	want(t, "rows", rows(t, s), 1)
}

func TestPostgresThatGoesAndComesBack(t *testing.T) {
	t.Parallel()
	db, relay := throughRelay(t, postgresDatabase(t))
	s := db.open(roomy, nil)
	kept := mustLock(t, s, aQuote(t, "1"), "key")
	for n := range 2 {
		relay.set(cut)
		wantDown(t, s, kept)
		relay.set(passing)
		wantUp(t, s)
		want(t, "rows", rows(t, s), n+2)
	}
	want(t, "what was kept", mustRead(t, s, kept.ID), kept)
}

func TestPostgresThatGoesDuringAChange(t *testing.T) {
	t.Parallel()
	db, relay := throughRelay(t, postgresDatabase(t))
	s := db.open(roomy, nil)
	mustReady(t, s)
	err := s.do(t.Context(), func(ctx context.Context) error {
		return s.write(ctx, func(ctx context.Context, tx tx) error {
			_, _, err := s.insert(ctx, tx, aQuote(t, "1"), "key")
			relay.set(cut)
			return err
		})
	})
	wantErr(t, "the change", err, quote.ErrDatabaseUnavailable)
	relay.set(passing)
	wantUp(t, s)
	want(t, "rows: nothing half-written", rows(t, s), 1)
	mustLock(t, s, aQuote(t, "7"), "key") // the key is free
}

// A server that does not answer at all holds nobody up for longer than one
// operation may take, however many ask.
func TestPostgresThatIsSilent(t *testing.T) {
	t.Parallel()
	db, relay := throughRelay(t, postgresDatabase(t))
	settings := roomy
	settings.timeout = 300 * time.Millisecond
	s, fresh := db.open(settings, nil), db.open(settings, nil) // fresh has its migration before it
	kept := mustLock(t, db.open(roomy, nil), aQuote(t, "1"), "key")
	eventually(t, "one is ready", func() bool { return s.Ready(t.Context()) == nil })
	s.room.next = time.Time{} // to be counted anew
	relay.set(silent)
	began := time.Now()
	together(24, func(i int) {
		s := []*Store{s, fresh}[i%2]
		if _, _, err := s.Lock(context.Background(), aQuote(t, "1"), ""); err == nil {
			t.Error("locked on a silent database")
		}
		if _, err := s.Quote(context.Background(), kept.ID); err == nil {
			t.Error("read from a silent database")
		}
	})
	if took := time.Since(began); took > 20*settings.timeout {
		t.Errorf("took %v", took)
	}
	relay.set(cut)
	relay.set(passing)
	wantUp(t, s)
	wantUp(t, fresh)
}

func TestSQLiteWithoutItsDirectory(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "var")
	if err := os.WriteFile(dir, nil, 0o600); err != nil { // in the directory's place, so that it stops root too
		t.Fatal(err)
	}
	s := database{t: t, path: filepath.Join(dir, "deep", "quotes.db")}.open(roomy, nil)
	wantDown(t, s, Kept{})
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	wantUp(t, s)
	want(t, "rows", rows(t, s), 1)
}

// Another process that keeps the file's write lock, such as a backup.
func TestSQLiteThatSomebodyElseHasLocked(t *testing.T) {
	t.Parallel()
	db := sqliteDatabase(t)
	other := db.open(roomy, nil)
	kept := mustLock(t, other, aQuote(t, "1"), "key")
	settings := roomy
	settings.timeout = 300 * time.Millisecond
	s := db.open(settings, nil)
	eventually(t, "it is ready", func() bool { return s.Ready(t.Context()) == nil })

	conn, err := other.writes.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	mustExec(t, conn, "BEGIN IMMEDIATE")
	began := time.Now()
	together(20, func(int) {
		_, _, err := s.Lock(context.Background(), aQuote(t, "1"), "")
		wantErr(t, "locking", err, quote.ErrDatabaseUnavailable)
	})
	if took := time.Since(began); took > 5*settings.timeout {
		t.Errorf("took %v", took)
	}
	eventually(t, "reading goes on", func() bool { got, err := s.Quote(t.Context(), kept.ID); return err == nil && got == kept })
	mustExec(t, conn, "COMMIT")
	wantUp(t, s)
	want(t, "rows: those that gave up are not kept", rows(t, s), 2)
}

func wantSilent(t *testing.T, text string) {
	t.Helper()
	for _, secret := range []string{"shop-user", "pässwört", "p%C3%A4ss", "ört%2F", "sw\\u00f6rt"} {
		if strings.Contains(text, secret) {
			t.Errorf("%s shows in %s", secret, text)
		}
	}
}

// Whatever fails, and however the driver puts it: no text of the error holds
// what is in the URL's userinfo.
func TestNoSecretInErrors(t *testing.T) {
	t.Parallel()
	u := postgresURL(t)
	_, hasPassword := u.User.Password()
	const user = "shop-user"
	for name, host := range map[string]string{"refused": u.Host, "unreachable": "127.0.0.1:1", "unknown host": "no-such-host.invalid"} {
		t.Run(name, func(t *testing.T) {
			there := fmt.Sprintf("postgres://%s:p%%C3%%A4ssw%%C3%%B6rt%%252F%%23@%s%s?sslmode=disable", user, host, u.Path)
			s := database{t: t, url: there}.open(roomy, nil)
			err := s.Ready(t.Context())
			wantErr(t, "ready", err, quote.ErrDatabaseUnavailable)
			wantSilent(t, fmt.Sprintf("%v %+v %q %#v", err, err, err, err))
			if name == "refused" && hasPassword {
				want(t, "text", err.Error(), "database unavailable: refuses the user or the password (SQLSTATE 28P01)")
			}
		})
	}
	for _, mistaken := range []string{"postgres://" + user + ":pässwört@localhost:port/db", "postgres://" + user + ":pässwört@localhost/db?sslmode=maybe"} {
		_, err := OpenPostgres(mistaken, nil, roomy)
		wantErr(t, "opening", err, errURL)
		wantSilent(t, err.Error())
	}
}
