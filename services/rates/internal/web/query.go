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

// parameter is one that may be absent.
type parameter struct {
	text  string
	given bool
}

func (p parameter) or(other parameter) parameter {
	if p.given {
		return p
	}
	return other
}

// parseQuery reads the parameters as the contract's original does: the last
// of a repeated one counts, one without = is absent, an alias wins over its
// name. The error is errQuery or fx.ErrInvalidAmount.
func parseQuery(raw string) (query, error) {
	q := query{Query: fx.DefaultQuery()}
	var amount, base, from, symbols, to parameter
	for raw != "" {
		var pair string
		pair, raw, _ = strings.Cut(raw, "&")
		name, text, hasValue := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(name)
		if err != nil {
			return q, errQuery
		}
		var of *parameter
		switch name {
		case "amount":
			of = &amount
		case "base":
			of = &base
		case "from":
			of = &from
		case "symbols":
			of = &symbols
		case "to":
			of = &to
		default:
			continue
		}
		if text, err = url.QueryUnescape(text); err != nil {
			return q, errQuery
		}
		*of = parameter{text, hasValue}
	}
	if amount.given {
		number, err := fx.ParseAmount(amount.text)
		if err != nil {
			return q, err
		}
		q.Amount = number
	}
	if code := from.or(base); code.given {
		q.Base, q.baseGiven = fx.ParseBase(code.text), true
	}
	if list := to.or(symbols); list.given {
		q.Symbols = fx.SplitSymbols(list.text)
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
