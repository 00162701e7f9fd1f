package quote

import "errors"

// Each error that the package returns wraps one of these and goes on with a
// sentence that may be shown to whoever sent the value.
var (
	// ErrUnknownCurrency is returned for a code that is not three capital
	// letters and for one whose minor units are not known here.
	ErrUnknownCurrency = errors.New("unknown currency")

	// ErrSameCurrency is returned for a pair whose sides are one.
	ErrSameCurrency = errors.New("same currency")

	// ErrInvalidAmount is returned for an amount that is not a positive
	// decimal of its currency, and for one whose counterpart is too large.
	ErrInvalidAmount = errors.New("invalid amount")

	// ErrAmountTooSmall is returned by Rate.Target and Rate.Source when the
	// other amount rounds to 0.
	ErrAmountTooSmall = errors.New("amount too small")

	// ErrInvalidDate is returned by ParseDate for what is no calendar day.
	ErrInvalidDate = errors.New("invalid date")

	// ErrNoRate is returned by Table.Cross when the table lacks a side.
	ErrNoRate = errors.New("no rate")

	// ErrAbsurdRate is returned for a rate that no one should convert by:
	// not a number, not above zero, far too large or small, or with more
	// digits than any rate has. A cross rate can be absurd when its sides
	// are not.
	ErrAbsurdRate = errors.New("absurd rate")

	// ErrUnusableTable is returned by NewTable for rates that cannot be one
	// reference date's.
	ErrUnusableTable = errors.New("unusable rates")

	// ErrRatesTooOld is the reason in Standing.LockErr, and of rates that are
	// not servable any more.
	ErrRatesTooOld = errors.New("rates too old")

	// ErrRatesUnavailable is returned when the backing service cannot be
	// asked, or does not answer as it should, and no rates are known.
	ErrRatesUnavailable = errors.New("rates unavailable")

	// ErrQuoteNotFound is returned for an id that no quote has.
	ErrQuoteNotFound = errors.New("quote not found")

	// ErrQuoteExpired is returned when a quote is accepted too late.
	ErrQuoteExpired = errors.New("quote expired")

	// ErrKeyReused is returned when an idempotency key comes again with
	// another order.
	ErrKeyReused = errors.New("idempotency key reused")

	// ErrOverloaded is returned when there are as many open quotes as may be.
	ErrOverloaded = errors.New("overloaded")

	// ErrDatabaseUnavailable is returned when the database cannot be asked.
	ErrDatabaseUnavailable = errors.New("database unavailable")

	// ErrNoRatesForDate is returned for a day in the future, before the first
	// one known, or without a rate of the pair.
	ErrNoRatesForDate = errors.New("no rates for this date")
)
