package web

import (
	"fmt"
	"net/http"

	"github.com/go-chi/chi/v5"
)

// explanation is what a problem's type leads to: what it means, and what to
// do about it.
type explanation struct{ means, do string }

var explanations = map[string]explanation{
	"malformed-request": {
		"The request cannot be read: a parameter or field is missing, there twice, unknown or of the wrong kind, or the body is no JSON, too large (413) or of another media type (415). The member field, if there, names the part.",
		"Mend the request as detail says; /openapi.json describes it. Sent again unchanged, it gets the same answer."},
	"invalid-amount": {
		"The amount is not a number above zero with at most 15 digits and the decimals that its currency has, or it comes to more than can be handled.",
		"Write it as a string like \"100.00\": no sign, no exponent, no blanks or separators but the point. JPY, KRW and ISK have no decimals."},
	"amount-too-small": {
		"The amount comes to less than half a minor unit of the other currency, so to nothing.",
		"Ask for a larger amount."},
	"same-currency": {
		"Source and target are one currency: there is nothing to convert.",
		"Name two currencies."},
	"unknown-currency": {
		"The code is not one of three capital letters (ISO 4217) that is known here and that the backing service has a rate of.",
		"Take one that /v1/currencies lists."},
	"no-rates-for-date": {
		"There are no rates for this day: it is in the future, before the first one known, or the pair has no rate on it.",
		"Ask for another day, or leave the date out for the newest."},
	"quote-not-found": {
		"No quote has this id. One that expired and nobody accepted is kept for some time only.",
		"Look at the id, which is that of the answer to POST /v1/quotes; or lock a new quote."},
	"quote-expired": {
		"The quote was to be accepted before its rateExpirationTime, and nobody did. It never will be accepted now.",
		"Lock a new quote, at the rate of now, and accept it in time."},
	"idempotency-key-reused": {
		"The Idempotency-Key came before, with another order. Nothing was locked.",
		"Take a new, unguessable key for each order, and the same one only to send the same order again."},
	"rate-changed": {
		"The page's form was sent with the rate that was shown, and there is a newer one. Nothing was locked. The API sends no rate and cannot get this.",
		"Look at the rate of now, and lock that."},
	"database-unavailable": {
		"The database where quotes are kept cannot be asked at the moment. What the request was to change may be changed or not.",
		"Wait as Retry-After says and ask again. Accepting again is safe, and so is locking again with the same Idempotency-Key: there will be one quote."},
	"overloaded": {
		"As many requests are being worked on as may be, or as many quotes are open; the detail says which. Requests make room in moments, quotes when they are accepted or expire.",
		"Wait as Retry-After says and ask again."},
	"rates-too-old": {
		"The newest rates at hand are too old to answer with, or to lock a quote on: the backing service has not answered for too long, or answers with a reference date of long ago.",
		"Wait as Retry-After says and ask again. GET /v1/backing, on the port of quotes itself, shows how the backing service does."},
	"rates-unavailable": {
		"The backing service that has the rates cannot be asked at the moment, or answers with what are no rates, and none are known from before.",
		"Wait as Retry-After says and ask again. GET /v1/backing, on the port of quotes itself, shows how the backing service does."},
}

// explain answers at the URI that is a problem's type.
func explain(w http.ResponseWriter, r *http.Request) {
	name := chi.URLParam(r, "name")
	e, ok := explanations[name]
	if !ok {
		notFound(w, r)
		return
	}
	title := ""
	for _, row := range problems {
		if row.name == name {
			title = fmt.Sprintf("%s (%d)", row.title, row.status)
			break
		}
	}
	writeStatic(w, "text/plain; charset=utf-8", fmt.Appendf(nil, "%s\n\n%s\n\nWhat to do: %s\n", title, e.means, e.do))
}
