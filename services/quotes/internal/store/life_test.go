package store

import (
	"errors"
	"strings"
	"testing"
	"time"

	"example.com/portpair/services/quotes/internal/quote"
	"github.com/google/uuid"
)

// ms is how the database keeps times.
func ms(t time.Time) time.Time { return t.Truncate(time.Millisecond) }

func TestAQuoteIsKeptAsItWasLocked(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		clock := newClock()
		s := db.open(roomy, clock)
		q := newQuote(t, "100.00", true)
		kept := mustLock(t, s, q, "")

		id, err := uuid.Parse(kept.ID)
		if err != nil || id.Version() != 7 || id.String() != kept.ID {
			t.Errorf("got id %q, want a UUID of version 7", kept.ID)
		}
		expected := Kept{Quote: q, Status: quote.Active}
		expected.ID, expected.Created, expected.Expires = kept.ID, ms(start), ms(start).Add(30*time.Minute)
		want(t, "locked", kept, expected)
		want(t, "read", mustRead(t, s, kept.ID), expected)
		want(t, "read by another store", mustRead(t, db.open(roomy, clock), kept.ID), expected)

		clock.pass(time.Minute)
		expected.Accepted, expected.Status = ms(start).Add(time.Minute), quote.Accepted
		want(t, "accepted", mustAccept(t, s, kept.ID), expected)
		want(t, "read after that", mustRead(t, s, kept.ID), expected)
	})
}

// Amounts at the ends of what the field allows, and currencies of 0, 2 and 3
// decimals, on both sides.
func TestAQuoteIsKeptToTheLastDigit(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		s := db.open(roomy, newClock())
		for name, tt := range map[string]struct {
			source, target           string
			sourceMinor, targetMinor int64
			side                     quote.Side
			rate, date               string
		}{
			"least":             {"JPY", "KRW", 1, 1, quote.SourceSide, "0.000000001", "1999-01-04"},
			"most":              {"KWD", "EUR", 999_999_999_999_999_999, 1<<63 - 1, quote.TargetSide, "999999999.999999", "2026-08-21"},
			"most digits":       {"EUR", "BHD", 123_456_789, 987_654_321, quote.SourceSide, "0.00000000123456789012345", "9999-12-31"},
			"an ended currency": {"HRK", "EUR", 753_450, 100_000, quote.TargetSide, "0.132722808414", "2022-12-30"},
		} {
			q := quote.Quote{Provided: tt.side}
			var errs [4]error
			q.Source, errs[0] = quote.NewAmount(tt.sourceMinor, currency(t, tt.source))
			q.Target, errs[1] = quote.NewAmount(tt.targetMinor, currency(t, tt.target))
			q.Rate, errs[2] = quote.ParseRate(tt.rate)
			q.RateDate, errs[3] = quote.ParseDate(tt.date)
			if errs != [4]error{} {
				t.Fatalf("%s: %v", name, errs)
			}
			kept := mustLock(t, s, q, "")
			got := mustRead(t, s, kept.ID)
			want(t, name+", read", got, kept)
			want(t, name+", text of the rate", got.Rate.String(), tt.rate)
			got.ID, got.Created, got.Expires = "", time.Time{}, time.Time{}
			want(t, name, got.Quote, q)
		}
	})
}

func TestStatusGoesByTheClock(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		clock := newClock()
		s := db.open(roomy, clock)
		open, taken := mustLock(t, s, aQuote(t, "1"), ""), mustLock(t, s, aQuote(t, "2"), "")
		mustAccept(t, s, taken.ID)
		for _, step := range []struct {
			name string
			pass time.Duration
			want quote.Status
		}{
			{"a moment before it expires", 30*time.Minute - time.Millisecond, quote.Active},
			{"when it expires", time.Millisecond, quote.Expired},
			{"a day later", 24 * time.Hour, quote.Expired},
		} {
			clock.pass(step.pass)
			want(t, step.name, mustRead(t, s, open.ID).Status, step.want)
			want(t, step.name+", accepted before", mustRead(t, s, taken.ID).Status, quote.Accepted)
		}
	})
}

func TestAcceptIsOnceAndRepeatsAreTheSame(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		clock := newClock()
		s := db.open(roomy, clock)
		kept := mustLock(t, s, aQuote(t, "100.00"), "")
		clock.pass(30*time.Minute - time.Millisecond) // the last moment
		accepted, first, err := s.Accept(t.Context(), kept.ID)
		if err != nil || !first || accepted.Status != quote.Accepted || !accepted.Accepted.Equal(ms(clock.now())) {
			t.Fatalf("got %+v, first %v, error %v", accepted, first, err)
		}
		for _, later := range []time.Duration{0, time.Millisecond, time.Hour, 1000 * time.Hour} {
			clock.pass(later)
			again, first, err := s.Accept(t.Context(), kept.ID)
			if err != nil || first || again != accepted {
				t.Errorf("%v later: got %+v, first %v, error %v, want the same as at first", later, again, first, err)
			}
		}
	})
}

func TestAcceptAfterExpiryIsRefused(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		clock := newClock()
		s := db.open(roomy, clock)
		kept := mustLock(t, s, aQuote(t, "100.00"), "")
		clock.pass(30 * time.Minute)
		for range 2 {
			_, first, err := s.Accept(t.Context(), kept.ID)
			wantErr(t, "accepting when it expires", err, quote.ErrQuoteExpired)
			want(t, "first", first, false)
			clock.pass(time.Hour)
		}
		got := mustRead(t, s, kept.ID)
		if got.Status != quote.Expired || !got.Accepted.IsZero() {
			t.Errorf("got %+v, want it expired and not accepted", got)
		}
	})
}

func TestAnIDThatNoQuoteHas(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		s := db.open(roomy, newClock())
		mustLock(t, s, aQuote(t, "100.00"), "")
		for _, id := range []string{uuid.NewString(), "", "' OR 1=1 --", "%"} {
			_, err := s.Quote(t.Context(), id)
			wantErr(t, "reading "+id, err, quote.ErrQuoteNotFound)
			_, _, err = s.Accept(t.Context(), id)
			wantErr(t, "accepting "+id, err, quote.ErrQuoteNotFound)
		}
	})
}

// A row that the app cannot have written is nobody's mistake who asks for it:
// web knows none of these errors, and answers 500.
func TestARowThatSomebodyElseWrote(t *testing.T) {
	onEach(t, func(t *testing.T, db database) {
		s := db.open(roomy, newClock())
		values := map[string]string{"rate": "'1,1699'", "rate_date": "'21.08.2026'", "source_currency": "'EURO'", "target_currency": "'usd'"}
		if db.path != "" { // SQLite takes anything for a number
			values["source_amount"], values["rate_stale"], values["created"] = "'all'", "2", "1.5"
		}
		for column, value := range values {
			kept := mustLock(t, s, aQuote(t, "100.00"), "")
			mustExec(t, s.writes, "UPDATE quotes SET "+column+" = "+value+" WHERE id = $1", kept.ID)
			_, err := s.Quote(t.Context(), kept.ID)
			wantErr(t, column, err, errCorrupt)
			if err != nil && !strings.Contains(err.Error(), kept.ID) {
				t.Errorf("%s: got %v, want it to name %s", column, err, kept.ID)
			}
			for _, mistaken := range []error{quote.ErrAbsurdRate, quote.ErrInvalidDate, quote.ErrUnknownCurrency, quote.ErrDatabaseUnavailable, quote.ErrQuoteNotFound} {
				if err == nil || errors.Is(err, mistaken) {
					t.Errorf("%s: got %v, which says %v", column, err, mistaken)
				}
			}
		}
	})
}
