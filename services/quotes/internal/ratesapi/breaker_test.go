package ratesapi

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.com/portpair/services/quotes/internal/quote"
)

// failing is a backing service that can be well or not.
type failing struct{ sick atomic.Bool }

func (f *failing) serve(w http.ResponseWriter, r *http.Request) {
	if f.sick.Load() {
		w.WriteHeader(http.StatusBadRequest) // final: one attempt a call
		return
	}
	answer(good)(w, r)
}

func TestAfterSomeFailuresInARowNobodyWaitsForAFailingProducer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f failing
		u := serveInMemory(t, f.serve)
		c := u.attach(t, "?max_age=0s")
		if _, err := c.Latest(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.sick.Store(true)
		for range tripAfter {
			_, _ = c.Latest(t.Context())
		}
		before, began := u.requests.Load(), time.Now()
		for range 100 {
			rates, err := c.Latest(t.Context())
			if err != nil || !rates.Stale && rates.Age > 0 {
				t.Fatalf("got %+v, %v, want the known rates, said to be stale", rates.Standing, err)
			}
		}
		if n := u.requests.Load() - before; n != 0 {
			t.Errorf("got %d calls of 100 requests while the breaker is open, want none", n)
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("got answers after %v, want them at once", took)
		}
	})
}

func TestOneProbeAtATimeFindsOutWhetherTheProducerIsWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f failing
		u := serveInMemory(t, f.serve)
		c := u.attach(t, "?max_age=0s")
		f.sick.Store(true)
		for range tripAfter {
			_, err := c.Latest(t.Context())
			wantErr(t, err, quote.ErrRatesUnavailable)
		}
		for range 3 { // still not well
			<-time.After(probeEvery + 1)
			before := u.requests.Load()
			for range 20 {
				_, err := c.Latest(t.Context())
				wantErr(t, err, quote.ErrRatesUnavailable)
			}
			if n := u.requests.Load() - before; n != 1 {
				t.Errorf("got %d calls in a period, want one probe", n)
			}
		}
		f.sick.Store(false)
		<-time.After(probeEvery + 1)
		for i := range 20 {
			if _, err := c.Latest(t.Context()); err != nil {
				t.Errorf("request %d after the producer got well: %v", i+1, err)
			}
		}
	})
}

func TestAnOutageIsOneLineACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f failing
		c := serveInMemory(t, f.serve).attach(t, "?max_age=0s")
		f.sick.Store(true)
		const probes = 10
		for range tripAfter {
			_, _ = c.Latest(t.Context())
		}
		for range probes {
			<-time.After(probeEvery + 1)
			for range 100 {
				_, _ = c.Latest(t.Context())
			}
		}
		f.sick.Store(false)
		<-time.After(probeEvery + 1)
		c.mustLatest(t)
		want(t, "warnings", len(c.warnings(t)), tripAfter+1+probes)
		want(t, "lines of the breaker", strings.Count(c.log.String(), `"msg":"breaker"`), 2)
	})
}

func TestADayWithoutRatesIsNoFailure(t *testing.T) {
	u := serve(t, status(http.StatusNotFound, `{"message":"not found"}`))
	c := u.attach(t, "")
	day, err := quote.ParseDate("1998-12-31")
	if err != nil {
		t.Fatal(err)
	}
	for range 3 * tripAfter {
		_, err := c.On(t.Context(), day)
		wantErr(t, err, quote.ErrNoRatesForDate)
	}
	if n := u.requests.Load(); n != 3*tripAfter {
		t.Errorf("got %d calls, want %d", n, 3*tripAfter)
	}
}
