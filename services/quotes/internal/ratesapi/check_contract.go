package ratesapi

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"example.com/portpair/services/quotes/internal/quote"
	"example.com/portpair/services/twelve/check"
)

const (
	// How many calls latency is found by, and how many are under way at once:
	// twenty, one after the other, would take a distant service's whole time.
	latencyCalls   = 20
	latencyAtATime = 4

	namedCodes = 8 // how many codes a line names
)

// beforeAll is a day that no rates are for: the euro is from 1999.
const beforeAll = "1990-01-01"

func (k *checker) pastDay(ctx context.Context) check.Line {
	date := k.latest.kept.table.Date().AddDays(-checkSpan)
	a := k.call(ctx, ofDay(date))
	const lost = "a conversion with a date will find none; all else works"
	switch {
	case a.err == nil:
		return check.Passed(fmt.Sprintf("asked for %v, got %v", date, a.kept.table.Date()))
	case a.status == http.StatusOK:
		return check.Failed(a.err.Error(), "what gives a wrong answer is no rates service, though its newest rates look like one's")
	case a.outcome() == NoRates, a.status == http.StatusNotFound:
		return check.Warned(fmt.Sprintf("none for %v: status %d", date, a.status), lost)
	default:
		return check.Warned(a.err.Error(), lost)
	}
}

// days asks for a range of one currency.
func (k *checker) days(ctx context.Context) check.Line {
	euro, _ := quote.LookupCurrency(quote.Base)
	newest := k.latest.kept.table.Date()
	days := span{newest.AddDays(-checkSpan), newest}
	a := k.call(ctx, ofDays(days, euro, k.someCurrency()))
	const lost = "charts need ranges; conversions and quotes do not"
	switch {
	case a.status != http.StatusOK:
		return check.Warned(notServed(a), lost)
	case a.err != nil:
		return check.Warned(fmt.Sprintf("for %v..%v: %v", days.from, days.to, a.err), lost)
	}
	return check.Passed(fmt.Sprintf("%v..%v: %d days", days.from, days.to, len(a.kept.days)))
}

// someCurrency is one that the service has rates of, the dollar if it has it.
func (k *checker) someCurrency() (some quote.Currency) {
	for _, c := range k.latest.kept.table.Currencies() {
		if c.Code == "USD" || some.Code == "" && c.Code != quote.Base {
			some = c
		}
	}
	return some
}

// notOfRedis is of what only HTTP has.
var notOfRedis = check.Skipped("not of the Redis protocol")

func (k *checker) names(ctx context.Context) check.Line {
	if k.handle.IsRedis() {
		return notOfRedis
	}
	a := k.call(ctx, question{path: "currencies"})
	const lost = "quotes goes by the names that it knows itself: nothing is lost but the contract"
	if a.status != http.StatusOK {
		return check.Warned(notServed(a), lost)
	}
	var names map[string]string
	if err := decodeJSON(a.body, &names); err != nil {
		return check.Warned("not an object of codes and names: "+err.Error(), lost)
	}
	if len(names) == 0 {
		return check.Warned("no names", lost)
	}
	return check.Passed(fmt.Sprintf("%d names", len(names)))
}

// refusals asks for what there is not.
func (k *checker) refusals(ctx context.Context) check.Line {
	date, err := quote.ParseDate(beforeAll)
	if err != nil {
		panic(err)
	}
	day := k.call(ctx, ofDay(date))
	if k.handle.IsRedis() {
		return k.noneBefore(day)
	}
	symbol := k.call(ctx, question{path: "latest?symbols=XXX"}) // ISO 4217: no currency
	switch {
	case day.status == http.StatusOK:
		return check.Failed(fmt.Sprintf("status 200 for %s, before there was a euro", beforeAll),
			`a day without rates must be 404 {"message":"not found"}, or a conversion on it gets another's`)
	case !day.saysNotFound():
		return check.Warned(beforeAll+": "+notServed(day),
			`quotes takes this for a fault of the service; a day without rates is 404 {"message":"not found"}`)
	case !symbol.saysNotFound():
		return check.Warned("an unknown symbol: "+notServed(symbol), "quotes asks for no such: nothing is lost but the contract")
	}
	return check.Passed("404 for " + beforeAll + " and for an unknown symbol, as the contract says")
}

// noneBefore is refusals of a Redis, which has one way to say that there is
// nothing.
func (k *checker) noneBefore(day reply) check.Line {
	switch {
	case day.err == nil:
		return check.Failed("rates for "+beforeAll+", before there was a euro", "a conversion on a day without rates gets another's: DEL rates:"+beforeAll+", which rates export leaves as it is")
	case day.outcome() != NoRates:
		return check.Warned(beforeAll+": "+day.err.Error(), "quotes takes this for a fault of the service; a day without rates has no key")
	}
	return check.Passed("none for " + beforeAll + ", as it should be")
}

// notServed says what came instead of what was asked for.
func notServed(a reply) string {
	if a.header == nil {
		return a.err.Error()
	}
	return fmt.Sprintf("status %d with %s", a.status, a.contentType())
}

func (k *checker) caching(context.Context) check.Line {
	if k.handle.IsRedis() {
		return notOfRedis
	}
	h := k.latest.header
	var seen []string
	for _, name := range []string{"Cache-Control", "Etag", "Last-Modified", "Age"} {
		if h.Get(name) != "" {
			seen = append(seen, name+": "+k.short(h.Get(name)))
		}
	}
	text := strings.Join(seen, "; ")
	control := strings.ToLower(h.Get("Cache-Control"))
	switch {
	case k.latest.kept.age > k.options.MaxAge:
		return check.Warned(text, fmt.Sprintf("a cache on the way keeps answers for longer than max_age, %v", k.options.MaxAge))
	case strings.Contains(control, "no-store"):
		return check.Warned(text, "no cache on the way may help it; quotes itself goes by max_age")
	case strings.Contains(control, "max-age=") || h.Get("Etag") != "" || h.Get("Last-Modified") != "":
		return check.Passed(text)
	default:
		return check.Warned("no Cache-Control, ETag or Last-Modified", "caches on the way cannot tell how long to keep answers; quotes itself goes by max_age")
	}
}

// latency asks for the newest rates again and again.
func (k *checker) latency(ctx context.Context) check.Line {
	var (
		mu      sync.Mutex
		took    []time.Duration // of those that were answered
		failed  error           // the last that was not
		again   int             // retried
		callers sync.WaitGroup
	)
	for range latencyAtATime {
		callers.Go(func() {
			for range latencyCalls / latencyAtATime {
				a := k.call(ctx, newest)
				mu.Lock()
				if a.err == nil {
					took = append(took, a.took)
				} else {
					failed = a.err
				}
				if a.attempts > 1 {
					again++
				}
				mu.Unlock()
			}
		})
	}
	callers.Wait()
	slices.Sort(took)
	if len(took) == 0 {
		return check.Warned(fmt.Sprintf("none of %d calls was answered: %v", latencyCalls, failed), "it answers, but not often: its log may say why")
	}
	median := took[len(took)/2]
	seen := fmt.Sprintf("%d calls: median %v, slowest %v", len(took), rounded(median), rounded(took[len(took)-1]))
	switch {
	case failed != nil:
		return check.Warned(fmt.Sprintf("%s; %d were not answered: %v", seen, latencyCalls-len(took), failed), "it answers, but not always: its log may say why")
	case again > 0:
		return check.Warned(fmt.Sprintf("%s; %d only when asked again", seen, again), "it answers, but not always: its log may say why")
	case median > slowCall:
		return check.Warned(seen, "slow: clients wait that long whenever max_age is over; raise it, or find a nearer service")
	}
	return check.Passed(seen)
}

func (k *checker) lockable(context.Context) check.Line {
	kept := k.latest.kept
	if err := k.standing(kept, k.options.MaxAge, false).LockErr(k.lockMaxDays); err != nil {
		return check.Warned(strings.TrimPrefix(err.Error(), quote.ErrRatesTooOld.Error()+": "),
			"conversions work, and no quote can be locked: raise LOCK_MAX_DAYS, or find out why it has nothing newer")
	}
	date := kept.table.Date()
	return check.Passed(fmt.Sprintf("%v is %d days ago; LOCK_MAX_DAYS is %d", date, max(0, quote.DateOf(k.now()).DaysSince(date)), k.lockMaxDays))
}

func (k *checker) minorUnits(context.Context) check.Line {
	table := k.latest.kept.table
	unknown := table.Unknown()
	named := strings.Join(unknown[:min(len(unknown), namedCodes)], ", ")
	if more := len(unknown) - namedCodes; more > 0 {
		named += fmt.Sprintf(" and %d more", more)
	}
	switch known := len(table.Currencies()); {
	case known < 2: // the euro is one
		return check.Failed("none of its codes is known: "+named, "nothing can be converted: is it a service of currencies of ISO 4217?")
	case len(unknown) > 0:
		return check.Warned("not known for "+named, fmt.Sprintf("those cannot be converted; the other %d can", known))
	default:
		return check.Passed(fmt.Sprintf("known for all %d", known))
	}
}
