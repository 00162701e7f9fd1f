package store

import (
	"net/url"
	"testing"
	"time"

	"example.com/portpair/services/quotes/internal/quote"
)

// skewed is a store of an app whose clock is wrong.
func skewed(db database, by time.Duration) *Store {
	s := db.open(roomy, nil)
	s.now = func() time.Time { return time.Now().Add(by) }
	return s
}

func databaseTime(t *testing.T, s *Store) (now time.Time) {
	t.Helper()
	if err := s.writes.QueryRowContext(t.Context(), "SELECT clock_timestamp()").Scan(&now); err != nil {
		t.Fatal(err)
	}
	return now
}

// All goes by the one clock that the database has.
func TestAppsWithWrongClocksAgree(t *testing.T) {
	t.Parallel()
	db := postgresDatabase(t)
	right, ahead, behind := db.open(roomy, nil), skewed(db, 10*365*24*time.Hour), skewed(db, -10*365*24*time.Hour)
	for name, s := range map[string]*Store{"ahead": ahead, "behind": behind} {
		before := databaseTime(t, right)
		kept := mustLock(t, s, aQuote(t, "1"), "key "+name)
		if after := databaseTime(t, right); kept.Created.Before(ms(before)) || kept.Created.After(after) {
			t.Errorf("%s: created at %v, want from %v to %v", name, kept.Created, before, after)
		}
		want(t, name+", lock", kept.Expires.Sub(kept.Created), 30*time.Minute)
		for whose, s := range map[string]*Store{"ahead": ahead, "behind": behind, "right": right} {
			want(t, name+", read by "+whose, mustRead(t, s, kept.ID), kept)
			got, replayed, err := s.Lock(t.Context(), aQuote(t, "1"), "key "+name)
			if err != nil || !replayed || got != kept {
				t.Errorf("%s, replayed by %s: got %+v, replayed %v, error %v", name, whose, got, replayed, err)
			}
			if n, err := s.Sweep(t.Context()); n != 0 || err != nil {
				t.Errorf("%s swept %d, error %v", whose, n, err)
			}
		}
		accepted := mustAccept(t, ahead, kept.ID)
		if after := databaseTime(t, right); accepted.Accepted.Before(accepted.Created) || accepted.Accepted.After(after) {
			t.Errorf("accepted at %v", accepted.Accepted)
		}
		want(t, name+", accepted again by who is behind", mustAccept(t, behind, kept.ID), accepted)

		expired := mustLock(t, s, aQuote(t, "2"), "")
		mustExec(t, right.writes, "UPDATE quotes SET created = created - 3600000, expires = expires - 3600000 WHERE id = $1", expired.ID)
		for whose, s := range map[string]*Store{"ahead": ahead, "behind": behind, "right": right} {
			want(t, name+", expired says "+whose, mustRead(t, s, expired.ID).Status, quote.Expired)
			_, _, err := s.Accept(t.Context(), expired.ID)
			wantErr(t, name+", accepted by "+whose, err, quote.ErrQuoteExpired)
		}
	}
}

// Who had to wait for the row is judged by the time when it came to it: it may
// have been said to be too late for others meanwhile.
func TestWhoWaitsForTheRowUntilItExpiresIsTooLate(t *testing.T) {
	t.Parallel()
	db := postgresDatabase(t)
	mustReady(t, db.open(roomy, nil))
	settings := roomy
	settings.TTL = time.Second
	s := db.open(settings, nil)
	kept := mustLock(t, s, aQuote(t, "1"), "")
	held := holdRow(t, db, s, s.text.byID+s.text.locking, kept.ID)
	told := make(chan error, 1)
	go func() {
		_, _, err := s.Accept(t.Context(), kept.ID)
		told <- err
	}()
	eventually(t, "the accept waits for the row, or is told something", func() bool {
		return len(told) > 0 || held.blocks(t, s, nil)
	})
	if now := databaseTime(t, s); !now.Before(kept.Expires) {
		t.Skip("the machine was too slow to have it wait before it expires")
	}
	eventually(t, "it has expired", func() bool { return !databaseTime(t, s).Before(kept.Expires) })
	held.release()
	wantErr(t, "the accept", <-told, quote.ErrQuoteExpired)
}

// The server's defaults are its operator's, and the statements are meant for
// one isolation level.
func TestAnotherDefaultIsolationChangesNothing(t *testing.T) {
	t.Parallel()
	db := postgresDatabase(t)
	u, err := url.Parse(db.url)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	query.Set("default_transaction_isolation", "serializable")
	u.RawQuery = query.Encode()
	db.url = u.String()
	s := db.open(roomy, nil)
	mustReady(t, s)
	together(20, func(int) {
		kept, _, err := s.Lock(t.Context(), aQuote(t, "1"), "key")
		if err == nil {
			_, _, err = s.Accept(t.Context(), kept.ID)
		}
		if err != nil {
			t.Errorf("got %v", err)
		}
	})
	want(t, "rows", rows(t, s), 1)
}
