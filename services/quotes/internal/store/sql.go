package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"example.com/portpair/services/quotes/internal/quote"
)

// texts are the statements. SQLite and PostgreSQL share them but for the
// clock, the row lock and the mark before a parameter's number: $1 of each is
// the app's time, which PostgreSQL's clock does not look at.
type texts struct {
	insert, byID, byKey, liveKey, accept, freeKey, sweep, countOpen string

	// locking at the end of a row's SELECT makes it wait for whoever is
	// changing the row. In SQLite one transaction follows the other anyway.
	locking string
}

const (
	// appClock is the app's own: one machine, one clock.
	appClock = `CAST($1 AS BIGINT)`

	// databaseClock is the one that all processes share, whatever theirs say.
	databaseClock = `CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS BIGINT) + 0 * CAST($1 AS BIGINT)`

	rowLock = ` FOR UPDATE OF quotes`

	columns = `id, source_currency, target_currency, source_amount, target_amount, provided, rate, rate_date, rate_stale, created, expires`
)

// row is what a record is read from; time is the SQL of its time.
func row(time string) string { return columns + `, ` + time + `, accepted` }

// newTexts writes them; mark is $ but in SQLite, which would take $2 for a name
// and number it as it comes.
func newTexts(clock, locking, mark string) texts {
	with := `WITH clock(now) AS (SELECT ` + clock + `) `
	read := `SELECT ` + row(clock) + ` FROM quotes WHERE `
	t := texts{
		insert: with + `INSERT INTO quotes (` + columns + `, accepted, idempotency_key)
			SELECT CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS TEXT), CAST($5 AS BIGINT), CAST($6 AS BIGINT), CAST($7 AS TEXT),
			       CAST($8 AS TEXT), CAST($9 AS TEXT), CAST($10 AS BOOLEAN), clock.now, clock.now + CAST($11 AS BIGINT), NULL, CAST($12 AS TEXT)
			FROM clock WHERE TRUE
			ON CONFLICT (idempotency_key) DO NOTHING
			RETURNING ` + row(`created`),
		byID:    read + `id = $2`,
		byKey:   read + `idempotency_key = $2`,
		liveKey: read + `idempotency_key = $2 AND expires + CAST($3 AS BIGINT) > ` + clock,
		// The clock is read once the row is ours: who had to wait for it may
		// be too late by now.
		accept: `WITH ours AS (SELECT id FROM quotes WHERE id = $2` + locking + `), clock(now) AS (SELECT ` + clock + ` FROM ours)
			UPDATE quotes SET accepted = clock.now FROM clock
			WHERE id = $2 AND accepted IS NULL AND expires > clock.now
			RETURNING ` + row(`accepted`),
		freeKey: with + `UPDATE quotes SET idempotency_key = NULL FROM clock
			WHERE idempotency_key = $2 AND expires + CAST($3 AS BIGINT) <= clock.now`,
		sweep: with + `DELETE FROM quotes WHERE id IN (
			SELECT id FROM quotes, clock WHERE accepted IS NULL AND expires <= clock.now - CAST($2 AS BIGINT) ORDER BY expires LIMIT CAST($3 AS BIGINT))`,
		countOpen: with + `SELECT count(*) FROM quotes, clock WHERE accepted IS NULL AND expires > clock.now`,
		locking:   locking,
	}
	for _, text := range []*string{&t.insert, &t.byID, &t.byKey, &t.liveKey, &t.accept, &t.freeKey, &t.sweep, &t.countOpen} {
		*text = strings.ReplaceAll(*text, "$", mark)
	}
	return t
}

// writes are those that come in transactions, as far as each request needs them.
func (t texts) writes() []string {
	return []string{t.insert, t.byID, t.byKey, t.liveKey, t.accept, t.freeKey}
}

func (s *Store) insertArgs(q quote.Quote, key string) []any {
	return []any{
		s.millis(), q.ID, q.Source.Currency().Code, q.Target.Currency().Code, q.Source.Minor(), q.Target.Minor(), string(q.Provided),
		q.Rate.String(), q.RateDate.String(), q.RateStale, s.settings.TTL.Milliseconds(), sql.NullString{String: key, Valid: key != ""},
	}
}

// errCorrupt is a row that the field would not have made: somebody else wrote
// it. Nothing that a client did is to blame.
var errCorrupt = errors.New("corrupt row")

// record is a row as databases have it, and the time at which it was read or
// changed.
type record struct {
	id, source, target       string
	sourceMinor, targetMinor int64
	provided, rate, date     string
	stale                    bool
	created, expires, now    int64
	accepted                 sql.NullInt64

	into []any // pointers to these, as row lists them
}

var records = sync.Pool{New: func() any {
	r := new(record)
	r.into = []any{&r.id, &r.source, &r.target, &r.sourceMinor, &r.targetMinor, &r.provided,
		&r.rate, &r.date, &r.stale, &r.created, &r.expires, &r.now, &r.accepted}
	return r
}}

// scan reads the record of a statement, and its time.
func scan(ctx context.Context, from querier, text string, args ...any) (Kept, time.Time, error) {
	r := records.Get().(*record)
	defer records.Put(r)
	switch err := from.row(ctx, text, args, r.into...); {
	case errors.Is(err, errCorrupt):
		return Kept{}, time.Time{}, fmt.Errorf("%w, of quote %s", err, r.id)
	case err != nil:
		return Kept{}, time.Time{}, err
	}
	return r.kept()
}

func (r *record) kept() (Kept, time.Time, error) {
	q := quote.Quote{ID: r.id, Provided: quote.Side(r.provided), RateStale: r.stale, Created: timeOf(r.created), Expires: timeOf(r.expires)}
	if r.accepted.Valid {
		q.Accepted = timeOf(r.accepted.Int64)
	}
	var errs [4]error
	q.Source, errs[0] = amount(r.sourceMinor, r.source)
	q.Target, errs[1] = amount(r.targetMinor, r.target)
	q.Rate, errs[2] = quote.ParseRate(r.rate)
	q.RateDate, errs[3] = quote.ParseDate(r.date)
	if err := errors.Join(errs[:]...); err != nil {
		return Kept{}, time.Time{}, fmt.Errorf("%w %s: %v", errCorrupt, q.ID, err) // not %w: web would take it for a client's mistake
	}
	now := timeOf(r.now)
	return Kept{q, q.Status(now)}, now, nil
}

func timeOf(millis int64) time.Time { return time.UnixMilli(millis).UTC() }

func amount(minor int64, code string) (quote.Amount, error) {
	c, err := quote.LookupCurrency(code)
	if err != nil {
		return quote.Amount{}, err
	}
	return quote.NewAmount(minor, c)
}
