// Package fx is the field of the rates service: the euro foreign exchange reference rates of all days as one
// immutable Table, and the answers to questions about them (a day or a range, a base, some currencies, an amount),
// exact to the last digit. It also knows when the next day's are to be expected.
//
// It knows values only. Reading what the ECB publishes is left to package ecb; routes, JSON, caching and the
// clock are left to the web layer and to main.
package fx

import "errors"

// Their texts are what the API's clients are shown.
var (
	// ErrNotFound is returned when there is nothing to answer with: no rate of the base or of any asked-for
	// currency in the days that count, an unknown base, or no currency left to quote.
	ErrNotFound = errors.New("not found")

	// ErrBadPair is returned when one single currency is asked for in terms of itself.
	ErrBadPair = errors.New("bad currency pair")

	// ErrInvalidAmount is returned for an amount that is no positive number, is beyond the limits of
	// ParseAmount, or is so small that it rounds to nothing in the base's own leg.
	ErrInvalidAmount = errors.New("invalid amount")

	// ErrInvalidDate is returned for a text that is not YYYY-MM-DD or names a day that the calendar lacks.
	ErrInvalidDate = errors.New("invalid date")
)
