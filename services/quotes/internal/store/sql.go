package store

import (
	"database/sql"
	"fmt"
	"strings"
	"time"

	"example.com/portpair/services/quotes/internal/quote"
)

// texts are the statements. SQLite and PostgreSQL share them but for the
// clock: $1 of each is the app's time, which PostgreSQL's does not look at.
type texts struct {
	insert, byID, byKey, liveKey, accept, freeKey, sweep, countOpen string
}

const (
	// appClock is the app's own: one machine, one clock.
	appClock = `SELECT CAST($1 AS BIGINT)`

	// databaseClock is the one that all processes share, whatever theirs say.
	databaseClock = `SELECT CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS BIGINT) + 0 * CAST($1 AS BIGINT)`

	columns = `id, source_currency, target_currency, source_amount, target_amount, provided, rate, rate_date, rate_stale, created, expires, accepted`
)

func newTexts(clock string) texts {
	with := `WITH clock(now) AS (` + clock + `) `
	row := with + `SELECT ` + columns + `, clock.now FROM quotes, clock WHERE `
	return texts{
		insert: with + `INSERT INTO quotes (` + columns + `, idempotency_key)
			SELECT CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS TEXT), CAST($5 AS BIGINT), CAST($6 AS BIGINT), CAST($7 AS TEXT),
			       CAST($8 AS TEXT), CAST($9 AS TEXT), CAST($10 AS BOOLEAN), clock.now, clock.now + CAST($11 AS BIGINT), NULL, CAST($12 AS TEXT)
			FROM clock WHERE TRUE
			ON CONFLICT (idempotency_key) DO NOTHING
			RETURNING ` + columns + `, created`,
		byID:    row + `id = $2`,
		byKey:   row + `idempotency_key = $2`,
		liveKey: row + `idempotency_key = $2 AND expires + CAST($3 AS BIGINT) > clock.now`,
		accept: with + `UPDATE quotes SET accepted = clock.now FROM clock
			WHERE id = $2 AND accepted IS NULL AND expires > clock.now
			RETURNING ` + columns + `, accepted`,
		freeKey: with + `UPDATE quotes SET idempotency_key = NULL FROM clock
			WHERE idempotency_key = $2 AND expires + CAST($3 AS BIGINT) <= clock.now`,
		sweep: with + `DELETE FROM quotes WHERE id IN (
			SELECT id FROM quotes, clock WHERE accepted IS NULL AND expires <= clock.now - CAST($2 AS BIGINT) ORDER BY expires LIMIT CAST($3 AS BIGINT))`,
		countOpen: with + `SELECT count(*) FROM quotes, clock WHERE accepted IS NULL AND expires > clock.now`,
	}
}

func (s *Store) insertArgs(q quote.Quote, key string) []any {
	return []any{
		s.millis(), q.ID, q.Source.Currency().Code, q.Target.Currency().Code, q.Source.Minor(), q.Target.Minor(), string(q.Provided),
		q.Rate.String(), q.RateDate.String(), q.RateStale, s.settings.TTL.Milliseconds(), sql.NullString{String: key, Valid: key != ""},
	}
}

// scan reads a row of columns and a time, by which it has its status. What
// the field would not have made is an error: somebody else wrote it.
func (s *Store) scan(row *sql.Row) (Kept, error) {
	var (
		q                        quote.Quote
		source, target           string
		sourceMinor, targetMinor int64
		provided, rate, date     string
		created, expires, now    int64
		accepted                 sql.NullInt64
	)
	err := row.Scan(&q.ID, &source, &target, &sourceMinor, &targetMinor, &provided, &rate, &date, &q.RateStale, &created, &expires, &accepted, &now)
	if err != nil {
		return Kept{}, err
	}
	if q.Source, err = amount(sourceMinor, source); err != nil {
		return Kept{}, corrupt(q.ID, err)
	}
	if q.Target, err = amount(targetMinor, target); err != nil {
		return Kept{}, corrupt(q.ID, err)
	}
	if q.Rate, err = quote.ParseRate(rate); err != nil {
		return Kept{}, corrupt(q.ID, err)
	}
	if q.RateDate, err = quote.ParseDate(date); err != nil {
		return Kept{}, corrupt(q.ID, err)
	}
	q.ID, q.Provided = strings.Clone(q.ID), quote.Side(provided)
	q.Created, q.Expires = at(created), at(expires)
	if accepted.Valid {
		q.Accepted = at(accepted.Int64)
	}
	return Kept{q, q.Status(at(now))}, nil
}

func amount(minor int64, code string) (quote.Amount, error) {
	c, err := quote.LookupCurrency(code)
	if err != nil {
		return quote.Amount{}, err
	}
	return quote.NewAmount(minor, c)
}

func corrupt(id string, err error) error { return fmt.Errorf("row %s: %w", id, err) }

func at(millis int64) time.Time { return time.UnixMilli(millis).UTC() }
