package web

import (
	"bytes"
	"cmp"
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/portpair/services/quotes/internal/quote"
	"example.com/portpair/services/quotes/internal/ratesapi"
	"github.com/google/uuid"
)

//go:embed pages/*.html
var pageFiles embed.FS

var pages = template.Must(template.New("").Funcs(template.FuncMap{
	"asset":      func(name string) string { return assets[name].path },
	"grouped":    grouped,
	"stateWords": func() map[ratesapi.State]string { return stateWords },
	"clock":      clockWords,
	"stamp":      func(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) },
}).ParseFS(pageFiles, "pages/*.html"))

// policy allows what the pages have: an icon, and scripts, style sheets, calls
// and forms of their own.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// common are the currencies that are offered first.
var common = []string{"EUR", "USD", "GBP", "JPY", "CHF", "CAD", "AUD", "CNY"}

// form is the page's, as it was sent: what the visitor wrote, right or wrong.
type form struct {
	Amount, Source, Target, Date string

	// Key makes a second click on Lock the same lock.
	Key string

	Common, Others []quote.Currency // to choose from
}

// choice is one side's.
type choice struct {
	Name, Chosen   string
	Common, Others []quote.Currency
}

func (f form) From() choice { return choice{"source", f.Source, f.Common, f.Others} }
func (f form) To() choice   { return choice{"target", f.Target, f.Common, f.Others} }

// readForm fills in what is not given, in values too.
func readForm(values url.Values) form {
	for name, first := range map[string]string{"amount": "100.00", "source": "EUR", "target": "USD"} {
		if !values.Has(name) {
			values.Set(name, first)
		}
	}
	return form{
		Amount: values.Get("amount"), Source: values.Get("source"), Target: values.Get("target"), Date: values.Get("date"),
		Key: uuid.NewString(),
	}
}

// offer sets the currencies to choose from. What was chosen stays, though the
// day has none of it.
func (f *form) offer(all []quote.Currency) {
	for _, code := range []string{f.Source, f.Target} {
		if c, err := quote.LookupCurrency(code); err == nil && !slices.Contains(all, c) {
			all = append(slices.Clip(all), c)
		}
	}
	for _, code := range common {
		if i := slices.IndexFunc(all, func(c quote.Currency) bool { return c.Code == code }); i >= 0 {
			f.Common = append(f.Common, all[i])
		}
	}
	for _, c := range all {
		if !slices.Contains(common, c.Code) {
			f.Others = append(f.Others, c)
		}
	}
}

// result is a conversion as the page says it.
type result struct {
	conversionReply
	Back      string // the rate the other way
	Words     string // the reference date in words
	Published string // what it is of the published days
	Old       int    // days since the newest one, when that is worth a warning
	Lockable  bool
	LockFor   string
	NoLock    string // why not
}

type pageData struct {
	Form    form
	Result  *result
	Problem *problem
	Backing *backingReply
	Source  source
}

// page converts by a plain form, and shows which backing service answers.
func (a App) page(w http.ResponseWriter, r *http.Request) error {
	query, err := parseQuery(r)
	data := pageData{Form: readForm(query)}
	if query.Has("swap") { // the sides, for who has no scripts
		query["source"], query["target"] = query["target"], query["source"]
		query.Del("swap")
		http.Redirect(w, r, "/?"+query.Encode(), http.StatusSeeOther)
		return nil
	}
	var q question
	if err == nil {
		q, err = parseQuestion(query, a.Now())
	}
	// Asked once, of a mistaken question too: the page shows how the backing
	// service does.
	known, failed := q.rates(r.Context(), a.Rates)
	if failed == nil {
		data.Form.offer(known.Currencies())
	} else {
		data.Form.offer(quote.Currencies())
	}
	if err = cmp.Or(err, failed); err == nil {
		data.Result, err = a.result(q, known)
	}
	return a.writePage(w, r, data, err)
}

// Why a rate is not offered for locking.
const (
	noLockDated = "A quote locks the rate of the newest day alone."
	noLockOld   = "These rates are too old to lock a quote on."
)

func (a App) result(q question, known ratesapi.Rates) (*result, error) {
	reply, err := q.convert(known)
	if err != nil {
		return nil, err
	}
	back, err := known.Cross(q.target, q.source)
	if err != nil {
		return nil, err
	}
	res := &result{conversionReply: reply, Back: back.String(), Words: dayWords(known.Date()), Published: "the newest published day, "}
	days := quote.DateOf(a.Now()).DaysSince(known.Date())
	switch {
	case !q.date.IsZero() && q.date != known.Date():
		res.Published = "the last day with rates before " + dayWords(q.date) + ", "
		res.NoLock = noLockDated
	case !q.date.IsZero():
		res.Published, res.NoLock = "", noLockDated
	default:
		res.Lockable = known.LockErr(a.LockMaxDays) == nil
		res.LockFor, res.NoLock = plainDuration(a.LockFor), noLockOld
		if days > oldDays {
			res.Old = days
		}
	}
	res.Published += daysAgo(days)
	return res, nil
}

// writePage writes the page with a problem, if there is one.
func (a App) writePage(w http.ResponseWriter, r *http.Request, data pageData, err error) error {
	status := http.StatusOK
	if err != nil {
		p := problemOf(err)
		if p.Status == http.StatusInternalServerError || r.Context().Err() != nil {
			return err
		}
		attach(r.Context(), err)
		data.Problem, status = &p, p.Status
	}
	s := a.Rates.Status()
	b := newBackingReply(s)
	data.Backing, data.Source = &b, sourceOf(s)
	return writeHTML(w, status, "page.html", data)
}

func writeHTML(w http.ResponseWriter, status int, name string, data any) error {
	var body bytes.Buffer
	if err := pages.ExecuteTemplate(&body, name, data); err != nil {
		return err
	}
	header(w, []string{"text/html; charset=utf-8"}, body.Len())
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Frame-Options", "DENY") // for what does not know the policy
	h.Set("Referrer-Policy", "same-origin")
	if status == http.StatusServiceUnavailable {
		h.Set("Retry-After", strconv.Itoa(retryAfter))
	}
	w.WriteHeader(status)
	_, _ = body.WriteTo(w)
	return nil
}

// pageProblem is a page's answer to what it did not expect.
func pageProblem(w http.ResponseWriter, _ *http.Request, err error) {
	p := problemOf(err)
	if writeHTML(w, p.Status, "problem.html", p) != nil {
		writeReply(w, p)
	}
}

// lockFromPage is POST /v1/quotes for a form: what it locks is seen at the
// quote's own page.
func (a App) lockFromPage(w http.ResponseWriter, r *http.Request) error {
	values, err := readPosted(r)
	if err != nil {
		return err
	}
	id, err := a.lockForm(r.Context(), values)
	if err == nil {
		http.Redirect(w, r, "/quotes/"+id, http.StatusSeeOther)
		return nil
	}
	data := pageData{Form: readForm(values)}
	data.Form.offer(quote.Currencies()) // those of the day may not come either
	if errors.Is(err, errRateMoved) {
		data.Result, _ = a.newest(r.Context(), values)
	}
	return a.writePage(w, r, data, err)
}

// readPosted reads the body as a form sends it.
func readPosted(r *http.Request) (url.Values, error) {
	const formType = "application/x-www-form-urlencoded"
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != formType {
		return nil, inField("Content-Type", fmt.Errorf("%w: send %s", errMediaType, formType))
	}
	body, err := readBody(r)
	if err != nil {
		return nil, err
	}
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, fmt.Errorf("%w: the form cannot be read", errMalformed)
	}
	return values, nil
}

// newest is the result of now.
func (a App) newest(ctx context.Context, values url.Values) (*result, error) {
	q, err := parseQuestion(values, a.Now())
	if err != nil {
		return nil, err
	}
	known, err := a.Rates.Latest(ctx)
	if err != nil {
		return nil, err
	}
	return a.result(q, known)
}

func (a App) lockForm(ctx context.Context, values url.Values) (id string, err error) {
	values.Del("date") // locks are of the newest day
	q, err := parseQuestion(values, a.Now())
	if err != nil {
		return "", err
	}
	order, err := quote.NewOrder(q.source, q.target, q.amount)
	if err != nil {
		return "", inField("amount", err)
	}
	key, err := idempotencyKey(values["key"])
	if err != nil {
		return "", inField("key", err)
	}
	if key == "" {
		return "", inField("key", fmt.Errorf("%w: it is missing", errMalformed))
	}
	// Another order from the same page is another lock.
	key = strings.Join([]string{"page", key, q.amount.String(), q.source.Code, q.target.Code}, " ")
	kept, _, err := a.lock(ctx, order, key, values.Get("rate"), fieldNames{"source", "target", "amount"})
	return kept.ID, err
}

// plainDuration is one as people say it, for those that operators choose.
func plainDuration(d time.Duration) string {
	for _, unit := range []struct {
		length time.Duration
		name   string
	}{{time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}} {
		switch n := d / unit.length; {
		case d%unit.length != 0:
		case n == 1:
			return "1 " + unit.name
		default:
			return fmt.Sprintf("%d %ss", n, unit.name)
		}
	}
	return d.String()
}
