package web

import (
	"errors"
	"net/http"
	"time"

	"example.com/portpair/services/quotes/internal/quote"
)

type quotePage struct {
	quoteReply
	Words                  string // the reference date in words
	LeftMillis, LifeMillis int64  // until the quote expires, of the time that it had
}

// quotePage shows one quote, as it is now.
func (a App) quotePage(w http.ResponseWriter, r *http.Request) error {
	id, err := quoteID(r)
	if err != nil {
		return err
	}
	kept, err := a.Quotes.Quote(r.Context(), id)
	if err != nil {
		return err
	}
	return writeHTML(w, http.StatusOK, "quote.html", quotePage{
		quoteReply: newQuoteReply(kept), Words: dayWords(kept.RateDate),
		LeftMillis: max(0, kept.Expires.Sub(a.Now()).Milliseconds()), LifeMillis: kept.Expires.Sub(kept.Created).Milliseconds(),
	})
}

// acceptFromPage is POST /v1/quotes/{id}/accept for a form. One that comes too
// late leads to the quote as well, which says so.
func (a App) acceptFromPage(w http.ResponseWriter, r *http.Request) error {
	id, err := quoteID(r)
	if err != nil {
		return err
	}
	if _, err := a.accept(r.Context(), id); err != nil && !errors.Is(err, quote.ErrQuoteExpired) {
		return err
	}
	http.Redirect(w, r, "/quotes/"+id, http.StatusSeeOther)
	return nil
}

func leadToQuote(w http.ResponseWriter, r *http.Request) error {
	id, err := quoteID(r)
	if err == nil {
		http.Redirect(w, r, "/quotes/"+id, http.StatusSeeOther)
	}
	return err
}

// clockWords is a time for readers without scripts; with them it is told in
// their own time zone.
func clockWords(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04:05 UTC") }
