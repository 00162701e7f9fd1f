package e2e

import (
	"database/sql"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	_ "github.com/ncruces/go-sqlite3/driver"
)

// posting is a load of POSTs, each with a key of its own, until the app is
// gone.
type posting struct {
	answered atomic.Int64
	mu       sync.Mutex
	kept     map[string]string // path → JSON, of those that were answered 201
	lost     []string          // keys of those whose answer did not come
}

func (p *posting) load(t *testing.T, quotes *app, round, clients int) (wait func()) {
	t.Helper()
	var all sync.WaitGroup
	for c := range clients {
		all.Go(func() {
			for n := 0; ; n++ {
				key := fmt.Sprintf("round %d client %d request %d", round, c, n)
				r, err := tryPost(quotes.url+"/v1/quotes", order100, "Idempotency-Key", key)
				p.mu.Lock()
				if err != nil {
					p.lost = append(p.lost, key)
					p.mu.Unlock()
					return
				}
				if r.status != http.StatusCreated {
					t.Errorf("got %d %s", r.status, r.body)
				}
				p.kept[r.header.Get("Location")] = r.body
				p.mu.Unlock()
				p.answered.Add(1)
			}
		})
	}
	return all.Wait
}

// TestKilledUnderLoadLosesNothing kills quotes again and again, never letting
// it end well, on one database.
func TestKilledUnderLoadLosesNothing(t *testing.T) {
	kills := 5
	if full() {
		kills = 50
	}
	rates := start(t, "rates")
	database := sqliteURL(t)
	p := &posting{kept: map[string]string{}}
	ids := map[string]bool{}
	for round := range kills {
		quotes := startQuotes(t, rates, "DATABASE_URL="+database)
		ended := p.load(t, quotes, round, 6)
		until := p.answered.Load() + 20 + int64(round*7%50)
		eventually(t, "some were answered", func() bool { return p.answered.Load() >= until })
		quotes.kill()
		ended()
	}

	quotes := startQuotes(t, rates, "DATABASE_URL="+database)
	for path, body := range p.kept {
		if r := get(t, quotes.url+path); r.status != http.StatusOK || r.body != body {
			t.Errorf("got %d %s, want what was answered 201: %s", r.status, r.body, body)
		}
		ids[path] = true
	}
	for _, key := range p.lost {
		first, again := post(t, quotes.url+"/v1/quotes", order100, "Idempotency-Key", key), post(t, quotes.url+"/v1/quotes", order100, "Idempotency-Key", key)
		path := first.header.Get("Location")
		if first.status != http.StatusCreated || again.body != first.body || again.header.Get("Idempotent-Replayed") != "true" || ids[path] {
			t.Errorf("a key whose answer was lost: got %d %s, then %d %s", first.status, first.body, again.status, again.body)
		}
		ids[path] = true
	}
	if n := rowsOf(t, database); n != len(ids) {
		t.Errorf("the database holds %d quotes, want the %d that clients know", n, len(ids))
	}
	t.Logf("%d kills, %d answered, %d answers lost", kills, len(p.kept), len(p.lost))
}

// rowsOf counts the quotes in an SQLite file, past the app.
func rowsOf(t *testing.T, database string) (n int) {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+strings.TrimPrefix(database, "sqlite:")+"?mode=rw&_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM quotes").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
