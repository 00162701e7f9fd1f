package web_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestBadInputIsRefusedBeforeTheBackingServiceIsAsked(t *testing.T) {
	const (
		code   = "a code is three capital letters, like EUR"
		euros  = "write it like 100.00, no separators of thousands: up to 15 digits, at most 2 decimals for EUR"
		day    = "write a day of the calendar like 2026-08-21"
		future = "is in the future; today is 2026-08-22 (UTC)"
	)
	pair := func(source, target string) string {
		return query("amount", "100.00", "source", source, "target", target)
	}
	of := func(amount string) string { return query("amount", amount, "source", "EUR", "target", "USD") }
	on := func(date string) string {
		return query("amount", "100.00", "source", "EUR", "target", "USD", "date", date)
	}
	a := start(t, "?max_age=0s")
	for name, tt := range map[string]struct {
		query   string
		status  int
		problem string
		field   string
		says    string
	}{
		"a source that is no currency":      {pair("XXX", "USD"), 422, "unknown-currency", "source", "XXX is none that is known here"},
		"a target that is no currency":      {pair("EUR", "XAU"), 422, "unknown-currency", "target", "XAU is none that is known here"},
		"a code in lower case":              {pair("eur", "USD"), 422, "unknown-currency", "source", "write it in capital letters, like EUR"},
		"a code in mixed case":              {pair("EUR", "Usd"), 422, "unknown-currency", "target", "write it in capital letters, like USD"},
		"an empty code":                     {pair("", "USD"), 422, "unknown-currency", "source", code},
		"a code of four letters":            {pair("EURO", "USD"), 422, "unknown-currency", "source", code},
		"a currency's sign":                 {pair("€", "USD"), 422, "unknown-currency", "source", code},
		"a sign within a code":              {pair("EUR", "U$D"), 422, "unknown-currency", "target", code},
		"a blank within a code":             {pair("EUR", "USD "), 422, "unknown-currency", "target", code},
		"an encoded slash within a code":    {pair("EUR", "USD/JPY"), 422, "unknown-currency", "target", code},
		"a path out of the API":             {pair("../latest", "USD"), 422, "unknown-currency", "source", code},
		"letters that look like EUR":        {pair("ЕUR", "USD"), 422, "unknown-currency", "source", code},
		"a NUL":                             {pair("EUR\x00", "USD"), 422, "unknown-currency", "source", code},
		"broken UTF-8":                      {pair("\xff\xfe\xfd", "USD"), 422, "unknown-currency", "source", code},
		"16 KB of code":                     {pair(strings.Repeat("E", 16<<10), "USD"), 422, "unknown-currency", "source", code},
		"the same currency":                 {pair("EUR", "EUR"), 422, "same-currency", "target", "source and target are both EUR"},
		"the same currency, not the euro":   {pair("JPY", "JPY"), 422, "same-currency", "target", "source and target are both JPY"},
		"an empty amount":                   {of(""), 422, "invalid-amount", "amount", euros},
		"a negative amount":                 {of("-5"), 422, "invalid-amount", "amount", euros},
		"a negative amount with U+2212":     {of("−5"), 422, "invalid-amount", "amount", euros},
		"a signed amount":                   {of("+5"), 422, "invalid-amount", "amount", euros},
		"zero":                              {of("0"), 422, "invalid-amount", "amount", "it must be more than zero"},
		"zero with decimals":                {of("0.00"), 422, "invalid-amount", "amount", "it must be more than zero"},
		"16 digits":                         {of("1000000000000000"), 422, "invalid-amount", "amount", euros},
		"16 digits, most of them zeros":     {of("0000000000000001"), 422, "invalid-amount", "amount", euros},
		"three decimals of a euro":          {of("1.001"), 422, "invalid-amount", "amount", euros},
		"three decimals that say nothing":   {of("1.000"), 422, "invalid-amount", "amount", euros},
		"a decimal of a yen":                {query("amount", "1.5", "source", "JPY", "target", "EUR"), 422, "invalid-amount", "amount", "write it like 100, no separators of thousands: up to 15 digits, no decimals for JPY"},
		"four decimals of a dinar":          {query("amount", "1.0001", "source", "KWD", "target", "EUR"), 422, "invalid-amount", "amount", "at most 3 decimals for KWD"},
		"1e309":                             {of("1e309"), 422, "invalid-amount", "amount", euros},
		"1e20000000":                        {of("1e20000000"), 422, "invalid-amount", "amount", euros},
		"NaN":                               {of("NaN"), 422, "invalid-amount", "amount", euros},
		"Infinity":                          {of("Infinity"), 422, "invalid-amount", "amount", euros},
		"hexadecimal":                       {of("0x10"), 422, "invalid-amount", "amount", euros},
		"a comma":                           {of("1,50"), 422, "invalid-amount", "amount", euros},
		"thousands":                         {of("1,000.00"), 422, "invalid-amount", "amount", euros},
		"a point alone":                     {of("."), 422, "invalid-amount", "amount", euros},
		"a point at the end":                {of("1."), 422, "invalid-amount", "amount", euros},
		"a point at the beginning":          {of(".5"), 422, "invalid-amount", "amount", euros},
		"blanks around it":                  {of(" 5 "), 422, "invalid-amount", "amount", euros},
		"digits of another script":          {of("١٢٣"), 422, "invalid-amount", "amount", euros},
		"an amount with markup":             {of("<script>alert(1)</script>"), 422, "invalid-amount", "amount", euros},
		"16 KB of digits":                   {of(strings.Repeat("9", 16<<10)), 422, "invalid-amount", "amount", euros},
		"30 February":                       {on("2026-02-30"), 400, "malformed-request", "date", day},
		"a 13th month":                      {on("2026-13-01"), 400, "malformed-request", "date", day},
		"the year 0":                        {on("0000-01-01"), 400, "malformed-request", "date", day},
		"a date as Germans write it":        {on("21.08.2026"), 400, "malformed-request", "date", day},
		"a date without zeros":              {on("2026-8-21"), 400, "malformed-request", "date", day},
		"a date with a time":                {on("2026-08-21T00:00:00Z"), 400, "malformed-request", "date", day},
		"a range":                           {on("2026-08-01..2026-08-21"), 400, "malformed-request", "date", day},
		"a path":                            {on("../../etc/pas"), 400, "malformed-request", "date", day},
		"the word latest":                   {on("latest"), 400, "malformed-request", "date", day},
		"16 KB of date":                     {on(strings.Repeat("2", 16<<10)), 400, "malformed-request", "date", day},
		"tomorrow":                          {on("2026-08-23"), 404, "no-rates-for-date", "date", "2026-08-23 " + future},
		"the last day that can be written":  {on("9999-12-31"), 404, "no-rates-for-date", "date", "9999-12-31 " + future},
		"no parameters":                     {"", 400, "malformed-request", "source", "it is missing; write ?amount=100.00&source=EUR&target=USD"},
		"no amount":                         {query("source", "EUR", "target", "USD"), 400, "malformed-request", "amount", "it is missing"},
		"no source":                         {query("amount", "1", "target", "USD"), 400, "malformed-request", "source", "it is missing"},
		"no target":                         {query("amount", "1", "source", "EUR"), 400, "malformed-request", "target", "it is missing"},
		"names in capitals":                 {query("Amount", "1", "Source", "EUR", "Target", "USD"), 400, "malformed-request", "source", "it is missing"},
		"two amounts":                       {of("1") + "&amount=2", 400, "malformed-request", "amount", "it is given 2 times; once will do"},
		"the same amount twice":             {of("1") + "&amount=1", 400, "malformed-request", "amount", "it is given 2 times; once will do"},
		"three sources":                     {pair("EUR", "USD") + "&source=EUR&source=JPY", 400, "malformed-request", "source", "it is given 3 times; once will do"},
		"two targets":                       {pair("EUR", "USD") + "&target=JPY", 400, "malformed-request", "target", "it is given 2 times; once will do"},
		"two dates":                         {on("2026-08-20") + "&date=2026-08-21", 400, "malformed-request", "date", "it is given 2 times; once will do"},
		"two empty dates":                   {on("") + "&date=", 400, "malformed-request", "date", "it is given 2 times; once will do"},
		"broken percent-encoding":           {"amount=1%&source=EUR&target=USD", 400, "malformed-request", "", "the query cannot be read; a % in it is written %25"},
		"broken percent-encoding elsewhere": {of("1") + "&utm=%zz", 400, "malformed-request", "", "the query cannot be read"},
		"a semicolon between parameters":    {"amount=1;source=EUR;target=USD", 400, "malformed-request", "", "the query cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			r := a.get(t, "/v1/convert?"+tt.query)
			p := wantProblem(t, r, tt.status, tt.problem, tt.field)
			wantContains(t, p.Detail, tt.says)
			wantNone(t, r.body, "script", "\x00", "EEEEE", "99999", "22222")
			wantEqual(t, "calls to the backing service", a.asked.Load(), 0)
		})
	}
	// And nothing changed.
	wantContains(t, a.get(t, convert100).body, `"targetAmount":"116.99"`)
}

func TestWhatOnlyTheRatesCanRefuse(t *testing.T) {
	a := start(t, "")
	for name, tt := range map[string]struct {
		query   string
		status  int
		problem string
		field   string
		detail  string
	}{
		"a source that the backing service lacks": {query("amount", "1", "source", "AED", "target", "USD"), 422, "unknown-currency", "source",
			"the backing service has no rate of AED; /v1/currencies lists those it has"},
		"a target that it lacks": {query("amount", "1", "source", "USD", "target", "AED"), 422, "unknown-currency", "target",
			"the backing service has no rate of AED; /v1/currencies lists those it has"},
		"the first of two that it lacks": {query("amount", "1", "source", "AFN", "target", "AED"), 422, "unknown-currency", "source",
			"the backing service has no rate of AFN; /v1/currencies lists those it has"},
		"a currency that it lacks on that day": {query("amount", "1", "source", "EUR", "target", "JPY", "date", "2026-08-20"), 404, "no-rates-for-date", "date",
			"there is none from EUR to JPY on 2026-08-20"},
		"a day before the first": {query("amount", "1", "source", "EUR", "target", "USD", "date", "2026-05-31"), 404, "no-rates-for-date", "date",
			"the backing service has none for 2026-05-31"},
		"the first day there is": {query("amount", "1", "source", "EUR", "target", "USD", "date", "0001-01-01"), 404, "no-rates-for-date", "date",
			"the backing service has none for 0001-01-01"},
		"an amount that comes to nothing": {query("amount", "0.01", "source", "IDR", "target", "EUR"), 422, "amount-too-small", "amount",
			"0.01 IDR comes to 0.00 EUR"},
		"an amount that comes to too much": {query("amount", "999999999999999.99", "source", "EUR", "target", "IDR"), 422, "invalid-amount", "amount",
			"999999999999999.99 EUR is too large to be converted to IDR"},
	} {
		t.Run(name, func(t *testing.T) {
			p := wantProblem(t, a.get(t, "/v1/convert?"+tt.query), tt.status, tt.problem, tt.field)
			wantEqual(t, "detail", p.Detail, tt.detail)
		})
	}
}

func TestWhatIsNotThere(t *testing.T) {
	a := start(t, "")
	for _, target := range []string{
		"/nowhere", "/v1", "/v1/", "/v1/convert/", "/v1/latest", "/V1/convert", "/favicon.ico", "//v1/convert",
		"/v1%2Fconvert?amount=1&source=EUR&target=USD", "/v1/convert%2F", "/v1/%2e%2e/convert", "/v1/../metrics", "/%00", "/assets/..%2fpages%2fpage.html",
	} {
		t.Run(target, func(t *testing.T) {
			p := wantProblem(t, a.get(t, target), http.StatusNotFound, "about:blank", "")
			wantEqual(t, "detail", p.Detail, "there is nothing at this path")
		})
	}
	wantEqual(t, "calls to the backing service", a.asked.Load(), 0)
}
