package store

import (
	"cmp"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
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

// at a time, a row says what scan reads: its columns in one text, since each
// column of its own costs SQLite's driver half a microsecond. concat_ws passes
// over a NULL, and so the one that may be comes last.
func row(time string) string { return `concat_ws(' ', ` + columns + `, ` + time + `, accepted)` }

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

// scan reads a row and a time, by which it has its status, if there is one.
func scan(text string, err error) (kept Kept, now time.Time, _ error) {
	if err != nil {
		return Kept{}, time.Time{}, err
	}
	f := fields{rest: text}
	var q quote.Quote
	q.ID = f.next()
	source, target := f.next(), f.next()
	sourceMinor, targetMinor := f.number(), f.number()
	q.Provided = quote.Side(f.next())
	rate, date := f.next(), f.next()
	q.RateStale = f.flag()
	q.Created, q.Expires, now = f.time(), f.time(), f.time()
	if f.rest != "" {
		q.Accepted = f.time()
	}
	if f.rest != "" {
		f.err = errors.New("a space in a column")
	}

	errs := [5]error{4: f.err}
	q.Source, errs[0] = amount(sourceMinor, source)
	q.Target, errs[1] = amount(targetMinor, target)
	q.Rate, errs[2] = quote.ParseRate(rate)
	q.RateDate, errs[3] = quote.ParseDate(date)
	if err := errors.Join(errs[:]...); err != nil {
		return Kept{}, time.Time{}, fmt.Errorf("%w %s: %v", errCorrupt, q.ID, err) // not %w: web would take it for a client's mistake
	}
	return Kept{q, q.Status(now)}, now, nil
}

// fields are a row's, one after the other.
type fields struct {
	rest string
	err  error // of the first that cannot be read
}

func (f *fields) next() (text string) {
	text, f.rest, _ = strings.Cut(f.rest, " ")
	return text
}

func (f *fields) number() int64 {
	n, err := strconv.ParseInt(f.next(), 10, 64)
	f.err = cmp.Or(f.err, err)
	return n
}

func (f *fields) flag() bool {
	b, err := strconv.ParseBool(f.next()) // 1 in SQLite, t in PostgreSQL
	f.err = cmp.Or(f.err, err)
	return b
}

func (f *fields) time() time.Time { return time.UnixMilli(f.number()).UTC() }

func amount(minor int64, code string) (quote.Amount, error) {
	c, err := quote.LookupCurrency(code)
	if err != nil {
		return quote.Amount{}, err
	}
	return quote.NewAmount(minor, c)
}
