package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"regexp"

	"example.com/portpair/services/quotes/internal/quote"
)

// maxOrder is the most that an order's body may hold, in bytes; they need
// about 80.
const maxOrder = 4 << 10

var (
	errTooLarge  = errors.New("request too large")
	errMediaType = errors.New("unsupported media type")
)

// readOrder reads the body of POST /v1/quotes: sourceCurrency, targetCurrency
// and one of sourceAmount and targetAmount, all strings. given is the name of
// the amount.
func readOrder(r *http.Request) (order quote.Order, given string, err error) {
	fields, err := readFields(r)
	if err != nil {
		return order, "", err
	}
	source, err := currencyField(fields, "sourceCurrency")
	if err != nil {
		return order, "", err
	}
	target, err := currencyField(fields, "targetCurrency")
	if err != nil {
		return order, "", err
	}
	sourceAmount, hasSource := fields["sourceAmount"]
	targetAmount, hasTarget := fields["targetAmount"]
	text, currency, given := sourceAmount, source, "sourceAmount"
	switch {
	case hasSource && hasTarget:
		return order, "", inField("targetAmount", fmt.Errorf("%w: give sourceAmount or targetAmount, not both", errMalformed))
	case hasTarget:
		text, currency, given = targetAmount, target, "targetAmount"
	case !hasSource:
		return order, "", inField("sourceAmount", fmt.Errorf("%w: give sourceAmount or targetAmount", errMalformed))
	}
	if err := quote.CheckPair(source, target); err != nil {
		return order, "", inField("targetCurrency", err)
	}
	amount, err := quote.ParseAmount(text, currency)
	if err != nil {
		return order, "", inField(given, err)
	}
	order, err = quote.NewOrder(source, target, amount)
	return order, given, err
}

func currencyField(fields map[string]string, name string) (quote.Currency, error) {
	code, ok := fields[name]
	if !ok {
		return quote.Currency{}, inField(name, fmt.Errorf(`%w: it is missing; send a code such as "EUR"`, errMalformed))
	}
	c, err := quote.LookupCurrency(code)
	return c, inField(name, err)
}

var orderFields = map[string]bool{"sourceCurrency": true, "targetCurrency": true, "sourceAmount": true, "targetAmount": true}

// fieldName is what a field's name looks like: one that does is repeated to
// the client who sent it.
var fieldName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

func unknownField(name string) error {
	err := fmt.Errorf("%w: there is no such field; known are sourceCurrency, targetCurrency, sourceAmount and targetAmount", errMalformed)
	if !fieldName.MatchString(name) {
		return err
	}
	return inField(name, err)
}

func readBody(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(r.Body) // no more than maxOrder+1 bytes: see gate
	if err == nil && len(body) > maxOrder {
		err = fmt.Errorf("%w: at most %d bytes", errTooLarge, maxOrder)
	}
	return body, err
}

// readFields reads a flat JSON object of strings with the names of an order.
// encoding/json alone would take other cases of a name, and a name twice.
func readFields(r *http.Request) (map[string]string, error) {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		return nil, inField("Content-Type", fmt.Errorf("%w: send application/json", errMediaType))
	}
	body, err := readBody(r)
	if err != nil {
		return nil, err
	}
	errObject := fmt.Errorf(`%w: send one JSON object such as {"sourceCurrency":"EUR","targetCurrency":"USD","sourceAmount":"100.00"}`, errMalformed)
	d := json.NewDecoder(bytes.NewReader(body))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, errObject
	}
	fields := map[string]string{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, errObject
		}
		field := name.(string) // a key is one
		_, twice := fields[field]
		value, err := d.Token()
		text, isString := value.(string)
		switch {
		case !orderFields[field]:
			return nil, unknownField(field)
		case twice:
			return nil, inField(field, fmt.Errorf("%w: it is given twice", errMalformed))
		case err != nil:
			return nil, errObject
		case !isString:
			return nil, inField(field, fmt.Errorf(`%w: send a string, such as "EUR" or "100.00"`, errMalformed))
		}
		fields[field] = text
	}
	if end, err := d.Token(); err != nil || end != json.Delim('}') {
		return nil, errObject
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errObject
	}
	return fields, nil
}
