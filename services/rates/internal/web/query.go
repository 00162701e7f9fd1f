package web

import (
	"net/url"
	"strings"

	"example.com/portpair/services/rates/internal/fx"
)

// query is a request's parameters: base (alias from), symbols (alias to) and
// amount. Others are ignored.
type query struct {
	fx.Query
	baseGiven bool
}

// parseQuery reads the parameters as the contract's original does: the last
// of a repeated one counts, one without = is absent, an alias wins over its
// name. The error is errQuery or fx.ErrInvalidAmount.
func parseQuery(raw string) (query, error) {
	q := query{Query: fx.DefaultQuery()}
	if raw == "" {
		return q, nil
	}
	given := map[string]string{}
	for pair := range strings.SplitSeq(raw, "&") {
		name, value, hasValue := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(name)
		if err != nil {
			return q, errQuery
		}
		value, err = url.QueryUnescape(value)
		if err != nil {
			return q, errQuery
		}
		if delete(given, name); hasValue {
			given[name] = value
		}
	}
	first := func(names ...string) (string, bool) {
		for _, name := range names {
			if value, ok := given[name]; ok {
				return value, true
			}
		}
		return "", false
	}
	if text, ok := first("amount"); ok {
		amount, err := fx.ParseAmount(text)
		if err != nil {
			return q, err
		}
		q.Amount = amount
	}
	if text, ok := first("from", "base"); ok {
		q.Base, q.baseGiven = fx.ParseBase(text), true
	}
	if text, ok := first("to", "symbols"); ok {
		q.Symbols = fx.SplitSymbols(text)
	}
	return q, nil
}

// checkPair comes after the date, by the contract's order of checks.
func (q query) checkPair() error {
	if !q.baseGiven {
		return nil
	}
	return fx.CheckPair(q.Base, q.Symbols)
}
