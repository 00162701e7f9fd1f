package quote

import (
	"fmt"
	"time"
)

// Side is the side of a pair that an order gives the amount of; the other one
// is computed.
type Side string

// The sides, as the API names them.
const (
	SourceSide Side = "SOURCE"
	TargetSide Side = "TARGET"
)

// Order is what a quote is asked for: a pair and the amount of one side.
type Order struct {
	Source, Target Currency
	Given          Amount // of the source currency or of the target's
}

// NewOrder returns the order of a given amount, or ErrSameCurrency.
func NewOrder(source, target Currency, given Amount) (Order, error) {
	if err := CheckPair(source, target); err != nil {
		return Order{}, err
	}
	if given.currency != source && given.currency != target {
		return Order{}, fmt.Errorf("%w: the amount is of neither currency of the pair", ErrInvalidAmount)
	}
	return Order{source, target, given}, nil
}

// Side is the side that the order gives.
func (o Order) Side() Side {
	if o.Given.currency == o.Source {
		return SourceSide
	}
	return TargetSide
}

// Status is where a quote is in its life.
type Status string

// A quote is Active until it is accepted or its rate expires. Either is for
// good, and never both.
const (
	Active   Status = "ACTIVE"
	Accepted Status = "ACCEPTED"
	Expired  Status = "EXPIRED"
)

// Quote is a locked conversion: its rate holds until it expires, whatever the
// market does.
type Quote struct {
	ID             string // a UUID, version 7
	Source, Target Amount
	Provided       Side
	Rate           Rate
	RateDate       Date
	RateStale      bool
	Created        time.Time
	Expires        time.Time
	Accepted       time.Time // zero: it was not
}

// Lock turns an order into a quote at the table's rate. What is given is kept
// to the digit, the other side computed as Convert does. The quote has no ID
// and no times yet: those are the store's. Beside the errors of Cross,
// Rate.Target and Rate.Source it is ErrRatesTooOld when the table's standing
// forbids it (Standing.LockErr, of maxDays).
func (t *Table) Lock(o Order, s Standing, maxDays int) (Quote, error) {
	if err := s.LockErr(maxDays); err != nil {
		return Quote{}, err
	}
	rate, err := t.Cross(o.Source, o.Target)
	if err != nil {
		return Quote{}, err
	}
	q := Quote{Source: o.Given, Target: o.Given, Provided: o.Side(), Rate: rate, RateDate: t.date, RateStale: s.Stale}
	if q.Provided == SourceSide {
		q.Target, err = rate.Target(o.Given, o.Target)
	} else {
		q.Source, err = rate.Source(o.Given, o.Source)
	}
	return q, err
}

// Status is the quote's at a moment.
func (q Quote) Status(now time.Time) Status {
	switch {
	case !q.Accepted.IsZero():
		return Accepted
	case !now.Before(q.Expires):
		return Expired
	default:
		return Active
	}
}

// Order is what the quote was asked for.
func (q Quote) Order() Order {
	o := Order{Source: q.Source.currency, Target: q.Target.currency, Given: q.Source}
	if q.Provided == TargetSide {
		o.Given = q.Target
	}
	return o
}
