package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"example.com/portpair/services/quotes/internal/quote"
	"example.com/portpair/services/quotes/internal/store"
	"github.com/go-chi/chi/v5"
	"github.com/google/uuid"
)

type quoteReply struct {
	ID                 string
	Status             string
	SourceCurrency     string
	TargetCurrency     string
	SourceAmount       string
	TargetAmount       string
	ProvidedAmountType string
	Rate               string
	RateDate           string
	RateStale          bool
	CreatedTime        time.Time
	RateExpirationTime time.Time
	AcceptedTime       time.Time // zero: it is not accepted
}

func (r quoteReply) appendTo(o object) object {
	return o.text("id", r.ID).text("status", r.Status).
		text("sourceCurrency", r.SourceCurrency).text("targetCurrency", r.TargetCurrency).
		text("sourceAmount", r.SourceAmount).text("targetAmount", r.TargetAmount).
		text("providedAmountType", r.ProvidedAmountType).
		text("rate", r.Rate).text("rateDate", r.RateDate).flag("rateStale", r.RateStale).
		time("createdTime", r.CreatedTime).time("rateExpirationTime", r.RateExpirationTime).time("acceptedTime", r.AcceptedTime)
}

func newQuoteReply(k store.Kept) quoteReply {
	return quoteReply{
		ID: k.ID, Status: string(k.Status),
		SourceCurrency: k.Source.Currency().Code, TargetCurrency: k.Target.Currency().Code,
		SourceAmount: k.Source.String(), TargetAmount: k.Target.String(), ProvidedAmountType: string(k.Provided),
		Rate: k.Rate.String(), RateDate: k.RateDate.String(), RateStale: k.RateStale,
		CreatedTime: k.Created, RateExpirationTime: k.Expires, AcceptedTime: k.Accepted,
	}
}

// lockQuote locks a quote at the newest rates.
func (a App) lockQuote(w http.ResponseWriter, r *http.Request) error {
	key, err := idempotencyKey(r.Header.Values("Idempotency-Key"))
	if err != nil {
		return inField("Idempotency-Key", err)
	}
	order, given, err := readOrder(r)
	if err != nil {
		return err
	}
	kept, replayed, err := a.lock(r.Context(), order, key, "", fieldNames{"sourceCurrency", "targetCurrency", given})
	switch {
	case errors.Is(err, quote.ErrKeyReused):
		return inField("Idempotency-Key", err)
	case err != nil:
		return err
	case replayed:
		w.Header().Set("Idempotent-Replayed", "true")
	}
	w.Header().Set("Location", "/v1/quotes/"+kept.ID)
	return writeObject(w, http.StatusCreated, newQuoteReply(kept).appendTo)
}

// lock is what the API and the page share. A key that was used before needs no
// rates: its quote is there, though the backing service is not. A rate that was
// seen is locked at, or none.
func (a App) lock(ctx context.Context, order quote.Order, key, seen string, names fieldNames) (kept store.Kept, replayed bool, err error) {
	if key != "" {
		kept, err := a.Quotes.ByKey(ctx, key, order)
		if !errors.Is(err, quote.ErrQuoteNotFound) {
			return kept, true, err
		}
	}
	known, err := a.Rates.Latest(ctx)
	if err != nil {
		return kept, false, err
	}
	q, err := known.Lock(order, known.Standing, a.LockMaxDays)
	if err != nil {
		return kept, false, refused(err, false, order.Source, order.Target, known, names)
	}
	if seen != "" && seen != q.Rate.String() {
		return kept, false, fmt.Errorf("%w: it was %s when you looked; nothing was locked", errRateMoved, seen)
	}
	kept, replayed, err = a.Quotes.Lock(ctx, q, key)
	if err == nil && !replayed {
		a.locked()
	}
	return kept, replayed, err
}

func (a App) getQuote(w http.ResponseWriter, r *http.Request) error {
	id, err := quoteID(r)
	if err != nil {
		return err
	}
	kept, err := a.Quotes.Quote(r.Context(), id)
	if err != nil {
		return err
	}
	return writeObject(w, http.StatusOK, newQuoteReply(kept).appendTo)
}

func (a App) acceptQuote(w http.ResponseWriter, r *http.Request) error {
	id, err := quoteID(r)
	if err != nil {
		return err
	}
	kept, err := a.accept(r.Context(), id)
	if err != nil {
		return err
	}
	return writeObject(w, http.StatusOK, newQuoteReply(kept).appendTo)
}

func (a App) accept(ctx context.Context, id string) (store.Kept, error) {
	kept, first, err := a.Quotes.Accept(ctx, id)
	if first {
		a.accepted()
	}
	return kept, err
}

const idLength = len("00000000-0000-0000-0000-000000000000")

// quoteID is the path's id in its one form; the database is not asked for
// what cannot be one.
func quoteID(r *http.Request) (string, error) {
	text := chi.URLParam(r, "id")
	if len(text) != idLength || uuid.Validate(text) != nil { // which takes urn:uuid: and braces too
		return "", fmt.Errorf("%w: an id is a UUID", quote.ErrQuoteNotFound)
	}
	return strings.ToLower(text), nil
}

const maxKey = 255

// idempotencyKey reads the header, bare or as the quoted string of the
// IETF's draft (draft-ietf-httpapi-idempotency-key-header). None is empty.
func idempotencyKey(values []string) (string, error) {
	switch {
	case len(values) == 0:
		return "", nil
	case len(values) > 1:
		return "", fmt.Errorf("%w: it is given %d times; once will do", errMalformed, len(values))
	}
	key, ok := unquote(values[0])
	switch {
	case !ok:
		return "", fmt.Errorf(`%w: it starts with a quotation mark; then it ends with one, and in it stand only \" and \\`, errMalformed)
	case key == "" || len(key) > maxKey:
		return "", fmt.Errorf("%w: 1 to %d characters", errMalformed, maxKey)
	case strings.ContainsFunc(key, func(c rune) bool { return c < ' ' || c > '~' }):
		return "", fmt.Errorf("%w: printable ASCII only", errMalformed)
	}
	return key, nil
}

// unquote reads a quoted string (RFC 8941, section 3.3.3); what does not start
// with a quotation mark is as it is.
func unquote(text string) (string, bool) {
	if !strings.HasPrefix(text, `"`) {
		return text, true
	}
	var key strings.Builder
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '"':
			return key.String(), i == len(text)-1
		case '\\':
			if i++; i == len(text) || text[i] != '"' && text[i] != '\\' {
				return "", false
			}
		}
		key.WriteByte(text[i])
	}
	return "", false
}
